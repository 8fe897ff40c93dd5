//! Soft figures of machines, the newest of each. Nothing hangs on them, and nothing else refers to them.

use super::{Store, StoreError, int, parse, render};
use crate::ports::SoftFigures;
use rusqlite::{OptionalExtension, params};
use std::collections::BTreeMap;
use surety_core::limits::NODES_MAX;
use surety_core::types::MachineId;

/// Figures of machines that were not measured for so long are dropped, seconds.
const FIGURES_KEEP_SECS: u64 = 60 * 86_400;

impl Store {
    /// Keeps the newest figures of a machine in place of older ones.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn put_figures(&self, machine: MachineId, figures: &SoftFigures) -> Result<(), StoreError> {
        let (body, now_secs) = (render(figures)?, figures.measured_at_secs);
        let mut db = self.db()?;
        let tx = db.transaction()?;
        let sql = "INSERT OR REPLACE INTO figures (machine, body, stored_secs) VALUES (?1, ?2, ?3)";
        tx.execute(sql, params![machine.0, body, int(now_secs)])?;
        let before = now_secs.saturating_sub(FIGURES_KEEP_SECS);
        tx.execute("DELETE FROM figures WHERE stored_secs < ?1", [int(before)])?;
        tx.commit()?;
        Ok(())
    }

    /// The newest figures of a machine.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn find_figures(&self, machine: MachineId) -> Result<Option<SoftFigures>, StoreError> {
        let db = self.db()?;
        let row = db.query_row("SELECT body FROM figures WHERE machine = ?1", [machine.0], |row| row.get(0));
        let text: Option<String> = row.optional()?;
        text.map(|text| parse("figures", &text)).transpose()
    }

    /// The newest figures of every machine; of too many, those measured last.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn all_figures(&self) -> Result<BTreeMap<MachineId, SoftFigures>, StoreError> {
        let db = self.db()?;
        let mut query = db.prepare("SELECT machine, body FROM figures ORDER BY stored_secs DESC LIMIT ?1")?;
        let row = |row: &rusqlite::Row<'_>| Ok((MachineId(row.get(0)?), row.get::<_, String>(1)?));
        let rows = query.query_map([int(NODES_MAX as u64)], row)?.collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(|(machine, text)| Ok((machine, parse("figures", &text)?))).collect()
    }
}
