//! The lines of an export, and a store as a stream of them.

use crate::adapters::store::{Checkpoint, Reading, StatementRow, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use surety_core::input::Input;
use surety_core::state::{Config, State};
use surety_core::statement::{Signed, Statement};
use surety_core::types::{Hash32, UnixSecs};

/// Version of the format, in the first line.
pub(super) const FORMAT: u32 = 1;

/// One line of an export. Order: `head`; `base`; then `log` and `checkpoint` by `seq`; `statement`; `evidence`; `end`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// What this is.
    Head {
        /// [`FORMAT`].
        format: u32,
        /// Last input in the log.
        last: u64,
    },
    /// The state that the first entry of the log meets.
    Base {
        /// The last input in it.
        seq: u64,
        /// Its hash.
        hash: Hash32,
        /// Release that wrote it.
        version: String,
        /// The state.
        state: Box<State>,
    },
    /// An entry of the log.
    Log {
        /// Its number.
        seq: u64,
        /// The input.
        input: Input,
    },
    /// What the keeper's state was after input `seq`, and what it was configured with from there on.
    Checkpoint {
        /// The last input in it.
        seq: u64,
        /// Its hash.
        hash: Hash32,
        /// Release that wrote it.
        version: String,
        /// The configuration in it.
        config: Box<Config>,
    },
    /// A statement, this keeper's (`own`) or a peer's.
    Statement {
        /// Whether this keeper signed it.
        own: bool,
        /// When it was stored, chain time.
        stored_secs: UnixSecs,
        /// The statement.
        signed: Signed<Statement>,
    },
    /// A bundle of evidence, served at `/evidence/<digest>`.
    Evidence {
        /// Its name.
        digest: Hash32,
        /// Its length.
        bytes: u64,
        /// When it was stored, chain time.
        stored_secs: UnixSecs,
    },
    /// The last line: without it something is missing.
    End {
        /// Lines before this one.
        lines: u64,
    },
}

/// A store as lines. Some hundred rows are in memory at a time, however long the log is.
pub(super) struct StoreLines<'a> {
    reading: &'a Reading,
    waiting: VecDeque<Line>,
    stage: Stage,
    count: u64,
    /// Last entry of the log when this began: what a running keeper adds meanwhile is left for the next time.
    last: u64,
}

enum Stage {
    Head,
    Log { after: u64, next: Option<Checkpoint> },
    Statements { after: u64 },
    Evidence { after: Option<Hash32> },
    End,
    Over,
}

impl<'a> StoreLines<'a> {
    pub(super) fn new(reading: &'a Reading) -> Self {
        Self { reading, waiting: VecDeque::new(), stage: Stage::Head, count: 0, last: 0 }
    }

    /// Reads the next page into `waiting`, or moves to the next stage.
    fn advance(&mut self) -> Result<(), StoreError> {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Head => self.head()?,
            Stage::Log { after, next } => self.log(after, next)?,
            Stage::Statements { after } => {
                let page = self.reading.statements_after(after)?;
                let last = page.last().map(|row| row.seq);
                self.waiting.extend(page.into_iter().map(statement));
                last.map_or(Stage::Evidence { after: None }, |after| Stage::Statements { after })
            }
            Stage::Evidence { after } => {
                let page = self.reading.evidence_after(after)?;
                let last = page.last().map(|row| row.digest);
                let line = |row: crate::adapters::store::EvidenceRow| Line::Evidence {
                    digest: row.digest,
                    bytes: row.bytes,
                    stored_secs: row.stored_secs,
                };
                self.waiting.extend(page.into_iter().map(line));
                last.map_or(Stage::End, |digest| Stage::Evidence { after: Some(digest) })
            }
            Stage::End => {
                self.waiting.push_back(Line::End { lines: self.count });
                Stage::Over
            }
            Stage::Over => Stage::Over,
        };
        Ok(())
    }

    fn head(&mut self) -> Result<Stage, StoreError> {
        let Some(base) = self.reading.checkpoint_from(0)? else {
            let why = "there is none: run the keeper once, it writes one".into();
            return Err(StoreError::Corrupt { what: "checkpoints", why });
        };
        self.last = self.reading.log_bounds()?.map_or(base.seq, |(_, last)| last);
        self.waiting.push_back(Line::Head { format: FORMAT, last: self.last });
        let next = self.reading.checkpoint_from(base.seq + 1)?;
        let Checkpoint { seq, hash, version, state } = base;
        self.waiting.push_back(Line::Base { seq, hash, version, state });
        Ok(Stage::Log { after: seq, next })
    }

    fn log(&mut self, mut after: u64, mut next: Option<Checkpoint>) -> Result<Stage, StoreError> {
        let page = self.reading.log_after(after)?;
        let over = page.is_empty() || after >= self.last;
        for (seq, input) in page.into_iter().take_while(|(seq, _)| *seq <= self.last) {
            if seq != after + 1 {
                let why = format!("entry {} is not there any more: start again", after + 1);
                return Err(StoreError::Corrupt { what: "log", why });
            }
            self.waiting.push_back(Line::Log { seq, input });
            after = seq;
            if let Some(due) = next.take_if(|next| next.seq == seq) {
                let config = Box::new(due.state.config);
                self.waiting.push_back(Line::Checkpoint { seq, hash: due.hash, version: due.version, config });
                next = self.reading.checkpoint_from(seq + 1)?;
            }
        }
        Ok(if over { Stage::Statements { after: 0 } } else { Stage::Log { after, next } })
    }
}

fn statement(row: StatementRow) -> Line {
    Line::Statement { own: row.own, stored_secs: row.stored_secs, signed: row.signed }
}

impl Iterator for StoreLines<'_> {
    type Item = Result<Line, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.waiting.is_empty() && !matches!(self.stage, Stage::Over) {
            if let Err(error) = self.advance() {
                self.stage = Stage::Over;
                return Some(Err(error));
            }
        }
        let line = self.waiting.pop_front()?;
        self.count += 1;
        Some(Ok(line))
    }
}
