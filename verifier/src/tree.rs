//! The commitments to a round's residues and to a walk's checkpoints: BLAKE3's own tree, in key-derivation mode.
//!
//! A root is exactly `BLAKE3-derive-key("surety verifier v2 residue tree", bytes)`, so any BLAKE3 computes it. BLAKE3
//! hashes chunks of 1 KiB (our leaves) with their index and joins them pairwise with other flags, so leaves, inner
//! nodes and roots can never be taken for each other, and a leaf never for the same bytes in another place.

use blake3::hazmat::{HasherExt, Mode, hash_derive_key_context, merge_subtrees_non_root, merge_subtrees_root};
use rayon::prelude::*;

use crate::Bytes32;
use crate::limits::LEAF_BYTES;
use crate::params::Params;
use crate::seed::context;

/// Why a block with its path does not belong to a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The block is not as long as the session's parameters say.
    #[error("the block has {got} bytes: {expected} expected")]
    BlockLength {
        /// Bytes that came.
        got: usize,
        /// Bytes that the parameters ask for.
        expected: usize,
    },
    /// The path is not as long as the session's parameters say.
    #[error("the path has {got} hashes: {expected} expected")]
    PathLength {
        /// Hashes that came.
        got: usize,
        /// Hashes that the parameters ask for.
        expected: usize,
    },
    /// There is no such block.
    #[error("{what} {at} of {count}")]
    Outside {
        /// What was asked for.
        what: &'static str,
        /// Its number.
        at: u32,
        /// How many there are.
        count: u32,
    },
    /// The path leads to another root.
    #[error("the path does not lead to the signed root")]
    OtherRoot,
}

/// Which bytes a tree is over. Each kind has a context of its own, so no root of one is ever a root of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One round's residues.
    Residues,
    /// The checkpoints of one GPU's walk.
    Checkpoints,
}

impl Kind {
    /// The key that every compression begins with.
    #[must_use]
    pub fn context(self) -> Bytes32 {
        hash_derive_key_context(match self {
            Self::Residues => context::TREE,
            Self::Checkpoints => context::CHECKPOINTS,
        })
    }
}

/// The tree over some bytes, all levels held: 2/32 of them.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Level 0 are the leaves; the last level are the two children of the root.
    levels: Vec<Vec<Bytes32>>,
    root: Bytes32,
}

impl Tree {
    /// Builds the tree over `bytes`.
    ///
    /// # Panics
    /// Unless `bytes` are a power of two and at least two leaves long, which [`Params::check`] makes sure of.
    #[must_use]
    pub fn build(kind: Kind, bytes: &[u8]) -> Self {
        assert!(bytes.len().is_power_of_two() && bytes.len() >= 2 * LEAF_BYTES, "{} bytes", bytes.len());
        let context = kind.context();
        let leaves = bytes.par_chunks(LEAF_BYTES).enumerate();
        let leaves = leaves.map(|(index, leaf)| subtree(&context, leaf, index as u64 * LEAF_BYTES as u64)).collect();
        let mut levels: Vec<Vec<Bytes32>> = vec![leaves];
        while let Some(last) = levels.last().filter(|level| level.len() > 2) {
            let next = last.as_chunks::<2>().0.iter().map(|[left, right]| join(&context, left, right)).collect();
            levels.push(next);
        }
        let top = &levels[levels.len() - 1];
        let root = join_root(&context, &top[0], &top[1]);
        Self { levels, root }
    }

    /// The commitment.
    #[must_use]
    pub fn root(&self) -> Bytes32 {
        self.root
    }

    /// The path from a block of this tree up to the root: siblings, lowest first. Levels that the block itself covers
    /// are left out.
    #[must_use]
    pub fn path(&self, place: &Place) -> Vec<Bytes32> {
        let covered = (place.block_bytes / LEAF_BYTES).trailing_zeros() as usize;
        let levels = self.levels.iter().skip(covered).enumerate();
        levels.map(|(height, level)| level[(place.index >> height) ^ 1]).collect()
    }
}

/// Where a block lies under a root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    kind: Kind,
    total_bytes: u64,
    block_bytes: usize,
    /// Number of the block.
    index: usize,
}

impl Place {
    /// The block of row `row` of a round: a whole number of leaves.
    ///
    /// # Errors
    /// When a round has no such row.
    pub fn of_row(params: &Params, row: u32) -> Result<Self, PathError> {
        let index = row as usize * params.row_bytes() / params.block_bytes();
        let (total_bytes, block_bytes) = (params.round_bytes(), params.block_bytes());
        let place = Self { kind: Kind::Residues, total_bytes, block_bytes, index };
        if row < params.rows { Ok(place) } else { Err(PathError::Outside { what: "row", at: row, count: params.rows }) }
    }

