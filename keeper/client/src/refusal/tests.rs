#![allow(clippy::unwrap_used)]
use super::*;
use crate::bindings::{CollateralVault, RentalEscrow};
use alloy::json_abi::ContractObject;
use alloy::primitives::B256;
use std::path::Path;

const CONTRACTS: [&str; 6] =
    ["CollateralVault", "RentalEscrow", "Arbiter", "RentalBids", "AppointedKeepers", "VotingPowerKeepers"];

fn abi_errors() -> Vec<AbiError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/artifacts");
    let errors = |name: &&str| {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let object: ContractObject = serde_json::from_str(&text).unwrap();
        object.abi.unwrap().errors().cloned().collect::<Vec<_>>()
    };
    CONTRACTS.iter().flat_map(errors).collect()
}

#[test]
fn every_error_of_the_contracts_has_a_sentence() {
    let known: Vec<AbiError> = SENTENCES.iter().map(|(text, _)| AbiError::parse(text).unwrap()).collect();
    let mut missing: Vec<String> = abi_errors()
        .iter()
        .filter(|error| !known.iter().any(|one| one.signature() == error.signature() && one.inputs_named(error)))
        .map(AbiError::signature)
        .collect();
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "no sentence in refusal/sentences.rs, or other argument names: {missing:#?}");
    let all = abi_errors();
    for (text, _) in SENTENCES {
        let error = AbiError::parse(text).unwrap();
        assert!(all.iter().any(|one| one.signature() == error.signature()), "{text} is no contract's error");
    }
}

trait InputsNamed {
    fn inputs_named(&self, other: &AbiError) -> bool;
}

impl InputsNamed for AbiError {
    fn inputs_named(&self, other: &AbiError) -> bool {
        self.inputs.iter().map(|i| &i.name).eq(other.inputs.iter().map(|i| &i.name))
    }
}

#[test]
fn a_sentence_names_only_arguments_that_its_error_has() {
    for (text, template) in SENTENCES {
        let error = AbiError::parse(text).unwrap();
        assert!(names_only_arguments(template, &error), "{text}: {template}");
        assert!(!template.ends_with('.') && template.len() > 15, "{text}: {template}");
    }
}

#[test]
fn amounts_are_shown_as_tao_and_the_name_stays_for_programs() {
    let error = CollateralVault::CollateralVault_NotEnoughFree { machine: B256::ZERO, free: 1, wanted: 2_500_000_000 };
    let refusal = explain(&error.abi_encode()).unwrap();
    assert_eq!(refusal.name, "CollateralVault_NotEnoughFree");
    assert!(refusal.sentence.contains("0.000000001 TAO"), "{refusal}");
    assert!(refusal.sentence.contains("2.500000000 TAO"), "{refusal}");
}

#[test]
fn control_characters_of_a_contract_are_not_shown() {
    let error = RentalEscrow::RentalEscrow_BadOffer { what: "\u{1b}[2Jprice is zero\n".into() };
    let sentence = explain(&error.abi_encode()).unwrap().sentence;
    assert!(sentence.contains("[2Jprice is zero") && !sentence.contains(['\u{1b}', '\n']), "{sentence:?}");
}

#[test]
fn data_that_is_cut_short_is_no_error_of_ours() {
    let error = CollateralVault::CollateralVault_NotEnoughFree { machine: B256::ZERO, free: 1, wanted: 2 };
    assert_eq!(explain(&error.abi_encode()[..40]), None);
    assert_eq!(explain(&[]), None);
    assert_eq!(explain(&[0xde, 0xad, 0xbe, 0xef]), None);
}
