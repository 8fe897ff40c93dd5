//! What a keeper's process finds after a crash: log, snapshot, wishes not granted, outbox. One commit a step, as in the
//! real store.

use crate::check::Check;
use crate::env::Board;
use crate::rng::mix;
use surety_core::effect::{Effect, EffectId};
use surety_core::ids::number_of;
use surety_core::input::Input;
use surety_core::outbox::{Row, RowState};
use surety_core::state::State;
use surety_core::statement::{Signed, Statement};
use surety_core::step::step;
use surety_core::types::Hash32;

/// A row of the outbox; `reported` once its end is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Outboxed {
    pub(crate) row: Row,
    pub(crate) reported: bool,
}

/// A keeper's one file.
#[derive(Debug)]
pub(crate) struct Disk {
    snapshot: State,
    log: Vec<(Input, u64)>,
    unsigned: Vec<Effect>,
    pub(crate) outbox: Vec<Outboxed>,
    every: u64,
    /// What the process knew when it died, if all of it was committed.
    alive: Option<Box<State>>,
    compared: u64,
}

/// One comparison in so many is by hash as well.
const HASH_EVERY: u64 = 8;

/// What a start finds.
pub(crate) struct Loaded {
    pub(crate) state: State,
    pub(crate) unsigned: Vec<Effect>,
}

impl Disk {
    pub(crate) fn new(state: State, every: u64) -> Self {
        Self {
            snapshot: state,
            log: Vec::new(),
            unsigned: Vec::new(),
            outbox: Vec::new(),
            every,
            alive: None,
            compared: 0,
        }
    }

    /// One step: all of it or, when the process dies before, nothing.
    pub(crate) fn commit(&mut self, input: &Input, effects: &[Effect], state: &State, board: &mut Board) {
        match input {
            Input::Signed(signed) => {
                publish(signed, board);
                let digest = signed.statement.evidence();
                self.unsigned.retain(|effect| asked_digest(effect) != Some(digest));
            }
            Input::Tx(result) => {
                self.outbox.iter_mut().filter(|one| one.row.id == result.id).for_each(|one| one.reported = true);
            }
            _ => {}
        }
        effects.iter().for_each(|effect| self.keep(effect));
        self.log.push((input.clone(), effects_digest(effects)));
        if self.log.len() as u64 >= self.every {
            self.snapshot = state.clone();
            self.log.clear();
        }
    }

    /// Looks and measurements are begun anew after a restart; signatures and transactions are not lost.
    fn keep(&mut self, effect: &Effect) {
        match effect {
            Effect::Sign { id, .. } if !self.unsigned.iter().any(|old| asked_id(old) == Some(*id)) => {
                self.unsigned.push(effect.clone());
            }
            Effect::Submit { id, intent } => match self.outbox.iter_mut().find(|one| one.row.id == *id) {
                Some(old) if old.reported => {
                    *old = Outboxed { row: Row::new(*id, intent.clone()), reported: false };
                }
                Some(_) => {}
                None => self.outbox.push(Outboxed { row: Row::new(*id, intent.clone()), reported: false }),
            },
            _ => {}
        }
    }

    pub(crate) fn put_row(&mut self, row: &Row) {
        self.outbox.iter_mut().filter(|one| one.row.id == row.id).for_each(|one| one.row = row.clone());
    }

    /// Rows whose end is not in the log, in order.
    pub(crate) fn lane(&self) -> Vec<Row> {
        self.outbox.iter().filter(|one| !one.reported).map(|one| one.row.clone()).collect()
    }

    /// The process is gone. What it knew is kept beside the file, to be compared, unless the last step was torn off.
    pub(crate) fn died(&mut self, knew: State, torn: bool) {
        self.alive = (!torn).then(|| Box::new(knew));
    }

    /// Snapshot through its written form, then the log after it: the same state and the same wishes as before.
    pub(crate) fn load(&mut self, check: &mut Check) -> Loaded {
        let text = serde_json::to_string(&self.snapshot).unwrap_or_default();
        let read: Option<State> = serde_json::from_str(&text).ok();
        check.require(read.is_some(), || "a snapshot cannot be read back".to_owned());
        let mut state = read.unwrap_or_else(|| self.snapshot.clone());
        for (input, digest) in &self.log {
            let effects = step(&mut state, input);
            check.require(effects_digest(&effects) == *digest, || "replay wishes for something else".to_owned());
        }
        if let Some(alive) = self.alive.take() {
            // Hashing writes the whole state down; equality does it most of the time.
            self.compared += 1;
            let hashes = !self.compared.is_multiple_of(HASH_EVERY) || state.hash() == alive.hash();
            let same = hashes && state == *alive;
            check.require(same, || "replay reaches another state than the process that died had".to_owned());
        }
        Loaded { state, unsigned: self.unsigned.clone() }
    }

    /// Whether an intent is on its way: its end is not in the log.
    pub(crate) fn is_open(&self, id: &EffectId) -> bool {
        self.outbox.iter().any(|one| one.row.id == *id && !one.reported)
    }

    /// Rows that have not reached their end.
    pub(crate) fn unfinished(&self) -> usize {
        let ended = |row: &Row| matches!(row.state, RowState::Done | RowState::Failed { .. });
        self.outbox.iter().filter(|one| !(one.reported && ended(&one.row))).count()
    }
}

fn asked_digest(effect: &Effect) -> Option<Hash32> {
    match effect {
        Effect::Sign { statement, .. } => Some(statement.evidence()),
        _ => None,
    }
}

fn asked_id(effect: &Effect) -> Option<EffectId> {
    match effect {
        Effect::Sign { id, .. } => Some(*id),
        _ => None,
    }
}

fn publish(signed: &Signed<Statement>, board: &mut Board) {
    let (signer, signature) = (signed.signer, signed.signature);
    match signed.statement {
        Statement::Attestation(statement) => {
            let new = Signed { statement, signer, signature };
            if !board.attestations.contains(&new) {
                board.attestations.push(new);
            }
        }
        Statement::Certificate(statement) => {
            board.certificates.insert(statement.machine, Signed { statement, signer, signature });
        }
        Statement::Spoof(statement) => {
            let new = Signed { statement, signer, signature };
            if !board.spoofs.contains(&new) {
                board.spoofs.push(new);
            }
        }
    }
}

/// Ids of effects, in order, as one number.
pub(crate) fn effects_digest(effects: &[Effect]) -> u64 {
    effects.iter().fold(0, |sum, effect| mix(sum ^ number_of(effect_id(effect))))
}

fn effect_id(effect: &Effect) -> EffectId {
    match effect {
        Effect::Probe { id, .. }
        | Effect::ProbeAnchors { id }
        | Effect::Inventory { id, .. }
        | Effect::CheckSpoof { id, .. }
        | Effect::Measure { id, .. }
        | Effect::Sign { id, .. }
        | Effect::Submit { id, .. }
        | Effect::Alert { id, .. } => *id,
    }
}
