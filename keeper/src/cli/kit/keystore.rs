//! Web3 secret storage, version 3: a key file under a password, as wallets write it.
//!
//! Whoever wrote the file says how much work its key derivation takes; that is bounded here before any of it is done.

use aes::Aes128;
use ctr::cipher::{KeyIvInit, StreamCipher};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use surety_client::keys::Key;

/// Longest key file read; wallets write some 500 bytes.
pub(in crate::cli) const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Most memory that scrypt may take, `128 * n * r` bytes. Wallets ask for 256 MiB (n 262144, r 8).
const SCRYPT_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Most work that scrypt may take, `n * r * p`. Wallets ask for 2^21 (n 262144, r 8, p 1; or r 1, p 8).
const SCRYPT_WORK_MAX: u64 = 1 << 23;

/// Most rounds of PBKDF2. Wallets ask for 262,144; newer ones for a million.
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;

/// Bytes that are derived: the cipher's key, and the one of the check.
const DERIVED_BYTES: usize = 32;

/// Why a key file is not opened.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum KeystoreError {
    /// Not the JSON that is expected.
    #[error("not a web3 secret storage file of version 3: {0}")]
    NotOne(String),
    /// A cipher or derivation that nobody uses.
    #[error("it uses {found}, want {want}")]
    Unknown {
        /// What it says.
        found: String,
        /// What is known.
        want: &'static str,
    },
    /// Too much work or memory.
    #[error("it asks for more work than any wallet's ({0}): it is not opened")]
    TooMuchWork(String),
    /// The check does not fit.
    #[error("the password is wrong, or the file is damaged")]
    WrongPassword,
    /// What is in it is no key.
    #[error("what is in it is no key")]
    NotAKey,
}

#[derive(Deserialize)]
struct File {
    version: u8,
    #[serde(alias = "Crypto")]
    crypto: Crypto,
}

#[derive(Deserialize)]
struct Crypto {
    cipher: String,
    cipherparams: CipherParams,
    ciphertext: String,
    #[serde(flatten)]
    kdf: Kdf,
    mac: String,
}

#[derive(Deserialize)]
struct CipherParams {
    iv: String,
}

#[derive(Deserialize)]
#[serde(tag = "kdf", content = "kdfparams", rename_all = "lowercase")]
enum Kdf {
    Scrypt { dklen: usize, n: u64, r: u32, p: u32, salt: String },
    Pbkdf2 { dklen: usize, c: u32, prf: String, salt: String },
}

/// Whether a key file is such a one, and not plain hex.
pub(in crate::cli) fn is_one(text: &SecretString) -> bool {
    text.expose_secret().trim_start().starts_with('{')
}

/// Opens a key file with its password. Takes about a second of work.
///
/// # Errors
/// It is no such file, asks for too much work, or the password is wrong.
pub(in crate::cli) fn open(text: &SecretString, password: &SecretString) -> Result<Key, KeystoreError> {
    let file: File =
        serde_json::from_str(text.expose_secret()).map_err(|error| KeystoreError::NotOne(error.to_string()))?;
    if file.version != 3 {
        return Err(KeystoreError::Unknown { found: format!("version {}", file.version), want: "version 3" });
    }
    let crypto = file.crypto;
    if crypto.cipher != "aes-128-ctr" {
        let found = crypto.cipher.chars().take(40).collect();
        return Err(KeystoreError::Unknown { found, want: "aes-128-ctr" });
    }
    let mut key = Zeroizing::new(bytes(&crypto.ciphertext, "ciphertext")?);
    let (iv, mac) = (bytes(&crypto.cipherparams.iv, "iv")?, bytes(&crypto.mac, "mac")?);
    let derived = derive(&crypto.kdf, password)?;
    let checked = [&derived[16..], key.as_slice()].concat();
    if alloy::primitives::keccak256(checked).as_slice() != mac {
        return Err(KeystoreError::WrongPassword);
    }
    let cipher = ctr::Ctr128BE::<Aes128>::new_from_slices(&derived[..16], &iv);
    cipher.map_err(|_| KeystoreError::NotOne("the iv is not 16 bytes".into()))?.apply_keystream(&mut key);
    let key: Zeroizing<[u8; 32]> = Zeroizing::new(key.as_slice().try_into().map_err(|_| KeystoreError::NotAKey)?);
    Key::from_bytes(*key).ok_or(KeystoreError::NotAKey)
}

fn bytes(hex_digits: &str, what: &str) -> Result<Vec<u8>, KeystoreError> {
    let digits = hex_digits.strip_prefix("0x").unwrap_or(hex_digits);
    hex::decode(digits).map_err(|_| KeystoreError::NotOne(format!("{what} is not hex")))
}

fn derive(kdf: &Kdf, password: &SecretString) -> Result<Zeroizing<[u8; DERIVED_BYTES]>, KeystoreError> {
    let mut derived = Zeroizing::new([0; DERIVED_BYTES]);
    let password = password.expose_secret().as_bytes();
    match kdf {
        Kdf::Scrypt { dklen, n, r, p, salt } => {
            check_length(*dklen)?;
            let params = scrypt_params(*n, *r, *p)?;
            scrypt::scrypt(password, &bytes(salt, "salt")?, &params, derived.as_mut())
                .map_err(|error| KeystoreError::NotOne(error.to_string()))?;
        }
        Kdf::Pbkdf2 { dklen, c, prf, salt } => {
            check_length(*dklen)?;
            if prf != "hmac-sha256" {
                return Err(KeystoreError::Unknown { found: prf.chars().take(40).collect(), want: "hmac-sha256" });
            }
            if !(1..=PBKDF2_ROUNDS_MAX).contains(c) {
                return Err(KeystoreError::TooMuchWork(format!("{c} rounds, want 1 to {PBKDF2_ROUNDS_MAX}")));
            }
            pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password, &bytes(salt, "salt")?, *c, derived.as_mut());
        }
    }
    Ok(derived)
}

