//! A coldkey: it owns stake and TAO, so its file is mostly encrypted.
//!
//! `bittensor-wallet` (since 3.0 of btcli) writes `$NACL`, a nonce of 24 bytes and a NaCl secret box (XSalsa20 and
//! Poly1305) of the same JSON that hotkey files hold. The key of the box is Argon2i (version 1.3) of the password with
//! one salt for everybody, in libsodium's `SENSITIVE` measure: 8 passes over 512 MiB, some seconds. Compared with a
//! file that version 4.1.1 of the package wrote (`tests/vectors/subtensor-native/wallets/encrypted`).

use super::{Hotkey, WalletError, file};
use crate::ss58::AccountId;
use argon2::{Algorithm, Argon2, Params, Version};
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use subxt::SubstrateConfig;
use subxt::utils::{AccountId32, MultiSignature};

/// What an encrypted file begins with.
const MARK: &[u8] = b"$NACL";
/// Bytes of the nonce behind it.
const NONCE_BYTES: usize = 24;
/// The salt of every wallet, from the package's source (`NACL_SALT`).
const SALT: [u8; 16] = *b"\x13q\x83\xdf\xf1Z\t\xbc\x9c\x90\xb5Q\x879\xe9\xb1";
/// libsodium's `crypto_pwhash_argon2i_MEMLIMIT_SENSITIVE`, in KiB.
const MEMORY_KIB: u32 = 512 * 1024;
/// libsodium's `crypto_pwhash_argon2i_OPSLIMIT_SENSITIVE`.
const PASSES: u32 = 8;
/// Bytes of the box's key.
const KEY_BYTES: usize = 32;

/// Why there is no coldkey. None of these holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ColdkeyError {
    /// Encrypted, and nobody said the password.
    #[error("the coldkey file is encrypted: its password is needed")]
    PasswordNeeded,
    /// The box does not open.
    #[error("the password does not open the coldkey file (or the file is damaged): try again")]
    WrongPassword,
    /// Encrypted in a way that only old wallets were.
    #[error("the coldkey file is encrypted as {kind}, which is not read here: btcli w update writes it anew")]
    OldEncryption {
        /// How.
        kind: &'static str,
    },
    /// There are not enough resources for the password's key.
    #[error("the password's key takes {} MiB of memory, which were not to be had: {why}", MEMORY_KIB / 1024)]
    Memory {
        /// What the library said.
        why: String,
    },
    /// Only the public key.
    #[error(
        "the file holds only the public key of {account}, as coldkeypub.txt does: name the file wallets/NAME/coldkey"
    )]
    PublicOnly {
        /// Whose.
        account: AccountId,
    },
    /// No key file at all.
    #[error("not a coldkey file ({0}): name the file wallets/NAME/coldkey, as btcli writes it")]
    NotAKey(&'static str),
    /// Something is wrong with a key file's contents.
    #[error("the coldkey file is not sound: {}", .0.to_string().replace("hotkey", "coldkey"))]
    Contents(WalletError),
    /// A development key, where it is not accepted or has no name.
    #[error("{}", .0.to_string().replace("hotkey", "coldkey"))]
    Development(WalletError),
}

/// An sr25519 key that signs as one coldkey. Its memory is overwritten when it is dropped.
pub struct Coldkey(Hotkey);

impl std::fmt::Debug for Coldkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Coldkey({})", self.account())
    }
}

impl Coldkey {
    /// Whether a file's contents want a password.
    pub fn wants_password(bytes: &[u8]) -> bool {
        bytes.starts_with(MARK)
    }

    /// Reads what a coldkey file holds. Takes seconds and 512 MiB where it is encrypted: it blocks. The caller sees to
    /// it that nobody else can read the file.
    pub fn from_file(bytes: &[u8], password: Option<&SecretString>) -> Result<Self, ColdkeyError> {
        let Some(sealed) = bytes.strip_prefix(MARK) else { return read(bytes) };
        if bytes.len() > super::FILE_BYTES_MAX {
            return Err(ColdkeyError::NotAKey("too many bytes"));
        }
        let password = password.ok_or(ColdkeyError::PasswordNeeded)?;
        read(&open(sealed, password)?)
    }

    /// The key of `//NAME`, on a local chain only: [`Hotkey::dev`].
    pub fn dev(uri: &str, local: bool) -> Result<Self, ColdkeyError> {
        Hotkey::dev(uri, local).map(Self).map_err(ColdkeyError::Development)
    }

    /// The account it signs for.
    pub fn account(&self) -> AccountId {
        self.0.account()
    }
}

