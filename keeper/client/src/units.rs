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
