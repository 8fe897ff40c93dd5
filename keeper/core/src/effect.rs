//! What a keeper wants done. Effects have deterministic ids, are persisted before they are dispatched, and are safe
//! to repeat.

use crate::evidence::Evidence;
use crate::statement::{Attestation, Signed, Spoof, Statement};
use crate::types::{Account, CaseId, Endpoint, Hash32, Kind, MachineId, RentalId, SshKey, UnixSecs};
use serde::{Deserialize, Serialize};

/// keccak256 over the effect's meaning: the same wish has the same id after a crash and replay.
pub type EffectId = Hash32;

/// One wish.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Look at a rented machine from outside: TCP, key exchange, public-key query. Answered by `Input::Probe`.
    Probe {
        /// Id of this look.
        id: EffectId,
        /// Where.
        endpoint: Endpoint,
        /// The host key it must present.
        machine: MachineId,
        /// The key it must accept.
        renter_key: SshKey,
    },
    /// Look at the operator's anchors. Answered by `Input::Anchors`.
    ProbeAnchors {
        /// Id of this round.
        id: EffectId,
    },
    /// Ask a rented machine's agent which cards it has. Answered by `Input::Inventory`.
    Inventory {
        /// Id of this question, which the machine signs with its answer.
        id: EffectId,
        /// Where.
        endpoint: Endpoint,
        /// The host key it must present.
        machine: MachineId,
    },
    /// Measure capacity over SSH. Answered by `Input::Measure`.
    Measure {
        /// Id of this measurement.
        id: EffectId,
        /// Where.
        endpoint: Endpoint,
        /// The host key it must present.
        machine: MachineId,
        /// The registration to name.
        registration: u32,
        /// Class to prove.
        gpu_class: u16,
        /// GPUs to prove.
        gpu_count: u16,
        /// The round it belongs to, if it is one of several that are to be made at one moment.
        round: Option<Round>,
    },
    /// Read the evidence behind a peer's spoof and recompute it. Answered by `Input::SpoofChecked`.
    CheckSpoof {
        /// Id of this check.
        id: EffectId,
        /// Who signed it.
        peer: Account,
        /// Base URL of that keeper's HTTP API, as on chain.
        url: String,
        /// What it signed.
        spoof: Spoof,
    },
    /// Store the evidence, then sign the statement that names its digest. Answered by `Input::Signed`.
    Sign {
        /// Id of this signature.
        id: EffectId,
        /// What to sign; `statement.evidence()` is the digest of `evidence`.
        statement: Statement,
        /// What it rests on.
        evidence: Box<Evidence>,
    },
    /// Send a transaction, once. Answered by `Input::Tx`.
    Submit {
        /// Id of the intent.
        id: EffectId,
        /// What to achieve.
        intent: Intent,
    },
    /// Tell the operator. Not answered.
    Alert {
        /// Id, so that one condition alerts once.
        id: EffectId,
        /// One sentence: what is wrong and what to do.
        message: String,
    },
}

/// Something to achieve on chain.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "intent", rename_all = "snake_case")]
pub enum Intent {
    /// File a case with a quorum of attestations, sorted by signer.
    File {
        /// Kind to file as (an `Offline` attestation also serves `Interrupted`).
        kind: Kind,
        /// The rental.
        rental: RentalId,
        /// Which gap between recorded faults the interval lies in (0 = before the first fault).
        gap: u32,
        /// The signed attestations.
        attestations: Vec<Signed<Attestation>>,
    },
    /// File a `Spoofed` with a quorum of statements, sorted by signer, all about the same class and count.
    FileSpoofed {
        /// The machine.
        machine: MachineId,
        /// Its registration number.
        registration: u32,
        /// Class it lied about.
        gpu_class: u16,
        /// GPUs it lied about.
        gpu_count: u16,
        /// The signed statements.
        spoofs: Vec<Signed<Spoof>>,
    },
    /// Execute a case whose window has passed.
    Execute {
        /// The case.
        case_id: CaseId,
    },
    /// Send what is to be burned to the burn account.
    FlushBurn,
    /// Close rentals that are over: their miners are paid the rest, and their reserves are free again.
    Close {
        /// The rentals; those that cannot be closed are passed over by the contract.
        rentals: Vec<RentalId>,
    },
    /// Take a seat among `VotingPowerKeepers` for the first time.
    Join {
        /// The set.
        set: Account,
        /// The uid whose hotkey the chain associates with us.
        uid: u16,
        /// The key we open SSH sessions with.
        ssh_key: SshKey,
        /// Base URL of our HTTP API.
        url: String,
        /// Until when a seat lasted before, Unix seconds; 0: there was none.
        past_secs: UnixSecs,
    },
    /// Keep that seat, or take it again.
    CheckIn {
        /// The set.
        set: Account,
        /// The uid whose hotkey the chain associates with us.
        uid: u16,
        /// Until when the seat lasted before, Unix seconds; 0: there was none.
        past_secs: UnixSecs,
    },
    /// Pay a miner for the service up to `settleLag` ago.
    Claim {
        /// The rental.
        rental: RentalId,
        /// What it was paid up to before, Unix seconds.
        past_secs: UnixSecs,
    },
}

/// Measurements of one class that are made at one moment, so that no card can serve two listings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// The same for all of them, and for no others.
    pub id: Hash32,
    /// How many they are: 1 where others of the class stand at the same endpoint, and are not asked.
    pub members: u32,
}
