//! What keepers sign, and who signed it: EIP-712 as on the EVM side, to the byte.
//!
//! The domain is the Arbiter's (name `Surety`, version `1`, its chain id and address), so `Attestation` and `Spoof` are
//! the very signatures that were made for it: one attestation, two vaults. The statements made for a vault alone name
//! the vault's account in their first field. Hashing and recovery come from outside, so that all of this is testable
//! without a chain.

use crate::types::{Address, Attestation, Backing, Config, Kind, Roll, Shortfall, Signature, Spoof, Verdict};
use ink::prelude::vec::Vec;

/// A 32-byte hash.
pub type Hash = [u8; 32];

/// Half the order of secp256k1: of the two valid s for a message only the lower one is accepted.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e,
    0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// The order of secp256k1: an r from here on is no signature.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xba, 0xae, 0xdc,
    0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

const DOMAIN: &str = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
const ATTESTATION: &str = "Attestation(uint8 kind,uint64 rental,uint8 cause,uint32 from,uint32 until,bytes32 evidence)";
const SPOOF: &str =
    "Spoof(bytes32 machine,uint32 registration,uint16 gpuClass,uint16 gpuCount,uint32 provedAt,bytes32 evidence)";
const BACKING: &str = "AlphaBacking(bytes32 vault,bytes32 owner,bytes32 machine,uint32 registration,uint64 caseId,\
uint8 kind,uint64 rental,uint64 taoReserve,uint64 alpha,uint64 alphaValue,uint64 earned,uint32 statedAt)";
const SHORTFALL: &str = "AlphaShortfall(bytes32 vault,bytes32 owner,bytes32 machine,uint32 registration,uint64 caseId,\
uint64 alpha,uint64 alphaValue,uint64 shortfall,uint32 statedAt)";
const VERDICT: &str = "AlphaVerdict(bytes32 vault,uint64 caseId,bool dismissed,uint64 earned,uint32 statedAt)";
const ROLL: &str = "KeeperRoll(bytes32 vault,uint64 number,address[] keepers,uint64[] weights,uint32 until)";

/// Hashing and recovery.
pub trait Crypto {
    /// keccak256.
    fn keccak(&self, bytes: &[u8]) -> Hash;
    /// The address whose key made this 65-byte signature (r, s, parity) of `digest`; None: nobody's.
    fn recover(&self, digest: &Hash, signature: &[u8; 65]) -> Option<Address>;
}

/// A struct as it is hashed: its type's hash, then 32 bytes a field.
struct Words(Vec<u8>);

impl Words {
    fn of(crypto: &impl Crypto, type_string: &str) -> Self {
        let mut words = Self(Vec::with_capacity(416));
        words.0.extend_from_slice(&crypto.keccak(type_string.as_bytes()));
        words
    }

    fn bytes(mut self, word: &[u8; 32]) -> Self {
        self.0.extend_from_slice(word);
        self
    }

    fn number(self, value: impl Into<u64>) -> Self {
        self.bytes(&number(value.into()))
    }

    fn address(self, value: &Address) -> Self {
        self.bytes(&address(value))
    }

    fn hash(self, crypto: &impl Crypto) -> Hash {
        crypto.keccak(&self.0)
    }
}

fn number(value: u64) -> [u8; 32] {
    let mut word = [0; 32];
    word[24..].copy_from_slice(&value.to_be_bytes());
    word
}

fn address(value: &Address) -> [u8; 32] {
    let mut word = [0; 32];
    word[12..].copy_from_slice(value);
    word
}

/// The domain separator of the Arbiter's signatures.
pub fn domain(crypto: &impl Crypto, config: &Config) -> Hash {
    Words::of(crypto, DOMAIN)
        .bytes(&crypto.keccak(b"Surety"))
        .bytes(&crypto.keccak(b"1"))
        .number(config.chain_id)
        .address(&config.arbiter)
        .hash(crypto)
}

/// An attestation as the Arbiter takes it.
pub fn attestation(crypto: &impl Crypto, kind: Kind, rental: u64, a: &Attestation) -> Hash {
    Words::of(crypto, ATTESTATION)
        .number(kind.number())
        .number(rental)
        .number(a.cause)
        .number(a.from)
        .number(a.until)
        .bytes(&a.evidence)
        .hash(crypto)
}

