//! What a keeper may say after a session.
//!
//! Only what the machine signed can speak against it. Silence, delay and nonsense may be the network's doing, or that
//! of somebody in between, so they measure nothing: they are never fraud.

use serde::{Deserialize, Serialize};

use crate::classes::ClassId;
use crate::frame::{ByeCode, FrameType};
use crate::freivalds::RowFault;
use crate::seed::{LegAt, RowAt};

/// Parts of a session, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Versions and claims.
    Hello,
    /// The round trip.
    Echo,
    /// Fill and commit.
    Compute,
    /// Random reads over everything that was filled: residency and memory bandwidth.
    Walk,
    /// Rows and legs.
    Open,
}

/// What a session has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// So many GPUs of this class worked for this machine, at once and in time.
    Proven {
        /// The class.
        class: ClassId,
        /// The GPUs.
        count: u16,
    },
    /// The machine signed something under which an opened row or leg is wrong. Anybody can check this.
    Fraud(Falsehood),
    /// All that was opened is right, but the work or the walk took longer than the class may take.
    Underperforming(Shortfall),
    /// Nothing can be said.
    Unmeasured(Unmeasured),
}

impl Verdict {
    /// Whether the keeper must draw new secret vectors before the next session.
    #[must_use]
    pub fn rotates_vectors(&self) -> bool {
        matches!(self, Self::Fraud(_))
    }

    /// What the machine is told.
    #[must_use]
    pub fn bye_code(&self) -> ByeCode {
        match self {
            Self::Proven { .. } => ByeCode::Proven,
            Self::Fraud(_) => ByeCode::Fraud,
            Self::Underperforming(_) => ByeCode::Underperforming,
            Self::Unmeasured(_) => ByeCode::Unmeasured,
        }
    }
}

/// What is wrong of that which a machine signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Falsehood {
    /// A row of the results.
    Row(BadRow),
    /// A leg of the walk: it ends elsewhere than it says.
    Leg(LegAt),
}

impl std::fmt::Display for Falsehood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Row(BadRow { at, fault }) => {
                let what = match fault {
                    RowFault::NotAResidue => "holds numbers that are no residues",
                    RowFault::WrongProduct => "is not that of the product",
                };
                write!(f, "row {} of round {} on GPU {} {what}", at.row, at.round, at.gpu)
            }
            Self::Leg(at) => {
                let LegAt { gpu, walker, leg } = at;
                write!(f, "leg {leg} of walker {walker} on GPU {gpu} ends elsewhere than it says")
            }
        }
    }
}

/// An opened row that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadRow {
    /// Where it is.
    pub at: RowAt,
    /// What is wrong with it.
    pub fault: RowFault,
}

/// Right but late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// Which took too long: [`Phase::Compute`] or [`Phase::Walk`].
    pub phase: Phase,
    /// Milliseconds to the commitment, the round trip already forgiven.
    pub took_ms: u64,
    /// Milliseconds that were allowed.
    pub allowed_ms: u64,
}

impl std::fmt::Display for Shortfall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let did = if self.phase == Phase::Walk { "walked over its memory" } else { "computed" };
        write!(f, "{did} in {} ms, {} ms are allowed", self.took_ms, self.allowed_ms)
    }
}

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Unmeasured {
    /// A phase was not over in time.
    TimedOut {
        /// The phase.
        phase: Phase,
    },
    /// The stream ended.
    Disconnected {
        /// Where.
        phase: Phase,
    },
    /// The stream was not this protocol.
    Malformed {
        /// Where.
        phase: Phase,
    },
    /// A frame that has no place here.
    Unexpected {
        /// Where.
        phase: Phase,
        /// What came.
        kind: FrameType,
    },
    /// The agent speaks another version.
    Version {
        /// Which.
        theirs: u16,
    },
    /// The machine says that it is something else than what was to be measured.
    OtherClaim {
        /// The class that it claims.
        class: ClassId,
        /// The GPUs that it claims.
        count: u16,
    },
    /// An echo came back changed.
    EchoMismatch,
    /// The commitment has other sizes than the work.
    RootShape,
    /// The walk's commitment has other sizes than the work.
    WalkShape,
    /// A commitment is not signed by the machine's host key: somebody else answered.
    Signature,
    /// A row came that was not the next one asked for.
    RowOrder {
        /// What was to come.
        asked: RowAt,
        /// What came.
        got: RowAt,
    },
    /// A row came that the signed root does not cover.
    RowNotCommitted {
        /// Which.
        at: RowAt,
    },
    /// A leg came that was not the next one asked for.
    LegOrder {
        /// What was to come.
        asked: LegAt,
        /// What came.
        got: LegAt,
    },
    /// A leg came that what was signed does not cover.
    LegNotCommitted {
        /// Which.
        at: LegAt,
    },
    /// The machine ended the session.
    Refused {
        /// Why, as it says.
        code: ByeCode,
    },
}
