//! Every name, selector, argument, answer, refusal and event used here, beside what the contract says of itself.
#![allow(clippy::unwrap_used)]

use super::types::Books;
use super::{CODE_HASH, answer, events, message};
use crate::contracts::ContractError;
use scale_info::form::PortableForm;
use scale_info::{MetaType, PortableRegistry, Registry, TypeDef};
use serde_json::Value;
use subxt::ext::codec::Encode;

/// A message as this crate has it.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) changes: bool,
    /// A struct of the arguments.
    pub(super) arguments: MetaType,
    pub(super) answer: MetaType,
}

fn artifact() -> Value {
    serde_json::from_str(include_str!("../../../../contracts/ink/artifacts/alpha_vault.json")).unwrap()
}

/// How deep types are written out: ours are five deep.
const DEPTH_MAX: usize = 12;

/// Our types, by number.
struct Ours(PortableRegistry);

impl Ours {
    fn of(types: &[MetaType]) -> (Self, Vec<u32>) {
        let mut registry = Registry::new();
        let ids = types.iter().map(|ty| registry.register_type(ty).id).collect();
        (Self(registry.into()), ids)
    }

    /// A type's structure in words, without the names of types.
    fn words(&self, id: u32, depth: usize) -> String {
        assert!(depth < DEPTH_MAX);
        let fields = |fields: &[scale_info::Field<PortableForm>]| {
            let words = fields.iter().map(|field| named(field.name.as_deref(), self.words(field.ty.id, depth + 1)));
            words.collect::<Vec<_>>().join(", ")
        };
        match &self.0.resolve(id).unwrap().type_def {
            TypeDef::Composite(composite) => format!("{{{}}}", fields(&composite.fields)),
            TypeDef::Variant(variants) => {
                let each = |v: &scale_info::Variant<PortableForm>| variant(v.index.into(), &v.name, &fields(&v.fields));
                variants.variants.iter().map(each).collect::<Vec<_>>().join(" | ")
            }
            TypeDef::Sequence(list) => format!("[{}]", self.words(list.type_param.id, depth + 1)),
            TypeDef::Array(array) => format!("[{}; {}]", self.words(array.type_param.id, depth + 1), array.len),
            TypeDef::Tuple(tuple) => {
                let words = tuple.fields.iter().map(|field| self.words(field.id, depth + 1));
                format!("({})", words.collect::<Vec<_>>().join(", "))
            }
            TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
            other => panic!("{other:?} is used nowhere"),
        }
    }

    /// The fields of a struct, `name: structure`.
    fn fields(&self, id: u32) -> Vec<String> {
        let TypeDef::Composite(composite) = &self.0.resolve(id).unwrap().type_def else { panic!("a struct") };
        composite.fields.iter().map(|field| named(field.name.as_deref(), self.words(field.ty.id, 0))).collect()
    }
}

fn named(name: Option<&str>, words: String) -> String {
    name.map_or(words.clone(), |name| format!("{name}: {words}"))
}

fn variant(index: u64, name: &str, fields: &str) -> String {
    format!("{index} {name}{}", if fields.is_empty() { String::new() } else { format!("({fields})") })
}

/// The artifact's types in the same words.
fn theirs(all: &Value, id: &Value, depth: usize) -> String {
    assert!(depth < DEPTH_MAX);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let fields = |of: &Value| {
        let words =
            list(&of["fields"]).into_iter().map(|f| named(f["name"].as_str(), theirs(all, &f["type"], depth + 1)));
        words.collect::<Vec<_>>().join(", ")
    };
    let found = list(&all["types"]).into_iter().find(|ty| ty["id"] == *id).unwrap();
    let (kind, def) = found["type"]["def"].as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "composite" => format!("{{{}}}", fields(def)),
        "variant" => {
            let each = |v: &Value| variant(v["index"].as_u64().unwrap(), v["name"].as_str().unwrap(), &fields(v));
            list(&def["variants"]).iter().map(each).collect::<Vec<_>>().join(" | ")
        }
        "sequence" => format!("[{}]", theirs(all, &def["type"], depth + 1)),
        "array" => format!("[{}; {}]", theirs(all, &def["type"], depth + 1), def["len"]),
        "tuple" => {
            let words = list(def).into_iter().map(|id| theirs(all, &id, depth + 1));
            format!("({})", words.collect::<Vec<_>>().join(", "))
        }
        "primitive" => def.as_str().unwrap().to_owned(),
        other => panic!("{other} is used nowhere"),
    }
}

fn their_fields(all: &Value, arguments: &Value) -> Vec<String> {
    let of = |arg: &Value| named(arg["label"].as_str(), theirs(all, &arg["type"]["type"], 0));
    arguments.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn every_message_and_view_is_what_the_contract_says_of_itself() {
    let all = artifact();
    for row in message::table() {
        let (ours, ids) = Ours::of(&[row.arguments, row.answer]);
        let messages = all["spec"]["messages"].as_array().unwrap();
        let found = messages.iter().find(|message| message["label"] == row.name);
        let found = found.unwrap_or_else(|| panic!("the contract has no {}", row.name));
        assert_eq!(found["selector"], format!("0x{}", hex::encode(message::selector(row.name))), "{}", row.name);
        assert_eq!(ours.fields(ids[0]), their_fields(&all, &found["args"]), "arguments of {}", row.name);
        assert_eq!(ours.words(ids[1], 0), theirs(&all, &found["returnType"]["type"], 0), "answer of {}", row.name);
        assert_eq!((&found["mutates"], &found["payable"]), (&row.changes.into(), &false.into()), "{}", row.name);
    }
}

#[test]
fn every_event_is_what_the_contract_says_of_itself() {
    let all = artifact();
    for (name, topic, ty) in events::table() {
        let (ours, ids) = Ours::of(&[ty]);
        let found = all["spec"]["events"].as_array().unwrap().iter().find(|event| event["label"] == name).unwrap();
        assert_eq!(found["signature_topic"], format!("0x{topic}"), "{name}");
        assert_eq!(ours.fields(ids[0]), their_fields(&all, &found["args"]), "{name}");
    }
}

#[test]
fn the_code_that_is_known_is_the_committed_one() {
    let all = artifact();
    let want = all["source"]["hash"].as_str().unwrap().to_owned();
    assert_eq!(CODE_HASH.to_string(), want, "CODE_HASH in alpha.rs is of another contract than the artifact");
}

#[test]
fn an_answer_is_read_to_its_last_byte_and_what_does_not_fit_is_named() {
    let credit = |data: &[u8]| answer::<u64>("credit_of", data);
    let good = [vec![0], 7u64.encode()].concat();
    assert_eq!(credit(&good), Ok(7));
    let one_more = [good.clone(), vec![0]].concat();
    for bad in [&[][..], &good[..8], &one_more, &[2], &[1, 0]] {
        assert!(matches!(credit(bad), Err(ContractError::Odd { .. })), "{bad:?}");
    }
    let unknown = credit(&[1, 1]).unwrap_err().to_string();
    assert!(unknown.contains("the contract does not know it"), "{unknown}");
}

#[test]
fn a_list_that_says_it_is_longer_than_its_bytes_takes_no_memory() {
    // 2^30 - 1 keepers, and none of them there.
    let data = [vec![0], 1u64.encode(), vec![0xfe, 0xff, 0xff, 0xff]].concat();
    assert!(answer::<super::types::Roll>("roll", &data).is_err());
    assert!(answer::<Books>("books", &[0; 40]).is_err());
}