/// Which machine, and what it claimed to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The machine's host key.
    pub machine: [u8; 32],
    /// The node's registration.
    pub registration: u32,
    /// Class of the cards.
    pub gpu_class: u16,
    /// How many.
    pub gpu_count: u16,
}

/// A spoof as the Arbiter takes it.
pub fn spoof(crypto: &impl Crypto, claim: &Claim, s: &Spoof) -> Hash {
    Words::of(crypto, SPOOF)
        .bytes(&claim.machine)
        .number(claim.registration)
        .number(claim.gpu_class)
        .number(claim.gpu_count)
        .number(s.proved_at)
        .bytes(&s.evidence)
        .hash(crypto)
}

/// What stood behind a rental.
pub fn backing(crypto: &impl Crypto, vault: &[u8; 32], b: &Backing, stated_at: u32) -> Hash {
    Words::of(crypto, BACKING)
        .bytes(vault)
        .bytes(b.owner.as_ref())
        .bytes(&b.machine)
        .number(b.registration)
        .number(b.case_id)
        .number(b.kind.number())
        .number(b.rental)
        .number(b.tao_reserve)
        .number(b.alpha)
        .number(b.alpha_value)
        .number(b.earned)
        .number(stated_at)
        .hash(crypto)
}

/// What of a `Spoofed` is left for alpha.
pub fn shortfall(crypto: &impl Crypto, vault: &[u8; 32], s: &Shortfall, stated_at: u32) -> Hash {
    Words::of(crypto, SHORTFALL)
        .bytes(vault)
        .bytes(s.owner.as_ref())
        .bytes(&s.machine)
        .number(s.registration)
        .number(s.case_id)
        .number(s.alpha)
        .number(s.alpha_value)
        .number(s.shortfall)
        .number(stated_at)
        .hash(crypto)
}

/// What became of the Arbiter's case `case_id`.
pub fn verdict(crypto: &impl Crypto, vault: &[u8; 32], case_id: u64, v: &Verdict, stated_at: u32) -> Hash {
    Words::of(crypto, VERDICT)
        .bytes(vault)
        .number(case_id)
        .number(v.dismissed)
        .number(v.earned)
        .number(stated_at)
        .hash(crypto)
}

/// The next roll, which can be handed over to until the second `until`.
pub fn roll(crypto: &impl Crypto, vault: &[u8; 32], next: &Roll, until: u32) -> Hash {
    let keepers: Vec<u8> = next.keepers.iter().flat_map(address).collect();
    let weights: Vec<u8> = next.weights.iter().flat_map(|weight| number(*weight)).collect();
    Words::of(crypto, ROLL)
        .bytes(vault)
        .number(next.number)
        .bytes(&crypto.keccak(&keepers))
        .bytes(&crypto.keccak(&weights))
        .number(until)
        .hash(crypto)
}

/// What is signed: the struct under the domain.
pub fn digest(crypto: &impl Crypto, domain: &Hash, struct_hash: &Hash) -> Hash {
    let mut bytes = [0u8; 66];
    bytes[0] = 0x19;
    bytes[1] = 0x01;
    bytes[2..34].copy_from_slice(domain);
    bytes[34..].copy_from_slice(struct_hash);
    crypto.keccak(&bytes)
}

/// Who signed `digest`. None: high s, a zero or overlong part, or nobody's. The bounds are checked here and not left to
/// the host, which on some nodes panics on what it cannot parse.
pub fn signer(crypto: &impl Crypto, digest: &Hash, signature: &Signature) -> Option<Address> {
    let mut s = signature.vs;
    let parity = s[0] >> 7;
    s[0] &= 0x7f;
    let zero = [0u8; 32];
    if s > HALF_ORDER || s == zero || signature.r >= ORDER || signature.r == zero {
        return None;
    }
    let mut bytes = [0u8; 65];
    bytes[..32].copy_from_slice(&signature.r);
    bytes[32..64].copy_from_slice(&s);
    bytes[64] = parity;
    crypto.recover(digest, &bytes)
}
