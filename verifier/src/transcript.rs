//! All that was said in a session, with times: enough for a replay to come to the same verdict.
//!
//! The bytes of [`Transcript::to_bytes`] are canonical: one transcript has one encoding, and any change changes
//! [`Transcript::digest`]. A machine's words are authenticated by its signature (and by what hangs on it); the times
//! are the keeper's word alone.

use serde::{Deserialize, Serialize};

use crate::Bytes32;
use crate::classes::ClassId;
use crate::frame::{self, DecodeError, Decoder, Frame, Side};
use crate::freivalds::Epoch;
use crate::limits::{TRANSCRIPT_BYTES_MAX, TRANSCRIPT_EVENTS_MAX};
use crate::params::Params;
use crate::seed::{self, context};
use crate::session::{Challenge, Limits};
use crate::wire::{Reader, WireError, Writer};

/// First bytes of an encoded transcript.
pub const MAGIC: &[u8; 8] = b"SURETYT2";

/// Longest explanation of a malformed stream that is kept, in bytes.
const DETAIL_BYTES_MAX: usize = 512;

/// A session as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transcript {
    /// What was to be measured, the session's random bytes included.
    pub challenge: Challenge,
    /// When it began, on the keeper's monotonic clock.
    pub started_ms: u64,
    /// Every frame, in the order in which the keeper sent or received it.
    pub events: Vec<Event>,
    /// What ended it.
    pub end: End,
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When the keeper sent or received it.
    pub at_ms: u64,
    /// Who sent it.
    pub from: Party,
    /// Its bytes, header and payload.
    #[serde(with = "crate::hexed")]
    pub frame: Vec<u8>,
}

/// A side of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The keeper.
    Keeper,
    /// The machine.
    Machine,
}

/// What ended a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum End {
    /// A frame that decided it.
    Decided,
    /// A deadline.
    TimedOut {
        /// When.
        at_ms: u64,
    },
    /// The end of the stream.
    Disconnected {
        /// When.
        at_ms: u64,
    },
    /// Bytes that are no frames.
    Malformed {
        /// When.
        at_ms: u64,
        /// What was wrong with them.
        detail: String,
    },
}

/// Why bytes are no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranscriptError {
    /// More bytes than a transcript can have.
    #[error("{0} bytes: a transcript has at most {TRANSCRIPT_BYTES_MAX}")]
    TooLong(usize),
    /// Other first bytes, or fields that end early or late.
    #[error("not a transcript of this version")]
    Form,
    /// A frame in it is none.
    #[error("event {event} is not one whole frame")]
    Event {
        /// Which, from 0.
        event: usize,
    },
}

impl From<WireError> for TranscriptError {
    fn from(_: WireError) -> Self {
        Self::Form
    }
}

impl Event {
    /// The frame that the bytes are.
    ///
    /// # Errors
    /// When they are not exactly one frame that this side may send; the error is None if the frame is cut off or
    /// followed by more bytes.
    pub fn decode(&self) -> Result<Frame, Option<DecodeError>> {
        let side = match self.from {
            Party::Keeper => Side::FromKeeper,
            Party::Machine => Side::FromMachine,
        };
        let mut bytes = &self.frame[..];
        let frame = Decoder::new(side).take(&mut bytes).map_err(Some)?;
        frame.filter(|_| bytes.is_empty()).ok_or(None)
    }
}

impl Transcript {
    /// The canonical bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.raw(MAGIC);
        encode_challenge(&self.challenge, &mut out);
        out.u64(self.started_ms).u32(u32::try_from(self.events.len()).unwrap_or(u32::MAX));
        for event in &self.events {
            out.u64(event.at_ms).u8(event.from as u8);
            out.u32(u32::try_from(event.frame.len()).unwrap_or(u32::MAX)).raw(&event.frame);
        }
        encode_end(&self.end, &mut out);
        out.finish()
    }

    /// The transcript with these canonical bytes.
    ///
    /// # Errors
    /// When they are not exactly the bytes of one transcript, every event one whole frame.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TranscriptError> {
        if bytes.len() > TRANSCRIPT_BYTES_MAX {
            return Err(TranscriptError::TooLong(bytes.len()));
        }
        let mut from = Reader::new(bytes);
        if from.array::<8>()? != *MAGIC {
            return Err(TranscriptError::Form);
        }
        let challenge = decode_challenge(&mut from)?;
        let started_ms = from.u64()?;
        let events = decode_events(&mut from)?;
        let end = decode_end(&mut from)?;
        from.finish()?;
        Ok(Self { challenge, started_ms, events, end })
    }

    /// What stands for the transcript in signed evidence.
    #[must_use]
    pub fn digest(&self) -> Bytes32 {
        seed::derive(context::TRANSCRIPT, &[&self.to_bytes()])
    }

    /// All frames of one side, in order. Events that are no frames are left out.
    pub fn frames_from(&self, party: Party) -> impl Iterator<Item = Frame> + '_ {
        self.events.iter().filter(move |event| event.from == party).filter_map(|event| event.decode().ok())
    }
}

