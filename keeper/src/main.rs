//! `surety`: see `surety --help`.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match surety::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("surety: {error:#}");
            ExitCode::FAILURE
        }
    }
}
