//! What a block's events say that concerns us: logs of contracts that no Ethereum receipt shows, what arrives at our
//! contracts' own accounts without a call, and what happens to the subnet's hotkeys.

use crate::depth;
use crate::needed::{ETHEREUM_EXECUTED, EVM_EXECUTED, EVM_LOG, Feature, Happening};
use crate::needed::{HOTKEY_SWAPPED, NETWORK_REMOVED, STAKE_ADDED, STAKE_TRANSFERRED, TRANSFER};
use crate::runtime::{CodecError, Runtime};
use crate::ss58::AccountId;
use std::collections::BTreeSet;
use subxt::SubstrateConfig;
use subxt::events::{Events, Phase};
use subxt::ext::codec::{Compact, Decode};
use subxt::ext::scale_decode::{self, DecodeAsType};
use surety_core::types::{Account, Hash32, Rao};

/// Most bytes of a block's events that are looked at. A block of plain transfers has some 100,000.
pub const EVENTS_BYTES_MAX: usize = 16 << 20;

/// A log as a contract wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvmLog {
    /// The contract.
    pub address: Account,
    /// At most four.
    pub topics: Vec<Hash32>,
    /// The rest.
    pub data: Vec<u8>,
    /// Whether an Ethereum transaction wrote it: then a receipt has it too. Without one, `eth_getLogs` never shows it.
    pub has_receipt: bool,
}

/// What concerns us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainEvent {
    /// A log of any contract.
    Log(EvmLog),
    /// TAO moved.
    Transfer {
        /// Whose it was.
        from: AccountId,
        /// Whose it is.
        to: AccountId,
        /// How much.
        rao: Rao,
        /// Whether it was part of a call to a contract, which then knows of it.
        by_call: bool,
    },
    /// Stake came to a coldkey: handed over, or bought.
    StakeArrived {
        /// Whose it is now.
        coldkey: AccountId,
        /// Under which hotkey.
        hotkey: AccountId,
        /// On which subnet.
        netuid: u16,
        /// What it is worth or cost, in rao.
        rao: Rao,
    },
    /// A hotkey was replaced on all subnets.
    HotkeySwapped {
        /// The one that was.
        old: AccountId,
        /// The one that is.
        new: AccountId,
    },
    /// A subnet was dissolved; its number may be given to another.
    NetworkRemoved {
        /// Which.
        netuid: u16,
    },
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawLog {
    address: [u8; 20],
    topics: Vec<[u8; 32]>,
    data: Vec<u8>,
}

pub(crate) type Event<'a> = subxt::events::Event<'a, SubstrateConfig>;

/// The events of one block, in order, from the bytes of `System.Events`. Events of other kinds are passed over; if one
/// cannot be decoded nothing behind it can, so the whole block is an error then.
pub fn decode(runtime: &Runtime, bytes: Vec<u8>) -> Result<Vec<ChainEvent>, CodecError> {
    let events = all(runtime, bytes)?;
    let mut found = Vec::new();
    let mut ran = Ran::default();
    for event in events.iter() {
        let event = event.map_err(|error| fault(&error.to_string()))?;
        let extrinsic = match event.phase() {
            Phase::ApplyExtrinsic(index) => Some(index),
            Phase::Finalization | Phase::Initialization => None,
        };
        if is(&event, &ETHEREUM_EXECUTED) {
            ran.ethereum.extend(extrinsic);
        }
        if is(&event, &EVM_EXECUTED) {
            ran.calls.extend(extrinsic);
        }
        if let Some(ours) = read(&event)? {
            found.push((extrinsic, ours));
        }
    }
    Ok(found.into_iter().map(|(extrinsic, event)| ran.marks(event, extrinsic)).collect())
}

/// All events of one block, of whatever kind.
pub(crate) fn all(runtime: &Runtime, bytes: Vec<u8>) -> Result<Events<SubstrateConfig>, CodecError> {
    runtime.need(Feature::Events)?;
    if bytes.len() > EVENTS_BYTES_MAX {
        return Err(fault(&format!("{} bytes, want at most {EVENTS_BYTES_MAX}", bytes.len())));
    }
    look_through(runtime, &bytes).map_err(fault)?;
    Ok(runtime.client().events().from_bytes(bytes))
}

