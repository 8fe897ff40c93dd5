//! Calls: encoded, signed and taken apart again; and beside bytes that a real node took.

use super::{GENESIS, METADATA, VERSIONS, runtime};
use subxt::client::OfflineClient;
use subxt::config::substrate::{SpecVersionForRange, SubstrateConfigBuilder};
use subxt::dynamic::Value;
use subxt::ext::codec::{Compact, Encode};
use subxt::metadata::Metadata;
use subxt_signer::sr25519;
use surety_core::types::Hash32;
use surety_substrate::calls::WeightCall;
use surety_substrate::needed::{Call, Feature};
use surety_substrate::runtime::{Place, Signed, arg};
use surety_substrate::wallet::Hotkey;

const PLACE: Place = Place { nonce: 12, block: 1_000_027, block_hash: Hash32([3; 32]) };

/// "remark, ok" of the recorded submissions: a node of spec 425 took these bytes.
const RECORDED: &str = "0xb1018400d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d01b6a0ababa5aa87\
                        397f1b50e5ccaa3552c176e65dea5bda3bde3495833d1e193d03a7fc9b8cf9fe86eb73b1de76e2fecc8142d0\
                        c8a237021a2a710609def9cf80b40130000000000479";

const REMARK: Call = Call {
    feature: Feature::Chain,
    pallet: "System",
    name: "remark",
    args: &[("remark", surety_substrate::shape::Shape::Any)],
};

fn alice() -> Hotkey {
    Hotkey::dev("//Alice", true).unwrap()
}

/// All calls about weights that there are, with numbers at their edges.
fn calls() -> Vec<WeightCall> {
    let (uids, values) = (vec![0, 1, 255, u16::MAX], vec![1, 65_535, 300, 7]);
    vec![
        WeightCall::Set { netuid: 51, uids: uids.clone(), values: values.clone(), version_key: u64::MAX },
        WeightCall::CommitHash { netuid: 0, hash: Hash32([9; 32]) },
        WeightCall::Reveal { netuid: 4_096, uids, values, salt: vec![1, 2, 3, 4, 5, 6, 7, 8], version_key: 0 },
        WeightCall::CommitTimelocked { netuid: 51, ciphertext: vec![0xab; 4_999], round: 1 << 40, version: 4 },
    ]
}

fn signed(call: &WeightCall) -> Signed {
    let (call, args) = call.parts();
    runtime().signed(call, args, &alice(), PLACE).unwrap()
}

/// The arguments as they must stand on the wire, written down by hand.
fn by_hand(call: &WeightCall) -> Vec<u8> {
    match call {
        WeightCall::Set { netuid, uids, values, version_key } => {
            [vec![0], (netuid, uids, values, version_key).encode()].concat()
        }
        WeightCall::CommitHash { netuid, hash } => [vec![96], (netuid, hash.0).encode()].concat(),
        WeightCall::Reveal { netuid, uids, values, salt, version_key } => {
            [vec![97], (netuid, uids, values, salt, version_key).encode()].concat()
        }
        WeightCall::CommitTimelocked { netuid, ciphertext, round, version } => {
            [vec![113], (netuid, ciphertext, round, version).encode()].concat()
        }
    }
}

fn pallet_index() -> u8 {
    Metadata::decode_from(METADATA).unwrap().pallet_by_name("SubtensorModule").unwrap().call_index()
}

#[test]
fn calls_stand_on_the_wire_as_written_down_by_hand() {
    for call in calls() {
        let (name, args) = call.parts();
        let encoded = runtime().call(name, args).unwrap();
        assert_eq!(encoded, [vec![pallet_index()], by_hand(&call)].concat(), "{}", name.name);
    }
}

