//! 0x402 ed25519, 0x403 sr25519: `verify(bytes32 message, bytes32 publicKey, bytes32 r, bytes32 s)` at fixed offsets;
//! the four selector bytes are ignored. Less than 132 bytes fails and keeps all gas.

use super::{PrecompileResult, error, gas, output};
use ed25519_dalek::Verifier;
use evm::executor::stack::{PrecompileFailure, PrecompileHandle};

/// Offsets of (message, public key, signature), and the end.
const INPUT_BYTES: usize = 132;

struct Input {
    message: [u8; 32],
    key: [u8; 32],
    signature: [u8; 64],
}

fn input(handle: &impl PrecompileHandle) -> Result<Input, PrecompileFailure> {
    let bytes = handle.input().get(4..INPUT_BYTES).ok_or_else(|| error("input must contain 128 bytes"))?;
    let (mut message, mut key, mut signature) = ([0; 32], [0; 32], [0; 64]);
    message.copy_from_slice(&bytes[..32]);
    key.copy_from_slice(&bytes[32..64]);
    signature.copy_from_slice(&bytes[64..]);
    Ok(Input { message, key, signature })
}

fn answer(valid: bool) -> PrecompileResult {
    let mut word = vec![0u8; 32];
    word[31] = valid.into();
    output(word)
}

/// A key that is no curve point fails and keeps all gas.
pub(super) fn ed25519(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    handle.record_cost(gas::SIGNATURE)?;
    let input = input(handle)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&input.key).map_err(|_| error("Public key recover failed"))?;
    let signature = ed25519_dalek::Signature::from_bytes(&input.signature);
    answer(key.verify(&input.message, &signature).is_ok())
}

/// A key that is no curve point is merely not valid. The context is "substrate", over the raw 32 bytes.
pub(super) fn sr25519(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    handle.record_cost(gas::SIGNATURE)?;
    let input = input(handle)?;
    let valid = schnorrkel::PublicKey::from_bytes(&input.key)
        .and_then(|key| Ok((key, schnorrkel::Signature::from_bytes(&input.signature)?)))
        .and_then(|(key, signature)| key.verify_simple(b"substrate", &input.message, &signature));
    answer(valid.is_ok())
}
