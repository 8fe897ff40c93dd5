//! One keeper per store: an advisory lock beside the file.

use super::StoreError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a lock that somebody holds is waited for. A keeper that ends lets go at once, but the lock outlives it for
/// as long as a program that was started in that moment takes from `fork` to `exec`: milliseconds, on a busy host
/// hundreds of them. A keeper that goes on running holds it for much longer than this.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(2);

const AGAIN_AFTER: Duration = Duration::from_millis(10);

/// The lock of the store at `path`, held until the file is dropped. Blocks for [`LOCK_WAIT`] at most.
pub(super) fn take(path: &Path) -> Result<File, StoreError> {
    let failed = |e: std::io::Error| StoreError::Open { path: path.to_path_buf(), why: e.to_string() };
    let lock = file(path).map_err(failed)?;
    let deadline = Instant::now() + LOCK_WAIT;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(AGAIN_AFTER),
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { path: path.to_path_buf() }),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
    }
}

/// Beside the file itself, whatever name it was reached by.
fn file(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut name = std::fs::canonicalize(path)?.into_os_string();
    name.push(".lock");
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(name)
}
