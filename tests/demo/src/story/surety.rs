//! The command line, as anybody runs it.

use super::stage::Stage;
use anyhow::{Context, Result};
use std::process::Stdio;
use tokio::process::Command;

/// Runs `surety`; what it says, as `Ok` when it exits with 0.
pub(super) async fn surety(stage: &Stage, prepare: impl FnOnce(&mut Command)) -> Result<Result<String, String>> {
    let mut command = Command::new(&stage.options.programs.surety);
    prepare(&mut command);
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.context("running surety")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    Ok(if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!("{} {}", text(&output.stdout), text(&output.stderr)))
    })
}
