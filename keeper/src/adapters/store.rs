//! The keeper's one file: log, snapshot, outbox, evidence and statements in SQLite (WAL), one transaction a step.
//!
//! What is committed survives `kill -9` and power loss (`synchronous = FULL`). A lock file keeps a second instance out.
//! All calls block.

mod archive;
mod ballots;
mod chosen;
mod error;
mod figures;
mod lock;
mod mirror;
mod reading;
mod registered;
mod retain;
mod schema;

pub use chosen::{Chosen, FoundChosen};
pub use error::StoreError;
pub use mirror::Mirrored;
pub use reading::{Checkpoint, EvidenceRow, Reading, StatementRow};
pub use retain::{KEEP_DAYS_MIN, Removed, Retention, SNAPSHOT_EVERY};

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};
use surety_core::effect::Effect;
use surety_core::evidence::Evidence;
use surety_core::input::Input;
use surety_core::outbox::Row;
use surety_core::state::{Config, State};
use surety_core::statement::{Signed, Statement};
use surety_core::step::step;
use surety_core::types::{Hash32, UnixSecs};
use surety_core::view::View;

/// The open store.
#[derive(Debug)]
pub struct Store {
    connection: Mutex<Connection>,
    retention: Retention,
    /// Time of the newest finalized block: what rows are stamped with. It never goes back, and no clock of this host
    /// moves it.
    chain_secs: AtomicU64,
    _lock: File,
}

/// What `meta.mode` says of a store that a keeper signs from.
const SIGNS: &str = "keeper";

/// What `meta.mode` says of a store that a dry run made.
const DRY: &str = "dry run";

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

/// An input, and the wishes that its step led to.
#[derive(Debug)]
pub struct Step {
    /// What came.
    pub input: Input,
    /// What is to be done about it.
    pub effects: Vec<Effect>,
}

