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

/// Residues in halves of 8 bits, ready to be multiplied with several lists of lowered residues.
#[derive(Clone, Debug)]
pub struct Halved {
    low: Vec<i16>,
    high: Vec<i16>,
    /// 2^15·Σ xᵢ: what lowering the others takes away.
    taken: i64,
}

impl Halved {
    /// The same numbers, halved.
    #[must_use]
    pub fn new(residues: &[u16]) -> Self {
        let [mut low, mut high] = [Vec::with_capacity(residues.len()), Vec::with_capacity(residues.len())];
        for residue in residues {
            let [lower, upper] = residue.to_le_bytes();
            low.push(i16::from(lower));
            high.push(i16::from(upper));
        }
        let sum: i64 = residues.iter().map(|residue| i64::from(*residue)).sum();
        Self { low, high, taken: sum << 15 }
    }

    /// Σ sᵢ·xᵢ. 32768 terms of 65520² stay below 2^47, and a run of 128 of 2^15·2^8 within 2^30. Both must be of the
    /// same length.
    #[must_use]
    pub fn dot(&self, s: &Lowered) -> u16 {
        let sum = |half: &[i16]| -> i64 {
            let runs = half.chunks(RUN / 2).zip(s.0.chunks(RUN / 2));
            runs.map(|(half, s)| i64::from(run(half, s))).sum()
        };
        reduce_signed(sum(&self.low) + (sum(&self.high) << 8) + self.taken)
    }
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
        fn products_of_residues_are_exact_for_any_words_and_lengths(
            pairs in prop::collection::vec(any::<(u16, u16)>(), 0..1_000),
        ) {
            let (s, x): (Vec<u16>, Vec<u16>) = pairs.iter().copied().unzip();
            let sum: u128 = pairs.iter().map(|(s, x)| u128::from(*s) * u128::from(*x)).sum();
            prop_assert_eq!(u128::from(Halved::new(&x).dot(&Lowered::new(&s))), sum % u128::from(P));
        }

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
        for (s, x) in [(0, u16::MAX), (u16::MAX, u16::MAX), (P - 1, P - 1), (0, 0)] {
            let sum = u64::from(s) * u64::from(x) * 32_768;
            let (s, x) = (vec![s; 32_768], vec![x; 32_768]);
            assert_eq!(u64::from(Halved::new(&x).dot(&Lowered::new(&s))), sum % u64::from(P));
        }
    }
}
