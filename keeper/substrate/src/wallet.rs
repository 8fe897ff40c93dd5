//! The hotkey that signs: from a wallet file as btcli writes it, or a development key on a local chain.
//!
//! btcli and the Python package `bittensor-wallet` keep a hotkey as unencrypted JSON in `wallets/NAME/hotkeys/HOTKEY`.
//! Read with versions 2.1.3 to 4.1.1 of the package: `accountId` and `publicKey` (0x and 32 bytes of hex, the same),
//! `ss58Address`, `privateKey` (the expanded key, 64 bytes), and `secretSeed` (32 bytes) and `secretPhrase` where there
//! is one: a key made from a URI or from another private key has neither. `cryptoType` came with version 4 (1 is
//! sr25519, 0 ed25519). Everything that the file names must be of one key, or a file put together from two would sign
//! as an account that its owner does not expect.

use crate::ss58::{AccountId, Ss58Error};
use secrecy::zeroize::Zeroize;
use sha3::{Digest, Keccak256};
use std::str::FromStr;
use subxt::SubstrateConfig;
use subxt::utils::{AccountId32, MultiSignature};
use subxt_signer::{SecretUri, sr25519};

pub mod coldkey;
mod file;
#[cfg(test)]
mod tests;

/// The most bytes a hotkey file may have. One of 24 words has some 700.
pub const FILE_BYTES_MAX: usize = 16 * 1024;
/// The most characters a development URI may have.
const URI_CHARACTERS_MAX: usize = 64;
/// The context of sr25519 signatures on Substrate chains.
const SIGNING_CONTEXT: &[u8] = b"substrate";

/// Why there is no hotkey. None of these holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    /// More bytes than any hotkey file has.
    #[error("{found} bytes, a hotkey file has at most {FILE_BYTES_MAX}: name the file in wallets/NAME/hotkeys")]
    TooLong {
        /// How many bytes there are.
        found: usize,
    },
    /// The file is encrypted.
    #[error(
        "hotkeys are kept unencrypted by btcli; this file is encrypted ({kind}). If it is a coldkey: it is never needed \
         here, name the file in wallets/NAME/hotkeys. If it is the hotkey: btcli w regen-hotkey --no-use-password"
    )]
    Encrypted {
        /// How.
        kind: &'static str,
    },
    /// Not a JSON object of the fields we know.
    #[error(
        "not a hotkey file: {problem} at line {line}, column {column}; expected the JSON that btcli writes in \
         wallets/NAME/hotkeys, with privateKey and ss58Address"
    )]
    NotAWallet {
        /// What was wrong, in words; never the text itself, which may be a secret.
        problem: &'static str,
        /// Where, from 1.
        line: usize,
        /// Where in the line, from 1.
        column: usize,
    },
    /// Only public keys are in it.
    #[error(
        "this file holds only the public key of {account}, as NAMEpub.txt and coldkeypub.txt do: \
         name the hotkey's own file in wallets/NAME/hotkeys"
    )]
    PublicOnly {
        /// Whose public key.
        account: AccountId,
    },
    /// It does not say whose key it is.
    #[error(
        "the file names no ss58Address, publicKey or accountId, so its key cannot be checked: btcli w regen-hotkey"
    )]
    Nameless,
    /// A public field is no account.
    #[error("{field} of the file is no account of this chain")]
    NotAnAccount {
        /// Which field.
        field: &'static str,
        /// Why.
        source: Ss58Error,
    },
    /// Two public fields name different accounts.
    #[error("{field} of the file names {found}, but {other} names {want}: the file was put together from two keys")]
    Disagree {
        /// Which field.
        field: &'static str,
        /// What it names.
        found: AccountId,
        /// The field it was compared with.
        other: &'static str,
        /// What that names.
        want: AccountId,
    },
    /// The key is of another signature scheme.
    #[error("cryptoType {found}{}, want 1 (sr25519): make a hotkey with btcli w new-hotkey", scheme(*found))]
    Scheme {
        /// What the file says.
        found: u64,
    },
    /// A secret field does not have its form.
    #[error("{field} of the file is not {want}: btcli w regen-hotkey writes it again")]
    Malformed {
        /// Which field.
        field: &'static str,
        /// What it should be.
        want: &'static str,
    },
    /// A secret is of another account than the file names.
    #[error(
        "{field} of the file is the key of {derived}, but the file names {named}: it was put together from two keys"
    )]
    Mismatch {
        /// Which field.
        field: &'static str,
        /// Whose secret it is.
        derived: AccountId,
        /// Whom the file names.
        named: AccountId,
    },
    /// Not `//NAME`.
    #[error(
        "not a development key: want // and a name, such as //Alice. Mnemonics and seeds are read from a hotkey file, \
         never from a command line or a configuration"
    )]
    NotADevKey,
    /// A development key where the chain is not a local one.
    #[error(
        "{uri} is a development key: everybody has it, and it can sign anything for its account. It is accepted on a \
         local chain alone, and this chain is not one: name a hotkey file"
    )]
    DevKeyRefused {
        /// Which.
        uri: String,
    },
}

