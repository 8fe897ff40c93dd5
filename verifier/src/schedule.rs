//! Epochs by block number, and the secret of each: committed to an epoch before, revealed after.
//!
//! E = H(hash of the epoch's first block, secret). The block is not known when the secret is committed to, so nobody
//! chooses E, the keeper included; the secret is not known before the epoch is over, so nobody else does either.
//!
//! A keeper derives all its secrets from one master, so that a restart keeps its word, and nothing has to be stored.

use crate::freivalds::Epoch;
use crate::seed::{self, derive};
use crate::{Address, Bytes32};
use serde::{Deserialize, Serialize};

/// Blocks of an epoch: of 12 s, a day.
pub const EPOCH_BLOCKS: u64 = 7_200;

/// Epochs whose secret is shown: a month.
pub const REVEALED_MAX: u64 = 30;

/// The epoch that a block belongs to.
#[must_use]
pub fn epoch_of(block: u64) -> u64 {
    block / EPOCH_BLOCKS
}

/// The block whose hash an epoch is seeded with.
#[must_use]
pub fn first_block(epoch: u64) -> u64 {
    epoch.saturating_mul(EPOCH_BLOCKS)
}

/// What a keeper derives the secrets of its epochs from. Prints as nothing.
#[derive(Clone)]
pub struct Master(Bytes32);

impl std::fmt::Debug for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Master(..)")
    }
}

impl Master {
    /// From the keeper's own SSH key (its 32-byte seed), for this chain and keeper. Says nothing about the key.
    #[must_use]
    pub fn of_key(key_seed: &Bytes32, chain_id: u64, keeper: &Address) -> Self {
        Self(derive(seed::context::EPOCH_MASTER, &[key_seed, &chain_id.to_be_bytes(), keeper]))
    }

    /// The secret of an epoch.
    #[must_use]
    pub fn secret(&self, epoch: u64) -> Bytes32 {
        derive(seed::context::EPOCH_SECRET, &[&self.0, &epoch.to_be_bytes()])
    }

    /// The public side of an epoch whose first block has this hash.
    #[must_use]
    pub fn epoch(&self, number: u64, block_hash: Bytes32) -> Epoch {
        Epoch::new(block_hash, &self.secret(number))
    }

    /// What the keeper shows when this is the newest final block: the next epoch and the present one by their
    /// commitments, and at most [`REVEALED_MAX`] past ones with their secrets. Newest first.
    #[must_use]
    pub fn published(&self, final_block: u64) -> Vec<Published> {
        let present = epoch_of(final_block);
        let oldest = present.saturating_sub(REVEALED_MAX);
        let one = |number: u64| {
            let secret = self.secret(number);
            let commitment = seed::secret_commitment(&secret);
            let secret = (number < present).then(|| hex::encode(secret));
            Published { number, first_block: first_block(number), commitment: hex::encode(commitment), secret }
        };
        (oldest..=present.saturating_add(1)).rev().map(one).collect()
    }
}

/// An epoch as its keeper shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// The block whose hash seeds it.
    pub first_block: u64,
    /// KDF("secret commitment", secret), 64 hexadecimal digits.
    pub commitment: String,
    /// The secret, 64 hexadecimal digits, once the epoch is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn master() -> Master {
        Master::of_key(&[7; 32], 945, &[3; 20])
    }

    fn bytes(text: &str) -> Bytes32 {
        hex::decode(text).unwrap().try_into().unwrap()
    }

    #[test]
    fn an_epoch_is_committed_to_before_it_begins_and_opened_after_it_is_over() {
        let block = 5 * EPOCH_BLOCKS + 17;
        let shown = master().published(block);
        let secrets: Vec<(u64, bool)> = shown.iter().map(|one| (one.number, one.secret.is_some())).collect();
        assert_eq!(secrets[..3], [(6, false), (5, false), (4, true)]);
        let later = master().published(block + EPOCH_BLOCKS);
        assert_eq!(later[0].number, 7);
        assert_eq!((later[1].number, &later[1].commitment), (6, &shown[0].commitment), "the word is kept");
        let revealed = bytes(later[2].secret.as_ref().unwrap());
        let epoch = master().epoch(5, [9; 32]);
        assert!(epoch.opened_by(&revealed));
        assert_eq!(epoch.secret_commitment, bytes(&shown[1].commitment));
    }

    #[test]
    fn an_epoch_is_over_with_the_first_block_of_the_next_and_not_before() {
        let opened = |block: u64| master().published(block).iter().any(|one| one.number == 5 && one.secret.is_some());
        assert!(!opened(6 * EPOCH_BLOCKS - 1));
        assert!(opened(6 * EPOCH_BLOCKS));
    }

    #[test]
    fn other_keys_chains_and_keepers_have_other_secrets() {
        let others = [
            Master::of_key(&[8; 32], 945, &[3; 20]),
            Master::of_key(&[7; 32], 964, &[3; 20]),
            Master::of_key(&[7; 32], 945, &[4; 20]),
        ];
        assert!(others.iter().all(|other| other.secret(5) != master().secret(5)));
        assert_ne!(master().secret(5), master().secret(6));
    }

    #[test]
    fn what_is_shown_is_bounded_at_both_ends_of_time() {
        assert_eq!(master().published(0).len(), 2);
        assert_eq!(master().published(u64::MAX).len() as u64, REVEALED_MAX + 2);
    }

    #[test]
    fn a_master_prints_as_nothing() {
        assert_eq!(format!("{:?}", master()), "Master(..)");
    }
}
