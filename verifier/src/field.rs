//! Arithmetic modulo p = 65521, the largest 16-bit prime.
//!
//! Results are stored as residues because a raw int32 result of this size has 22 bits of entropy in 32: it could be
//! kept compressed, and the memory that is to be proved would not be full.

/// The modulus.
pub const P: u16 = 65_521;

/// Canonical residue of an exact int32 result: 0 to 65520, for negative numbers too.
#[must_use]
pub fn residue(value: i32) -> u16 {
    reduce_signed(i64::from(value))
}

/// Canonical residue of a signed sum.
#[must_use]
pub fn reduce_signed(value: i64) -> u16 {
    let reduced = value.rem_euclid(i64::from(P));
    u16::try_from(reduced).unwrap_or_default() // rem_euclid is in 0..65521: the conversion cannot fail
}

/// Σ aᵢ·xᵢ for signed 8-bit a and residues x. 65536 terms of 128·65520 stay below 2^40.
#[must_use]
pub fn dot_signed(a: &[i8], x: &[u16]) -> u16 {
    let sum: i64 = a.iter().zip(x).map(|(a, x)| i64::from(i32::from(*a) * i32::from(*x))).sum();
    reduce_signed(sum)
}

/// Σ sᵢ·xᵢ for residues. 32768 terms of 65520² stay below 2^47.
#[must_use]
pub fn dot(s: &[u16], x: &[u16]) -> u16 {
    let sum: u64 = s.iter().zip(x).map(|(s, x)| u64::from(u32::from(*s) * u32::from(*x))).sum();
    let reduced = sum % u64::from(P);
    u16::try_from(reduced).unwrap_or_default() // below 65521: the conversion cannot fail
}