/// ` (ed25519)` for the schemes that the package knows.
fn scheme(found: u64) -> &'static str {
    match found {
        0 => " (ed25519)",
        2 => " (ecdsa)",
        _ => "",
    }
}

/// An sr25519 key that signs as one hotkey. Its memory is overwritten when it is dropped.
pub struct Hotkey {
    account: AccountId,
    pair: Pair,
}

/// The same key from what the file had. `subxt_signer` makes none from an expanded key, which some files have alone.
enum Pair {
    Seed(sr25519::Keypair),
    Expanded(schnorrkel::Keypair),
}

impl Pair {
    fn account(&self) -> AccountId {
        match self {
            Self::Seed(pair) => AccountId(pair.public_key().0),
            Self::Expanded(pair) => AccountId(pair.public.to_bytes()),
        }
    }

    /// From the 32 bytes that are expanded to a key.
    fn of_seed(mut seed: [u8; 32]) -> Option<Self> {
        let pair = sr25519::Keypair::from_secret_key(seed).ok().map(Self::Seed);
        seed.zeroize();
        pair
    }

    /// From words, as every wallet of Substrate reads them: no password, no derivation.
    fn of_phrase(words: &str) -> Option<Self> {
        let phrase = subxt_signer::bip39::Mnemonic::from_str(words).ok()?;
        sr25519::Keypair::from_phrase(&phrase, None).ok().map(Self::Seed)
    }

    /// From the expanded key: the scalar (32 bytes, not multiplied by the cofactor), then the nonce's seed.
    fn of_expanded(bytes: &[u8; 64]) -> Option<Self> {
        let secret = schnorrkel::SecretKey::from_bytes(bytes).ok()?;
        Some(Self::Expanded(secret.to_keypair()))
    }
}

impl std::fmt::Debug for Hotkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hotkey({})", self.account)
    }
}

impl Hotkey {
    fn of_pair(pair: Pair) -> Self {
        Self { account: pair.account(), pair }
    }

    /// Reads what a hotkey file holds: bytes, because an encrypted one is not text. The caller sees to it that nobody
    /// else can read the file.
    pub fn from_file(bytes: &[u8]) -> Result<Self, WalletError> {
        file::read(bytes).map(Self::of_pair)
    }

    /// The key of `//NAME` (with further `//` or `/` steps), derived from Substrate's public development phrase.
    /// `local` says that the chain is a local one, where nothing is worth anything; else it is refused.
    pub fn dev(uri: &str, local: bool) -> Result<Self, WalletError> {
        let step = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        // Three slashes would begin a password, and a key with one is nobody's development key.
        let form = uri.starts_with("//") && uri.len() > 2 && !uri.contains("///") && uri.chars().all(step);
        if !form || uri.len() > URI_CHARACTERS_MAX {
            return Err(WalletError::NotADevKey);
        }
        if !local {
            return Err(WalletError::DevKeyRefused { uri: uri.to_owned() });
        }
        let parsed = SecretUri::from_str(uri).map_err(|_| WalletError::NotADevKey)?;
        let pair = sr25519::Keypair::from_uri(&parsed).map_err(|_| WalletError::NotADevKey)?;
        Ok(Self::of_pair(Pair::Seed(pair)))
    }

    /// The account it signs for.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// An sr25519 signature over exactly these bytes, with Substrate's context. Two over the same bytes differ.
    pub fn sign(&self, payload: &[u8]) -> [u8; 64] {
        match &self.pair {
            Pair::Seed(pair) => pair.sign(payload).0,
            Pair::Expanded(pair) => pair.sign_simple(SIGNING_CONTEXT, payload).to_bytes(),
        }
    }
}

impl subxt::tx::Signer<SubstrateConfig> for Hotkey {
    fn account_id(&self) -> AccountId32 {
        self.account.into()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        MultiSignature::Sr25519(Hotkey::sign(self, payload))
    }
}

/// The message that an EVM key signs for `associate_evm_key`, as an EIP-191 personal message of 64 bytes:
/// `hotkey ‖ keccak256(block as u64, little-endian)`.
///
/// Nothing in it names a subnet or a chain, and the runtime does not look at how old `block` is: whoever has such a
/// signature can associate that EVM address with that hotkey on every subnet, for ever. It gives no power over money.
pub fn associate_message(hotkey: AccountId, block: u64) -> [u8; 64] {
    let mut message = [0u8; 64];
    let (account, digest) = message.split_at_mut(32);
    account.copy_from_slice(&hotkey.0);
    digest.copy_from_slice(&Keccak256::digest(block.to_le_bytes()));
    message
}
