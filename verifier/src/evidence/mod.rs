//! Checking again: the session ([`replay`], with the keeper's vectors or any others), and what the machine signed
//! ([`recheck_public`] and [`FraudProof`], with nothing but public bytes).

mod fraud;
mod public;

pub use fraud::{FrameBytes, FraudProof, ProvenFraud};
pub use public::{PublicError, PublicFinding, recheck_public};

use std::sync::Arc;

use crate::frame::Frame;
use crate::freivalds::EpochSecrets;
use crate::session::{KeeperSession, Next, Outcome, SessionError, SetupError};
use crate::transcript::{End, Event, Party, Transcript};
use crate::verdict::Verdict;

/// Why a transcript does not replay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// No session can be set up like this, or the secrets are of another epoch.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// An event is no frame.
    #[error("event {0} is not one whole frame")]
    Event(usize),
    /// The session goes on where the transcript ends, or ends where it goes on.
    #[error("the session does not end where the transcript does")]
    End,
    /// The keeper would have sent other frames, or at other times.
    #[error("a keeper would not have said what the transcript has it say")]
    Differs,
}

impl From<SessionError> for ReplayError {
    fn from(_: SessionError) -> Self {
        Self::End
    }
}

/// Runs the keeper's side again on what the machine said. Gives the verdict of the live session, or an error if any
/// byte or time of the transcript is not what a keeper with these secrets would have recorded.
///
/// # Errors
/// When the transcript is not that of a session.
pub fn replay(transcript: &Transcript, secrets: &Arc<EpochSecrets>) -> Result<Verdict, ReplayError> {
    let challenge = transcript.challenge.clone();
    let (session, _) = KeeperSession::new(challenge, Arc::clone(secrets), transcript.started_ms)?;
    // One that waited for nobody went on at once, which is a time like any other.
    let mut session = session.in_round();
    let mut decided = None;
    for (index, event) in transcript.events.iter().enumerate().filter(|(_, event)| event.from == Party::Machine) {
        let frame = event.decode().map_err(|_| ReplayError::Event(index))?;
        match session.on_frame(frame, event.at_ms)? {
            Next::Done(outcome) => decided = Some(*outcome),
            Next::Ready => go_on(&mut session, transcript.events.get(index + 1))?,
            Next::Send(_) | Next::Wait => {}
        }
    }
    let outcome = match decided {
        Some(outcome) => outcome,
        None => end(&mut session, &transcript.end)?,
    };
    if outcome.transcript == *transcript { Ok(outcome.verdict) } else { Err(ReplayError::Differs) }
}

/// When the keeper went on, if it did: `next` is what it said then.
fn go_on(session: &mut KeeperSession, next: Option<&Event>) -> Result<(), ReplayError> {
    let goes = |event: &&Event| matches!(event.decode(), Ok(Frame::Start(_) | Frame::Walk(_) | Frame::Open(_)));
    if let Some(event) = next.filter(|event| event.from == Party::Keeper).filter(goes) {
        session.go(event.at_ms)?;
    }
    Ok(())
}

fn end(session: &mut KeeperSession, end: &End) -> Result<Outcome, ReplayError> {
    Ok(match end {
        End::Decided => return Err(ReplayError::End),
        End::TimedOut { at_ms } => session.on_timeout(*at_ms)?,
        End::Disconnected { at_ms } => session.on_disconnect(*at_ms)?,
        End::Malformed { at_ms, detail } => {
            session.advance(*at_ms)?;
            session.malformed(detail.clone())
        }
    })
}
