//! The kernels: what each is given, and how many threads it takes. What they compute is said in `kernels/surety.cu`.

use crate::card::At;

/// A key of ChaCha or BLAKE3 as eight little-endian words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Key(pub [u32; 8]);

impl From<&[u8; 32]> for Key {
    fn from(bytes: &[u8; 32]) -> Self {
        let words = bytes.as_chunks::<4>().0;
        Self(std::array::from_fn(|word| u32::from_le_bytes(words[word])))
    }
}

/// One argument as the kernel takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// 32 bytes by value.
    Key(Key),
    /// A pointer.
    At(At),
    /// 32 bits by value.
    U32(u32),
    /// 64 bits by value.
    U64(u64),
}

/// How a kernel is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Its name.
    pub name: &'static str,
    /// Blocks, across and down.
    pub grid: (u32, u32),
    /// Threads in a block.
    pub threads: u32,
    /// What it is given, in order.
    pub arguments: Vec<Argument>,
}

/// Names of all kernels.
pub const NAMES: [&str; 6] =
    ["surety_rows", "surety_columns", "surety_multiply", "surety_leaves", "surety_pairs", "surety_walk"];

/// A kernel with what it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// Rows of a matrix from a generator: `rows` times `columns` bytes.
    Rows {
        /// Key of the generator.
        key: Key,
        /// Rows.
        rows: u32,
        /// Bytes in each, a multiple of 64.
        columns: u32,
        /// Where they go.
        out: At,
    },
    /// The same, transposed: `columns` times `rows` bytes.
    Columns {
        /// Key of the generator.
        key: Key,
        /// Rows, a multiple of 64.
        rows: u32,
        /// Bytes in each, a multiple of 64.
        columns: u32,
        /// Where they go.
        out: At,
    },
    /// Residues of the product of `a` and the transpose of `b`: `rows` times `columns` u16.
    Multiply {
        /// `rows` times `inner` bytes.
        a: At,
        /// `columns` times `inner` bytes.
        b: At,
        /// Where the residues go.
        out: At,
        /// M.
        rows: u32,
        /// N, even.
        columns: u32,
        /// K, a multiple of 64.
        inner: u32,
    },
    /// Chaining values of leaves.
    Leaves {
        /// The tree's context.
        key: Key,
        /// 1024 bytes for each leaf.
        bytes: At,
        /// How many.
        leaves: u32,
        /// 32 bytes for each.
        out: At,
    },
    /// Each pair of nodes becomes one.
    Pairs {
        /// The tree's context.
        key: Key,
        /// 64 bytes for each pair.
        nodes: At,
        /// How many pairs.
        pairs: u32,
        /// Whether the one pair becomes the root.
        is_root: bool,
        /// 32 bytes for each.
        out: At,
    },
    /// All walkers' ways.
    Walk {
        /// All residues.
        memory: At,
        /// Lines of 128 bytes in them.
        lines: u32,
        /// The walk's word.
        word: u64,
        /// W.
        walkers: u32,
        /// Legs of each.
        legs: u32,
        /// 8 bytes for each leg.
        checkpoints: At,
    },
}

/// Threads in a block where nothing hangs on how many there are.
const THREADS: u32 = 128;

/// Rows and columns of the product that one block computes.
const TILE: u32 = 128;

impl Kernel {
    /// How to run it.
    #[must_use]
    pub fn launch(&self) -> Launch {
        use Argument::{At, Key, U32, U64};
        match *self {
            Self::Rows { key, rows, columns, out } => {
                let blocks = u64::from(rows) * u64::from(columns / 64);
                let arguments = vec![Key(key), U32(rows), U32(columns / 64), At(out)];
                Launch { name: NAMES[0], grid: (groups(blocks), 1), threads: THREADS, arguments }
            }
            Self::Columns { key, rows, columns, out } => {
                let arguments = vec![Key(key), U32(rows), At(out)];
                Launch { name: NAMES[1], grid: (rows / 64, columns / 64), threads: 64, arguments }
            }
            Self::Multiply { a, b, out, rows, columns, inner } => {
                let grid = (columns.div_ceil(TILE), rows.div_ceil(TILE));
                let arguments = vec![At(a), At(b), At(out), U32(rows), U32(columns), U32(inner)];
                Launch { name: NAMES[2], grid, threads: 256, arguments }
            }
            Self::Leaves { key, bytes, leaves, out } => {
                let arguments = vec![Key(key), At(bytes), U32(leaves), At(out)];
                Launch { name: NAMES[3], grid: (groups(leaves.into()), 1), threads: THREADS, arguments }
            }
            Self::Pairs { key, nodes, pairs, is_root, out } => {
                let arguments = vec![Key(key), At(nodes), U32(pairs), U32(is_root.into()), At(out)];
                Launch { name: NAMES[4], grid: (groups(pairs.into()), 1), threads: THREADS, arguments }
            }
            Self::Walk { memory, lines, word, walkers, legs, checkpoints } => {
                let arguments = vec![At(memory), U32(lines), U64(word), U32(walkers), U32(legs), At(checkpoints)];
                Launch { name: NAMES[5], grid: (groups(walkers.into()), 1), threads: THREADS, arguments }
            }
        }
    }
}

/// Blocks of [`THREADS`] that hold so many threads; at most 2^31, which no size of the protocol needs.
fn groups(threads: u64) -> u32 {
    u32::try_from(threads.div_ceil(THREADS.into())).unwrap_or(u32::MAX)
}
