//! `surety keeper replay`: fold a log again, and compare with what the keeper had. Pure: nothing is signed or sent, no
//! key is read.

use super::lines::{FORMAT, Line, StoreLines};
use crate::adapters::store::{Checkpoint, Reading};
use anyhow::{Context, Result, bail, ensure};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use surety_core::effect::Effect;
use surety_core::input::Input;
use surety_core::state::State;
use surety_core::step::step;
use surety_core::types::{Hash32, UnixSecs};

/// Longest line read: a state of the largest allowed size is about this long.
const LINE_BYTES_MAX: u64 = 256 << 20;

/// Alerts shown at the end.
const ALERTS_SHOWN: usize = 10;

/// What a replay found.
#[derive(Debug, Default)]
pub struct Replay {
    /// Number of the entry before the first.
    base: u64,
    /// Number of the last entry.
    last: u64,
    /// Entries by kind.
    inputs: BTreeMap<&'static str, u64>,
    /// Wishes by kind.
    wishes: BTreeMap<&'static str, u64>,
    /// The newest alerts, with the wall clock then.
    alerts: VecDeque<(UnixSecs, String)>,
    /// Wall clock at the first and last tick, Unix seconds.
    span_secs: Option<(UnixSecs, UnixSecs)>,
    /// Checkpoints that agree.
    agreed: u64,
    /// The first that does not: after which entry, and what was expected and found.
    differs: Option<(u64, Hash32, Hash32)>,
    /// The last checkpoint that agrees.
    sound_to: u64,
    /// The hash at the end.
    hash: Hash32,
    /// Releases that wrote the checkpoints.
    versions: Vec<String>,
}

pub(super) fn run_store(path: &Path) -> Result<()> {
    let reading = Reading::open(path)?;
    let found = replay(StoreLines::new(&reading).map(|line| line.map_err(anyhow::Error::from)))?;
    finish(found, Some(reading.snapshot()?))
}

pub(super) fn run_log(path: &Path) -> Result<()> {
    let lines: Box<dyn BufRead> = if path == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(BufReader::new(std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?))
    };
    finish(replay(read_lines(lines))?, None)
}

fn finish(mut found: Replay, snapshot: Option<Checkpoint>) -> Result<()> {
    // The newest snapshot may lie between two checkpoints: it is compared when it is the end of the log.
    if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.seq == found.last) {
        found.compare(snapshot.seq, snapshot.hash, found.hash);
    }
    println!("{found}");
    match found.differs {
        None => Ok(()),
        Some((seq, ..)) => bail!(
            "the state after entry {seq} is not the keeper's; it was up to entry {}. Either the log was changed, or this \
             program judges otherwise than the release that ran ({})",
            found.sound_to,
            found.versions.join(", ")
        ),
    }
}

/// The lines of an export, one at a time; each is bounded.
fn read_lines(mut from: impl BufRead) -> impl Iterator<Item = Result<Line>> {
    let mut number = 0u64;
    std::iter::from_fn(move || {
        number += 1;
        let mut text = Vec::new();
        match from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_slice(&text).with_context(|| format!("line {number} is not an export's"))),
            Err(error) => Some(Err(anyhow::Error::from(error).context(format!("reading line {number}")))),
        }
    })
}

/// Folds an export (`surety keeper export`) again.
///
/// # Errors
/// The lines are not an export's, or something is missing among them. A state that differs is no error here.
pub fn replay(lines: impl Iterator<Item = Result<Line>>) -> Result<Replay> {
    let mut found = Replay::default();
    let mut state: Option<Box<State>> = None;
    let (mut announced, mut count, mut ended) = (0, 0, false);
    for line in lines {
        let line = line?;
        ensure!(!ended, "there are lines after the last one");
        match (line, &mut state) {
            (Line::Head { format, last }, None) if count == 0 => {
                ensure!(format == FORMAT, "an export of format {format}, this program reads {FORMAT}");
                announced = last;
            }
            (Line::Base { seq, hash, version, state: base }, None) if count == 1 => {
                (found.base, found.last, found.sound_to) = (seq, seq, seq);
                found.versions.push(version);
                found.compare(seq, hash, base.hash());
                state = Some(base);
            }
            (Line::Log { seq, input }, Some(state)) => {
                ensure!(seq == found.last + 1, "entry {} of the log is missing", found.last + 1);
                found.take(seq, state, &input);
            }
            (Line::Checkpoint { seq, hash, version, config }, Some(state)) => {
                ensure!(seq == found.last, "a checkpoint of entry {seq} stands after entry {}", found.last);
                // A run with other rules begins by writing one: until here the state was judged by the old ones.
                state.config = *config;
                if !found.versions.contains(&version) {
                    found.versions.push(version);
                }
                found.compare(seq, hash, state.hash());
            }
            (Line::Statement { .. } | Line::Evidence { .. }, Some(_)) => {}
            (Line::End { lines }, Some(_)) => {
                ensure!(lines == count, "{count} lines, the last one says {lines}: some are missing");
                ended = true;
            }
            _ => bail!("line {} stands where it cannot", count + 1),
        }
        count += 1;
    }
    let Some(state) = state.filter(|_| ended) else { bail!("the export breaks off after {count} lines") };
    ensure!(found.last == announced, "the log ends at entry {}, not at {announced}", found.last);
    found.hash = state.hash();
    Ok(found)
}