/// Goes through all events, as the library will, so that none is nested deeper than it can go: how many there are; of
/// each its phase, pallet and kind, what it says, and its topics.
fn look_through(runtime: &Runtime, bytes: &[u8]) -> Result<(), &'static str> {
    let metadata = runtime.client().metadata_ref();
    let mut rest = bytes;
    // The library takes an empty value for none, and stops where the bytes end.
    let count = Compact::<u32>::decode(&mut rest).map_or(0, |count| count.0);
    for _ in 0..count {
        if rest.is_empty() {
            break;
        }
        Phase::decode(&mut rest).map_err(|_| "a phase that there is none of")?;
        let (pallet, kind) = <(u8, u8)>::decode(&mut rest).map_err(|_| "it ends within an event")?;
        let pallet = metadata.pallet_by_event_index(pallet).ok_or("an event of a pallet that does not exist")?;
        let event = pallet.event_variant_by_index(kind).ok_or("an event that its pallet does not have")?;
        for field in &event.fields {
            rest = depth::skip(metadata.types(), field.ty.id, rest)?;
        }
        Vec::<[u8; 32]>::decode(&mut rest).map_err(|_| "topics that are none")?;
    }
    Ok(())
}

/// Extrinsics that ran a contract. They say so in events of their own, after what the contract did.
#[derive(Default)]
struct Ran {
    /// As an Ethereum transaction, which is one extrinsic.
    ethereum: BTreeSet<u32>,
    /// Without one.
    calls: BTreeSet<u32>,
}

impl Ran {
    fn marks(&self, event: ChainEvent, extrinsic: Option<u32>) -> ChainEvent {
        let Some(index) = extrinsic else { return event };
        let has_receipt = self.ethereum.contains(&index);
        match event {
            ChainEvent::Log(log) => ChainEvent::Log(EvmLog { has_receipt, ..log }),
            ChainEvent::Transfer { from, to, rao, .. } => {
                ChainEvent::Transfer { from, to, rao, by_call: has_receipt || self.calls.contains(&index) }
            }
            other => other,
        }
    }
}

pub(crate) fn is(event: &Event<'_>, wanted: &Happening) -> bool {
    event.pallet_name() == wanted.pallet && event.event_name() == wanted.name
}

fn read(event: &Event<'_>) -> Result<Option<ChainEvent>, CodecError> {
    if is(event, &EVM_LOG) {
        let (log,): (RawLog,) = fields(event)?;
        let topics = log.topics.into_iter().map(Hash32).collect();
        let log = EvmLog { address: Account(log.address), topics, data: log.data, has_receipt: false };
        return Ok(Some(ChainEvent::Log(log)));
    }
    if is(event, &TRANSFER) {
        let (from, to, rao) = fields(event)?;
        return Ok(Some(ChainEvent::Transfer { from: AccountId(from), to: AccountId(to), rao, by_call: false }));
    }
    if is(event, &STAKE_TRANSFERRED) {
        let (_, coldkey, hotkey, _, netuid, rao): ([u8; 32], _, _, u16, _, _) = fields(event)?;
        return Ok(Some(arrived(coldkey, hotkey, netuid, rao)));
    }
    if is(event, &STAKE_ADDED) {
        let (coldkey, hotkey, rao, _, netuid, _): (_, _, _, u64, _, u64) = fields(event)?;
        return Ok(Some(arrived(coldkey, hotkey, netuid, rao)));
    }
    if is(event, &HOTKEY_SWAPPED) {
        let (_, old, new): ([u8; 32], _, _) = fields(event)?;
        return Ok(Some(ChainEvent::HotkeySwapped { old: AccountId(old), new: AccountId(new) }));
    }
    if is(event, &NETWORK_REMOVED) {
        let (netuid,) = fields(event)?;
        return Ok(Some(ChainEvent::NetworkRemoved { netuid }));
    }
    Ok(None)
}

fn arrived(coldkey: [u8; 32], hotkey: [u8; 32], netuid: u16, rao: Rao) -> ChainEvent {
    ChainEvent::StakeArrived { coldkey: AccountId(coldkey), hotkey: AccountId(hotkey), netuid, rao }
}

/// The fields of an event by their place: some have names, some do not.
pub(crate) fn fields<T: scale_decode::DecodeAsFields>(event: &Event<'_>) -> Result<T, CodecError> {
    event.decode_fields_unchecked_as().map_err(|error| fault(&error.to_string()))
}

pub(crate) fn fault(why: &str) -> CodecError {
    CodecError::Value { item: "Events", why: why.chars().take(200).collect() }
}
