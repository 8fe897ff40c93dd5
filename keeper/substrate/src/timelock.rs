//! Weights that nobody can read before a round of drand: payloads of `commit_timelocked_weights`, version 4.
//!
//! The payload is encrypted for a round of drand's quicknet: whoever has the round's signature can open it, and nobody
//! before. The chain stores rounds as drand publishes them and opens the commits itself; there is no reveal to send.
//! A commit that it cannot open it throws away without an event. So the bytes here are compared with those of
//! Bittensor's own client (`bittensor-drand` 2.0.0, which like the runtime links ideal-lab5's `tle` at 5416406): the
//! crate `timelock` 0.3 has the same cryptography, but writes another container, without the lengths before V and W,
//! and the chain reads none of those. Only its cryptography is used; `timelock/container.rs` writes the container.

use crate::ss58::AccountId;
use ark_serialize::CanonicalDeserialize;
use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use rand_chacha_03::ChaCha20Rng;
use rand_chacha_03::rand_core::{RngCore, SeedableRng};
use sha2::Sha256;
use subxt::ext::codec::{DecodeAll, Encode};
use timelock::block_ciphers::{AESGCMBlockCipherProvider, AESOutput, BlockCipherProvider};
use timelock::engines::EngineBLS;
use timelock::engines::drand::TinyBLS381;
use timelock::ibe::fullident::{IBESecret, Identity};

mod container;
mod schedule;
#[cfg(test)]
mod tests;

pub use schedule::{EpochSchedule, MARGIN_BLOCKS, QUICKNET_GENESIS_SECS, ROUND_MS, reveal_round, round_at};

/// The most bytes of a commit: the bound of `commit_timelocked_weights`' argument (`MAX_CRV3_COMMIT_SIZE_BYTES`).
pub const CIPHERTEXT_BYTES_MAX: usize = 5_000;
/// The most weights a commit can have: 5,000 bytes less 244 of the container, 41 of hotkey and version key, 4 of two
/// lengths; 4 bytes a weight.
pub const WEIGHTS_MAX: usize = 1_177;
/// `SubtensorModule.CommitRevealWeightsVersion` of the runtimes whose payload this is; with another, do not commit.
pub const COMMIT_REVEAL_VERSION: u16 = 4;
/// Bytes of a round's signature: a compressed point of G1 of BLS12-381.
pub const SIGNATURE_BYTES: usize = 48;

/// Quicknet's public key, a compressed point of G2: from drand's own description of the chain 52db9ba7….
const QUICKNET_KEY: &str = "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c\
                            8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb\
                            5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a";
/// What the hash of the randomness begins with, so that it is of nothing else.
const RANDOMNESS_CONTEXT: &[u8] = b"surety timelocked weights 1";

/// Why weights cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimelockError {
    /// As many uids as values are needed.
    #[error("{uids} uids but {values} values: every uid needs one weight")]
    Uneven {
        /// How many uids.
        uids: usize,
        /// How many values.
        values: usize,
    },
    /// More weights than a commit can hold.
    #[error("{found} weights do not fit into a commit of {CIPHERTEXT_BYTES_MAX} bytes: at most {WEIGHTS_MAX} do")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// Bytes that are no commit.
    #[error("not a timelocked commit: {problem}")]
    NotACommit {
        /// What was wrong.
        problem: &'static str,
    },
    /// 48 bytes that are no signature.
    #[error("not a round's signature: its 48 bytes are no point of the curve; take it from Drand.Pulses or from drand")]
    NotASignature,
    /// The signature of another round, or bytes that were changed.
    #[error("this signature does not open the commit: it is of another round, or the commit was changed")]
    DoesNotOpen,
    /// It opens, to something else.
    #[error("the commit opens to something that is no payload of version 4 ({problem})")]
    NotAPayload {
        /// What was wrong.
        problem: &'static str,
    },
    /// Encryption failed, which it does for no input we know.
    #[error("the encryption failed; this is a bug, please report it")]
    Encryption,
    /// The chain has no beacon.
    #[error("Drand.LastStoredRound is 0: this chain stores no rounds of drand, so it could never open a commit")]
    NoBeacon,
    /// The subnet runs no epochs.
    #[error("the subnet's tempo is 0: it runs no epochs, so no commit would be revealed")]
    NoEpochs,
    /// The subnet's reveal period is none.
    #[error("RevealPeriodEpochs is 0, want at least 1: read it again")]
    NoRevealPeriod,
}

/// What is committed: one validator's weights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Who commits. The chain opens the commit for nobody else, so a copied one is worthless.
    pub hotkey: AccountId,
    /// Whom the weights are for, each uid once.
    pub uids: Vec<u16>,
    /// Their weights, in the same order; only the ratios count.
    pub values: Vec<u16>,
    /// `SubtensorModule.WeightsVersionKey` of the subnet, or more.
    pub version_key: u64,
}

