//! What a device holds between commitment and opening, in main memory: residues, checkpoints, the trees over both.

use rayon::prelude::*;

use super::{DeviceError, Opening};
use crate::Bytes32;
use crate::frame::Leaf;
use crate::limits::LEAF_BYTES;
use crate::params::Params;
use crate::segment::{self, Wanted};
use crate::tree::{Kind, Place, Tree};
use crate::walk::{LINE_BYTES, Line, Walk};

/// Results, and the walk over them once there was one. Nothing here computes a residue.
#[derive(Debug)]
pub struct Held {
    params: Params,
    rounds: Vec<Committed>,
    walk: Option<(Walk, Committed)>,
}

/// Bytes, and the tree over them.
#[derive(Debug)]
struct Committed {
    bytes: Vec<u8>,
    tree: Tree,
}

impl Committed {
    fn new(kind: Kind, bytes: Vec<u8>) -> Self {
        let tree = Tree::build(kind, &bytes);
        Self { bytes, tree }
    }

    fn block(&self, place: &Place, length: usize) -> Vec<u8> {
        self.bytes[place.offset()..place.offset() + length].to_vec()
    }

    fn leaf(&self, place: &Place) -> Option<Leaf> {
        let bytes = self.bytes.get(place.offset()..)?.first_chunk::<LEAF_BYTES>()?;
        Some(Leaf { bytes: Box::new(*bytes), path: self.tree.path(place) })
    }
}

impl Held {
    /// Nothing yet. `params` must have passed [`Params::check`].
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self { params, rounds: Vec::new(), walk: None }
    }

    /// Adds the residues of the next round, 2·M·N bytes, and returns their root.
    ///
    /// # Panics
    /// When they are another number of bytes.
    pub fn push(&mut self, residues: Vec<u8>) -> Bytes32 {
        assert_eq!(residues.len() as u64, self.params.round_bytes());
        self.rounds.push(Committed::new(Kind::Residues, residues));
        self.rounds[self.rounds.len() - 1].tree.root()
    }

    /// The roots of all rounds, in order.
    #[must_use]
    pub fn roots(&self) -> Vec<Bytes32> {
        self.rounds.iter().map(|round| round.tree.root()).collect()
    }

    /// One row with what authenticates it.
    ///
    /// # Errors
    /// When there is no such row.
    pub fn open(&self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        let missing = DeviceError::NoSuchRow { round, row };
        let found = self.rounds.get(round as usize).ok_or(missing.clone())?;
        let place = Place::of_row(&self.params, row).map_err(|_| missing)?;
        Ok(Opening { block: found.block(&place, self.params.block_bytes()), path: found.tree.path(&place) })
    }

    /// Line `at` of all that is held.
    #[must_use]
    pub fn line(&self, at: u32) -> Option<&Line> {
        let (round, start) = self.params.line_at(at);
        self.rounds.get(round as usize)?.bytes.get(start..)?.first_chunk::<LINE_BYTES>()
    }

    /// Walks over `line` (which [`Self::line`] is, on an honest device) and returns all checkpoints, one walker's after
    /// the other's. A leg that comes by a line that is not there ends with 0.
    #[must_use]
    pub fn checkpoints<'a>(&self, word: u64, line: impl Fn(u32) -> Option<&'a Line> + Sync) -> Vec<u64> {
        let walk = Walk::new(word, &self.params);
        let walkers = (0..self.params.walkers).into_par_iter();
        walkers
            .flat_map_iter(|walker| {
                let line = &line;
                (0..self.params.legs_each()).scan(0, move |before, leg| {
                    *before = walk.leg(walk.enter(*before, walker, leg), line).unwrap_or_default();
                    Some(*before)
                })
            })
            .collect()
    }

    /// Keeps the checkpoints of a walk and returns the root over them.
    ///
    /// # Panics
    /// Unless there is one for each leg of each walker.
    pub fn keep_walk(&mut self, word: u64, checkpoints: &[u64]) -> Bytes32 {
        assert_eq!(checkpoints.len() as u64 * 8, self.params.checkpoint_bytes());
        let bytes = checkpoints.iter().flat_map(|checkpoint| checkpoint.to_le_bytes()).collect();
        let kept = Committed::new(Kind::Checkpoints, bytes);
        let root = kept.tree.root();
        self.walk = Some((Walk::new(word, &self.params), kept));
        root
    }

    /// The root over the checkpoints that were kept.
    ///
    /// # Errors
    /// When there was no walk.
    pub fn walk_root(&self) -> Result<Bytes32, DeviceError> {
        self.walk.as_ref().map(|(_, kept)| kept.tree.root()).ok_or(DeviceError::NotWalked)
    }

    /// The leaves of one leg of the walk that was kept.
    ///
    /// # Errors
    /// When there was no walk, or no such leg.
    pub fn open_leg(&self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        let (walk, kept) = self.walk.as_ref().ok_or(DeviceError::NotWalked)?;
        let missing = DeviceError::NoSuchLeg { walker, leg };
        let leaf = |wanted| match wanted {
            Wanted::Checkpoints(place) => kept.leaf(&place),
            Wanted::Residues(round, place) => self.rounds.get(round as usize)?.leaf(&place),
        };
        let leaf = |wanted| leaf(wanted).ok_or_else(|| missing.clone());
        segment::open(&self.params, walk, (walker, leg), leaf)?.ok_or_else(|| missing.clone())
    }
}
