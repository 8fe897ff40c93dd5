//! Amounts as people write them: alpha or TAO with up to nine decimals, exact. A unit has 10^9 rao.

use std::fmt;
use std::str::FromStr;

/// Decimals of alpha and of TAO.
const DECIMALS: usize = 9;

/// Rao of one alpha or one TAO.
const RAO_PER_UNIT: u64 = 1_000_000_000;

/// An amount in rao, read and shown in units: `12.5` is 12,500,000,000 rao.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u64);

/// Why text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Something else than digits and at most one point between them.
    #[error("{text:?} is no amount: want digits and at most one point, such as 12.5")]
    NotANumber {
        /// What was given, its first characters.
        text: String,
    },
    /// More decimals than there are rao.
    #[error("{found} decimals, want at most {DECIMALS}: the smallest amount is 0.000000001, one rao")]
    Decimals {
        /// How many there were.
        found: usize,
    },
    /// More than fits.
    #[error("more than {} can exist of nothing on this chain", Amount(u64::MAX))]
    TooMuch,
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let no_number = || AmountError::NotANumber { text: text.chars().take(32).collect() };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) {
            return Err(no_number());
        }
        if part.len() > DECIMALS {
            return Err(AmountError::Decimals { found: part.len() });
        }
        let whole: u64 = whole.parse().map_err(|_| AmountError::TooMuch)?;
        let part: u64 = format!("{part:0<DECIMALS$}").parse().map_err(|_| no_number())?;
        let rao = whole.checked_mul(RAO_PER_UNIT).and_then(|rao| rao.checked_add(part));
        rao.map(Self).ok_or(AmountError::TooMuch)
    }
}

impl fmt::Display for Amount {
    /// Without zeros at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / RAO_PER_UNIT, self.0 % RAO_PER_UNIT);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:0DECIMALS$}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_exact_to_the_rao() {
        for (text, rao) in [
            ("12.5", 12_500_000_000),
            ("0.000000001", 1),
            ("0", 0),
            ("007.10", 7_100_000_000),
            ("18446744073.709551615", u64::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Amount(rao)), "{text}");
        }
        assert_eq!(Amount(7_100_000_000).to_string(), "7.1");
        assert_eq!((Amount(1).to_string(), Amount(2_000_000_000).to_string()), ("0.000000001".into(), "2".into()));
    }

    #[test]
    fn what_is_no_amount_is_refused_by_name() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e9", "1,5", "1.2.3", " 1", "0x10", "١", "NaN"] {
            assert!(matches!(text.parse::<Amount>(), Err(AmountError::NotANumber { .. })), "{text}");
        }
        assert_eq!("0.0000000001".parse::<Amount>(), Err(AmountError::Decimals { found: 10 }));
        for text in ["18446744073.709551616", "18446744074", "99999999999999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::TooMuch), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(rao: u64) {
            prop_assert_eq!(Amount(rao).to_string().parse(), Ok(Amount(rao)));
        }
    }
}
