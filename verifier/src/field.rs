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

/// Terms summed in 32 bits: 256 of 2^7·2^15 stay within 2^30.
const RUN: usize = 256;

/// Residues less 2^15: 16 bits with a sign, which processors multiply and add in one instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered(Vec<i16>);

impl Lowered {
    /// The same numbers, lowered.
    #[must_use]
    pub fn new(residues: &[u16]) -> Self {
        Self(residues.iter().map(|residue| (residue ^ 0x8000).cast_signed()).collect())
    }
}

/// Signed 8-bit numbers, ready to be multiplied with several lists of residues.
#[derive(Clone, Debug)]
pub struct Terms {
    wide: Vec<i16>,
    /// 2^15·Σ aᵢ: what lowering the residues takes away.
    taken: i64,
}

impl Terms {
    /// From the numbers.
    #[must_use]
    pub fn new(a: &[i8]) -> Self {
        let wide: Vec<i16> = a.iter().map(|a| i16::from(*a)).collect();
        let sum: i64 = wide.iter().map(|a| i64::from(*a)).sum();
        Self { wide, taken: sum << 15 }
    }

    /// Σ aᵢ·xᵢ. 65536 terms of 128·65520 stay below 2^40. Both must be of the same length.
    #[must_use]
    pub fn dot(&self, x: &Lowered) -> u16 {
        let runs = self.wide.chunks(RUN).zip(x.0.chunks(RUN));
        let sum: i64 = runs.map(|(a, x)| i64::from(run(a, x))).sum();
        reduce_signed(sum + self.taken)
    }
}

fn run(a: &[i16], x: &[i16]) -> i32 {
    a.iter().zip(x).map(|(a, x)| i32::from(*a) * i32::from(*x)).sum()
}

/// Σ sᵢ·xᵢ for residues. 32768 terms of 65520² stay below 2^47.
#[must_use]
pub fn dot(s: &[u16], x: &[u16]) -> u16 {
    let sum: u64 = s.iter().zip(x).map(|(s, x)| u64::from(u32::from(*s) * u32::from(*x))).sum();
    let reduced = sum % u64::from(P);
    u16::try_from(reduced).unwrap_or_default() // below 65521: the conversion cannot fail
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plainly(a: &[i8], x: &[u16]) -> u16 {
        let sum: i128 = a.iter().zip(x).map(|(a, x)| i128::from(*a) * i128::from(*x)).sum();
        u16::try_from(sum.rem_euclid(i128::from(P))).unwrap_or(u16::MAX)
    }

    proptest! {
        #[test]
        fn sums_of_products_are_exact_for_any_bytes_and_lengths(
            pairs in prop::collection::vec(any::<(i8, u16)>(), 0..1_000),
        ) {
            let (a, x): (Vec<i8>, Vec<u16>) = pairs.into_iter().unzip();
            prop_assert_eq!(Terms::new(&a).dot(&Lowered::new(&x)), plainly(&a, &x));
        }
    }

    #[test]
    fn the_largest_sums_that_a_session_can_have_do_not_overflow() {
        for (a, x) in [(i8::MIN, 0), (i8::MIN, P - 1), (i8::MAX, P - 1), (i8::MIN, u16::MAX)] {
            let (a, x) = (vec![a; 65_536], vec![x; 65_536]);
            assert_eq!(Terms::new(&a).dot(&Lowered::new(&x)), plainly(&a, &x));
        }
        let most = vec![P - 1; 32_768];
        assert_eq!(u64::from(dot(&most, &most)), 32_768 % u64::from(P), "(-1)^2 each");
    }
}
