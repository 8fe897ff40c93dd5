//! What kind of world a seed is: how many keepers and machines, which faults exist in it at all and how often. Each
//! fault is on in only some seeds, so that rare ones are not drowned in frequent ones.

mod week;

use crate::rng::Rng;
use surety_core::payout::PayoutRules;
use surety_core::view::ContractTimes;

/// What a keeper is in this world.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Runs the core. May be cut off, killed, or have its clock set, but sees no ghosts: what makes a keeper see an
    /// outage that is none (a lossy route to one host, lost logs) happens to weak ones only.
    Strong,
    /// Runs the core on a host that may be fooled.
    Weak,
    /// Signs whatever it likes.
    Malicious,
    /// Never there.
    Dead,
}

/// How often what goes wrong. Mean seconds between two, odds in parts per million; 0: not in this world.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Faults {
    /// A keeper's process dies at any second; also makes it die inside a step, a signature, the lane.
    pub(crate) crash_gap_secs: u64,
    /// Odds of dying at one of the places where something is written or sent.
    pub(crate) crash_at_write_ppm: u64,
    /// How long a dead process stays down, at most.
    pub(crate) down_max_secs: u64,
    /// The whole network of a keeper is dead.
    pub(crate) net_dead_gap_secs: u64,
    /// The same for some seconds.
    pub(crate) net_blip_gap_secs: u64,
    /// A weak keeper's way to one host is lossy.
    pub(crate) host_loss_gap_secs: u64,
    /// Anchors do not answer, everything else does.
    pub(crate) anchors_gap_secs: u64,
    /// A keeper's RPC does not answer.
    pub(crate) rpc_stuck_gap_secs: u64,
    /// It answers from an old head.
    pub(crate) rpc_stale_gap_secs: u64,
    /// A weak keeper's RPC leaves logs out (odds for each read).
    pub(crate) log_loss_ppm: u64,
    /// Receipts are null.
    pub(crate) receipts_gap_secs: u64,
    /// Clocks are off by up to so many seconds.
    pub(crate) clock_off_secs: u64,
    /// Clocks are set to another offset.
    pub(crate) clock_jump_gap_secs: u64,
    /// Clocks run wrong by up to this (microseconds a second).
    pub(crate) clock_drift_ppm: u64,
    /// Somebody sets them right when they have been off for so long.
    pub(crate) clock_repair_secs: u64,
    /// Finality stands still.
    pub(crate) finality_stall_gap_secs: u64,
    /// No blocks.
    pub(crate) halt_gap_secs: u64,
    /// Blocks that are not final are undone.
    pub(crate) fork_gap_secs: u64,
    /// A pool forgets a transaction (odds for each block).
    pub(crate) tx_lost_ppm: u64,
    /// A node refuses bytes.
    pub(crate) tx_refused_ppm: u64,
    /// The answer to a broadcast is lost.
    pub(crate) answer_lost_ppm: u64,
    /// A peer's HTTP does not answer.
    pub(crate) peer_gap_secs: u64,
    /// Rare but lawful turns: late answers, answers that never come, polls that fail, a loop that stands still.
    pub(crate) rare_ppm: u64,
    /// Somebody who is no keeper files whatever the contract takes.
    pub(crate) meddler_gap_secs: u64,
    /// The owner of the keeper set changes a weight, dismisses a keeper, or appoints it again.
    pub(crate) keepers_gap_secs: u64,
    /// Moves to another address that leave no log at any node (D7), of a hundred.
    pub(crate) silent_moves_percent: u64,
}

/// A world's kind.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    /// Seconds under faults.
    pub(crate) fault_secs: u64,
    pub(crate) weights: Vec<u64>,
    pub(crate) roles: Vec<Role>,
    pub(crate) machines: u64,
    pub(crate) owners: u64,
    /// Percent of machines that never fail.
    pub(crate) steady_percent: u64,
    /// Mean seconds between two outages of the others.
    pub(crate) outage_gap_secs: u64,
    pub(crate) times: ContractTimes,
    pub(crate) appeal_window_secs: u64,
    pub(crate) ruling_window_secs: u64,
    pub(crate) snapshot_every: u64,
    /// What keepers pay gas for, for others.
    pub(crate) payout: PayoutRules,
    /// Somebody who is no keeper claims and closes.
    pub(crate) bot: bool,
    /// Mean seconds between two times that a machine lacks cards, where it says so; 0: never.
    pub(crate) cards_gap_secs: u64,
    /// Keepers sign `Spoofed`; else they have it in the shadow.
    pub(crate) spoofs: bool,
    /// Renters post bids.
    pub(crate) bids: bool,
    /// Odds, at each of its turns, that the owner of an idle machine takes its bond out; it then retires and registers
    /// it again, under another owner now and then. 0: never.
    pub(crate) exits_ppm: u64,
    pub(crate) exit_delay_secs: u64,
    pub(crate) exit_window_secs: u64,
    /// How lively renters, miners and the judge are.
    pub(crate) pace: Pace,
    /// A naive judge reads all that one keeper took in: too much for long runs.
    pub(crate) judged: bool,
    pub(crate) faults: Faults,
}

