//! The walk over everything that a device holds: dependent reads at places that nobody knows before, so that what is
//! not in memory, or not in fast memory, costs time on every step.
//!
//! All residues of a device, round after round, are *lines* of 128 bytes. A walker has a state of 64 bits. A *hop*
//! takes the line that the state names and mixes all of it into the state; 32 hops are a *leg*; the state after a leg
//! is a *checkpoint*, and the next leg begins with it:
//!
//! ```text
//! enter(c, w, l) = c xor ((word + w * 2^32 + l) * C)      c: checkpoint before, 0 for the first leg; all mod 2^64
//! line(x)        = floor((x >> 32) * lines / 2^32)        lines < 2^32
//! mix(x)         = for each of the line's 16 little-endian u64 v:  x = (x xor v) * C;  x = x xor (x >> 32)
//! C              = 0x9E3779B97F4A7C15
//! ```
//!
//! Each step is a bijection of the state for a given word of the line, and of the word for a given state, so all 128
//! bytes bear on the next place, and nothing shorter can be kept in a line's stead.
//!
//! What a leg begins with is different for every leg of every walker of every walk (C is odd), and `word` is known
//! only after everything is committed to. So no leg of one walker can be shown as another's, walkers cannot be made to
//! run together or in circles, and nothing of a walk can be taken beforehand: whatever a liar puts in the place of a
//! leg, that leg or the next does not come out, and the keeper opens legs at random.
//!
//! A keeper that has two neighbouring checkpoints and the lines between them goes the same way again, with 16
//! multiplications a hop.
//!
//! How many walkers. A device keeps as many reads in flight as there are walkers, and by Little's law needs latency
//! times bandwidth of them to be fast: at 0.8 us and 1.84 TB/s, 11,500 lines. With many more each waits for its turn,
//! and in that time several smaller cards could send each other states of 8 bytes instead of lines. With 2^15 a hop
//! takes some 2 us on such a card, about what a message from card to card takes, so that few walkers should tell one
//! large card from several small ones better than many. Neither is measured here.

use crate::params::Params;

/// Bytes read at once: what GPUs read from memory at once.
pub const LINE_BYTES: usize = 128;

/// Hops from one checkpoint to the next.
pub const LEG_HOPS: u32 = 32;

/// 2^64 / golden ratio, odd: the usual multiplier for spreading bits.
pub const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// A line of residues.
pub type Line = [u8; LINE_BYTES];

/// One GPU's walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Walk {
    /// [`crate::seed::walk_word`].
    pub word: u64,
    /// Lines there are.
    pub lines: u32,
}

impl Walk {
    /// The walk over what `params` fill.
    #[must_use]
    pub fn new(word: u64, params: &Params) -> Self {
        Self { word, lines: params.lines() }
    }

    /// The state with which walker `walker` enters leg `leg`, the checkpoint before it being `before` (0 for leg 0).
    #[must_use]
    pub fn enter(&self, before: u64, walker: u32, leg: u32) -> u64 {
        let number = (u64::from(walker) << 32) | u64::from(leg);
        before ^ self.word.wrapping_add(number).wrapping_mul(SPREAD)
    }

    /// The line that this state reads, below `lines`. Its high half names it, the low half does not bear on it.
    #[must_use]
    pub fn place(&self, state: u64) -> u32 {
        u32::try_from(((state >> 32) * u64::from(self.lines)) >> 32).unwrap_or(u32::MAX)
    }

