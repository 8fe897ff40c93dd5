//! Everything that can happen to a keeper. The ordered log of these is the truth; state is a fold over it.

use crate::cards::CardsStatement;
use crate::complaints::Complaint;
use crate::effect::EffectId;
use crate::evidence::BadProof;
use crate::hints::Hint;
use crate::seat::SeatView;
use crate::statement::{Attestation, Signed, Spoof, Statement};
use crate::types::{CaseId, MachineId, MonoMs, RentalId, UnixSecs};
use crate::view::{BlockRef, CaseView, ContractTimes, KeeperView, NodeView, RentalView, View};
use serde::{Deserialize, Serialize};

/// One entry of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// First entry of every run of the process: monotonic time starts anew, nothing in flight is.
    Started(Started),
    /// Time passes.
    Tick(Tick),
    /// The chain, read by views at one block.
    Chain(Box<ChainUpdate>),
    /// A liveness look at a machine came back.
    Probe(ProbeResult),
    /// The anchors were looked at.
    Anchors(AnchorResult),
    /// A rented machine said which cards it has, or did not.
    Inventory(InventoryResult),
    /// A capacity measurement came back.
    Measure(MeasureResult),
    /// Our own signature over a statement, made after its evidence was stored.
    Signed(Signed<Statement>),
    /// A peer's attestation; the adapter has recovered the signer from the signature.
    Peer(Signed<Attestation>),
    /// A peer's statement about a spoof; the adapter has recovered the signer from the signature.
    PeerSpoof(Signed<Spoof>),
    /// The evidence behind a peer's spoof was recomputed, or could not be.
    SpoofChecked(SpoofCheck),
    /// A renter complains; the adapter has recovered the signer from the signature.
    Complaint(Signed<Complaint>),
    /// A peer shows machines that fail.
    Hint(Hint),
    /// A transaction reached its end.
    Tx(TxResult),
}

/// A run of the process begins.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Started {
    /// Wall clock, Unix milliseconds.
    pub now_unix_ms: u64,
    /// Monotonic clock of this run.
    pub now_ms: MonoMs,
    /// What the contracts were deployed with.
    pub times: ContractTimes,
}

/// Time passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tick {
    /// Monotonic milliseconds.
    pub now_ms: MonoMs,
    /// Wall clock, Unix milliseconds.
    pub now_unix_ms: u64,
    /// Whether a majority of RPC endpoints answered since the last tick.
    pub rpc_healthy: bool,
}

/// What changed on chain, read at `block`. Entries replace older ones of the same id.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ChainUpdate {
    /// Best or finalized.
    pub view: View,
    /// The block all of it was read at.
    pub block: BlockRef,
    /// Changed machines.
    pub nodes: Vec<NodeView>,
    /// Changed rentals.
    pub rentals: Vec<RentalView>,
    /// Changed cases.
    pub cases: Vec<CaseView>,
    /// The whole keeper set, when it was read.
    pub keepers: Option<Vec<KeeperView>>,
    /// The newest ids there are at this block, when they were read: what is above was undone by a reorg.
    #[serde(default)]
    pub newest: Option<Newest>,
    /// This keeper's seat, where the set has seats and it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seat: Option<SeatView>,
}

/// Ids are dense: these are the highest ones there are at a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Newest {
    /// Newest rental; 0 for none.
    pub rental: RentalId,
    /// Newest case; 0 for none.
    pub case: CaseId,
}

/// Answer to `Effect::Probe`: facts, not judgement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProbeResult {
    /// The effect answered.
    pub id: EffectId,
    /// The machine looked at.
    pub machine: MachineId,
    /// When the look began, monotonic milliseconds.
    pub started_ms: MonoMs,
    /// When it ended, monotonic milliseconds.
    pub ended_ms: MonoMs,
    /// When the look began on the wall clock, Unix seconds.
    pub at_secs: UnixSecs,
    /// What was seen.
    pub seen: Observation,
}

