//! What a person says at the terminal: a password that is not shown, and whether to go on.

use super::exit::Stop;
use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use std::fs::File;
use std::io::{BufRead, IsTerminal, Read, Write};

/// Most bytes of an answer at the terminal.
const ANSWER_MAX: usize = 1_024;

/// What the keys that end, undo and interrupt send to a terminal that passes them on.
const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACKSPACE: u8 = 0x08;
const DELETE: u8 = 0x7f;

/// Nobody can be asked for a password.
#[derive(Debug, thiserror::Error)]
#[error("nobody can be asked for {what} (no terminal): {instead}")]
pub(in crate::cli) struct NobodyToAsk {
    /// For what.
    pub(in crate::cli) what: &'static str,
    /// What to do.
    pub(in crate::cli) instead: &'static str,
}

/// Asks for a password at the process's terminal.
///
/// # Errors
/// There is no terminal, or the answer was interrupted.
pub(in crate::cli) fn password(question: &str, what: &'static str, instead: &'static str) -> Result<SecretString> {
    let terminal =
        File::options().read(true).write(true).open("/dev/tty").map_err(|_| NobodyToAsk { what, instead })?;
    hidden(&terminal, question).with_context(|| format!("{what} was not read from the terminal"))
}

/// A terminal that shows nothing of what is typed and turns no key into a signal, until this is dropped: so it is as it
/// was however the answer ends.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        // First quiet, then the question: this throws away what was typed before, which is no answer to it.
        tcsetattr(terminal, OptionalActions::Flush, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        tcsetattr(self.terminal, OptionalActions::Now, &self.before).ok();
    }
}

/// Asks at a terminal that does not show the answer.
pub(in crate::cli) fn hidden(terminal: &File, question: &str) -> Result<SecretString> {
    let quiet = Quiet::new(terminal)?;
    write!(&mut &*terminal, "{question}")?;
    let answer = line(&mut &*terminal);
    drop(quiet);
    writeln!(&mut &*terminal)?;
    let answer = answer?;
    Ok(std::str::from_utf8(&answer).context("the answer is no text")?.into())
}

/// Bytes up to the end of the line, as keys send them.
fn line(from: &mut impl Read) -> Result<Zeroizing<Vec<u8>>> {
    let mut answer = Zeroizing::new(Vec::with_capacity(ANSWER_MAX));
    let mut byte = [0];
    while answer.len() < ANSWER_MAX {
        from.read_exact(&mut byte).context("the terminal closed")?;
        match byte[0] {
            b'\r' | b'\n' => return Ok(answer),
            INTERRUPT => return Err(Stop::NotConfirmed("interrupted at the question: nothing was done".into()).into()),
            END if answer.is_empty() => return Err(Stop::NotConfirmed("no answer: nothing was done".into()).into()),
            BACKSPACE | DELETE => {
                let whole = answer.iter().rposition(|b| b & 0xc0 != 0x80).unwrap_or(0);
                answer.truncate(whole);
            }
            other => answer.push(other),
        }
    }
    anyhow::bail!("an answer of more than {ANSWER_MAX} bytes is no password")
}

/// Asks whether to go on; only `yes` does.
///
/// # Errors
/// Nobody can be asked, or the answer was another.
pub(in crate::cli) fn confirm(yes: bool, json: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if json || !std::io::stdin().is_terminal() {
        let why = "nobody can be asked for a confirmation (no terminal): say it with --yes, or look with --dry-run";
        return Err(Stop::NotConfirmed(why.into()).into());
    }
    eprint!("Sign and send this? Type yes: ");
    let mut answer = String::new();
    std::io::stdin().lock().take(ANSWER_MAX as u64).read_line(&mut answer)?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Stop::NotConfirmed("not confirmed: nothing was signed".into()).into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use secrecy::ExposeSecret;
    use std::sync::mpsc;
    use std::time::Duration;

    /// What a person who types `keys` at the question leaves behind: the answer, what was shown, and whether the
    /// terminal shows again what is typed.
    fn asked(keys: &[u8]) -> (Result<SecretString>, String, bool) {
        let person = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap());
        grantpt(&person).unwrap();
        unlockpt(&person).unwrap();
        let name = ptsname(&person, Vec::new()).unwrap().into_string().unwrap();
        let terminal = File::options().read(true).write(true).open(name).unwrap();
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send((hidden(&terminal, "Password: "), terminal)));
        let mut shown = Vec::new();
        while !shown.ends_with(b"Password: ") {
            let mut byte = [0];
            (&person).read_exact(&mut byte).unwrap();
            shown.push(byte[0]);
        }
        (&person).write_all(keys).unwrap();
        let (answer, terminal) = told.recv_timeout(Duration::from_secs(10)).unwrap();
        let mut rest = [0; 64];
        let count = (&person).read(&mut rest).unwrap();
        (answer, String::from_utf8_lossy(&rest[..count]).into_owned(), shows_again(&terminal))
    }

    fn shows_again(terminal: &File) -> bool {
        let wanted = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcgetattr(terminal).unwrap().local_modes.contains(wanted)
    }

    #[test]
    fn a_password_is_read_from_a_terminal_that_does_not_show_it_however_fast_the_answer_comes() {
        let (answer, shown, shows_again) = asked(b"open sesamee\x7f\n");
        assert_eq!(answer.unwrap().expose_secret(), "open sesame");
        assert!(!shown.contains("sesame"), "{shown}");
        assert!(shows_again, "and it shows again what is typed");
    }

    #[test]
    fn an_interrupt_at_the_question_leaves_a_terminal_that_shows_what_is_typed() {
        let (answer, _, shows_again) = asked(b"half\x03");
        assert!(answer.unwrap_err().to_string().contains("interrupted"));
        assert!(shows_again);
    }

    #[test]
    fn a_letter_of_several_bytes_is_taken_back_as_one() {
        let (answer, _, _) = asked("aü\u{7f}b\n".as_bytes());
        assert_eq!(answer.unwrap().expose_secret(), "ab");
    }
}
