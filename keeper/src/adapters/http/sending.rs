//! The renter's side of a complaint: sending it to a keeper. What the keeper answers is bounded, and shown without
//! anything that a terminal would act on.

use super::peers::{PeerLimits, client_of, transport, under_base};
use super::wire::{ComplaintBody, Taken};
use reqwest::Client;
use surety_core::limits::clip_text;

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1_024;

/// Why a keeper did not take a complaint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URL on chain is not one that may be asked.
    #[error("{0}")]
    Url(String),
    /// No answer.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// It answered, and did not take it.
    #[error("refused with status {status}: {why}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        why: String,
    },
}

/// Sends complaints, one keeper at a time.
#[derive(Debug, Clone)]
pub struct Sending {
    client: Client,
    allow_private: bool,
}

impl Sending {
    /// `allow_private`: local chains, whose keepers are on loopback.
    ///
    /// # Errors
    /// When the system gives no TLS certificates to trust.
    pub fn new(allow_private: bool) -> Result<Self, super::PeersError> {
        let limits = PeerLimits { allow_private, ..PeerLimits::default() };
        Ok(Self { client: client_of(&limits)?, allow_private })
    }

    /// Sends one to the keeper at this base URL; the keeper's answer when it has it on disk.
    ///
    /// # Errors
    /// It was not taken, or nobody knows; sending the same again is safe.
    pub async fn send(&self, url: &str, body: &ComplaintBody) -> Result<Taken, SendError> {
        let url = under_base(url, self.allow_private, "/v1/complaints").map_err(SendError::Url)?;
        let unanswered = |error| SendError::Unanswered(plain(&transport(error)));
        let mut response = self.client.post(url).json(body).send().await.map_err(unanswered)?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if bytes.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
                return Err(SendError::Unanswered(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        let refused = |why: &str| SendError::Refused { status, why: plain(why) };
        if !matches!(status, 200 | 201) {
            let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            return Err(refused(said.pointer("/detail").and_then(|text| text.as_str()).unwrap_or("no reason")));
        }
        serde_json::from_slice(&bytes).map_err(|error| refused(&format!("the answer makes no sense: {error}")))
    }
}

/// Text from elsewhere for a terminal: bounded, and nothing in it that moves a cursor.
pub(super) fn plain(text: &str) -> String {
    clip_text(&text.chars().map(|c| if c.is_control() { '.' } else { c }).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_keeper_says_cannot_move_a_cursor_or_fill_a_screen() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a.[2Jb.c");
        assert!(plain(&"x".repeat(10_000)).len() <= surety_core::limits::TEXT_BYTES_MAX);
    }
}
