//! The bundle behind a signature: everything that was seen, in canonical JSON (RFC 8785), named by its keccak256.
//!
//! [`Evidence::supports`] is the check anybody can run: does this bundle really carry that claim? A keeper runs it on
//! itself before it asks for a signature, so a statement without support is never signed.

mod check;
pub use check::EvidenceError;
pub(crate) use check::fits;

use crate::ids::keccak;
use crate::rules::Rules;
use crate::streak::Look;
use crate::types::{Account, Cause, Endpoint, Hash32, Kind, MachineId, RentalId, SshKey, UnixSecs};
use crate::view::{BlockRef, ContractTimes, NodeView, RentalView};
use serde::{Deserialize, Serialize};

/// Version of the format written here.
pub const EVIDENCE_VERSION: u32 = 1;

/// A bundle.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// [`EVIDENCE_VERSION`].
    pub version: u32,
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The contracts the claim is for.
    pub contracts: Contracts,
    /// Who saw it.
    pub keeper: Account,
    /// Newest block known when the bundle was made.
    pub block: BlockRef,
    /// The numbers it was judged by.
    pub rules: Rules,
    /// The windows of the contracts, as the keeper read them.
    pub times: ContractTimes,
    /// What was seen.
    pub subject: Subject,
}

/// Addresses of the custody contracts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contracts {
    /// RentalEscrow.
    pub escrow: Account,
    /// Arbiter.
    pub arbiter: Account,
    /// CollateralVault.
    pub vault: Account,
}

/// What a bundle is about.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Subject {
    /// A rental that failed.
    Outage(Box<Outage>),
    /// A machine that was measured.
    Capacity(Box<Measured>),
    /// A machine that signed two false proofs.
    Spoof(Box<Spoofing>),
}

/// A failing interval of a rental.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    /// What is claimed.
    pub kind: Kind,
    /// Cause of the last failing look.
    pub cause: Cause,
    /// First second claimed.
    pub from_secs: UnixSecs,
    /// Last failing look.
    pub until_secs: UnixSecs,
    /// The rental as last read.
    pub rental: RentalFacts,
    /// The machine's endpoint on chain as last read.
    pub endpoint: Option<Endpoint>,
    /// When this keeper first saw the renter's key accepted in this rental, if it did.
    pub delivered_secs: Option<UnixSecs>,
    /// Failing looks that were asked for: `proof_looks`, or `proof_looks_mass` while many failed together.
    pub looks_needed: u32,
    /// Further failing looks of this interval that were left out to keep the bundle small.
    pub thinned: u64,
    /// The looks, oldest first.
    pub looks: Vec<Look>,
}

/// What of a rental bears on a claim.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RentalFacts {
    /// Dense id.
    pub id: RentalId,
    /// The machine rented.
    pub machine: MachineId,
    /// Who pays.
    pub renter: Account,
    /// The key the machine must let in.
    pub renter_key: SshKey,
    /// GPU class rented.
    pub gpu_class: u16,
    /// GPUs rented.
    pub gpu_count: u16,
    /// Start, Unix seconds.
    pub start_secs: UnixSecs,
    /// End, Unix seconds.
    pub end_secs: UnixSecs,
}

impl From<&RentalView> for RentalFacts {
    fn from(view: &RentalView) -> Self {
        Self {
            id: view.id,
            machine: view.machine,
            renter: view.renter,
            renter_key: view.renter_key,
            gpu_class: view.gpu_class,
            gpu_count: view.gpu_count,
            start_secs: view.start_secs,
            end_secs: view.end_secs,
        }
    }
}

/// A capacity measurement that passed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The machine.
    pub machine: MachineId,
    /// Its registration number.
    pub registration: u32,
    /// Owner at that time.
    pub miner: Account,
    /// Where it was measured.
    pub endpoint: Option<Endpoint>,
    /// Class asked for and proven.
    pub gpu_class: u16,
    /// Cards proven.
    pub gpu_count: u16,
    /// When, chain seconds.
    pub measured_at_secs: UnixSecs,
    /// When the last tenant before it left; 0 for none.
    pub tenant_left_secs: UnixSecs,
    /// The verifier's transcript.
    pub transcript: serde_json::Value,
}

/// Two false proofs of one machine. Each shows by itself that it is false and whose it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spoofing {
    /// The machine.
    pub machine: MachineId,
    /// Its registration number.
    pub registration: u32,
    /// Class it was asked to prove, both times.
    pub gpu_class: u16,
    /// Cards it was asked to prove, both times.
    pub gpu_count: u16,
    /// When the second proof came, chain seconds.
    pub proved_at_secs: UnixSecs,
    /// Whose evidence was recomputed; `None` when this keeper caught the machine itself.
    pub recomputed: Option<Recomputed>,
    /// The proofs, oldest first.
    pub proofs: [BadProof; 2],
}

/// Evidence of another keeper.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recomputed {
    /// The keeper that caught the machine.
    pub keeper: Account,
    /// Digest of its evidence.
    pub evidence: Hash32,
}

/// A false proof, as far as it takes to show it: the work, the roots that the machine signed, the row that is wrong.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BadProof {
    /// When it came, chain seconds.
    pub at_secs: UnixSecs,
    /// What is wrong with it, in words.
    pub why: String,
    /// The part of the verifier's transcript that shows it.
    pub transcript: serde_json::Value,
}

impl Measured {
    /// What of the machine bears on a certificate; the rest is filled in by the caller.
    pub fn of(node: &NodeView) -> Self {
        Self {
            machine: node.machine,
            registration: node.registration,
            miner: node.miner,
            endpoint: node.endpoint,
            gpu_class: 0,
            gpu_count: 0,
            measured_at_secs: 0,
            tenant_left_secs: 0,
            transcript: serde_json::Value::Null,
        }
    }
}

impl Evidence {
    /// The bundle in canonical JSON: what is stored, served and hashed.
    ///
    /// # Errors
    /// A number in it does not survive canonical JSON, or it is too deep.
    pub fn canonical(&self) -> Result<Vec<u8>, EvidenceError> {
        let value = serde_json::to_value(self).map_err(|_| EvidenceError::NotJson)?;
        check::check_value(&value, 0)?;
        serde_json_canonicalizer::to_vec(&value).map_err(|_| EvidenceError::NotJson)
    }

    /// keccak256 of [`Self::canonical`]: the digest a statement names.
    ///
    /// # Errors
    /// As [`Self::canonical`].
    pub fn digest(&self) -> Result<Hash32, EvidenceError> {
        self.canonical().map(|bytes| keccak(&bytes))
    }
}

#[cfg(test)]
mod tests;
