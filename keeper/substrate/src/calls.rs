//! What a hotkey sends about weights, as typed calls.

use crate::needed::{self, Call};
use crate::runtime::arg;
use subxt::dynamic::Value;
use surety_core::types::Hash32;

/// A call about the weights of one subnet. `uids` and `values` are of one length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightCall {
    /// In the open.
    Set {
        /// The subnet.
        netuid: u16,
        /// Who gets weight.
        uids: Vec<u16>,
        /// How much, of 65,535.
        values: Vec<u16>,
        /// The subnet's version key.
        version_key: u64,
    },
    /// A hash now, the weights in a later epoch.
    CommitHash {
        /// The subnet.
        netuid: u16,
        /// [`crate::timelock::commit_hash`] of what is revealed later.
        hash: Hash32,
    },
    /// The weights behind a hash.
    Reveal {
        /// The subnet.
        netuid: u16,
        /// Who gets weight.
        uids: Vec<u16>,
        /// How much, of 65,535.
        values: Vec<u16>,
        /// The salt of the hash.
        salt: Vec<u16>,
        /// The subnet's version key at the commit.
        version_key: u64,
    },
    /// Weights that a round of the beacon opens; the chain reveals them itself.
    CommitTimelocked {
        /// The subnet.
        netuid: u16,
        /// The payload, encrypted.
        ciphertext: Vec<u8>,
        /// The round that opens it.
        round: u64,
        /// The version of commits that the chain takes.
        version: u16,
    },
}

impl WeightCall {
    /// The call, and its arguments in order.
    pub fn parts(&self) -> (&'static Call, Vec<Value>) {
        match self {
            Self::Set { netuid, uids, values, version_key } => (
                &needed::SET_WEIGHTS,
                vec![arg::number(*netuid), arg::numbers(uids), arg::numbers(values), arg::number(*version_key)],
            ),
            Self::CommitHash { netuid, hash } => {
                (&needed::COMMIT_WEIGHTS, vec![arg::number(*netuid), arg::bytes(&hash.0)])
            }
            Self::Reveal { netuid, uids, values, salt, version_key } => (
                &needed::REVEAL_WEIGHTS,
                vec![
                    arg::number(*netuid),
                    arg::numbers(uids),
                    arg::numbers(values),
                    arg::numbers(salt),
                    arg::number(*version_key),
                ],
            ),
            Self::CommitTimelocked { netuid, ciphertext, round, version } => (
                &needed::COMMIT_TIMELOCKED,
                vec![arg::number(*netuid), arg::bytes(ciphertext), arg::number(*round), arg::number(*version)],
            ),
        }
    }
}
