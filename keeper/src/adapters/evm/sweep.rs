//! A full read that goes on between polls, a bounded slice at a time, so that no poll takes long however much there is.
//!
//! Each slice is read at the block of its poll with whatever logs name there, and reported with it: an update is always
//! of one block, and says of the ids in it how they are there. Ids that are not in it are as they were last read, as
//! after any poll. Newest ids first: what is open is among them.

use super::touched::{IDS_MAX, Touched};
use std::cmp::{max, min};
use surety_client::reader::Counts;

/// Ids read in one slice. A rental takes two or three calls, a registration three, a case one or two: at most 1,200
/// calls, 24 batches, some half a second.
pub(super) const SLICE_IDS: u64 = 400;

/// Ids of each kind yet to be read: all up to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Left {
    rentals: u64,
    registrations: u64,
    cases: u64,
    keepers: bool,
    /// The oldest that are read at all: a node may count without end.
    floor: Counts,
}

/// The full read under way, if any.
#[derive(Debug)]
pub(super) struct Sweep {
    left: Option<Left>,
    /// What is left once the slice that was handed out is read.
    then: Option<Left>,
    /// Another one is to follow: what this one has read may have changed since.
    again: Option<Counts>,
    /// Whether a slice of this one was read.
    begun: bool,
    slice_ids: u64,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { left: None, then: None, again: None, begun: false, slice_ids: SLICE_IDS }
    }
}

impl Sweep {
    /// Slices of this size, for tests.
    #[cfg(test)]
    pub(super) fn of(slice_ids: u64) -> Self {
        Self { slice_ids, ..Self::default() }
    }

    /// Everything is to be read. One that is under way goes on to its end first, or whoever makes this be asked for
    /// again and again would keep the oldest from ever being read.
    pub(super) fn want(&mut self, counts: Counts) {
        if self.left.is_some() && self.begun {
            self.again = Some(counts);
        } else {
            self.left = Some(Left::all(counts));
        }
    }

    /// Everything is being read at once.
    pub(super) fn stop(&mut self) {
        *self = Self { slice_ids: self.slice_ids, ..Self::default() };
    }

    /// The next slice of what there is; nothing when no read is under way.
    pub(super) fn slice(&mut self, counts: Counts) -> Touched {
        let mut touched = Touched::default();
        let Some(mut left) = self.left else { return touched };
        let mut room = self.slice_ids;
        touched.keepers = std::mem::take(&mut left.keepers);
        // A fork may have undone some that there were at the beginning.
        left.rentals = min(left.rentals, counts.rentals);
        left.registrations = min(left.registrations, counts.registrations.into());
        left.cases = min(left.cases, counts.cases);
        touched.rentals = take(&mut left.rentals, left.floor.rentals, &mut room).collect();
        let registrations = take(&mut left.registrations, left.floor.registrations.into(), &mut room);
        touched.registrations = registrations.filter_map(|id| u32::try_from(id).ok()).collect();
        touched.cases = take(&mut left.cases, left.floor.cases, &mut room).collect();
        self.then = Some(left);
        touched
    }

    /// The slice handed out last was read; one that was not is handed out again.
    pub(super) fn done(&mut self) {
        let Some(left) = self.then.take() else { return };
        self.begun = true;
        self.left = Some(left);
        if left.is_done() {
            self.begun = false;
            self.left = self.again.take().map(Left::all);
        }
    }
}

impl Left {
    fn all(counts: Counts) -> Self {
        let floor = |newest: u64| newest.saturating_sub(IDS_MAX);
        let floor = Counts {
            rentals: floor(counts.rentals),
            registrations: u32::try_from(floor(counts.registrations.into())).unwrap_or(0),
            cases: floor(counts.cases),
        };
        let (rentals, registrations, cases) = (counts.rentals, counts.registrations.into(), counts.cases);
        Self { rentals, registrations, cases, keepers: true, floor }
    }

    fn is_done(&self) -> bool {
        let floor = self.floor;
        let below = |left: u64, floor: u64| left <= floor;
        below(self.rentals, floor.rentals)
            && below(self.registrations, floor.registrations.into())
            && below(self.cases, floor.cases)
    }
}

/// The newest ids of one kind, as many as there is room for.
fn take(left: &mut u64, floor: u64, room: &mut u64) -> std::ops::RangeInclusive<u64> {
    let newest = *left;
    let rest = max(newest.saturating_sub(*room), min(floor, newest));
    *room -= newest - rest;
    *left = rest;
    rest + 1..=newest
}
