//! The bytes of a commit, as the chain reads them: arkworks' compressed form of `tle`'s `TLECiphertext`.
//!
//! ```text
//! U        96 bytes, a compressed point of G2
//! V, W     each: 32 as u64, then 32 bytes
//! body     its length as u64, then:
//!            the text with its tag of 16 bytes, after its length as u64
//!            the nonce, after 12 as u64
//! suite    8 as u64, then "AES_GCM_"
//! ```
//!
//! Lengths are little-endian. Beside the text that is 244 bytes.

use super::TimelockError;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use timelock::block_ciphers::{AESGCMBlockCipherProvider, BlockCipherProvider};
use timelock::engines::drand::TinyBLS381;
use timelock::ibe::fullident::Ciphertext;
use timelock::tlock::TLECiphertext;

/// Bytes of U.
const POINT_BYTES: usize = 96;
/// Bytes of V and of W.
const HASH_BYTES: usize = 32;
/// Bytes of AES-GCM's nonce.
const NONCE_BYTES: usize = 12;
const SUITE: &[u8] = AESGCMBlockCipherProvider::CIPHER_SUITE;

/// A commit taken apart.
pub(super) struct Sealed {
    /// U, V and W: the key, for whoever has the round's signature.
    pub(super) header: Ciphertext<TinyBLS381>,
    /// The encrypted payload and its tag.
    pub(super) text: Vec<u8>,
    /// AES-GCM's nonce.
    pub(super) nonce: Vec<u8>,
}

/// Writes what `timelock` encrypted. Its body has the form that the chain reads already.
pub(super) fn write(sealed: &TLECiphertext<TinyBLS381>) -> Result<Vec<u8>, TimelockError> {
    let mut bytes = Vec::new();
    sealed.header.u.serialize_compressed(&mut bytes).map_err(|_| TimelockError::Encryption)?;
    for part in [&sealed.header.v[..], &sealed.header.w, &sealed.body, &sealed.cipher_suite] {
        let length = u64::try_from(part.len()).map_err(|_| TimelockError::Encryption)?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(part);
    }
    Ok(bytes)
}

/// Takes a commit apart; nothing of it is believed, and nothing larger than it is allocated.
pub(super) fn read(bytes: &[u8]) -> Result<Sealed, TimelockError> {
    let wrong = |problem| TimelockError::NotACommit { problem };
    if bytes.len() > super::CIPHERTEXT_BYTES_MAX {
        return Err(wrong("it has more than 5,000 bytes"));
    }
    let (point, rest) = bytes.split_at_checked(POINT_BYTES).ok_or(wrong("it ends within U"))?;
    let u = CanonicalDeserialize::deserialize_compressed(point).map_err(|_| wrong("U is no point of the curve"))?;
    let (v, rest) = part(rest).ok_or(wrong("it ends within V"))?;
    let (w, rest) = part(rest).ok_or(wrong("it ends within W"))?;
    let (body, rest) = part(rest).ok_or(wrong("it ends within the body"))?;
    let (suite, rest) = part(rest).ok_or(wrong("it ends within the cipher's name"))?;
    let (text, body) = part(body).ok_or(wrong("the body ends within the text"))?;
    let (nonce, body) = part(body).ok_or(wrong("the body ends within the nonce"))?;
    if !rest.is_empty() || !body.is_empty() {
        return Err(wrong("something follows its end"));
    }
    let hash = |bytes: &[u8]| <[u8; HASH_BYTES]>::try_from(bytes).map_err(|_| wrong("V and W have 32 bytes each"));
    let header = Ciphertext { u, v: hash(v)?, w: hash(w)? };
    if nonce.len() != NONCE_BYTES {
        return Err(wrong("the nonce has 12 bytes"));
    }
    if suite != SUITE {
        return Err(wrong("the cipher is another than AES_GCM_"));
    }
    Ok(Sealed { header, text: text.to_vec(), nonce: nonce.to_vec() })
}

/// A part after its length, and what follows.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}
