//! One opened leg of a walk: where its checkpoints and lines lie, and whether it comes out.

use crate::Bytes32;
use crate::frame::{Leaf, Root, Segment};
use crate::limits::LEAF_BYTES;
use crate::params::Params;
use crate::seed;
use crate::tree::Place;
use crate::walk::{LEG_HOPS, LINE_BYTES, Line, Walk, mix};

/// Checkpoints in a leaf.
const CHECKPOINTS_EACH: u32 = 128;

const _: () = assert!(8 * CHECKPOINTS_EACH as usize == LEAF_BYTES);

/// A leaf that an opened leg takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Of the checkpoints.
    Checkpoints(Place),
    /// Of the residues of this round.
    Residues(u32, Place),
}

/// The leaves of one leg, as [`Segment::leaves`] has them, from a device that walked it and can show any leaf.
/// None if there is no such leg.
///
/// # Errors
/// That of `leaf`.
pub fn open<E>(
    params: &Params,
    walk: &Walk,
    (walker, leg): (u32, u32),
    mut leaf: impl FnMut(Wanted) -> Result<Leaf, E>,
) -> Result<Option<Vec<Leaf>>, E> {
    let Some(ends) = ends(params, walker, leg) else { return Ok(None) };
    let mut checkpoint = |number| {
        let (at, entry) = checkpoint_leaf(number);
        let Ok(place) = Place::of_checkpoints(params, at) else { return Ok(None) };
        let leaf = leaf(Wanted::Checkpoints(place))?;
        Ok(Some((self::checkpoint(&leaf, entry), leaf)))
    };
    let Some((_, after)) = checkpoint(ends.after)? else { return Ok(None) };
    let (mut leaves, mut state) = (vec![after], 0);
    if let Some(before) = ends.before {
        let Some((shown, before)) = checkpoint(before)? else { return Ok(None) };
        leaves.push(before);
        state = shown;
    }
    state = walk.enter(state, walker, leg);
    for _ in 0..LEG_HOPS {
        let Some((round, place, index)) = line_leaf(params, walk.place(state)) else { return Ok(None) };
        let shown = leaf(Wanted::Residues(round, place))?;
        let Some(line) = line(&shown, index) else { return Ok(None) };
        state = mix(state, line);
        leaves.push(shown);
    }
    Ok(Some(leaves))
}

/// Why an opened leg does not count for the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentFault {
    /// Something in it is not under the signed roots, or too much or too little was shown. Speaks against nobody.
    NotCommitted,
    /// All of it is under the signed roots, and it ends elsewhere than it says.
    WrongWalk,
}

/// The checkpoints at the ends of a leg, by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    /// None for a walker's first leg, before which the state is 0.
    before: Option<u32>,
    after: u32,
}

/// None if there is no such leg.
fn ends(params: &Params, walker: u32, leg: u32) -> Option<Ends> {
    if walker >= params.walkers || leg >= params.legs_each() {
        return None;
    }
    let at = |leg| params.checkpoint_at(walker, leg);
    Some(Ends { before: leg.checked_sub(1).map(at), after: at(leg) })
}

/// Which leaf holds checkpoint number `checkpoint`, as which of its entries.
fn checkpoint_leaf(checkpoint: u32) -> (u32, usize) {
    (checkpoint / CHECKPOINTS_EACH, (checkpoint % CHECKPOINTS_EACH) as usize)
}

/// Entry `entry` of a leaf of checkpoints, little-endian.
fn checkpoint(leaf: &Leaf, entry: usize) -> u64 {
    leaf.bytes.as_chunks::<8>().0.get(entry).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// The round of a line, the leaf of it, and which line of the leaf it is. None if there is no such line.
fn line_leaf(params: &Params, line: u32) -> Option<(u32, Place, usize)> {
    let (round, start) = params.line_at(line);
    let leaf = u32::try_from(start / LEAF_BYTES).ok()?;
    Some((round, Place::of_leaf(params, leaf).ok()?, start % LEAF_BYTES / LINE_BYTES))
}

fn line(leaf: &Leaf, index: usize) -> Option<&Line> {
    leaf.bytes.as_chunks::<LINE_BYTES>().0.get(index)
}

/// What a leg is checked against: all public once it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Walked<'a> {
    /// Sizes.
    pub params: &'a Params,
    /// The signed roots of the residues.
    pub root: &'a Root,
    /// The signed roots of the checkpoints, one for each GPU.
    pub roots: &'a [Bytes32],
    /// The nonce that the machine was given.
    pub nonce: &'a Bytes32,
}

impl Walked<'_> {
    /// Goes the leg again: 32 leaves hashed up to their roots, 512 multiplications.
    ///
    /// # Errors
    /// Why it does not count for the machine.
    pub fn check(&self, segment: &Segment) -> Result<(), SegmentFault> {
        let after = self.follow(segment).ok_or(SegmentFault::NotCommitted)?;
        if after.shown == after.found { Ok(()) } else { Err(SegmentFault::WrongWalk) }
    }

    /// None unless everything that it takes, and nothing else, is shown under the signed roots.
    fn follow(&self, segment: &Segment) -> Option<After> {
        let at = segment.at;
        let ends = ends(self.params, at.walker, at.leg)?;
        let mut leaves = segment.leaves.iter();
        let shown = self.checkpoint(at.gpu, ends.after, leaves.next()?)?;
        let before = match ends.before {
            None => 0,
            Some(before) => self.checkpoint(at.gpu, before, leaves.next()?)?,
        };
        let walk = Walk::new(seed::walk_word(self.nonce, at.gpu), self.params);
        let found = walk.leg(walk.enter(before, at.walker, at.leg), |line| self.line(at.gpu, line, leaves.next()?))?;
        leaves.next().is_none().then_some(After { shown, found })
    }

    fn checkpoint(&self, gpu: u16, checkpoint: u32, leaf: &Leaf) -> Option<u64> {
        let (at, entry) = checkpoint_leaf(checkpoint);
        let root = self.roots.get(usize::from(gpu))?;
        Place::of_checkpoints(self.params, at).ok()?.verify(root, &leaf.bytes[..], &leaf.path).ok()?;
        Some(self::checkpoint(leaf, entry))
    }

    fn line<'l>(&self, gpu: u16, at: u32, leaf: &'l Leaf) -> Option<&'l Line> {
        let (round, place, index) = line_leaf(self.params, at)?;
        place.verify(self.root.of(gpu, round)?, &leaf.bytes[..], &leaf.path).ok()?;
        line(leaf, index)
    }
}

/// The checkpoint after a leg.
struct After {
    shown: u64,
    found: u64,
}
