//! What a session shows to somebody who has no secret.

use super::FraudProof;
use crate::frame::{Frame, Root, Row, Segment, Start, Walked};
use crate::freivalds::RowFault;
use crate::limits::{GPUS_MAX, OPENED_LEGS_MAX, OPENED_ROWS_MAX};
use crate::params::ParamsError;
use crate::seed::{self, LegAt, RowAt};
use crate::segment::{self, SegmentFault};
use crate::statement::{Statement, WalkStatement};
use crate::transcript::{Party, Transcript};
use crate::verdict::{BadRow, Falsehood};
use crate::{Bytes32, matrix, tree};

/// What a transcript shows to somebody who has no secret. Times cannot be checked: they are the keeper's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicFinding {
    /// The machine signed something under which a row or a leg is wrong.
    Fraud(Falsehood, Box<FraudProof>),
    /// All that the machine showed under its signatures is right.
    Right {
        /// How many rows.
        rows: usize,
        /// How many legs of its walk.
        legs: usize,
        /// Whether they are all that the session's random bytes choose.
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
    /// The leg is not under the signed roots.
    #[error("the leg is not under the signed roots")]
    LegNotCommitted,
    /// The leg is right: no fraud.
    #[error("the leg is right: there is no fraud here")]
    LegIsRight,
}

/// Recomputes every opened row from public seeds, and goes every opened leg again. Time: K·N multiplications a row (at
/// full size 0.07 s a row on one core, B generated once for all).
///
/// # Errors
/// When the transcript contradicts itself.
pub fn recheck_public(transcript: &Transcript) -> Result<PublicFinding, PublicError> {
    let Some(root) = from_machine(transcript, |frame| if let Frame::Root(root) = frame { Some(root) } else { None })
    else {
        return Ok(PublicFinding::NothingSigned);
    };
    let start = transcript.challenge.start();
    if !transcript.frames_from(Party::Keeper).any(|frame| frame == Frame::Start(start.clone())) {
        return Err(PublicError::OtherStart);
    }
    let signed = match Signed::new(start, root) {
        Err(PublicError::Signature | PublicError::RootShape) => return Ok(PublicFinding::NothingSigned),
        signed => signed?,
    };
    let rows = match rows(transcript, &signed) {
        Ok(rows) => rows,
        Err((bad, row)) => return Ok(fraud(Falsehood::Row(bad), FraudProof::of_row(&signed, &row))),
    };
    let Some(walked) = walk(transcript, &signed) else {
        return Ok(PublicFinding::Right { rows: rows.len(), legs: 0, complete: false });
    };
    let legs = match legs(transcript, &signed, &walked) {
        Ok(legs) => legs,
        Err(segment) => {
            let proof = FraudProof::of_leg(&signed, &walked, &segment);
            return Ok(fraud(Falsehood::Leg(segment.at), proof));
        }
    };
    let (random, digest) = (&transcript.challenge.session_random, walked.statement(&signed).digest());
    let chosen = seed::choose_openings(&signed.start.params, signed.start.count, random, &digest);
    let complete =
        walked.nonce == seed::walk_nonce(random, &signed.digest()) && (&chosen.rows, &chosen.legs) == (&rows, &legs);
    Ok(PublicFinding::Right { rows: rows.len(), legs: legs.len(), complete })
}

fn fraud(falsehood: Falsehood, proof: FraudProof) -> PublicFinding {
    PublicFinding::Fraud(falsehood, Box::new(proof))
}

fn from_machine<T>(transcript: &Transcript, wanted: impl FnMut(Frame) -> Option<T>) -> Option<T> {
    transcript.frames_from(Party::Machine).find_map(wanted)
}

