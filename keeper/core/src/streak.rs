//! Looks in a row that failed: what a claim of an outage is made of.

use crate::health::AnchorRound;
use crate::input::Observation;
use crate::judge::{Outcome, outcome};
use crate::limits::{STREAK_LOOKS_MAX, STREAK_TAIL_KEPT};
use crate::rules::Rules;
use crate::types::{Cause, Hash32, MonoMs, UnixSecs};
use serde::{Deserialize, Serialize};

/// One look from outside, as it is kept and as evidence shows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Look {
    /// The effect that asked for it.
    pub id: Hash32,
    /// Which run of the process made it: monotonic times compare only within one.
    pub run: u32,
    /// Begin, monotonic milliseconds.
    pub started_ms: MonoMs,
    /// End, monotonic milliseconds; the difference is the round trip.
    pub ended_ms: MonoMs,
    /// Begin, Unix seconds.
    pub at_secs: UnixSecs,
    /// Newest block known when the answer came.
    pub block: u64,
    /// What was seen.
    pub seen: Observation,
    /// The first anchor round asked for after the look ended, which showed our own side to be well; `None` while the
    /// look still waits for it, and such a look counts for nothing.
    pub anchors: Option<AnchorRound>,
}

impl Look {
    /// The cause, when this look failed.
    pub fn fault(&self) -> Option<Cause> {
        match outcome(&self.seen) {
            Outcome::Fault(cause) => Some(cause),
            Outcome::Ok | Outcome::Unmeasured => None,
        }
    }
}

/// Whether a failing look may continue the interval that `earlier` belongs to: not before it, not too long after it,
/// and no jump of the wall clock in between.
pub fn follows(earlier: &Look, later: &Look, rules: &Rules) -> bool {
    let Some(apart_secs) = later.at_secs.checked_sub(earlier.at_secs) else {
        return false;
    };
    if apart_secs > rules.look_gap_max_secs || later.run < earlier.run {
        return false;
    }
    if later.run > earlier.run {
        return true;
    }
    let Some(apart_ms) = later.started_ms.checked_sub(earlier.started_ms) else {
        return false;
    };
    // One second more, because `at_secs` is cut to whole seconds.
    (apart_ms / 1_000).abs_diff(apart_secs) <= rules.clock_jump_max_secs.saturating_add(1)
}

/// Whether what lies between two failing looks may be left out: near each other with room to spare, and by a clock that
/// was not corrected too often in between.
fn bridged(earlier: &Look, later: &Look, rules: &Rules) -> bool {
    let apart_secs = later.at_secs.saturating_sub(earlier.at_secs);
    later.run == earlier.run
        && apart_secs <= rules.look_gap_max_secs.saturating_mul(2) / 3
        && follows(earlier, later, rules)
}

/// What became of a look offered to a streak.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It continues the interval.
    Taken,
    /// It could not: the interval before it is over, and the streak now begins with it.
    Broke(Streak),
}

/// Confirmed looks from the first failing one on, with no successful one among them. Never empty, and begins with a
/// failing look; looks that measured nothing are kept for the record and count for nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Streak {
    looks: Vec<Look>,
    thinned: u64,
}

impl Streak {
    /// A streak of one failing look; `None` when the look did not fail.
    pub fn begin(look: Look) -> Option<Self> {
        look.fault()?;
        Some(Self { looks: vec![look], thinned: 0 })
    }

    /// The looks kept, oldest first.
    pub fn looks(&self) -> &[Look] {
        &self.looks
    }

    /// Failing looks left out to stay within [`STREAK_LOOKS_MAX`].
    pub fn thinned(&self) -> u64 {
        self.thinned
    }

    /// Adds a confirmed look that did not succeed.
    pub fn push(&mut self, look: Look, rules: &Rules) -> Pushed {
        if look.fault().is_none() {
            if self.looks.len() < STREAK_LOOKS_MAX {
                self.looks.push(look);
            }
            return Pushed::Taken;
        }
        let continues = self.last_fault().is_some_and(|last| follows(last, &look, rules));
        if continues && (self.looks.len() < STREAK_LOOKS_MAX || self.thin(rules)) {
            self.looks.push(look);
            return Pushed::Taken;
        }
        let old = std::mem::replace(self, Self { looks: vec![look], thinned: 0 });
        Pushed::Broke(old)
    }

    /// Leaves out looks from the middle, as far as the rest still follow one another closely. Says whether it made
    /// room.
    fn thin(&mut self, rules: &Rules) -> bool {
        let looks = std::mem::take(&mut self.looks);
        let before = looks.len();
        let tail_at = before.saturating_sub(STREAK_TAIL_KEPT);
        for (index, look) in looks.iter().enumerate() {
            let next = looks.iter().skip(index.saturating_add(1)).find(|later| later.fault().is_some());
            let spare =
                index < tail_at && self.last_fault().zip(next).is_some_and(|(kept, next)| bridged(kept, next, rules));
            if !spare {
                self.looks.push(look.clone());
            } else if look.fault().is_some() {
                self.thinned = self.thinned.saturating_add(1);
            }
        }
        self.looks.len() < before
    }

    fn last_fault(&self) -> Option<&Look> {
        self.looks.iter().rev().find(|look| look.fault().is_some())
    }

    /// Time of the last failing look.
    pub fn last_secs(&self) -> UnixSecs {
        self.last_fault().map_or(0, |look| look.at_secs)
    }

    /// The part within `[start, bound]`, from its first failing look to its last; `None` when no look failed there.
    pub fn clip(&self, start_secs: UnixSecs, bound_secs: UnixSecs) -> Option<Clip<'_>> {
        let inside = |look: &Look| look.fault().is_some() && (start_secs..=bound_secs).contains(&look.at_secs);
        let first = self.looks.iter().position(inside)?;
        let last = self.looks.iter().rposition(inside)?;
        let looks = self.looks.get(first..=last)?;
        let (head, tail) = (looks.first()?, looks.last()?);
        let faults = looks.iter().filter(|look| look.fault().is_some()).count();
        Some(Clip { looks, faults, from_secs: head.at_secs, until_secs: tail.at_secs, cause: tail.fault()? })
    }
}

/// Part of a streak that a claim can rest on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clip<'a> {
    /// The looks, the first and last of them failing.
    pub looks: &'a [Look],
    /// How many of them failed.
    pub faults: usize,
    /// First failing look.
    pub from_secs: UnixSecs,
    /// Last failing look.
    pub until_secs: UnixSecs,
    /// Cause of the last failing look.
    pub cause: Cause,
}

impl Clip<'_> {
    /// Whether this many failing looks over the least time are there.
    pub fn proven(&self, looks_needed: u32, rules: &Rules) -> bool {
        self.faults as u64 >= u64::from(looks_needed)
            && self.until_secs.saturating_sub(self.from_secs) >= rules.proof_min_secs
    }
}

#[cfg(test)]
mod tests;
