//! `surety`: see `surety --help`.

fn main() -> std::process::ExitCode {
    surety::cli::main()
}
