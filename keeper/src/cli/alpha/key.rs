//! Whose coldkey signs: from btcli's file, encrypted or not, or a development key on a local chain.

use super::Signing;
use super::refused::Refused;
use anyhow::{Context, Result};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::FILE_BYTES_MAX;
use surety_substrate::wallet::coldkey::Coldkey;

/// The environment variable for the password of an encrypted coldkey file.
const PASSWORD_VARIABLE: &str = "SURETY_COLDKEY_PASSWORD";

/// Most characters of an answer at the terminal.
const ANSWER_MAX: u64 = 1_024;

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
    let nobody = Refused::NobodyToAsk { what: "the coldkey's password", instead };
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| nobody)?;
    hidden(&terminal, "Password of the coldkey: ").context("the password was not read from the terminal")
}

/// Asks at a terminal that does not show the answer.
fn hidden(terminal: &File, question: &str) -> Result<SecretString> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let before = tcgetattr(terminal)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    // First quiet, then the question: this throws away what was typed before, which is no answer to it.
    tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
    write!(&mut &*terminal, "{question}")?;
    let mut answer = Zeroizing::new(String::new());
    let read = BufReader::new(terminal.take(ANSWER_MAX)).read_line(&mut answer);
    tcsetattr(terminal, OptionalActions::Now, &before)?;
    writeln!(&mut &*terminal)?;
    read?;
    Ok(answer.trim_end_matches(['\r', '\n']).into())
}

/// Asks whether to go on; only `yes` does.
pub(super) fn confirm(yes: bool, json: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if json || !std::io::stdin().is_terminal() {
        let instead = "say it with --yes, or look first with --dry-run";
        return Err(Refused::NobodyToAsk { what: "a confirmation", instead }.into());
    }
    eprint!("Sign and send this? Type yes: ");
    let mut answer = String::new();
    std::io::stdin().lock().take(ANSWER_MAX).read_line(&mut answer)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Refused::NotConfirmed.into()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use secrecy::ExposeSecret;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn a_password_is_read_from_a_terminal_that_does_not_show_it_however_fast_the_answer_comes() {
        let person = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(hidden(&terminal, "Password: ").map(|text| (text, terminal))));
        let mut shown = Vec::new();
        while !shown.ends_with(b"Password: ") {
            let mut byte = [0];
            (&person).read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
        writeln!(&mut &person, "open sesame").unwrap();
        let (text, terminal) = told.recv_timeout(Duration::from_secs(10)).unwrap().unwrap();
        assert_eq!(text.expose_secret(), "open sesame");
        let mut rest = [0; 64];
        let count = (&person).read(&mut rest).unwrap();
        assert!(!String::from_utf8_lossy(&rest[..count]).contains("sesame"));
        let modes = rustix::termios::tcgetattr(&terminal).unwrap().local_modes;
        assert!(modes.contains(rustix::termios::LocalModes::ECHO), "and it shows again what is typed");
    }
}
