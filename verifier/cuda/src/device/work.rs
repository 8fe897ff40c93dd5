//! What is done on a card, kernel by kernel, and where in its memory things lie.

use crate::card::{At, Block, Card, CardError};
use crate::kernel::{Kernel, Key};
use surety_verifier::Bytes32;
use surety_verifier::device::{DeviceError, FillJob, Opening};
use surety_verifier::frame::Leaf;
use surety_verifier::limits::LEAF_BYTES;
use surety_verifier::params::Params;
use surety_verifier::seed::{self, ROOT_BEFORE_FIRST};
use surety_verifier::segment::{self, Wanted};
use surety_verifier::tree::{self, Kind, Place};
use surety_verifier::walk::Walk;

/// Bytes of a node of a tree.
const NODE: u64 = 32;

/// A card with a measurement on it.
#[derive(Debug)]
pub(super) struct Work<C> {
    card: C,
    params: Params,
    residues: Block,
    rounds: Vec<Upper>,
    checkpoints: Block,
    walk_yard: Yard,
    walked: Option<(Walk, Upper)>,
}

/// The upper part of a tree, in main memory: all levels from that of blocks on. What is below is hashed anew for the
/// few leaves that are opened, so that a card of 80 GiB gives away 0.3 GiB of main memory and none of its own.
#[derive(Debug)]
struct Upper {
    /// Bytes of a block.
    block_bytes: usize,
    /// Blocks first, the two children of the root last.
    levels: Vec<Vec<Bytes32>>,
    root: Bytes32,
}

impl Upper {
    fn path(&self, block: usize) -> impl Iterator<Item = Bytes32> {
        self.levels.iter().enumerate().filter_map(move |(height, level)| level.get((block >> height) ^ 1).copied())
    }
}

/// Where trees over so many bytes are built.
#[derive(Clone, Copy, Debug)]
struct Yard {
    kind: Kind,
    bytes: u64,
    block_bytes: usize,
    /// Two blocks of memory that levels below those kept go to and fro between.
    scratch: [Block; 2],
    kept: Block,
}

impl<C: Card> Work<C> {
    /// Sets the memory aside and computes all rounds.
    pub(super) fn fill(mut card: C, job: &FillJob) -> Result<Self, DeviceError> {
        let params = job.params;
        let round_bytes = params.round_bytes();
        let matrix = |rows: u32| u64::from(rows) * u64::from(params.inner);
        let residues = card.reserve(params.fill_bytes())?;
        let (a, b) = (card.reserve(matrix(params.rows))?, card.reserve(matrix(params.cols))?);
        let yard = Yard::reserve(&mut card, Kind::Residues, round_bytes, params.block_bytes())?;
        // Set aside before the clock of the walk runs, and refused before hours of work if it is not there.
        let checkpoints = card.reserve(params.checkpoint_bytes())?;
        let walk_yard = Yard::of_checkpoints(&mut card, params.checkpoint_bytes())?;
        let (rows, columns, inner) = (params.rows, params.cols, params.inner);
        let key = Key::from(&seed::matrix_b_key(&job.epoch_seed));
        card.run(&Kernel::Columns { key, rows: inner, columns, out: b.at(0) })?;
        let rounds = Vec::with_capacity(params.rounds as usize);
        let mut work = Self { card, params, residues, rounds, checkpoints, walk_yard, walked: None };
        let mut root = ROOT_BEFORE_FIRST;
        for round in 0..params.rounds {
            let key = Key::from(&seed::matrix_a_key(&job.gpu_seed, round, &root));
            let out = residues.at(u64::from(round) * round_bytes);
            work.card.run(&Kernel::Rows { key, rows, columns: inner, out: a.at(0) })?;
            work.card.run(&Kernel::Multiply { a: a.at(0), b: b.at(0), out, rows, columns, inner })?;
            let tree = yard.tree(&mut work.card, out)?;
            root = tree.root;
            work.rounds.push(tree);
        }
        Ok(work)
    }

    pub(super) fn roots(&self) -> Vec<Bytes32> {
        self.rounds.iter().map(|round| round.root).collect()
    }

