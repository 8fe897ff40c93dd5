//! What the server really answered to the public-key query.
//!
//! russh reports PK_OK without the key and algorithm the server echoed in it, and a failure without saying whether it
//! was an answer or a lost connection. So the bytes of the server are kept, and the few packets up to the answer are
//! opened again here with the same session keys (RFC 4253 §7.2, OpenSSH PROTOCOL.chacha20poly1305, RFC 5647).

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey, chacha20_poly1305_openssh as chacha};
use ring::digest::{Context, SHA256};
use russh::cipher;

/// What the key exchange settled, as far as reading the server's packets needs it.
#[derive(Clone)]
pub(super) struct SessionKeys {
    /// X25519 shared secret, raw bytes.
    pub(super) shared_secret: Vec<u8>,
    /// Exchange hash of the first key exchange.
    pub(super) session_id: Vec<u8>,
    /// Cipher in both directions: one of [`CIPHERS`].
    pub(super) cipher: cipher::Name,
    /// Whether sequence numbers restart after NEWKEYS.
    pub(super) strict_kex: bool,
}

/// The ciphers this module can read.
pub(super) const CIPHERS: &[cipher::Name] = &[cipher::AES_256_GCM, cipher::CHACHA20_POLY1305];

/// The server's answer to the query.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// PK_OK with the algorithm and key blob echoed.
    PkOk { algorithm: Vec<u8>, key: Vec<u8> },
    /// The key would not be let in. `partial` claims that it was accepted and more is needed.
    Failure { partial: bool },
    /// Let in without a signature.
    Success,
    /// A new key exchange before the answer: no honest server does that after a handful of packets.
    Rekeyed,
    /// Nothing that answers the query was heard.
    Nothing,
}

const MSG_NEWKEYS: u8 = 21;
const MSG_KEXINIT: u8 = 20;
const MSG_USERAUTH_FAILURE: u8 = 51;
const MSG_USERAUTH_SUCCESS: u8 = 52;
const MSG_USERAUTH_PK_OK: u8 = 60;
const TAG_BYTES: usize = 16;
/// RFC 4253 §6.1 asks for 35,000; OpenSSH accepts 256 KiB. What does not fit on the tape cannot be read anyway.
const PACKET_BYTES_MAX: usize = 256 * 1024;

/// Finds the answer in everything the server sent. Anything cut off or unreadable is [`Answer::Nothing`].
pub(super) fn answer(heard: &[u8], keys: &SessionKeys) -> Answer {
    let mut rest = heard;
    read_answer(&mut rest, keys).unwrap_or(Answer::Nothing)
}

fn read_answer(rest: &mut &[u8], keys: &SessionKeys) -> Option<Answer> {
    skip_identification(rest)?;
    let clear_packets = skip_clear_packets(rest)?;
    let mut opener = Opener::new(keys, if keys.strict_kex { 0 } else { clear_packets })?;
    loop {
        let payload = opener.next_payload(rest)?;
        if let Some(answer) = classify(&payload) {
            return Some(answer);
        }
    }
}

/// Lines before the identification are allowed (RFC 4253 §4.2); the rule that tells them apart is russh's.
fn skip_identification(rest: &mut &[u8]) -> Option<()> {
    loop {
        let end = rest.iter().position(|b| *b == b'\n')?;
        let line = take(rest, end + 1)?;
        let is_text = std::str::from_utf8(line).is_ok();
        if is_text && line.len() > 8 && (line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-")) {
            return Some(());
        }
    }
}

/// Reads up to and including NEWKEYS; returns the number of packets, which is the next sequence number.
fn skip_clear_packets(rest: &mut &[u8]) -> Option<u32> {
    let mut packets = 0u32;
    loop {
        let length = packet_length(take(rest, 4)?)?;
        let body = take(rest, length)?;
        packets = packets.checked_add(1)?;
        if *payload_of(body)?.first()? == MSG_NEWKEYS {
            return Some(packets);
        }
    }
}

fn classify(payload: &[u8]) -> Option<Answer> {
    let (kind, mut rest) = payload.split_first()?;
    match *kind {
        MSG_USERAUTH_PK_OK => {
            let algorithm = string(&mut rest).unwrap_or_default().to_vec();
            let key = string(&mut rest).unwrap_or_default().to_vec();
            Some(Answer::PkOk { algorithm, key })
        }
        MSG_USERAUTH_FAILURE => {
            string(&mut rest);
            Some(Answer::Failure { partial: rest.first().is_some_and(|b| *b != 0) })
        }
        MSG_USERAUTH_SUCCESS => Some(Answer::Success),
        MSG_KEXINIT => Some(Answer::Rekeyed),
        _ => None,
    }
}

