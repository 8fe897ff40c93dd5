//! A naive judge: from everything one keeper took in, in order, what it may sign. It keeps no state from one input to
//! the next; each question is answered by reading the record again.
//!
//! A claim stands when there are failing looks at the machine such that
//! 1. the first begins it (`NotDelivered`: comes within 120 s of it) and the last ends it;
//! 2. the machine was not seen accepting between the first and the last;
//! 3. each was begun and ended while the keeper saw, and the next anchor round asked for afterwards found the anchors,
//!    the keeper seeing at every tick until then;
//! 4. each follows the one before within 90 s, by clocks that moved alike;
//! 5. they are at least four, over at least 120 s, and as long as the kind asks;
//! 6. the keeper sees when it signs and counts in the keeper set, and the end is not after the newest block it read.
//!
//! A claim about missing cards stands likewise on what the machine's agent said: fewer than are rented is a failing
//! look, all of them one that succeeded, no answer nothing.
//!
//! The core may sign less than stands: it asks for eight looks when most owners' machines fail together, drops
//! intervals recorded on chain, and thins and cuts long ones. It may not sign more.
//! One thing it must sign: an outage that stands for `Offline`, within two minutes of looks, unless it is recorded.

mod record;

use crate::check::Check;
pub(crate) use record::History;
use record::{Eyes, Fact, Look};
use surety_core::rules::Rules;
use surety_core::statement::Attestation;
use surety_core::types::{Cause, Kind, MachineId, RentalId, UnixSecs};

/// `Offline` is signed anew each minute; a look and its anchor round take up to half a minute more.
const SIGNED_WITHIN_SECS: u64 = 120;

impl History {
    /// Compares what was signed with what stands.
    pub(crate) fn judge(&self, check: &mut Check, index: usize) {
        for (at, claim) in self.claims() {
            let why = self.against(at, claim);
            let says = crate::keeper::describe_claim(claim);
            check.require(why.is_none(), || {
                format!("keeper {index} signs {says}, which does not stand: {}", why.unwrap_or_default())
            });
        }
        let missed = self.missed();
        check.require(missed.is_none(), || format!("keeper {index} keeps silent: {}", missed.unwrap_or_default()));
    }