impl Store {
    /// Opens or makes the store at `path`, with the default limits.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Retention::default(), false)
    }

    /// Opens or makes the store at `path`. What a dry run wished is never done, so its store is not a keeper's, nor a
    /// keeper's its: each refuses the other's.
    pub fn open_with(path: &Path, retention: Retention, dry_run: bool) -> Result<Self, StoreError> {
        let failed = |e: std::io::Error| StoreError::Open { path: path.to_path_buf(), why: e.to_string() };
        create_private(path).map_err(failed)?;
        let lock = lock::take(path)?;
        let opened = Connection::open(path).map_err(StoreError::from).and_then(|mut db| {
            schema::prepare(&mut db, retention.disk_max_bytes)?;
            Ok(db)
        });
        let connection = opened.map_err(|error| match error {
            StoreError::Sql(e) => StoreError::opening(path.to_path_buf(), &e),
            other => other,
        })?;
        check_mode(&connection, path, dry_run)?;
        Ok(Self { connection: Mutex::new(connection), retention, chain_secs: AtomicU64::new(0), _lock: lock })
    }

    /// Loads the state: the newest snapshot, and the log after it replayed. A new store starts from `config`.
    pub fn load(&self, path: &Path, config: &Config) -> Result<Loaded, StoreError> {
        config.rules.check(config.chain_id)?;
        let mut db = self.db()?;
        let stored = schema::snapshot(&db)?;
        let is_new = stored.is_none();
        let (mut state, mut seq) = match stored {
            Some(found) => found,
            None if schema::log_is_empty(&db)? => (State::new(config.clone())?, 0),
            None => return Err(StoreError::Corrupt { what: "snapshot", why: "there is a log, and none to it".into() }),
        };
        check_identity(path, &state.config, config)?;
        replay(&db, &mut state, &mut seq)?;
        if is_new || state.config != *config {
            // Rules may be changed between runs, identity may not. From the first moment on the file says whose it is,
            // and no input is ever replayed by other rules than it was taken by.
            state.config = config.clone();
            let tx = db.transaction()?;
            let text = retain::write_snapshot(&tx, seq, &state)?;
            retain::write_checkpoint(&tx, seq, &text)?;
            tx.commit()?;
        }
        self.chain_secs.fetch_max(state.world.finalized.block.timestamp_secs, Relaxed);
        let unsigned = schema::effects(&db)?;
        let unsigned = unsigned.iter().map(|text| parse("effects", text)).collect::<Result<_, _>>()?;
        Ok(Loaded { state, seq, unsigned })
    }

    /// Steps in their order, all or nothing: the inputs from number `first_seq` on, what they answer, the wishes they
    /// led to. However many there are, the disk is waited for once.
    pub fn commit(&self, first_seq: u64, steps: &[Step]) -> Result<(), StoreError> {
        let mut db = self.db()?;
        let tx = db.transaction()?;
        for (seq, step) in (first_seq..).zip(steps) {
            write_step(&tx, seq, step, self.chain_secs())?;
        }
        tx.commit()?;
        for step in steps {
            if let Input::Chain(update) = &step.input
                && update.view == View::Finalized
            {
                self.chain_secs.fetch_max(update.block.timestamp_secs, Relaxed);
            }
        }
        Ok(())
    }

    /// Time of the newest finalized block known, Unix seconds; 0 before one is read.
    pub(crate) fn chain_secs(&self) -> UnixSecs {
        self.chain_secs.load(Relaxed)
    }

    /// Stores evidence under its digest. Must be on disk before anything that names the digest is signed.
    pub fn put_evidence(&self, digest: Hash32, evidence: &Evidence) -> Result<(), StoreError> {
        let body = render(evidence)?;
        let sql = "INSERT OR IGNORE INTO evidence (digest, body, stored_secs) VALUES (?1, ?2, ?3)";
        self.db()?.execute(sql, params![digest.0, body, int(self.chain_secs())])?;
        Ok(())
    }

    /// Rows of the lane whose end has not been logged yet, in order.
    pub fn lane(&self) -> Result<Vec<Row>, StoreError> {
        lane_rows(&*self.db()?)
    }

    /// Stores where a row stands, before the next action is taken.
    pub fn put_row(&self, row: &Row) -> Result<(), StoreError> {
        self.db()?.execute("UPDATE outbox SET row = ?2 WHERE id = ?1", params![row.id.0, render(row)?])?;
        Ok(())
    }

    /// Bytes of the file that hold something.
    pub fn size_bytes(&self) -> Result<u64, StoreError> {
        schema::size_bytes(&*self.db()?)
    }

    /// One step.
    #[cfg(test)]
    pub(crate) fn commit_one(&self, seq: u64, input: &Input, effects: &[Effect]) -> Result<(), StoreError> {
        self.commit(seq, &[Step { input: input.clone(), effects: effects.to_vec() }])
    }

    /// The last input on disk.
    #[cfg(test)]
    pub(crate) fn last_seq(&self) -> Result<u64, StoreError> {
        Ok(uint(self.db()?.query_row("SELECT coalesce(max(seq), 0) FROM log", [], |row| row.get(0))?))
    }

    /// Writes a checkpoint out of turn.
    #[cfg(test)]
    pub(crate) fn checkpoint_now(&self, seq: u64, state: &State) -> Result<(), StoreError> {
        let mut db = self.db()?;
        let tx = db.transaction()?;
        retain::write_checkpoint(&tx, seq, &render(state)?)?;
        Ok(tx.commit()?)
    }

    /// Takes away, or gives back, all pages that are not written to yet: a full disk for tests.
    #[cfg(test)]
    pub(crate) fn set_full(&self, full: bool) -> Result<(), StoreError> {
        let pages_max = if full { 1 } else { 1_000_000 };
        Ok(self.db()?.pragma_update(None, "max_page_count", pages_max)?)
    }

    fn db(&self) -> Result<MutexGuard<'_, Connection>, StoreError> {
        self.connection.lock().map_err(|_| StoreError::Poisoned)
    }
}

