//! The numbers contracts are deployed with: the design's, and short ones for a story told in real time.

use surety_core::types::Rao;
use surety_core::view::ContractTimes;
use surety_verifier::classes::ClassId;

/// All numbers of one deployment. Times in seconds, shares in basis points, money in rao.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    /// Exiting bond waits this long.
    pub exit_delay_secs: u32,
    /// And can be withdrawn for this long.
    pub exit_window_secs: u32,
    /// Claims lag behind by this.
    pub settle_lag_secs: u32,
    /// How long a certificate serves.
    pub certificate_life_secs: u32,
    /// Least bond, of a rental's cost.
    pub bond_bps: u16,
    /// The treasury's share of what miners earn.
    pub fee_bps: u16,
    /// What abandoning costs, of the reserve.
    pub abandon_bps: u16,
    /// Time to appeal.
    pub appeal_window_secs: u32,
    /// Time to rule.
    pub ruling_window_secs: u32,
    /// How long an undelivered rental may stay so.
    pub delivery_grace_secs: u32,
    /// Shortest recorded interruption.
    pub min_interrupted_secs: u32,
    /// Shortest outage that ends a rental.
    pub min_offline_secs: u32,
    /// Oldest last look of a terminating attestation.
    pub freshness_secs: u32,
    /// How long a false proof can be filed.
    pub spoof_life_secs: u32,
    /// Penalty of `NotDelivered`, of the reserve.
    pub not_delivered_bps: u16,
    /// Penalty of `Offline`, of the reserve.
    pub offline_bps: u16,
    /// A day's penalties above this share of all bonds wait longer.
    pub breaker_bps: u16,
    /// Bond for each GPU of a class.
    pub class_bonds: Vec<(ClassId, Rao)>,
}

/// The design's numbers.
pub fn default_params() -> Params {
    const HOUR: u32 = 3_600;
    Params {
        exit_delay_secs: 48 * HOUR,
        exit_window_secs: 72 * HOUR,
        settle_lag_secs: HOUR,
        certificate_life_secs: 24 * HOUR,
        bond_bps: 2_000,
        fee_bps: 0,
        abandon_bps: 500,
        appeal_window_secs: 24 * HOUR,
        ruling_window_secs: 48 * HOUR,
        delivery_grace_secs: 600,
        min_interrupted_secs: 60,
        min_offline_secs: 900,
        freshness_secs: 300,
        spoof_life_secs: 24 * HOUR,
        not_delivered_bps: 200,
        offline_bps: 1_000,
        breaker_bps: 1_000,
        class_bonds: class_bonds(),
    }
}

/// Short windows, so that every wait of the story passes in real time. Chain time is never warped: keepers compare it
/// with their own clocks. Every relation the constructors ask for holds: 6 + 8 <= 14 (nothing can be claimed before it
/// could be filed) and 14 <= 14 (bond cannot leave before that either, nor a case be executed before its rental can be
/// closed).
pub fn demo_params() -> Params {
    Params {
        exit_delay_secs: 14,
        exit_window_secs: 600,
        settle_lag_secs: 14,
        appeal_window_secs: 14,
        ruling_window_secs: 14,
        spoof_life_secs: 14,
        delivery_grace_secs: 6,
        min_interrupted_secs: 2,
        min_offline_secs: 6,
        freshness_secs: 8,
        class_bonds: vec![(ClassId::CPU_TEST, 10_000_000)],
        ..default_params()
    }
}

/// Bond per GPU in milli-TAO, from the design's table (Lium's seven-day prices), by the ids of
/// `surety_verifier::classes`.
fn class_bonds() -> Vec<(ClassId, Rao)> {
    const RAO_PER_MILLI_TAO: Rao = 1_000_000;
    let table = [
        (1, 1_561),
        (2, 1_106),
        (3, 721),
        (4, 602),
        (5, 217),
        (6, 189),
        (7, 189),
        (8, 119),
        (9, 126),
        (10, 98),
        (11, 70),
        (12, 56),
    ];
    table.into_iter().map(|(class, milli_tao)| (ClassId(class), milli_tao * RAO_PER_MILLI_TAO)).collect()
}

impl Params {
    /// The times that keepers go by.
    pub fn times(&self) -> ContractTimes {
        ContractTimes {
            settle_lag_secs: self.settle_lag_secs.into(),
            delivery_grace_secs: self.delivery_grace_secs.into(),
            min_interrupted_secs: self.min_interrupted_secs.into(),
            min_offline_secs: self.min_offline_secs.into(),
            freshness_secs: self.freshness_secs.into(),
            certificate_life_secs: self.certificate_life_secs.into(),
            spoof_life_secs: self.spoof_life_secs.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gpu_class_has_a_bond_by_its_own_name() {
        let by_name = |name: &str| {
            let bonds = default_params().class_bonds;
            let found = bonds.into_iter().find(|(class, _)| class.to_string() == name);
            found.map(|(_, rao)| rao)
        };
        assert_eq!(by_name("H100 SXM"), Some(721_000_000));
        assert_eq!(by_name("RTX 3090"), Some(56_000_000));
        assert_eq!(default_params().class_bonds.len(), surety_verifier::classes::CLASSES.len() - 1);
    }
}