impl Replay {
    /// Whether every state agrees with the keeper's.
    pub fn agrees(&self) -> bool {
        self.differs.is_none()
    }

    /// The hash at the end.
    pub fn hash(&self) -> Hash32 {
        self.hash
    }

    fn take(&mut self, seq: u64, state: &mut State, input: &Input) {
        let effects = step(state, input);
        self.last = seq;
        *self.inputs.entry(input_name(input)).or_default() += 1;
        if let Input::Tick(_) = input {
            let now_secs = state.clock.now_secs();
            self.span_secs = Some((self.span_secs.map_or(now_secs, |(first, _)| first), now_secs));
        }
        for effect in effects {
            *self.wishes.entry(effect_name(&effect)).or_default() += 1;
            if let Effect::Alert { message, .. } = effect {
                self.alerts.push_back((state.clock.now_secs(), message));
                if self.alerts.len() > ALERTS_SHOWN {
                    self.alerts.pop_front();
                }
            }
        }
    }

    fn compare(&mut self, seq: u64, wanted: Hash32, found: Hash32) {
        if wanted == found && self.differs.is_none() {
            self.agreed += 1;
            self.sound_to = seq;
        } else if self.differs.is_none() {
            self.differs = Some((seq, wanted, found));
        }
    }
}

fn input_name(input: &Input) -> &'static str {
    match input {
        Input::Started(_) => "starts",
        Input::Tick(_) => "ticks",
        Input::Chain(_) => "chain updates",
        Input::Probe(_) => "looks",
        Input::Anchors(_) => "anchor rounds",
        Input::Measure(_) => "measurements",
        Input::Inventory(_) => "statements about cards",
        Input::PeerSpoof(_) => "peers' spoofs",
        Input::Complaint(_) => "renters' complaints",
        Input::Hint(_) => "peers' hints",
        Input::SpoofChecked(_) => "spoofs recomputed",
        Input::Signed(_) => "own signatures",
        Input::Peer(_) => "peers' attestations",
        Input::Tx(_) => "transactions ended",
    }
}

fn effect_name(effect: &Effect) -> &'static str {
    match effect {
        Effect::Probe { .. } => "looks",
        Effect::ProbeAnchors { .. } => "anchor rounds",
        Effect::Measure { .. } => "measurements",
        Effect::Inventory { .. } => "questions about cards",
        Effect::CheckSpoof { .. } => "spoofs to recompute",
        Effect::Sign { .. } => "signatures",
        Effect::Submit { .. } => "transactions",
        Effect::Alert { .. } => "alerts",
    }
}

impl fmt::Display for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<&str, u64>| {
            let words: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
            words.join(", ")
        };
        writeln!(f, "entries       {} to {}", self.base + 1, self.last)?;
        if let Some((from, to)) = self.span_secs {
            writeln!(f, "time          {from} to {to}, {} s", to.saturating_sub(from))?;
        }
        writeln!(f, "taken         {}", list(&self.inputs))?;
        writeln!(f, "wished        {}", list(&self.wishes))?;
        for (at_secs, message) in &self.alerts {
            writeln!(f, "alert         {at_secs} {message}")?;
        }
        writeln!(f, "state         {}", self.hash)?;
        match self.differs {
            None => write!(f, "compared      {} states of the keeper's, all the same", self.agreed),
            Some((seq, wanted, found)) => {
                write!(f, "DIFFERS       after entry {seq}: the keeper had {wanted}, here it is {found}")
            }
        }
    }
}

#[cfg(test)]
mod tests;