/// An entry of the log, what it answers, and the wishes of its step.
fn write_step(tx: &Transaction<'_>, seq: u64, step: &Step, now_secs: UnixSecs) -> Result<(), StoreError> {
    let text = render(&step.input)?;
    let sum = schema::sum_of(seq, &text);
    tx.execute("INSERT INTO log (seq, input, sum) VALUES (?1, ?2, ?3)", params![int(seq), text, sum])?;
    match &step.input {
        Input::Signed(signed) => {
            keep_statement(tx, signed, true, now_secs)?;
            forget_effect(tx, signed)?;
        }
        Input::Peer(peer) => {
            let signed = Signed { statement: peer.statement.into(), signer: peer.signer, signature: peer.signature };
            keep_statement(tx, &signed, false, now_secs)?;
            mirror::want(tx, &signed)?;
        }
        Input::PeerSpoof(peer) => {
            let signed = Signed { statement: peer.statement.into(), signer: peer.signer, signature: peer.signature };
            keep_statement(tx, &signed, false, now_secs)?;
            mirror::want(tx, &signed)?;
        }
        Input::Complaint(signed) => {
            let (id, rental) = (signed.statement.id(), signed.statement.rental);
            let sql = "INSERT OR IGNORE INTO complaints (id, rental, signed, stored_secs) VALUES (?1, ?2, ?3, ?4)";
            tx.execute(sql, params![id.0, int(rental), render(signed)?, int(now_secs)])?;
        }
        Input::Tx(result) => {
            tx.execute("UPDATE outbox SET reported = 1 WHERE id = ?1", [result.id.0])?;
        }
        _ => {}
    }
    step.effects.iter().try_for_each(|effect| keep_effect(tx, effect))
}

/// Makes the file if there is none, for its owner alone whatever the umask; SQLite gives its log the same mode.
fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        other => other.map(drop),
    }
}

fn replay(db: &Connection, state: &mut State, seq: &mut u64) -> Result<(), StoreError> {
    let mut tail = db.prepare("SELECT seq, input, sum FROM log WHERE seq > ?1 ORDER BY seq")?;
    let mut rows = tail.query([int(*seq)])?;
    while let Some(row) = rows.next()? {
        let next = seq.saturating_add(1);
        if uint(row.get(0)?) != next {
            return Err(StoreError::Corrupt { what: "log", why: format!("entry {next} is missing") });
        }
        let text: String = row.get(1)?;
        schema::check_entry(next, &text, row.get(2)?)?;
        step(state, &parse::<Input>("log", &text)?);
        *seq = next;
    }
    Ok(())
}

fn lane_rows(db: &Connection) -> Result<Vec<Row>, StoreError> {
    let mut query = db.prepare("SELECT row FROM outbox WHERE reported = 0 ORDER BY position LIMIT 256")?;
    let texts = query.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    texts.iter().map(|text| parse("outbox", text)).collect()
}

fn mode(db: &Connection) -> Result<Option<String>, StoreError> {
    Ok(db.query_row("SELECT value FROM meta WHERE key = 'mode'", [], |row| row.get(0)).optional()?)
}

/// A store is marked at its making, for good.
fn check_mode(db: &Connection, path: &Path, dry_run: bool) -> Result<(), StoreError> {
    let wanted = if dry_run { DRY } else { SIGNS };
    let made: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM log) OR EXISTS (SELECT 1 FROM snapshot)", [], |row| row.get(0))?;
    let found = mode(db)?.or_else(|| made.then(|| SIGNS.to_owned()));
    match found.as_deref() {
        Some(found) if found == wanted => Ok(()),
        Some(DRY) => Err(StoreError::Foreign { path: path.to_path_buf(), what: "purpose: a dry run" }),
        Some(SIGNS) => Err(StoreError::Foreign { path: path.to_path_buf(), what: "purpose: a keeper that signs" }),
        // Nobody writes anything else there.
        Some(_) => Err(StoreError::Corrupt { what: "purpose", why: "it is none that a store is made for".into() }),
        None => {
            db.execute("INSERT INTO meta (key, value) VALUES ('mode', ?1)", [wanted])?;
            Ok(())
        }
    }
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

fn keep_statement(
    tx: &Transaction<'_>,
    signed: &Signed<Statement>,
    own: bool,
    now_secs: UnixSecs,
) -> Result<(), StoreError> {
    let (rental, machine) = match &signed.statement {
        Statement::Attestation(a) => (Some(int(a.rental)), None),
        Statement::Certificate(c) => (None, Some(c.machine.0)),
        Statement::Spoof(s) => (None, Some(s.machine.0)),
    };
    tx.execute(
        "INSERT OR IGNORE INTO statements (own, rental, machine, digest, signature, signed, stored_secs)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            own,
            rental,
            machine,
            signed.statement.evidence().0,
            signed.signature.0,
            render(signed)?,
            int(now_secs)
        ],
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
pub(crate) mod tests;