    pub(super) fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        let missing = DeviceError::NoSuchRow { round, row };
        let place = Place::of_row(&self.params, row).map_err(|_| missing.clone())?;
        let tree = self.rounds.get(round as usize).ok_or(missing)?;
        let from = self.residues.at(u64::from(round) * self.params.round_bytes() + place.offset() as u64);
        let path = tree.path(place.index()).collect();
        Ok(Opening { block: self.card.read(from, self.params.block_bytes())?, path })
    }

    /// Walks, and commits to where it came by.
    pub(super) fn walk(mut self, word: u64) -> Result<Self, DeviceError> {
        let (params, checkpoints) = (&self.params, self.checkpoints.at(0));
        let walk = Walk::new(word, params);
        let (lines, walkers, legs) = (walk.lines, params.walkers, params.legs_each());
        self.card.run(&Kernel::Walk { memory: self.residues.at(0), lines, word, walkers, legs, checkpoints })?;
        self.walked = Some((walk, self.walk_yard.tree(&mut self.card, checkpoints)?));
        Ok(self)
    }

    pub(super) fn walk_root(&self) -> Result<Bytes32, DeviceError> {
        self.walked.as_ref().map(|(_, tree)| tree.root).ok_or(DeviceError::NotWalked)
    }

    pub(super) fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        let (walk, walk_tree) = self.walked.as_ref().ok_or(DeviceError::NotWalked)?;
        let missing = DeviceError::NoSuchLeg { walker, leg };
        let (card, round_bytes) = (&mut self.card, self.params.round_bytes());
        let leaf = |wanted| match wanted {
            Wanted::Checkpoints(place) => read_leaf(card, Kind::Checkpoints, walk_tree, self.checkpoints.at(0), &place),
            Wanted::Residues(round, place) => {
                let tree = self.rounds.get(round as usize).ok_or_else(|| missing.clone())?;
                let start = self.residues.at(u64::from(round) * round_bytes);
                read_leaf(card, Kind::Residues, tree, start, &place)
            }
        };
        segment::open(&self.params, walk, (walker, leg), leaf)?.ok_or_else(|| missing.clone())
    }

    pub(super) fn release(mut self) -> C {
        self.card.release();
        self.card
    }
}

/// A leaf of what begins at `start`, with its path: the lower part hashed anew from the block that holds it.
fn read_leaf<C: Card>(card: &mut C, kind: Kind, tree: &Upper, start: At, place: &Place) -> Result<Leaf, DeviceError> {
    let each = tree.block_bytes / LEAF_BYTES;
    let (block, leaf) = (place.index() / each, place.index() % each);
    let from = At { offset: start.offset + (block * tree.block_bytes) as u64, ..start };
    let bytes = card.read(from, tree.block_bytes)?;
    let found = bytes.as_chunks::<LEAF_BYTES>().0.get(leaf).ok_or(DeviceError::NotFilled)?;
    let mut path = tree::path_in_block(kind, &bytes, block, leaf);
    path.extend(tree.path(block));
    Ok(Leaf { bytes: Box::new(*found), path })
}

impl Yard {
    /// For trees over so many bytes, of which all above blocks is kept.
    fn reserve<C: Card>(card: &mut C, kind: Kind, bytes: u64, block_bytes: usize) -> Result<Self, CardError> {
        let (leaves, blocks) = (bytes / LEAF_BYTES as u64, bytes / block_bytes as u64);
        let scratch = [card.reserve(leaves * NODE)?, card.reserve(leaves / 2 * NODE)?];
        Ok(Self { kind, bytes, block_bytes, scratch, kept: card.reserve(2 * blocks * NODE)? })
    }

    /// In blocks of 16 leaves, or halves of it all.
    fn of_checkpoints<C: Card>(card: &mut C, bytes: u64) -> Result<Self, CardError> {
        let half = usize::try_from(bytes / 2).unwrap_or(usize::MAX);
        Self::reserve(card, Kind::Checkpoints, bytes, half.min(16 * LEAF_BYTES))
    }

    /// Builds the tree over what begins at `from`, and reads what is kept of it.
    fn tree<C: Card>(&self, card: &mut C, from: At) -> Result<Upper, CardError> {
        let key = Key::from(&self.kind.context());
        let kept_from = (self.block_bytes / LEAF_BYTES).trailing_zeros();
        let leaves = u32::try_from(self.bytes / LEAF_BYTES as u64).unwrap_or(u32::MAX);
        let (mut height, mut nodes, mut kept_nodes) = (0, leaves, 0_u64);
        let mut place = |height: u32, nodes: u32| {
            if height < kept_from {
                return self.scratch[height as usize % 2].at(0);
            }
            let at = self.kept.at(kept_nodes * NODE);
            kept_nodes += u64::from(nodes);
            at
        };
        let mut level = place(0, nodes);
        card.run(&Kernel::Leaves { key, bytes: from, leaves, out: level })?;
        while nodes > 1 {
            (height, nodes) = (height + 1, nodes / 2);
            let out = place(height, nodes);
            card.run(&Kernel::Pairs { key, nodes: level, pairs: nodes, is_root: nodes == 1, out })?;
            level = out;
        }
        let kept = usize::try_from(kept_nodes * NODE).unwrap_or(usize::MAX);
        Ok(Upper::of(self.block_bytes, leaves >> kept_from, &card.read(self.kept.at(0), kept)?))
    }
}

impl Upper {
    /// Of the nodes of all levels, one after the other, that begin with `blocks` and end with the root.
    fn of(block_bytes: usize, blocks: u32, nodes: &[u8]) -> Self {
        let mut nodes = nodes.as_chunks::<32>().0;
        let (mut levels, mut count) = (Vec::new(), blocks as usize);
        while count > 1 {
            let (level, rest) = nodes.split_at(count.min(nodes.len()));
            levels.push(level.to_vec());
            (nodes, count) = (rest, count / 2);
        }
        Self { block_bytes, levels, root: nodes.first().copied().unwrap_or_default() }
    }
}
