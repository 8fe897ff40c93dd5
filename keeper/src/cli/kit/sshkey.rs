//! ed25519 SSH keys: a renter's public key, a machine's host key, and the line of a `known_hosts` file.

use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};
use russh::keys::{Algorithm, PrivateKey, PublicKey};
use secrecy::ExposeSecret;
use secrecy::zeroize::Zeroizing;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use surety_client::keys::{KeyError, read_secret};
use surety_core::types::{MachineId, SshKey};

/// Longest public key file read: a line, and a comment.
const PUBLIC_BYTES_MAX: u64 = 16 * 1024;

/// Why a key is not accepted.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum SshKeyError {
    /// The file cannot be read or written.
    #[error("cannot {verb} {path}")]
    File {
        /// "read" or "write".
        verb: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A key of another kind.
    #[error("an SSH key of type {0}, want ssh-ed25519: make one with ssh-keygen -t ed25519")]
    OtherKind(String),
    /// No public key.
    #[error(
        "'{0}' is no SSH public key: want a file such as ~/.ssh/id_ed25519.pub, its line (ssh-ed25519 AAAA...), or 64 \
         hex digits"
    )]
    NotAKey(String),
    /// A private key where a public one belongs.
    #[error("{0} is a private key: give the public one, {0}.pub")]
    Private(PathBuf),
    /// The host key file cannot be used.
    #[error(transparent)]
    Secret(#[from] KeyError),
    /// It holds no host key.
    #[error("{0} is no unencrypted OpenSSH ed25519 private key: surety node init makes one")]
    NotAHostKey(PathBuf),
}

/// A public key line, or hex.
pub(in crate::cli) fn parse(text: &str) -> Result<SshKey, SshKeyError> {
    let text = text.trim();
    let shown = || text.chars().filter(|c| !c.is_control()).take(60).collect::<String>();
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let key = PublicKey::from_openssh(text).map_err(|_| SshKeyError::NotAKey(shown()))?;
    match key.key_data().ed25519() {
        Some(key) => Ok(SshKey(key.0)),
        None => Err(SshKeyError::OtherKind(key.algorithm().to_string())),
    }
}

/// What `--ssh-key` names: a file with a public key, such a line itself, or hex.
pub(in crate::cli) fn read(named: &str) -> Result<SshKey, SshKeyError> {
    let path = Path::new(named);
    if named.starts_with("ssh-") || !path.exists() {
        return parse(named);
    }
    let failed = |source| SshKeyError::File { verb: "read", path: path.to_owned(), source };
    let mut text = String::new();
    std::fs::File::open(path).map_err(failed)?.take(PUBLIC_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    if text.contains("PRIVATE KEY") {
        return Err(SshKeyError::Private(path.to_owned()));
    }
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    parse(line.unwrap_or_default())
}

/// A machine's key as a line of `known_hosts`, for the host `name`.
pub(in crate::cli) fn known_host(name: &str, machine: MachineId) -> Option<String> {
    let key = PublicKey::from(KeyData::Ed25519(Ed25519PublicKey(machine.0)));
    Some(format!("{name} {}\n", key.to_openssh().ok()?))
}

/// A machine's private host key; shown as the machine only.
pub(in crate::cli) struct HostKey(PrivateKey);

impl std::fmt::Debug for HostKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostKey({})", self.machine())
    }
}

impl HostKey {
    /// Reads the file that `surety-node` uses: OpenSSH's form, mode 0600.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self, SshKeyError> {
        let text = read_secret(path)?;
        let key = PrivateKey::from_openssh(text.expose_secret()).ok();
        let sound = |key: &PrivateKey| key.algorithm() == Algorithm::Ed25519 && key.key_data().ed25519().is_some();
        key.filter(sound).map(Self).ok_or_else(|| SshKeyError::NotAHostKey(path.to_owned()))
    }

    /// Makes a key and writes it to a new file of mode 0600.
    pub(in crate::cli) fn make(path: &Path) -> Result<Self, SshKeyError> {
        let failed = |source| SshKeyError::File { verb: "write", path: path.to_owned(), source };
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|error| failed(std::io::Error::other(error.to_string())))?;
        let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
        let text = key.to_openssh(LineEnding::LF).map_err(|error| failed(std::io::Error::other(error)))?;
        let options = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = options.map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(Self(key))
    }

    /// The machine it is.
    pub(in crate::cli) fn machine(&self) -> MachineId {
        MachineId(self.0.public_key().key_data().ed25519().map(|key| key.0).unwrap_or_default())
    }

    /// An ed25519 signature, R and s.
    pub(in crate::cli) fn sign(&self, message: &[u8; 32]) -> Option<[[u8; 32]; 2]> {
        use ed25519_dalek::Signer;
        let seed = Zeroizing::new(self.0.key_data().ed25519()?.private.to_bytes());
        let signature = ed25519_dalek::SigningKey::from_bytes(&seed).sign(message);
        Some([*signature.r_bytes(), *signature.s_bytes()])
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ me@here";

    #[test]
    fn a_public_key_is_read_from_its_line_its_file_or_hex() {
        let key = parse(LINE).unwrap();
        assert_eq!(parse(&key.to_string()).unwrap(), key);
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("id.pub");
        std::fs::write(&file, format!("# mine\n{LINE}\n")).unwrap();
        assert_eq!(read(file.to_str().unwrap()).unwrap(), key);
        assert!(known_host("here", MachineId(key.0)).unwrap().starts_with("here ssh-ed25519 AAAAC3"));
    }

    #[test]
    fn a_private_key_is_told_from_a_public_one_and_another_kind_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("id");
        HostKey::make(&file).unwrap();
        assert!(matches!(read(file.to_str().unwrap()), Err(SshKeyError::Private(_))));
        let ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgw\
                     FB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg=";
        assert!(matches!(parse(ecdsa), Err(SshKeyError::OtherKind(kind)) if kind.contains("ecdsa")));
        assert!(matches!(parse("hello"), Err(SshKeyError::NotAKey(_))));
    }

    #[test]
    fn a_host_key_that_others_can_read_is_not_used() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("host_key");
        let made = HostKey::make(&file).unwrap();
        assert_eq!(HostKey::read(&file).unwrap().machine(), made.machine());
        assert!(HostKey::make(&file).is_err(), "an existing key is never written over");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(HostKey::read(&file), Err(SshKeyError::Secret(_))));
    }
}
