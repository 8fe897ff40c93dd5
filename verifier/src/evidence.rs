//! Checking again: the session ([`replay`], with the keeper's vectors or any others), and what the machine signed
//! ([`recheck_public`] and [`FraudProof`], with nothing but public bytes).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::frame::{self, Decoder, Frame, Root, Row, Side, Start};
use crate::freivalds::{EpochSecrets, RowFault};
use crate::limits::{GPUS_MAX, OPENED_ROWS_MAX};
use crate::params::ParamsError;
use crate::seed::{self, RowAt};
use crate::session::{KeeperSession, Next, Outcome, SessionError, SetupError};
use crate::statement::Statement;
use crate::transcript::{End, Party, Transcript};
use crate::verdict::{BadRow, Verdict};
use crate::{Bytes32, matrix, tree};

/// Why a transcript does not replay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// No session can be set up like this, or the secrets are of another epoch.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// An event is no frame.
    #[error("event {0} is not one whole frame")]
    Event(usize),
    /// The session goes on where the transcript ends, or ends where it goes on.
    #[error("the session does not end where the transcript does")]
    End,
    /// The keeper would have sent other frames, or at other times.
    #[error("a keeper would not have said what the transcript has it say")]
    Differs,
}

impl From<SessionError> for ReplayError {
    fn from(_: SessionError) -> Self {
        Self::End
    }
}

/// Runs the keeper's side again on what the machine said. Gives the verdict of the live session, or an error if any
/// byte or time of the transcript is not what a keeper with these secrets would have recorded.
///
/// # Errors
/// When the transcript is not that of a session.
pub fn replay(transcript: &Transcript, secrets: &Arc<EpochSecrets>) -> Result<Verdict, ReplayError> {
    let challenge = transcript.challenge.clone();
    let (mut session, _) = KeeperSession::new(challenge, Arc::clone(secrets), transcript.started_ms)?;
    let mut decided = None;
    for (index, event) in transcript.events.iter().enumerate().filter(|(_, event)| event.from == Party::Machine) {
        let frame = event.decode().map_err(|_| ReplayError::Event(index))?;
        if let Next::Done(outcome) = session.on_frame(frame, event.at_ms)? {
            decided = Some(*outcome);
        }
    }
    let outcome = match decided {
        Some(outcome) => outcome,
        None => end(&mut session, &transcript.end)?,
    };
    if outcome.transcript == *transcript { Ok(outcome.verdict) } else { Err(ReplayError::Differs) }
}

fn end(session: &mut KeeperSession, end: &End) -> Result<Outcome, ReplayError> {
    Ok(match end {
        End::Decided => return Err(ReplayError::End),
        End::TimedOut { at_ms } => session.on_timeout(*at_ms)?,
        End::Disconnected { at_ms } => session.on_disconnect(*at_ms)?,
        End::Malformed { at_ms, detail } => {
            session.advance(*at_ms)?;
            session.malformed(detail.clone())
        }
    })
}

/// What a transcript shows to somebody who has no secret. Times cannot be checked: they are the keeper's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicFinding {
    /// The machine signed a root with a bad row.
    Fraud(BadRow, Box<FraudProof>),
    /// Every row that the machine showed under its signature is right.
    RowsRight {
        /// How many.
        rows: usize,
        /// Whether they are all the rows that the session's random bytes choose.
        complete: bool,
    },
    /// The machine signed nothing in this session.
    NothingSigned,
}

/// Why public bytes show nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublicError {
    /// A part is not one whole frame of its type.
    #[error("the {0} frame is missing or not one whole frame")]
    Frame(&'static str),
    /// Sizes out of bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// No GPUs, or too many.
    #[error("{0} GPUs: 1 to {GPUS_MAX} can be")]
    Count(u16),
    /// The start frame is not that of the challenge.
    #[error("the work sent is not that of the challenge")]
    OtherStart,
    /// The roots have other sizes than the work.
    #[error("the roots are not those of the work")]
    RootShape,
    /// The machine did not sign.
    #[error("the signature is not the machine's")]
    Signature,
    /// The row is not under the signed roots.
    #[error("the row is not under the signed roots")]
    RowNotCommitted,
    /// The row is right: no fraud.
    #[error("the row is right: there is no fraud here")]
    RowIsRight,
}

/// Recomputes every opened row from public seeds. Time: K·N multiplications a row (at full size 0.07 s a row on one
/// core, B generated once for all).
///
/// # Errors
/// When the transcript contradicts itself.
pub fn recheck_public(transcript: &Transcript) -> Result<PublicFinding, PublicError> {
    let Some(root) = root_of(transcript) else {
        return Ok(PublicFinding::NothingSigned);
    };
    let start = transcript.challenge.start();
    if !transcript.frames_from(Party::Keeper).any(|frame| frame == Frame::Start(start.clone())) {
        return Err(PublicError::OtherStart);
    }
    let signed = match Signed::new(start, root) {
        Err(PublicError::Signature | PublicError::RootShape) => {
            return Ok(PublicFinding::NothingSigned);
        }
        signed => signed?,
    };
    let rows = rows_of(transcript);
    let committed: Vec<Row> = rows.into_iter().filter(|row| signed.committed(row).is_some()).collect();
    let fault = signed.faults(&committed).into_iter().zip(&committed).find_map(|(fault, row)| Some((fault?, row)));
    if let Some((fault, row)) = fault {
        let proof = FraudProof::of(&signed, row);
        return Ok(PublicFinding::Fraud(BadRow { at: row.at, fault }, Box::new(proof)));
    }
    let chosen = signed.chosen(&transcript.challenge.session_random);
    let complete = committed.iter().map(|row| row.at).eq(chosen);
    Ok(PublicFinding::RowsRight { rows: committed.len(), complete })
}

