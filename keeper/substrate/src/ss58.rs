//! Accounts of the chain: 32 bytes, written as SS58 text.
//!
//! SS58 is base58 of `prefix ‖ account ‖ checksum`. The prefix names the network: 42 is Substrate's generic one, which
//! Bittensor uses (`System.SS58Prefix`), so its addresses begin with 5. The checksum is the first two bytes of
//! `blake2b-512("SS58PRE" ‖ prefix ‖ account)`. A prefix below 64 is one byte, one up to 16,383 is two.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Digest};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use subxt::ext::codec::{Decode, Encode};

#[cfg(test)]
mod tests;

/// The network prefix of Bittensor's addresses: `System.SS58Prefix` of the runtime, and Substrate's generic number.
pub const PREFIX: u16 = 42;

/// What the checksum's hash begins with, by the SS58 format.
const CONTEXT: &[u8] = b"SS58PRE";
/// What the EVM pallet's `HashedAddressMapping` hashes before an EVM address.
const EVM_CONTEXT: &[u8] = b"evm:";
/// Bytes of an account.
const ACCOUNT_BYTES: usize = 32;
/// Bytes of the checksum of a 32-byte account, by the SS58 format.
const CHECKSUM_BYTES: usize = 2;
/// Characters that are looked at: an address with a two-byte prefix has 49 or 50. Decoding base58 takes quadratic time.
const CHARACTERS_MAX: usize = 64;
/// Networks whose addresses are pasted by mistake: from the public SS58 registry.
const NETWORKS: &[(u16, &str)] = &[(0, "Polkadot"), (2, "Kusama"), (5, "Astar"), (7, "Edgeware"), (10, "Acala")];

/// An account of the chain: a coldkey, a hotkey, a contract, or what an EVM address is mapped to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[codec(crate = subxt::ext::codec)]
#[cfg_attr(test, derive(scale_info::TypeInfo))]
pub struct AccountId(pub [u8; ACCOUNT_BYTES]);

/// Why text is no address of this chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ss58Error {
    /// A character that base58 does not have.
    #[error(
        "the {position}. character, {character:?}, is not of base58 (which has no 0, O, I, l, space or sign): \
         copy the address again"
    )]
    NotBase58 {
        /// The character.
        character: char,
        /// Which it is, from 1.
        position: usize,
    },
    /// Too short or too long to be an address.
    #[error("{found} characters are no whole address, one of Bittensor has 48: copy it again, whole")]
    Length {
        /// How many characters there are.
        found: usize,
    },
    /// The checksum does not fit: a character was changed.
    #[error("the checksum does not fit, so at least one character is wrong: copy the address again")]
    Checksum,
    /// The prefix is one that the format reserves.
    #[error(
        "the first byte is {found}, which no network has: copy the address again; Bittensor addresses begin with 5"
    )]
    Reserved {
        /// The first byte.
        found: u8,
    },
    /// A sound address of another network.
    #[error(
        "this is an address of another network (prefix {found}{}), want prefix 42: Bittensor addresses begin with 5. \
         The same key on this chain is {here}",
        network(*found)
    )]
    Network {
        /// The prefix that was found.
        found: u16,
        /// The same account as Bittensor writes it.
        here: AccountId,
    },
    /// An Ethereum address.
    #[error(
        "this is an EVM address (20 bytes), want an SS58 address. On this chain it acts as its mapped account, \
         blake2-256 of \"evm:\" and its 20 bytes, which is {mapped}: name that if you mean it"
    )]
    EvmAddress {
        /// The account that the address is mapped to.
        mapped: AccountId,
    },
    /// 0x and something that is not 32 bytes of hex.
    #[error("0x and {found} characters, want 0x and 64 hex digits (a public key) or an SS58 address beginning with 5")]
    Hex {
        /// How many characters follow 0x.
        found: usize,
    },
}

/// `, Polkadot` for a network we know by its prefix.
fn network(prefix: u16) -> String {
    let known = NETWORKS.iter().find(|(number, _)| *number == prefix);
    known.map(|(_, name)| format!(", {name}")).unwrap_or_default()
}

