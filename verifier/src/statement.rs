//! What a machine signs with its SSH host key: that these roots are its answer to this session, and to no other.

use crate::classes::ClassId;
use crate::frame::Start;
use crate::params::Params;
use crate::seed::{self, context};
use crate::wire::Writer;
use crate::{Address, Bytes32, Signature};

/// Precedes the digest in the signed message. 24 bytes: the message of 56 bytes is as long as none that an SSH server
/// (32, 48 or 64) or the contracts' registration (32) has the same key sign.
pub const SIGNED_PREFIX: &[u8; 24] = b"surety-verifier/root/v2\n";

/// Precedes the digest in the message that a machine signs of its walk: of the same length, and never the other.
pub const WALK_PREFIX: &[u8; 24] = b"surety-verifier/walk/v2\n";

/// Everything that the signature binds. Sizes are part of it: a row that is right for one K is wrong for another, and
/// a keeper must not be able to make an honest answer look like a lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Chain that the keeper works for.
    pub chain_id: u64,
    /// Address of the keeper that asked.
    pub keeper: Address,
    /// Host key of the machine that answers.
    pub machine: Bytes32,
    /// The machine's registration on the contracts.
    pub registration: u32,
    /// σ.
    pub session_seed: Bytes32,
    /// E, which the digest holds only as its commitment.
    pub epoch_seed: Bytes32,
    /// Class claimed.
    pub class: ClassId,
    /// GPUs claimed.
    pub count: u16,
    /// Sizes.
    pub params: Params,
    /// All roots: GPU after GPU, round after round.
    pub roots: &'a [Bytes32],
}

impl<'a> Statement<'a> {
    /// The statement that answers `start` with `roots`.
    #[must_use]
    pub fn answering(start: &Start, roots: &'a [Bytes32]) -> Self {
        Self {
            chain_id: start.chain_id,
            keeper: start.keeper,
            machine: start.machine,
            registration: start.registration,
            session_seed: start.session_seed,
            epoch_seed: start.epoch_seed,
            class: start.class,
            count: start.count,
            params: start.params,
            roots,
        }
    }

    /// The digest: BLAKE3 key derivation under a context of its own over all fields in order.
    #[must_use]
    pub fn digest(&self) -> Bytes32 {
        let mut fields = Writer::default();
        fields.u64(self.chain_id).raw(&self.keeper).raw(&self.machine).u32(self.registration);
        fields.raw(&self.session_seed).raw(&seed::epoch_commitment(&self.epoch_seed));
        fields.u16(self.class.0).u16(self.count);
        self.params.encode(&mut fields);
        seed::derive(context::STATEMENT, &[&fields.finish(), self.roots.as_flattened()])
    }

    /// The bytes that are signed: the prefix, then the digest.
    #[must_use]
    pub fn message(&self) -> [u8; 56] {
        message(SIGNED_PREFIX, &self.digest())
    }

    /// Whether `signature` is the machine's over this statement. Strict: no weak keys, one encoding.
    #[must_use]
    pub fn signed_by_machine(&self, signature: &Signature) -> bool {
        signed(&self.machine, &self.message(), signature)
    }
}

/// What a machine signs of its walk. It hangs on the statement about the results, so it binds all of that one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkStatement<'a> {
    /// Host key of the machine that answers.
    pub machine: Bytes32,
    /// Digest of its [`Statement`].
    pub results: Bytes32,
    /// The nonce that it was given.
    pub nonce: Bytes32,
    /// The root over each GPU's checkpoints.
    pub roots: &'a [Bytes32],
}

impl WalkStatement<'_> {
    /// The digest: BLAKE3 key derivation under a context of its own over all fields in order.
    #[must_use]
    pub fn digest(&self) -> Bytes32 {
        seed::derive(context::WALK_STATEMENT, &[&self.results, &self.nonce, self.roots.as_flattened()])
    }

    /// The bytes that are signed: the prefix, then the digest.
    #[must_use]
    pub fn message(&self) -> [u8; 56] {
        message(WALK_PREFIX, &self.digest())
    }

    /// Whether `signature` is the machine's over this statement. Strict: no weak keys, one encoding.
    #[must_use]
    pub fn signed_by_machine(&self, signature: &Signature) -> bool {
        signed(&self.machine, &self.message(), signature)
    }
}

fn message(prefix: &[u8; 24], digest: &Bytes32) -> [u8; 56] {
    let mut message = [0; 56];
    message[..24].copy_from_slice(prefix);
    message[24..].copy_from_slice(digest);
    message
}

fn signed(machine: &Bytes32, message: &[u8; 56], signature: &Signature) -> bool {
    let signature = ed25519_dalek::Signature::from_bytes(signature);
    ed25519_dalek::VerifyingKey::from_bytes(machine).is_ok_and(|key| key.verify_strict(message, &signature).is_ok())
}

/// Why a signer would not or could not sign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host key did not sign: {0}")]
pub struct SignerError(pub String);

/// Holds the machine's host key, so that the prover need not.
pub trait Signer: Send {
    /// The public half: the machine.
    fn machine(&self) -> Bytes32;

    /// Signs [`Statement::message`] or [`WalkStatement::message`].
    ///
    /// # Errors
    /// When the key cannot be used.
    fn sign(&self, message: &[u8; 56]) -> Result<Signature, SignerError>;
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn machine(&self) -> Bytes32 {
        (**self).machine()
    }

    fn sign(&self, message: &[u8; 56]) -> Result<Signature, SignerError> {
        (**self).sign(message)
    }
}

impl Signer for ed25519_dalek::SigningKey {
    fn machine(&self) -> Bytes32 {
        self.verifying_key().to_bytes()
    }

    fn sign(&self, message: &[u8; 56]) -> Result<Signature, SignerError> {
        Ok(ed25519_dalek::Signer::sign(self, message).to_bytes())
    }
}
