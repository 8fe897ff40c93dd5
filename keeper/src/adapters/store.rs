//! The keeper's one file: log, snapshot, outbox, evidence and statements in SQLite (WAL), one transaction a step.
//!
//! What is committed survives `kill -9` and power loss (`synchronous = FULL`). A lock file keeps a second instance out.
//! All calls block.

mod archive;
mod schema;

use crate::ports::ArchiveError;
use rusqlite::{Connection, Transaction, params};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use surety_core::effect::Effect;
use surety_core::evidence::Evidence;
use surety_core::input::Input;
use surety_core::outbox::Row;
use surety_core::state::{Config, State};
use surety_core::statement::{Signed, Statement};
use surety_core::step::step;
use surety_core::types::Hash32;

/// A snapshot is written after this many inputs, so that a restart replays at most as many.
pub const SNAPSHOT_EVERY: u64 = 500;

/// Inputs kept before the newest snapshot, for looking back: about two weeks of a keeper with 50 rentals.
pub const LOG_KEPT: u64 = 2_000_000;

/// Why the store refuses or fails.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made or opened.
    #[error("cannot open the store {path}: {why}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another process has it.
    #[error("the store {path} is in use by another keeper; two on one store would sign twice. Stop the other one")]
    InUse {
        /// Which file.
        path: PathBuf,
    },
    /// It belongs to another keeper, chain or deployment.
    #[error(
        "the store {path} was made for another {what}; use another store path, or the configuration it was made with"
    )]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// The rules do not hold for this chain.
    #[error(transparent)]
    Rules(#[from] surety_core::rules::RulesError),
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sql(#[from] rusqlite::Error),
    /// What was read back is not what was written.
    #[error("the store holds something unreadable ({what}): {why}; restore it from a copy, or start a new one")]
    Corrupt {
        /// Which part.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A writer panicked while holding the connection.
    #[error("the store's writer died; restart the keeper")]
    Poisoned,
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self { why: error.to_string() }
    }
}

/// The open store.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    _lock: File,
}

/// What a start finds.
#[derive(Debug)]
pub struct Loaded {
    /// The state after the last committed step.
    pub state: State,
    /// Sequence number of the last input.
    pub seq: u64,
    /// Signatures asked for and not yet made.
    pub unsigned: Vec<Effect>,
}

impl Store {
    /// Opens or makes the store at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |why: String| StoreError::Open { path: path.to_path_buf(), why };
        let io = |e: std::io::Error| failed(e.to_string());
        create_private(path).map_err(io)?;
        let lock = lock_file(path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.to_path_buf() }),
            Err(TryLockError::Error(e)) => return Err(io(e)),
        }
        let opened = Connection::open(path).map_err(StoreError::Sql).and_then(|db| {
            schema::prepare(&db)?;
            Ok(db)
        });
        let connection = opened.map_err(|error| match error {
            StoreError::Sql(e) => failed(e.to_string()),
            other => other,
        })?;
        Ok(Self { connection: Mutex::new(connection), _lock: lock })
    }

    /// Loads the state: the newest snapshot, and the log after it replayed. A new store starts from `config`.
    pub fn load(&self, path: &Path, config: &Config) -> Result<Loaded, StoreError> {
        config.rules.check(config.chain_id)?;
        let mut db = self.db()?;
        let stored = schema::snapshot(&db)?;
        let is_new = stored.is_none();
        let (mut state, mut seq) = match stored {
            Some((text, seq)) => (parse::<State>("snapshot", &text)?, seq),
            None if schema::log_is_empty(&db)? => (State::new(config.clone())?, 0),
            None => return Err(StoreError::Corrupt { what: "snapshot", why: "there is a log, and none to it".into() }),
        };
        check_identity(path, &state.config, config)?;
        replay(&db, &mut state, &mut seq)?;
        if is_new || state.config != *config {
            // Rules may be changed between runs, identity may not. From the first moment on the file says whose it is,
            // and no input is ever replayed by other rules than it was taken by.
            state.config = config.clone();
            write_snapshot(&mut db, seq, &state)?;
        }
        let unsigned = schema::effects(&db)?;
        let unsigned = unsigned.iter().map(|text| parse("effects", text)).collect::<Result<_, _>>()?;
        Ok(Loaded { state, seq, unsigned })
    }

    /// One step, all or nothing: the input, what it answers, the wishes it led to.
    pub fn commit(&self, seq: u64, input: &Input, effects: &[Effect]) -> Result<(), StoreError> {
        let mut db = self.db()?;
        let tx = db.transaction()?;
        tx.execute("INSERT INTO log (seq, input) VALUES (?1, ?2)", params![int(seq), render(input)?])?;
        match input {
            Input::Signed(signed) => {
                keep_statement(&tx, signed, true)?;
                forget_effect(&tx, signed)?;
            }
            Input::Peer(peer) => {
                let signed =
                    Signed { statement: peer.statement.into(), signer: peer.signer, signature: peer.signature };
                keep_statement(&tx, &signed, false)?;
            }
            Input::PeerSpoof(peer) => {
                let signed =
                    Signed { statement: peer.statement.into(), signer: peer.signer, signature: peer.signature };
                keep_statement(&tx, &signed, false)?;
            }
            Input::Tx(result) => {
                tx.execute("UPDATE outbox SET reported = 1 WHERE id = ?1", [result.id.0])?;
            }
            _ => {}
        }
        for effect in effects {
            keep_effect(&tx, effect)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Writes a snapshot and lets go of log entries far behind it.
    pub fn snapshot(&self, seq: u64, state: &State) -> Result<(), StoreError> {
        write_snapshot(&mut *self.db()?, seq, state)
    }

    /// Stores evidence under its digest. Must be on disk before anything that names the digest is signed.
    pub fn put_evidence(&self, digest: Hash32, evidence: &Evidence) -> Result<(), StoreError> {
        let body = render(evidence)?;
        self.db()?.execute("INSERT OR IGNORE INTO evidence (digest, body) VALUES (?1, ?2)", params![digest.0, body])?;
        Ok(())
    }

    /// Rows of the lane whose end has not been logged yet, in order.
    pub fn lane(&self) -> Result<Vec<Row>, StoreError> {
        let db = self.db()?;
        let mut query = db.prepare("SELECT row FROM outbox WHERE reported = 0 ORDER BY position LIMIT 256")?;
        let texts = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        texts.iter().map(|text| parse("outbox", text)).collect()
    }

    /// Stores where a row stands, before the next action is taken.
    pub fn put_row(&self, row: &Row) -> Result<(), StoreError> {
        self.db()?.execute("UPDATE outbox SET row = ?2 WHERE id = ?1", params![row.id.0, render(row)?])?;
        Ok(())
    }

    fn db(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        self.connection.lock().map_err(|_| StoreError::Poisoned)
    }
}

/// Makes the file if there is none, for its owner alone whatever the umask; SQLite gives its log the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

/// The lock lies beside the file itself, under whatever name the file was asked for.
fn lock_file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = std::fs::canonicalize(path)?.into_os_string();
    name.push(".lock");
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(name)
}

