//! The event of a case's filing: which keepers signed, and the digests of their evidence. The chain keeps it in a log;
//! a call that was no Ethereum transaction leaves none, and then the keepers themselves are asked what they hold.

use super::show::Record;
use crate::cli::kit::place::Place;
use alloy::primitives::Address;
use alloy::sol_types::SolEvent;
use anyhow::Result;
use surety_client::bindings::Arbiter;
use surety_client::provider::{NodeError, Tag};
use surety_core::types::{Account, Hash32};

/// Blocks around the one found that are looked through: headers of a fork may have stood where others stand now.
const AROUND: u64 = 5;

/// A signer, and the digest of the evidence.
pub(super) type Signature = (Account, Hash32);

/// Who signed a case and on what evidence, as its filing logged it; None: there is no log.
///
/// # Errors
/// The node does not answer.
pub(super) async fn filing(place: &Place, record: &Record) -> Result<Option<Vec<Signature>>> {
    let Some(block) = block_at(place, record.case.filedAt.into()).await? else { return Ok(None) };
    let arbiter = Address::from(place.deployment.arbiter.address.0);
    let logs = place.node.logs(vec![arbiter], block.saturating_sub(AROUND), block.saturating_add(AROUND)).await?;
    let filed = logs.iter().filter_map(|log| Arbiter::Filed::decode_log(&log.inner).ok());
    let Some(filed) = filed.into_iter().find(|filed| filed.caseId == record.id) else { return Ok(None) };
    let signers = filed.signers.iter().map(|signer| Account(signer.into_array()));
    Ok(Some(signers.zip(filed.evidence.iter().map(|digest| Hash32(digest.0))).collect()))
}

/// The first block with this time or a later one, by bisection: blocks' times only grow.
async fn block_at(place: &Place, at_secs: u64) -> Result<Option<u64>, NodeError> {
    let (mut low, mut high) = (place.deployment.block, place.head.number);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(header) = place.node.header(Tag::Number(middle)).await? else { return Ok(None) };
        if header.timestamp.to::<u64>() < at_secs {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Some(low))
}
