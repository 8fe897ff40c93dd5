//! The record the naive judge reads: one keeper's committed inputs, shortened to what bears on judgement.

use std::collections::{BTreeMap, BTreeSet};
use surety_core::effect::{Effect, EffectId};
use surety_core::input::{Input, InventoryOutcome, InventoryResult, Observation};
use surety_core::rules::Rules;
use surety_core::statement::{Attestation, Statement};
use surety_core::types::{Account, MachineId, RentalId, UnixSecs};
use surety_core::view::{RentalView, View};

/// One line of the record.
#[derive(Debug)]
pub(super) enum Fact {
    Started,
    /// A tick: monotonic and wall milliseconds, and whether the RPC was well.
    Tick(u64, u64, bool),
    /// The best block's time.
    Block(UnixSecs),
    Rental(RentalLine),
    /// Rentals above this were undone.
    Newest(RentalId),
    Accepted {
        machine: MachineId,
        /// For which rental it was asked about.
        rental: Option<(RentalId, UnixSecs)>,
    },
    Failed {
        machine: MachineId,
        at_secs: UnixSecs,
        started_ms: u64,
        ended_ms: u64,
    },
    /// A round was asked for.
    Asked(EffectId, u64),
    /// It came back.
    Round {
        id: EffectId,
        ended_ms: u64,
        well: bool,
    },
    /// What an agent said about the cards of a rented machine: an admission, or all of them.
    Cards {
        machine: MachineId,
        at_secs: UnixSecs,
        started_ms: u64,
        ended_ms: u64,
        all: bool,
    },
    /// Whether the keeper counts in the set.
    Active(bool),
    Claim(Attestation),
}

/// What is told by the looks from outside, and by what agents say.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Eyes {
    Outside,
    Cards,
}

/// What of a rental bears on judgement.
#[derive(Debug, Clone, Copy)]
pub(super) struct RentalLine {
    id: RentalId,
    machine: MachineId,
    start: UnixSecs,
    end: UnixSecs,
    untouched: bool,
    gpu_count: u16,
}

/// A failing look that was vouched for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    pub(super) position: usize,
    pub(super) vouched_at: usize,
    pub(super) run: usize,
    pub(super) at_secs: UnixSecs,
    pub(super) started_ms: u64,
}

/// Everything one keeper committed.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub(super) facts: Vec<Fact>,
    /// For each line, whether the keeper was blind after it, and which run of the process it is.
    notes: Vec<(bool, usize)>,
    /// Looks that were asked for: for which rental, and its start.
    asked_about: BTreeMap<EffectId, (RentalId, UnixSecs)>,
    /// Rentals read of each machine and not undone, with their start: only to say which one a look was asked for.
    rented: BTreeMap<MachineId, BTreeMap<RentalId, UnixSecs>>,
    /// The present registration of each machine.
    registrations: BTreeMap<MachineId, u32>,
    /// Who the keeper is.
    me: Account,
}

impl History {
    pub(crate) fn of(me: Account) -> Self {
        Self { me, ..Self::default() }
    }

    pub(crate) fn note(&mut self, input: &Input, effects: &[Effect]) {
        match input {
            Input::Started(_) => self.push(Fact::Started),
            Input::Tick(tick) => self.push(Fact::Tick(tick.now_ms, tick.now_unix_ms, tick.rpc_healthy)),
            Input::Chain(update) if update.view == View::Best => {
                self.push(Fact::Block(update.block.timestamp_secs));
                if let Some(newest) = &update.newest {
                    self.push(Fact::Newest(newest.rental));
                    self.rented.values_mut().for_each(|ids| ids.retain(|id, _| *id <= newest.rental));
                }
                for rental in &update.rentals {
                    self.push(Fact::Rental(line(rental)));
                    self.rented.entry(rental.machine).or_default().insert(rental.id, rental.start_secs);
                }
                self.registrations.extend(update.nodes.iter().map(|node| (node.machine, node.registration)));
                if let Some(keepers) = &update.keepers {
                    let me = keepers.iter().find(|keeper| keeper.account == self.me);
                    self.push(Fact::Active(me.is_some_and(|keeper| keeper.active && keeper.weight > 0)));
                }
            }
            Input::Inventory(result) => self.note_cards(result),
            Input::Probe(look) => {
                let (machine, at_secs) = (look.machine, look.at_secs);
                let rental = self.asked_about.remove(&look.id);
                match look.seen {
                    Observation::Accepted => self.push(Fact::Accepted { machine, rental }),
                    Observation::NotLooked { .. } => {}
                    _ => {
                        let (started_ms, ended_ms) = (look.started_ms, look.ended_ms);
                        self.push(Fact::Failed { machine, at_secs, started_ms, ended_ms });
                    }
                }
            }
            Input::Anchors(round) => {
                let well = round.asked > 0 && round.reachable * 2 >= round.asked;
                self.push(Fact::Round { id: round.id, ended_ms: round.ended_ms, well });
            }
            _ => {}
        }
        for effect in effects {
            match effect {
                Effect::ProbeAnchors { id } => {
                    let now_ms = self.now(self.facts.len()).0;
                    self.push(Fact::Asked(*id, now_ms));
                }
                Effect::Probe { id, machine, .. } => {
                    let rental = self.rented.get(machine).and_then(BTreeMap::last_key_value);
                    self.asked_about.extend(rental.map(|(rental, start)| (*id, (*rental, *start))));
                }
                Effect::Sign { statement: Statement::Attestation(claim), .. } => self.push(Fact::Claim(*claim)),
                _ => {}
            }
        }
    }

