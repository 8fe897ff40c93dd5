//! Metadata made to bring down whoever reads them: types that contain themselves, with bytes in between and without,
//! and values that go down in them. Without a bound each of these is the end of the process and no error.

use super::metadata::{bytes_after, changed};
use super::{GENESIS, METADATA, VERSIONS};
use scale_info::form::PortableForm;
use scale_info::{Field, Path, PortableType, Type, TypeDef, TypeDefArray, TypeDefComposite, TypeDefTuple};
use subxt::ext::codec::Encode;
use subxt::ext::frame_metadata::v15::RuntimeMetadataV15;
use subxt::metadata::Metadata;
use surety_substrate::events::decode;
use surety_substrate::needed::{self, EVENTS, Item};
use surety_substrate::runtime::{CodecError, Runtime};

fn field(ty: u32) -> Field<PortableForm> {
    Field::new(None, ty.into(), None, Vec::new())
}

/// A new type, which may name itself by the number that it gets.
fn add(metadata: &mut RuntimeMetadataV15, def: impl FnOnce(u32) -> TypeDef<PortableForm>) -> u32 {
    let id = u32::try_from(metadata.types.types.len()).unwrap();
    let path = Path::<PortableForm>::from_segments_unchecked(["Hostile".to_owned()]);
    metadata.types.types.push(PortableType { id, ty: Type::new(path, Vec::new(), def(id), Vec::new()) });
    id
}

/// A struct with one field, itself.
fn itself(metadata: &mut RuntimeMetadataV15) -> u32 {
    add(metadata, |id| TypeDef::Composite(TypeDefComposite::new([field(id)])))
}

/// A list of itself: each level takes a byte.
fn lists(metadata: &mut RuntimeMetadataV15) -> u32 {
    add(metadata, |id| TypeDef::Sequence(scale_info::TypeDefSequence::new(id.into())))
}

/// Makes something else of what a value holds.
fn hold(metadata: &mut RuntimeMetadataV15, item: &Item, ty: u32) {
    use subxt::ext::frame_metadata::v14::StorageEntryType;
    let pallet = metadata.pallets.iter_mut().find(|pallet| pallet.name == item.pallet).unwrap();
    let entries = &mut pallet.storage.as_mut().unwrap().entries;
    let entry = entries.iter_mut().find(|entry| entry.name == item.name).unwrap();
    match &mut entry.ty {
        StorageEntryType::Plain(value) | StorageEntryType::Map { value, .. } => *value = ty.into(),
    }
}

/// Makes something else of an argument or a field, by its place.
fn put(metadata: &mut RuntimeMetadataV15, within: u32, name: &str, place: usize, ty: u32) {
    let found = metadata.types.types.iter_mut().find(|ty| ty.id == within).unwrap();
    let TypeDef::Variant(variants) = &mut found.ty.type_def else { panic!("calls and events are variants") };
    variants.variants.iter_mut().find(|variant| variant.name == name).unwrap().fields[place].ty = ty.into();
}

fn refused(bytes: &[u8]) -> String {
    let refused = Runtime::new(GENESIS, VERSIONS, bytes).unwrap_err();
    assert!(matches!(refused, CodecError::Metadata(_)), "{refused}");
    refused.to_string()
}

#[test]
fn a_type_that_is_itself_is_refused_by_name_wherever_it_stands() {
    let said = refused(&bytes_after(|metadata| {
        itself(metadata);
    }));
    assert!(said.contains("(Hostile) contains itself"), "{said}");
    for by in [
        |id: u32| TypeDef::Tuple(TypeDefTuple::new_portable([id.into()])),
        |id: u32| TypeDef::Array(TypeDefArray::new(2, id.into())),
        |id: u32| TypeDef::Compact(scale_info::TypeDefCompact::new(id.into())),
    ] {
        refused(&bytes_after(|metadata| {
            add(metadata, by);
        }));
    }
    refused(&bytes_after(|metadata| {
        let ty = itself(metadata);
        let pallet = metadata.pallets.iter().find(|pallet| pallet.name == "Contracts").unwrap();
        let calls = pallet.calls.as_ref().unwrap().ty.id;
        // Its shape is not looked into.
        put(metadata, calls, "call", 0, ty);
    }));
    for item in [&needed::VERSION_KEY, &needed::ACCOUNT, &EVENTS] {
        refused(&bytes_after(|metadata| {
            let ty = itself(metadata);
            hold(metadata, item, ty);
        }));
    }
}

#[test]
fn types_too_deep_in_each_other_are_refused_however_many_there_are() {
    let nested = |levels: u32| {
        bytes_after(|metadata| {
            let mut inner = add(metadata, |_| TypeDef::Tuple(TypeDefTuple::new_portable([])));
            for _ in 0..levels {
                inner = add(metadata, |_| TypeDef::Composite(TypeDefComposite::new([field(inner)])));
            }
        })
    };
    assert!(Runtime::new(GENESIS, VERSIONS, &nested(30)).is_ok());
    for levels in [32, 200_000] {
        assert!(refused(&nested(levels)).contains("more than 32 deep"));
    }
}

