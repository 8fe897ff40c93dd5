//! Every number of judgement, in one place, with bounds.
//!
//! The defaults are the design's. What the contracts fix (delivery grace, minimum lengths, freshness, certificate life)
//! comes from [`crate::view::ContractTimes`]; where both name a number, the longer one counts, so a keeper is never
//! quicker to accuse than either.

use crate::types::Rao;
use serde::{Deserialize, Serialize};

/// Chain ids on which [`Rules::local`] may be set: anvil and hardhat (31337), Subtensor's dev chain (42).
pub const LOCAL_CHAIN_IDS: [u64; 2] = [31_337, 42];

/// The numbers a keeper judges by. Its evidence carries them, so that anybody can check the claim against them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// Allows values shorter than a public chain may use, private endpoints, and nothing else. Local chains only.
    pub local: bool,
    /// Time between two looks at a rented machine that is well (design: 30 s).
    pub look_every_ms: u64,
    /// Looks are spread by up to this much either way, so that keepers do not come in step.
    pub look_jitter_ms: u64,
    /// Time between two looks at a suspected machine (design: 10 s).
    pub suspect_every_ms: u64,
    /// No host is contacted twice within this time, however many reasons there are (design: 10 s).
    pub host_gap_min_ms: u64,
    /// A look without an answer for this long is given up as not measured. Longer than a look itself may take (10 s):
    /// else what hangs would never be seen to fail.
    pub look_timeout_ms: u64,
    /// Looks at one network (IPv4 /24, IPv6 /48) in any 10 s.
    pub network_looks_max: u32,
    /// Longest time between two failing looks of one interval: a keeper signs only what it saw itself.
    pub look_gap_max_secs: u64,
    /// Wall and monotonic clock may differ by this much between two looks; beyond it the wall clock was set.
    pub clock_jump_max_secs: u64,
    /// Failing looks in a row that prove an interval (design: 4).
    pub proof_looks: u32,
    /// The same when machines of many owners fail together (design: 8).
    pub proof_looks_mass: u32,
    /// Least time from the first to the last of them (design: 2 min).
    pub proof_min_secs: u64,
    /// Owners of bonded, formerly healthy machines needed before "most of them fail together" means anything.
    pub mass_owners_min: u32,
    /// A delivered machine still out after this long is `Offline` (design: 15 min).
    pub offline_after_secs: u64,
    /// An undelivered rental still so after this long is `NotDelivered` (design: 10 min).
    pub not_delivered_after_secs: u64,
    /// The first failing look must come this soon after the start for a keeper to say "never since the start".
    pub first_look_lag_secs: u64,
    /// Shortest finished interval worth a signature (design: 1 min).
    pub interrupted_min_secs: u64,
    /// A terminating attestation is signed anew this often while the outage lasts (design: 1 min).
    pub resign_every_secs: u64,
    /// A finished interval that could not be signed for this long is dropped (design: `settleLag`, 1 h).
    pub finished_keep_secs: u64,
    /// Time between two anchor rounds while all is well.
    pub anchors_every_ms: u64,
    /// The same while any look awaits confirmation.
    pub anchors_suspect_every_ms: u64,
    /// Without a finished anchor round for this long the keeper is blind.
    pub anchors_stale_ms: u64,
    /// Clock and newest block may differ by this much (design: 1 min).
    pub clock_skew_max_secs: u64,
    /// A terminating case is filed only when its attestations stay fresh for this much longer.
    pub file_margin_secs: u64,
    /// The next keeper in order files after this much more silence.
    pub file_rank_delay_secs: u64,
    /// Wait after a failed filing or execution; doubles up to 32 times.
    pub submit_retry_secs: u64,
    /// The next keeper in order executes after this much more silence.
    pub execute_rank_delay_secs: u64,
    /// A peer's attestation that ends within this time makes this keeper look at once.
    pub peer_fresh_secs: u64,
    /// A certificate is renewed this long before it lapses.
    pub certificate_renew_before_secs: u64,
    /// Mean time between measurements at random while idle.
    pub random_measure_mean_mins: u64,
    /// First wait after a measurement without a verdict; doubles up to `measure_retry_max_secs`.
    pub measure_retry_secs: u64,
    /// Longest wait between measurements without a verdict, and the wait after one that was too slow.
    pub measure_retry_max_secs: u64,
    /// A measurement without an answer for this long is given up.
    pub measure_timeout_ms: u64,
    /// Time between two questions to a rented machine about its cards (design: 10 min).
    pub inventory_every_ms: u64,
    /// A machine that could not be measured for this long is reported absent (design: 1 h).
    pub absence_secs: u64,
    /// Machines with less bond than this are not measured: strangers may not aim keepers at hosts for nothing.
    pub measure_bond_min_rao: Rao,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            local: false,
            look_every_ms: 30_000,
            look_jitter_ms: 5_000,
            suspect_every_ms: 10_000,
            host_gap_min_ms: 10_000,
            look_timeout_ms: 60_000,
            network_looks_max: 64,
            look_gap_max_secs: 90,
            clock_jump_max_secs: 5,
            proof_looks: 4,
            proof_looks_mass: 8,
            proof_min_secs: 120,
            mass_owners_min: 3,
            offline_after_secs: 900,
            not_delivered_after_secs: 600,
            first_look_lag_secs: 120,
            interrupted_min_secs: 60,
            resign_every_secs: 60,
            finished_keep_secs: 3_600,
            anchors_every_ms: 30_000,
            anchors_suspect_every_ms: 5_000,
            anchors_stale_ms: 90_000,
            clock_skew_max_secs: 60,
            file_margin_secs: 60,
            file_rank_delay_secs: 20,
            submit_retry_secs: 30,
            execute_rank_delay_secs: 60,
            peer_fresh_secs: 300,
            certificate_renew_before_secs: 7_200,
            random_measure_mean_mins: 240,
            measure_retry_secs: 60,
            measure_retry_max_secs: 900,
            measure_timeout_ms: 900_000,
            inventory_every_ms: 600_000,
            absence_secs: 3_600,
            measure_bond_min_rao: 50_000_000,
        }
    }
}

