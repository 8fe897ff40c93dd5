//! What peers say about spoofs, and the evidence behind it. Rare and small, so each peer's whole list is read anew.

use super::Peers;
use super::address::{base, under};
use super::fetch::{FetchError, body};
use crate::adapters::http::wire::SpoofPage;
use crate::ports::Bundle;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::limits::{BAD_PROOF_BYTES_MAX, KEEPERS_MAX};
use surety_core::statement::{Signed, Spoof};
use surety_core::types::{Account, Hash32};
use surety_core::view::KeeperView;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Spoofs in one answer.
pub(in crate::adapters::http) const SPOOFS_MAX: usize = 100;

/// Bytes of a bundle about a spoof, the largest there are: its two proofs, and everything else.
pub const BUNDLE_BYTES_MAX: usize = 2 * BAD_PROOF_BYTES_MAX + (1 << 20);

/// Why a peer's evidence was not read.
#[derive(Debug, thiserror::Error)]
#[error("the evidence was not read: {0}")]
pub struct UnreadError(String);

impl Peers {
    /// Asks every active keeper but `me` for its own statements about spoofs; those that its signature is under. A
    /// peer that does not answer in time says nothing this time.
    pub async fn spoofs(&self, keepers: &[KeeperView], me: Account) -> Vec<Signed<Spoof>> {
        let mut asking = JoinSet::new();
        for keeper in keepers.iter().filter(|keeper| keeper.active && keeper.account != me).take(KEEPERS_MAX) {
            let Ok(base) = base(&keeper.url, self.limits.allow_private) else { continue };
            let url = under(&base, "/v1/spoofs");
            let (client, domains, peer) = (self.client.clone(), self.domains, keeper.account);
            let (places, limits) = (self.places.clone(), self.limits.clone());
            self.counts.asked.fetch_add(1, Relaxed);
            asking.spawn(async move {
                let _place = places.acquire_owned().await;
                let read = timeout(limits.request_max, body(&client, url, limits.body_bytes_max)).await.ok()?.ok()?;
                let checked = tokio::task::spawn_blocking(move || {
                    let page: SpoofPage = serde_json::from_slice(&read).ok()?;
                    let sound = |signed: &Signed<Spoof>| signed.signer == peer && domains.check(signed).is_ok();
                    Some(page.spoofs.into_iter().take(SPOOFS_MAX).filter(sound).collect::<Vec<_>>())
                });
                checked.await.ok()?
            });
        }
        let mut heard = Vec::new();
        while let Some(answer) = asking.join_next().await {
            match answer {
                Ok(Some(spoofs)) => heard.extend(spoofs),
                _ => drop(self.counts.failed.fetch_add(1, Relaxed)),
            }
        }
        heard
    }

    /// The bundle that the keeper at `url` serves under `digest`, of at most `most_bytes`: whatever it says, not
    /// believed yet.
    ///
    /// # Errors
    /// The URL may not be asked, the answer did not come in time, is too long, or is no bundle.
    pub async fn bundle(&self, url: &str, digest: Hash32, most_bytes: usize) -> Result<Bundle, UnreadError> {
        let base = base(url, self.limits.allow_private).map_err(|error| UnreadError(error.to_string()))?;
        let url = under(&base, &format!("/evidence/{digest}"));
        let _place = self.places.clone().acquire_owned().await;
        self.counts.asked.fetch_add(1, Relaxed);
        let read = timeout(self.limits.request_max, body(&self.client, url, most_bytes)).await;
        let secs = self.limits.request_max.as_secs();
        let read = read.unwrap_or(Err(FetchError::TimedOut { secs })).map_err(|error| self.unread(&error))?;
        let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice(&read)).await;
        let parsed = parsed.map_err(|error| self.unread(&error))?;
        parsed.map_err(|error| self.unread(&error))
    }

    fn unread(&self, error: &dyn std::fmt::Display) -> UnreadError {
        self.counts.failed.fetch_add(1, Relaxed);
        UnreadError(surety_core::limits::clip_text(&error.to_string()))
    }
}
