//! Amounts, prices and lengths of time as people write them: exact to the rao and the second, never a float.

use std::fmt;
use std::str::FromStr;
use surety_client::units::{RAO_PER_TAO, tao};
use surety_core::types::Rao;

/// Seconds of an hour.
const HOUR_SECS: u64 = 3_600;

/// Why a text is no amount, price or length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum AmountError {
    /// Not digits with at most one point.
    #[error("'{0}' is no amount: want TAO such as 12.5 or 0.000000001, or whole rao such as 1500rao")]
    NotANumber(String),
    /// Finer than a rao.
    #[error("'{text}' is finer than a rao: want at most nine decimals, such as {nearest}")]
    TooFine {
        /// As given.
        text: String,
        /// Cut to nine decimals.
        nearest: String,
    },
    /// More than there can be.
    #[error("'{0}' is more TAO than there can be: want at most 18446744073.709551615")]
    TooMuch(String),
    /// No unit of time.
    #[error("'{0}' says no time: want TAO an hour such as {0}/h, or a second such as {0}/s")]
    NoRate(String),
    /// No whole rao a second.
    #[error(
        "{text} is no whole number of rao a second, which is what the chain counts in: want {below}{above}",
        below = rate(*below), above = .above.map(|above| format!(", or {}", rate(above))).unwrap_or_default()
    )]
    Uneven {
        /// As given.
        text: String,
        /// The next lower, rao a second.
        below: u64,
        /// The next higher.
        above: Option<u64>,
    },
    /// No length of time.
    #[error("'{0}' is no length of time: want days, hours, minutes and seconds in this order, such as 2h30m, 90s, 1d")]
    NotASpan(String),
}

/// A price in the words of the command line, with what it is an hour.
fn rate(rao_per_sec: u64) -> String {
    let hourly = rao_per_sec.checked_mul(HOUR_SECS).map_or_else(|| "too much".into(), short_tao);
    format!("{rao_per_sec}rao/s ({hourly}/h)")
}

/// TAO without the zeros at the end that say nothing.
pub(in crate::cli) fn short_tao(rao: Rao) -> String {
    let whole = tao(rao);
    whole.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// An amount of TAO.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Tao(pub(in crate::cli) Rao);

impl FromStr for Tao {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let shown = || text.chars().take(40).collect::<String>();
        let not_a_number = || AmountError::NotANumber(shown());
        if let Some(digits) = text.strip_suffix("rao") {
            check_digits(digits, not_a_number)?;
            return digits.parse().map(Self).map_err(|_| AmountError::TooMuch(shown()));
        }
        let text = text.strip_suffix("TAO").map_or(text, str::trim_end);
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        check_digits(whole, not_a_number)?;
        check_digits(fraction, not_a_number)?;
        let needed = fraction.trim_end_matches('0');
        if needed.len() > 9 {
            return Err(AmountError::TooFine { text: shown(), nearest: format!("{whole}.{}", &needed[..9]) });
        }
        let too_much = || AmountError::TooMuch(shown());
        let parts: Rao = format!("{needed:0<9}").parse().map_err(|_| too_much())?;
        let whole: Rao = whole.parse().map_err(|_| too_much())?;
        let rao = whole.checked_mul(RAO_PER_TAO).and_then(|rao| rao.checked_add(parts));
        rao.map(Self).ok_or_else(too_much)
    }
}

fn check_digits(digits: &str, wrong: impl Fn() -> AmountError) -> Result<(), AmountError> {
    let sound = !digits.is_empty() && digits.len() <= 40 && digits.bytes().all(|b| b.is_ascii_digit());
    if sound { Ok(()) } else { Err(wrong()) }
}

impl fmt::Display for Tao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&short_tao(self.0))
    }
}

/// A price, in rao a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Price(pub(in crate::cli) u64);

