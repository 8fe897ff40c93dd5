//! What was so, and when.

use surety_core::types::UnixSecs;

/// Something that is so or is not, second by second.
#[derive(Clone, Debug)]
pub(crate) struct Track {
    /// When it began (true) or ceased (false), in order; what was first holds since ever.
    changes: Vec<(UnixSecs, bool)>,
}

impl Track {
    pub(crate) fn new(first: bool) -> Self {
        Self { changes: vec![(0, first)] }
    }

    /// It is so, or not, from now on.
    pub(crate) fn set(&mut self, now: UnixSecs, is: bool) {
        if self.is() != is {
            self.changes.push((now, is));
        }
    }

    pub(crate) fn is(&self) -> bool {
        self.changes.last().is_some_and(|(_, is)| *is)
    }

    /// Stretches between two times in which it was so (true), or was not.
    pub(crate) fn stretches(
        &self,
        so: bool,
        from: UnixSecs,
        until: UnixSecs,
    ) -> impl Iterator<Item = (UnixSecs, UnixSecs)> {
        let first = self.changes.partition_point(|(at, _)| *at <= from).saturating_sub(1);
        let recent = self.changes.get(first..).unwrap_or_default();
        let ends = recent.iter().skip(1).map(|(at, _)| *at).chain(std::iter::once(UnixSecs::MAX));
        let all = recent.iter().zip(ends).filter(move |((_, is), _)| *is == so);
        let within = all.take_while(move |((begin, _), _)| *begin < until);
        within.map(move |((begin, _), end)| ((*begin).max(from), end.min(until))).filter(|(begin, end)| begin < end)
    }

    /// The longest of them.
    pub(crate) fn longest_secs(&self, so: bool, from: UnixSecs, until: UnixSecs) -> u64 {
        self.stretches(so, from, until).map(|(begin, end)| end - begin).max().unwrap_or(0)
    }

    /// All of them together.
    pub(crate) fn total_secs(&self, so: bool, from: UnixSecs, until: UnixSecs) -> u64 {
        self.stretches(so, from, until).map(|(begin, end)| end - begin).sum()
    }

    /// Changes since some time.
    pub(crate) fn since(&self, at: UnixSecs) -> impl Iterator<Item = (UnixSecs, bool)> {
        self.changes.iter().copied().filter(move |(changed, _)| *changed >= at)
    }
}
