//! Gaps between the recorded faults of a rental: where a new case can still lie.

use crate::types::UnixSecs;
use crate::view::RentalView;
use std::cmp::{max, min};

/// A stretch of a rental without a recorded fault. Gap 0 lies before the first fault; there is one gap more than there
/// are faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Number the Arbiter takes.
    pub index: u32,
    /// Begin.
    pub from_secs: UnixSecs,
    /// End (exclusive).
    pub until_secs: UnixSecs,
}

/// All gaps of a rental, in order.
pub fn gaps(rental: &RentalView) -> Vec<Gap> {
    let begins = std::iter::once(rental.start_secs).chain(rental.faults.iter().map(|fault| fault.until_secs));
    let ends = rental.faults.iter().map(|fault| fault.from_secs).chain(std::iter::once(rental.end_secs));
    (0u32..)
        .zip(begins.zip(ends))
        .map(|(index, (from_secs, until_secs))| Gap { index, from_secs, until_secs })
        .collect()
}

/// What the Arbiter makes of an interval: clamped to what is not paid yet, to `min(now, end)` and to the gap.
/// `None` when nothing is left.
pub fn clamp(
    rental: &RentalView,
    gap: &Gap,
    now_secs: UnixSecs,
    interval: (UnixSecs, UnixSecs),
) -> Option<(UnixSecs, UnixSecs)> {
    let from_secs = max(max(interval.0, rental.paid_until_secs), gap.from_secs);
    let until_secs = min(min(interval.1, min(now_secs, rental.end_secs)), gap.until_secs);
    (from_secs < until_secs).then_some((from_secs, until_secs))
}

/// Length of the longest part of an interval that could still be recorded.
pub fn longest_open_secs(rental: &RentalView, from_secs: UnixSecs, until_secs: UnixSecs) -> u64 {
    gaps(rental)
        .iter()
        .filter_map(|gap| clamp(rental, gap, rental.end_secs, (from_secs, until_secs)))
        .map(|(from_secs, until_secs)| until_secs.saturating_sub(from_secs))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests;
