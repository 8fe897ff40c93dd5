//! Compiles the Solidity in `contracts/` and renders what the rest of the workspace reads of it.
//!
//! # Layout
//! - [`settings`]: compiler settings, read from `foundry.toml`, so that forge and this crate cannot drift apart;
//! - [`build`]: one compilation through foundry-compilers;
//! - [`artifact`]: what is kept of a contract, and how it is written to `contracts/artifacts/`.

pub mod artifact;
pub mod build;
pub mod settings;

use std::path::{Path, PathBuf};

/// The folder `contracts/` of this checkout.
pub fn contracts_dir() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
