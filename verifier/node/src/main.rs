//! `surety-node`: the agent a miner runs on a machine for rent.

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use surety_core::types::{RentalId, SshKey};
use surety_node::agent::{self, Server};
use surety_node::chain::EvmReader;
use surety_node::config::Config;
use surety_node::desk::Desk;
use surety_node::hostkey::HostKey;
use surety_node::{doctor, isolation, openssh};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

/// Rents out this machine: lets in whom the chain says, answers keepers' measurements.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the agent until SIGTERM or ctrl-C.
    Run {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Let people in through OpenSSH's sshd, which the agent starts, instead of the embedded server.
        #[arg(long)]
        sshd: bool,
    },
    /// Look at everything the agent needs and say what is missing.
    Doctor {
        /// The configuration file.
        #[arg(long)]
        config: PathBuf,
        /// Look for sshd too, even in development.
        #[arg(long)]
        sshd: bool,
    },
    /// Carry a keeper's measurement between standard input and output and the running agent (sshd's forced command).
    Prove {
        /// The agent's socket.
        #[arg(long)]
        socket: PathBuf,
        /// The keeper's SSH key, hex.
        #[arg(long)]
        keeper: SshKey,
    },
    /// Take a tenant's session into the container of a rental (sshd's forced command).
    Enter {
        /// The agent's socket for tenants.
        #[arg(long)]
        socket: PathBuf,
        /// The rental.
        #[arg(long)]
        rental: RentalId,
    },
    /// Make a host key and print the machine it is.
    Keygen {
        /// The file to write; must not exist.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match start(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(command: Command) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the async runtime")?;
    let done = runtime.block_on(dispatch(command));
    // A read of standard input may still block a thread: it must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(2));
    done
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run { config, sshd } => run(&config, sshd).await,
        Command::Doctor { config, sshd } => examine(&config, sshd).await,
        Command::Prove { socket, keeper } => {
            openssh::relay(&socket, &keeper).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Enter { socket, rental } => Ok(ExitCode::from(isolation::enter(&socket, rental).await?)),
        Command::Keygen { out } => keygen(&out),
    }
}

async fn run(path: &Path, sshd: bool) -> anyhow::Result<ExitCode> {
    let config = Config::load(path)?;
    let key = HostKey::from_file(&config.host_key)?;
    let reader = EvmReader::new(&config, key.machine())?;
    let this_program = std::env::current_exe().context("cannot tell where this program is")?;
    let server = if sshd { Server::Openssh } else { Server::Embedded };
    let (stop, stopping) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        stop.send_replace(true);
        // Whoever holds the receiver stops; the sender lives as long as this task.
        std::future::pending::<()>().await;
    });
    tracing::info!(machine = %key.machine(), chain = config.chain_id, "starting");
    agent::run(&config, Desk::new(&config, key), reader, server, &this_program, stopping).await?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

async fn examine(path: &Path, sshd: bool) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine(&Config::load(path)?, sshd).await;
    let mut out = std::io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let well = findings.iter().all(|finding| finding.state.is_ok());
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn keygen(out: &Path) -> anyhow::Result<ExitCode> {
    let mut seed = [0; 32];
    if getrandom::fill(&mut seed).is_err() {
        bail!("the system has no randomness to give");
    }
    let key = HostKey::from_seed(&seed);
    seed.fill(0);
    key.write_new(out)?;
    writeln!(std::io::stdout(), "{}", key.machine())?;
    Ok(ExitCode::SUCCESS)
}
