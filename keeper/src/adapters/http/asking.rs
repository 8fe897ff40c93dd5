//! Asking keepers for statements about bonds of alpha, as a miner or a renter does: all at once, bounded bytes and
//! time, and no answer is believed beyond what its signature proves. Whoever asks checks that.

use super::peers::{PeerLimits, SPOOFS_MAX, client_of, transport, under_base};
use super::sending::plain;
use super::wire::SpoofPage;
use reqwest::{Client, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use surety_core::alpha::{AlphaStatement, AlphaVerdict, BondStatement};
use surety_core::statement::{Attestation, Signed, Spoof};
use surety_core::types::{CaseId, MachineId, RentalId};

/// Bytes of one statement's answer: less than 1 KiB of JSON, and a refusal's reason.
const STATEMENT_BYTES_MAX: usize = 16 * 1_024;

/// Bytes of a list: [`ATTESTATIONS_MAX`] attestations of some 450 bytes, with room.
const LIST_BYTES_MAX: usize = 1 << 20;

/// Attestations of one rental that are looked at, of one keeper's answer.
const ATTESTATIONS_MAX: usize = 1_024;

/// Why a keeper gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The URL on chain is not one that may be asked.
    #[error("{0}")]
    Url(String),
    /// No answer in time, or too long a one.
    #[error("no answer: {0}")]
    Unanswered(String),
    /// It answered that it gives none, and why.
    #[error("{why} (status {status})")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it said.
        why: String,
    },
    /// What it answered is no such statement.
    #[error("its answer makes no sense: {0}")]
    Odd(String),
}

/// Asks keepers at their base URLs.
#[derive(Debug, Clone)]
pub struct Asking {
    client: Client,
    allow_private: bool,
}

/// `GET /v1/attestations/{rental}`.
#[derive(Deserialize)]
struct Attestations {
    attestations: Vec<Signed<Attestation>>,
}

impl Asking {
    /// `allow_private`: local chains, whose keepers are on loopback.
    ///
    /// # Errors
    /// When the system gives no TLS certificates to trust.
    pub fn new(allow_private: bool) -> Result<Self, super::PeersError> {
        let limits = PeerLimits { allow_private, ..PeerLimits::default() };
        Ok(Self { client: client_of(&limits)?, allow_private })
    }

    /// What bond of alpha the keeper states for a machine.
    ///
    /// # Errors
    /// It states none, or was not understood.
    pub async fn bond(&self, url: &str, machine: MachineId) -> Result<Signed<BondStatement>, AskError> {
        self.get(url, &format!("/v1/alpha/bonds/{machine}"), STATEMENT_BYTES_MAX).await
    }

    /// What the keeper states of a case of the Arbiter.
    ///
    /// # Errors
    /// It states nothing, or was not understood.
    pub async fn case(&self, url: &str, case: CaseId) -> Result<Signed<AlphaStatement>, AskError> {
        self.get(url, &format!("/v1/alpha/cases/{case}"), STATEMENT_BYTES_MAX).await
    }

    /// What became of a case of the Arbiter, as the keeper states it.
    ///
    /// # Errors
    /// It states nothing, or was not understood.
    pub async fn verdict(&self, url: &str, case: CaseId) -> Result<Signed<AlphaVerdict>, AskError> {
        self.get(url, &format!("/v1/alpha/verdicts/{case}"), STATEMENT_BYTES_MAX).await
    }

    /// The attestations about a rental that the keeper holds, of all keepers; at most the first 1,024.
    ///
    /// # Errors
    /// It was not understood.
    pub async fn attestations(&self, url: &str, rental: RentalId) -> Result<Vec<Signed<Attestation>>, AskError> {
        let page: Attestations = self.get(url, &format!("/v1/attestations/{rental}"), LIST_BYTES_MAX).await?;
        Ok(page.attestations.into_iter().take(ATTESTATIONS_MAX).collect())
    }

    /// The spoofs about a machine that the keeper holds, of all keepers; at most as many as keepers show.
    ///
    /// # Errors
    /// It was not understood.
    pub async fn spoofs(&self, url: &str, machine: MachineId) -> Result<Vec<Signed<Spoof>>, AskError> {
        let page: SpoofPage = self.get(url, &format!("/v1/spoofs/{machine}"), LIST_BYTES_MAX).await?;
        Ok(page.spoofs.into_iter().take(SPOOFS_MAX).collect())
    }

    async fn get<T: DeserializeOwned>(&self, url: &str, path: &str, most_bytes: usize) -> Result<T, AskError> {
        let url = under_base(url, self.allow_private, path).map_err(AskError::Url)?;
        let unanswered = |error| AskError::Unanswered(plain(&transport(error)));
        let mut response = self.client.get(url).send().await.map_err(unanswered)?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
            if bytes.len().saturating_add(chunk.len()) > most_bytes {
                return Err(AskError::Unanswered(format!("its answer is longer than {most_bytes} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status != StatusCode::OK {
            let said: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let why = said.pointer("/detail").and_then(|text| text.as_str()).unwrap_or("it gives no reason");
            return Err(AskError::Refused { status: status.as_u16(), why: plain(why) });
        }
        serde_json::from_slice(&bytes).map_err(|error| AskError::Odd(plain(&error.to_string())))
    }
}