/// How often people do something at a turn of theirs, which comes every 30 s.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    /// Seconds a rental is taken for.
    pub(crate) rental_secs: Vec<u64>,
    /// Odds that somebody rents an idle machine, in a hundred.
    pub(crate) rent_percent: u64,
    /// Of so many turns three end a rental, five extend it, six move the machine.
    pub(crate) turns: u64,
    /// Odds that a case is appealed, and that the judge rules.
    pub(crate) appeal_ppm: u64,
    pub(crate) rule_ppm: u64,
    /// Odds that a liar lies, at each second.
    pub(crate) lie_ppm: u64,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            rental_secs: vec![900, 2_400, 5_400, 10_800],
            rent_percent: 10,
            turns: 1_000,
            appeal_ppm: 1_000,
            rule_ppm: 5_000,
            lie_ppm: 30_000,
        }
    }
}

impl Options {
    /// The world of a seed.
    pub(crate) fn draw(seed: u64, fault_secs: u64) -> Self {
        let mut rng = Rng::new(seed, "options", 0);
        let (payout, bot) = draw_payout(&mut Rng::new(seed, "payout", 0));
        let keepers = *rng.pick(&[1, 2, 3, 3, 3, 4, 5, 5, 6, 7]).unwrap_or(&3);
        let weights: Vec<u64> = (0..keepers).map(|_| rng.range(1, 100)).collect();
        let roles = draw_roles(&weights, &mut rng);
        let settle_lag_secs = *rng.pick(&[1_200, 1_800, 3_600]).unwrap_or(&3_600);
        let machines = rng.range(1, 7);
        // A stream of their own, so that older seeds keep their kind.
        let mut more = Rng::new(seed, "more-options", 0);
        let spoof_life_secs = *more.pick(&[900, 3_600, 86_400]).unwrap_or(&86_400);
        Self {
            seed,
            fault_secs,
            machines,
            owners: rng.range(1, machines),
            steady_percent: *rng.pick(&[0, 30, 60, 100]).unwrap_or(&30),
            outage_gap_secs: *rng.pick(&[900, 2_400, 5_400]).unwrap_or(&2_400),
            times: ContractTimes {
                settle_lag_secs,
                delivery_grace_secs: 600,
                min_interrupted_secs: 60,
                min_offline_secs: 900,
                freshness_secs: 300,
                certificate_life_secs: 86_400,
                spoof_life_secs,
            },
            appeal_window_secs: settle_lag_secs,
            ruling_window_secs: settle_lag_secs,
            snapshot_every: *rng.pick(&[20, 100, 500]).unwrap_or(&100),
            faults: draw_more_faults(draw_faults(&mut rng), &mut more),
            cards_gap_secs: *more.pick(&[0, 600, 600, 1_200]).unwrap_or(&0),
            spoofs: more.percent(60),
            bids: more.percent(30),
            exits_ppm: if more.percent(40) { 120_000 } else { 0 },
            // The constructors refuse shorter ones.
            exit_delay_secs: settle_lag_secs.max(spoof_life_secs),
            exit_window_secs: more.range(300, 3_600),
            payout,
            bot,
            pace: Pace::default(),
            judged: true,
            weights,
            roles,
        }
    }

    /// Nothing goes wrong: for measuring.
    pub(crate) fn calm(mut self) -> Self {
        self.faults = Faults::default();
        self
    }

    /// Whether the strong keepers alone are a quorum, so that progress may be asked for.
    pub(crate) fn can_progress(&self) -> bool {
        let strong: Vec<bool> = self.roles.iter().map(|role| *role == Role::Strong).collect();
        is_quorum(&self.weights, &strong)
    }
}