fn replay(db: &Connection, state: &mut State, seq: &mut u64) -> Result<(), StoreError> {
    let mut tail = db.prepare("SELECT seq, input FROM log WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = tail.query([int(*seq)])?;
    while let Some(row) = rows.next()? {
        let next = seq.saturating_add(1);
        if uint(row.get(0)?) != next {
            return Err(StoreError::Corrupt { what: "log", why: format!("entry {next} is missing") });
        }
        step(state, &parse::<Input>("log", &row.get::<_, String>(1)?)?);
        *seq = next;
    }
    Ok(())
}

fn write_snapshot(db: &mut Connection, seq: u64, state: &State) -> Result<(), StoreError> {
    let tx = db.transaction()?;
    tx.execute(
        "INSERT INTO snapshot (id, seq, state) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, state = excluded.state",
        params![int(seq), render(state)?],
    )?;
    tx.execute("DELETE FROM log WHERE seq <= ?1", [int(seq.saturating_sub(LOG_KEPT))])?;
    tx.commit()?;
    Ok(())
}

fn check_identity(path: &Path, stored: &Config, given: &Config) -> Result<(), StoreError> {
    let foreign = |what| Err(StoreError::Foreign { path: path.to_path_buf(), what });
    if stored.me != given.me {
        return foreign("keeper account");
    }
    if stored.chain_id != given.chain_id {
        return foreign("chain");
    }
    if stored.contracts != given.contracts {
        return foreign("deployment");
    }
    Ok(())
}

/// Looks and measurements need no row: a restart begins them anew. Signatures and transactions must survive.
fn keep_effect(tx: &Transaction<'_>, effect: &Effect) -> Result<(), StoreError> {
    match effect {
        Effect::Sign { id, statement, .. } => {
            let digest = statement.evidence();
            tx.execute(
                "INSERT OR IGNORE INTO effects (id, digest, effect) VALUES (?1, ?2, ?3)",
                params![id.0, digest.0, render(effect)?],
            )?;
        }
        Effect::Submit { id, intent } => {
            let row = render(&Row::new(*id, intent.clone()))?;
            // Core may wish again for what failed; what is still on its way is not started twice.
            let sql = "INSERT INTO outbox (id, row) VALUES (?1, ?2)
                       ON CONFLICT (id) DO UPDATE SET row = excluded.row, reported = 0 WHERE reported = 1";
            tx.execute(sql, params![id.0, row])?;
        }
        _ => {}
    }
    Ok(())
}

fn forget_effect(tx: &Transaction<'_>, signed: &Signed<Statement>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM effects WHERE digest = ?1", [signed.statement.evidence().0])?;
    Ok(())
}

fn keep_statement(tx: &Transaction<'_>, signed: &Signed<Statement>, own: bool) -> Result<(), StoreError> {
    let (rental, machine) = match &signed.statement {
        Statement::Attestation(a) => (Some(int(a.rental)), None),
        Statement::Certificate(c) => (None, Some(c.machine.0)),
        Statement::Spoof(s) => (None, Some(s.machine.0)),
    };
    tx.execute(
        "INSERT OR IGNORE INTO statements (own, rental, machine, digest, signature, signed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![own, rental, machine, signed.statement.evidence().0, signed.signature.0, render(signed)?],
    )?;
    Ok(())
}

fn render<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError::Corrupt { what: "value to store", why: e.to_string() })
}

fn parse<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|e| StoreError::Corrupt { what, why: e.to_string() })
}

/// SQLite integers are signed; ours never come near the top bit.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn uint(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests;
