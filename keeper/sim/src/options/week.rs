//! A week as an operator might have it: a fleet of some size, the contracts' defaults, faults as rare as they are.

use super::{Faults, Options, Pace, Role};
use surety_core::payout::PayoutRules;
use surety_core::view::ContractTimes;

const HOUR_SECS: u64 = 3_600;
const DAY_SECS: u64 = 86_400;

impl Options {
    /// Five keepers, of which one is on a bad host and one lies; sixty machines of 25 owners.
    pub(crate) fn week(seed: u64, secs: u64) -> Self {
        Self {
            seed,
            fault_secs: secs,
            weights: vec![35, 25, 20, 12, 8],
            roles: vec![Role::Strong, Role::Strong, Role::Strong, Role::Weak, Role::Malicious],
            machines: 60,
            owners: 25,
            steady_percent: 60,
            // Of the rest, each is out every two days.
            outage_gap_secs: 2 * DAY_SECS,
            times: ContractTimes {
                settle_lag_secs: HOUR_SECS,
                delivery_grace_secs: 600,
                min_interrupted_secs: 60,
                min_offline_secs: 900,
                freshness_secs: 300,
                certificate_life_secs: DAY_SECS,
                spoof_life_secs: DAY_SECS,
            },
            // Shorter runs have shorter windows, or they would be nothing but waiting.
            appeal_window_secs: secs.clamp(HOUR_SECS, DAY_SECS),
            ruling_window_secs: 2 * secs.clamp(HOUR_SECS, DAY_SECS),
            exit_delay_secs: 2 * DAY_SECS,
            exit_window_secs: 3 * DAY_SECS,
            snapshot_every: 500,
            payout: PayoutRules::default(),
            bot: false,
            cards_gap_secs: 3 * DAY_SECS,
            spoofs: true,
            bids: true,
            exits_ppm: 500,
            pace: Pace {
                rental_secs: vec![HOUR_SECS, 4 * HOUR_SECS, 12 * HOUR_SECS, DAY_SECS],
                rent_percent: 2,
                turns: 20_000,
                appeal_ppm: 30,
                rule_ppm: 500,
                lie_ppm: 1_000,
            },
            judged: false,
            faults: rare(),
        }
    }
}

/// Mean gaps are for each keeper.
fn rare() -> Faults {
    Faults {
        crash_gap_secs: 2 * DAY_SECS,
        crash_at_write_ppm: 1,
        down_max_secs: 600,
        net_dead_gap_secs: 3 * DAY_SECS,
        net_blip_gap_secs: 6 * HOUR_SECS,
        host_loss_gap_secs: 2 * DAY_SECS,
        anchors_gap_secs: 2 * DAY_SECS,
        rpc_stuck_gap_secs: 12 * HOUR_SECS,
        rpc_stale_gap_secs: DAY_SECS,
        log_loss_ppm: 1_000,
        receipts_gap_secs: DAY_SECS,
        clock_off_secs: 1,
        clock_jump_gap_secs: 3 * DAY_SECS,
        clock_drift_ppm: 10,
        // An alert and a red `/healthz`, and somebody who sees them.
        clock_repair_secs: HOUR_SECS,
        finality_stall_gap_secs: 3 * DAY_SECS,
        halt_gap_secs: 7 * DAY_SECS,
        fork_gap_secs: HOUR_SECS,
        tx_lost_ppm: 2_000,
        tx_refused_ppm: 10_000,
        answer_lost_ppm: 10_000,
        peer_gap_secs: 12 * HOUR_SECS,
        rare_ppm: 20,
        meddler_gap_secs: 12 * HOUR_SECS,
        keepers_gap_secs: DAY_SECS,
        silent_moves_percent: 10,
    }
}
