//! An interval that a successful look ended. Its last looks were made before the return, and count if the anchors say
//! that our own side was well, as those before them did; the machine is trusted again at once.

use super::Watch;
use crate::health::AnchorRound;
use crate::judge::looks_needed;
use crate::rules::Rules;
use crate::streak::{Look, Pushed, Streak};
use crate::types::{RentalId, UnixSecs};
use serde::{Deserialize, Serialize};

/// The interval as it was when the machine was seen well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closing {
    /// The rental.
    pub rental: RentalId,
    /// When the renter had first been let in, if it had.
    pub delivered_secs: Option<UnixSecs>,
    /// Looks that prove it.
    pub looks_needed: u32,
    /// What the anchors have confirmed.
    pub streak: Option<Streak>,
    /// What waits for them.
    pub waiting: Vec<Look>,
}

impl Watch {
    /// The machine was seen well: what failed before is over once the anchors have spoken about its last looks.
    pub(super) fn close(&mut self, rules: &Rules, now_secs: UnixSecs) {
        // One that is still waiting when the machine returned twice stands by what is confirmed.
        self.drop_waiting();
        self.settle_closing(rules, now_secs);
        let (streak, waiting) = (self.streak.take(), std::mem::take(&mut self.provisional));
        let Some(tenancy) = &self.tenancy else { return };
        if streak.is_some() || !waiting.is_empty() {
            let (rental, delivered_secs) = (tenancy.rental, tenancy.delivered_secs);
            let looks_needed = looks_needed(self.mass, rules);
            let closing = Closing { rental, delivered_secs, looks_needed, streak, waiting };
            self.closing = Some(Box::new(closing));
            self.settle_closing(rules, now_secs);
        }
    }

    /// Looks that the anchors will not confirm any more.
    pub(super) fn drop_waiting(&mut self) {
        self.closing.iter_mut().for_each(|closing| closing.waiting.clear());
    }

    /// Keeps the interval when nothing waits any more.
    pub(crate) fn settle_closing(&mut self, rules: &Rules, now_secs: UnixSecs) {
        let Some(closing) = self.closing.take_if(|closing| closing.waiting.is_empty()) else {
            return;
        };
        if let Some(streak) = closing.streak {
            let (rental, delivered_secs, needed) = (closing.rental, closing.delivered_secs, closing.looks_needed);
            self.keep(streak, (rental, delivered_secs, needed), rules, now_secs);
        }
    }

    /// A round said that our own side was well.
    pub(super) fn confirm_closing(&mut self, round: &AnchorRound, rules: &Rules, now_secs: UnixSecs) {
        let Some(closing) = &mut self.closing else { return };
        let mut broken = Vec::new();
        for mut look in std::mem::take(&mut closing.waiting) {
            if !round.vouches_for(&look) {
                closing.waiting.push(look);
                continue;
            }
            look.anchors = Some(*round);
            match &mut closing.streak {
                None => closing.streak = Streak::begin(look),
                Some(streak) => {
                    if let Pushed::Broke(old) = streak.push(look, rules) {
                        broken.push(old);
                    }
                }
            }
        }
        let about = (closing.rental, closing.delivered_secs, closing.looks_needed);
        broken.into_iter().for_each(|old| self.keep(old, about, rules, now_secs));
        self.settle_closing(rules, now_secs);
    }
}

#[cfg(test)]
mod tests;
