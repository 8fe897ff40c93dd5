//! Whose key signs: a file with hex or a keystore, or the environment. Never an argument, which others can read.

use super::amount::Tao;
use super::exit::Stop;
use super::{ask, keystore, parse};
use anyhow::{Context, Result};
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use surety_client::keys::{Key, KeyError, read_secret};
use surety_core::types::{Account, Rao};

/// The environment variable for a key that lies in no file.
const KEY_VARIABLE: &str = "SURETY_KEY";

/// The environment variable for the password of a keystore.
const PASSWORD_VARIABLE: &str = "SURETY_PASSWORD";

/// The fee that nothing here comes near: some 500,000 gas at fifty times the usual price.
const FEE_MAX: &str = "0.1";

/// Whose key signs, and what is asked before it does.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signing")]
pub(in crate::cli) struct Signing {
    /// The key: 32 bytes as hex, or a web3 keystore (JSON, version 3), in a file that nobody else can read. Without it
    /// the environment's SURETY_KEY.
    #[arg(long, value_name = "FILE", env = "SURETY_KEY_FILE")]
    pub(in crate::cli) key_file: Option<PathBuf>,
    /// The keystore's password, in a file that nobody else can read. Without it the environment's SURETY_PASSWORD, or
    /// it is asked for.
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) password_file: Option<PathBuf>,
    /// Look as this account, without a key; with --dry-run.
    #[arg(long, value_name = "ADDRESS", value_parser = parse::account, requires = "dry_run")]
    pub(in crate::cli) from: Option<Account>,
    /// Do not ask before signing.
    #[arg(long, short = 'y')]
    pub(in crate::cli) yes: bool,
    /// Show everything, and sign and send nothing.
    #[arg(long)]
    pub(in crate::cli) dry_run: bool,
    /// The highest fee of one transaction, in TAO.
    #[arg(long, value_name = "TAO", default_value = FEE_MAX)]
    pub(in crate::cli) max_fee: Tao,
}

/// Who acts: an account, and its key where something can be signed.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Actor {
    /// Who.
    pub(in crate::cli) account: Account,
    /// None: only looking.
    pub(in crate::cli) key: Option<Key>,
}

impl Signing {
    /// Who acts. Asks for a password where one is needed.
    ///
    /// # Errors
    /// No key is named, or what is named is none.
    pub(in crate::cli) fn actor(&self) -> Result<Actor> {
        if let Some(account) = self.from {
            return Ok(Actor { account, key: None });
        }
        let missing = || Stop::usage("whose key? Name it with --key-file FILE, or put it in SURETY_KEY");
        let key = key(self.key_file.as_deref(), self.password_file.as_deref())?.ok_or_else(missing)?;
        Ok(Actor { account: key.account(), key: Some(key) })
    }

    /// The highest fee of one transaction.
    pub(in crate::cli) fn fee_max_rao(&self) -> Rao {
        self.max_fee.0
    }
}

/// Whose things are looked at: an address, or that of a key.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Of {
    /// Whose; without it the account of --key-file or SURETY_KEY.
    #[arg(long = "of", value_name = "ADDRESS", value_parser = parse::account)]
    pub(in crate::cli) account: Option<Account>,
    /// A key file, to look as its account.
    #[arg(long, value_name = "FILE", env = "SURETY_KEY_FILE")]
    pub(in crate::cli) key_file: Option<PathBuf>,
}

impl Of {
    /// The account.
    ///
    /// # Errors
    /// None is named.
    pub(in crate::cli) fn account(&self) -> Result<Account> {
        if let Some(account) = self.account {
            return Ok(account);
        }
        let missing = || Stop::usage("whose? Name the account with --of ADDRESS, or a key with --key-file");
        Ok(key(self.key_file.as_deref(), None)?.ok_or_else(missing)?.account())
    }
}

/// The key in this file, or in the environment; None: neither is there.
pub(in crate::cli) fn key(file: Option<&Path>, password_file: Option<&Path>) -> Result<Option<Key>> {
    if let Some(path) = file {
        return read(path, password_file).map(Some);
    }
    let Ok(text) = std::env::var(KEY_VARIABLE).map(SecretString::from) else { return Ok(None) };
    let wrong = || Stop::usage(format!("{KEY_VARIABLE} does not hold 32 bytes as hex"));
    Key::from_hex(&text).ok_or_else(wrong).map(Some)
}

fn read(path: &Path, password_file: Option<&Path>) -> Result<Key> {
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if size > keystore::FILE_BYTES_MAX {
        return Err(Stop::usage(format!("{} is too long for a key file: {size} bytes", path.display())));
    }
    let text = read_secret(path)?;
    if !keystore::is_one(&text) {
        return Ok(Key::from_hex(&text).ok_or_else(|| KeyError::NotAKey { path: path.to_owned() })?);
    }
    let password = password(password_file)?;
    keystore::open(&text, &password).with_context(|| format!("the keystore {}", path.display()))
}

fn password(file: Option<&Path>) -> Result<SecretString> {
    if let Some(path) = file {
        let text = read_secret(path)?;
        return Ok(text.expose_secret().trim_end_matches(['\r', '\n']).into());
    }
    if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(password.into());
    }
    let instead = "name a file with --password-file, or put it into the environment's SURETY_PASSWORD";
    ask::password("Password of the keystore: ", "the keystore's password", instead)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_that_others_can_read_and_one_that_is_too_long_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, format!("0x{}\n", "11".repeat(32))).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(key(Some(&path), None).unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(key(Some(&path), None).unwrap().is_some());
        std::fs::write(&path, "1".repeat(70_000)).unwrap();
        assert!(key(Some(&path), None).unwrap_err().to_string().contains("too long"));
    }
}
