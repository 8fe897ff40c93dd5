//! Tables, and how they are read at a start.

use super::{StoreError, uint};
use rusqlite::{Connection, OptionalExtension};

/// Version of the tables below, in `PRAGMA user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, input TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effects (id BLOB PRIMARY KEY, digest BLOB NOT NULL, effect TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, row TEXT NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS evidence (digest BLOB PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS statements (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, own INTEGER NOT NULL, rental INTEGER, machine BLOB,
    digest BLOB NOT NULL, signature BLOB NOT NULL UNIQUE, signed TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS statements_rental ON statements (rental, seq);
CREATE INDEX IF NOT EXISTS statements_machine ON statements (machine, seq);
CREATE INDEX IF NOT EXISTS statements_digest ON statements (digest);
CREATE INDEX IF NOT EXISTS statements_spoof ON statements (seq) WHERE signed ->> '$.statement.type' = 'spoof';
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (reported, position);
";

pub(super) fn prepare(db: &Connection) -> Result<(), StoreError> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found != 0 && found != VERSION {
        let why = format!("tables of version {found}, this keeper writes version {VERSION}");
        return Err(StoreError::Corrupt { what: "schema", why });
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(TABLES)?;
    db.pragma_update(None, "user_version", VERSION)?;
    Ok(())
}

pub(super) fn snapshot(db: &Connection) -> Result<Option<(String, u64)>, StoreError> {
    let row = db
        .query_row("SELECT state, seq FROM snapshot WHERE id = 1", [], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    Ok(row.map(|(state, seq)| (state, uint(seq))))
}

pub(super) fn log_is_empty(db: &Connection) -> Result<bool, StoreError> {
    Ok(!db.query_row("SELECT EXISTS (SELECT 1 FROM log)", [], |row| row.get(0))?)
}

pub(super) fn effects(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut query = db.prepare("SELECT effect FROM effects ORDER BY rowid LIMIT 4096")?;
    let texts = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(texts)
}
