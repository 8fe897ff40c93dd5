//! What a block's events say, from bytes put together by hand.

use super::{METADATA, runtime};
use subxt::ext::codec::{Compact, Encode};
use subxt::metadata::Metadata;
use surety_core::types::{Account, Hash32};
use surety_substrate::events::{ChainEvent, EvmLog, decode};
use surety_substrate::needed::{self, Happening};
use surety_substrate::runtime::CodecError;
use surety_substrate::ss58::AccountId;

const VAULT: [u8; 20] = [0xaa; 20];

/// One record: phase, pallet and event, fields, no topics.
fn record(extrinsic: Option<u32>, event: &Happening, fields: impl Encode) -> Vec<u8> {
    let metadata = Metadata::decode_from(METADATA).unwrap();
    let pallet = metadata.pallet_by_name(event.pallet).unwrap();
    let variant = pallet.event_variants().unwrap().iter().find(|variant| variant.name == event.name).unwrap();
    let phase = extrinsic.map_or_else(|| vec![1], |index| [vec![0], index.encode()].concat());
    [phase, vec![pallet.event_index(), variant.index], fields.encode(), vec![0]].concat()
}

fn block(records: &[Vec<u8>]) -> Vec<u8> {
    [Compact(records.len() as u32).encode(), records.concat()].concat()
}

fn log(extrinsic: Option<u32>, data: &[u8]) -> Vec<u8> {
    record(extrinsic, &needed::EVM_LOG, (VAULT, vec![[1u8; 32], [2; 32]], data.to_vec()))
}

fn executed(extrinsic: u32) -> Vec<u8> {
    // Exit reason: Succeed (0), Stopped (0).
    record(Some(extrinsic), &needed::ETHEREUM_EXECUTED, ([1u8; 20], VAULT, [3u8; 32], 0u8, 0u8, Vec::<u8>::new()))
}

fn logs(records: &[Vec<u8>]) -> Vec<(Vec<u8>, bool)> {
    let events = decode(&runtime(), block(records)).unwrap();
    let logs = events.into_iter().filter_map(|event| match event {
        ChainEvent::Log(log) => Some((log.data, log.has_receipt)),
        _ => None,
    });
    logs.collect()
}

#[test]
fn a_log_has_its_contract_topics_and_data() {
    let events = decode(&runtime(), block(&[log(Some(3), b"data")])).unwrap();
    let topics = vec![Hash32([1; 32]), Hash32([2; 32])];
    let log = EvmLog { address: Account(VAULT), topics, data: b"data".to_vec(), has_receipt: false };
    assert_eq!(events, [ChainEvent::Log(log)]);
}

#[test]
fn logs_of_an_ethereum_transaction_have_a_receipt_and_those_of_a_bare_call_have_none() {
    let found = logs(&[
        log(Some(1), b"transaction"),
        executed(1),
        log(Some(2), b"bare"),
        log(None, b"hook"),
        log(Some(4), b"transaction"),
        executed(4),
    ]);
    let wanted = [(&b"transaction"[..], true), (b"bare", false), (b"hook", false), (b"transaction", true)];
    assert_eq!(found, wanted.map(|(data, receipt)| (data.to_vec(), receipt)));
}

#[test]
fn money_and_stake_that_arrive_without_a_call_are_told() {
    let (from, to, hotkey) = ([4u8; 32], [5u8; 32], [6u8; 32]);
    let records = [
        record(Some(1), &needed::TRANSFER, (from, to, 7u64)),
        record(Some(2), &needed::STAKE_TRANSFERRED, (from, to, hotkey, 1u16, 2u16, 8u64)),
        record(None, &needed::STAKE_ADDED, (to, hotkey, 9u64, 10u64, 3u16, 11u64)),
        record(Some(3), &needed::HOTKEY_SWAPPED, (from, hotkey, to)),
        record(Some(4), &needed::NETWORK_REMOVED, 51u16),
    ];
    let [to, hotkey] = [to, hotkey].map(AccountId);
    let stake = |netuid, rao| ChainEvent::StakeArrived { coldkey: to, hotkey, netuid, rao };
    let wanted = [
        ChainEvent::Transfer { from: AccountId(from), to, rao: 7, by_call: false },
        stake(2, 8),
        stake(3, 9),
        ChainEvent::HotkeySwapped { old: hotkey, new: to },
        ChainEvent::NetworkRemoved { netuid: 51 },
    ];
    assert_eq!(decode(&runtime(), block(&records)).unwrap(), wanted);
}

#[test]
fn money_that_a_contract_was_called_with_is_told_from_money_that_just_came() {
    let to = [5u8; 32];
    let transfer = |extrinsic| record(extrinsic, &needed::TRANSFER, ([4u8; 32], to, 7u64));
    let bare = record(Some(2), &needed::EVM_EXECUTED, VAULT);
    let records = [transfer(Some(1)), executed(1), transfer(Some(2)), bare, transfer(Some(3)), transfer(None)];
    let told = decode(&runtime(), block(&records)).unwrap().into_iter().map(|event| match event {
        ChainEvent::Transfer { by_call, .. } => by_call,
        other => panic!("{other:?}"),
    });
    assert_eq!(told.collect::<Vec<_>>(), [true, true, false, false]);
}

#[test]
fn a_block_without_events_has_none() {
    assert_eq!(decode(&runtime(), Vec::new()).unwrap(), []);
    assert_eq!(decode(&runtime(), block(&[])).unwrap(), []);
}

#[test]
fn bytes_cut_off_or_flipped_anywhere_are_an_error_or_other_events_and_never_a_panic() {
    let whole = block(&[log(Some(1), &[9; 40]), executed(1), log(None, b"x")]);
    for cut in 1..whole.len() {
        let _ = decode(&runtime(), whole[..cut].to_vec());
    }
    for place in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[place] ^= flip;
            let _ = decode(&runtime(), bytes);
        }
    }
    let cut = decode(&runtime(), whole[..whole.len() - 3].to_vec());
    assert!(matches!(cut, Err(CodecError::Value { item: "Events", .. })), "{cut:?}");
}
