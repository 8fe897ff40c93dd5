//! Sizes of one measurement.

use serde::{Deserialize, Serialize};

use crate::limits::{
    CHECKPOINT_BYTES_MAX, COLS_MAX, HOPS_MAX, INNER_MAX, LEAF_BYTES, OPENED_LEGS_MAX, OPENED_ROWS_MAX, ROUNDS_MAX,
    ROWS_MAX, VECTORS_MAX, WALKERS_MAX,
};
use crate::walk::{LEG_HOPS, LINE_BYTES};
use crate::wire::{Reader, WireError, Writer};

/// Sizes of one measurement: for each round t < T a machine computes `C_t = A_t · B`, with `A_t` M×K and B K×N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// K: columns of A, rows of B. A power of two, 64 to 65536.
    pub inner: u32,
    /// N: columns of B and of the results. A power of two, 64 to 32768.
    pub cols: u32,
    /// M: rows of A and of one round's result. A power of two, 2 to 65536.
    pub rows: u32,
    /// T: rounds, 1 to 4096.
    pub rounds: u32,
    /// V: secret vectors that check a row, 1 to 8. Each multiplies the chance of a wrong row to pass by 1/65521.
    pub vectors: u8,
    /// k: rows opened on each GPU; at most half of all its rows.
    pub openings: u16,
    /// W: walkers on each GPU. A power of two, 2 to 2^20.
    pub walkers: u32,
    /// H: hops of each walker. A power of two, 32 to 2^24.
    pub hops: u32,
    /// L: legs opened on each GPU; at most half of all its legs.
    pub legs: u16,
}

/// Sizes that no session may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// A dimension is not a power of two in its range.
    #[error("{name} is {value}: it must be a power of two from {min} to {max}")]
    Dimension {
        /// Which dimension.
        name: &'static str,
        /// What it was.
        value: u32,
        /// Least that it may be.
        min: u32,
        /// Most that it may be.
        max: u32,
    },
    /// Another number is out of its range.
    #[error("{name} is {value}: it must be from 1 to {max}")]
    Range {
        /// Which number.
        name: &'static str,
        /// What it was.
        value: u32,
        /// Most that it may be.
        max: u32,
    },
    /// One round's result does not span two opened blocks, so that there would be nothing to choose from.
    #[error("one round is {round_bytes} bytes: it must hold at least two blocks of {block_bytes}")]
    RoundTooSmall {
        /// Bytes of one round.
        round_bytes: u64,
        /// Bytes of an opened block.
        block_bytes: u64,
    },
    /// More is filled than a walk can reach.
    #[error("{0} bytes are filled: a walk reaches 2^32 lines of {LINE_BYTES}")]
    TooManyLines(u64),
    /// The checkpoints do not make a tree, or are too many.
    #[error("W·H/{LEG_HOPS} checkpoints are {0} bytes: there must be 2048 to {CHECKPOINT_BYTES_MAX}")]
    Checkpoints(u64),
}

impl Params {
    /// The sizes that a CPU computes in milliseconds: K = N = 256, M = 64, T = 8, V = 4, W = 64, H = 512. Proves no
    /// GPU.
    #[must_use]
    pub const fn cpu_small(count: u16) -> Self {
        Self {
            inner: 256,
            cols: 256,
            rows: 64,
            rounds: 8,
            vectors: 4,
            openings: share(256, 32, count),
            walkers: 64,
            hops: 512,
            legs: share(64, 4, count),
        }
    }

    /// The sizes for a real card: K = 32768, N = 8192, M = 4096, V = 4, as many rounds of 64 MiB as fill 90 % of
    /// `vram_mib` (from the class table, never from what the card says), and 2^15 walkers that take `hops` each.
    #[must_use]
    pub const fn full(vram_mib: u32, hops: u32, count: u16) -> Self {
        Self {
            inner: 32_768,
            cols: 8_192,
            rows: 4_096,
            rounds: vram_mib / 10 * 9 / 64,
            vectors: 4,
            openings: share(256, 32, count),
            walkers: 1 << 15,
            hops,
            legs: share(64, 4, count),
        }
    }

    /// Refuses sizes out of bounds. Every other method assumes that this has passed.
    ///
    /// # Errors
    /// Names the number that is out of bounds.
    pub fn check(&self) -> Result<(), ParamsError> {
        dimension("K", self.inner, 64, INNER_MAX)?;
        dimension("N", self.cols, 64, COLS_MAX)?;
        dimension("M", self.rows, 2, ROWS_MAX)?;
        range("T", self.rounds, ROUNDS_MAX)?;
        range("V", u32::from(self.vectors), u32::from(VECTORS_MAX))?;
        let half = u64::from(self.rounds) * u64::from(self.rows) / 2;
        let most = half.min(u64::from(OPENED_ROWS_MAX));
        range("k", u32::from(self.openings), u32::try_from(most).unwrap_or(u32::MAX))?;
        let (round_bytes, block_bytes) = (self.round_bytes(), self.block_bytes() as u64);
        if round_bytes < 2 * block_bytes {
            return Err(ParamsError::RoundTooSmall { round_bytes, block_bytes });
        }
        self.check_walk()
    }

