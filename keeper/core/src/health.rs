//! Is it us? A keeper that cannot see must not accuse: anchors, RPC and clock are checked before anything counts.

use crate::effect::{Effect, EffectId};
use crate::ids::effect_id;
use crate::input::AnchorResult;
use crate::state::State;
use crate::streak::Look;
use crate::types::MonoMs;
use crate::watch::Watch;
use serde::{Deserialize, Serialize};

/// A finished round over the operator's anchors.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnchorRound {
    /// Which run of the process asked.
    pub run: u32,
    /// When it was asked for, monotonic milliseconds.
    pub asked_ms: MonoMs,
    /// When it ended, monotonic milliseconds.
    pub ended_ms: MonoMs,
    /// Anchors that answered.
    pub reachable: u32,
    /// Anchors asked.
    pub asked: u32,
}

impl AnchorRound {
    /// Whether this round, when it is well, says that our side was well after a look.
    pub(crate) fn vouches_for(&self, look: &Look) -> bool {
        look.run == self.run && look.ended_ms <= self.asked_ms
    }

    /// At least half answered. No anchors at all prove nothing, so that is not healthy.
    pub fn healthy(&self) -> bool {
        self.asked > 0 && u64::from(self.reachable) * 2 >= u64::from(self.asked)
    }
}

/// Why the keeper does not trust its own eyes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blind {
    /// Just started: chain and anchors have not been seen yet.
    Starting,
    /// No majority of RPC endpoints.
    Rpc,
    /// The chain was never read.
    NoChain,
    /// Most anchors do not answer, or no round finished for too long.
    Anchors,
    /// Wall clock and newest block differ by more than a minute.
    Clock,
}

impl Blind {
    fn message(self) -> &'static str {
        match self {
            Self::Starting => "starting: chain and anchors have not been seen yet",
            Self::Rpc => "no majority of RPC endpoints answers: nothing is judged or signed; check them",
            Self::NoChain => "the chain could not be read since the start: nothing is judged or signed; check the RPC",
            Self::Anchors => {
                "most anchors do not answer in time: nothing is judged or signed; check this host's network, disk and load"
            }
            Self::Clock => "clock and newest block are too far apart: nothing is judged or signed; check NTP and RPC",
        }
    }
}

/// The gate.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Health {
    /// As the last tick said.
    pub rpc_healthy: bool,
    /// Whether a best block was read in this run: what was known before the process went down is old.
    pub chain_read: bool,
    /// Newest finished round of this run.
    pub last_round: Option<AnchorRound>,
    /// The round being made: its id and when it was asked for.
    pub in_flight: Option<(EffectId, MonoMs)>,
    /// When the last round was asked for in this run.
    pub last_asked_ms: Option<MonoMs>,
    /// Rounds ever asked for.
    pub rounds: u64,
    /// Why nothing counts at present, if so.
    pub blind: Option<Blind>,
    /// Since when it sees, monotonic; says nothing while it does not.
    #[serde(default)]
    pub sees_since_ms: MonoMs,
    /// Times the keeper went blind.
    pub episodes: u64,
    /// Whether the present episode was reported.
    pub alerted: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            rpc_healthy: false,
            chain_read: false,
            last_round: None,
            in_flight: None,
            last_asked_ms: None,
            rounds: 0,
            blind: Some(Blind::Starting),
            sees_since_ms: 0,
            episodes: 0,
            alerted: false,
        }
    }
}

impl Health {
    /// A new run: what was known through monotonic time is not known any more.
    pub(crate) fn restart(&mut self) {
        *self = Self { rounds: self.rounds, episodes: self.episodes, ..Self::default() };
    }

    /// Whether this keeper saw from then on until now: what it tried while it was blind says nothing, also when the
    /// answer, or its absence, comes to light after it sees again.
    pub(crate) fn saw_since(&self, started_ms: MonoMs) -> bool {
        self.blind.is_none() && self.sees_since_ms < started_ms
    }
}

