//! A revert in words: which error of the contracts it is, what it says, and what to do about it.
//!
//! ```
//! use surety_client::refusal::explain;
//! let unknown = explain(&[1, 2, 3, 4]);
//! assert!(unknown.is_none());
//! ```

mod sentences;

pub use sentences::SENTENCES;

use crate::units::{date, tao};
use alloy::dyn_abi::{DynSolValue, JsonAbiExt};
use alloy::json_abi::Error as AbiError;
use alloy::primitives::U256;
use alloy::sol_types::{Panic, Revert, SolError};

/// Most characters of a text of the chain's that are repeated.
const TEXT_CHARS_MAX: usize = 120;

/// Why a contract refuses a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{sentence} ({name})")]
pub struct Refusal {
    /// The error's name, such as `RentalEscrow_NoQuorum`: for programs.
    pub name: String,
    /// What is wrong and what to do: for people, without a full stop.
    pub sentence: String,
}

/// What revert data says; `None` when it is no error of these contracts, nor Solidity's own.
///
/// The data may be anything: it is decoded strictly, and texts in it are shown without control characters and bounded.
pub fn explain(data: &[u8]) -> Option<Refusal> {
    let selector: [u8; 4] = data.get(..4)?.try_into().ok()?;
    for (declaration, template) in SENTENCES {
        let Ok(error) = AbiError::parse(declaration) else { continue };
        if error.selector() == selector {
            let values = error.abi_decode_input(data.get(4..)?).ok()?;
            return Some(Refusal { name: error.name.clone(), sentence: filled(template, &error, &values) });
        }
    }
    if let Ok(revert) = Revert::abi_decode(data) {
        let sentence = format!("the contract says: {}", plain(&revert.reason));
        return Some(Refusal { name: "Error".into(), sentence });
    }
    let panic = Panic::abi_decode(data).ok()?;
    let sentence = format!("the contract ran into a fault of its own (code {})", panic.code);
    Some(Refusal { name: "Panic".into(), sentence })
}

/// The template with every `{name}` or `{name:unit}` in it replaced by the error's argument.
fn filled(template: &str, error: &AbiError, values: &[DynSolValue]) -> String {
    let mut sentence = template.to_owned();
    for (input, value) in error.inputs.iter().zip(values) {
        for unit in ["", ":rao", ":time", ":secs", ":price"] {
            let place = format!("{{{}{unit}}}", input.name);
            if sentence.contains(&place) {
                sentence = sentence.replace(&place, &shown(value, unit.trim_start_matches(':')));
            }
        }
    }
    sentence
}

fn shown(value: &DynSolValue, unit: &str) -> String {
    let number = value.as_uint().map(|(number, _)| number);
    match (number, unit) {
        (Some(rao), "rao") => amount(rao, ""),
        (Some(rao), "price") => amount(rao, " a second"),
        (Some(at), "time") => u64::try_from(at).map_or_else(|_| at.to_string(), date),
        (Some(secs), "secs") => format!("{secs} s"),
        (Some(number), _) => number.to_string(),
        (None, _) => other(value),
    }
}

fn amount(rao: U256, rate: &str) -> String {
    u64::try_from(rao).map_or_else(|_| format!("{rao} rao{rate}"), |rao| format!("{} TAO{rate}", tao(rao)))
}

fn other(value: &DynSolValue) -> String {
    match value {
        DynSolValue::Address(address) => address.to_string(),
        DynSolValue::FixedBytes(word, size) => format!("0x{}", hex::encode(&word[..(*size).min(32)])),
        DynSolValue::Bool(bool) => bool.to_string(),
        DynSolValue::String(text) => plain(text),
        _ => "?".into(),
    }
}

/// Text of the chain's, harmless to a terminal and bounded.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}

/// Whether every `{...}` of a template names an argument of its error; for tests.
#[cfg(test)]
fn names_only_arguments(template: &str, error: &AbiError) -> bool {
    let sample = |ty: &str| alloy::dyn_abi::DynSolType::parse(ty).ok().and_then(|ty| ty.abi_decode(&[0; 64]).ok());
    let values: Vec<_> =
        error.inputs.iter().map(|i| sample(&i.ty).unwrap_or(DynSolValue::String("x".into()))).collect();
    let text = filled(template, error, &values);
    !text.contains('{') && !text.contains('}')
}

#[cfg(test)]
mod tests;
