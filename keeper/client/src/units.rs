//! Rao, wei and TAO. All arithmetic is on integers; TAO exists as text only.

use alloy::primitives::U256;
use surety_core::types::Rao;

/// 1 rao = 1e9 wei.
pub const WEI_PER_RAO: u64 = 1_000_000_000;
/// 1 TAO = 1e9 rao.
pub const RAO_PER_TAO: u64 = 1_000_000_000;

/// Wei of an amount in rao. Cannot overflow.
pub fn wei(rao: Rao) -> U256 {
    U256::from(rao) * U256::from(WEI_PER_RAO)
}

/// Whole rao in an amount of wei, rounded down as the chain does; `None` past 2^64 rao.
pub fn rao_floor(wei: U256) -> Option<Rao> {
    Rao::try_from(wei / U256::from(WEI_PER_RAO)).ok()
}

/// An amount as TAO with all nine decimals, exact.
pub fn tao(rao: Rao) -> String {
    format!("{}.{:09}", rao / RAO_PER_TAO, rao % RAO_PER_TAO)
}

/// A time as people write it, in UTC. (Days to dates as in Howard Hinnant's `civil_from_days`, with years that begin
/// in March so that the leap day is a year's last.)
pub fn date(at_secs: u64) -> String {
    let (days, secs) = (at_secs / 86_400, at_secs % 86_400);
    let since_0000_03_01 = days + 719_468;
    let (era, day_of_era) = (since_0000_03_01 / 146_097, since_0000_03_01 % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months_since_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months_since_march + 2) / 5 + 1;
    let month = if months_since_march < 10 { months_since_march + 3 } else { months_since_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (secs / 3_600, secs / 60 % 60, secs % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tao_shows_every_rao() {
        assert_eq!(tao(0), "0.000000000");
        assert_eq!(tao(1), "0.000000001");
        assert_eq!(tao(1_561_000_000), "1.561000000");
        assert_eq!(tao(u64::MAX), "18446744073.709551615");
    }

    #[test]
    fn wei_round_trips_and_sub_rao_is_dropped() {
        assert_eq!(rao_floor(wei(u64::MAX)), Some(u64::MAX));
        assert_eq!(rao_floor(U256::from(1_999_999_999u64)), Some(1));
        assert_eq!(rao_floor(U256::MAX), None);
    }
}
