//! 0x01 to 0x04, as on Ethereum.

use super::{PrecompileResult, output};
use alloy_primitives::{B256, Signature, U256};
use evm::{ExitError, executor::stack::PrecompileHandle};
use sha2::Digest;

/// base + word * ceil(length / 32)
fn record_linear(handle: &mut impl PrecompileHandle, base: u64, word: u64) -> Result<(), ExitError> {
    let words = handle.input().len().div_ceil(32) as u64;
    handle.record_cost(base + word * words)
}

/// What is no signature recovers nothing: empty output.
pub(super) fn ecrecover(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    handle.record_cost(3_000)?;
    let mut input = handle.input().to_vec();
    input.resize(128, 0);
    let word = |at: usize| U256::from_be_slice(&input[at..at + 32]);
    let parity = match word(32) {
        v if v == U256::from(27) => false,
        v if v == U256::from(28) => true,
        _ => return output(Vec::new()),
    };
    let signature = Signature::new(word(64), word(96), parity);
    let recovered = recover(&signature, B256::from_slice(&input[..32]));
    output(recovered.map(|address| address.into_word().to_vec()).unwrap_or_default())
}

/// Unlike a wallet's check, the precompile takes either of the two s.
fn recover(signature: &Signature, hash: B256) -> Option<alloy_primitives::Address> {
    signature.recover_address_from_prehash(&hash).ok()
}

pub(super) fn sha256(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    record_linear(handle, 60, 12)?;
    output(sha2::Sha256::digest(handle.input()).to_vec())
}

pub(super) fn ripemd160(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    record_linear(handle, 600, 120)?;
    let mut word = vec![0u8; 12];
    word.extend_from_slice(&ripemd::Ripemd160::digest(handle.input()));
    output(word)
}

pub(super) fn identity(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    record_linear(handle, 15, 3)?;
    output(handle.input().to_vec())
}
