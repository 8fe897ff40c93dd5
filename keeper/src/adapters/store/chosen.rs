//! What weights were last made of, and what came out: for whoever asks why.

use super::{Reading, Store, StoreError, parse, render};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use surety_core::ballot::{Ballot, Stage};
use surety_core::weights::{Fleet, Weighed, WeightRules};

/// A fleet larger than this, written down, is not kept; what came of it is. One of 4,096 machines has some 20 MB.
const FLEET_BYTES_MAX: usize = 64 << 20;

/// Weights as they were last chosen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The subnet's epoch.
    pub epoch: u64,
    /// The final block, of Substrate's count, at which they were chosen.
    pub block: u64,
    /// The numbers, whose points among them.
    pub rules: WeightRules,
    /// The vector, or why there is none, and where it comes from.
    pub weighed: Weighed,
}

/// The same as it was found, with what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundChosen {
    /// What was chosen.
    pub chosen: Chosen,
    /// How far its ballot is; None where it has none: there was no vector, or the keeper died before.
    pub stage: Option<Stage>,
}

impl Store {
    /// Keeps what was chosen, and from which fleet, in place of what was before.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_chosen(&self, chosen: &Chosen, fleet: &Fleet) -> Result<(), StoreError> {
        let (body, fleet) = (render(chosen)?, render(fleet)?);
        let fleet = Some(fleet).filter(|text| text.len() <= FLEET_BYTES_MAX);
        let sql = "INSERT OR REPLACE INTO chosen (id, body, fleet) VALUES (1, ?1, ?2)";
        self.db()?.execute(sql, (body, fleet))?;
        Ok(())
    }
}

impl Reading {
    /// The weights last chosen, by a keeper that sets any.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn chosen(&self) -> Result<Option<FoundChosen>, StoreError> {
        let Some(text) = column(self.db(), "SELECT body FROM chosen")? else { return Ok(None) };
        let chosen: Chosen = parse("chosen", &text)?;
        let sql = "SELECT body FROM ballots WHERE epoch = ?1 ORDER BY counter DESC LIMIT 1";
        let text: Option<String> = self.db().query_row(sql, [super::int(chosen.epoch)], |row| row.get(0)).optional()?;
        let ballot: Option<Ballot> = text.map(|text| parse("ballot", &text)).transpose()?;
        Ok(Some(FoundChosen { chosen, stage: ballot.map(|ballot| ballot.stage) }))
    }

    /// The fleet that they were made of; None where there are none, or it was too large to be kept.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn chosen_fleet(&self) -> Result<Option<Fleet>, StoreError> {
        let text = column(self.db(), "SELECT fleet FROM chosen WHERE fleet IS NOT NULL")?;
        text.map(|text| parse("fleet", &text)).transpose()
    }
}

/// A store of an older keeper has no such table yet.
fn column(db: &Connection, sql: &str) -> Result<Option<String>, StoreError> {
    let is_there = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'chosen')";
    if !db.query_row(is_there, [], |row| row.get(0))? {
        return Ok(None);
    }
    Ok(db.query_row(sql, [], |row| row.get(0)).optional()?)
}