    /// A statement says something when it is about the present registration and no card is named twice.
    fn note_cards(&mut self, result: &InventoryResult) {
        let InventoryOutcome::Stated { statement } = &result.outcome else { return };
        let machine = result.machine;
        let rented = self.rentals(self.facts.len()).find(|line| line.machine == machine).map(|line| line.gpu_count);
        let current = self.registrations.get(&machine) == Some(&statement.registration);
        let (Some(rented), true) = (rented, current && statement.is_well_formed()) else { return };
        let InventoryResult { at_secs, started_ms, ended_ms, .. } = *result;
        let all = statement.cards.len() >= usize::from(rented);
        self.push(Fact::Cards { machine, at_secs, started_ms, ended_ms, all });
    }

    fn push(&mut self, fact: Fact) {
        let run = self.notes.last().map_or(0, |(_, run)| *run) + usize::from(matches!(fact, Fact::Started));
        let decides = matches!(fact, Fact::Tick(..) | Fact::Round { .. } | Fact::Started);
        self.facts.push(fact);
        let before = self.notes.last().is_none_or(|(blind, _)| *blind);
        self.notes.push((before, run));
        if decides {
            let blind = self.looks_blind(self.facts.len());
            self.notes.pop();
            self.notes.push((blind, run));
        }
    }

    /// The lines of the present run up to a position, newest first.
    fn back(&self, until: usize) -> impl Iterator<Item = &Fact> {
        let upto = self.facts.get(..until).unwrap_or_default();
        upto.iter().rev().take_while(|fact| !matches!(fact, Fact::Started))
    }

    /// Monotonic and wall milliseconds at a position.
    fn now(&self, until: usize) -> (u64, u64, bool) {
        let tick = |fact: &Fact| match fact {
            Fact::Tick(ms, unix_ms, well) => Some((*ms, *unix_ms, *well)),
            _ => None,
        };
        self.back(until).find_map(tick).unwrap_or_default()
    }

    /// The keeper's own health, from the record alone.
    fn looks_blind(&self, until: usize) -> bool {
        let rules = Rules::default();
        let (now_ms, unix_ms, rpc_well) = self.now(until);
        let block = self.back(until).find_map(|fact| match fact {
            Fact::Block(secs) => Some(*secs),
            _ => None,
        });
        let round = self.back(until).find_map(|fact| match fact {
            Fact::Round { ended_ms, well, .. } => Some((*ended_ms, *well)),
            _ => None,
        });
        let clock_well = block.is_some_and(|secs| secs.abs_diff(unix_ms / 1_000) <= rules.clock_skew_max_secs);
        let sees =
            round.is_some_and(|(ended_ms, well)| well && now_ms.saturating_sub(ended_ms) <= rules.anchors_stale_ms);
        !(rpc_well && clock_well && sees)
    }

    /// Whether the keeper was blind at a position.
    pub(super) fn blind(&self, at: usize) -> bool {
        self.notes.get(at).is_none_or(|(blind, _)| *blind)
    }

    /// Whether the keeper was blind at any time from the tick of this moment, in the present run, up to a position.
    fn blind_within(&self, from_ms: u64, at: usize) -> bool {
        let upto = self.facts.get(..at).unwrap_or_default();
        let run = upto.iter().rposition(|fact| matches!(fact, Fact::Started)).unwrap_or(0);
        let tick = |at: &usize| matches!(self.facts[*at], Fact::Tick(ms, ..) if ms >= from_ms);
        let begun = (run..at).find(tick).unwrap_or(at);
        (begun..=at).any(|at| self.blind(at))
    }

    pub(super) fn claims(&self) -> impl Iterator<Item = (usize, &Attestation)> {
        self.facts.iter().enumerate().filter_map(|(at, fact)| match fact {
            Fact::Claim(claim) => Some((at, claim)),
            _ => None,
        })
    }

