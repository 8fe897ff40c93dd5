//! What a coldkey has: its positions on a subnet and how much of them can be moved, its free TAO, and what a call would
//! cost it. All at one final block, by the runtime's own word.

use crate::needed;
use crate::node::Head;
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, Part, Runtime, arg};
use crate::ss58::AccountId;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;

/// Most bytes of the answers. A coldkey under a thousand hotkeys has some 90,000.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Bytes of an extrinsic beside its call: version, address, signature, era, nonce, tip and the mode of the metadata's
/// hash have 110 at most.
const ENVELOPE_BYTES: usize = 120;

/// Stake under one hotkey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The hotkey.
    pub hotkey: AccountId,
    /// In rao of alpha.
    pub rao: u64,
}

/// What a coldkey has on a subnet, in rao of alpha.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Its positions, in the chain's order; none of zero.
    pub positions: Vec<Position>,
    /// What of them is locked.
    pub locked: u64,
    /// What of them can be moved.
    pub available: u64,
}

impl Holdings {
    /// What is under a hotkey, in rao.
    pub fn under(&self, hotkey: AccountId) -> u64 {
        self.positions.iter().find(|position| position.hotkey == hotkey).map_or(0, |position| position.rao)
    }
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawPosition {
    hotkey: [u8; 32],
    netuid: u16,
    stake: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawAvailable {
    locked: u64,
    available: u64,
}

/// Coldkeys with what they have on each subnet.
type RawRows = Vec<([u8; 32], Vec<(u16, RawAvailable)>)>;

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawAccount {
    data: RawBalance,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawBalance {
    free: u64,
    frozen: u64,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawFee {
    partial_fee: u64,
}

/// What a coldkey has on a subnet.
pub async fn holdings(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    coldkey: AccountId,
    netuid: u16,
) -> Result<Holdings, NodesError> {
    let args = vec![arg::bytes(&coldkey.0)];
    let all: Vec<RawPosition> = nodes.question(runtime, at.hash, &needed::STAKES, args, ANSWER_BYTES_MAX).await?;
    let own = all.into_iter().filter(|position| position.netuid == netuid && position.stake > 0);
    let positions: Vec<Position> =
        own.map(|position| Position { hotkey: AccountId(position.hotkey), rao: position.stake }).collect();
    let subnets = Value::unnamed_composite([arg::number(netuid)]);
    let args = vec![Value::unnamed_composite([arg::bytes(&coldkey.0)]), arg::optional(Some(subnets))];
    let rows: RawRows = nodes.question(runtime, at.hash, &needed::AVAILABLE, args, ANSWER_BYTES_MAX).await?;
    let own = rows.into_iter().filter(|(whose, _)| *whose == coldkey.0).flat_map(|(_, subnets)| subnets);
    let here = own.into_iter().find(|(subnet, _)| *subnet == netuid).map(|(_, here)| here);
    // Where the chain says nothing of locks, all of it can be tried.
    let total = positions.iter().fold(0, |sum: u64, position: &Position| sum.saturating_add(position.rao));
    let (locked, available) = here.map_or((0, total), |here| (here.locked, here.available));
    Ok(Holdings { positions, locked, available })
}

/// The TAO that an account can spend, in rao, but for what keeps it alive.
pub async fn free_tao(nodes: &Nodes, runtime: &Runtime, at: Head, account: AccountId) -> Result<u64, NodesError> {
    let found: Option<RawAccount> = nodes.value(runtime, at.hash, &needed::ACCOUNT, &[Part::from(account)]).await?;
    Ok(found.map_or(0, |found| found.data.free.saturating_sub(found.data.frozen)))
}

/// What a call costs at most, in rao of TAO; None where the runtime does not say.
pub async fn fee(nodes: &Nodes, runtime: &Runtime, at: Head, call: &[u8]) -> Result<Option<u64>, NodesError> {
    if runtime.need(needed::Feature::Fees).is_err() {
        return Ok(None);
    }
    let length = u32::try_from(call.len().saturating_add(ENVELOPE_BYTES))
        .map_err(|_| CodecError::Call { call: "query_call_info", why: "the call is too long".into() })?;
    let question = [call, &length.to_le_bytes()].concat();
    let fee: RawFee = nodes.asked(runtime, at.hash, &needed::CALL_FEE, &question, ANSWER_BYTES_MAX).await?;
    Ok(Some(fee.partial_fee))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::runtime::Versions;
    use proptest::prelude::*;
    use surety_core::types::Hash32;

    const METADATA: &[u8] = include_bytes!("../../../tests/vectors/subtensor-native/metadata-spec425-v15.scale");

    proptest! {
        /// Lists that say they are longer than their bytes, above all.
        #[test]
        fn bytes_of_a_hostile_node_are_an_error_or_a_value(
            lies in proptest::collection::vec(prop_oneof![Just(0xfe), Just(0xff), any::<u8>()], 0..200),
        ) {
            let versions = Versions { spec: 425, transaction: 1 };
            let runtime = Runtime::new(Hash32([7; 32]), versions, METADATA).unwrap();
            let _ = runtime.answer::<Vec<RawPosition>>(&needed::STAKES, &lies);
            let _ = runtime.answer::<RawRows>(&needed::AVAILABLE, &lies);
            let _ = runtime.answer::<RawFee>(&needed::CALL_FEE, &lies);
        }
    }
}
