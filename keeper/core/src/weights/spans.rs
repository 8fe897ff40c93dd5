//! Stretches of time: how long they are together, each second counted once.

use crate::types::UnixSecs;
use std::cmp::{max, min};

/// From the first second to the last, the end exclusive.
pub(super) type Span = (UnixSecs, UnixSecs);

/// What two stretches have in common, if anything.
pub(super) fn common(one: Span, other: Span) -> Option<Span> {
    let (from_secs, until_secs) = (max(one.0, other.0), min(one.1, other.1));
    (from_secs < until_secs).then_some((from_secs, until_secs))
}

/// Seconds that lie in at least one of the stretches, in whatever order and however they overlap.
pub(super) fn length_secs(mut spans: Vec<Span>) -> u64 {
    spans.sort_unstable();
    let mut length_secs = 0u64;
    let mut counted_until_secs = 0;
    for (from_secs, until_secs) in spans {
        let from_secs = max(from_secs, counted_until_secs);
        length_secs = length_secs.saturating_add(until_secs.saturating_sub(from_secs));
        counted_until_secs = max(counted_until_secs, until_secs);
    }
    length_secs
}