/// What one look from outside saw.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Observation {
    /// The right machine answered that it would let the renter's key in (PK_OK for that very key).
    Accepted,
    /// The right machine answered that it would not.
    Refused,
    /// The TCP connection was refused, reset or timed out before the first byte.
    NoConnection {
        /// What the socket said, bounded.
        why: String,
    },
    /// The TCP connection stood, but no key exchange finished: silence, garbage, a dropped connection.
    NoHandshake {
        /// What was seen, bounded.
        why: String,
    },
    /// Another ed25519 host key (or none of that type) was presented.
    WrongHostKey {
        /// The key seen, hex, or a short description.
        got: String,
    },
    /// Key exchange with the right key succeeded, then the connection was lost before an answer.
    Lost {
        /// What was seen, bounded.
        why: String,
    },
    /// The server broke the protocol in a way no honest server does (unsigned success, other key echoed).
    Hostile {
        /// What it did.
        what: String,
    },
    /// The right machine said, under its own signature, which cards it has.
    CardsStated {
        /// Cards rented out.
        rented: u16,
        /// What it said.
        statement: CardsStatement,
    },
    /// The look could not be made for a reason of our own (no sockets, endpoint not allowed, shutting down).
    NotLooked {
        /// Why.
        why: String,
    },
}

/// Answer to `Effect::Inventory`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InventoryResult {
    /// The effect answered.
    pub id: EffectId,
    /// The machine asked.
    pub machine: MachineId,
    /// When the question was put, monotonic milliseconds.
    pub started_ms: MonoMs,
    /// When it was over, monotonic milliseconds.
    pub ended_ms: MonoMs,
    /// When the question was put on the wall clock, Unix seconds.
    pub at_secs: UnixSecs,
    /// What came of it.
    pub outcome: InventoryOutcome,
}

/// What came of a question about cards.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum InventoryOutcome {
    /// The machine's agent answered; the adapter has checked the signature.
    Stated {
        /// What it said.
        statement: CardsStatement,
    },
    /// No usable answer, which is no fault.
    Unmeasured {
        /// Why.
        why: String,
    },
}

/// How many of the operator's anchors answered in one round.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AnchorResult {
    /// The effect answered.
    pub id: EffectId,
    /// Monotonic milliseconds at the end of the round.
    pub ended_ms: MonoMs,
    /// Anchors that answered.
    pub reachable: u32,
    /// Anchors asked.
    pub asked: u32,
}

/// Answer to `Effect::Measure`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MeasureResult {
    /// The effect answered.
    pub id: EffectId,
    /// The machine measured.
    pub machine: MachineId,
    /// Its registration number when the measurement was asked for.
    pub registration: u32,
    /// Wall clock at the end, Unix seconds.
    pub at_secs: UnixSecs,
    /// What came of it.
    pub outcome: MeasureOutcome,
}

/// What came of a measurement.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum MeasureOutcome {
    /// The machine proved this class and count.
    Proven {
        /// GPU class.
        gpu_class: u16,
        /// GPUs.
        gpu_count: u16,
        /// The verifier's transcript, canonical JSON.
        transcript: serde_json::Value,
    },
    /// A signed root with a bad opened row.
    BadProof {
        /// What was wrong.
        why: String,
        /// What shows it to anybody: the work, the signed roots and the bad row of the transcript, canonical JSON.
        transcript: serde_json::Value,
    },
    /// Right answers, too slow for the class.
    Underperforming {
        /// By how much.
        why: String,
    },
    /// No verdict: the machine was busy, unreachable, out of memory, cut off.
    Unmeasured {
        /// Why.
        why: String,
    },
}

/// Answer to `Effect::CheckSpoof`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SpoofCheck {
    /// The effect answered.
    pub id: EffectId,
    /// The machine it is about.
    pub machine: MachineId,
    /// What came of it.
    pub outcome: SpoofOutcome,
}

/// What came of recomputing a peer's evidence.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum SpoofOutcome {
    /// Both proofs are the machine's, for the work named, and bad.
    Bad {
        /// The two, oldest first.
        proofs: Box<[BadProof; 2]>,
    },
    /// The evidence does not show what the peer signed.
    NotShown {
        /// Why not.
        why: String,
    },
    /// The evidence could not be read.
    Unread {
        /// Why not.
        why: String,
    },
}

/// A transaction reached its end, as contract state at finality shows it (or as it failed).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TxResult {
    /// The `Submit` effect answered.
    pub id: EffectId,
    /// What came of it.
    pub outcome: TxOutcome,
}

/// How a submitted intent ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TxOutcome {
    /// Contract state at finality shows what was wanted (whoever did it).
    Settled,
    /// It can no longer succeed; the contract's error by name where there is one.
    Failed {
        /// Why.
        why: String,
    },
}