    /// Whether the keeper counted in the set, as last read, in whatever run.
    pub(super) fn active(&self, until: usize) -> bool {
        let active = |fact: &Fact| if let Fact::Active(active) = fact { Some(*active) } else { None };
        self.facts.get(..until).unwrap_or_default().iter().rev().find_map(active).unwrap_or(false)
    }

    /// Whether that changed between two positions.
    pub(super) fn was_active_all_along(&self, from: usize, until: usize) -> bool {
        let between = self.facts.get(from..until).unwrap_or_default();
        self.active(from) && !between.iter().any(|fact| matches!(fact, Fact::Active(false)))
    }

    /// Machine and start of a rental as last read, in whatever run.
    pub(super) fn rental(&self, until: usize, id: RentalId) -> Option<(MachineId, UnixSecs)> {
        self.rentals(until).find(|line| line.id == id).map(|line| (line.machine, line.start))
    }

    /// Rentals as read, newest reading first, without those that were undone.
    fn rentals(&self, until: usize) -> impl Iterator<Item = RentalLine> {
        let mut least = u64::MAX;
        self.facts.get(..until).unwrap_or_default().iter().rev().filter_map(move |fact| match fact {
            Fact::Newest(id) => {
                least = least.min(*id);
                None
            }
            Fact::Rental(line) if line.id <= least => Some(*line),
            _ => None,
        })
    }

    /// The newest rental of a machine: id, start, end, and whether nothing of it is paid or recorded.
    pub(super) fn running(&self, until: usize, machine: MachineId) -> Option<(RentalId, UnixSecs, UnixSecs, bool)> {
        let lines = self.rentals(until).filter(|line| line.machine == machine);
        // The first reading of the highest id is the newest.
        let newest = lines.fold(None, |best: Option<RentalLine>, line| match best {
            Some(best) if best.id >= line.id => Some(best),
            _ => Some(line),
        })?;
        Some((newest.id, newest.start, newest.end, newest.untouched))
    }

    pub(super) fn newest_secs(&self, until: usize) -> UnixSecs {
        let block = |fact: &Fact| if let Fact::Block(secs) = fact { Some(*secs) } else { None };
        self.back(until).find_map(block).unwrap_or(0)
    }

    pub(super) fn machines(&self) -> Vec<MachineId> {
        let failed = self.facts.iter().filter_map(|fact| match fact {
            Fact::Failed { machine, .. } => Some(*machine),
            _ => None,
        });
        failed.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Failing looks at a machine that were vouched for before a position, oldest first.
    pub(super) fn vouched(&self, until: usize, machine: MachineId, eyes: Eyes) -> Vec<Look> {
        let mut looks = Vec::new();
        for (position, fact) in self.facts.iter().enumerate().take(until) {
            let (seen, at_secs, started_ms, ended_ms) = match (fact, eyes) {
                (Fact::Failed { machine, at_secs, started_ms, ended_ms }, Eyes::Outside)
                | (Fact::Cards { machine, at_secs, started_ms, ended_ms, all: false }, Eyes::Cards) => {
                    (machine, at_secs, started_ms, ended_ms)
                }
                _ => continue,
            };
            let run = self.notes[position].1;
            if *seen != machine || self.blind_within(*started_ms, position) {
                continue;
            }
            if let Some(vouched_at) = self.voucher(position, until, *ended_ms) {
                looks.push(Look { position, vouched_at, run, at_secs: *at_secs, started_ms: *started_ms });
            }
        }
        looks
    }

    /// Where the first round asked for after a look came back well, the keeper seeing all the while.
    fn voucher(&self, position: usize, until: usize, ended_ms: u64) -> Option<usize> {
        let mut asked: Vec<(EffectId, u64)> = Vec::new();
        // The round being made when the look came back was asked for before it ended; all others are in what follows.
        for (at, fact) in self.facts.iter().enumerate().take(until).skip(position + 1) {
            match fact {
                Fact::Started => return None,
                Fact::Asked(id, ms) => asked.push((*id, *ms)),
                Fact::Round { id, well, .. } => {
                    let after = asked.iter().any(|(known, ms)| known == id && *ms >= ended_ms);
                    if !well {
                        return None;
                    }
                    if after {
                        return (!self.blind(at)).then_some(at);
                    }
                }
                _ => {}
            }
            if self.blind(at) {
                return None;
            }
        }
        None
    }
}

fn line(view: &RentalView) -> RentalLine {
    RentalLine {
        id: view.id,
        machine: view.machine,
        start: view.start_secs,
        end: view.end_secs,
        untouched: view.faults.is_empty() && !view.closed,
        gpu_count: view.gpu_count,
    }
}
