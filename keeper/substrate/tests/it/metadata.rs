//! What we use of a runtime is there, with the types we assume; what is not is named and switches off only itself.

use super::{GENESIS, METADATA, VERSIONS, runtime};
use subxt::ext::codec::{Decode, Encode};
use subxt::ext::frame_metadata::{RuntimeMetadata, RuntimeMetadataPrefixed, v15::RuntimeMetadataV15};
use surety_substrate::needed::{APIS, CALLS, Feature, HAPPENINGS, ITEMS, Lack};
use surety_substrate::runtime::{CodecError, Runtime};

/// The recorded metadata after a change.
pub(crate) fn changed(change: impl FnOnce(&mut RuntimeMetadataV15)) -> Runtime {
    Runtime::new(GENESIS, VERSIONS, &bytes_after(change)).unwrap()
}

/// The same as a node sends them.
pub(crate) fn bytes_after(change: impl FnOnce(&mut RuntimeMetadataV15)) -> Vec<u8> {
    let mut all = RuntimeMetadataPrefixed::decode(&mut &METADATA[..]).unwrap();
    let RuntimeMetadata::V15(metadata) = &mut all.1 else { panic!("recorded as version 15") };
    change(metadata);
    all.encode()
}

/// The recorded runtime without pallet-contracts.
pub(crate) fn without_contracts() -> Runtime {
    changed(|metadata| metadata.pallets.retain(|pallet| pallet.name != "Contracts"))
}

/// The number of a type that nothing of ours fits.
fn text_type(metadata: &RuntimeMetadataV15) -> u32 {
    let is_text = |ty: &scale_info::PortableType| {
        matches!(ty.ty.type_def, scale_info::TypeDef::Primitive(scale_info::TypeDefPrimitive::Str))
    };
    metadata.types.types.iter().find(|ty| is_text(ty)).unwrap().id
}

fn only(lacks: &[Lack], feature: Feature, name: &str) {
    let named: Vec<_> = lacks.iter().map(|lack| (lack.feature, lack.name.as_str())).collect();
    assert_eq!(named, [(feature, name)]);
}

#[test]
fn every_storage_call_event_and_api_that_we_use_is_in_the_recorded_metadata_as_we_assume() {
    let lacks: Vec<String> = runtime().lacks().iter().map(Lack::to_string).collect();
    assert!(lacks.is_empty(), "{lacks:#?}");
    assert_eq!(runtime().features().len(), Feature::ALL.len());
    assert_eq!(
        (ITEMS.len(), CALLS.len(), HAPPENINGS.len(), APIS.len()),
        (40, 6, 11, 4),
        "rows were added or taken away"
    );
}

#[test]
fn storage_that_is_missing_is_named_and_switches_off_what_needs_it_and_nothing_else() {
    for item in ITEMS {
        let runtime = changed(|metadata| {
            let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == item.pallet).unwrap();
            let entries = &mut pallet.storage.as_mut().unwrap().entries;
            entries.iter_mut().find(|entry| entry.name == item.name).unwrap().name = "Elsewhere".into();
        });
        only(runtime.lacks(), item.feature, &format!("{}.{}", item.pallet, item.name));
        assert_eq!(runtime.features().len(), Feature::ALL.len() - 1);
        assert!(!runtime.features().contains(&item.feature));
    }
}

#[test]
fn a_call_that_is_missing_or_takes_something_else_is_named() {
    for call in CALLS {
        for rename_call in [true, false] {
            let runtime = changed(|metadata| {
                let pallet = metadata.pallets.iter().find(|pallet| pallet.name == call.pallet).unwrap();
                let id = pallet.calls.as_ref().unwrap().ty.id;
                let ty = metadata.types.types.iter_mut().find(|ty| ty.id == id).unwrap();
                let scale_info::TypeDef::Variant(calls) = &mut ty.ty.type_def else { panic!("calls are variants") };
                let found = calls.variants.iter_mut().find(|variant| variant.name == call.name).unwrap();
                match rename_call {
                    true => found.name = "elsewhere".into(),
                    false => found.fields[0].name = Some("elsewhere".into()),
                }
            });
            only(runtime.lacks(), call.feature, &format!("{}.{}", call.pallet, call.name));
        }
    }
}

