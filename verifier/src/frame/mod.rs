//! Messages between keeper and machine, and their bytes.
//!
//! A frame is a big-endian u32 with the length of the payload, one byte of type, and the payload. Every payload has
//! one encoding only, so a decoded frame encodes to the bytes it came from, and transcripts can be compared.

mod codec;
mod decoder;
#[cfg(test)]
pub(crate) mod tests;

pub use codec::{FrameError, decode, encode};
pub use decoder::{DecodeError, Decoder, HEADER_BYTES, Side, payload_bytes_max};

use crate::classes::ClassId;
use crate::limits::LEAF_BYTES;
use crate::params::Params;
use crate::seed::{LegAt, ROOT_BEFORE_FIRST, RowAt};
use crate::{Address, Bytes32, Signature};

/// First bytes of the first frame: whoever is not a keeper of this protocol is told so at once. The same in every
/// version, so that old and new tell each other which they are.
pub const MAGIC: &[u8; 8] = b"SURETYV1";

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Keeper: who is there, in which version.
    Hello(Hello),
    /// Machine: what it says it is.
    HelloAck(HelloAck),
    /// Keeper: bytes to send back at once.
    Echo(Echo),
    /// Machine: the same bytes.
    EchoAck(Echo),
    /// Keeper: the work. The clock runs from here.
    Start(Start),
    /// Machine: the commitment to all results, signed. The clock stops here.
    Root(Root),
    /// Keeper: begin to walk. A second clock runs from here.
    Walk(Walk),
    /// Machine: the commitment to all checkpoints, signed. That clock stops here.
    Walked(Walked),
    /// Machine: one leg of the walk.
    Segment(Segment),
    /// Keeper: which rows and legs to show.
    Open(Open),
    /// Machine: one row.
    Row(Row),
    /// Either: the session is over.
    Bye(Bye),
}

/// Type of a frame, with its number on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum FrameType {
    /// [`Frame::Hello`].
    Hello = 1,
    /// [`Frame::HelloAck`].
    HelloAck = 2,
    /// [`Frame::Echo`].
    Echo = 3,
    /// [`Frame::EchoAck`].
    EchoAck = 4,
    /// [`Frame::Start`].
    Start = 5,
    /// [`Frame::Root`].
    Root = 6,
    /// [`Frame::Walk`].
    Walk = 7,
    /// [`Frame::Walked`].
    Walked = 8,
    /// [`Frame::Segment`].
    Segment = 9,
    /// [`Frame::Open`].
    Open = 10,
    /// [`Frame::Row`].
    Row = 11,
    /// [`Frame::Bye`].
    Bye = 12,
}

impl Frame {
    /// The frame's type.
    #[must_use]
    pub fn kind(&self) -> FrameType {
        match self {
            Self::Hello(_) => FrameType::Hello,
            Self::HelloAck(_) => FrameType::HelloAck,
            Self::Echo(_) => FrameType::Echo,
            Self::EchoAck(_) => FrameType::EchoAck,
            Self::Start(_) => FrameType::Start,
            Self::Root(_) => FrameType::Root,
            Self::Walk(_) => FrameType::Walk,
            Self::Walked(_) => FrameType::Walked,
            Self::Segment(_) => FrameType::Segment,
            Self::Open(_) => FrameType::Open,
            Self::Row(_) => FrameType::Row,
            Self::Bye(_) => FrameType::Bye,
        }
    }
}

/// The keeper's first frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Protocol version of the keeper.
    pub version: u16,
}

/// The machine's first frame: claims, which must be what the keeper came to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HelloAck {
    /// Protocol version of the agent.
    pub version: u16,
    /// Class that the machine says it has.
    pub class: ClassId,
    /// GPUs that the machine says it has.
    pub count: u16,
}

/// An echo, out or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Number of the echo, from 0.
    pub sequence: u16,
    /// Bytes that cannot be known before.
    pub nonce: [u8; 16],
}

/// The work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Chain that the keeper works for.
    pub chain_id: u64,
    /// Address of the keeper.
    pub keeper: Address,
    /// Host key of the machine that is to answer.
    pub machine: Bytes32,
    /// The machine's registration.
    pub registration: u32,
    /// Class to be shown.
    pub class: ClassId,
    /// GPUs to be shown.
    pub count: u16,
    /// Sizes.
    pub params: Params,
    /// E.
    pub epoch_seed: Bytes32,
    /// σ.
    pub session_seed: Bytes32,
}

