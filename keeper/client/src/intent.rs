//! An intent as a call on the contracts, and a revert as the name of the contract's error.

use crate::bindings::{
    Arbiter, CollateralVault, IArbiter, IRentalEscrow, RentalBids, RentalEscrow, VotingPowerKeepers,
};
use crate::digest::{TimeTooFar, compact, secs32};
use crate::subtensor::twox64;
use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::{SolCall, SolInterface};
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::statement::{Attestation, Certificate, Signed, Spoof};
use surety_core::types::Account;

/// Which contract, and what to say to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// ABI-encoded call.
    pub data: Bytes,
}

/// Encodes an intent. Fails only on times or gaps that do not fit the contracts' types.
pub fn encode(intent: &Intent, contracts: &Contracts) -> Result<Call, TimeTooFar> {
    let call = |to: Account, data: Vec<u8>| Call { to: Address::from(to.0), data: data.into() };
    let to_arbiter = |data| call(contracts.arbiter, data);
    Ok(match intent {
        Intent::File { kind, rental, gap, attestations } => {
            let attestations = attestations.iter().map(attestation).collect::<Result<Vec<_>, _>>()?;
            let gap = u8::try_from(*gap).map_err(|_| TimeTooFar { secs: u64::from(*gap) })?;
            to_arbiter(Arbiter::fileCall { kind: *kind as u8, rental: *rental, gap, attestations }.abi_encode())
        }
        Intent::FileSpoofed { machine, registration, gpu_class, gpu_count, spoofs } => {
            let spoofs = spoofs.iter().map(spoof).collect::<Result<Vec<_>, _>>()?;
            let (machine, registration) = (B256::from(machine.0), *registration);
            let (gpu_class, gpu_count) = (*gpu_class, *gpu_count);
            let filing =
                Arbiter::fileSpoofedCall { machine, registration, gpuClass: gpu_class, gpuCount: gpu_count, spoofs };
            to_arbiter(filing.abi_encode())
        }
        Intent::Execute { case_id } => to_arbiter(Arbiter::executeCall { caseId: *case_id }.abi_encode()),
        Intent::FlushBurn => call(contracts.vault, CollateralVault::flushBurnCall {}.abi_encode()),
        Intent::Close { rentals } => {
            call(contracts.escrow, RentalEscrow::closeManyCall { rentals: rentals.clone() }.abi_encode())
        }
        Intent::Join { set, uid, ssh_key, url, .. } => {
            let (uid_hash, ssh_key) = (twox64(*uid), B256::from(ssh_key.0));
            let join = VotingPowerKeepers::joinCall { uid: *uid, uidHash: uid_hash, sshKey: ssh_key, url: url.clone() };
            call(*set, join.abi_encode())
        }
        Intent::CheckIn { set, uid, .. } => {
            call(*set, VotingPowerKeepers::checkInCall { uid: *uid, uidHash: twox64(*uid) }.abi_encode())
        }
        Intent::Claim { rental, .. } => {
            call(contracts.escrow, RentalEscrow::claimCall { rental: *rental }.abi_encode())
        }
    })
}

/// An attestation as the Arbiter takes it.
pub fn attestation(signed: &Signed<Attestation>) -> Result<IArbiter::SignedAttestation, TimeTooFar> {
    let a = &signed.statement;
    let (r, vs) = compact(signed.signature);
    Ok(IArbiter::SignedAttestation {
        kind: a.kind as u8,
        cause: a.cause as u8,
        from: secs32(a.from_secs)?,
        until: secs32(a.until_secs)?,
        evidence: B256::from(a.evidence.0),
        r,
        vs,
    })
}

/// A spoof as the Arbiter takes it.
pub fn spoof(signed: &Signed<Spoof>) -> Result<IArbiter::SignedSpoof, TimeTooFar> {
    let (r, vs) = compact(signed.signature);
    let proved_at = secs32(signed.statement.proved_at_secs)?;
    Ok(IArbiter::SignedSpoof { provedAt: proved_at, evidence: B256::from(signed.statement.evidence.0), r, vs })
}

/// A certificate as the RentalEscrow takes it.
pub fn certificate(signed: &Signed<Certificate>) -> Result<IRentalEscrow::SignedCertificate, TimeTooFar> {
    let c = &signed.statement;
    let (r, vs) = compact(signed.signature);
    Ok(IRentalEscrow::SignedCertificate {
        gpuClass: c.gpu_class,
        gpuCount: c.gpu_count,
        measuredAt: secs32(c.measured_at_secs)?,
        evidence: B256::from(c.evidence.0),
        r,
        vs,
    })
}

/// The error a contract reverted with, by name and arguments; `None` when it is none of ours.
pub fn revert_name(data: &[u8]) -> Option<String> {
    if let Ok(error) = Arbiter::ArbiterErrors::abi_decode(data) {
        return Some(short(&format!("{error:?}")));
    }
    if let Ok(error) = RentalEscrow::RentalEscrowErrors::abi_decode(data) {
        return Some(short(&format!("{error:?}")));
    }
    if let Ok(error) = RentalBids::RentalBidsErrors::abi_decode(data) {
        return Some(short(&format!("{error:?}")));
    }
    if let Ok(error) = VotingPowerKeepers::VotingPowerKeepersErrors::abi_decode(data) {
        return Some(short(&format!("{error:?}")));
    }
    let error = CollateralVault::CollateralVaultErrors::abi_decode(data).ok()?;
    Some(short(&format!("{error:?}")))
}

/// `Enum(Error(Error { .. }))` names the error three times; once will do.
fn short(debug: &str) -> String {
    let inner = debug.split_once('(').map_or(debug, |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
    inner.chars().take(300).collect()
}
