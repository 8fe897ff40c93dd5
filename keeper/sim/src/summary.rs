//! What was measured in one world, and in many.

use crate::check::liveness::{clear_outages, first_fileable, recorded};
use crate::env::Env;
use crate::keeper::Keeper;
use crate::options::{Faults, Role};
use std::collections::BTreeMap;
use surety_core::types::UnixSecs;

/// Shortest outage that every keeper surely sees long enough to prove it.
pub(crate) const SURELY_SEEN_SECS: u64 = 240;

/// Numbers of one world, or of many together.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Outages of rented machines, of any length.
    pub outages: u64,
    /// Cases filed.
    pub cases: u64,
    /// Cases against machines that served.
    pub false_cases: u64,
    /// Times a keeper's process died.
    pub deaths: u64,
    /// Blocks undone.
    pub undone: u64,
    /// Transactions mined for good, and those of them that reverted.
    pub mined: (u64, u64),
    /// How often the rarer things happened, by name.
    pub happened: BTreeMap<&'static str, u64>,
    /// Seconds lost to the intersection, for each clear outage recorded.
    pub lost_secs: Vec<u64>,
    /// Seconds from "may first be filed" to the block with the case.
    pub delay_secs: Vec<u64>,
    /// The same where every keeper is honest and there.
    pub whole_delay_secs: Vec<u64>,
}

impl Stats {
    pub(crate) fn of(env: &Env, keepers: &[Keeper], healed_at: UnixSecs) -> Self {
        let state = &env.chain.newest().state;
        let calm = env.options.faults == Faults::default();
        // Where nothing was wrong everything counts, else what began after the healing.
        let since = if calm { 0 } else { healed_at + 1_200 };
        let whole = env.options.roles.iter().all(|role| *role == Role::Strong);
        let mut stats = Self {
            cases: state.cases.len() as u64,
            false_cases: env.check.false_cases,
            deaths: keepers.iter().map(|keeper| keeper.deaths).sum(),
            undone: env.chain.undone,
            mined: (env.check.lane.mined, env.check.lane.reverted),
            happened: state.happened.clone(),
            ..Self::default()
        };
        let cards = env.tally.signed.iter().filter(|(what, _)| what.ends_with("(cards missing)"));
        stats.happened.insert("statements about cards", cards.map(|(_, count)| count).sum());
        for rental in state.rentals.values() {
            let machine = env.machines.get(&rental.view.machine);
            let (start, end) = (rental.view.start_secs, rental.view.end_secs);
            stats.outages += machine.map_or(0, |machine| machine.outages(start, end).len() as u64);
            for outage in clear_outages(env, rental, since) {
                let length_secs = outage.until - outage.from;
                let Some((filed_at, secs)) = recorded(env, rental, &outage) else { continue };
                if !env.options.can_progress() || length_secs < SURELY_SEEN_SECS {
                    continue;
                }
                let (_, fileable) = first_fileable(env, &outage);
                let delay_secs = filed_at.saturating_sub(fileable);
                stats.delay_secs.push(delay_secs);
                if whole {
                    stats.whole_delay_secs.push(delay_secs);
                }
                if outage.returned {
                    stats.lost_secs.push(length_secs.saturating_sub(secs));
                }
            }
        }
        stats
    }

    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        self.outages += other.outages;
        self.cases += other.cases;
        self.false_cases += other.false_cases;
        self.deaths += other.deaths;
        self.undone += other.undone;
        self.mined = (self.mined.0 + other.mined.0, self.mined.1 + other.mined.1);
        for (what, count) in &other.happened {
            *self.happened.entry(what).or_default() += count;
        }
        self.lost_secs.extend(&other.lost_secs);
        self.delay_secs.extend(&other.delay_secs);
        self.whole_delay_secs.extend(&other.whole_delay_secs);
    }

    /// As text, a line for each.
    pub fn text(&self) -> String {
        let happened: Vec<String> = self.happened.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let Self { outages, cases, false_cases, deaths, undone, mined, .. } = self;
        format!(
            "{outages} outages, {cases} cases, {false_cases} false cases, {deaths} crashes, {undone} blocks undone, \
             {} transactions ({} reverted)\n{}\nseconds lost to the intersection: {}\n\
             seconds from fileable to on chain: {}\n\
             the same where all keepers are honest and there: {}",
            mined.0,
            mined.1,
            happened.join(", "),
            spread(&self.lost_secs),
            spread(&self.delay_secs),
            spread(&self.whole_delay_secs)
        )
    }
}

/// Percentiles, in one line.
pub(crate) fn spread(values: &[u64]) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let at = |percent: usize| sorted.get(sorted.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0);
    format!("p50 {}, p90 {}, p99 {}, max {} of {}", at(50), at(90), at(99), at(100), sorted.len())
}
