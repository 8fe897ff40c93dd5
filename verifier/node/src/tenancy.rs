//! Whose data lies in the tenant's directory, and wiping it before anybody else comes.

use std::io;
use std::path::{Path, PathBuf};
use surety_core::types::RentalId;

/// The tenant's directory and the note beside it that says whose it is.
#[derive(Clone, Debug)]
pub struct Tenancy {
    dir: PathBuf,
    note: PathBuf,
    owner: Option<(u32, u32)>,
}

/// The tenant's directory could not be made ready.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {path}; no tenant is let in until it is done")]
pub struct TenancyError {
    what: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Tenancy {
    /// The directory `tenant` below `state_dir`; `owner` (user and group id) is whom it is given to.
    pub fn new(state_dir: &Path, owner: Option<(u32, u32)>) -> Self {
        Self { dir: state_dir.join("tenant"), note: state_dir.join("tenancy"), owner }
    }

    /// The same with the data somewhere else; the note stays where only the agent writes.
    #[must_use]
    pub fn with_dir(self, dir: PathBuf) -> Self {
        Self { dir, ..self }
    }

    /// Where the tenant's data is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whose data is there. Data that no note speaks for is somebody's, of rental 0.
    pub fn occupant(&self) -> Option<RentalId> {
        if !self.dir.exists() {
            return None;
        }
        let note = std::fs::read_to_string(&self.note).unwrap_or_default();
        Some(note.trim().parse().unwrap_or_default())
    }

    /// An empty directory for `rental`, or the one it has already.
    ///
    /// # Errors
    /// When the directory or its note cannot be written.
    pub fn occupy(&self, rental: RentalId) -> Result<(), TenancyError> {
        if self.occupant() == Some(rental) {
            return Ok(());
        }
        self.vacate()?;
        // The note first: a directory without one is wiped, one with a wrong note would not be.
        write_atomically(&self.note, rental.to_string().as_bytes(), 0o600)
            .map_err(self.failed("note the tenant of"))?;
        std::fs::create_dir(&self.dir).map_err(self.failed("make"))?;
        set_mode(&self.dir, 0o700).map_err(self.failed("close"))?;
        if let Some((uid, gid)) = self.owner {
            std::os::unix::fs::chown(&self.dir, Some(uid), Some(gid)).map_err(self.failed("give away"))?;
        }
        Ok(())
    }

    /// Wipes the data. Symbolic links are removed, not followed.
    ///
    /// # Errors
    /// When something is left.
    pub fn vacate(&self) -> Result<(), TenancyError> {
        match std::fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed("wipe")(error)),
            _ => Ok(()),
        }
    }

    /// Work on the directory died half way: whatever state it is in, nobody is let in on it.
    pub(crate) fn died(&self) -> TenancyError {
        self.failed("finish the work on")(io::Error::other("the thread doing it died"))
    }

    fn failed(&self, what: &'static str) -> impl Fn(io::Error) -> TenancyError {
        let path = self.dir.clone();
        move |source| TenancyError { what, path: path.clone(), source }
    }
}

/// Writes a whole file or nothing: beside it first, then renamed over it.
///
/// # Errors
/// When the directory cannot be written.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&beside)?;
    set_mode(&beside, mode)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

pub(crate) fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}
