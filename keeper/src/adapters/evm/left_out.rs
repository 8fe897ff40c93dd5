//! Views that could not be decoded: remembered, and read again poll by poll, ever more rarely.

use super::touched::Touched;
use std::collections::BTreeMap;
use std::fmt;
use surety_core::types::{CaseId, MachineId, RentalId};

/// Most ids remembered; what is beyond waits for the next full read.
pub(super) const LEFT_OUT_MAX: usize = 1_024;

/// Polls between two attempts double up to this: 64 polls are three minutes at the usual pace.
const WAIT_DOUBLINGS_MAX: u32 = 6;

/// What was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Id {
    Registration(u32),
    Machine(MachineId),
    Rental(RentalId),
    Case(CaseId),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registration(id) => write!(f, "registration {id}"),
            Self::Machine(id) => write!(f, "machine {id}"),
            Self::Rental(id) => write!(f, "rental {id}"),
            Self::Case(id) => write!(f, "case {id}"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Retry {
    tries: u32,
    polls_left: u32,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct LeftOut(BTreeMap<Id, Retry>);

impl LeftOut {
    /// A poll goes by: what is to be read again now.
    pub(super) fn due(&mut self) -> Touched {
        let mut touched = Touched::default();
        for (id, retry) in &mut self.0 {
            retry.polls_left = retry.polls_left.saturating_sub(1);
            if retry.polls_left == 0 {
                touched.add(*id);
            }
        }
        touched
    }

    /// After a read: what of `asked` could be decoded is forgotten, what could not waits longer than before.
    pub(super) fn settle(&mut self, asked: &Touched, still: &BTreeMap<Id, String>) {
        self.0.retain(|id, _| still.contains_key(id) || !asked.names(*id));
        for (id, why) in still {
            let known = self.0.get(id).map(|retry| retry.tries);
            if known.is_none() {
                tracing::error!(%id, why, "a view cannot be decoded; it is left out and read again until it can");
                if self.0.len() >= LEFT_OUT_MAX {
                    tracing::error!(%id, "too many views cannot be decoded; this one waits for the next full read");
                    continue;
                }
            }
            let tries = known.map_or(0, |tries| tries.saturating_add(1));
            let polls_left = 1 << tries.min(WAIT_DOUBLINGS_MAX);
            self.0.insert(*id, Retry { tries, polls_left });
        }
    }
}