impl Payload {
    /// SCALE of the runtime's `WeightsTlockPayload`: hotkey as `Vec<u8>`, uids and values as `Vec<u16>`, version key as
    /// `u64`.
    pub fn encode(&self) -> Vec<u8> {
        (self.hotkey.0.to_vec(), &self.uids, &self.values, self.version_key).encode()
    }

    fn decode(bytes: &[u8]) -> Result<Self, TimelockError> {
        let wrong = |problem| TimelockError::NotAPayload { problem };
        let decoded = <(Vec<u8>, Vec<u16>, Vec<u16>, u64)>::decode_all(&mut &bytes[..]);
        let (hotkey, uids, values, version_key) = decoded.map_err(|_| wrong("its SCALE is another"))?;
        let hotkey = hotkey.try_into().map(AccountId).map_err(|_| wrong("its hotkey has not 32 bytes"))?;
        if uids.len() != values.len() {
            return Err(wrong("as many uids as values are needed"));
        }
        Ok(Self { hotkey, uids, values, version_key })
    }

    /// Encrypts for a round of quicknet: the `commit` of `commit_timelocked_weights`, whose `reveal_round` must be the
    /// same number.
    ///
    /// `seed` is 32 bytes from the operating system. Who knows it reads the weights at once, so it is kept nowhere.
    /// Key and nonce are drawn from a hash of seed, round and payload: two different payloads under one seed do not
    /// show each other, as they would if it were the key itself; and the same three give the same bytes.
    pub fn seal(&self, round: u64, seed: &[u8; 32]) -> Result<Vec<u8>, TimelockError> {
        let (uids, values) = (self.uids.len(), self.values.len());
        if uids != values {
            return Err(TimelockError::Uneven { uids, values });
        }
        if uids > WEIGHTS_MAX {
            return Err(TimelockError::TooMany { found: uids });
        }
        let plain = self.encode();
        let mut randomness = randomness(seed, round, &plain);
        let mut key = [0u8; 32];
        randomness.fill_bytes(&mut key);
        let sealed = timelock::tlock::tle::<TinyBLS381, AESGCMBlockCipherProvider, _>(
            quicknet_key()?,
            key,
            &plain,
            identity(round),
            randomness,
        );
        container::write(&sealed.map_err(|_| TimelockError::Encryption)?)
    }
}

/// Opens a commit with the signature of its round, as the chain does in the reveal epoch.
pub fn open(commit: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> Result<Payload, TimelockError> {
    let sealed = container::read(commit)?;
    let point = <TinyBLS381 as EngineBLS>::SignatureGroup::deserialize_compressed(&signature[..]);
    let secret = IBESecret::<TinyBLS381>(point.map_err(|_| TimelockError::NotASignature)?);
    let key = secret.decrypt(&sealed.header).map_err(|_| TimelockError::DoesNotOpen)?;
    let body = AESOutput { ciphertext: sealed.text, nonce: sealed.nonce };
    let plain = AESGCMBlockCipherProvider::decrypt(body, key).map_err(|_| TimelockError::DoesNotOpen)?;
    Payload::decode(&plain)
}

/// The `commit_hash` of `commit_weights`, where commits are hashes and not timelocked:
/// `blake2_256(SCALE (hotkey, netuid_index, uids, values, salt, version_key))`, as the runtime computes it from what
/// `reveal_weights` is given. `netuid_index` is `netuid + 4096 × mechanism`. The salt keeps the weights from being
/// guessed: eight random numbers or more.
pub fn commit_hash(
    hotkey: AccountId,
    netuid_index: u16,
    uids: &[u16],
    values: &[u16],
    salt: &[u16],
    version_key: u64,
) -> [u8; 32] {
    let bytes = (hotkey.0, netuid_index, uids, values, salt, version_key).encode();
    Blake2b::<U32>::digest(bytes).into()
}

/// The generator that key, σ and nonce of one commit are drawn from, in this order.
fn randomness(seed: &[u8; 32], round: u64, plain: &[u8]) -> ChaCha20Rng {
    let hash = Blake2b::<U32>::new()
        .chain_update(RANDOMNESS_CONTEXT)
        .chain_update(seed)
        .chain_update(round.to_be_bytes())
        .chain_update(plain);
    ChaCha20Rng::from_seed(hash.finalize().into())
}

/// What a round's signature is over: sha256 of its number, big-endian, as quicknet (unchained) defines it.
fn identity(round: u64) -> Identity {
    Identity::new(b"", &Sha256::digest(round.to_be_bytes()))
}

fn quicknet_key() -> Result<<TinyBLS381 as EngineBLS>::PublicKeyGroup, TimelockError> {
    let mut bytes = [0u8; 96];
    hex::decode_to_slice(QUICKNET_KEY, &mut bytes).map_err(|_| TimelockError::Encryption)?;
    CanonicalDeserialize::deserialize_compressed(&bytes[..]).map_err(|_| TimelockError::Encryption)
}
