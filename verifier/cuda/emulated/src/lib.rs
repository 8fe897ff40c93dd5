//! The CUDA kernels of `surety-cuda`, compiled as C and played on the processor. For tests: thousands of times slower
//! than any card.
//!
//! Threads of a block take turns. A copy to shared memory arrives when it is waited for and not before, and what a warp
//! computes together is put together as PTX's documents say. What this cannot show: races between threads that a card
//! really runs at once, and what the driver makes of the PTX.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::{Mutex, PoisonError};

unsafe extern "C" {
    fn emulated_run_mma(kernel: u32, grid_x: u32, grid_y: u32, threads: u32, given: *const u64) -> i32;
    fn emulated_run_dp4a(kernel: u32, grid_x: u32, grid_y: u32, threads: u32, given: *const u64) -> i32;
}

/// Which instructions the product is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `mma.sync`, cards from 8.0 on.
    Mma,
    /// `dp4a`, older ones.
    Dp4a,
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument<'a> {
    /// Eight words by value.
    Key(&'a [u32; 8]),
    /// A byte of a block of memory.
    At(&'a Memory, u64),
    /// A number.
    Number(u64),
}

/// Memory of the played card, aligned to 16 bytes.
#[derive(Debug)]
pub struct Memory {
    words: Vec<UnsafeCell<u128>>,
    bytes: usize,
}

impl Memory {
    /// So many bytes, none of which is what anybody would expect.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let word = || UnsafeCell::new(0xdead_beef_dead_beef_dead_beef_dead_beef);
        Self { words: std::iter::repeat_with(word).take(bytes.div_ceil(16)).collect(), bytes }
    }

    /// Bytes from `from` on; None beyond the end.
    #[must_use]
    pub fn read(&self, from: usize, bytes: usize) -> Option<Vec<u8>> {
        let end = from.checked_add(bytes).filter(|end| *end <= self.bytes)?;
        // SAFETY: nothing runs on this memory now: `run` returns when the kernel is over, and its caller promised the
        // rest.
        let all = self.words.iter().flat_map(|word| unsafe { *word.get() }.to_le_bytes());
        Some(all.skip(from).take(end - from).collect())
    }
}

/// One launch at a time: the player's state is the process's.
static PLAYING: Mutex<()> = Mutex::new(());

/// Runs kernel number `kernel` (in the order of `surety_cuda::kernel::NAMES`). False if there is none such.
///
/// # Safety
/// The kernel must write nowhere but into the memory that it is given, and nobody may read that meanwhile.
pub unsafe fn run(variant: Variant, kernel: u32, grid: (u32, u32), threads: u32, arguments: &[Argument<'_>]) -> bool {
    let given: Vec<u64> = arguments
        .iter()
        .map(|argument| match argument {
            Argument::Key(key) => key.as_ptr() as u64,
            Argument::At(memory, offset) => memory.words.as_ptr() as u64 + offset,
            Argument::Number(number) => *number,
        })
        .collect();
    let _playing = PLAYING.lock().unwrap_or_else(PoisonError::into_inner);
    let play = match variant {
        Variant::Mma => emulated_run_mma,
        Variant::Dp4a => emulated_run_dp4a,
    };
    // SAFETY: the caller answers for what the kernel writes; `given` lives until it is over.
    (unsafe { play(kernel, grid.0, grid.1, threads, given.as_ptr()) }) != 0
}
