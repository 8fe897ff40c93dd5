//! The walk over everything that a device holds: dependent reads at places that nobody knows before, so that what is
//! not in memory, or not in fast memory, costs time on every step. The arithmetic alone; frames and sessions do not use
//! it yet (`PROTOCOL.md` says what that means).
//!
//! All residues of a device, round after round, are *lines* of 128 bytes. A walker has a state of 64 bits. A *hop*
//! takes the line that the state names and mixes all of it into the state:
//!
//! ```text
//! line(x)  = floor((x >> 32) * lines / 2^32)                lines < 2^32
//! mix(x)   = for each of the line's 16 little-endian u64 w:  x = (x xor w) * C;  x = x xor (x >> 32)
//! C        = 0x9E3779B97F4A7C15
//! ```
//!
//! Each step is a bijection of the state for a given word and of the word for a given state, so all 128 bytes bear on
//! the next place, and nothing shorter can be kept in a line's stead. Every 32 hops the state is a *checkpoint*. A
//! keeper that has two neighbouring checkpoints and the lines between them goes the same way again, with 16
//! multiplications a hop.
//!
//! How many walkers. A device keeps as many reads in flight as there are walkers, and by Little's law needs latency
//! times bandwidth of them to be fast: at 0.8 us and 1.84 TB/s, 11,500 lines. With many more each waits for its turn,
//! and in that time several smaller cards could send each other states of 8 bytes instead of lines. With 2^15 a hop
//! takes some 2 us on such a card, about what a message from card to card takes, so that few walkers should tell one
//! large card from several small ones better than many. Neither is measured here.

use rand_core::RngCore;

use crate::Bytes32;
use crate::seed::generator;

/// Bytes read at once: what GPUs read from memory at once.
pub const LINE_BYTES: usize = 128;

/// Hops from one checkpoint to the next.
pub const CHECKPOINT_HOPS: u32 = 32;

/// 2^64 / golden ratio, odd: the usual multiplier for spreading bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A line of residues.
pub type Line = [u8; LINE_BYTES];

/// The state in which walker number `walker` begins: the first 8 bytes of stream `walker` of the generator,
/// little-endian.
#[must_use]
pub fn start(key: &Bytes32, walker: u32) -> u64 {
    generator(key, u64::from(walker)).next_u64()
}

/// The line that this state reads, below `lines`. Its high half names it, the low half does not bear on it.
#[must_use]
pub fn place(state: u64, lines: u32) -> u32 {
    u32::try_from(((state >> 32) * u64::from(lines)) >> 32).unwrap_or(u32::MAX)
}

/// The state after reading `line`.
#[must_use]
pub fn mix(state: u64, line: &Line) -> u64 {
    let words = line.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    words.fold(state, |state, word| {
        let spread = (state ^ word).wrapping_mul(SPREAD);
        spread ^ (spread >> 32)
    })
}

/// The state after so many hops over `lines`; what it passed, in order, when `passed` is given.
///
/// Empty `lines` leave the state as it is.
#[must_use]
pub fn go(state: u64, hops: u32, lines: &[Line], mut passed: Option<&mut Vec<u32>>) -> u64 {
    let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
    (0..hops).fold(state, |state, _| {
        let at = place(state, count);
        let Some(line) = lines.get(at as usize) else { return state };
        if let Some(passed) = passed.as_deref_mut() {
            passed.push(at);
        }
        mix(state, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<Line> {
        let mut rng = generator(&[7; 32], 0);
        let line = |_| {
            let mut line = [0; LINE_BYTES];
            rng.fill_bytes(&mut line);
            line
        };
        (0..count).map(line).collect()
    }

    #[test]
    fn a_state_names_a_line_below_the_count_and_only_its_high_half_does() {
        for lines in [1, 2, 3, 1_000, u32::MAX] {
            assert_eq!(place(0, lines), 0);
            assert_eq!(place(u64::MAX, lines), lines - 1);
            assert_eq!(place(0xFFFF_FFFF, lines), 0);
        }
        assert_eq!(place(1 << 63, 1_000), 500);
    }

    #[test]
    fn every_bit_of_a_line_and_of_a_state_bears_on_the_next_place() {
        let [line] = lines(1)[..] else { panic!("one line") };
        let place_after = |state, line: &Line| place(mix(state, line), u32::MAX);
        for bit in 0..8 * LINE_BYTES {
            let mut other = line;
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(place_after(1, &line), place_after(1, &other), "bit {bit} of the line");
        }
        for bit in 0..64 {
            assert_ne!(place_after(1, &line), place_after(1 ^ (1 << bit), &line), "bit {bit} of the state");
        }
    }

    #[test]
    fn walkers_come_by_every_line_about_equally_often() {
        let lines = lines(256);
        let mut passed = Vec::new();
        for walker in 0..64 {
            let _ = go(start(&[1; 32], walker), 1_024, &lines, Some(&mut passed));
        }
        let mut counts = [0_u32; 256];
        passed.iter().for_each(|at| counts[*at as usize] += 1);
        // 65,536 hops over 256 lines: 256 each, standard deviation 16. Chi-square with 255 degrees of freedom: 99.99 %
        // of fair walks stay below 346.
        let squares: u64 = counts.iter().map(|count| u64::from(count.abs_diff(256)).pow(2)).sum();
        assert!(squares / 256 < 346, "chi-square {}", squares / 256);
    }

    #[test]
    fn a_walk_is_the_same_in_one_go_and_from_checkpoint_to_checkpoint() {
        let lines = lines(100);
        let begun = start(&[2; 32], 9);
        let whole = go(begun, 10 * CHECKPOINT_HOPS, &lines, None);
        let stepped = (0..10).fold(begun, |state, _| go(state, CHECKPOINT_HOPS, &lines, None));
        assert_eq!(whole, stepped);
    }

    /// Somebody who lacks one line in a hundred and puts zeros in its place is off the way soon, and never comes back.
    #[test]
    fn a_walker_that_misses_a_line_is_lost_from_there_on() {
        let whole = lines(1_000);
        let mut lacking = whole.clone();
        lacking.iter_mut().step_by(100).for_each(|line| *line = [0; LINE_BYTES]);
        let lost = |walker: &u32| {
            let begun = start(&[3; 32], *walker);
            go(begun, 1_024, &whole, None) != go(begun, 1_024, &lacking, None)
        };
        assert_eq!((0..200).filter(lost).count(), 200, "(1 - 1/100)^1024 is 3e-5 for each");
    }
}
