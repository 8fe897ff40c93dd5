//! Fractions of integers, rounded down, without overflow.

/// One, in parts per million.
pub(super) const ONE_PPM: u64 = 1_000_000;

/// `value * num / den`, rounded down. Nothing divided by nothing is nothing; what does not fit saturates.
pub(super) fn scaled(value: u64, num: u64, den: u64) -> u64 {
    let whole = u128::from(value).saturating_mul(num.into());
    u64::try_from(whole.checked_div(den.into()).unwrap_or(0)).unwrap_or(u64::MAX)
}

/// `part / whole` in parts per million, at most one; `otherwise` where there is no whole.
pub(super) fn share_ppm(part: u64, whole: u64, otherwise: u64) -> u64 {
    if whole == 0 { otherwise } else { scaled(ONE_PPM, part, whole).min(ONE_PPM) }
}

/// The point on a line from `low` to `high` that lies `ppm` of the way.
pub(super) fn between(low: u64, high: u64, ppm: u64) -> u64 {
    low.saturating_add(scaled(high.saturating_sub(low), ppm, ONE_PPM))
}