    /// Why a claim asked for at `at` does not stand.
    fn against(&self, at: usize, claim: &Attestation) -> Option<&'static str> {
        let rules = Rules::default();
        let Some((machine, start)) = self.rental(at, claim.rental) else { return Some("no such rental was read") };
        if self.blind(at) {
            return Some("the keeper is blind");
        }
        if !self.active(at) {
            return Some("the keeper does not count in the set");
        }
        if claim.until_secs > self.newest_secs(at) {
            return Some("it ends after the newest block");
        }
        let never = claim.kind == Kind::NotDelivered;
        if never && (claim.from_secs != start || self.delivered(at, machine, (claim.rental, start))) {
            return Some("it was delivered, or it does not begin with the rental");
        }
        let least_secs = match claim.kind {
            Kind::NotDelivered => rules.not_delivered_after_secs,
            Kind::Offline => rules.offline_after_secs,
            Kind::Interrupted | Kind::Spoofed => rules.interrupted_min_secs,
        };
        if claim.until_secs - claim.from_secs < least_secs {
            return Some("it is too short for its kind");
        }
        let latest_begin = claim.from_secs + if never { rules.first_look_lag_secs } else { 0 };
        let eyes = if claim.cause == Cause::GpusMissing { Eyes::Cards } else { Eyes::Outside };
        let looks = self.vouched(at, machine, eyes);
        let begins = (0..looks.len()).filter(|first| {
            let begin = looks[*first].at_secs;
            claim.from_secs <= begin && begin <= latest_begin
        });
        let mut begins = begins.map(|first| (looks[first].at_secs, self.chains(&looks[first..], machine, eyes)));
        let stands = begins.any(|(begin, chains)| {
            let long = claim.until_secs - begin >= rules.proof_min_secs;
            long && chains.iter().any(|(until, length)| *until == claim.until_secs && *length >= 4)
        });
        (!stands).then_some("its looks do not carry it")
    }

    /// Of all ways to pick looks from the first one on, each following the one before: where they end, and the most
    /// looks on the way there. A look that was dated by a clock which was set back at once need not be among them.
    fn chains(&self, looks: &[Look], machine: MachineId, eyes: Eyes) -> Vec<(UnixSecs, usize)> {
        let mut lengths: Vec<Option<usize>> = vec![Some(1)];
        for next in looks.iter().skip(1) {
            let before = looks.iter().zip(&lengths).filter_map(|(look, length)| Some((look, (*length)?)));
            let joined = before
                .filter(|(look, _)| follows(look, next) && !self.accepted(look.position, next.position, machine, eyes));
            let most = joined.map(|(_, length)| length + 1).max();
            lengths.push(most);
        }
        looks.iter().zip(lengths).filter_map(|(look, length)| Some((look.at_secs, length?))).collect()
    }

    /// Failing looks from `first` on, as long as each follows the one before and none in between succeeded.
    fn run_from(&self, looks: &[Look], first: usize, machine: MachineId, eyes: Eyes) -> Vec<Look> {
        let mut run = vec![looks[first]];
        for next in &looks[first + 1..] {
            let last = run[run.len() - 1];
            if !follows(&last, next) || self.accepted(last.position, next.position, machine, eyes) {
                break;
            }
            run.push(*next);
        }
        run
    }

    /// An outage that stood for `Offline` and was not signed.
    fn missed(&self) -> Option<String> {
        let rules = Rules::default();
        for machine in self.machines() {
            let looks = self.vouched(self.facts.len(), machine, Eyes::Outside);
            let mut first = 0;
            while first < looks.len() {
                let run = self.run_from(&looks, first, machine, Eyes::Outside);
                first += run.len();
                let long =
                    |look: &&Look| look.at_secs >= run[0].at_secs + rules.offline_after_secs + SIGNED_WITHIN_SECS;
                let Some(late) = run.iter().find(long) else { continue };
                // One rental from the beginning to that look, of which nothing is recorded; seeing all the while.
                let position = late.vouched_at;
                let Some(rental) = self.running(position, machine) else { continue };
                let same = self.running(run[0].position, machine) == Some(rental) && rental.3;
                let inside = rental.1 <= run[0].at_secs && late.at_secs <= rental.2 && run.len() >= 8;
                let seeing = (run[0].position..=position).all(|at| !self.blind(at))
                    && self.was_active_all_along(run[0].position, position);
                let by = |claim: &Attestation| claim.rental == rental.0 && claim.kind != Kind::Interrupted;
                let signed = self.claims().any(|(at, claim)| at > run[0].position && at <= position && by(claim));
                if same && inside && seeing && !signed {
                    return Some(format!(
                        "rental {} was out from {} on",
                        rental.0,
                        run[0].at_secs - crate::world::EPOCH
                    ));
                }
            }
        }
        None
    }

    /// Whether a look made for this rental was let in, whatever its time: clocks are off. Machine and start tell it
    /// from one of the same id on a branch that was undone.
    fn delivered(&self, until: usize, machine: MachineId, rental: (RentalId, UnixSecs)) -> bool {
        self.facts.get(..until).unwrap_or_default().iter().any(|fact| match fact {
            Fact::Accepted { machine: seen, rental: about } => *seen == machine && *about == Some(rental),
            _ => false,
        })
    }

    /// Whether the machine was seen well between two positions.
    fn accepted(&self, from: usize, until: usize, machine: MachineId, eyes: Eyes) -> bool {
        self.facts.get(from..until).unwrap_or_default().iter().any(|fact| match (fact, eyes) {
            (Fact::Accepted { machine: seen, .. }, Eyes::Outside)
            | (Fact::Cards { machine: seen, all: true, .. }, Eyes::Cards) => *seen == machine,
            _ => false,
        })
    }
}

fn follows(earlier: &Look, later: &Look) -> bool {
    let rules = Rules::default();
    let Some(apart_secs) = later.at_secs.checked_sub(earlier.at_secs) else { return false };
    let apart_mono_secs = later.started_ms.saturating_sub(earlier.started_ms) / 1_000;
    let alike = later.run != earlier.run || apart_mono_secs.abs_diff(apart_secs) <= rules.clock_jump_max_secs + 1;
    apart_secs <= rules.look_gap_max_secs && alike
}