#[test]
fn types_that_hold_themselves_with_bytes_in_between_are_no_fault_and_what_they_are_put_into_is_named() {
    let runtime = changed(|metadata| {
        let ty = lists(metadata);
        hold(metadata, &needed::VERSION_KEY, ty);
    });
    let named: Vec<&str> = runtime.lacks().iter().map(|lack| lack.name.as_str()).collect();
    assert_eq!(named, ["SubtensorModule.WeightsVersionKey"]);
}

/// What a node answers for an account whose metadata have one more field: lists in lists in lists.
#[test]
fn a_value_that_goes_down_without_end_is_an_error_by_name() {
    let runtime = changed(|metadata| {
        let deep = lists(metadata);
        let Some(TypeDef::Composite(account)) = account_type(metadata) else { panic!("an account is a struct") };
        account.fields.insert(1, Field::new(Some("deep".into()), deep.into(), None, Vec::new()));
    });
    assert_eq!(runtime.lacks(), []);
    let value = |levels: usize| [&7u32.to_le_bytes()[..], &vec![4; levels], &[0], &[0; 12 + 40]].concat();
    let read = |levels: usize| runtime.value::<Nonce>(&needed::ACCOUNT, Some(&value(levels)));
    assert_eq!(read(20).unwrap().map(|account| account.nonce), Some(7));
    let deep = read(5_000_000).unwrap_err().to_string();
    assert!(deep.contains("Account cannot be read: it is nested deeper"), "{deep}");
}

#[derive(Debug, subxt::ext::scale_decode::DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Nonce {
    nonce: u32,
}

fn account_type(metadata: &mut RuntimeMetadataV15) -> Option<&mut TypeDef<PortableForm>> {
    use subxt::ext::frame_metadata::v14::StorageEntryType;
    let pallet = metadata.pallets.iter().find(|pallet| pallet.name == "System")?;
    let entry = pallet.storage.as_ref()?.entries.iter().find(|entry| entry.name == "Account")?;
    let StorageEntryType::Map { value, .. } = &entry.ty else { return None };
    let id = value.id;
    metadata.types.types.iter_mut().find(|ty| ty.id == id).map(|ty| &mut ty.ty.type_def)
}

#[test]
fn a_value_of_more_parts_than_anybody_can_count_is_an_error_and_takes_no_time() {
    let runtime = changed(|metadata| {
        let nothing = add(metadata, |_| TypeDef::Tuple(TypeDefTuple::new_portable([])));
        let mut many = add(metadata, |_| TypeDef::Array(TypeDefArray::new(u32::MAX, nothing.into())));
        for _ in 0..4 {
            many = add(metadata, |_| TypeDef::Array(TypeDefArray::new(u32::MAX, many.into())));
        }
        let Some(TypeDef::Composite(account)) = account_type(metadata) else { panic!("an account is a struct") };
        account.fields.insert(0, Field::new(Some("many".into()), many.into(), None, Vec::new()));
    });
    let refused = runtime.value::<Nonce>(&needed::ACCOUNT, Some(&[0; 64])).unwrap_err().to_string();
    assert!(refused.contains("more parts than its bytes explain"), "{refused}");
}

#[test]
fn an_event_that_goes_down_without_end_is_an_error_and_those_of_other_blocks_are_read() {
    let runtime = changed(|metadata| {
        let deep = lists(metadata);
        let pallet = metadata.pallets.iter().find(|pallet| pallet.name == "Ethereum").unwrap();
        let events = pallet.event.as_ref().unwrap().ty.id;
        // The exit reason, of which nobody here asks what it is.
        put(metadata, events, "Executed", 3, deep);
    });
    assert_eq!(runtime.lacks(), []);
    let whole = Metadata::decode_from(METADATA).unwrap();
    let pallet = whole.pallet_by_name("Ethereum").unwrap();
    let kind = pallet.event_variants().unwrap().iter().find(|variant| variant.name == "Executed").unwrap().index;
    let block = |levels: usize| {
        let begin = [&[4, 1, pallet.event_index(), kind][..], &[1; 20], &[2; 20], &[3; 32]].concat();
        [begin, vec![4; levels], vec![0], Vec::<u8>::new().encode(), vec![0]].concat()
    };
    assert_eq!(decode(&runtime, block(20)).unwrap(), []);
    let deep = decode(&runtime, block(5_000_000)).unwrap_err().to_string();
    assert!(deep.contains("Events cannot be read: it is nested deeper"), "{deep}");
}