    /// The checkpoint after one leg that is entered with `state`. `line` gives the line of a place; None if it has
    /// none, and then there is no checkpoint.
    pub fn leg<'a>(&self, state: u64, mut line: impl FnMut(u32) -> Option<&'a Line>) -> Option<u64> {
        (0..LEG_HOPS).try_fold(state, |state, _| line(self.place(state)).map(|line| mix(state, line)))
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::generator;
    use rand_core::RngCore;
    use std::collections::BTreeSet;

    fn lines(count: usize) -> Vec<Line> {
        let mut rng = generator(&[7; 32], 0);
        let line = |_| {
            let mut line = [0; LINE_BYTES];
            rng.fill_bytes(&mut line);
            line
        };
        (0..count).map(line).collect()
    }

    /// The checkpoints of one walker, and the lines that it came by.
    fn go(word: u64, walker: u32, legs: u32, lines: &[Line]) -> (Vec<u64>, Vec<u32>) {
        let walk = Walk { word, lines: u32::try_from(lines.len()).unwrap_or(u32::MAX) };
        let (mut checkpoints, mut passed) = (vec![0], Vec::new());
        for leg in 0..legs {
            let state = walk.enter(checkpoints[leg as usize], walker, leg);
            let after = walk.leg(state, |at| {
                passed.push(at);
                lines.get(at as usize)
            });
            checkpoints.extend(after);
        }
        (checkpoints, passed)
    }

    #[test]
    fn a_state_names_a_line_below_the_count_and_only_its_high_half_does() {
        for lines in [1, 2, 3, 1_000, u32::MAX] {
            let walk = Walk { word: 0, lines };
            assert_eq!(walk.place(0), 0);
            assert_eq!(walk.place(u64::MAX), lines - 1);
            assert_eq!(walk.place(0xFFFF_FFFF), 0);
        }
        assert_eq!(Walk { word: 0, lines: 1_000 }.place(1 << 63), 500);
    }

    #[test]
    fn every_bit_of_a_line_and_of_a_state_bears_on_the_next_place() {
        let [line] = lines(1)[..] else { panic!("one line") };
        let place_after = |state, line: &Line| Walk { word: 0, lines: u32::MAX }.place(mix(state, line));
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
    fn no_two_legs_of_any_walker_are_entered_alike() {
        let walk = Walk { word: 99, lines: 1_000 };
        let entered: BTreeSet<u64> =
            (0..64).flat_map(|walker| (0..64).map(move |leg| walk.enter(5, walker, leg))).collect();
        assert_eq!(entered.len(), 64 * 64);
        assert_ne!(Walk { word: 100, ..walk }.enter(5, 0, 0), walk.enter(5, 0, 0));
    }

    #[test]
    fn walkers_come_by_every_line_about_equally_often() {
        let lines = lines(256);
        let mut counts = [0_u32; 256];
        for walker in 0..64 {
            go(17, walker, 32, &lines).1.iter().for_each(|at| counts[*at as usize] += 1);
        }
        // 65,536 hops over 256 lines: 256 each, standard deviation 16. Chi-square with 255 degrees of freedom: 99.99 %
        // of fair walks stay below 346.
        let squares: u64 = counts.iter().map(|count| u64::from(count.abs_diff(256)).pow(2)).sum();
        assert!(squares / 256 < 346, "chi-square {}", squares / 256);
    }

    #[test]
    fn two_walkers_brought_together_part_again_at_the_next_leg() {
        let lines = lines(1_000);
        let walk = Walk { word: 3, lines: 1_000 };
        let leg = |before, walker, leg| {
            let state = walk.enter(before, walker, leg);
            walk.leg(state, |at| lines.get(at as usize)).unwrap_or_default()
        };
        // A checkpoint with which walker 1 would enter leg 5 in the state in which walker 0 entered it.
        let met = walk.enter(0, 0, 5) ^ walk.enter(0, 1, 5);
        assert_eq!(leg(0, 0, 5), leg(met, 1, 5), "brought together");
        let same = leg(0, 0, 5);
        assert_ne!(leg(same, 0, 6), leg(same, 1, 6));
    }

    /// Somebody who lacks one line in a hundred and puts zeros in its place is off the way soon, and never comes back.
    #[test]
    fn a_walker_that_misses_a_line_is_lost_from_there_on() {
        let whole = lines(1_000);
        let mut lacking = whole.clone();
        lacking.iter_mut().step_by(100).for_each(|line| *line = [0; LINE_BYTES]);
        let lost = |walker: &u32| go(4, *walker, 32, &whole).0[32] != go(4, *walker, 32, &lacking).0[32];
        assert_eq!((0..200).filter(lost).count(), 200, "(1 - 1/100)^1024 is 3e-5 for each");
    }

    #[test]
    fn without_a_line_there_is_no_checkpoint() {
        assert_eq!(Walk { word: 1, lines: 10 }.leg(7, |_| None), None);
    }
}
