//! Signatures of this world: nobody can make another's, and the contracts tell a right one from a wrong one.

use std::fmt::Debug;
use surety_core::ids::tagged;
use surety_core::statement::Signed;
use surety_core::types::{Account, Signature};

/// What `signer` signs a statement with.
pub(crate) fn sign<T: Debug>(signer: &Account, statement: &T) -> Signature {
    let hash = tagged("sim/signature", &[&signer.0, format!("{statement:?}").as_bytes()]);
    let mut bytes = [0; 65];
    bytes[..32].copy_from_slice(&hash.0);
    Signature(bytes)
}

/// Whether all are who they say.
pub(crate) fn are_genuine<T: Debug>(all: &[Signed<T>]) -> bool {
    all.iter().all(|signed| signed.signature == sign(&signed.signer, &signed.statement))
}
