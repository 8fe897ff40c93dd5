//! `deployments/<chainId>.json`: what `surety_client::deployment` reads, and how everything was made.

use crate::arguments::Arguments;
use crate::artifacts::{Compiler, Kind};
use crate::network::Network;
use crate::params::Params;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use surety_client::deployment::Deployment;
use surety_core::types::{Account, Hash32};

/// Longest deployment file or journal read, in bytes. A journal has the creation code of all contracts in it, twice as
/// many hex digits, about 200,000 bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentFile {
    /// What keepers and agents read.
    #[serde(flatten)]
    pub deployment: Deployment,
    /// How it was made.
    pub record: Record,
}

/// The file again, for its record alone: everything beside it is read, and refused where unknown, as a [`Deployment`].
#[derive(Deserialize)]
struct Recorded {
    record: Record,
}

/// What an audit compares the chain with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The chain, by name.
    pub network: Network,
    /// Whose nonces gave the addresses.
    pub deployer: Account,
    /// Owner of keeper set, Vault and Escrow.
    pub owner: Account,
    /// What the code was made with.
    pub compiler: Compiler,
    /// In the order of deployment.
    pub contracts: Vec<Made>,
    /// What everything follows from.
    pub parameters: Params,
}

/// One contract, as made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// Where.
    pub address: Account,
    /// The deployer's nonce.
    pub nonce: u64,
    /// The transaction that created it.
    pub transaction: Hash32,
    /// The block that is in.
    pub block: u64,
    /// keccak256 of creation code and arguments.
    pub initcode_hash: Hash32,
    /// keccak256 of the code there.
    pub code_hash: Hash32,
    /// Constructor arguments, decoded.
    pub arguments: Arguments,
}

/// Why a file of this project's is not accepted, or not written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read or written.
    #[error("cannot {doing} {path}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{path} is not {wanted}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// It is too long to be one.
    #[error("{path} is longer than {FILE_BYTES_MAX} bytes: it is not {wanted}")]
    TooLong {
        /// Which file.
        path: PathBuf,
        /// What it should be.
        wanted: &'static str,
    },
}

impl DeploymentFile {
    /// Where the file of a chain is.
    pub fn path(dir: &Path, network: Network) -> PathBuf {
        dir.join(format!("{}.json", network.chain_id()))
    }

    /// Reads one; `None` when there is none.
    ///
    /// # Errors
    /// The file is none that an audit can go by.
    pub fn read(path: &Path) -> Result<Option<Self>, FileError> {
        let wanted = "a deployment file with a record of how it was made (surety deploy writes them)";
        let Some(bytes) = read_bounded(path, wanted)? else { return Ok(None) };
        let deployment = parse(path, wanted, &bytes)?;
        let Recorded { record } = parse(path, wanted, &bytes)?;
        Ok(Some(Self { deployment, record }))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// The disk's.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        write_json(path, self)
    }
}

impl Record {
    /// What was made of a kind.
    pub fn made(&self, kind: Kind) -> Option<&Made> {
        self.contracts.iter().find(|made| made.arguments.kind() == kind)
    }
}

/// Reads a JSON file, bounded; `None` when there is none.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path, wanted: &'static str) -> Result<Option<T>, FileError> {
    read_bounded(path, wanted)?.map(|bytes| parse(path, wanted, &bytes)).transpose()
}

fn parse<T: DeserializeOwned>(path: &Path, wanted: &'static str, bytes: &[u8]) -> Result<T, FileError> {
    serde_json::from_slice(bytes).map_err(|source| FileError::Parse { path: path.to_path_buf(), wanted, source })
}

fn read_bounded(path: &Path, wanted: &'static str) -> Result<Option<Vec<u8>>, FileError> {
    let io = |source| FileError::Io { doing: "read", path: path.to_path_buf(), source };
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io)?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(io)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(FileError::TooLong { path: path.to_path_buf(), wanted });
    }
    Ok(Some(bytes))
}

/// Writes a JSON file so that whatever happens there is the old one or the new one, and the new one is on disk.
pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), FileError> {
    let io = |source| FileError::Io { doing: "write", path: path.to_path_buf(), source };
    let text = serde_json::to_string_pretty(value).map_err(|error| io(error.into()))? + "\n";
    let dir = path.parent().unwrap_or(Path::new("."));
    let beside = path.with_extension("json.new");
    let mut file = std::fs::File::create(&beside).map_err(io)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
    std::fs::rename(&beside, path).map_err(io)?;
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(io)
}
