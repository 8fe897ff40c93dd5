//! The keeper's own SSH key: what it logs in with to measure.

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use secrecy::{ExposeSecret, SecretBox};
use std::fmt;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use surety_core::types::{Account, SshKey};
use surety_verifier::schedule::Master;

/// An ed25519 private key; prints as its public half only.
#[derive(Clone)]
pub struct KeeperKey {
    private: Arc<PrivateKey>,
    seed: Arc<SecretBox<[u8; 32]>>,
}

/// Why a key file was refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read.
    #[error("cannot read the SSH key file {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the SSH key file {path} has mode {mode:04o}: others can use it; run `chmod 600 {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what is needed.
    #[error("{path} is not an unencrypted OpenSSH ed25519 private key; make one with `ssh-keygen -t ed25519 -N ''`")]
    NotEd25519 {
        /// The file.
        path: PathBuf,
    },
}

impl KeeperKey {
    /// From the 32-byte ed25519 seed.
    pub fn from_seed(seed: &SecretBox<[u8; 32]>) -> Self {
        Self::of(Ed25519Keypair::from_seed(seed.expose_secret()))
    }

    fn of(pair: Ed25519Keypair) -> Self {
        let seed = Arc::new(SecretBox::new(Box::new(pair.private.to_bytes())));
        Self { private: Arc::new(PrivateKey::from(pair)), seed }
    }

    /// From an OpenSSH private key file that nobody else can read.
    ///
    /// # Errors
    /// [`KeyFileError`] says what is wrong with the file and what to do.
    pub fn from_file(path: &Path) -> Result<Self, KeyFileError> {
        let unreadable = |source| KeyFileError::Unreadable { path: path.to_owned(), source };
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Open { path: path.to_owned(), mode });
        }
        let mut text = SecretBox::new(Box::new(Vec::new()));
        file.by_ref()
            .take(16 * 1024)
            .read_to_end(secrecy::ExposeSecretMut::expose_secret_mut(&mut text))
            .map_err(unreadable)?;
        let key = PrivateKey::from_openssh(text.expose_secret()).ok();
        let pair = key.filter(|k| !k.is_encrypted()).and_then(|k| k.key_data().ed25519().cloned());
        pair.map(Self::of).ok_or_else(|| KeyFileError::NotEd25519 { path: path.to_owned() })
    }

    /// What the secrets of measuring epochs come from: as lasting as this key, so that a restart keeps what was
    /// committed to. It tells nothing about the key.
    pub fn epoch_master(&self, chain_id: u64, keeper: Account) -> Master {
        Master::of_key(self.seed.expose_secret(), chain_id, &keeper.0)
    }

    /// The public half, as the keeper set publishes it.
    pub fn public(&self) -> SshKey {
        SshKey(self.private.public_key().key_data().ed25519().map(|key| key.0).unwrap_or_default())
    }

    pub(super) fn private(&self) -> Arc<PrivateKey> {
        self.private.clone()
    }
}

impl fmt::Debug for KeeperKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeeperKey(public {})", self.public())
    }
}
