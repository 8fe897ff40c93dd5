//! What is kept, and for how long: snapshots, checkpoints, the log behind them, evidence and statements.

use super::{Store, StoreError, int, render, schema, uint};
use rusqlite::{Connection, Transaction, params};
use surety_core::ids::keccak;
use surety_core::state::State;
use surety_core::types::UnixSecs;

/// A snapshot is written after this many inputs, so that a restart replays at most as many.
pub const SNAPSHOT_EVERY: u64 = 500;

/// Least days that evidence and statements are kept on a public chain: the bound of SPEC's invariant 7. A rental ends
/// within 366 days, is closed within 7 more, a case filed until then is decided within 90, and bond that was asked for
/// leaves within 30; until then somebody may want to see, or appeal against, what a signature rests on.
pub const KEEP_DAYS_MIN: u64 = 366 + 7 + 90 + 30;

/// Rows removed in one step of the loop: the rest waits for the next snapshot.
const REMOVED_AT_ONCE: u64 = 20_000;

/// Above this share of its budget a store gives up the log it does not need.
const CROWDED_PERCENT: u64 = 90;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Entries of the log kept for looking back (`replay`, `export`); a restart needs none of them.
    pub log_keep: u64,
    /// How long evidence and statements are kept after they were stored, seconds of chain time.
    pub keep_secs: u64,
    /// Most bytes that the file may take.
    pub disk_max_bytes: u64,
}

impl Default for Retention {
    /// Two million entries are about two weeks of a keeper with 50 rentals.
    fn default() -> Self {
        Self { log_keep: 2_000_000, keep_secs: 500 * 86_400, disk_max_bytes: 20 << 30 }
    }
}

impl Retention {
    /// Distance between checkpoints: a quarter of what is kept, so that at most a quarter more is kept than asked for.
    fn checkpoint_every(&self) -> u64 {
        (self.log_keep / 4).max(1)
    }
}

/// What a compaction did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Entries of the log.
    pub log: u64,
    /// Bundles of evidence.
    pub evidence: u64,
    /// Statements, ours and peers'.
    pub statements: u64,
    /// Copies of peers' evidence.
    pub mirrored: u64,
    /// Renters' complaints.
    pub complaints: u64,
    /// Finished rows of the outbox.
    pub outbox: u64,
}

impl Store {
    /// Writes a snapshot, and lets go of what need not be kept.
    pub fn snapshot(&self, seq: u64, state: &State) -> Result<(), StoreError> {
        let crowded = self.is_crowded()?;
        let mut db = self.db()?;
        let tx = db.transaction()?;
        if crowded {
            // First, so that what is written below finds room; it is one transaction.
            tx.execute("DELETE FROM checkpoints", [])?;
            tx.execute("DELETE FROM log WHERE seq <= ?1", [int(seq)])?;
        }
        let text = write_snapshot(&tx, seq, state)?;
        if crowded || newest_checkpoint(&tx)?.is_none_or(|last| seq >= last + self.retention.checkpoint_every()) {
            write_checkpoint(&tx, seq, &text)?;
        }
        let log_keep = if crowded { 0 } else { self.retention.log_keep };
        drop_log(&tx, seq.saturating_sub(log_keep))?;
        tx.commit()?;
        Ok(())
    }

    /// Whether the file comes near its budget. From here on the log is kept no longer than a restart needs it.
    pub fn is_crowded(&self) -> Result<bool, StoreError> {
        let budget = self.retention.disk_max_bytes / 100 * CROWDED_PERCENT;
        Ok(schema::size_bytes(&*self.db()?)? >= budget)
    }

    /// Lets go of the log up to the newest snapshot, whatever was to be kept: the last resort of a store without room.
    pub fn make_room(&self) -> Result<(), StoreError> {
        let mut db = self.db()?;
        let tx = db.transaction()?;
        tx.execute("DELETE FROM checkpoints WHERE seq < (SELECT seq FROM snapshot WHERE id = 1)", [])?;
        tx.execute("DELETE FROM log WHERE seq <= (SELECT seq FROM snapshot WHERE id = 1)", [])?;
        tx.commit()?;
        Ok(())
    }