/// The keeper set's rule, over places in a list: two thirds of the weight, and without the heaviest half of the rest.
pub(crate) fn is_quorum(weights: &[u64], signs: &[bool]) -> bool {
    let total: u64 = weights.iter().sum();
    let held: Vec<u64> = weights.iter().zip(signs).filter(|(_, signs)| **signs).map(|(weight, _)| *weight).collect();
    let sum: u64 = held.iter().sum();
    let heaviest = held.iter().copied().max().unwrap_or(0);
    held.len() >= 2 && 3 * sum >= 2 * total && 2 * (sum - heaviest) >= total - heaviest
}

/// Makes keepers bad as long as the strong ones stay a quorum. Any two quorums share a keeper, so the bad ones are
/// none.
fn draw_roles(weights: &[u64], rng: &mut Rng) -> Vec<Role> {
    let mut roles = vec![Role::Strong; weights.len()];
    let tries = rng.below(weights.len() as u64 + 1);
    for _ in 0..tries {
        let at = rng.index(weights.len());
        let mut strong: Vec<bool> = roles.iter().map(|role| *role == Role::Strong).collect();
        if let Some(one) = strong.get_mut(at) {
            *one = false;
        }
        if is_quorum(weights, &strong)
            && let (Some(role), Some(drawn)) =
                (roles.get_mut(at), rng.pick(&[Role::Weak, Role::Weak, Role::Malicious, Role::Malicious, Role::Dead]))
        {
            *role = *drawn;
        }
    }
    roles
}

/// Keepers, a bot, or both pay out.
fn draw_payout(rng: &mut Rng) -> (PayoutRules, bool) {
    if rng.percent(50) {
        return (PayoutRules::OFF, true);
    }
    let close_wait_secs = *rng.pick(&[0, 120, 600]).unwrap_or(&600);
    let claim_after_secs = *rng.pick(&[0, 600, 3_600]).unwrap_or(&0);
    (PayoutRules { enabled: true, close_wait_secs, claim_after_secs }, rng.percent(30))
}

fn draw_more_faults(faults: Faults, rng: &mut Rng) -> Faults {
    if faults == Faults::default() {
        return faults;
    }
    let mut some = |values: &[u64]| if rng.percent(35) { rng.pick(values).copied().unwrap_or(0) } else { 0 };
    Faults { keepers_gap_secs: some(&[300, 1_200]), silent_moves_percent: some(&[30, 100]), ..faults }
}

fn draw_faults(rng: &mut Rng) -> Faults {
    // A tenth of all worlds is calm but for the machines.
    if rng.percent(10) {
        return Faults::default();
    }
    let mut some = |values: &[u64]| if rng.percent(35) { rng.pick(values).copied().unwrap_or(0) } else { 0 };
    Faults {
        crash_gap_secs: some(&[600, 1_800, 5_400]),
        crash_at_write_ppm: some(&[200, 2_000, 20_000]),
        down_max_secs: some(&[60, 600, 3_600]).max(20),
        net_dead_gap_secs: some(&[1_200, 3_600]),
        net_blip_gap_secs: some(&[600, 1_800]),
        host_loss_gap_secs: some(&[900, 3_600]),
        anchors_gap_secs: some(&[1_800, 5_400]),
        rpc_stuck_gap_secs: some(&[900, 3_600]),
        rpc_stale_gap_secs: some(&[900, 3_600]),
        log_loss_ppm: some(&[10_000, 200_000]),
        receipts_gap_secs: some(&[600, 3_600]),
        clock_off_secs: some(&[5, 20, 50]),
        clock_jump_gap_secs: some(&[1_800, 5_400]),
        clock_drift_ppm: some(&[50, 500, 2_000]),
        finality_stall_gap_secs: some(&[3_600, 7_200]),
        halt_gap_secs: some(&[3_600, 7_200]),
        fork_gap_secs: some(&[60, 600, 1_800]),
        tx_lost_ppm: some(&[20_000, 200_000]),
        tx_refused_ppm: some(&[50_000, 400_000]),
        answer_lost_ppm: some(&[50_000, 400_000]),
        peer_gap_secs: some(&[900, 3_600]),
        rare_ppm: some(&[500, 5_000]),
        meddler_gap_secs: some(&[120, 600]),
        ..Faults::default()
    }
}