impl AccountId {
    /// The account that an EVM address acts as: `blake2_256("evm:" ‖ address)`, the runtime's `HashedAddressMapping`.
    /// Nobody has its sr25519 key.
    pub fn of_evm(address: [u8; 20]) -> Self {
        Self(Blake2b::<U32>::new().chain_update(EVM_CONTEXT).chain_update(address).finalize().into())
    }

    /// Its SS58 text.
    fn text(&self) -> String {
        // 42 is below 64, so the prefix is one byte.
        let mut bytes = PREFIX.to_le_bytes()[..1].to_vec();
        bytes.extend_from_slice(&self.0);
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        bs58::encode(bytes).into_string()
    }

    fn of_hex(digits: &str) -> Result<Self, Ss58Error> {
        let mut evm = [0u8; 20];
        if hex::decode_to_slice(digits, &mut evm).is_ok() {
            return Err(Ss58Error::EvmAddress { mapped: Self::of_evm(evm) });
        }
        let mut account = [0u8; ACCOUNT_BYTES];
        let wrong = |_| Ss58Error::Hex { found: digits.chars().count() };
        hex::decode_to_slice(digits, &mut account).map_err(wrong)?;
        Ok(Self(account))
    }
}

/// The first two bytes of the hash over prefix and account.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Blake2b512::new().chain_update(CONTEXT).chain_update(bytes).finalize();
    [hash[0], hash[1]]
}

/// The network's number and how many bytes it takes, none of nothing. In two bytes, the lower six bits of the first are
/// bits 2 to 7 of the number, the upper two of the second its bits 0 and 1, the lower six of the second bits 8 to 13.
fn prefix(bytes: &[u8]) -> Result<Option<(u16, usize)>, Ss58Error> {
    match *bytes {
        [one @ 0..=63, ..] => Ok(Some((u16::from(one), 1))),
        [one @ 64..=127, two, ..] => {
            let low = (one << 2) | (two >> 6);
            Ok(Some((u16::from_le_bytes([low, two & 0x3f]), 2)))
        }
        [found @ 128..=255, ..] => Err(Ss58Error::Reserved { found }),
        _ => Ok(None),
    }
}

/// Bytes of base58 text, or which character is not of it.
fn base58(text: &str) -> Result<Vec<u8>, Ss58Error> {
    let of_alphabet = |c: &char| c.is_ascii_alphanumeric() && !matches!(c, '0' | 'O' | 'I' | 'l');
    if let Some((index, character)) = text.chars().enumerate().find(|(_, c)| !of_alphabet(c)) {
        return Err(Ss58Error::NotBase58 { character, position: index + 1 });
    }
    let length = Ss58Error::Length { found: text.len() };
    if text.len() > CHARACTERS_MAX {
        return Err(length);
    }
    bs58::decode(text).into_vec().map_err(|_| length)
}

impl FromStr for AccountId {
    type Err = Ss58Error;

    /// Reads an SS58 address of this network, or `0x` and the 64 hex digits of a public key.
    fn from_str(text: &str) -> Result<Self, Ss58Error> {
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return Self::of_hex(digits);
        }
        let bytes = base58(text)?;
        let length = Ss58Error::Length { found: text.len() };
        let (found, prefix_bytes) = prefix(&bytes)?.ok_or(length.clone())?;
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(length.clone())?;
        let account = body.get(prefix_bytes..).and_then(|rest| rest.try_into().ok()).ok_or(length)?;
        if *sum != checksum(body) {
            return Err(Ss58Error::Checksum);
        }
        // Last: a mistyped first character must not be told to be another network.
        if found != PREFIX {
            return Err(Ss58Error::Network { found, here: Self(account) });
        }
        Ok(Self(account))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text())
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl From<AccountId> for subxt::utils::AccountId32 {
    fn from(account: AccountId) -> Self {
        Self(account.0)
    }
}

impl From<subxt::utils::AccountId32> for AccountId {
    fn from(account: subxt::utils::AccountId32) -> Self {
        Self(account.0)
    }
}
