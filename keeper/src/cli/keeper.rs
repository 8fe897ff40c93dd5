//! `surety keeper ...`.

mod check;
mod export;
mod lines;
mod live;
mod replay;
mod status;

pub use replay::{Replay, replay};

use crate::config::{File, Settings};
use crate::{runtime, telemetry};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// From the signal to the end of the process, whatever hangs.
const GONE_WITHIN: Duration = Duration::from_secs(9);

/// What can be done with a keeper.
#[derive(Debug, Subcommand)]
pub(super) enum KeeperCommand {
    /// Follow the chain, watch machines, sign, file. Example: surety keeper run --config keeper.toml
    Run {
        /// The configuration file.
        #[arg(long, env = "SURETY_KEEPER_CONFIG")]
        config: PathBuf,
        /// Do everything but sign and send, with a store of its own beside the keeper's (`<store>.dry-run`).
        #[arg(long)]
        dry_run: bool,
        /// Check the configuration against the chain, and exit.
        #[arg(long)]
        check: bool,
    },
    /// Check everything a run needs: the configuration, keys, the chain and its contracts, the store, gas. Exit
    /// status 0: a run would start. Works beside a running keeper.
    Check {
        /// The configuration file.
        #[arg(long, env = "SURETY_KEEPER_CONFIG")]
        config: PathBuf,
    },
    /// Fold a log again and compare the states with those that the keeper had. Signs and sends nothing, needs no key.
    /// Example: surety keeper replay --store copy-of-keeper.db
    Replay {
        #[command(flatten)]
        store: StoreArgument,
        /// Instead of a store: a log made by `surety keeper export`, `-` for standard input.
        #[arg(long)]
        log: Option<PathBuf>,
    },
    /// What a keeper is doing, read from its store, also while it runs.
    Status {
        #[command(flatten)]
        store: StoreArgument,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write log, statements and the index of evidence as JSON lines to standard output.
    /// Example: surety keeper export --config keeper.toml | zstd > keeper.jsonl.zst
    Export {
        #[command(flatten)]
        store: StoreArgument,
    },
}

/// Which store is looked at.
#[derive(Debug, Args)]
pub(super) struct StoreArgument {
    /// The keeper's configuration; only `store.path` of it is used.
    #[arg(long, env = "SURETY_KEEPER_CONFIG")]
    config: Option<PathBuf>,
    /// The store's file itself, or a copy of it (with its `-wal` file, if there is one).
    #[arg(long)]
    store: Option<PathBuf>,
    /// The store of the dry run.
    #[arg(long)]
    dry_run: bool,
}

impl StoreArgument {
    /// Where the keeper of the configuration listens, if one is named.
    fn listen(&self) -> Result<Option<SocketAddr>> {
        Ok(self.config.as_deref().map(File::read).transpose()?.map(|file| file.http.listen))
    }

    pub(super) fn path(&self) -> Result<PathBuf> {
        match (&self.store, &self.config) {
            (Some(store), _) => Ok(store.clone()),
            (None, Some(config)) => Ok(File::read(config)?.store.file(self.dry_run)),
            (None, None) => anyhow::bail!("which store? name one with --store FILE, or a configuration with --config"),
        }
    }
}

impl KeeperCommand {
    pub(super) fn run(self) -> Result<()> {
        match self {
            Self::Run { config, dry_run, check } => run(&config, dry_run, check),
            Self::Check { config } => check::run(&config),
            Self::Replay { store: _, log: Some(log) } => replay::run_log(&log),
            Self::Replay { store, log: None } => replay::run_store(&store.path()?),
            Self::Status { store, json } => status::run(&store.path()?, json, store.listen()?),
            Self::Export { store } => export::run(&store.path()?),
        }
    }
}

fn run(config: &Path, dry_run: bool, check: bool) -> Result<()> {
    let settings = Settings::read(config)?;
    telemetry::init();
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let ended = tokio.block_on(async {
        if check {
            check::chain(&settings).await?;
            return Ok(());
        }
        let stop = stop_on_signals()?;
        runtime::run(settings, dry_run, stop).await.map_err(anyhow::Error::from)
    });
    tokio.shutdown_timeout(Duration::from_millis(500));
    ended
}

/// Turns SIGTERM and Ctrl-C into the word to stop; a process that does not manage in time is ended all the same, which
/// is safe: whatever was acknowledged is on disk.
fn stop_on_signals() -> Result<watch::Receiver<bool>> {
    let (say, stop) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        let _ = say.send(true);
        tokio::time::sleep(GONE_WITHIN).await;
        tracing::error!("not stopped in time; ending now, nothing acknowledged is lost");
        std::process::exit(1);
    });
    Ok(stop)
}
