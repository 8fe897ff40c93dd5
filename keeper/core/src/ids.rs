//! Domain-separated hashes: the ids of effects, the order in which keepers act, and jitter that replays.

use crate::effect::EffectId;
use crate::types::{Hash32, MachineId, RentalId};
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

/// The id of a look: no hash, since looks are what a keeper does most. Half of the machine's identity, the rental and
/// the count of looks are 32 bytes; that another effect's hash is the same is as likely as that two hashes are.
pub(crate) fn look_id(machine: &MachineId, rental: RentalId, looks: u64) -> EffectId {
    let mut id = [0u8; 32];
    id[..16].copy_from_slice(&machine.0[..16]);
    id[16..24].copy_from_slice(&rental.to_be_bytes());
    id[24..].copy_from_slice(&looks.to_be_bytes());
    Hash32(id)
}

/// A repeatable number in `0..=most` that spreads things in time and nothing hangs on: the mixer of SplitMix64 (Steele,
/// Lea, Flood 2014) over the parts, eight bytes at a time.
pub(crate) fn scatter(parts: &[&[u8]], most: u64) -> u64 {
    let mut mixed = 0u64;
    for chunk in parts.iter().flat_map(|part| part.chunks(8)) {
        let word = chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        let mut z = (mixed ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed = z ^ (z >> 31);
    }
    most.checked_add(1).map_or(mixed, |span| mixed % span)
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
    fn looks_have_ids_of_their_own_and_scatter_covers_its_range() {
        let machine = |n: u8| MachineId([n; 32]);
        let ids =
            [(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2)].map(|(n, rental, looks)| look_id(&machine(n), rental, looks));
        assert_eq!(std::collections::BTreeSet::from(ids).len(), 4);
        let got: std::collections::BTreeSet<u64> =
            (0..200u64).map(|n| scatter(&[b"me", &n.to_be_bytes()], 9)).collect();
        assert_eq!(got, (0..=9).collect());
        assert_eq!(scatter(&[b"me"], 9), scatter(&[b"me"], 9));
        scatter(&[b"me"], u64::MAX);
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
