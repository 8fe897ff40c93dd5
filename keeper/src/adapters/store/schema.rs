//! Tables, and how they are read at a start.

use super::{StoreError, parse, uint};
use rusqlite::{Connection, OptionalExtension};
use surety_core::ids::{keccak, number_of, tagged};
use surety_core::state::State;
use surety_core::types::Hash32;

/// Version of the tables below, in `PRAGMA user_version`.
pub(super) const VERSION: i64 = 2;

/// Up to this size the whole file is looked through at a start; a larger one by `surety keeper check`.
const LOOKED_THROUGH_MAX_BYTES: u64 = 1 << 30;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY, input TEXT NOT NULL, sum INTEGER);
CREATE TABLE IF NOT EXISTS snapshot (
    id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, state TEXT NOT NULL, hash BLOB);
CREATE TABLE IF NOT EXISTS checkpoints (
    seq INTEGER PRIMARY KEY, hash BLOB NOT NULL, version TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS effects (id BLOB PRIMARY KEY, digest BLOB NOT NULL, effect TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL UNIQUE, row TEXT NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS evidence (
    digest BLOB PRIMARY KEY, body TEXT NOT NULL, stored_secs INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS statements (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, own INTEGER NOT NULL, rental INTEGER, machine BLOB,
    digest BLOB NOT NULL, signature BLOB NOT NULL UNIQUE, signed TEXT NOT NULL,
    stored_secs INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS complaints (
    id BLOB PRIMARY KEY, rental INTEGER NOT NULL, signed TEXT NOT NULL, stored_secs INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS mirrored (
    digest BLOB NOT NULL, signer TEXT NOT NULL, body TEXT NOT NULL, bytes INTEGER NOT NULL,
    stored_secs INTEGER NOT NULL DEFAULT 0, UNIQUE (digest, signer));
CREATE TABLE IF NOT EXISTS wanted (
    digest BLOB NOT NULL, signer TEXT NOT NULL, bytes_max INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    after_secs INTEGER NOT NULL DEFAULT 0, UNIQUE (digest, signer));
CREATE TABLE IF NOT EXISTS figures (machine BLOB PRIMARY KEY, body TEXT NOT NULL, stored_secs INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ballots (
    counter INTEGER NOT NULL, epoch INTEGER NOT NULL, body TEXT NOT NULL, UNIQUE (counter, epoch));
CREATE TABLE IF NOT EXISTS chosen (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL, fleet TEXT);
CREATE TABLE IF NOT EXISTS registered (registrations INTEGER PRIMARY KEY, last_secs INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS statements_rental ON statements (rental, seq);
CREATE INDEX IF NOT EXISTS statements_machine ON statements (machine, seq);
CREATE INDEX IF NOT EXISTS statements_digest ON statements (digest);
CREATE INDEX IF NOT EXISTS statements_spoof ON statements (seq) WHERE signed ->> '$.statement.type' = 'spoof';
CREATE INDEX IF NOT EXISTS statements_age ON statements (stored_secs);
CREATE INDEX IF NOT EXISTS complaints_rental ON complaints (rental);
CREATE INDEX IF NOT EXISTS complaints_age ON complaints (stored_secs);
CREATE INDEX IF NOT EXISTS mirrored_signer ON mirrored (signer);
CREATE INDEX IF NOT EXISTS mirrored_age ON mirrored (stored_secs);
CREATE INDEX IF NOT EXISTS wanted_signer ON wanted (signer);
CREATE INDEX IF NOT EXISTS evidence_age ON evidence (stored_secs);
CREATE INDEX IF NOT EXISTS outbox_open ON outbox (reported, position);
";

/// What version 1 lacked. Rows without a sum are not checked; rows without a time get one at the next compaction.
const FROM_VERSION_1: &str = "
ALTER TABLE log ADD COLUMN sum INTEGER;
ALTER TABLE snapshot ADD COLUMN hash BLOB;
ALTER TABLE evidence ADD COLUMN stored_secs INTEGER NOT NULL DEFAULT 0;
ALTER TABLE statements ADD COLUMN stored_secs INTEGER NOT NULL DEFAULT 0;
";

pub(super) fn prepare(db: &mut Connection, disk_max_bytes: u64) -> Result<(), StoreError> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    let found = check_version(db, true)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    if size_bytes(db)? <= LOOKED_THROUGH_MAX_BYTES {
        look_through(db, "quick_check")?;
    }
    let tx = db.transaction()?;
    if found == 1 {
        tx.execute_batch(FROM_VERSION_1)?;
    }
    tx.execute_batch(TABLES)?;
    tx.pragma_update(None, "user_version", VERSION)?;
    tx.commit()?;
    let page_bytes: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages_max = disk_max_bytes / uint(page_bytes).max(1);
    db.pragma_update(None, "max_page_count", super::int(pages_max))?;
    Ok(())
}

/// The version of the tables; refused when this keeper cannot read them.
pub(super) fn check_version(db: &Connection, may_change: bool) -> Result<i64, StoreError> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let ok = found == VERSION || (may_change && (0..VERSION).contains(&found));
    if !ok {
        let why = format!("tables of version {found}, this keeper writes version {VERSION}");
        return Err(StoreError::Corrupt { what: "schema", why });
    }
    Ok(found)
}

/// Runs SQLite's own check (`quick_check`, or the slower `integrity_check`).
pub(super) fn look_through(db: &Connection, check: &str) -> Result<(), StoreError> {
    let said: String = db.query_row(&format!("PRAGMA {check}(1)"), [], |row| row.get(0))?;
    match said.as_str() {
        "ok" => Ok(()),
        _ => Err(StoreError::Corrupt { what: "file", why: said.chars().take(200).collect() }),
    }
}

/// Bytes of the file that hold something.
pub(super) fn size_bytes(db: &Connection) -> Result<u64, StoreError> {
    let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = uint(number("page_count")?).saturating_sub(uint(number("freelist_count")?));
    Ok(pages.saturating_mul(uint(number("page_size")?)))
}

/// What is stored beside an entry of the log, so that a flipped bit cannot pass for another number.
pub(super) fn sum_of(seq: u64, input: &str) -> i64 {
    number_of(tagged("surety/log", &[&seq.to_be_bytes(), input.as_bytes()])).cast_signed()
}

/// An entry of the log, checked against its sum.
pub(super) fn check_entry(seq: u64, input: &str, sum: Option<i64>) -> Result<(), StoreError> {
    if sum.is_some_and(|sum| sum != sum_of(seq, input)) {
        return Err(StoreError::Corrupt { what: "log", why: format!("entry {seq} is not what was written") });
    }
    Ok(())
}

/// The newest snapshot and its sequence number, checked against its hash.
pub(super) fn snapshot(db: &Connection) -> Result<Option<(State, u64)>, StoreError> {
    let row = db
        .query_row("SELECT state, seq, hash FROM snapshot WHERE id = 1", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<[u8; 32]>>(2)?))
        })
        .optional()?;
    let Some((text, seq, hash)) = row else { return Ok(None) };
    Ok(Some((state("snapshot", &text, hash)?, uint(seq))))
}

/// A stored state. Its hash is that of its text.
pub(super) fn state(what: &'static str, text: &str, hash: Option<[u8; 32]>) -> Result<State, StoreError> {
    if hash.is_some_and(|hash| Hash32(hash) != keccak(text.as_bytes())) {
        return Err(StoreError::Corrupt { what, why: "it is not what was written".into() });
    }
    parse(what, text)
}

pub(super) fn log_is_empty(db: &Connection) -> Result<bool, StoreError> {
    Ok(!db.query_row("SELECT EXISTS (SELECT 1 FROM log)", [], |row| row.get(0))?)
}

pub(super) fn effects(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut query = db.prepare("SELECT effect FROM effects ORDER BY rowid LIMIT 4096")?;
    let texts = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(texts)
}
