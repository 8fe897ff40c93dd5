//! What fills memory and disk, and what is computed over it: both sides use these functions, the machine over what it
//! has kept, the keeper over what it generates again.

use super::{CHUNK_BYTES, LEGS, Medium, context};
use crate::Bytes32;
use crate::seed::{derive, generator};
use rand_core::RngCore;
use std::collections::BTreeSet;

/// Odd, with bits all over: 2^64 over the golden ratio, as SplitMix has it.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// `count` dependent steps from `state`: x becomes (x ^ x >> 32) · c mod 2^64.
///
/// One step waits for the one before it, so no width and no second core makes them faster: a shift, an exclusive or and
/// a multiplication take 1 + 1 + 3 cycles on every x86-64 since 2008 and on Arm's server cores (Agner Fog's instruction
/// tables; Arm's optimisation guides), which is what makes a clock rate of a number of steps. A step is a bijection
/// that nobody has put into closed form, and never makes 0 of what is not 0.
#[must_use]
pub fn steps(mut state: u64, count: u64) -> u64 {
    for _ in 0..count {
        state = (state ^ (state >> 32)).wrapping_mul(FACTOR);
    }
    state
}

/// Cycles of one step.
pub const CYCLES_PER_STEP: u64 = 5;

/// Where the chain of a thread, or a walk, starts: never 0.
#[must_use]
pub fn start(seed: &Bytes32, thread: u16) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = derive(context::START, &[seed, &thread.to_be_bytes()]);
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) | 1
}

/// Chunks in so many bytes.
#[must_use]
pub fn chunks(bytes: u64) -> u32 {
    u32::try_from(bytes / CHUNK_BYTES).unwrap_or(u32::MAX)
}

/// What is to stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    key: Bytes32,
    /// Blocks that were written anew, ascending, and from which seed.
    anew: Option<(Bytes32, Vec<u64>)>,
}

impl Content {
    /// What [`super::Task::Fill`] with this seed puts there.
    #[must_use]
    pub fn of(seed: &Bytes32) -> Self {
        Self { key: derive(context::CONTENT, &[seed]), anew: None }
    }

    /// After [`super::Task::Scatter`] with this seed.
    #[must_use]
    pub fn scattered(self, seed: &Bytes32, writes: u32, bytes: u64) -> Self {
        Self { anew: Some((derive(context::CONTENT, &[seed]), places(seed, writes, bytes))), ..self }
    }

    /// Blocks that were written anew.
    #[must_use]
    pub fn places(&self) -> &[u64] {
        self.anew.as_ref().map_or(&[], |(_, places)| places)
    }

    /// Fills one chunk, or the beginning of one.
    pub fn chunk(&self, number: u32, out: &mut [u8]) {
        generator(&self.key, number.into()).fill_bytes(out);
    }

    /// Fills one block of a medium, as it stands there now.
    pub fn block(&self, medium: Medium, number: u64, out: &mut [u8]) {
        let anew = self.anew.as_ref().filter(|(_, places)| places.binary_search(&number).is_ok());
        let key = anew.map_or(&self.key, |(key, _)| key);
        let at = number * medium.block_bytes() as u64;
        let mut generator = generator(key, at / CHUNK_BYTES);
        generator.set_word_pos(u128::from(at % CHUNK_BYTES / 4));
        generator.fill_bytes(out);
    }
}

/// Bytes that cross the network: an upload's of the question's seed, a download's of what only the keeper knows.
#[must_use]
pub fn drawn(secret: &Bytes32, bytes: u32) -> Vec<u8> {
    let mut out = vec![0; bytes as usize];
    generator(&derive(context::CONTENT, &[secret]), 0).fill_bytes(&mut out);
    out
}

