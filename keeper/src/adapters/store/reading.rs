//! A store read by somebody else than its keeper: while it runs, or a copy of it on another machine. Nothing is
//! written, no lock is taken.

use super::{StoreError, parse, schema, uint};
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use surety_core::input::Input;
use surety_core::outbox::Row;
use surety_core::state::State;
use surety_core::statement::{Signed, Statement};
use surety_core::types::{Hash32, UnixSecs};

/// Rows read at a time: no transaction of a reader keeps the keeper's write-ahead log from being emptied for long.
const PAGE: u32 = 500;

/// A store opened for reading.
#[derive(Debug)]
pub struct Reading {
    db: Connection,
}

/// A state that the log can be folded from, or compared with.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The last input in it.
    pub seq: u64,
    /// Its hash when it was stored.
    pub hash: Hash32,
    /// The release that wrote it.
    pub version: String,
    /// The state.
    pub state: Box<State>,
}

/// A row of the evidence index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceRow {
    /// Name of the bundle.
    pub digest: Hash32,
    /// Its length.
    pub bytes: u64,
    /// When it was stored, chain time; 0 when that is not known.
    pub stored_secs: UnixSecs,
}

/// A stored statement.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementRow {
    /// Position.
    pub seq: u64,
    /// Whether this keeper signed it.
    pub own: bool,
    /// When it was stored, chain time; 0 when that is not known.
    pub stored_secs: UnixSecs,
    /// The statement.
    pub signed: Signed<Statement>,
}

impl Reading {
    /// Opens an existing store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::Open { path: path.to_path_buf(), why: e.to_string() };
        let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
        db.busy_timeout(std::time::Duration::from_secs(5))?;
        schema::check_version(&db, false).map_err(|error| match error {
            StoreError::Sql(e) => failed(e),
            other => other,
        })?;
        Ok(Self { db })
    }

    pub(super) fn db(&self) -> &Connection {
        &self.db
    }

    /// Looks through the whole file.
    pub fn check(&self) -> Result<(), StoreError> {
        schema::look_through(&self.db, "integrity_check")
    }

    /// Whether a dry run made it.
    pub fn is_dry(&self) -> Result<bool, StoreError> {
        Ok(super::mode(&self.db)?.as_deref() == Some(super::DRY))
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Result<Checkpoint, StoreError> {
        let Some((state, seq)) = schema::snapshot(&self.db)? else {
            return Err(StoreError::Corrupt { what: "snapshot", why: "there is none".into() });
        };
        let hash = state.hash();
        Ok(Checkpoint { seq, hash, version: String::new(), state: Box::new(state) })
    }

    /// Bytes of the file that hold something.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        schema::size_bytes(&self.db)
    }

    /// First and last entry of the log; `None` when it is empty.
    pub fn log_bounds(&self) -> Result<Option<(u64, u64)>, StoreError> {
        let bounds = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?));
        let (first, last) = self.db.query_row("SELECT min(seq), max(seq) FROM log", [], bounds)?;
        Ok(first.zip(last).map(|(first, last)| (uint(first), uint(last))))
    }

    /// The next entries of the log after `seq`, in order, each checked; empty at its end.
    pub fn log_after(&self, seq: u64) -> Result<Vec<(u64, Input)>, StoreError> {
        let mut query =
            self.db.prepare_cached("SELECT seq, input, sum FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2")?;
        let row = |row: &rusqlite::Row<'_>| Ok((uint(row.get(0)?), row.get::<_, String>(1)?, row.get(2)?));
        let rows = query.query_map((super::int(seq), PAGE), row)?.collect::<Result<Vec<_>, _>>()?;
        let entry = |(seq, text, sum): (u64, String, Option<i64>)| {
            schema::check_entry(seq, &text, sum)?;
            Ok((seq, parse("log", &text)?))
        };
        rows.into_iter().map(entry).collect()
    }

    /// The first checkpoint at or after `seq`.
    pub fn checkpoint_from(&self, seq: u64) -> Result<Option<Checkpoint>, StoreError> {
        let sql = "SELECT seq, hash, version, state FROM checkpoints WHERE seq >= ?1 ORDER BY seq LIMIT 1";
        let mut query = self.db.prepare_cached(sql)?;
        let mut rows = query.query([super::int(seq)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let hash: [u8; 32] = row.get(1)?;
        let state = schema::state("checkpoints", &row.get::<_, String>(3)?, Some(hash))?;
        let (seq, version) = (uint(row.get(0)?), row.get(2)?);
        Ok(Some(Checkpoint { seq, hash: Hash32(hash), version, state: Box::new(state) }))
    }

    /// Transactions on their way, in order, at most 256.
    pub fn open_rows(&self) -> Result<Vec<Row>, StoreError> {
        super::lane_rows(&self.db)
    }

    /// Statements that this keeper stored since this chain time, by whether they are its own.
    pub fn statements_since(&self, since: UnixSecs) -> Result<(u64, u64), StoreError> {
        let sql = "SELECT coalesce(sum(own), 0), count(*) FROM statements WHERE stored_secs >= ?1";
        let (own, all): (i64, i64) = self.db.query_row(sql, [super::int(since)], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok((uint(own), uint(all.saturating_sub(own))))
    }

    /// The next statements after `seq`, in order; empty at the end.
    pub fn statements_after(&self, seq: u64) -> Result<Vec<StatementRow>, StoreError> {
        let sql = "SELECT seq, own, stored_secs, signed FROM statements WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let mut query = self.db.prepare_cached(sql)?;
        let row = |r: &rusqlite::Row<'_>| Ok((uint(r.get(0)?), r.get(1)?, uint(r.get(2)?), r.get::<_, String>(3)?));
        let rows = query.query_map((super::int(seq), PAGE), row)?.collect::<Result<Vec<_>, _>>()?;
        let full = |(seq, own, stored_secs, text): (u64, bool, u64, String)| {
            Ok(StatementRow { seq, own, stored_secs, signed: parse("statements", &text)? })
        };
        rows.into_iter().map(full).collect()
    }

    /// The next rows of the evidence index after `digest`, in order of digests; empty at the end.
    pub fn evidence_after(&self, digest: Option<Hash32>) -> Result<Vec<EvidenceRow>, StoreError> {
        let sql = "SELECT digest, length(CAST(body AS BLOB)), stored_secs FROM evidence WHERE digest > ?1
                   ORDER BY digest LIMIT ?2";
        let mut query = self.db.prepare_cached(sql)?;
        let from = digest.map(|digest| digest.0.to_vec()).unwrap_or_default();
        let row = |r: &rusqlite::Row<'_>| {
            Ok(EvidenceRow { digest: Hash32(r.get(0)?), bytes: uint(r.get(1)?), stored_secs: uint(r.get(2)?) })
        };
        Ok(query.query_map((from, PAGE), row)?.collect::<Result<Vec<_>, _>>()?)
    }
}
