//! What a session asks the agent for, and what it hears, over the agent's socket.
//!
//! ```text
//! request = length u32 (with three descriptors: input, output, errors) ‖ rental u64 ‖ n u8 ‖ terminal kind, n bytes
//!           (n = 0: no terminal) ‖ command, to the end
//! later, from the session: "w" for each change of the terminal's size
//! answer  = 0 ‖ exit code u8, or 1 ‖ why not, text; then the end
//! ```
//! Numbers are big-endian.

use surety_core::types::RentalId;

/// Longest command: the system gives a program no longer argument (`MAX_ARG_STRLEN` is 128 KiB).
pub(crate) const COMMAND_MAX: usize = 127 * 1024;
const TERM_MAX: usize = 64;
const HEAD: usize = 9;
/// Longest request behind its length.
pub(crate) const REQUEST_MAX: usize = HEAD + TERM_MAX + COMMAND_MAX;
/// Longest answer.
pub(crate) const ANSWER_MAX: u64 = 4096;
/// The terminal has another size.
pub(crate) const RESIZED: u8 = b'w';

/// What a session wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The rental whose container it is to be.
    pub(crate) rental: RentalId,
    /// The terminal's kind; `None` without a terminal.
    pub(crate) term: Option<String>,
    /// The renter's line, as sshd has it; empty for a shell to log in to.
    pub(crate) command: Vec<u8>,
}

impl Request {
    /// The bytes behind the length; `None` when it is too long.
    pub(crate) fn encode(&self) -> Option<Vec<u8>> {
        let term = self.term.as_deref().unwrap_or_default();
        let mut bytes = self.rental.to_be_bytes().to_vec();
        bytes.push(u8::try_from(term.len()).ok()?);
        bytes.extend_from_slice(term.as_bytes());
        bytes.extend_from_slice(&self.command);
        (term.len() <= TERM_MAX && self.command.len() <= COMMAND_MAX).then_some(bytes)
    }

    /// `None` when it is not what a session of ours would send.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (rental, rest) = bytes.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first()?;
        let (term, command) = rest.split_at_checked(usize::from(*length))?;
        let term = std::str::from_utf8(term).ok().filter(|term| is_term(term))?;
        let is_well = command.len() <= COMMAND_MAX && !command.contains(&0);
        let term = Some(term.to_owned()).filter(|term| !term.is_empty());
        is_well.then(|| Self { rental: RentalId::from_be_bytes(*rental), term, command: command.to_vec() })
    }
}

/// Names of terminals as terminfo has them.
pub(crate) fn is_term(term: &str) -> bool {
    term.len() <= TERM_MAX && term.chars().all(|c| c.is_ascii_alphanumeric() || "+-._".contains(c))
}

/// What a session hears at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The command ended, with this code.
    Exit(u8),
    /// It was not run, and why.
    Refused(String),
}

impl Answer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Exit(code) => vec![0, *code],
            Self::Refused(why) => [&[1], why.as_bytes()].concat(),
        }
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0, code] => Some(Self::Exit(*code)),
            [1, why @ ..] => Some(Self::Refused(String::from_utf8_lossy(why).into_owned())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn requests_and_answers_come_back_as_they_were() {
        for (term, command) in [(None, b"".to_vec()), (Some("xterm-256color"), b"a 'b' $(c) \xff".to_vec())] {
            let request = Request { rental: 7, term: term.map(str::to_owned), command };
            assert_eq!(Request::decode(&request.encode().unwrap()).unwrap(), request);
        }
        for answer in [Answer::Exit(3), Answer::Refused("no".into())] {
            assert_eq!(Answer::decode(&answer.encode()).unwrap(), answer);
        }
    }

    #[test]
    fn what_no_session_of_ours_would_send_is_refused() {
        let well = Request { rental: 1, term: Some("vt100".into()), command: b"id".to_vec() }.encode().unwrap();
        for cut in 0..14 {
            assert_eq!(Request::decode(&well[..cut]), None, "{cut} bytes");
        }
        let mut nul = well.clone();
        nul.push(0);
        let mut odd_term = well.clone();
        odd_term[9] = b'=';
        let long = [well.as_slice(), &vec![b'x'; COMMAND_MAX]].concat();
        for bytes in [nul, odd_term, long] {
            assert_eq!(Request::decode(&bytes), None);
        }
        let too_long = Request { rental: 1, term: None, command: vec![b'x'; COMMAND_MAX + 1] };
        assert_eq!(too_long.encode(), None);
        for bytes in [&[][..], &[0], &[0, 1, 2], &[2, 0]] {
            assert_eq!(Answer::decode(bytes), None);
        }
    }
}
