//! Is the keeper getting on? Health is progress: a process that answers but does nothing is not healthy.

use super::HttpLimits;
use crate::ports::{Blindness, Progress};
use serde::Serialize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// The answer of `/healthz`.
#[derive(Debug, Serialize)]
pub(super) struct Health {
    /// Whether there are no reasons.
    pub(super) healthy: bool,
    /// What stands still, one sentence each.
    pub(super) reasons: Vec<String>,
    /// Milliseconds since the loop's last step.
    pub(super) last_step_age_ms: u64,
    /// Milliseconds since the best block last moved.
    pub(super) best_block_age_ms: u64,
    /// Newest best block read, 0 for none.
    pub(super) best_block: u64,
    /// Newest finalized block read, 0 for none.
    pub(super) finalized_block: u64,
    /// Whether the keeper trusts its own eyes. Blind it signs nothing, on purpose, and a restart would not help: so
    /// that is no reason to be unhealthy, but a metric to alert on. A wrong clock is one: only this host's operator can
    /// set it.
    pub(super) seeing: bool,
    /// Why it does not, in one word: `starting`, `rpc`, `no_chain`, `anchors`, `clock`.
    pub(super) blind: Option<&'static str>,
    /// Whether the store has no room: then the loop stands still.
    pub(super) store_full: bool,
}

/// Judges by how long ago things last moved. At the start everything counts as moved just then.
pub(super) fn judge(progress: &Progress, now_ms: u64, limits: &HttpLimits) -> Health {
    let best_block = progress.best_block.load(Relaxed);
    let last_step_age_ms = now_ms.saturating_sub(progress.last_step_ms.load(Relaxed));
    let best_block_age_ms = now_ms.saturating_sub(progress.best_moved_ms.load(Relaxed));
    let mut reasons = Vec::new();
    if too_old(last_step_age_ms, limits.step_silence_max) {
        let most = limits.step_silence_max.as_millis();
        reasons.push(format!("the loop took no step for {last_step_age_ms} ms, at most {most} ms are expected"));
    }
    if too_old(best_block_age_ms, limits.head_silence_max) {
        let most = limits.head_silence_max.as_millis();
        let what =
            if best_block == 0 { "no block was read".into() } else { format!("block {best_block} is the newest") };
        reasons.push(format!(
            "{what} for {best_block_age_ms} ms, at most {most} ms are expected: check the RPC endpoints"
        ));
    }
    let blind = Blindness::of(progress.blind.load(Relaxed));
    if blind == Some(Blindness::Clock) {
        let off_secs = progress.clock_off_secs.load(Relaxed);
        reasons.push(format!(
            "this host's clock and the newest block are {off_secs} s apart, nothing is judged or signed: check NTP"
        ));
    }
    let store_full = progress.store_full.load(Relaxed) == 1;
    if store_full {
        reasons.push(
            "the store has no room, nothing is judged or signed: free disk space or raise store.disk_max_mb".into(),
        );
    }
    Health {
        healthy: reasons.is_empty(),
        reasons,
        last_step_age_ms,
        best_block_age_ms,
        best_block,
        finalized_block: progress.finalized_block.load(Relaxed),
        seeing: progress.seeing.load(Relaxed) == 1,
        blind: blind.map(Blindness::word),
        store_full,
    }
}

fn too_old(age_ms: u64, most: Duration) -> bool {
    u128::from(age_ms) > most.as_millis()
}