#[test]
fn signed_calls_decode_back_through_the_metadata() {
    let range = SpecVersionForRange { block_range: 0..u64::MAX, spec_version: 425, transaction_version: 1 };
    let config = SubstrateConfigBuilder::new()
        .set_genesis_hash(GENESIS.0.into())
        .set_spec_version_for_block_ranges([range])
        .set_metadata_for_spec_versions([(425, Metadata::decode_from(METADATA).unwrap().arc())])
        .build();
    let client = OfflineClient::new_with_config(config).at_block(0u64).unwrap();
    for call in calls() {
        let signed = signed(&call);
        let mut cursor = &signed.bytes[..];
        let info = subxt::ext::frame_decode::extrinsics::decode_extrinsic(
            &mut cursor,
            client.metadata_ref(),
            client.metadata_ref().types(),
        );
        let info = info.unwrap();
        assert!(cursor.is_empty() && info.is_signed());
        assert_eq!((info.pallet_name(), info.call_name()), ("SubtensorModule", call.parts().0.name));
        assert_eq!(signed.bytes[info.call_data_args_range()], by_hand(&call)[1..]);
        let names: Vec<_> = info.call_data().map(|arg| arg.name().to_owned()).collect();
        assert!(names.iter().map(String::as_str).eq(call.parts().0.args.iter().map(|(name, _)| *name)));
    }
}

/// What is signed: the call, what the extensions say, and what they only sign; hashed when it is long.
fn signing_payload(call: &[u8]) -> Vec<u8> {
    // 64 blocks: the lower four bits are log2(64) - 1, the upper ones the block within the period.
    let era = (5u16 | (u16::try_from(PLACE.block % 64).unwrap() << 4)).encode();
    let said = [era, Compact(PLACE.nonce).encode(), Compact(0u64).encode(), vec![0]].concat();
    let only_signed = (VERSIONS.spec, VERSIONS.transaction, GENESIS.0, PLACE.block_hash.0, 0u8).encode();
    let payload = [call.to_vec(), said, only_signed].concat();
    if payload.len() <= 256 {
        return payload;
    }
    use blake2::Digest;
    blake2::Blake2b::<blake2::digest::consts::U32>::digest(&payload).to_vec()
}

#[test]
fn the_signature_is_the_hotkeys_over_call_place_chain_and_runtime() {
    for call in calls() {
        let (name, args) = call.parts();
        let payload = signing_payload(&runtime().call(name, args).unwrap());
        let bytes = signed(&call).bytes;
        let at = bytes.windows(32).position(|window| window == alice().account().0).unwrap() + 32;
        assert_eq!(bytes[at], 1, "an sr25519 signature");
        let signature = sr25519::Signature(bytes[at + 1..at + 65].try_into().unwrap());
        assert!(sr25519::verify(&signature, payload, &sr25519::PublicKey(alice().account().0)), "{}", name.name);
    }
}

#[test]
fn a_signed_call_is_laid_out_as_one_that_a_node_took() {
    let recorded = hex::decode(RECORDED.trim_start_matches("0x")).unwrap();
    let ours = runtime().signed(&REMARK, vec![arg::bytes(b"y")], &alice(), PLACE).unwrap().bytes;
    assert_eq!(ours.len(), recorded.len());
    // Length, version, address and kind of signature; then, behind signature and era, nonce, tip, mode and call.
    let (signature, era) = (37..37 + 64, 101..103);
    assert_eq!(ours[..signature.start], recorded[..signature.start]);
    assert_eq!(ours[era.end..], recorded[era.end..]);
    let value = Value::from_bytes(b"y");
    assert_eq!(runtime().call(&REMARK, vec![value]).unwrap(), recorded[recorded.len() - 4..]);
}

#[test]
fn a_call_with_other_arguments_than_the_runtime_takes_is_refused() {
    let (set, _) = calls()[0].parts();
    for args in [vec![], vec![arg::bytes(b"nonsense"); 4], vec![arg::number(70_000u32); 4]] {
        let refused = runtime().signed(set, args, &alice(), PLACE).unwrap_err();
        assert!(refused.to_string().starts_with("set_weights cannot be encoded"), "{refused}");
    }
}
