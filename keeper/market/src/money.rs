//! Seconds times a price, and seconds of days.

use crate::amount::Amount;
use surety_core::types::{Rao, UnixSecs};

/// Seconds of a UTC day.
pub const DAY_SECS: u64 = 86_400;

/// What so many seconds cost at a price; saturates, as nothing on chain can.
pub fn pay(secs: u64, price_rao_per_sec: Rao) -> Amount {
    Amount(secs.saturating_mul(price_rao_per_sec))
}

/// Adds up, saturating.
pub fn sum(amounts: impl Iterator<Item = Rao>) -> Amount {
    Amount(amounts.fold(0, Rao::saturating_add))
}

/// The UTC day of a time, days since 1970.
pub fn day_of(secs: UnixSecs) -> u32 {
    u32::try_from(secs / DAY_SECS).unwrap_or(u32::MAX)
}

/// The parts of a stretch by the days they lie in, at most the last `most` days up to the stretch's end.
pub fn by_day(from_secs: UnixSecs, until_secs: UnixSecs, most: u32) -> impl Iterator<Item = (u32, u64)> {
    let last = day_of(until_secs.saturating_sub(1));
    let first = day_of(from_secs).max(last.saturating_sub(most.saturating_sub(1)));
    // Half open: an empty stretch has no day.
    let end = if from_secs < until_secs { last.saturating_add(1) } else { first };
    (first..end).map(move |day| {
        let begin = u64::from(day) * DAY_SECS;
        (day, until_secs.min(begin + DAY_SECS).saturating_sub(from_secs.max(begin)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_is_shared_out_among_its_days_to_the_second() {
        let parts: Vec<_> = by_day(DAY_SECS - 10, 2 * DAY_SECS + 5, 90).collect();
        assert_eq!(parts, [(0, 10), (1, DAY_SECS), (2, 5)]);
        assert_eq!(by_day(7, 7, 90).count(), 0);
        assert_eq!(by_day(9, 7, 90).count(), 0);
        assert_eq!(by_day(0, 200 * DAY_SECS, 90).map(|(day, _)| day).min(), Some(110));
        assert_eq!(by_day(0, DAY_SECS, 90).collect::<Vec<_>>(), [(0, DAY_SECS)]);
    }
}