fn check_length(dklen: usize) -> Result<(), KeystoreError> {
    if dklen == DERIVED_BYTES {
        return Ok(());
    }
    Err(KeystoreError::Unknown { found: format!("dklen {dklen}"), want: "dklen 32" })
}

fn scrypt_params(n: u64, r: u32, p: u32) -> Result<scrypt::Params, KeystoreError> {
    let memory = n.checked_mul(u64::from(r)).and_then(|nr| nr.checked_mul(128));
    let work = n.checked_mul(u64::from(r)).and_then(|nr| nr.checked_mul(u64::from(p)));
    let (memory, work) = (memory.unwrap_or(u64::MAX), work.unwrap_or(u64::MAX));
    if memory > SCRYPT_BYTES_MAX || work > SCRYPT_WORK_MAX {
        return Err(KeystoreError::TooMuchWork(format!("scrypt with n {n}, r {r}, p {p}")));
    }
    let odd = || KeystoreError::NotOne(format!("scrypt with n {n}, r {r}, p {p} does not exist"));
    if !n.is_power_of_two() || n < 2 {
        return Err(odd());
    }
    let log_n = u8::try_from(n.trailing_zeros()).map_err(|_| odd())?;
    scrypt::Params::new(log_n, r, p, DERIVED_BYTES).map_err(|_| odd())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The definition's example with PBKDF2, password `testpassword`; and one with scrypt for the same key, made with
    /// Python's hashlib and OpenSSL. (The definition's own has r 1 with n 2^18, which RFC 7914 forbids.)
    const PBKDF2: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext":"5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46","kdf":"pbkdf2","kdfparams":{
        "c":262144,"dklen":32,"prf":"hmac-sha256",
        "salt":"ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
        "mac":"517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
        "id":"3198bc9c-6672-5ab3-d995-4942343ae5b6","version":3}"#;
    const SCRYPT: &str = r#"{"crypto":{"cipher":"aes-128-ctr","cipherparams":{"iv":"83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext":"3b4309355ad643f2b15cfb6a83a7f6f328e7a6459a56ab8c6e25a89c8f43eb80","kdf":"scrypt","kdfparams":{
        "dklen":32,"n":4096,"p":1,"r":8,"salt":"ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19"},
        "mac":"994d83f6bfb7e6e3aa95980f72b6ad87db9d352789d0f2e433cf777425db3a42"},"version":3}"#;
    const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";

    fn opened(text: &str, password: &str) -> Result<Key, KeystoreError> {
        open(&text.to_owned().into(), &password.to_owned().into())
    }

    #[test]
    fn a_keystore_of_either_derivation_holds_the_key_that_is_in_it() {
        let want = Key::from_hex(&KEY.to_owned().into()).unwrap().account();
        for text in [PBKDF2, SCRYPT] {
            assert!(is_one(&text.to_owned().into()));
            assert_eq!(opened(text, "testpassword").unwrap().account(), want);
        }
    }

    #[test]
    fn a_wrong_password_opens_nothing() {
        assert!(matches!(opened(PBKDF2, "testpasswore"), Err(KeystoreError::WrongPassword)));
    }

    #[test]
    fn a_file_that_asks_for_more_work_than_any_wallets_is_not_worked_on() {
        for (old, new) in [
            ("\"n\":4096", "\"n\":1073741824"),
            ("\"r\":8", "\"r\":4294967295"),
            ("\"p\":1", "\"p\":1000"),
            ("\"n\":4096", "\"n\":9223372036854775808"),
        ] {
            let greedy = SCRYPT.replace(old, new);
            assert!(matches!(opened(&greedy, "testpassword"), Err(KeystoreError::TooMuchWork(_))), "{new}");
        }
        let slow = PBKDF2.replace("\"c\":262144", "\"c\":4000000000");
        assert!(matches!(opened(&slow, "testpassword"), Err(KeystoreError::TooMuchWork(_))));
        let odd = SCRYPT.replace("\"n\":4096", "\"n\":3");
        assert!(matches!(opened(&odd, "testpassword"), Err(KeystoreError::NotOne(_))));
    }

    #[test]
    fn another_cipher_version_or_form_is_named() {
        let cipher = PBKDF2.replace("aes-128-ctr", "aes-128-cbc");
        assert!(opened(&cipher, "x").is_err_and(|error| error.to_string().contains("want aes-128-ctr")));
        let version = PBKDF2.replace("\"version\":3", "\"version\":1");
        assert!(opened(&version, "x").is_err_and(|error| error.to_string().contains("want version 3")));
        assert!(matches!(opened("{}", "x"), Err(KeystoreError::NotOne(_))));
        let iv = PBKDF2.replace("6087dab2f9fdbbfaddc31a909735c1e6", "60");
        assert!(matches!(opened(&iv, "testpassword"), Err(KeystoreError::NotOne(_))));
    }
}