    /// Lets go of evidence, statements and finished transactions that are older than they must be kept, some at a
    /// time. `wall_secs` is the host's clock; the older of it and the finalized chain's counts, so that neither a
    /// clock that was set nor a node that lies about time makes anything old.
    pub fn expire(&self, wall_secs: UnixSecs) -> Result<Removed, StoreError> {
        let now_secs = self.chain_secs().min(wall_secs);
        let mut removed = Removed::default();
        let Some(before) = now_secs.checked_sub(self.retention.keep_secs) else { return Ok(removed) };
        let mut db = self.db()?;
        let tx = db.transaction()?;
        for table in ["evidence", "statements", "complaints", "mirrored"] {
            let stamp = format!("UPDATE {table} SET stored_secs = ?1 WHERE stored_secs = 0");
            tx.execute(&stamp, [int(now_secs)])?;
        }
        let old = |table: &str, key: &str| {
            format!("DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE stored_secs < ?1 LIMIT ?2)")
        };
        let with = params![int(before), int(REMOVED_AT_ONCE)];
        removed.evidence = tx.execute(&old("evidence", "digest"), with)? as u64;
        removed.statements = tx.execute(&old("statements", "seq"), with)? as u64;
        removed.mirrored = tx.execute(&old("mirrored", "rowid"), with)? as u64;
        removed.complaints = tx.execute(&old("complaints", "id"), with)? as u64;
        // The end of a transaction is in the log and on the chain; the newest rows are kept for looking back.
        let finished = "DELETE FROM outbox WHERE reported = 1 AND position < (SELECT max(position) FROM outbox) - ?1";
        removed.outbox = tx.execute(finished, [int(REMOVED_AT_ONCE)])? as u64;
        tx.commit()?;
        Ok(removed)
    }
}

/// Writes the newest snapshot; returns its text.
pub(super) fn write_snapshot(tx: &Transaction<'_>, seq: u64, state: &State) -> Result<String, StoreError> {
    let text = render(state)?;
    tx.execute(
        "INSERT INTO snapshot (id, seq, state, hash) VALUES (1, ?1, ?2, ?3)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, state = excluded.state, hash = excluded.hash",
        params![int(seq), text, keccak(text.as_bytes()).0],
    )?;
    Ok(text)
}

/// Writes a state from which the log after it can be folded again.
pub(super) fn write_checkpoint(tx: &Transaction<'_>, seq: u64, text: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT OR REPLACE INTO checkpoints (seq, hash, version, state) VALUES (?1, ?2, ?3, ?4)",
        params![int(seq), keccak(text.as_bytes()).0, env!("CARGO_PKG_VERSION"), text],
    )?;
    Ok(())
}

fn newest_checkpoint(db: &Connection) -> Result<Option<u64>, StoreError> {
    let newest: Option<i64> = db.query_row("SELECT max(seq) FROM checkpoints", [], |row| row.get(0))?;
    Ok(newest.map(uint))
}

/// Drops entries up to the newest checkpoint that is not after `unneeded`, so that what remains can be folded from it.
fn drop_log(tx: &Transaction<'_>, unneeded: u64) -> Result<(), StoreError> {
    let newest = "SELECT max(seq) FROM checkpoints WHERE seq <= ?1";
    let Some(base) = tx.query_row(newest, [int(unneeded)], |row| row.get::<_, Option<i64>>(0))? else { return Ok(()) };
    tx.execute("DELETE FROM checkpoints WHERE seq < ?1", [base])?;
    let some = "DELETE FROM log WHERE seq <= ?1 AND seq < (SELECT min(seq) FROM log) + ?2";
    tx.execute(some, params![base, int(REMOVED_AT_ONCE)])?;
    Ok(())
}
