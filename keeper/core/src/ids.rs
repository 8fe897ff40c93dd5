//! Domain-separated hashes: the ids of effects, the order in which keepers act, and jitter that replays.

use crate::effect::EffectId;
use crate::types::Hash32;
use sha3::{Digest, Keccak256};

/// keccak256 of `bytes`.
pub fn keccak(bytes: &[u8]) -> Hash32 {
    Hash32(Keccak256::digest(bytes).into())
}

/// keccak256 over a domain tag and parts, each preceded by its length, so that no two lists of parts collide.
pub fn tagged(domain: &str, parts: &[&[u8]]) -> Hash32 {
    let mut hasher = Keccak256::new();
    for part in std::iter::once(&domain.as_bytes()).chain(parts) {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    Hash32(hasher.finalize().into())
}

/// The id of an effect with this meaning. `domain` names the effect, `parts` what sets it apart from its like.
pub fn effect_id(domain: &str, parts: &[&[u8]]) -> EffectId {
    tagged(&format!("surety/effect/{domain}"), parts)
}

/// The first eight bytes of a hash as a number.
pub fn number_of(hash: Hash32) -> u64 {
    let mut head = [0u8; 8];
    head.copy_from_slice(&hash.0[..8]);
    u64::from_be_bytes(head)
}

/// A repeatable number in `0..=most`, set by a domain and parts.
pub fn spread(domain: &str, parts: &[&[u8]], most: u64) -> u64 {
    let number = number_of(tagged(domain, parts));
    most.checked_add(1).map_or(number, |span| number % span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(tagged("d", &[b"ab", b"c"]), tagged("d", &[b"a", b"bc"]));
        assert_ne!(tagged("d", &[b"ab"]), tagged("da", &[b"b"]));
        assert_ne!(effect_id("probe", &[b"1"]), effect_id("measure", &[b"1"]));
    }

    #[test]
    fn keccak_is_ethereums() {
        let empty = keccak(b"");
        assert_eq!(empty.to_string(), "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    }

    #[test]
    fn spread_stays_in_range_and_repeats() {
        for n in 0u8..100 {
            let got = spread("d", &[&[n]], 6);
            assert!(got <= 6);
            assert_eq!(got, spread("d", &[&[n]], 6));
        }
        assert_eq!(spread("d", &[], 0), 0);
        spread("d", &[], u64::MAX);
    }
}