/// The rows that were shown under the signed roots, all of them right; or the first that is wrong.
fn rows(transcript: &Transcript, signed: &Signed) -> Result<Vec<RowAt>, (BadRow, Row)> {
    let shown = transcript.frames_from(Party::Machine).filter_map(|frame| match frame {
        Frame::Row(row) => Some(row),
        _ => None,
    });
    let shown = shown.take(usize::from(OPENED_ROWS_MAX));
    let committed: Vec<Row> = shown.filter(|row| signed.committed(row).is_some()).collect();
    let faults = signed.faults(&committed).into_iter().zip(&committed);
    match faults.into_iter().find_map(|(fault, row)| Some((fault?, row))) {
        Some((fault, row)) => Err((BadRow { at: row.at, fault }, row.clone())),
        None => Ok(committed.iter().map(|row| row.at).collect()),
    }
}

/// The walk that was asked for and signed, if any was.
fn walk(transcript: &Transcript, signed: &Signed) -> Option<SignedWalk> {
    let nonce = transcript.frames_from(Party::Keeper).find_map(|frame| match frame {
        Frame::Walk(walk) => Some(walk.nonce),
        _ => None,
    })?;
    let walked = from_machine(transcript, |frame| match frame {
        Frame::Walked(walked) => Some(walked),
        _ => None,
    })?;
    SignedWalk::new(signed, nonce, walked).ok()
}

/// The legs that were shown under what was signed, all of them right; or the first that is wrong.
fn legs(transcript: &Transcript, signed: &Signed, walked: &SignedWalk) -> Result<Vec<LegAt>, Segment> {
    let shown = transcript.frames_from(Party::Machine).filter_map(|frame| match frame {
        Frame::Segment(segment) => Some(segment),
        _ => None,
    });
    let mut right = Vec::new();
    for segment in shown.take(usize::from(OPENED_LEGS_MAX)) {
        match walked.check(signed, &segment) {
            Ok(()) => right.push(segment.at),
            Err(SegmentFault::WrongWalk) => return Err(segment),
            Err(SegmentFault::NotCommitted) => {}
        }
    }
    Ok(right)
}

/// Roots with their machine's good signature.
pub(super) struct Signed {
    pub(super) start: Start,
    pub(super) root: Root,
}

impl Signed {
    pub(super) fn new(start: Start, root: Root) -> Result<Self, PublicError> {
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

    fn digest(&self) -> Bytes32 {
        Statement::answering(&self.start, &self.root.roots).digest()
    }

    /// The key of the row's A, if the row lies under the signed roots.
    pub(super) fn committed(&self, row: &Row) -> Option<Bytes32> {
        let RowAt { gpu, round, row: index } = row.at;
        let (root, before) = (self.root.of(gpu, round)?, self.root.before(gpu, round)?);
        tree::verify(&self.start.params, root, index, &row.block, &row.path).ok()?;
        Some(seed::matrix_a_key(&seed::gpu_seed(&self.start.session_seed, gpu), round, before))
    }

    /// What is wrong with each row. All must be committed.
    pub(super) fn faults(&self, rows: &[Row]) -> Vec<Option<RowFault>> {
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
}

/// A walk with its machine's good signature.
pub(super) struct SignedWalk {
    pub(super) nonce: Bytes32,
    pub(super) walked: Walked,
    machine: Bytes32,
}

impl SignedWalk {
    pub(super) fn new(signed: &Signed, nonce: Bytes32, walked: Walked) -> Result<Self, PublicError> {
        if walked.roots.len() != usize::from(signed.start.count) {
            return Err(PublicError::RootShape);
        }
        let walk = Self { nonce, walked, machine: signed.start.machine };
        if !walk.statement(signed).signed_by_machine(&walk.walked.signature) {
            return Err(PublicError::Signature);
        }
        Ok(walk)
    }

    fn statement(&self, signed: &Signed) -> WalkStatement<'_> {
        let (machine, results, nonce) = (self.machine, signed.digest(), self.nonce);
        WalkStatement { machine, results, nonce, roots: &self.walked.roots }
    }

    pub(super) fn check(&self, signed: &Signed, segment: &Segment) -> Result<(), SegmentFault> {
        let (params, root, roots, nonce) = (&signed.start.params, &signed.root, &self.walked.roots[..], &self.nonce);
        segment::Walked { params, root, roots, nonce }.check(segment)
    }
}
