//! A keeper's EVM key: read from a file that nobody else can read, never printed.

use alloy::signers::{SignerSync, local::PrivateKeySigner};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use surety_core::types::{Account, Hash32, Signature};

/// Why a key file is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others can read it.
    #[error("the key file {path} has mode {mode:o}, others can read it; run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds no key.
    #[error("the key file {path} does not hold 32 bytes as hex")]
    NotAKey {
        /// Which file.
        path: PathBuf,
    },
}

/// Signs digests and transactions as one account.
#[derive(Clone)]
pub struct Key {
    signer: PrivateKeySigner,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.account())
    }
}

impl Key {
    /// Reads 32 bytes of hex from a file with mode 0600 or stricter.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let text = read_secret(path)?;
        let not_a_key = || KeyError::NotAKey { path: path.to_path_buf() };
        Self::from_hex(&text).ok_or_else(not_a_key)
    }

    /// A key from 64 hex digits, with or without `0x`, and space around them.
    pub fn from_hex(text: &SecretString) -> Option<Self> {
        let signer = text.expose_secret().trim().parse().ok()?;
        Some(Self { signer })
    }

    /// A key from its 32 bytes, for tests and local chains.
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let signer = PrivateKeySigner::from_bytes(&bytes.into()).ok()?;
        Some(Self { signer })
    }

    /// The account it signs for.
    pub fn account(&self) -> Account {
        Account(self.signer.address().into_array())
    }

    /// Signs a digest: r ‖ s ‖ v, low s, v 27 or 28. Deterministic (RFC 6979).
    pub fn sign(&self, digest: Hash32) -> Result<Signature, alloy::signers::Error> {
        Ok(Signature(self.signer.sign_hash_sync(&digest.0.into())?.as_bytes()))
    }

    /// alloy's own signer, for transactions.
    pub fn signer(&self) -> &PrivateKeySigner {
        &self.signer
    }
}

/// Reads a secret from a file that only its owner can read.
pub fn read_secret(path: &Path) -> Result<SecretString, KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let read = |source| KeyError::Read { path: path.to_path_buf(), source };
    let mode = std::fs::metadata(path).map_err(read)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_path_buf(), mode });
    }
    Ok(SecretString::from(std::fs::read_to_string(path).map_err(read)?))
}
