//! Why the store refuses or fails, and what to do about it.

use crate::ports::ArchiveError;
use rusqlite::ErrorCode;
use std::path::PathBuf;

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
    /// The disk, or the store's own budget, has no room. What was acknowledged is safe.
    #[error(
        "the store has no room ({0}): free disk space, or raise store.disk_max_mb; nothing that was acknowledged is lost"
    )]
    Full(rusqlite::Error),
    /// SQLite failed.
    #[error("the store failed: {0}")]
    Sql(rusqlite::Error),
    /// What was read back is not what was written.
    #[error("the store holds something unreadable ({what}): {why}; {WHAT_TO_DO}")]
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

/// For an operator whose store is damaged.
const WHAT_TO_DO: &str = "keep the file, restore a copy of it, or start a new store: the chain is read anew, peers hold \
     what was signed, and `surety keeper replay` says how far an export or a copy is sound";

impl StoreError {
    /// What SQLite says of the file at `path` when it is opened. Where it is none of SQLite's, the path may be wrong or
    /// its first bytes damaged.
    pub(super) fn opening(path: PathBuf, error: &rusqlite::Error) -> Self {
        let why = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => format!("{error}; is it the right path? If it is, {WHAT_TO_DO}"),
            _ => error.to_string(),
        };
        Self::Open { path, why }
    }

    /// Whether there is no room, which an operator can change while the keeper waits.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            // A full disk shows as the first when a file cannot grow, as the second when a write to it fails.
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Self::Full(error),
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { what: "file", why: error.to_string() },
            // Our own statements fit our own tables.
            _ if matches!(error, rusqlite::Error::SqlInputError { .. }) => {
                Self::Corrupt { what: "tables", why: error.to_string() }
            }
            _ => Self::Sql(error),
        }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> Self {
        Self { why: error.to_string() }
    }
}