impl subxt::tx::Signer<SubstrateConfig> for Coldkey {
    fn account_id(&self) -> AccountId32 {
        self.account().into()
    }

    fn sign(&self, payload: &[u8]) -> MultiSignature {
        subxt::tx::Signer::<SubstrateConfig>::sign(&self.0, payload)
    }
}

fn read(bytes: &[u8]) -> Result<Coldkey, ColdkeyError> {
    let read = file::read(bytes).map(|pair| Coldkey(Hotkey::of_pair(pair)));
    // What is said of hotkey files is said otherwise of these.
    read.map_err(|error| match error {
        WalletError::TooLong { .. } => ColdkeyError::NotAKey("too many bytes"),
        WalletError::NotAWallet { problem, .. } => ColdkeyError::NotAKey(problem),
        WalletError::Encrypted { kind } => ColdkeyError::OldEncryption { kind },
        WalletError::PublicOnly { account } => ColdkeyError::PublicOnly { account },
        other => ColdkeyError::Contents(other),
    })
}

fn open(sealed: &[u8], password: &SecretString) -> Result<Zeroizing<Vec<u8>>, ColdkeyError> {
    let Some((nonce, text)) = sealed.split_first_chunk::<NONCE_BYTES>() else {
        return Err(ColdkeyError::NotAKey("it ends too early"));
    };
    let memory = |error: argon2::Error| ColdkeyError::Memory { why: error.to_string() };
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(KEY_BYTES)).map_err(memory)?;
    let mut key = Zeroizing::new([0u8; KEY_BYTES]);
    let argon2 = Argon2::new(Algorithm::Argon2i, Version::V0x13, params);
    argon2.hash_password_into(password.expose_secret().as_bytes(), &SALT, &mut key[..]).map_err(memory)?;
    let opened = XSalsa20Poly1305::new((&*key).into()).decrypt(nonce.into(), text);
    opened.map(Zeroizing::new).map_err(|_| ColdkeyError::WrongPassword)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file(name: &str) -> Vec<u8> {
        let at = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/subtensor-native/wallets");
        std::fs::read(std::path::Path::new(at).join(name)).unwrap()
    }

    fn refused(bytes: &[u8], password: Option<&str>) -> ColdkeyError {
        let password = password.map(SecretString::from);
        Coldkey::from_file(bytes, password.as_ref()).err().unwrap()
    }

    #[test]
    fn a_file_that_the_package_encrypted_opens_with_its_password_and_with_no_other() {
        let bytes = file("encrypted");
        assert!(Coldkey::wants_password(&bytes));
        // make.py's own password.
        let key = Coldkey::from_file(&bytes, Some(&"Throwaway-Passw0rd".into())).unwrap();
        assert!(key.account().to_string().starts_with('5'));
        assert!(matches!(refused(&bytes, None), ColdkeyError::PasswordNeeded));
        assert!(matches!(refused(&bytes, Some("throwaway-Passw0rd")), ColdkeyError::WrongPassword));
    }

    #[test]
    fn an_unencrypted_file_needs_no_password() {
        let bytes = file("twelve-words");
        assert!(!Coldkey::wants_password(&bytes));
        let key = Coldkey::from_file(&bytes, None).unwrap();
        assert_eq!(key.account(), Hotkey::from_file(&bytes).unwrap().account());
        assert_eq!(format!("{key:?}"), format!("Coldkey({})", key.account()));
    }

    #[test]
    fn what_is_no_coldkey_is_refused_by_name_and_never_speaks_of_hotkey_files() {
        let old = b"$ANSIBLE_VAULT;1.1;AES256\n6162".to_vec();
        let too_short = [MARK, &[0; NONCE_BYTES - 1]].concat();
        let too_long = [MARK, &vec![0; super::super::FILE_BYTES_MAX]].concat();
        let cases = [
            (file("coldkeypub.txt"), "only the public key of 5"),
            (old, "btcli w update"),
            (b"{}".to_vec(), "names no ss58Address"),
            (b"not a key".to_vec(), "not a coldkey file (no JSON)"),
            (too_short, "it ends too early"),
            (too_long, "too many bytes"),
        ];
        for (bytes, want) in cases {
            let said = refused(&bytes, Some("x")).to_string();
            assert!(said.contains(want) && !said.contains("wallets/NAME/hotkeys"), "{said}");
        }
    }

    #[test]
    fn a_development_key_is_for_local_chains_alone() {
        assert!(Coldkey::dev("//Alice", true).is_ok());
        assert!(Coldkey::dev("//Alice", false).unwrap_err().to_string().contains("development key"));
    }
}