    fn check_walk(&self) -> Result<(), ParamsError> {
        dimension("W", self.walkers, 2, WALKERS_MAX)?;
        dimension("H", self.hops, LEG_HOPS, HOPS_MAX)?;
        if self.fill_bytes() / LINE_BYTES as u64 > u64::from(u32::MAX) {
            return Err(ParamsError::TooManyLines(self.fill_bytes()));
        }
        let bytes = self.checkpoint_bytes();
        if bytes < 2 * LEAF_BYTES as u64 || bytes > CHECKPOINT_BYTES_MAX {
            return Err(ParamsError::Checkpoints(bytes));
        }
        let most = (self.legs_in_all() / 2).min(u32::from(OPENED_LEGS_MAX));
        range("L", u32::from(self.legs), most)
    }

    /// Bytes of one row of residues: 2·N.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        2 * self.cols as usize
    }

    /// Bytes of one round's residues: 2·M·N.
    #[must_use]
    pub fn round_bytes(&self) -> u64 {
        2 * u64::from(self.rows) * u64::from(self.cols)
    }

    /// Bytes that one GPU fills: 2·T·M·N.
    #[must_use]
    pub fn fill_bytes(&self) -> u64 {
        self.round_bytes() * u64::from(self.rounds)
    }

    /// Lines that a walk reaches: all that one GPU fills.
    #[must_use]
    pub fn lines(&self) -> u32 {
        u32::try_from(self.fill_bytes() / LINE_BYTES as u64).unwrap_or(u32::MAX)
    }

    /// Where line `line` of all lies: the round, and the byte of it with which the line begins.
    #[must_use]
    pub fn line_at(&self, line: u32) -> (u32, usize) {
        let each = self.round_bytes() / LINE_BYTES as u64;
        let (round, at) = (u64::from(line) / each, u64::from(line) % each);
        (u32::try_from(round).unwrap_or(u32::MAX), usize::try_from(at).unwrap_or(usize::MAX) * LINE_BYTES)
    }

    /// Number of the checkpoint after leg `leg` of walker `walker`, all legs of one walker after those of the one
    /// before.
    #[must_use]
    pub fn checkpoint_at(&self, walker: u32, leg: u32) -> u32 {
        walker * self.legs_each() + leg
    }

    /// Legs of one walker: H/32.
    #[must_use]
    pub fn legs_each(&self) -> u32 {
        self.hops / LEG_HOPS
    }

    /// Legs of all walkers of one GPU: W·H/32, at most 2^30.
    #[must_use]
    pub fn legs_in_all(&self) -> u32 {
        self.walkers.saturating_mul(self.legs_each())
    }

    /// Bytes of one GPU's checkpoints, one at the end of each leg.
    #[must_use]
    pub fn checkpoint_bytes(&self) -> u64 {
        8 * u64::from(self.walkers) * u64::from(self.legs_each())
    }

    /// Bytes that one GPU's walk reads: 128·W·H.
    #[must_use]
    pub fn walk_bytes(&self) -> u64 {
        LINE_BYTES as u64 * u64::from(self.walkers) * u64::from(self.hops)
    }

    /// Bytes that one device needs: what it fills, its checkpoints, the trees over both (1/16), and both matrices.
    #[must_use]
    pub fn device_bytes(&self) -> u64 {
        let (a, b) = (u64::from(self.rows), u64::from(self.cols));
        let held = self.fill_bytes() + self.checkpoint_bytes();
        held + held / 16 + (a + b) * u64::from(self.inner)
    }

    /// int8 operations of one GPU, a multiplication and an addition counted apart: 2·T·M·N·K, at most 2^60.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.fill_bytes() * u64::from(self.inner)
    }

    /// Bytes of the aligned block that opens a row: a whole number of leaves, so a row or the leaf that holds it.
    #[must_use]
    pub fn block_bytes(&self) -> usize {
        self.row_bytes().max(LEAF_BYTES)
    }

    pub(crate) fn encode(&self, out: &mut Writer) {
        out.u32(self.inner).u32(self.cols).u32(self.rows).u32(self.rounds).u8(self.vectors).u16(self.openings);
        out.u32(self.walkers).u32(self.hops).u16(self.legs);
    }

    pub(crate) fn decode(from: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self {
            inner: from.u32()?,
            cols: from.u32()?,
            rows: from.u32()?,
            rounds: from.u32()?,
            vectors: from.u8()?,
            openings: from.u16()?,
            walkers: from.u32()?,
            hops: from.u32()?,
            legs: from.u16()?,
        })
    }
}

/// k = max(32, 256/G): about 256 rows a machine, and never so few on one GPU that a tenth left out would pass; and
/// L = max(4, 64/G) in the same way.
const fn share(of_machine: u16, least: u16, count: u16) -> u16 {
    let count = if count == 0 { 1 } else { count };
    let share = of_machine / count;
    if share < least { least } else { share }
}

fn dimension(name: &'static str, value: u32, min: u32, max: u32) -> Result<(), ParamsError> {
    if value.is_power_of_two() && (min..=max).contains(&value) {
        return Ok(());
    }
    Err(ParamsError::Dimension { name, value, min, max })
}

fn range(name: &'static str, value: u32, max: u32) -> Result<(), ParamsError> {
    if (1..=max).contains(&value) {
        return Ok(());
    }
    Err(ParamsError::Range { name, value, max })
}
