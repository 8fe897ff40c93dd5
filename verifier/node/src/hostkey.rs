//! The machine's identity: its ed25519 SSH host key. sshd shows it, the prover signs roots with it, the chain names it.

use ed25519_dalek::SigningKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::{Algorithm, PrivateKey};
use std::fmt;
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use surety_core::types::MachineId;

/// The host key; prints as its public half only.
#[derive(Clone)]
pub struct HostKey(PrivateKey);

/// Why a host key file was refused, or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum HostKeyError {
    /// It cannot be read or written.
    #[error("cannot {verb} the host key file {path}")]
    File {
        /// "read" or "write".
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("the host key file {path} has mode {mode:04o}: others can use it; run `chmod 600 {path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is not what is needed.
    #[error(
        "{path} is not an unencrypted OpenSSH ed25519 private key; make one with `surety-node keygen --out {path}`"
    )]
    NotEd25519 {
        /// The file.
        path: PathBuf,
    },
}

impl HostKey {
    /// Reads an OpenSSH private key file that nobody else can read.
    ///
    /// # Errors
    /// [`HostKeyError`] says what is wrong with the file and what to do.
    pub fn from_file(path: &Path) -> Result<Self, HostKeyError> {
        let failed = |source| HostKeyError::File { verb: "read", path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(HostKeyError::Open { path: path.to_owned(), mode });
        }
        let mut text = Vec::new();
        file.take(16 * 1024).read_to_end(&mut text).map_err(failed)?;
        let key = PrivateKey::from_openssh(&text).ok();
        text.fill(0);
        let key = key.filter(|key| key.algorithm() == Algorithm::Ed25519 && key.key_data().ed25519().is_some());
        key.map(Self).ok_or_else(|| HostKeyError::NotEd25519 { path: path.to_owned() })
    }

    /// The key with this 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(PrivateKey::from(Ed25519Keypair::from_seed(seed)))
    }

    /// Writes the key as a new file of mode 0600; an existing file is left alone.
    ///
    /// # Errors
    /// When the file exists or cannot be written.
    pub fn write_new(&self, path: &Path) -> Result<(), HostKeyError> {
        let failed = |source| HostKeyError::File { verb: "write", path: path.to_owned(), source };
        let text = self.0.to_openssh(LineEnding::LF).map_err(|error| failed(std::io::Error::other(error)))?;
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// The machine this key is.
    pub fn machine(&self) -> MachineId {
        MachineId(self.0.public_key().key_data().ed25519().map(|key| key.0).unwrap_or_default())
    }

    /// For the prover's signatures.
    pub fn signing_key(&self) -> SigningKey {
        let seed = self.0.key_data().ed25519().map(|pair| pair.private.to_bytes()).unwrap_or_default();
        SigningKey::from_bytes(&seed)
    }

    /// For the embedded SSH server.
    pub(crate) fn ssh(&self) -> PrivateKey {
        self.0.clone()
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostKey(machine {})", self.machine())
    }
}
