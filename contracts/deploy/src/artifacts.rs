//! The contracts as shipped: the committed artifacts, which `surety-compile --check` holds against the sources.

use alloy::primitives::{B256, Bytes, keccak256};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// A contract that a deployment has, in the order of deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs)] // their NatSpec says what each is
pub enum Kind {
    TimelockController,
    AppointedKeepers,
    VotingPowerKeepers,
    CollateralVault,
    RentalEscrow,
    Arbiter,
    RentalBids,
}

impl Kind {
    /// The Solidity contract's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::TimelockController => "TimelockController",
            Self::AppointedKeepers => "AppointedKeepers",
            Self::VotingPowerKeepers => "VotingPowerKeepers",
            Self::CollateralVault => "CollateralVault",
            Self::RentalEscrow => "RentalEscrow",
            Self::Arbiter => "Arbiter",
            Self::RentalBids => "RentalBids",
        }
    }

    /// Whether it keeps books (`RaoLedger`), and so is created with a seed.
    pub fn keeps_books(self) -> bool {
        matches!(self, Self::CollateralVault | Self::RentalEscrow | Self::Arbiter | Self::RentalBids)
    }

    fn committed(self) -> Option<&'static str> {
        match self {
            Self::TimelockController => Some(include_str!("../../artifacts/TimelockController.json")),
            Self::AppointedKeepers => Some(include_str!("../../artifacts/AppointedKeepers.json")),
            Self::VotingPowerKeepers => Some(include_str!("../../artifacts/VotingPowerKeepers.json")),
            Self::CollateralVault => Some(include_str!("../../artifacts/CollateralVault.json")),
            Self::RentalEscrow => Some(include_str!("../../artifacts/RentalEscrow.json")),
            Self::Arbiter => Some(include_str!("../../artifacts/Arbiter.json")),
            Self::RentalBids => Some(include_str!("../../artifacts/RentalBids.json")),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is no code to deploy or to compare with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactError {
    /// This version ships without it.
    #[error("this version of surety has no {0}")]
    NotShipped(Kind),
    /// The file is not what surety-compile writes.
    #[error("the artifact of {kind} is damaged: {what}")]
    Damaged {
        /// Which.
        kind: Kind,
        /// How.
        what: String,
    },
    /// Another version's.
    #[error("{path} is not the {kind} that this program ships: build surety from the same checkout")]
    Other {
        /// Which.
        kind: Kind,
        /// The other one.
        path: PathBuf,
    },
    /// The artifact has an immutable whose value nobody knows.
    #[error("{kind} has an immutable {name} that this version of surety cannot fill in")]
    UnknownImmutable {
        /// Which contract.
        kind: Kind,
        /// Which immutable.
        name: String,
    },
}

/// One contract as shipped.
#[derive(Debug, Clone)]
pub struct Shipped {
    kind: Kind,
    /// Creation code, without constructor arguments.
    pub creation: Bytes,
    /// Code on chain, immutables zero.
    pub runtime: Bytes,
    immutables: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    bytecode: Code,
    deployed_bytecode: Code,
    #[serde(default)]
    immutables: BTreeMap<String, Vec<usize>>,
}

#[derive(Deserialize)]
struct Code {
    object: Bytes,
}

impl Shipped {
    /// The shipped code of a contract.
    ///
    /// # Errors
    /// This version has none.
    pub fn of(kind: Kind) -> Result<Self, ArtifactError> {
        let text = kind.committed().ok_or(ArtifactError::NotShipped(kind))?;
        let damaged = |what: String| ArtifactError::Damaged { kind, what };
        let file: File = serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?;
        let runtime = file.deployed_bytecode.object;
        let fits = |at: &usize| at.checked_add(32).is_some_and(|end| end <= runtime.len());
        if !file.immutables.values().flatten().all(fits) {
            return Err(damaged("an immutable lies outside the code".into()));
        }
        Ok(Self { kind, creation: file.bytecode.object, runtime, immutables: file.immutables })
    }

    /// The code that must be on chain, with the immutables at these values.
    ///
    /// # Errors
    /// The code has an immutable that is not among `values`.
    pub fn runtime_with(&self, values: &[(&'static str, B256)]) -> Result<Vec<u8>, ArtifactError> {
        let mut code = self.runtime.to_vec();
        for (name, places) in &self.immutables {
            let unknown = || ArtifactError::UnknownImmutable { kind: self.kind, name: name.clone() };
            let (_, value) = values.iter().find(|(known, _)| known == name).ok_or_else(unknown)?;
            for at in places {
                let word = code.get_mut(*at..*at + 32).ok_or_else(unknown)?;
                word.copy_from_slice(value.as_slice());
            }
        }
        Ok(code)
    }

    /// Which immutable, if any, the byte at this offset of the code belongs to.
    pub fn immutable_at(&self, offset: usize) -> Option<&str> {
        let holds = |places: &[usize]| places.iter().any(|at| (*at..*at + 32).contains(&offset));
        self.immutables.iter().find(|(_, places)| holds(places)).map(|(name, _)| name.as_str())
    }

    /// The creation code with `arguments` behind it.
    pub fn initcode(&self, arguments: &[u8]) -> Bytes {
        [&self.creation, arguments].concat().into()
    }
}

/// Whether the artifacts in a folder are the ones of this program.
///
/// # Errors
/// The first that differs, or is not there.
pub fn same_as(folder: &Path) -> Result<(), ArtifactError> {
    let all = [
        Kind::TimelockController,
        Kind::AppointedKeepers,
        Kind::VotingPowerKeepers,
        Kind::CollateralVault,
        Kind::RentalEscrow,
        Kind::Arbiter,
        Kind::RentalBids,
    ];
    for kind in all {
        let path = folder.join(format!("{kind}.json"));
        let Some(own) = kind.committed() else { continue };
        let theirs = std::fs::read_to_string(&path).map_err(|error| {
            let what = format!("{} cannot be read: {error}", path.display());
            ArtifactError::Damaged { kind, what }
        })?;
        if theirs != own {
            return Err(ArtifactError::Other { kind, path });
        }
    }
    Ok(())
}

/// keccak256, as the records have it.
pub fn hash(code: &[u8]) -> surety_core::types::Hash32 {
    surety_core::types::Hash32(keccak256(code).0)
}

/// What the contracts were compiled with. The same numbers as `[profile.shipped]` in `contracts/foundry.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Compiler {
    pub solc: String,
    pub evm_version: String,
    pub via_ir: bool,
    pub optimizer_runs: u32,
    pub bytecode_hash: String,
    pub cbor_metadata: bool,
}

impl Compiler {
    /// The one this version was built with.
    pub fn shipped() -> Self {
        Self {
            solc: "0.8.30".into(),
            evm_version: "cancun".into(),
            via_ir: true,
            optimizer_runs: 10_000,
            bytecode_hash: "none".into(),
            cbor_metadata: false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_compiler_named_in_records_is_that_of_foundry_toml() {
        let file: toml::Value = toml::from_str(include_str!("../../foundry.toml")).unwrap();
        let compiler = Compiler::shipped();
        let value = |key: &str| {
            let at = |profile: &str| file["profile"][profile].get(key);
            at("shipped").or_else(|| at("default")).unwrap().clone()
        };
        assert_eq!(value("evm_version").as_str().unwrap(), compiler.evm_version);
        assert_eq!(value("via_ir").as_bool().unwrap(), compiler.via_ir);
        assert_eq!(value("optimizer_runs").as_integer().unwrap(), i64::from(compiler.optimizer_runs));
        assert_eq!(value("bytecode_hash").as_str().unwrap(), compiler.bytecode_hash);
        assert_eq!(value("cbor_metadata").as_bool().unwrap(), compiler.cbor_metadata);
        let pinned = include_str!("../../package.json");
        assert!(pinned.contains(&format!("\"solc\": \"{}\"", compiler.solc)));
    }

    #[test]
    fn the_artifacts_of_the_checkout_are_those_of_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts");
        assert_eq!(same_as(&folder), Ok(()));
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(matches!(same_as(elsewhere.path()), Err(ArtifactError::Damaged { .. })));
        for file in std::fs::read_dir(&folder).unwrap().flatten() {
            std::fs::copy(file.path(), elsewhere.path().join(file.file_name())).unwrap();
        }
        assert_eq!(same_as(elsewhere.path()), Ok(()));
        let arbiter = elsewhere.path().join("Arbiter.json");
        let other = std::fs::read_to_string(&arbiter).unwrap().replacen("6080", "6081", 1);
        std::fs::write(&arbiter, other).unwrap();
        assert!(matches!(same_as(elsewhere.path()), Err(ArtifactError::Other { kind: Kind::Arbiter, .. })));
    }

    #[test]
    fn an_immutable_that_nobody_knows_is_never_left_zero() {
        let bids = Shipped::of(Kind::RentalBids).unwrap();
        let one = [("ESCROW", B256::repeat_byte(1))];
        let error = bids.runtime_with(&one).unwrap_err();
        assert_eq!(error, ArtifactError::UnknownImmutable { kind: Kind::RentalBids, name: "VAULT".into() });
    }
}
