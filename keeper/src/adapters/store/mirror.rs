//! Copies of the evidence behind peers' statements, so that it outlives its maker. They are kept apart from our own,
//! never believed, and the first to go: a peer that signs much pushes out copies of its own evidence and nobody else's.

use super::{Store, StoreError, int, parse, uint};
use crate::adapters::http::BUNDLE_BYTES_MAX;
use crate::ports::Bundle;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use surety_core::evidence::Evidence;
use surety_core::ids::keccak;
use surety_core::statement::{Signed, Statement};
use surety_core::types::{Account, Hash32, UnixSecs};

/// Bytes of a bundle about an outage: at most 256 looks, each below 2 KiB with the cards that it names.
const OUTAGE_BYTES_MAX: usize = 1 << 20;

/// Evidence of one peer that is still to be fetched; the oldest makes room.
pub(super) const WANTED_MAX: u32 = 4_096;

/// Times that evidence is asked for before it is given up: with the waits between, for more than a day.
const TRIES_MAX: u32 = 14;

/// First wait after a failure; doubles up to [`WAIT_MAX_SECS`].
const WAIT_SECS: u64 = 30;
const WAIT_MAX_SECS: u64 = 6 * 3_600;

/// Copies take at most one part in so many of the store's budget, over all peers.
const SHARE_OF_BUDGET: u64 = 5;

/// With fewer peers than this, each has the part that it would have among so many.
const PEERS_LEAST: u64 = 4;

/// What became of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// It is kept.
    Kept,
    /// It is not what the peer signed: other bytes speak against nobody.
    Wrong,
    /// There is no room for copies.
    NoRoom,
}

/// Notes that a peer's statement names evidence which is not here.
pub(super) fn want(tx: &Transaction<'_>, signed: &Signed<Statement>) -> Result<(), StoreError> {
    let (digest, signer) = (signed.statement.evidence(), signed.signer);
    let bytes_max = if matches!(signed.statement, Statement::Spoof(_)) { BUNDLE_BYTES_MAX } else { OUTAGE_BYTES_MAX };
    tx.execute(
        "INSERT OR IGNORE INTO wanted (digest, signer, bytes_max) SELECT ?1, ?2, ?3
         WHERE NOT EXISTS (SELECT 1 FROM mirrored WHERE digest = ?1 AND signer = ?2)",
        params![digest.0, signer.to_string(), int(bytes_max as u64)],
    )?;
    Ok(())
}

