//! Proofs of fraud for anybody: nothing in them is secret, and no keeper has to be believed.

use serde::{Deserialize, Serialize};

use super::public::{PublicError, Signed, SignedWalk};
use crate::frame::{self, Decoder, Frame, Row, Segment, Side, Start, Walk};
use crate::segment::SegmentFault;
use crate::transcript::{Party, Transcript};
use crate::verdict::{BadRow, Falsehood};

/// Frames that prove fraud: the work, the signed roots and a row; or the work, the signed roots, the walk's nonce, the
/// signed walk and a leg. All of the work is part of what the machine signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FraudProof {
    /// Their bytes, header and payload.
    pub frames: Vec<FrameBytes>,
}

/// One frame's bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FrameBytes(#[serde(with = "crate::hexed")] pub Vec<u8>);

/// What a fraud proof proves, of whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenFraud {
    /// The work; its machine is the liar.
    pub start: Start,
    /// What is wrong.
    pub falsehood: Falsehood,
}

impl FraudProof {
    /// What of a transcript shows this falsehood: a few megabytes where the whole may have many more. None when the
    /// transcript lacks a part of it. Nothing is checked: see [`Self::verify`].
    #[must_use]
    pub fn shorten(transcript: &Transcript, falsehood: &Falsehood) -> Option<Self> {
        let find = |party, wanted: &dyn Fn(&Frame) -> bool| {
            let events = transcript.events.iter().filter(|event| event.from == party);
            let mut found = events.filter(|event| event.decode().is_ok_and(|frame| wanted(&frame)));
            found.next().map(|event| FrameBytes(event.frame.clone()))
        };
        let mut frames = vec![
            find(Party::Keeper, &|frame| matches!(frame, Frame::Start(_)))?,
            find(Party::Machine, &|frame| matches!(frame, Frame::Root(_)))?,
        ];
        match falsehood {
            Falsehood::Row(bad) => {
                frames.push(find(Party::Machine, &|frame| matches!(frame, Frame::Row(row) if row.at == bad.at))?);
            }
            Falsehood::Leg(at) => {
                frames.push(find(Party::Keeper, &|frame| matches!(frame, Frame::Walk(_)))?);
                frames.push(find(Party::Machine, &|frame| matches!(frame, Frame::Walked(_)))?);
                frames.push(find(Party::Machine, &|frame| matches!(frame, Frame::Segment(leg) if leg.at == *at))?);
            }
        }
        Some(Self { frames })
    }

    pub(super) fn of_row(signed: &Signed, row: &Row) -> Self {
        Self::new([Frame::Start(signed.start.clone()), Frame::Root(signed.root.clone()), Frame::Row(row.clone())])
    }

    pub(super) fn of_leg(signed: &Signed, walk: &SignedWalk, segment: &Segment) -> Self {
        Self::new([
            Frame::Start(signed.start.clone()),
            Frame::Root(signed.root.clone()),
            Frame::Walk(Walk { nonce: walk.nonce }),
            Frame::Walked(walk.walked.clone()),
            Frame::Segment(segment.clone()),
        ])
    }

    fn new<const N: usize>(frames: [Frame; N]) -> Self {
        Self { frames: frames.iter().map(|frame| FrameBytes(frame::encode(frame))).collect() }
    }

    /// Recomputes the row (at full size 0.15 s on one core), or goes the leg again.
    ///
    /// # Errors
    /// When this proves nothing.
    pub fn verify(&self) -> Result<ProvenFraud, PublicError> {
        let mut frames = self.frames.iter();
        let mut next = |side, name| whole(side, frames.next()).ok_or(PublicError::Frame(name));
        let Frame::Start(start) = next(Side::FromKeeper, "start")? else {
            return Err(PublicError::Frame("start"));
        };
        let Frame::Root(root) = next(Side::FromMachine, "root")? else {
            return Err(PublicError::Frame("root"));
        };
        let signed = Signed::new(start, root)?;
        let falsehood = match &self.frames[2..] {
            [row] => bad_row(&signed, row)?,
            [walk, walked, segment] => bad_leg(&signed, walk, walked, segment)?,
            _ => return Err(PublicError::Frame("last")),
        };
        Ok(ProvenFraud { start: signed.start, falsehood })
    }
}

fn bad_row(signed: &Signed, row: &FrameBytes) -> Result<Falsehood, PublicError> {
    let Some(Frame::Row(row)) = whole(Side::FromMachine, Some(row)) else {
        return Err(PublicError::Frame("row"));
    };
    signed.committed(&row).ok_or(PublicError::RowNotCommitted)?;
    let fault = signed.faults(std::slice::from_ref(&row)).pop().flatten().ok_or(PublicError::RowIsRight)?;
    Ok(Falsehood::Row(BadRow { at: row.at, fault }))
}

fn bad_leg(
    signed: &Signed,
    walk: &FrameBytes,
    walked: &FrameBytes,
    segment: &FrameBytes,
) -> Result<Falsehood, PublicError> {
    let Some(Frame::Walk(walk)) = whole(Side::FromKeeper, Some(walk)) else {
        return Err(PublicError::Frame("walk"));
    };
    let Some(Frame::Walked(walked)) = whole(Side::FromMachine, Some(walked)) else {
        return Err(PublicError::Frame("walked"));
    };
    let Some(Frame::Segment(segment)) = whole(Side::FromMachine, Some(segment)) else {
        return Err(PublicError::Frame("leg"));
    };
    match SignedWalk::new(signed, walk.nonce, walked)?.check(signed, &segment) {
        Ok(()) => Err(PublicError::LegIsRight),
        Err(SegmentFault::NotCommitted) => Err(PublicError::LegNotCommitted),
        Err(SegmentFault::WrongWalk) => Ok(Falsehood::Leg(segment.at)),
    }
}

fn whole(side: Side, bytes: Option<&FrameBytes>) -> Option<Frame> {
    let mut bytes = &bytes?.0[..];
    let frame = Decoder::new(side).take(&mut bytes).ok().flatten();
    frame.filter(|_| bytes.is_empty())
}