fn root_of(transcript: &Transcript) -> Option<Root> {
    transcript.frames_from(Party::Machine).find_map(|frame| match frame {
        Frame::Root(root) => Some(root),
        _ => None,
    })
}

fn rows_of(transcript: &Transcript) -> Vec<Row> {
    let rows = transcript.frames_from(Party::Machine).filter_map(|frame| match frame {
        Frame::Row(row) => Some(row),
        _ => None,
    });
    rows.take(usize::from(OPENED_ROWS_MAX)).collect()
}

/// Roots with their machine's good signature.
struct Signed {
    start: Start,
    root: Root,
}

impl Signed {
    fn new(start: Start, root: Root) -> Result<Self, PublicError> {
        start.params.check()?;
        if start.count == 0 || start.count > GPUS_MAX {
            return Err(PublicError::Count(start.count));
        }
        if (root.count, root.rounds) != (start.count, start.params.rounds) {
            return Err(PublicError::RootShape);
        }
        if !Statement::answering(&start, &root.roots).signed_by_machine(&root.signature) {
            return Err(PublicError::Signature);
        }
        Ok(Self { start, root })
    }

    /// The key of the row's A, if the row lies under the signed roots.
    fn committed(&self, row: &Row) -> Option<Bytes32> {
        let RowAt { gpu, round, row: index } = row.at;
        let (root, before) = (self.root.of(gpu, round)?, self.root.before(gpu, round)?);
        tree::verify(&self.start.params, root, index, &row.block, &row.path).ok()?;
        Some(seed::matrix_a_key(&seed::gpu_seed(&self.start.session_seed, gpu), round, before))
    }

    /// What is wrong with each row. All must be committed.
    fn faults(&self, rows: &[Row]) -> Vec<Option<RowFault>> {
        let params = &self.start.params;
        let keys = rows.iter().filter_map(|row| Some((row, self.committed(row)?)));
        let a: Vec<_> = keys.map(|(row, key)| matrix::row(&key, row.at.row, params.inner)).collect();
        let right = matrix::rows_from_seed(params, &seed::matrix_b_key(&self.start.epoch_seed), &a);
        rows.iter().zip(right).map(|(row, right)| self.fault(row, &right)).collect()
    }

    fn fault(&self, row: &Row, right: &[u16]) -> Option<RowFault> {
        let shown = matrix::from_bytes(tree::row_in_block(&self.start.params, row.at.row, &row.block));
        if shown == right {
            return None;
        }
        let residues = shown.iter().all(|residue| *residue < crate::field::P);
        Some(if residues { RowFault::WrongProduct } else { RowFault::NotAResidue })
    }

    fn chosen(&self, session_random: &Bytes32) -> Vec<RowAt> {
        let digest = Statement::answering(&self.start, &self.root.roots).digest();
        seed::choose_openings(&self.start.params, self.start.count, session_random, &digest)
    }
}

/// Three frames that prove fraud to anybody: the work, the signed roots, a row. Nothing in it is secret, and no
/// keeper has to be believed: the work is part of what the machine signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FraudProof {
    /// The start frame's bytes.
    #[serde(with = "crate::hexed")]
    pub start: Vec<u8>,
    /// The root frame's bytes.
    #[serde(with = "crate::hexed")]
    pub root: Vec<u8>,
    /// The row frame's bytes.
    #[serde(with = "crate::hexed")]
    pub row: Vec<u8>,
}

/// What a fraud proof proves, of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenFraud {
    /// The work; its machine is the liar.
    pub start: Start,
    /// The row.
    pub bad_row: BadRow,
}

impl FraudProof {
    fn of(signed: &Signed, row: &Row) -> Self {
        Self {
            start: frame::encode(&Frame::Start(signed.start.clone())),
            root: frame::encode(&Frame::Root(signed.root.clone())),
            row: frame::encode(&Frame::Row(row.clone())),
        }
    }

    /// Recomputes the row (at full size 0.15 s on one core).
    ///
    /// # Errors
    /// When this proves nothing.
    pub fn verify(&self) -> Result<ProvenFraud, PublicError> {
        let Some(Frame::Start(start)) = whole(Side::FromKeeper, &self.start) else {
            return Err(PublicError::Frame("start"));
        };
        let Some(Frame::Root(root)) = whole(Side::FromMachine, &self.root) else {
            return Err(PublicError::Frame("root"));
        };
        let Some(Frame::Row(row)) = whole(Side::FromMachine, &self.row) else {
            return Err(PublicError::Frame("row"));
        };
        let signed = Signed::new(start, root)?;
        signed.committed(&row).ok_or(PublicError::RowNotCommitted)?;
        let fault = signed.faults(std::slice::from_ref(&row)).pop().flatten().ok_or(PublicError::RowIsRight)?;
        Ok(ProvenFraud { start: signed.start, bad_row: BadRow { at: row.at, fault } })
    }
}

fn whole(side: Side, mut bytes: &[u8]) -> Option<Frame> {
    let frame = Decoder::new(side).take(&mut bytes).ok().flatten();
    frame.filter(|_| bytes.is_empty())
}
