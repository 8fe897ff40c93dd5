//! Chance that repeats: one generator (splitmix64), one stream for each use, so that a new use moves no other.

/// Odds are given in parts per million.
pub(crate) const MILLION: u64 = 1_000_000;

/// Spreads the bits of `x`: the finaliser of splitmix64.
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stream of numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The stream of this name and number under this seed.
    pub(crate) fn new(seed: u64, name: &str, number: u64) -> Self {
        let start = mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ mix(number.wrapping_add(0x632b_e59b_d9b4_e019));
        Self(name.bytes().fold(start, |state, byte| mix(state ^ u64::from(byte))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// True this many times in a million.
    pub(crate) fn chance(&mut self, per_million: u64) -> bool {
        per_million > 0 && self.below(MILLION) < per_million
    }

    /// True `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// An index below `len`; 0 for an empty list.
    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index(list.len()))
    }
}

/// Something that is on for a while, now and then.
#[derive(Clone, Debug)]
pub(crate) struct Episodes {
    rng: Rng,
    mean_gap_secs: u64,
    length_secs: (u64, u64),
    next: u64,
    until: u64,
}

impl Episodes {
    /// Begins about every `mean_gap_secs` (0: never) and lasts between the two lengths.
    pub(crate) fn new(mut rng: Rng, mean_gap_secs: u64, length_secs: (u64, u64), now: u64) -> Self {
        let next = now + rng.below(mean_gap_secs.saturating_mul(2));
        Self { rng, mean_gap_secs, length_secs, next, until: 0 }
    }

    /// Whether it is on now; to be asked with times that do not go back.
    pub(crate) fn on(&mut self, now: u64) -> bool {
        if now < self.until {
            return true;
        }
        if self.mean_gap_secs == 0 || now < self.next {
            return false;
        }
        self.until = now + self.rng.range(self.length_secs.0, self.length_secs.1);
        self.next = self.until + 1 + self.rng.below(self.mean_gap_secs.saturating_mul(2));
        true
    }

    /// Whether it was on when last asked.
    pub(crate) fn still_on(&self, now: u64) -> bool {
        now < self.until
    }

    /// Whether it is off and never begins.
    pub(crate) fn is_never(&self) -> bool {
        self.mean_gap_secs == 0 && self.until == 0
    }

    /// It ends, and never begins again.
    pub(crate) fn heal(&mut self) {
        self.mean_gap_secs = 0;
        self.until = 0;
    }
}