    /// Leaf `leaf` of a round's residues.
    ///
    /// # Errors
    /// When a round has no such leaf.
    pub fn of_leaf(params: &Params, leaf: u32) -> Result<Self, PathError> {
        Self::leaf(Kind::Residues, params.round_bytes(), leaf)
    }

    /// Leaf `leaf` of a GPU's checkpoints.
    ///
    /// # Errors
    /// When there is no such leaf.
    pub fn of_checkpoints(params: &Params, leaf: u32) -> Result<Self, PathError> {
        Self::leaf(Kind::Checkpoints, params.checkpoint_bytes(), leaf)
    }

    fn leaf(kind: Kind, total_bytes: u64, leaf: u32) -> Result<Self, PathError> {
        let count = u32::try_from(total_bytes / LEAF_BYTES as u64).unwrap_or(u32::MAX);
        if leaf >= count {
            return Err(PathError::Outside { what: "leaf", at: leaf, count });
        }
        Ok(Self { kind, total_bytes, block_bytes: LEAF_BYTES, index: leaf as usize })
    }

    /// Hashes on the path from here to the root.
    #[must_use]
    pub fn path_len(&self) -> usize {
        (self.total_bytes / self.block_bytes as u64).trailing_zeros() as usize
    }

    /// Number of the block, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where the block begins, in bytes.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.index * self.block_bytes
    }

    /// Checks that `block` lies here under `root`.
    ///
    /// # Errors
    /// Says what does not fit. Nothing here is evidence against anybody: only the root is signed.
    pub fn verify(&self, root: &Bytes32, block: &[u8], path: &[Bytes32]) -> Result<(), PathError> {
        if block.len() != self.block_bytes {
            return Err(PathError::BlockLength { got: block.len(), expected: self.block_bytes });
        }
        let (Some((last, lower)), true) = (path.split_last(), path.len() == self.path_len()) else {
            return Err(PathError::PathLength { got: path.len(), expected: self.path_len() });
        };
        let context = self.kind.context();
        let mut index = self.index;
        let mut node = subtree(&context, block, self.offset() as u64);
        for sibling in lower {
            node = with_order(index, &node, sibling, |left, right| join(&context, left, right));
            index >>= 1;
        }
        let found = with_order(index, &node, last, |left, right| join_root(&context, left, right));
        if found == *root { Ok(()) } else { Err(PathError::OtherRoot) }
    }
}

/// The lower part of the path of leaf `leaf` of a block: siblings from the leaf up to a child of the block's own node.
/// For devices that keep no nodes below blocks. `block` is number `index` of the blocks of its length, a power of two
/// of leaves.
#[must_use]
pub fn path_in_block(kind: Kind, block: &[u8], index: usize, leaf: usize) -> Vec<Bytes32> {
    let context = kind.context();
    let start = index * block.len();
    let leaves = block.chunks(LEAF_BYTES).enumerate();
    let mut level: Vec<Bytes32> =
        leaves.map(|(at, leaf)| subtree(&context, leaf, (start + at * LEAF_BYTES) as u64)).collect();
    let (mut path, mut at) = (Vec::new(), leaf);
    while level.len() > 1 {
        path.extend(level.get(at ^ 1));
        level = level.as_chunks::<2>().0.iter().map(|[left, right]| join(&context, left, right)).collect();
        at >>= 1;
    }
    path
}

/// The bytes of `row` inside its block.
#[must_use]
pub fn row_in_block<'a>(params: &Params, row: u32, block: &'a [u8]) -> &'a [u8] {
    let start = row as usize * params.row_bytes() % params.block_bytes();
    &block[start..start + params.row_bytes()]
}

/// Checks that `block` is where `row` lies in the round that `root` commits to.
///
/// # Errors
/// As [`Place::verify`].
pub fn verify(params: &Params, root: &Bytes32, row: u32, block: &[u8], path: &[Bytes32]) -> Result<(), PathError> {
    Place::of_row(params, row)?.verify(root, block, path)
}

fn with_order(
    place: usize,
    node: &Bytes32,
    sibling: &Bytes32,
    join: impl Fn(&Bytes32, &Bytes32) -> Bytes32,
) -> Bytes32 {
    if place & 1 == 0 { join(node, sibling) } else { join(sibling, node) }
}

/// Chaining value of an aligned power-of-two run of leaves that is not the whole input.
fn subtree(context: &Bytes32, bytes: &[u8], offset: u64) -> Bytes32 {
    let mut hasher = blake3::Hasher::new_from_context_key(context);
    hasher.set_input_offset(offset);
    hasher.update(bytes);
    hasher.finalize_non_root()
}

fn join(context: &Bytes32, left: &Bytes32, right: &Bytes32) -> Bytes32 {
    merge_subtrees_non_root(left, right, Mode::DeriveKeyMaterial(context))
}

fn join_root(context: &Bytes32, left: &Bytes32, right: &Bytes32) -> Bytes32 {
    *merge_subtrees_root(left, right, Mode::DeriveKeyMaterial(context)).as_bytes()
}
