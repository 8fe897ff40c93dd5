//! Settings of weights, one row an epoch and subnet: what was chosen, what was signed, what came of it.

use super::{Store, StoreError, int, parse, render};
use rusqlite::{OptionalExtension, params};
use surety_core::ballot::Ballot;
use surety_substrate::voter::{BallotBox, BoxError};

/// Newest ballots among which those are that the chain has not opened yet: subnets open after 100 epochs at most.
const SEALED_AMONG: u64 = 128;

/// Ballots that are kept for looking back: half a year of epochs of 72 minutes.
const KEPT: u64 = 3_650;

impl BallotBox for Store {
    fn newest(&self) -> Result<Option<Ballot>, BoxError> {
        self.newest_ballot().map_err(|error| BoxError { why: error.to_string() })
    }

    fn sealed(&self) -> Result<Vec<Ballot>, BoxError> {
        self.sealed_ballots().map_err(|error| BoxError { why: error.to_string() })
    }

    fn put(&self, ballot: &Ballot) -> Result<(), BoxError> {
        self.put_ballot(ballot).map_err(|error| BoxError { why: error.to_string() })
    }
}

impl Store {
    fn newest_ballot(&self) -> Result<Option<Ballot>, StoreError> {
        let db = self.db()?;
        let row =
            db.query_row("SELECT body FROM ballots ORDER BY counter DESC, epoch DESC LIMIT 1", [], |row| row.get(0));
        let text: Option<String> = row.optional()?;
        text.map(|text| parse("ballot", &text)).transpose()
    }

    fn sealed_ballots(&self) -> Result<Vec<Ballot>, StoreError> {
        let db = self.db()?;
        let mut query = db.prepare_cached(
            "SELECT body FROM (SELECT * FROM ballots ORDER BY counter DESC, epoch DESC LIMIT ?1)
             WHERE body -> '$.stage.sealed' IS NOT NULL ORDER BY counter, epoch",
        )?;
        let texts = query.query_map([int(SEALED_AMONG)], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        texts.iter().map(|text| parse("ballot", text)).collect()
    }

    /// A ballot stands in for the one of its epoch. A subnet that took over the number counts its epochs anew, so the
    /// count of registrations comes first.
    fn put_ballot(&self, ballot: &Ballot) -> Result<(), StoreError> {
        let body = render(ballot)?;
        let (counter, epoch) = (int(ballot.registered_counter), int(ballot.epoch));
        let mut db = self.db()?;
        let tx = db.transaction()?;
        tx.execute(
            "INSERT OR REPLACE INTO ballots (counter, epoch, body) VALUES (?1, ?2, ?3)",
            params![counter, epoch, body],
        )?;
        let old = "DELETE FROM ballots WHERE rowid NOT IN (SELECT rowid FROM ballots ORDER BY counter DESC, epoch DESC LIMIT ?1)";
        tx.execute(old, [int(KEPT)])?;
        tx.commit()?;
        Ok(())
    }
}
