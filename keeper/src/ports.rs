//! What the runtime and the HTTP server need of the world, as traits documented by their obligations.

use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, PoisonError, RwLock};
use surety_core::alpha::{AlphaStatement, AlphaVerdict, BondStatement};
use surety_core::complaints::Complaint;
use surety_core::health::Blind;
use surety_core::statement::{Attestation, Certificate, Signed, Spoof, Statement};
use surety_core::types::{CaseId, Hash32, MachineId, RentalId};
use surety_market::market::Market;
use surety_verifier::gauge::Figures;

/// The store could not answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the store did not answer: {why}")]
pub struct ArchiveError {
    /// What it said.
    pub why: String,
}

/// Evidence with the statement it was made for.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The evidence, as it was hashed (RFC 8785 canonical JSON).
    pub evidence: serde_json::Value,
    /// The statement that names its digest, with the keeper's signature.
    pub signed: Signed<Statement>,
}

/// Soft figures of one machine: measured by this keeper, proven by nobody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftFigures {
    /// The machine's registration then.
    pub registration: u32,
    /// When, by this keeper's clock, Unix seconds.
    pub measured_at_secs: u64,
    /// The figures.
    pub figures: Figures,
    /// Why it ended before everything was asked, if it did: then it is tried again.
    pub ended: Option<String>,
}

/// What this keeper has signed and seen signed, for anybody to read.
///
/// Obligations: answers are what was committed to disk; lists are bounded by `surety_core::limits`; calls block, so
/// async callers wrap them in `spawn_blocking`.
pub trait Archive: Send + Sync + 'static {
    /// Our attestations and peers' that we keep, of one rental, oldest first.
    fn attestations_of(&self, rental: RentalId) -> Result<Vec<Signed<Attestation>>, ArchiveError>;

    /// Our own attestations with a sequence number above `after`, in order, at most `limit`.
    fn own_attestations_after(&self, after: u64, limit: u32) -> Result<Vec<(u64, Signed<Attestation>)>, ArchiveError>;

    /// Our newest certificate for a machine first, then older ones that have not lapsed.
    fn certificates_of(&self, machine: MachineId) -> Result<Vec<Signed<Certificate>>, ArchiveError>;

    /// Our own statements about spoofs, newest first.
    fn own_spoofs(&self) -> Result<Vec<Signed<Spoof>>, ArchiveError>;

    /// Our statements and peers' that we keep about spoofs of one machine, newest first.
    fn spoofs_of(&self, machine: MachineId) -> Result<Vec<Signed<Spoof>>, ArchiveError>;

    /// Renters' complaints about one rental, newest first.
    fn complaints_of(&self, rental: RentalId) -> Result<Vec<Signed<Complaint>>, ArchiveError>;

    /// Whether the complaint with this id is kept.
    fn has_complaint(&self, id: Hash32) -> Result<bool, ArchiveError>;

    /// The newest soft figures of a machine.
    fn figures_of(&self, machine: MachineId) -> Result<Option<SoftFigures>, ArchiveError>;

    /// Evidence by digest: our own, or the copy of a peer's.
    fn bundle(&self, digest: Hash32) -> Result<Option<Bundle>, ArchiveError>;
}

/// Why core does not trust its own eyes, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Blindness {
    /// Just started.
    Starting = 1,
    /// No RPC majority.
    Rpc = 2,
    /// The chain was never read.
    NoChain = 3,
    /// Most anchors do not answer in time.
    Anchors = 4,
    /// This host's clock and the newest block differ.
    Clock = 5,
}

impl Blindness {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Starting, Self::Rpc, Self::NoChain, Self::Anchors, Self::Clock];

    /// One word for it, in `/healthz` and `/metrics`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Rpc => "rpc",
            Self::NoChain => "no_chain",
            Self::Anchors => "anchors",
            Self::Clock => "clock",
        }
    }

    /// The one with this number.
    pub fn of(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|why| *why as u64 == number)
    }
}

impl From<Blind> for Blindness {
    fn from(blind: Blind) -> Self {
        match blind {
            Blind::Starting => Self::Starting,
            Blind::Rpc => Self::Rpc,
            Blind::NoChain => Self::NoChain,
            Blind::Anchors => Self::Anchors,
            Blind::Clock => Self::Clock,
        }
    }
}

/// What is thought of an RPC endpoint, in the words of `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointStanding {
    /// Nothing was asked yet.
    Unknown,
    /// It is of the majority's opinion.
    Agreeing,
    /// It is of another: on another chain, with other blocks or views, or far ahead.
    Outvoted,
    /// It is many blocks behind.
    Behind,
    /// It does not answer, or not sensibly.
    Unreachable,
}

impl EndpointStanding {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Agreeing, Self::Outvoted, Self::Behind, Self::Unreachable];

    /// One word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Agreeing => "agreeing",
            Self::Outvoted => "outvoted",
            Self::Behind => "behind",
            Self::Unreachable => "unreachable",
        }
    }
}