impl FromStr for Price {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let shown = || text.chars().take(40).collect::<String>();
        let (amount, rate_secs) = match text.rsplit_once('/') {
            Some((amount, "s")) => (amount, 1),
            Some((amount, "h")) => (amount, HOUR_SECS),
            _ => return Err(AmountError::NoRate(shown())),
        };
        let Tao(rao) = amount.parse()?;
        if rao % rate_secs != 0 {
            let below = rao / rate_secs;
            return Err(AmountError::Uneven { text: shown(), below, above: below.checked_add(1) });
        }
        Ok(Self(rao / rate_secs))
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hourly = self.0.checked_mul(HOUR_SECS).map_or_else(|| "too much".into(), short_tao);
        write!(f, "{hourly} TAO an hour ({} rao a second)", self.0)
    }
}

/// A length of time, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) struct Span(pub(in crate::cli) u64);

impl FromStr for Span {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let wrong = || AmountError::NotASpan(text.chars().take(40).collect());
        let (mut rest, mut secs, mut any) = (text, 0u64, false);
        for (unit, size) in [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)] {
            let Some((digits, after)) = rest.split_once(unit) else { continue };
            check_digits(digits, wrong)?;
            let part = digits.parse::<u64>().ok().and_then(|count| count.checked_mul(size)).ok_or_else(wrong)?;
            secs = secs.checked_add(part).ok_or_else(wrong)?;
            (rest, any) = (after, true);
        }
        if any && rest.is_empty() { Ok(Self(secs)) } else { Err(wrong()) }
    }
}

impl Span {
    /// As the contracts count it.
    ///
    /// # Errors
    /// It is longer than 136 years.
    pub(in crate::cli) fn secs32(self) -> Result<u32, AmountError> {
        u32::try_from(self.0).map_err(|_| AmountError::NotASpan(format!("{}s", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rao(text: &str) -> Result<Rao, String> {
        text.parse::<Tao>().map(|tao| tao.0).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_exact_to_the_rao_and_nothing_else_is_one() {
        assert_eq!(rao("12.5"), Ok(12_500_000_000));
        assert_eq!(rao("0.000000001"), Ok(1));
        assert_eq!(rao("1500rao"), Ok(1_500));
        assert_eq!(rao("1.0000000000000"), Ok(1_000_000_000));
        assert_eq!(rao("18446744073.709551615"), Ok(Rao::MAX));
        assert_eq!(rao("3 TAO"), Ok(3_000_000_000));
        for text in ["", ".5", "1.", "-1", "+1", "1e9", "1,5", "0x1", "1.2.3", "٣", " 1", "rao", "1.5rao", "NaN"] {
            assert!(rao(text).is_err_and(|error| error.contains("no amount")), "{text}");
        }
        assert!(rao("18446744073.709551616").is_err_and(|error| error.contains("more TAO")));
        assert!(rao("0.0000000011").is_err_and(|error| error.contains("such as 0.000000001")));
    }

    #[test]
    fn a_price_is_a_whole_number_of_rao_a_second_or_names_the_nearest() {
        assert_eq!("0.9/h".parse(), Ok(Price(250_000)));
        assert_eq!("250000rao/s".parse(), Ok(Price(250_000)));
        assert_eq!("0.00025/s".parse(), Ok(Price(250_000)));
        let uneven = "1/h".parse::<Price>().map_err(|error| error.to_string());
        let want = "277777rao/s (0.9999972/h), or 277778rao/s (1.0000008/h)";
        assert!(uneven.as_ref().is_err_and(|error| error.contains(want)), "{uneven:?}");
        assert!("0.9".parse::<Price>().is_err_and(|error| error.to_string().contains("0.9/h")));
        assert_eq!(Price(250_000).to_string(), "0.9 TAO an hour (250000 rao a second)");
    }

    #[test]
    fn a_length_of_time_has_its_units_once_and_in_order() {
        assert_eq!("2h30m".parse(), Ok(Span(9_000)));
        assert_eq!("90s".parse(), Ok(Span(90)));
        assert_eq!("1d".parse(), Ok(Span(86_400)));
        assert_eq!("1d2h3m4s".parse(), Ok(Span(93_784)));
        for text in ["", "5", "1h1h", "1m2h", "h", "1.5h", "-1h", "1h ", "99999999999999999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