/// Why a set of rules is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// `local` on a chain where money is real.
    #[error("rules.local is for chain ids 31337 and 42 only, this is {chain_id}: remove it")]
    LocalElsewhere {
        /// The chain id configured.
        chain_id: u64,
    },
    /// A number outside its bounds.
    #[error("rules.{name} is {value}, expected {min}..={max}")]
    OutOfBounds {
        /// Field.
        name: &'static str,
        /// Its value.
        value: u64,
        /// Least allowed.
        min: u64,
        /// Most allowed.
        max: u64,
    },
    /// Two numbers that contradict each other.
    #[error("rules.{low} must not be more than rules.{high}")]
    Order {
        /// The one that must not be more.
        low: &'static str,
        /// Than this one.
        high: &'static str,
    },
}

/// Field, value, least on a public chain, least on a local chain, most.
type Bound = (&'static str, u64, u64, u64, u64);

const DAY_SECS: u64 = 86_400;
const DAY_MS: u64 = 86_400_000;

impl Rules {
    /// Checks every bound and relation for this chain.
    ///
    /// # Errors
    /// The first bound or relation that does not hold.
    pub fn check(&self, chain_id: u64) -> Result<(), RulesError> {
        if self.local && !LOCAL_CHAIN_IDS.contains(&chain_id) {
            return Err(RulesError::LocalElsewhere { chain_id });
        }
        for (name, value, public_min, local_min, max) in self.looking_bounds().into_iter().chain(self.other_bounds()) {
            let min = if self.local { local_min } else { public_min };
            if value < min || value > max {
                return Err(RulesError::OutOfBounds { name, value, min, max });
            }
        }
        self.check_order()
    }

    fn looking_bounds(&self) -> [Bound; 18] {
        [
            ("look_every_ms", self.look_every_ms, 10_000, 100, 120_000),
            ("look_jitter_ms", self.look_jitter_ms, 0, 0, 60_000),
            ("suspect_every_ms", self.suspect_every_ms, 10_000, 50, 60_000),
            ("host_gap_min_ms", self.host_gap_min_ms, 10_000, 10, 60_000),
            ("look_timeout_ms", self.look_timeout_ms, 15_000, 100, 120_000),
            ("network_looks_max", self.network_looks_max.into(), 1, 1, 10_000),
            ("look_gap_max_secs", self.look_gap_max_secs, 30, 1, 300),
            ("clock_jump_max_secs", self.clock_jump_max_secs, 1, 1, 30),
            ("proof_looks", self.proof_looks.into(), 4, 2, 32),
            ("proof_looks_mass", self.proof_looks_mass.into(), 8, 2, 32),
            ("proof_min_secs", self.proof_min_secs, 120, 1, 3_600),
            ("mass_owners_min", self.mass_owners_min.into(), 2, 1, 1_000),
            ("offline_after_secs", self.offline_after_secs, 900, 1, DAY_SECS),
            ("not_delivered_after_secs", self.not_delivered_after_secs, 600, 1, DAY_SECS),
            ("first_look_lag_secs", self.first_look_lag_secs, 1, 1, 300),
            ("interrupted_min_secs", self.interrupted_min_secs, 60, 1, 3_600),
            ("resign_every_secs", self.resign_every_secs, 30, 1, 240),
            ("finished_keep_secs", self.finished_keep_secs, 60, 1, DAY_SECS),
        ]
    }

    fn other_bounds(&self) -> [Bound; 17] {
        [
            ("anchors_every_ms", self.anchors_every_ms, 5_000, 50, 60_000),
            ("anchors_suspect_every_ms", self.anchors_suspect_every_ms, 2_500, 50, 60_000),
            ("anchors_stale_ms", self.anchors_stale_ms, 10_000, 500, 300_000),
            ("clock_skew_max_secs", self.clock_skew_max_secs, 10, 1, if self.local { DAY_SECS * 365 } else { 60 }),
            ("file_margin_secs", self.file_margin_secs, 12, 0, 240),
            ("file_rank_delay_secs", self.file_rank_delay_secs, 12, 0, 600),
            ("submit_retry_secs", self.submit_retry_secs, 12, 1, 3_600),
            ("execute_rank_delay_secs", self.execute_rank_delay_secs, 12, 0, 3_600),
            ("peer_fresh_secs", self.peer_fresh_secs, 0, 0, DAY_SECS),
            ("certificate_renew_before_secs", self.certificate_renew_before_secs, 0, 0, DAY_SECS),
            ("random_measure_mean_mins", self.random_measure_mean_mins, 10, 1, 10_080),
            ("measure_retry_secs", self.measure_retry_secs, 30, 1, 3_600),
            ("measure_retry_max_secs", self.measure_retry_max_secs, 60, 1, DAY_SECS),
            ("measure_timeout_ms", self.measure_timeout_ms, 30_000, 500, DAY_MS),
            ("inventory_every_ms", self.inventory_every_ms, 60_000, 100, 3_600_000),
            ("absence_secs", self.absence_secs, 600, 1, DAY_SECS),
            ("measure_bond_min_rao", self.measure_bond_min_rao, 1_000_000, 0, 21_000_000_000_000_000),
        ]
    }

    fn check_order(&self) -> Result<(), RulesError> {
        let gap_ms = self.look_gap_max_secs.saturating_mul(1_000);
        let order = [
            ("look_jitter_ms", self.look_jitter_ms, "look_every_ms", self.look_every_ms / 2),
            ("host_gap_min_ms", self.host_gap_min_ms, "suspect_every_ms", self.suspect_every_ms),
            ("suspect_every_ms", self.suspect_every_ms, "look_every_ms", self.look_every_ms),
            ("suspect_every_ms", self.suspect_every_ms, "inventory_every_ms", self.inventory_every_ms),
            ("look_every_ms", self.look_every_ms, "look_gap_max_secs", gap_ms),
            ("proof_looks", self.proof_looks.into(), "proof_looks_mass", self.proof_looks_mass.into()),
            ("proof_min_secs", self.proof_min_secs, "not_delivered_after_secs", self.not_delivered_after_secs),
            ("proof_min_secs", self.proof_min_secs, "offline_after_secs", self.offline_after_secs),
            ("anchors_suspect_every_ms", self.anchors_suspect_every_ms, "anchors_every_ms", self.anchors_every_ms),
            ("anchors_every_ms", self.anchors_every_ms, "anchors_stale_ms", self.anchors_stale_ms),
            ("measure_retry_secs", self.measure_retry_secs, "measure_retry_max_secs", self.measure_retry_max_secs),
        ];
        for (low, low_value, high, high_value) in order {
            if low_value > high_value {
                return Err(RulesError::Order { low, high });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_designs_numbers_pass_on_every_chain() {
        for chain_id in [964, 945, 31_337, 42] {
            assert_eq!(Rules::default().check(chain_id), Ok(()));
        }
    }

    #[test]
    fn short_values_are_for_local_chains_only() {
        let short = Rules { proof_min_secs: 5, ..Rules::default() };
        let refused = RulesError::OutOfBounds { name: "proof_min_secs", value: 5, min: 120, max: 3_600 };
        assert_eq!(short.check(31_337), Err(refused));
        let local = Rules { local: true, ..short };
        assert_eq!(local.check(31_337), Ok(()));
        assert_eq!(local.check(964), Err(RulesError::LocalElsewhere { chain_id: 964 }));
    }

    #[test]
    fn a_look_is_never_given_up_before_what_hangs_can_be_seen_to_fail() {
        let hasty = Rules { look_timeout_ms: 10_000, ..Rules::default() };
        let refused = RulesError::OutOfBounds { name: "look_timeout_ms", value: 10_000, min: 15_000, max: 120_000 };
        assert_eq!(hasty.check(964), Err(refused));
    }

    #[test]
    fn contradictory_numbers_are_refused() {
        let rules = Rules { proof_looks_mass: 8, proof_looks: 9, ..Rules::default() };
        assert_eq!(rules.check(964), Err(RulesError::Order { low: "proof_looks", high: "proof_looks_mass" }));
    }

    #[test]
    fn unknown_fields_are_refused() {
        assert!(serde_json::from_str::<Rules>(r#"{"profo_looks": 1}"#).is_err());
    }
}
