//! What a machine's row needs of all its rentals and cases: made when one of them changes or the day does, not at every
//! block.

use crate::book::Book;
use crate::days::{self, Tally};
use crate::facts::NodeFacts;
use crate::money::day_of;
use crate::wire::{CaseCounts, MachineDay};
use surety_core::types::{Kind, RentalId, UnixSecs};
use surety_core::view::CaseStatus;

/// A machine's past, under all its registrations.
#[derive(Clone, Debug)]
pub struct History {
    /// Rentals ever.
    pub rentals: u32,
    /// Cases ever.
    pub cases: CaseCounts,
    /// The day its first rental began.
    pub first_day: Option<u32>,
    /// When a `Spoofed` was last filed against the current registration; 0: never. However it ends, certificates from
    /// before serve no more (Escrow's `distrust`).
    pub distrusted_at_secs: UnixSecs,
    /// Rentals of the current registration that are not closed: the vault backs two.
    pub unclosed: usize,
    /// The days of what was over when this was made.
    over: Tally,
    /// What was not.
    going_on: Vec<RentalId>,
}

impl History {
    /// Reads a machine's past.
    pub fn of(book: &Book, node: &NodeFacts) -> Self {
        let now_secs = book.at.at_secs;
        let all = || book.registrations(&node.machine).flat_map(|one| book.rentals_of(one.registration));
        let goes_on = |end_secs: UnixSecs| now_secs < end_secs;
        let mut over = Tally::new(now_secs);
        for rental in all().filter(|rental| !goes_on(rental.end_secs)) {
            over.add(book, rental);
        }
        let spoofs = book.cases_of(node.registration).filter(|case| case.kind == Kind::Spoofed);
        Self {
            rentals: u32::try_from(all().count()).unwrap_or(u32::MAX),
            cases: count_cases(book, node),
            first_day: all().map(|rental| day_of(rental.start_secs)).min(),
            distrusted_at_secs: spoofs.map(|case| case.filed_at_secs).max().unwrap_or(0),
            unclosed: book.rentals_of(node.registration).filter(|rental| !rental.closed).count(),
            over,
            going_on: all().filter(|rental| goes_on(rental.end_secs)).map(|rental| rental.id).collect(),
        }
    }

    /// Whether a rental was not over when this was made: its days grow.
    pub fn grows(&self) -> bool {
        !self.going_on.is_empty()
    }

    /// The last 90 days, up to the book's newest block.
    pub fn days(&self, book: &Book) -> Vec<MachineDay> {
        let mut days = self.over.clone();
        for rental in self.going_on.iter().filter_map(|id| book.rentals.get(id)) {
            days.add(book, rental);
        }
        days.into_days()
    }

    /// The strip and the uptime of a row.
    pub fn strip(&self, book: &Book) -> (String, Option<u32>) {
        let since_day = self.first_day.unwrap_or(u32::MAX);
        days::strip(&self.days(book), day_of(book.at.at_secs), since_day)
    }
}

fn count_cases(book: &Book, node: &NodeFacts) -> CaseCounts {
    let mut counts = CaseCounts::default();
    for case in book.registrations(&node.machine).flat_map(|one| book.cases_of(one.registration)) {
        match case.status {
            CaseStatus::Executed => counts.executed += 1,
            CaseStatus::Dismissed => counts.dismissed += 1,
            _ => counts.open += 1,
        }
    }
    counts
}