/// The signed commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// GPUs, as in [`Start::count`].
    pub count: u16,
    /// Rounds, as in [`Params::rounds`].
    pub rounds: u32,
    /// count·rounds roots: GPU after GPU, round after round.
    pub roots: Vec<Bytes32>,
    /// The host key's signature of [`crate::statement::Statement::message`].
    pub signature: Signature,
}

impl Root {
    /// The root of one round; None outside of what was committed to.
    #[must_use]
    pub fn of(&self, gpu: u16, round: u32) -> Option<&Bytes32> {
        if gpu >= self.count || round >= self.rounds {
            return None;
        }
        self.roots.get(usize::from(gpu) * self.rounds as usize + round as usize)
    }

    /// The root that the seed of `round` hangs on: that of the round before it on the same GPU.
    #[must_use]
    pub fn before(&self, gpu: u16, round: u32) -> Option<&Bytes32> {
        match round.checked_sub(1) {
            None => Some(&ROOT_BEFORE_FIRST),
            Some(before) => self.of(gpu, before),
        }
    }
}

/// The walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// [`crate::seed::walk_nonce`].
    pub nonce: Bytes32,
}

/// The signed commitment to a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walked {
    /// The root over the checkpoints of each GPU, 1 to 16.
    pub roots: Vec<Bytes32>,
    /// The host key's signature of [`crate::statement::WalkStatement::message`].
    pub signature: Signature,
}

/// What the keeper wants to see, in the order in which it must come: rows, then legs, each ascending, none twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// The rows.
    pub rows: Vec<RowAt>,
    /// The legs.
    pub legs: Vec<LegAt>,
}

/// One opened row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Which row.
    pub at: RowAt,
    /// The aligned block of whole leaves that holds it.
    pub block: Vec<u8>,
    /// Siblings from the block up to the root.
    pub path: Vec<Bytes32>,
}

/// One opened leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which leg.
    pub at: LegAt,
    /// The leaf that holds the checkpoint after it; then, unless it is a walker's first, the leaf that holds the one
    /// before it; then the leaf of each of the 32 hops, in order.
    pub leaves: Vec<Leaf>,
}

/// A leaf of 1 KiB with what authenticates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Its bytes.
    pub bytes: Box<[u8; LEAF_BYTES]>,
    /// Siblings from the leaf up to the root.
    pub path: Vec<Bytes32>,
}

/// The end of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bye {
    /// Why.
    pub code: ByeCode,
}

/// Why a session ends, as one side tells the other. Only the keeper's own verdict counts; this is a courtesy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ByeCode {
    /// Keeper: proven.
    Proven = 0,
    /// Keeper: a signed root with a bad row or leg.
    Fraud = 1,
    /// Keeper: right, but too slow.
    Underperforming = 2,
    /// Keeper: nothing was measured.
    Unmeasured = 3,
    /// Machine: it speaks another version.
    Version = 16,
    /// Machine: it cannot be measured now.
    Busy = 17,
    /// Machine: the work is not meant for it (chain, keeper, machine, registration, class or count).
    NotMine = 18,
    /// Machine: the sizes are beyond what it accepts.
    TooLarge = 19,
    /// Machine: a frame out of order or out of form.
    Protocol = 20,
    /// Machine: a device failed.
    Device = 21,
    /// Machine: the host key could not be used.
    Signer = 22,
}

impl ByeCode {
    const ALL: [Self; 11] = [
        Self::Proven,
        Self::Fraud,
        Self::Underperforming,
        Self::Unmeasured,
        Self::Version,
        Self::Busy,
        Self::NotMine,
        Self::TooLarge,
        Self::Protocol,
        Self::Device,
        Self::Signer,
    ];

    fn from_wire(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u8 == code)
    }
}

impl FrameType {
    const ALL: [Self; 12] = [
        Self::Hello,
        Self::HelloAck,
        Self::Echo,
        Self::EchoAck,
        Self::Start,
        Self::Root,
        Self::Walk,
        Self::Walked,
        Self::Segment,
        Self::Open,
        Self::Row,
        Self::Bye,
    ];

    fn from_wire(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|known| *known as u8 == number)
    }
}
