//! `surety keeper run`.

use crate::config::{Preflight, Settings};
use crate::{runtime, telemetry};
use anyhow::{Context, Result};
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// From the signal to the end of the process, whatever hangs.
const GONE_WITHIN: Duration = Duration::from_secs(9);

pub(super) fn run(config: &Path, dry_run: bool, check: bool) -> Result<()> {
    let settings = Settings::read(config)?;
    telemetry::init();
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting the runtime")?;
    let ended = tokio.block_on(async {
        if check {
            Preflight::run(&settings).await?;
            println!("the configuration is sound, and the chain agrees with it");
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