fn encode_challenge(challenge: &Challenge, out: &mut Writer) {
    out.u64(challenge.chain_id).raw(&challenge.keeper).raw(&challenge.machine).u32(challenge.registration);
    out.u16(challenge.class.0).u16(challenge.count);
    challenge.params.encode(out);
    let epoch = &challenge.epoch;
    out.raw(&epoch.block_hash).raw(&epoch.secret_commitment).raw(&epoch.seed).raw(&challenge.session_random);
    let limits = &challenge.limits;
    out.u64(limits.hello_ms).u64(limits.echo_ms).u64(limits.compute_ms);
    out.u64(limits.compute_pass_ms).u64(limits.walk_ms).u64(limits.walk_pass_ms).u64(limits.open_ms);
}

fn decode_challenge(from: &mut Reader<'_>) -> Result<Challenge, WireError> {
    Ok(Challenge {
        chain_id: from.u64()?,
        keeper: from.array()?,
        machine: from.array()?,
        registration: from.u32()?,
        class: ClassId(from.u16()?),
        count: from.u16()?,
        params: Params::decode(from)?,
        epoch: Epoch { block_hash: from.array()?, secret_commitment: from.array()?, seed: from.array()? },
        session_random: from.array()?,
        limits: Limits {
            hello_ms: from.u64()?,
            echo_ms: from.u64()?,
            compute_ms: from.u64()?,
            compute_pass_ms: from.u64()?,
            walk_ms: from.u64()?,
            walk_pass_ms: from.u64()?,
            open_ms: from.u64()?,
        },
    })
}

fn decode_events(from: &mut Reader<'_>) -> Result<Vec<Event>, TranscriptError> {
    let count = from.u32()? as usize;
    if count > TRANSCRIPT_EVENTS_MAX {
        return Err(TranscriptError::Form);
    }
    let mut events = Vec::new();
    for index in 0..count {
        let event = decode_event(from)?;
        event.decode().map_err(|_| TranscriptError::Event { event: index })?;
        events.push(event);
    }
    Ok(events)
}

fn decode_event(from: &mut Reader<'_>) -> Result<Event, TranscriptError> {
    let at_ms = from.u64()?;
    let from_party = match from.u8()? {
        0 => Party::Keeper,
        1 => Party::Machine,
        _ => return Err(TranscriptError::Form),
    };
    let length = from.u32()? as usize;
    Ok(Event { at_ms, from: from_party, frame: from.slice(length)?.to_vec() })
}

fn encode_end(end: &End, out: &mut Writer) {
    match end {
        End::Decided => out.u8(0),
        End::TimedOut { at_ms } => out.u8(1).u64(*at_ms),
        End::Disconnected { at_ms } => out.u8(2).u64(*at_ms),
        End::Malformed { at_ms, detail } => {
            out.u8(3).u64(*at_ms).u16(u16::try_from(detail.len()).unwrap_or(u16::MAX)).raw(detail.as_bytes())
        }
    };
}

fn decode_end(from: &mut Reader<'_>) -> Result<End, TranscriptError> {
    Ok(match from.u8()? {
        0 => End::Decided,
        1 => End::TimedOut { at_ms: from.u64()? },
        2 => End::Disconnected { at_ms: from.u64()? },
        3 => {
            let at_ms = from.u64()?;
            let length = usize::from(from.u16()?);
            if length > DETAIL_BYTES_MAX {
                return Err(TranscriptError::Form);
            }
            let detail = String::from_utf8(from.slice(length)?.to_vec()).map_err(|_| TranscriptError::Form)?;
            End::Malformed { at_ms, detail }
        }
        _ => return Err(TranscriptError::Form),
    })
}

/// The bytes of a frame as an event holds them.
pub(crate) fn event(at_ms: u64, from: Party, sent: &Frame) -> Event {
    Event { at_ms, from, frame: frame::encode(sent) }
}
