//! The commitment to one round: BLAKE3's own tree over its residues, in key-derivation mode.
//!
//! A root is exactly `BLAKE3-derive-key("surety verifier v1 residue tree", bytes)`, so any BLAKE3 computes it. BLAKE3
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
    /// The row lies outside the round.
    #[error("row {row} of {rows}")]
    Row {
        /// The row.
        row: u32,
        /// Rows in the round.
        rows: u32,
    },
    /// The path leads to another root.
    #[error("the path does not lead to the signed root")]
    OtherRoot,
}

/// The tree over one round, all levels held: 2/32 of the round's bytes.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Level 0 are the leaves; the last level are the two children of the root.
    levels: Vec<Vec<Bytes32>>,
    root: Bytes32,
}

impl Tree {
    /// Builds the tree over one round.
    ///
    /// # Panics
    /// Unless `round` is a power of two of bytes and at least two leaves long, which [`Params::check`] makes sure of.
    #[must_use]
    pub fn build(round: &[u8]) -> Self {
        assert!(round.len().is_power_of_two() && round.len() >= 2 * LEAF_BYTES, "{} bytes", round.len());
        let context = hash_derive_key_context(context::TREE);
        let leaves = round.par_chunks(LEAF_BYTES).enumerate();
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

    /// The path from the block that holds `row` up to the root: siblings, lowest first.
    /// `row` must be below M; levels that the block itself covers are left out.
    #[must_use]
    pub fn path(&self, params: &Params, row: u32) -> Vec<Bytes32> {
        let covered = (params.block_bytes() / LEAF_BYTES).trailing_zeros() as usize;
        let block = block_offset(params, row) / params.block_bytes();
        let levels = self.levels.iter().skip(covered).enumerate();
        levels.map(|(height, level)| level[(block >> height) ^ 1]).collect()
    }
}

/// Where the block that holds `row` starts in its round, in bytes.
#[must_use]
pub fn block_offset(params: &Params, row: u32) -> usize {
    let start = row as usize * params.row_bytes();
    start - start % params.block_bytes()
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
/// Says what does not fit. Nothing here is evidence against anybody: only the root is signed.
pub fn verify(params: &Params, root: &Bytes32, row: u32, block: &[u8], path: &[Bytes32]) -> Result<(), PathError> {
    check_shape(params, row, block, path)?;
    let context = hash_derive_key_context(context::TREE);
    let offset = block_offset(params, row);
    let mut place = offset / params.block_bytes();
    let mut node = subtree(&context, block, offset as u64);
    let Some((last, lower)) = path.split_last() else {
        return Err(PathError::OtherRoot);
    };
    for sibling in lower {
        node = with_order(place, &node, sibling, |left, right| join(&context, left, right));
        place >>= 1;
    }
    let found = with_order(place, &node, last, |left, right| join_root(&context, left, right));
    if found == *root { Ok(()) } else { Err(PathError::OtherRoot) }
}

fn check_shape(params: &Params, row: u32, block: &[u8], path: &[Bytes32]) -> Result<(), PathError> {
    if row >= params.rows {
        return Err(PathError::Row { row, rows: params.rows });
    }
    if block.len() != params.block_bytes() {
        return Err(PathError::BlockLength { got: block.len(), expected: params.block_bytes() });
    }
    if path.len() != params.path_len() {
        return Err(PathError::PathLength { got: path.len(), expected: params.path_len() });
    }
    Ok(())
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
