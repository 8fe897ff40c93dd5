//! One request to one peer: bytes and time are bounded, and nothing it answers is believed.

use super::PeerLimits;
use crate::adapters::http::wire::{Numbered, Page};
use reqwest::{Client, Url};
use surety_client::digest::Domains;
use surety_core::limits::HINTS_SHOWN_MAX;
use surety_core::statement::{Attestation, Signed};
use surety_core::types::{Account, MachineId, Signature};

/// Why a peer gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {secs} s")]
    TimedOut { secs: u64 },
    #[error("no answer: {0}")]
    Transport(String),
    #[error("it answered status {0}, expected 200")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer is no page of attestations: {0}")]
    NotAPage(String),
    #[error("the page has {got} attestations, {asked} were asked for")]
    TooMany { got: usize, asked: u32 },
    #[error("the page is not in ascending order after {after}")]
    Order { after: u64 },
}

/// What a peer answered, checked.
#[derive(Debug)]
pub(super) struct Fetched {
    /// All entries of the page, in order: the attestation where the signature is the peer's, else none.
    pub(super) entries: Vec<Entry>,
    /// Machines that it shows as failing.
    pub(super) failing: Vec<MachineId>,
}

/// One entry of a page.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) seq: u64,
    pub(super) signature: Signature,
    pub(super) sound: Option<Signed<Attestation>>,
}

/// Reads the page after `after` from `url`.
pub(super) async fn page(
    client: &Client,
    url: Url,
    after: u64,
    limits: &PeerLimits,
    domains: Domains,
    peer: Account,
) -> Result<Fetched, FetchError> {
    let body = body(client, url, limits.body_bytes_max).await?;
    let asked = limits.page;
    // Parsing and recovering up to a page of signers takes tens of milliseconds: not on an async thread.
    let parsed = tokio::task::spawn_blocking(move || parse(&body, after, asked, &domains, peer)).await;
    parsed.unwrap_or_else(|error| Err(FetchError::NotAPage(error.to_string())))
}

/// Reads an answer of at most `most_bytes`.
pub(super) async fn body(client: &Client, url: Url, most_bytes: usize) -> Result<Vec<u8>, FetchError> {
    let failed = |error| FetchError::Transport(transport(error));
    let mut response = client.get(url).send().await.map_err(failed)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len().saturating_add(chunk.len()) > most_bytes {
            return Err(FetchError::TooLong(most_bytes));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// reqwest's error with what caused it, without the URL (the caller logs that).
pub(in crate::adapters::http) fn transport(error: reqwest::Error) -> String {
    use std::error::Error;
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    surety_core::limits::clip_text(&text)
}

fn parse(body: &[u8], after: u64, asked: u32, domains: &Domains, peer: Account) -> Result<Fetched, FetchError> {
    let not_a_page = |error: serde_json::Error| FetchError::NotAPage(error.to_string());
    let Page { attestations, failing } = serde_json::from_slice(body).map_err(not_a_page)?;
    if failing.len() > HINTS_SHOWN_MAX {
        return Err(FetchError::NotAPage(format!("{} failing machines, at most {HINTS_SHOWN_MAX}", failing.len())));
    }
    if attestations.len() > asked as usize {
        return Err(FetchError::TooMany { got: attestations.len(), asked });
    }
    let mut last = after;
    let mut entries = Vec::with_capacity(attestations.len());
    for Numbered { seq, signed } in attestations {
        if seq <= last {
            return Err(FetchError::Order { after });
        }
        last = seq;
        entries.push(Entry { seq, signature: signed.signature, sound: check(domains, peer, signed) });
    }
    Ok(Fetched { entries, failing })
}

/// The attestation, when it is the peer's own and signed for these contracts.
fn check(domains: &Domains, peer: Account, signed: Signed<Attestation>) -> Option<Signed<Attestation>> {
    if signed.signer != peer {
        tracing::warn!(%peer, signer = %signed.signer, "a peer shows somebody else's attestation as its own: dropped");
        return None;
    }
    match domains.check(&signed) {
        Ok(()) => Some(signed),
        Err(error) => {
            tracing::warn!(%peer, rental = signed.statement.rental, %error, "a peer's attestation was dropped");
            None
        }
    }
}