/// How the loop is getting on; updated by the runtime, read by `/healthz` and `/metrics`.
#[derive(Debug, Default)]
pub struct Progress {
    /// Inputs appended to the log.
    pub inputs: std::sync::atomic::AtomicU64,
    /// Monotonic milliseconds (of this run) at the last step.
    pub last_step_ms: std::sync::atomic::AtomicU64,
    /// Newest best block read.
    pub best_block: std::sync::atomic::AtomicU64,
    /// Newest finalized block read.
    pub finalized_block: std::sync::atomic::AtomicU64,
    /// Monotonic milliseconds when the best block last moved.
    pub best_moved_ms: std::sync::atomic::AtomicU64,
    /// Whether core judges itself able to see (1) or blind (0).
    pub seeing: std::sync::atomic::AtomicU64,
    /// Wishes of core that wait to be begun.
    pub effects_pending: std::sync::atomic::AtomicU64,
    /// Why core is blind: the number of a [`Blindness`], 0 while it sees.
    pub blind: std::sync::atomic::AtomicU64,
    /// Clock of this host against the newest block, seconds of difference.
    pub clock_off_secs: std::sync::atomic::AtomicU64,
    /// 1 while the store has no room: the loop stands still, nothing is judged or signed.
    pub store_full: std::sync::atomic::AtomicU64,
    /// Bytes in use in the store.
    pub store_bytes: std::sync::atomic::AtomicU64,
    /// Alerts raised.
    pub alerts: std::sync::atomic::AtomicU64,
    /// Machines with a tenant that are looked at.
    pub watched: std::sync::atomic::AtomicU64,
    /// Machines that failed when last looked at.
    pub suspected: std::sync::atomic::AtomicU64,
    /// Balance of the keeper's account in rao, as last read; 0 before it was read.
    pub gas_balance_rao: std::sync::atomic::AtomicU64,
    /// 1 while that balance is below the floor.
    pub gas_low: std::sync::atomic::AtomicU64,
    /// Newest final block whose Substrate events were read; 0 where they are not.
    pub native_block: std::sync::atomic::AtomicU64,
    /// Logs of our contracts that no Ethereum receipt shows.
    pub bare_logs: std::sync::atomic::AtomicU64,
    /// TAO that came to the contracts without a call, in rao.
    pub surplus_rao: std::sync::atomic::AtomicU64,
    /// Settings of weights that the subnet's state showed.
    pub weights_set: std::sync::atomic::AtomicU64,
    /// Timelocked commits that the chain threw away.
    pub weights_lost: std::sync::atomic::AtomicU64,
    /// Machines shown to peers as failing.
    pub hints: std::sync::Mutex<Vec<surety_core::types::MachineId>>,
    /// What is thought of each RPC endpoint, in the order of `chain.rpc`.
    pub endpoints: std::sync::Mutex<Vec<EndpointStanding>>,
    /// Where this keeper stands with a set that has seats: place in `Standing::ALL`, from 1; 0 where there are none.
    pub seat: std::sync::atomic::AtomicU64,
    /// Seconds left to its seat at the newest block.
    pub seat_left_secs: std::sync::atomic::AtomicU64,
    /// Its recorded weight in rao.
    pub seat_weight_rao: std::sync::atomic::AtomicU64,
    /// 1 while something stands in the way of keeping the seat.
    pub seat_in_danger: std::sync::atomic::AtomicU64,
    /// Statements signed.
    pub signed: std::sync::atomic::AtomicU64,
    /// Renters' complaints taken.
    pub complaints: std::sync::atomic::AtomicU64,
    /// Complaints being looked into.
    pub complaints_open: std::sync::atomic::AtomicU64,
    /// Looks made at machines.
    pub looks: std::sync::atomic::AtomicU64,
    /// Transactions that reached their end.
    pub settled: std::sync::atomic::AtomicU64,
}

/// Why a statement about alpha is not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatingError {
    /// What is asked for is not so.
    #[error(transparent)]
    Not(#[from] surety_core::alpha::NotStated),
    /// There is no such case, or no bond elsewhere has to do with it.
    #[error("{0}")]
    Nothing(String),
    /// One side could not be read now.
    #[error("cannot be told now: {0}")]
    NotNow(String),
}

/// Says what this keeper states of bonds of alpha, each time from both sides' newest final blocks.
///
/// Obligations: reads by majority; signs only what it has just read; at most a few at once, `NotNow` otherwise.
pub trait Stating: Send + Sync + 'static {
    /// The bond of the coldkey that owns a machine's hotkey.
    fn bond(&self, machine: MachineId) -> Answering<'_, Signed<BondStatement>>;

    /// What of a case's penalty falls on alpha: a backing or a shortfall.
    fn case(&self, case: CaseId) -> Answering<'_, Signed<AlphaStatement>>;

    /// What became of a case.
    fn verdict(&self, case: CaseId) -> Answering<'_, Signed<AlphaVerdict>>;
}

/// An answer that takes reading.
pub type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, StatingError>> + Send + 'a>>;

/// The market that is shown. Clones are the same one. What a panic left behind is whole enough to be read: each change
/// is of one machine.
#[derive(Debug, Clone)]
pub struct Shop {
    market: Arc<RwLock<Market>>,
    generation: Arc<AtomicU64>,
}

impl Shop {
    /// Shows this market.
    pub fn new(market: Market) -> Self {
        let generation = Arc::new(AtomicU64::new(market.generation()));
        Self { market: Arc::new(RwLock::new(market)), generation }
    }

    /// Counts its changes; 0: nothing was read yet. Never blocks.
    pub fn generation(&self) -> u64 {
        self.generation.load(Acquire)
    }

    /// Looks at it; blocks while it is being brought up to date.
    pub fn read<T>(&self, look: impl FnOnce(&Market) -> T) -> T {
        look(&self.market.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings it up to date; blocks while it is being looked at.
    pub fn write(&self, change: impl FnOnce(&mut Market)) {
        let mut market = self.market.write().unwrap_or_else(PoisonError::into_inner);
        change(&mut market);
        self.generation.store(market.generation(), Release);
    }
}
