//! What a hotkey file says, and whether all of it is of one key.

use super::{FILE_BYTES_MAX, Pair, WalletError};
use crate::ss58::AccountId;
use secrecy::zeroize::Zeroize;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

/// How encrypted key files begin, from `bittensor-wallet`'s own test for each.
const ENCRYPTED: &[(&[u8], &str)] =
    &[(b"$NACL", "NaCl secret box"), (b"$ANSIBLE_VAULT", "Ansible vault"), (b"gAAAAA", "Fernet, an old one")];

/// The fields that btcli writes. Others are skipped: later versions may add some.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    account_id: Option<String>,
    public_key: Option<String>,
    ss58_address: Option<String>,
    crypto_type: Option<u64>,
    #[serde(default, deserialize_with = "secret")]
    private_key: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    secret_seed: Option<SecretString>,
    #[serde(default, deserialize_with = "secret")]
    secret_phrase: Option<SecretString>,
}

/// Makes a key of a field's text, none where it does not have the field's form.
type Reader = fn(&str) -> Option<Pair>;

/// Text that is overwritten when dropped.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(from)?.map(SecretString::from))
}

/// The key that a hotkey file holds.
pub(super) fn read(bytes: &[u8]) -> Result<Pair, WalletError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(WalletError::TooLong { found: bytes.len() });
    }
    if let Some((_, kind)) = ENCRYPTED.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Err(WalletError::Encrypted { kind });
    }
    let fields: Fields = serde_json::from_slice(bytes).map_err(not_a_wallet)?;
    // Before the address: an ed25519 key has a sound one.
    if let Some(found) = fields.crypto_type.filter(|found| *found != 1) {
        return Err(WalletError::Scheme { found });
    }
    let named = fields.named()?;
    fields.pair(named)
}

/// serde's own words would hold the value that it did not expect, which may be a secret.
fn not_a_wallet(error: serde_json::Error) -> WalletError {
    let problem = match error.classify() {
        serde_json::error::Category::Eof => "it ends too early",
        serde_json::error::Category::Syntax => "no JSON",
        _ => "JSON of another shape",
    };
    WalletError::NotAWallet { problem, line: error.line(), column: error.column() }
}

impl Fields {
    /// The account that every public field names.
    fn named(&self) -> Result<AccountId, WalletError> {
        let public =
            [("ss58Address", &self.ss58_address), ("publicKey", &self.public_key), ("accountId", &self.account_id)];
        let mut named: Option<(&'static str, AccountId)> = None;
        for (field, text) in public {
            let Some(text) = text else { continue };
            let found = text.parse().map_err(|source| WalletError::NotAnAccount { field, source })?;
            match named {
                None => named = Some((field, found)),
                Some((_, want)) if want == found => {}
                Some((other, want)) => return Err(WalletError::Disagree { field, found, other, want }),
            }
        }
        named.map(|(_, account)| account).ok_or(WalletError::Nameless)
    }

    /// The key, where every secret is of the account that the file names. The first there is: half of an expanded key
    /// is the seed of nonces, which no public key shows to be the right one.
    fn pair(&self, named: AccountId) -> Result<Pair, WalletError> {
        let secrets: [(_, _, _, Reader); 3] = [
            ("secretSeed", "0x and 64 hex digits", &self.secret_seed, seed),
            ("secretPhrase", "12 to 24 words of the English list", &self.secret_phrase, Pair::of_phrase),
            ("privateKey", "0x and the 128 hex digits of an sr25519 key", &self.private_key, expanded),
        ];
        let mut key = None;
        for (field, want, text, read) in secrets {
            let Some(text) = text else { continue };
            let pair = read(text.expose_secret()).ok_or(WalletError::Malformed { field, want })?;
            let derived = pair.account();
            if derived != named {
                return Err(WalletError::Mismatch { field, derived, named });
            }
            key.get_or_insert(pair);
        }
        key.ok_or(WalletError::PublicOnly { account: named })
    }
}

fn expanded(text: &str) -> Option<Pair> {
    let mut bytes = [0u8; 64];
    hex::decode_to_slice(text.strip_prefix("0x")?, &mut bytes).ok()?;
    let pair = Pair::of_expanded(&bytes);
    bytes.zeroize();
    pair
}

/// A seed as hex; or, where its bytes happen to be UTF-8, as the package writes it: those characters after 0x. (It
/// cannot read such a file again itself; the key is sound all the same.)
fn seed(text: &str) -> Option<Pair> {
    let text = text.strip_prefix("0x")?;
    let mut bytes = [0u8; 32];
    if let Ok(characters) = text.as_bytes().try_into() {
        bytes = characters;
    } else {
        hex::decode_to_slice(text, &mut bytes).ok()?;
    }
    Pair::of_seed(bytes)
}