/// Opens the server's packets in order.
enum Opener {
    Chacha { key: chacha::OpeningKey, sequence: u32 },
    Gcm { key: Box<LessSafeKey>, fixed: [u8; 4], counter: u64 },
}

impl Opener {
    fn new(keys: &SessionKeys, sequence: u32) -> Option<Self> {
        let key = derive::<64>(keys, b'D')?;
        if keys.cipher == cipher::CHACHA20_POLY1305 {
            return Some(Self::Chacha { key: chacha::OpeningKey::new(&key), sequence });
        }
        if keys.cipher != cipher::AES_256_GCM {
            return None;
        }
        let key = Box::new(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.get(..32)?).ok()?));
        let iv = derive::<12>(keys, b'B')?;
        let (fixed, counter) = iv.split_first_chunk::<4>()?;
        Some(Self::Gcm { key, fixed: *fixed, counter: u64::from_be_bytes(counter.try_into().ok()?) })
    }

    fn next_payload(&mut self, rest: &mut &[u8]) -> Option<Vec<u8>> {
        let header: [u8; 4] = take(rest, 4)?.try_into().ok()?;
        match self {
            Self::Chacha { key, sequence } => {
                let length = packet_length(&key.decrypt_packet_length(*sequence, header))?;
                let mut packet = [&header, take(rest, length)?].concat();
                let tag = take(rest, TAG_BYTES)?.try_into().ok()?;
                let body = key.open_in_place(*sequence, &mut packet, &tag).ok()?;
                *sequence = sequence.wrapping_add(1);
                payload_of(body).map(<[u8]>::to_vec)
            }
            Self::Gcm { key, fixed, counter } => {
                let length = packet_length(&header)?;
                let mut sealed = take(rest, length.checked_add(TAG_BYTES)?)?.to_vec();
                let mut nonce = [0u8; 12];
                let (head, tail) = nonce.split_first_chunk_mut::<4>()?;
                *head = *fixed;
                tail.copy_from_slice(&counter.to_be_bytes());
                let nonce = Nonce::assume_unique_for_key(nonce);
                let body = key.open_in_place(nonce, Aad::from(header), &mut sealed).ok()?;
                *counter = counter.wrapping_add(1);
                payload_of(body).map(<[u8]>::to_vec)
            }
        }
    }
}

/// RFC 4253 §7.2: HASH(K ‖ H ‖ letter ‖ session id), extended by HASH(K ‖ H ‖ what there is). In the first
/// key exchange H is the session id.
fn derive<const N: usize>(keys: &SessionKeys, letter: u8) -> Option<[u8; N]> {
    let secret = mpint(&keys.shared_secret);
    let hash = |tail: &[&[u8]]| {
        let mut context = Context::new(&SHA256);
        context.update(&secret);
        context.update(&keys.session_id);
        tail.iter().for_each(|part| context.update(part));
        context.finish()
    };
    let mut material = hash(&[&[letter], &keys.session_id]).as_ref().to_vec();
    while material.len() < N {
        let more = hash(&[&material]);
        material.extend_from_slice(more.as_ref());
    }
    material.get(..N)?.try_into().ok()
}

/// RFC 4251 §5: big-endian without leading zeros, one zero before a set top bit, length in front.
fn mpint(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    let digits = bytes.get(first..).unwrap_or_default();
    let pad = usize::from(digits.first().is_some_and(|b| b & 0x80 != 0));
    let length = u32::try_from(digits.len() + pad).unwrap_or(u32::MAX);
    [&length.to_be_bytes()[..], &[0u8][..pad], digits].concat()
}

fn packet_length(header: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32::from_be_bytes(header.try_into().ok()?)).ok()?;
    (length <= PACKET_BYTES_MAX).then_some(length)
}

/// The payload of `padding length ‖ payload ‖ padding`.
fn payload_of(body: &[u8]) -> Option<&[u8]> {
    let (padding, rest) = body.split_first()?;
    rest.get(..rest.len().checked_sub(usize::from(*padding))?)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = packet_length(take(rest, 4)?)?;
    take(rest, length)
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(head)
}