/// The blocks of a file of so many bytes that are written anew, ascending, none twice.
#[must_use]
pub fn places(seed: &Bytes32, writes: u32, bytes: u64) -> Vec<u64> {
    let blocks = bytes / Medium::Disk.block_bytes() as u64;
    let mut draw = generator(&derive(context::PLACES, &[seed]), 0);
    let drawn: BTreeSet<_> = (0..writes).map(|_| scale(draw.next_u64(), blocks)).collect();
    drawn.into_iter().collect()
}

/// Chains that a sum consists of, so that memory is waited for and not the multiplication.
const LANES: usize = 8;

/// The sum over one chunk or block: words of 8 bytes, little-endian, eight at a time, each into a chain of its own that
/// begins with the nonce (chain j with nonce ^ j) and takes a word as one step of state ^ word. In the end a ninth
/// chain takes the states of the eight in the same way. Steps are not linear and begin with the nonce, so nothing
/// shorter than the bytes will do instead of them.
#[must_use]
pub fn sum(nonce: u64, bytes: &[u8]) -> u64 {
    let mut lanes: [u64; LANES] = std::array::from_fn(|lane| nonce ^ lane as u64);
    let (lines, _) = bytes.as_chunks::<{ 8 * LANES }>();
    for line in lines {
        let (words, _) = line.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = steps(*lane ^ u64::from_le_bytes(*word), 1);
        }
    }
    lanes.into_iter().fold(nonce, |state, lane| steps(state ^ lane, 1))
}

/// A walk over a medium: where the next read goes hangs on what the one before it has read.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// Of what.
    pub medium: Medium,
    /// Bytes of it.
    pub bytes: u64,
    /// Blocks that were written anew: every other read goes to one of them.
    pub places: &'a [u64],
    /// Reads in a leg.
    pub each: u32,
}

impl Walk<'_> {
    /// The state after one leg from `state`. `read` fills the block with this number.
    ///
    /// # Errors
    /// Those of `read`.
    fn leg<E>(&self, mut state: u64, mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>) -> Result<u64, E> {
        let mut block = [0; Medium::Disk.block_bytes()];
        let block = &mut block[..self.medium.block_bytes()];
        for hop in 0..self.each {
            read(self.next(state, hop), block)?;
            state = steps(state ^ sum(state, block), 2) | 1;
        }
        Ok(state)
    }

    fn next(&self, state: u64, hop: u32) -> u64 {
        let anew = usize::try_from(scale(state, self.places.len() as u64)).ok();
        match anew.and_then(|anew| self.places.get(anew)) {
            Some(place) if hop % 2 == 1 => *place,
            _ => scale(state, self.bytes / self.medium.block_bytes() as u64),
        }
    }

    /// The states after each of all legs, as they are answered with. `go_on` is asked before each leg.
    ///
    /// # Errors
    /// Those of `read` and `go_on`.
    pub fn all<E>(
        &self,
        start: u64,
        mut read: impl FnMut(u64, &mut [u8]) -> Result<(), E>,
        go_on: impl Fn() -> Result<(), E>,
    ) -> Result<Vec<u64>, E> {
        legs(start, go_on, |state| self.leg(state, &mut read))
    }
}

/// The states after each leg of a thread's steps. `go_on` is asked before each leg.
///
/// # Errors
/// Those of `go_on`.
pub fn chain<E>(seed: &Bytes32, thread: u16, each: u64, go_on: impl Fn() -> Result<(), E>) -> Result<Vec<u64>, E> {
    legs(start(seed, thread), go_on, |state| Ok(steps(state, each)))
}

fn legs<E>(
    mut state: u64,
    go_on: impl Fn() -> Result<(), E>,
    mut leg: impl FnMut(u64) -> Result<u64, E>,
) -> Result<Vec<u64>, E> {
    let mut states = Vec::with_capacity(LEGS);
    for _ in 0..LEGS {
        go_on()?;
        state = leg(state)?;
        states.push(state);
    }
    Ok(states)
}

/// `word` of 2^64, as a number below `below`.
fn scale(word: u64, below: u64) -> u64 {
    ((u128::from(word) * u128::from(below)) >> 64) as u64
}
