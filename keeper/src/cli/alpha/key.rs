//! Whose coldkey signs: from btcli's file, encrypted or not, or a development key on a local chain.

use super::Signing;
use super::refused::Refused;
use crate::cli::kit::ask;
pub(super) use crate::cli::kit::ask::confirm;
use anyhow::{Context, Result};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::FILE_BYTES_MAX;
use surety_substrate::wallet::coldkey::Coldkey;

/// The environment variable for the password of an encrypted coldkey file.
const PASSWORD_VARIABLE: &str = "SURETY_COLDKEY_PASSWORD";

/// Who acts: an account, and its key where something is to be signed.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) account: AccountId,
    pub(super) key: Option<Coldkey>,
}

/// Reads whose coldkey it is. `local` says that the chain is a local one.
pub(super) fn actor(signing: &Signing, local: bool) -> Result<Actor> {
    let key = match (&signing.coldkey_file, &signing.dev) {
        (Some(path), _) => Some(read(path)?),
        (None, Some(uri)) => Some(Coldkey::dev(uri, local)?),
        (None, None) => None,
    };
    match (key, signing.owner) {
        (Some(key), Some(owner)) if key.account() != owner => {
            Err(Refused::OtherKey { key: key.account(), owner }.into())
        }
        (Some(key), _) => Ok(Actor { account: key.account(), key: Some(key) }),
        (None, Some(account)) if signing.dry_run => Ok(Actor { account, key: None }),
        (None, _) => Err(Refused::NoKey.into()),
    }
}

fn read(path: &Path) -> Result<Coldkey> {
    let shown = || path.display().to_string();
    let file = File::open(path).with_context(|| format!("cannot read the coldkey file {}", shown()))?;
    let mode = file.metadata()?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Refused::Exposed { path: shown(), mode }.into());
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).with_context(shown)?;
    let password = Coldkey::wants_password(&bytes).then(password).transpose()?;
    Coldkey::from_file(&bytes, password.as_ref()).with_context(shown)
}

fn password() -> Result<SecretString> {
    if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(password.into());
    }
    let instead = "put it into the environment's SURETY_COLDKEY_PASSWORD";
    ask::password("Password of the coldkey: ", "the coldkey's password", instead)
}
