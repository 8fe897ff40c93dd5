//! 0x05: base ** exponent % modulus, priced by EIP-2565.

use super::{PrecompileResult, error, output};
use evm::executor::stack::PrecompileHandle;
use num_bigint::BigUint;

/// Longer numbers would cost more than a block's gas anyway.
const MAX_BYTES: u64 = 1 << 20;

pub(super) fn modexp(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    let input = handle.input().to_vec();
    let (base_len, exp_len, mod_len) = (length(&input, 0), length(&input, 32), length(&input, 64));
    if [base_len, exp_len, mod_len].into_iter().any(|len| len > MAX_BYTES) {
        return Err(error("modexp: too long"));
    }
    let [base_at, exp_at, mod_at] = [96, 96 + base_len, 96 + base_len + exp_len];
    let head = slice(&input, exp_at, exp_len.min(32));
    handle.record_cost(price(base_len.max(mod_len), exp_len, &BigUint::from_bytes_be(&head)))?;
    let modulus = BigUint::from_bytes_be(&slice(&input, mod_at, mod_len));
    let width = usize::try_from(mod_len).unwrap_or(usize::MAX);
    if modulus == BigUint::ZERO {
        return output(vec![0; width]);
    }
    let base = BigUint::from_bytes_be(&slice(&input, base_at, base_len));
    let exponent = BigUint::from_bytes_be(&slice(&input, exp_at, exp_len));
    let result = base.modpow(&exponent, &modulus).to_bytes_be();
    let mut padded = vec![0; width.saturating_sub(result.len())];
    padded.extend_from_slice(&result);
    padded.truncate(width);
    output(padded)
}

fn price(longest: u64, exp_len: u64, head: &BigUint) -> u64 {
    let words = longest.div_ceil(8);
    let head_bits = head.bits().saturating_sub(1);
    let iterations = if exp_len <= 32 { head_bits } else { 8 * (exp_len - 32) + head_bits };
    (words * words * iterations.max(1) / 3).max(200)
}

/// A length field; more than 64 bits hold saturates.
fn length(input: &[u8], at: u64) -> u64 {
    let word = slice(input, at, 32);
    if word[..24].iter().any(|byte| *byte != 0) {
        return u64::MAX;
    }
    word[24..].iter().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// Input past its end reads as zero.
fn slice(input: &[u8], at: u64, len: u64) -> Vec<u8> {
    let (at, len) = (usize::try_from(at).unwrap_or(usize::MAX), usize::try_from(len).unwrap_or(0));
    let mut bytes: Vec<u8> = input.iter().skip(at).take(len).copied().collect();
    bytes.resize(len, 0);
    bytes
}
