//! Everything random in the story is drawn from one seed, by name: the same seed gives the same keys and choices.

use alloy::primitives::keccak256;
use ed25519_dalek::SigningKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use russh::keys::PrivateKey;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use surety_client::keys::Key;

/// Where all keys and choices come from. These keys are worth nothing: anybody can derive them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// 32 bytes that belong to `name`.
    pub fn bytes(self, name: &str) -> [u8; 32] {
        keccak256([b"surety-demo".as_slice(), &self.0.to_be_bytes(), name.as_bytes()].concat()).0
    }

    /// The EVM key of `name`.
    pub fn evm_key(self, name: &str) -> anyhow::Result<Key> {
        Key::from_bytes(self.bytes(&format!("evm/{name}"))).ok_or_else(|| anyhow::anyhow!("{name} drew no valid key"))
    }

    /// The ed25519 SSH key of `name`.
    pub fn ssh_key(self, name: &str) -> SshKeyPair {
        SshKeyPair(self.bytes(&format!("ssh/{name}")))
    }

    /// A stream of random numbers that belongs to `name`.
    pub fn rng(self, name: &str) -> ChaCha20Rng {
        ChaCha20Rng::from_seed(self.bytes(&format!("rng/{name}")))
    }

    /// `0..count` in an order that belongs to `name`.
    pub fn order(self, name: &str, count: usize) -> Vec<usize> {
        let mut rng = self.rng(name);
        let mut keyed: Vec<(u64, usize)> = (0..count).map(|index| (rng.next_u64(), index)).collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }
}

/// An ed25519 key in the two forms that the story needs.
#[derive(Clone, Copy)]
pub struct SshKeyPair([u8; 32]);

impl SshKeyPair {
    /// For signing digests.
    pub fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.0)
    }

    /// The 32 public bytes.
    pub fn public(&self) -> [u8; 32] {
        self.signing_key().verifying_key().to_bytes()
    }

    /// For SSH.
    pub fn private(&self) -> PrivateKey {
        PrivateKey::from(Ed25519Keypair::from_seed(&self.0))
    }

    /// Writes it as an OpenSSH private key file.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        write_secret(path, self.private().to_openssh(LineEnding::LF)?.as_bytes())
    }
}

impl std::fmt::Debug for SshKeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshKeyPair(0x{})", hex::encode(self.public()))
    }
}

/// Writes a new file that only its owner can read.
pub fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_another_another() {
        let (one, two) = (Seed(1), Seed(2));
        assert_eq!(one.bytes("a"), one.bytes("a"));
        assert_ne!(one.bytes("a"), one.bytes("b"));
        assert_ne!(one.bytes("a"), two.bytes("a"));
        assert_eq!(one.order("x", 7), one.order("x", 7));
        let mut sorted = one.order("x", 7);
        sorted.sort_unstable();
        assert_eq!(sorted, (0..7).collect::<Vec<_>>());
    }

    #[test]
    fn both_forms_of_an_ssh_key_are_the_same_key() {
        let pair = Seed(3).ssh_key("renter");
        let ssh = pair.private().public_key().key_data().ed25519().map(|key| key.0);
        assert_eq!(ssh, Some(pair.public()));
    }
}
