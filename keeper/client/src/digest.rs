//! What keepers, machines and renters sign. Alike in Solidity (`contracts/src/libraries/Eip712.sol`) and here; shared
//! vectors are in `tests/vectors/digests.json` (but for complaints, which no contract reads).

mod alpha;
pub use alpha::Roll;

use alloy::primitives::{Address, B256, keccak256};
use alloy::sol;
use alloy::sol_types::{Eip712Domain, SolStruct, SolValue};
use surety_core::complaints;
use surety_core::statement::{self, Signed, Statement};
use surety_core::types::{Account, Hash32, MachineId, Signature};

sol! {
    struct Certificate {
        bytes32 machine;
        uint32 registration;
        uint16 gpuClass;
        uint16 gpuCount;
        uint32 measuredAt;
        bytes32 evidence;
    }

    struct Attestation {
        uint8 kind;
        uint64 rental;
        uint8 cause;
        uint32 from;
        uint32 until;
        bytes32 evidence;
    }

    struct Complaint {
        uint64 rental;
        uint8 code;
        string text;
        uint32 issuedAt;
    }

    struct Spoof {
        bytes32 machine;
        uint32 registration;
        uint16 gpuClass;
        uint16 gpuCount;
        uint32 provedAt;
        bytes32 evidence;
    }
}

/// A time that does not fit the contracts' 32-bit seconds (after February 2106).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("time {secs} does not fit the contracts' 32-bit seconds")]
pub struct TimeTooFar {
    /// The offending time.
    pub secs: u64,
}

/// A signature that nobody can have made, or that is not the low-s one of the two.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid low-s signature: {why}")]
pub struct BadSignature {
    /// What is wrong with it.
    pub why: String,
}

/// Where statements are consumed: chain and verifying contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domains {
    /// Chain id, as the chain says now.
    pub chain_id: u64,
    /// Consumes certificates; complaints are about its rentals.
    pub escrow: Account,
    /// Consumes attestations and spoofs.
    pub arbiter: Account,
}

impl Domains {
    fn domain(&self, contract: Account) -> Eip712Domain {
        Eip712Domain::new(
            Some("Surety".into()),
            Some("1".into()),
            Some(alloy::primitives::U256::from(self.chain_id)),
            Some(Address::from(contract.0)),
            None,
        )
    }

    /// The 32 bytes a keeper signs for a certificate.
    pub fn certificate(&self, c: &statement::Certificate) -> Result<Hash32, TimeTooFar> {
        let data = Certificate {
            machine: B256::from(c.machine.0),
            registration: c.registration,
            gpuClass: c.gpu_class,
            gpuCount: c.gpu_count,
            measuredAt: secs32(c.measured_at_secs)?,
            evidence: B256::from(c.evidence.0),
        };
        Ok(Hash32(data.eip712_signing_hash(&self.domain(self.escrow)).0))
    }

    /// The 32 bytes a keeper signs for an attestation.
    pub fn attestation(&self, a: &statement::Attestation) -> Result<Hash32, TimeTooFar> {
        let data = Attestation {
            kind: a.kind as u8,
            rental: a.rental,
            cause: a.cause as u8,
            from: secs32(a.from_secs)?,
            until: secs32(a.until_secs)?,
            evidence: B256::from(a.evidence.0),
        };
        Ok(Hash32(data.eip712_signing_hash(&self.domain(self.arbiter)).0))
    }

    /// The 32 bytes a keeper signs for a spoof.
    pub fn spoof(&self, s: &statement::Spoof) -> Result<Hash32, TimeTooFar> {
        let data = Spoof {
            machine: B256::from(s.machine.0),
            registration: s.registration,
            gpuClass: s.gpu_class,
            gpuCount: s.gpu_count,
            provedAt: secs32(s.proved_at_secs)?,
            evidence: B256::from(s.evidence.0),
        };
        Ok(Hash32(data.eip712_signing_hash(&self.domain(self.arbiter)).0))
    }

    /// The 32 bytes a renter signs for a complaint.
    pub fn complaint(&self, c: &complaints::Complaint) -> Result<Hash32, TimeTooFar> {
        let (rental, code, text) = (c.rental, c.code as u8, c.text.clone());
        let data = Complaint { rental, code, text, issuedAt: secs32(c.issued_at_secs)? };
        Ok(Hash32(data.eip712_signing_hash(&self.domain(self.escrow)).0))
    }

    /// Who signed a complaint, for this chain and this escrow.
    pub fn complainant(
        &self,
        complaint: &complaints::Complaint,
        signature: Signature,
    ) -> Result<Account, BadSignature> {
        let digest = self.complaint(complaint).map_err(|e| bad(&e.to_string()))?;
        recover(digest, signature)
    }

    /// The 32 bytes a keeper signs for a statement.
    pub fn statement(&self, statement: &Statement) -> Result<Hash32, TimeTooFar> {
        match statement {
            Statement::Attestation(a) => self.attestation(a),
            Statement::Certificate(c) => self.certificate(c),
            Statement::Spoof(s) => self.spoof(s),
        }
    }

    /// Checks that `signed.signer` signed `signed.statement` with the low-s signature the contracts accept.
    pub fn check<T: Copy + Into<Statement>>(&self, signed: &Signed<T>) -> Result<(), BadSignature> {
        let digest = self.statement(&signed.statement.into()).map_err(|e| bad(&e.to_string()))?;
        let signer = recover(digest, signed.signature)?;
        if signer == signed.signer { Ok(()) } else { Err(bad(&format!("made by {signer}, not by {}", signed.signer))) }
    }
}

/// The account that made `signature` over `digest`.
pub fn recover(digest: Hash32, signature: Signature) -> Result<Account, BadSignature> {
    let parsed = alloy::primitives::Signature::from_raw_array(&signature.0).map_err(|e| bad(&e.to_string()))?;
    if parsed.normalize_s().is_some() {
        return Err(bad("s is in the upper half"));
    }
    let signer = parsed.recover_address_from_prehash(&B256::from(digest.0)).map_err(|e| bad(&e.to_string()))?;
    Ok(Account(signer.into_array()))
}

/// EIP-2098 form of a signature: `r`, and `s` with the parity bit on top.
pub fn compact(signature: Signature) -> (B256, B256) {
    let r = B256::from_slice(&signature.0[..32]);
    let mut vs = [0u8; 32];
    vs.copy_from_slice(&signature.0[32..64]);
    if matches!(signature.0[64], 28 | 1) {
        vs[0] |= 0x80;
    }
    (r, B256::from(vs))
}

/// What a machine's host key signs to be registered (`CollateralVault.registrationDigest`).
/// `previous` is the machine's last registration number, 0 if it never had one.
pub fn registration(
    chain_id: u64,
    vault: Account,
    machine: MachineId,
    hotkey: Hash32,
    miner: Account,
    previous: u32,
) -> Hash32 {
    let purpose = keccak256("surety.machine.register.v1");
    let fields = (
        purpose,
        alloy::primitives::U256::from(chain_id),
        Address::from(vault.0),
        B256::from(machine.0),
        B256::from(hotkey.0),
        Address::from(miner.0),
        previous,
    );
    Hash32(keccak256(fields.abi_encode()).0)
}

fn bad(why: &str) -> BadSignature {
    BadSignature { why: why.to_string() }
}

/// Narrows chain seconds to what the contracts store.
pub fn secs32(secs: u64) -> Result<u32, TimeTooFar> {
    u32::try_from(secs).map_err(|_| TimeTooFar { secs })
}

#[cfg(test)]
mod tests;