#[test]
fn an_event_that_says_something_else_is_named() {
    for event in HAPPENINGS {
        let runtime = changed(|metadata| {
            let text = text_type(metadata);
            let pallet = metadata.pallets.iter().find(|pallet| pallet.name == event.pallet).unwrap();
            let id = pallet.event.as_ref().unwrap().ty.id;
            let ty = metadata.types.types.iter_mut().find(|ty| ty.id == id).unwrap();
            let scale_info::TypeDef::Variant(events) = &mut ty.ty.type_def else { panic!("events are variants") };
            let found = events.variants.iter_mut().find(|variant| variant.name == event.name).unwrap();
            found.fields[0].ty = text.into();
        });
        only(runtime.lacks(), event.feature, &format!("{}.{}", event.pallet, event.name));
    }
}

#[test]
fn an_api_that_is_missing_or_asks_or_answers_something_else_is_named() {
    for api in APIS {
        for change in 0..3 {
            let runtime = changed(|metadata| {
                let text = text_type(metadata);
                let group = metadata.apis.iter_mut().find(|group| group.name == api.name).unwrap();
                let method = group.methods.iter_mut().find(|method| method.name == api.method).unwrap();
                match change {
                    0 => method.name = "elsewhere".into(),
                    1 => method.inputs.last_mut().unwrap().ty = text.into(),
                    _ => method.output = text.into(),
                }
            });
            only(runtime.lacks(), api.feature, &format!("{}.{}", api.name, api.method));
        }
    }
}

#[test]
fn metadata_of_version_14_knows_no_api_and_costs_what_needs_one_alone() {
    let runtime = changed(|metadata| metadata.apis.clear());
    let off: Vec<_> = Feature::ALL.into_iter().filter(|feature| runtime.need(*feature).is_err()).collect();
    assert_eq!(off, [Feature::Contracts, Feature::Stakes, Feature::Fees]);
}

#[test]
fn storage_of_another_type_is_named_with_what_it_should_hold() {
    let item = &surety_substrate::needed::VERSION_KEY;
    let runtime = changed(|metadata| {
        let text = text_type(metadata);
        let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == item.pallet).unwrap();
        let entries = &mut pallet.storage.as_mut().unwrap().entries;
        let entry = entries.iter_mut().find(|entry| entry.name == item.name).unwrap();
        let subxt::ext::frame_metadata::v14::StorageEntryType::Map { value, .. } = &mut entry.ty else {
            panic!("a map")
        };
        *value = text.into();
    });
    only(runtime.lacks(), Feature::Weights, "SubtensorModule.WeightsVersionKey");
    let said = runtime.lacks()[0].to_string();
    assert!(said.contains("does not hold u64") && said.contains("Weights is off"), "{said}");
    assert!(matches!(runtime.key(item, &[]), Err(CodecError::Lacks(_))), "and nothing of it is tried");
}

#[test]
fn a_pallet_that_is_missing_altogether_is_no_panic() {
    let runtime = without_contracts();
    assert!(runtime.lacks().iter().all(|lack| lack.feature == Feature::Contracts));
    assert_eq!(runtime.lacks().len(), 3);
    assert!(runtime.need(Feature::Weights).is_ok());
}

#[test]
fn the_prefix_of_addresses_is_the_chains_own_word() {
    assert_eq!(runtime().ss58_prefix(), Some(42));
    let other = changed(|metadata| {
        let system = metadata.pallets.iter_mut().find(|pallet| pallet.name == "System").unwrap();
        let prefix = system.constants.iter_mut().find(|constant| constant.name == "SS58Prefix").unwrap();
        prefix.value = vec![7, 0];
    });
    assert_eq!(other.ss58_prefix(), Some(7));
}

#[test]
fn bytes_that_are_no_metadata_are_refused_by_name() {
    for bytes in [&[][..], b"meta", &METADATA[..1_000], &[0xff; 64]] {
        assert!(matches!(Runtime::new(GENESIS, VERSIONS, bytes), Err(CodecError::Metadata(_))));
    }
}

#[test]
fn keys_are_those_of_the_chain() {
    use surety_substrate::needed::{NOW, REGISTERED_COUNTER, UID};
    use surety_substrate::runtime::Part;
    let key = |item, parts: &[Part]| hex::encode(runtime().key(item, parts).unwrap());
    // twox128("Timestamp") and twox128("Now"), as every Substrate chain has them.
    assert_eq!(key(&NOW, &[]), "f0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb");
    let counter = key(&REGISTERED_COUNTER, &[Part::Number(0x0102)]);
    assert!(counter.ends_with("0201") && counter.len() == 2 * 34, "netuids stand as they are: {counter}");
    let uid = key(&UID, &[Part::Number(1), Part::Id([9; 32])]);
    assert!(uid.contains("0100") && uid.ends_with(&"09".repeat(32)), "{uid}");
}
