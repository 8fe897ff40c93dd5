//! How many registrations there were when: the contracts keep no date of any.

use super::{Store, StoreError, int, uint};
use rusqlite::params;
use surety_core::types::UnixSecs;
use surety_core::weights::Counted;

/// Counts older than this are dropped, seconds (366 days): no rule about weights looks back further.
const COUNTS_KEEP_SECS: u64 = 366 * 86_400;

impl Store {
    /// Notes that there are so many registrations at a final block, and gives all that was noted, fewest first.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn note_registrations(&self, registrations: u32, at_secs: UnixSecs) -> Result<Vec<Counted>, StoreError> {
        let mut db = self.db()?;
        let tx = db.transaction()?;
        tx.execute(
            "INSERT INTO registered (registrations, last_secs) VALUES (?1, ?2)
             ON CONFLICT (registrations) DO UPDATE SET last_secs = max(last_secs, excluded.last_secs)",
            params![registrations, int(at_secs)],
        )?;
        let before = at_secs.saturating_sub(COUNTS_KEEP_SECS);
        tx.execute("DELETE FROM registered WHERE last_secs < ?1", [int(before)])?;
        let counted = {
            let mut query =
                tx.prepare_cached("SELECT registrations, last_secs FROM registered ORDER BY registrations")?;
            let row =
                |row: &rusqlite::Row<'_>| Ok(Counted { registrations: row.get(0)?, last_secs: uint(row.get(1)?) });
            query.query_map([], row)?.collect::<Result<_, _>>()?
        };
        tx.commit()?;
        Ok(counted)
    }
}