/// Looks at the gate anew; going blind drops every look not yet confirmed, and alerts once per episode.
pub(crate) fn refresh(state: &mut State, effects: &mut Vec<Effect>) {
    let now = verdict(state);
    let health = &mut state.health;
    if now.is_some() && health.blind.is_none() {
        health.episodes = health.episodes.saturating_add(1);
        health.alerted = false;
    }
    if now.is_none() && health.blind.is_some() {
        health.sees_since_ms = state.clock.now_ms;
    }
    health.blind = now;
    let Some(why) = now else { return };
    if !health.alerted && why != Blind::Starting {
        health.alerted = true;
        let id = effect_id("alert/blind", &[&state.clock.run.to_be_bytes(), &health.episodes.to_be_bytes()]);
        effects.push(Effect::Alert { id, message: why.message().to_owned() });
    }
    for roll in [&mut state.watches, &mut state.cards] {
        roll.edit_awake(|_, watch| watch.drop_unconfirmed());
    }
}

fn verdict(state: &State) -> Option<Blind> {
    let (health, rules, clock) = (&state.health, &state.config.rules, &state.clock);
    let starting = clock.now_ms.saturating_sub(clock.started_ms) <= rules.anchors_stale_ms;
    let late = |why| Some(if starting { Blind::Starting } else { why });
    if !health.chain_read {
        return late(Blind::NoChain);
    }
    if !health.rpc_healthy {
        return Some(Blind::Rpc);
    }
    if state.world.best.block.timestamp_secs.abs_diff(clock.now_secs()) > rules.clock_skew_max_secs {
        return Some(Blind::Clock);
    }
    match &health.last_round {
        None => late(Blind::Anchors),
        Some(round) if !round.healthy() => Some(Blind::Anchors),
        Some(round) if clock.now_ms.saturating_sub(round.ended_ms) > rules.anchors_stale_ms => Some(Blind::Anchors),
        Some(_) => None,
    }
}

/// Asks for the next round when it is time: more often while looks wait for confirmation.
pub(crate) fn schedule(state: &mut State, effects: &mut Vec<Effect>) {
    let rules = &state.config.rules;
    let now_ms = state.clock.now_ms;
    if let Some((_, asked_ms)) = state.health.in_flight {
        if now_ms.saturating_sub(asked_ms) <= rules.anchors_stale_ms {
            return;
        }
        state.health.in_flight = None;
    }
    let awake = || state.watches.awake().chain(state.cards.awake()).map(|(_, watch)| watch);
    let every_ms = if awake().any(Watch::has_returned) {
        // An interval is over, and only this keeps it from being signed.
        rules.anchors_suspect_every_ms / 5
    } else if awake().any(Watch::awaits_anchors) {
        rules.anchors_suspect_every_ms
    } else {
        rules.anchors_every_ms
    };
    if state.health.last_asked_ms.is_some_and(|last| now_ms.saturating_sub(last) < every_ms) {
        return;
    }
    let health = &mut state.health;
    health.rounds = health.rounds.saturating_add(1);
    let id = effect_id("anchors", &[&state.clock.run.to_be_bytes(), &health.rounds.to_be_bytes()]);
    health.in_flight = Some((id, now_ms));
    health.last_asked_ms = Some(now_ms);
    effects.push(Effect::ProbeAnchors { id });
}

/// A round came back: it confirms the looks that ended before it was asked for, or throws them away.
pub(crate) fn on_anchors(state: &mut State, result: &AnchorResult, effects: &mut Vec<Effect>) {
    let Some((id, asked_ms)) = state.health.in_flight else {
        return;
    };
    if id != result.id {
        return;
    }
    let AnchorResult { ended_ms, reachable, asked, .. } = *result;
    let run = state.clock.run;
    let ended_ms = state.clock.sane_ms(ended_ms).max(asked_ms);
    let round = AnchorRound { run, asked_ms, ended_ms, reachable: reachable.min(asked), asked };
    state.health.in_flight = None;
    state.health.last_round = Some(round);
    refresh(state, effects);
    if state.health.blind.is_none() {
        crate::watch::confirm(state, &round);
    }
}

#[cfg(test)]
mod tests;
