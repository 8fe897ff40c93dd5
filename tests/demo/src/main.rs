//! `surety-demo`: tells the story of a rental on a real chain, and checks it.

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use surety_demo::process;
use surety_demo::seed::Seed;
use surety_demo::show::Show;
use surety_demo::story::{Options, Programs, Told, tell};
use tokio::signal::unix::{SignalKind, signal};

/// A rental from bond to refund, on a local chain with three keepers and three machines.
#[derive(Debug, Parser)]
#[command(name = "surety-demo", version)]
struct Cli {
    /// JSON lines instead of text.
    #[arg(long)]
    json: bool,
    /// At the end bond and offer again, and leave everything running until Ctrl-C: a market to be used.
    #[arg(long)]
    keep: bool,
    /// Keys and choices come from this number; drawn from the clock if not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Machines with OpenSSH's sshd instead of the embedded SSH server.
    #[arg(long)]
    sshd: bool,
    /// Kill a random keeper this many times, and start it again each time.
    #[arg(long, default_value_t = 0, value_name = "N")]
    kill_keepers: u32,
    /// Write CHAIN_ID.json there.
    #[arg(long, value_name = "DIR", overrides_with = "deployments")]
    deployments: Option<PathBuf>,
}

/// Exit status after Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, command, run] = arguments.as_slice()
        && command == process::REAPER
    {
        process::reap(Path::new(run));
        return ExitCode::SUCCESS;
    }
    match run(&Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nThe story did not come true.\n{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let demo = std::env::current_exe().context("cannot tell where this program is")?;
    let options = Options {
        seed: Seed(cli.seed.unwrap_or_else(drawn_seed)),
        sshd: cli.sshd,
        kill_keepers: cli.kill_keepers,
        keep: cli.keep,
        deployments: cli.deployments.clone(),
        programs: Programs::beside(&demo),
    };
    let dir = tempfile::Builder::new().prefix("surety-demo-").tempdir()?;
    let show = Show::new(cli.json);
    show.plain("seed", &format!("seed {}", options.seed.0), json!({ "seed": options.seed.0 }));
    let runtime = tokio::runtime::Runtime::new()?;
    match runtime.block_on(told_or_interrupted(&options, dir.path(), &show, cli.keep)) {
        Ok(code) => Ok(code),
        Err(error) => {
            // What happened is in the logs: they stay.
            let kept = dir.keep();
            Err(error.context(format!("everything the run wrote is kept in {}", kept.display())))
        }
    }
}

/// Everything the story started is dropped, and thereby ended, before this returns.
async fn told_or_interrupted(options: &Options, dir: &Path, show: &Show, keep: bool) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let signalled = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
    };
    tokio::pin!(signalled);
    let interrupted = || {
        show.plain("interrupted", "\ninterrupted: everything is ended", json!({}));
        Ok(ExitCode::from(INTERRUPTED))
    };
    let mut told = tokio::select! {
        told = tell(options, dir, show) => told?,
        () = &mut signalled => return interrupted(),
    };
    end(&told, show);
    if keep {
        let (facts, lines) = tokio::select! {
            opened = told.reopen() => opened?,
            () = &mut signalled => return interrupted(),
        };
        let text = format!("\nThe market is open again, and everything runs until Ctrl-C:\n{}", lines.join("\n"));
        show.plain("kept", &text, json!({ "addresses": lines, "house": facts }));
        signalled.await;
    }
    Ok(ExitCode::SUCCESS)
}

fn end(told: &Told, show: &Show) {
    let text = "\nEvery step came true, and what went in came out, to the last rao.";
    show.plain("end", text, json!(told.outcome));
}

fn drawn_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map(|since| u64::from(since.subsec_nanos())).unwrap_or_default()
}