impl Store {
    /// A peer's evidence to be fetched now, newest first: its digest, and the bytes it may have.
    pub fn wanted_of(
        &self,
        signer: Account,
        now_secs: UnixSecs,
        most: u32,
    ) -> Result<Vec<(Hash32, usize)>, StoreError> {
        let db = self.db()?;
        db.execute(
            "DELETE FROM wanted WHERE signer = ?1 AND rowid <=
             (SELECT rowid FROM wanted WHERE signer = ?1 ORDER BY rowid DESC LIMIT 1 OFFSET ?2)",
            params![signer.to_string(), WANTED_MAX],
        )?;
        // A time further ahead than any wait was written by a clock that has been set back.
        let mut query = db.prepare_cached(
            "SELECT digest, bytes_max FROM wanted WHERE signer = ?1 AND (after_secs <= ?2 OR after_secs > ?2 + ?3)
             ORDER BY rowid DESC LIMIT ?4",
        )?;
        let row = |row: &rusqlite::Row<'_>| {
            let bytes_max = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            Ok((Hash32(row.get(0)?), bytes_max))
        };
        let with = params![signer.to_string(), int(now_secs), int(WAIT_MAX_SECS), most];
        Ok(query.query_map(with, row)?.collect::<Result<_, _>>()?)
    }

    /// The evidence was not to be had: asked for again later, and given up in the end.
    pub fn put_off(&self, signer: Account, digest: Hash32, now_secs: UnixSecs) -> Result<(), StoreError> {
        let db = self.db()?;
        let found = "SELECT tries FROM wanted WHERE digest = ?1 AND signer = ?2";
        let tries: Option<u32> =
            db.query_row(found, params![digest.0, signer.to_string()], |row| row.get(0)).optional()?;
        let Some(tries) = tries.map(|tries| tries.saturating_add(1)) else { return Ok(()) };
        if tries >= TRIES_MAX {
            return forget(&db, signer, digest);
        }
        let wait_secs = WAIT_SECS.saturating_mul(1 << (tries - 1)).min(WAIT_MAX_SECS);
        db.execute(
            "UPDATE wanted SET tries = ?3, after_secs = ?4 WHERE digest = ?1 AND signer = ?2",
            params![digest.0, signer.to_string(), tries, int(now_secs.saturating_add(wait_secs))],
        )?;
        Ok(())
    }

    /// Keeps a copy of what a peer serves, if it is what the peer's statement names. `peers`: how many share the room.
    pub fn mirror(
        &self,
        signer: Account,
        digest: Hash32,
        evidence: serde_json::Value,
        peers: usize,
    ) -> Result<Mirrored, StoreError> {
        let read = serde_json::from_value::<Evidence>(evidence).ok().and_then(|evidence| evidence.canonical().ok());
        let right = read.filter(|bytes| keccak(bytes) == digest).and_then(|bytes| String::from_utf8(bytes).ok());
        let Some(body) = right else { return Ok(Mirrored::Wrong) };
        let (bytes, share) = (body.len() as u64, self.share_bytes(peers));
        if bytes > share || self.is_crowded()? {
            return Ok(Mirrored::NoRoom);
        }
        let mut db = self.db()?;
        let tx = db.transaction()?;
        make_room(&tx, signer, share - bytes)?;
        tx.execute(
            "INSERT OR IGNORE INTO mirrored (digest, signer, body, bytes, stored_secs) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![digest.0, signer.to_string(), body, int(bytes), int(self.chain_secs())],
        )?;
        forget(&tx, signer, digest)?;
        tx.commit()?;
        Ok(Mirrored::Kept)
    }

    /// Bytes that copies of one peer's evidence may take.
    fn share_bytes(&self, peers: usize) -> u64 {
        self.retention.disk_max_bytes / SHARE_OF_BUDGET / PEERS_LEAST.max(peers as u64)
    }
}

/// A copy, with the statement of the peer that made the evidence.
pub(super) fn find(db: &Connection, digest: Hash32) -> Result<Option<Bundle>, StoreError> {
    let sql = "SELECT mirrored.body, statements.signed FROM mirrored
               JOIN statements ON statements.digest = mirrored.digest AND statements.own = 0
                              AND statements.signed ->> '$.signer' = mirrored.signer
               WHERE mirrored.digest = ?1 LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
    let Some((evidence, signed)) = db.query_row(sql, [digest.0], row).optional()? else { return Ok(None) };
    Ok(Some(Bundle { evidence: parse("mirrored", &evidence)?, signed: parse("statements", &signed)? }))
}

fn forget(db: &Connection, signer: Account, digest: Hash32) -> Result<(), StoreError> {
    db.execute("DELETE FROM wanted WHERE digest = ?1 AND signer = ?2", params![digest.0, signer.to_string()])?;
    Ok(())
}

/// Lets go of a peer's oldest copies until what is left of them takes at most `most` bytes.
fn make_room(tx: &Transaction<'_>, signer: Account, most: u64) -> Result<(), StoreError> {
    let sum = "SELECT coalesce(sum(bytes), 0) FROM mirrored WHERE signer = ?1";
    let mut held = uint(tx.query_row(sum, [signer.to_string()], |row| row.get(0))?);
    while held > most {
        let oldest = "SELECT rowid, bytes FROM mirrored WHERE signer = ?1 ORDER BY rowid LIMIT 1";
        let (row, bytes): (i64, i64) =
            tx.query_row(oldest, [signer.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        tx.execute("DELETE FROM mirrored WHERE rowid = ?1", [row])?;
        held = held.saturating_sub(uint(bytes));
    }
    Ok(())
}
