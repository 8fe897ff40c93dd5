//! What machines and keepers sign.

use super::{H100, Machine, Surety, arbiter, bids, escrow, vault};
use crate::kit::{view, word};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_sol_types::SolValue;
use ed25519_dalek::Signer;

/// What a case is about.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub kind: u8,
    pub rental: u64,
    pub gap: u8,
    pub from: u32,
    pub until: u32,
}

impl Surety {
    /// The machine's own consent, over what the vault asks for now: r, s.
    pub(super) fn possession(&self, machine: &Machine) -> [B256; 2] {
        let call = self.digest_call(machine);
        let digest: B256 = view(&self.chain, self.vault, call);
        let signature = machine.host_key.sign(digest.as_slice());
        [B256::from(*signature.r_bytes()), B256::from(*signature.s_bytes())]
    }

    pub(super) fn digest_call(&self, machine: &Machine) -> vault::registrationDigestCall {
        let (id, hotkey) = (machine.id(), machine.hotkey.to_b256());
        vault::registrationDigestCall { machine: id, hotkey, miner: self.miner }
    }

    pub fn certificates(&self, machine: B256, signers: usize) -> Vec<escrow::IRentalEscrow::SignedCertificate> {
        let (measured_at, evidence) = (self.chain.now() as u32, word("evidence"));
        let registration = self.registration_of(machine);
        let typehash = keccak256(
            "Certificate(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,\
             uint32 measuredAt,bytes32 evidence)",
        );
        let fields = (typehash, machine, registration, H100, 1u16, measured_at, evidence);
        let digest = self.digest(self.escrow, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            escrow::IRentalEscrow::SignedCertificate {
                gpuClass: H100,
                gpuCount: 1,
                measuredAt: measured_at,
                evidence,
                r,
                vs,
            }
        };
        self.keeper_keys.iter().take(signers).map(sign).collect()
    }

    /// The same, for the contract of bids.
    pub fn bid_certificates(&self, machine: B256, signers: usize) -> Vec<bids::IRentalEscrow::SignedCertificate> {
        let same = |c: escrow::IRentalEscrow::SignedCertificate| bids::IRentalEscrow::SignedCertificate {
            gpuClass: c.gpuClass,
            gpuCount: c.gpuCount,
            measuredAt: c.measuredAt,
            evidence: c.evidence,
            r: c.r,
            vs: c.vs,
        };
        self.certificates(machine, signers).into_iter().map(same).collect()
    }

    /// A case, attested by the first `signers` keepers.
    pub fn case_call(&self, claim: Claim, signers: usize) -> arbiter::fileCall {
        let Claim { kind, rental, gap, from, until } = claim;
        let (cause, evidence) = (1u8, word("evidence"));
        let typehash =
            keccak256("Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)");
        let fields = (typehash, U256::from(kind), rental, U256::from(cause), from, until, evidence);
        let digest = self.digest(self.arbiter, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            arbiter::IArbiter::SignedAttestation { kind, cause, from, until, evidence, r, vs }
        };
        let attestations = self.keeper_keys.iter().take(signers).map(sign).collect();
        arbiter::fileCall { kind, rental, gap, attestations }
    }

    /// The machine signed false proofs of its whole class, just now.
    pub fn spoof_call(&self, machine: B256, signers: usize) -> arbiter::fileSpoofedCall {
        let (proved_at, evidence) = (self.chain.now() as u32, word("evidence"));
        let registration = self.registration_of(machine);
        let typehash = keccak256(
            "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,\
             uint32 provedAt,bytes32 evidence)",
        );
        let fields = (typehash, machine, registration, H100, 1u16, proved_at, evidence);
        let digest = self.digest(self.arbiter, keccak256(fields.abi_encode()));
        let sign = |key| {
            let (r, vs) = sign(key, digest);
            arbiter::IArbiter::SignedSpoof { provedAt: proved_at, evidence, r, vs }
        };
        let spoofs = self.keeper_keys.iter().take(signers).map(sign).collect();
        arbiter::fileSpoofedCall { machine, registration, gpuClass: H100, gpuCount: 1, spoofs }
    }

    fn registration_of(&self, machine: B256) -> u32 {
        view(&self.chain, self.vault, vault::ownerOfCall { machine }).registration
    }

    fn digest(&self, consumer: Address, struct_hash: B256) -> B256 {
        let typehash = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        let chain_id = U256::from(self.chain.block().chain_id);
        let domain = (typehash, keccak256("Surety"), keccak256("1"), chain_id, consumer).abi_encode();
        keccak256([&[0x19, 0x01][..], keccak256(domain).as_slice(), struct_hash.as_slice()].concat())
    }
}

/// EIP-2098 form of a low-s signature.
fn sign(key: &k256::ecdsa::SigningKey, digest: B256) -> (B256, B256) {
    let (signature, recovery) = key.sign_prehash_recoverable(digest.as_slice()).unwrap();
    let bytes: [u8; 64] = signature.to_bytes().into();
    let mut vs = B256::from_slice(&bytes[32..]);
    vs.0[0] |= u8::from(recovery.is_y_odd()) << 7;
    (B256::from_slice(&bytes[..32]), vs)
}
