//! The capacity measurement: the keeper logs in with its own key, and the machine's agent answers as a prover.
//!
//! The command asked for means nothing: the agent runs its prover whatever a keeper asks. Only what the machine signed
//! can speak against it, so every failure on the way is `Unmeasured`.

use super::pinned::{self, Bounds, Pinned};
use super::round::Seat;
use super::{KeeperKey, SshLimits, bounded};
use russh::client::{AuthResult, Msg};
use russh::keys::PrivateKeyWithHashAlg;
use russh::{Channel, ChannelMsg};
use std::sync::Arc;
use std::time::Duration;
use surety_core::input::{MeasureOutcome, Observation};
use surety_core::types::{Endpoint, MachineId};
use surety_verifier::evidence::FraudProof;
use surety_verifier::frame::{self, Decoder, Frame, Side};
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::session::{Challenge, KeeperSession, Next, Outcome, SessionError};
use surety_verifier::verdict::{Falsehood, Verdict};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// What to measure.
#[derive(Clone, Debug)]
pub struct MeasureTarget {
    /// Where.
    pub endpoint: Endpoint,
    /// The account the agent lets keepers into.
    pub keeper_user: String,
    /// The work; names the machine whose host key must answer.
    pub challenge: Challenge,
    /// What the work is checked with.
    pub secrets: Arc<EpochSecrets>,
}

/// The command asked for. OpenSSH and the agent run the prover in its place.
const COMMAND: &str = "surety-verify";

/// One measurement, over by `limits.measure_deadline`; in step with others if it has a seat in a round.
pub async fn measure(
    target: &MeasureTarget,
    seat: Option<Seat>,
    key: &KeeperKey,
    limits: &SshLimits,
) -> MeasureOutcome {
    let deadline = Instant::now() + limits.measure_deadline;
    let bounds = Bounds { deadline, bytes_max: limits.measure_bytes_max, keep_max: 0 };
    let machine = MachineId(target.challenge.machine);
    let mut machine = match pinned::open(target.endpoint, machine, limits, bounds).await {
        Ok(machine) => machine,
        Err(seen) => return unmeasured(&unreached(&seen)),
    };
    let measured = match timeout(limits.login_deadline, log_in(&mut machine, &target.keeper_user, key)).await {
        Ok(Ok(channel)) => converse(channel, target, seat, deadline).await,
        Ok(Err(why)) => unmeasured(&why),
        Err(_) => unmeasured("no session within the time for a log-in"),
    };
    machine.leave().await;
    measured
}

/// Logs in with the keeper's key and starts the agent.
pub(super) async fn log_in(machine: &mut Pinned, user: &str, key: &KeeperKey) -> Result<Channel<Msg>, String> {
    let key = PrivateKeyWithHashAlg::new(key.private(), None);
    match machine.handle.authenticate_publickey(user, key).await {
        Ok(AuthResult::Success) => {}
        // russh reports a dropped connection as a failure that leaves no method.
        Ok(AuthResult::Failure { remaining_methods, .. }) if remaining_methods.is_empty() => {
            return Err(format!("the connection was lost at log-in: {}", machine.farewell()));
        }
        Ok(AuthResult::Failure { .. }) => {
            return Err("the machine does not let this keeper in".into());
        }
        Err(error) => return Err(format!("log-in failed: {error}")),
    }
    let channel = machine.handle.channel_open_session().await;
    let channel = channel.map_err(|error| format!("no session channel: {error}"))?;
    channel.exec(true, COMMAND).await.map_err(|error| format!("the agent was not started: {error}"))?;
    Ok(channel)
}

/// One conversation with the prover: the protocol's state machine between a channel and a clock.
struct Talk {
    channel: Channel<Msg>,
    session: KeeperSession,
    seat: Option<Seat>,
    decoder: Decoder,
    epoch: Instant,
    /// The last of what the agent wrote to its standard error, for the record.
    complaint: String,
}

async fn converse(
    channel: Channel<Msg>,
    target: &MeasureTarget,
    seat: Option<Seat>,
    deadline: Instant,
) -> MeasureOutcome {
    let opened = KeeperSession::new(target.challenge.clone(), target.secrets.clone(), 0);
    let (session, hello) = match opened {
        Ok(opened) => opened,
        Err(error) => return unmeasured(&format!("no session can be set up: {error}")),
    };
    let session = if seat.is_some() { session.in_round() } else { session };
    let decoder = Decoder::new(Side::FromMachine);
    let mut talk = Talk { channel, session, seat, decoder, epoch: Instant::now(), complaint: String::new() };
    match timeout_at(deadline, talk.run(hello)).await {
        Ok(Ok(outcome)) => talk.conclude(outcome).await,
        Ok(Err(error)) => unmeasured(&error.to_string()),
        Err(_) => unmeasured("the time for a measurement has passed"),
    }
}

impl Talk {
    async fn run(&mut self, hello: Vec<Frame>) -> Result<Outcome, SessionError> {
        let mut to_send = hello;
        loop {
            if !self.send(&to_send).await {
                return self.session.on_disconnect(self.now_ms());
            }
            to_send = match self.next().await? {
                Next::Send(frames) => frames,
                Next::Wait => Vec::new(),
                Next::Ready => match self.go().await? {
                    Ok(frames) => frames,
                    Err(too_late) => return Ok(too_late),
                },
                Next::Done(outcome) => return Ok(*outcome),
            };
        }
    }

    /// Waits for the round; a session that comes too late for it is over. What the machine sends meanwhile has no place
    /// in a session, and is read afterwards.
    async fn go(&mut self) -> Result<Result<Vec<Frame>, Outcome>, SessionError> {
        let in_step = match &mut self.seat {
            Some(seat) => seat.in_step().await,
            None => true,
        };
        if in_step {
            return self.session.go(self.now_ms()).map(Ok);
        }
        self.complaint = "it came too late for its round".to_owned();
        self.session.on_disconnect(self.now_ms()).map(Err)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// When the session's current phase must be over. Frames at the deadline are still in time, hence the 1 ms.
    fn phase_end(&self) -> Instant {
        self.epoch + Duration::from_millis(self.session.deadline_ms().saturating_add(1))
    }

    /// False when the other side does not take the bytes by the end of the phase.
    async fn send(&mut self, frames: &[Frame]) -> bool {
        let bytes: Vec<u8> = frames.iter().flat_map(frame::encode).collect();
        bytes.is_empty() || matches!(timeout_at(self.phase_end(), self.channel.data_bytes(bytes)).await, Ok(Ok(())))
    }

    async fn next(&mut self) -> Result<Next, SessionError> {
        let phase_end = self.phase_end();
        let message = tokio::select! {
            message = self.channel.wait() => message,
            () = sleep_until(phase_end) => return self.session.on_timeout(self.now_ms()).map(done),
        };
        match message {
            Some(ChannelMsg::Data { data }) => self.hear(&data),
            Some(ChannelMsg::ExtendedData { data, .. }) => {
                self.complaint = bounded(&String::from_utf8_lossy(&data));
                Ok(Next::Wait)
            }
            Some(ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure) | None => {
                self.session.on_disconnect(self.now_ms()).map(done)
            }
            // After ExitStatus there may be data still: read on to the end.
            Some(_) => Ok(Next::Wait),
        }
    }

    fn hear(&mut self, mut data: &[u8]) -> Result<Next, SessionError> {
        let (mut to_send, mut ready) = (Vec::new(), false);
        while !data.is_empty() {
            let (frame, encoded) = match self.decoder.take_whole(&mut data) {
                Ok(Some(whole)) => whole,
                Ok(None) => break,
                Err(error) => return self.session.on_malformed(&error, self.now_ms()).map(done),
            };
            match self.session.on_received(frame, encoded, self.now_ms())? {
                Next::Send(frames) => to_send.extend(frames),
                Next::Wait => {}
                // If it goes on talking, the session says what that means.
                Next::Ready => ready = true,
                finished @ Next::Done(_) => return Ok(finished),
            }
        }
        Ok(match (ready, to_send.is_empty()) {
            (true, _) => Next::Ready,
            (false, true) => Next::Wait,
            (false, false) => Next::Send(to_send),
        })
    }

    async fn conclude(&mut self, outcome: Outcome) -> MeasureOutcome {
        const FAREWELL_MAX: Duration = Duration::from_millis(250);
        if let Some(farewell) = &outcome.farewell {
            timeout(FAREWELL_MAX, self.channel.data_bytes(frame::encode(farewell))).await.ok();
        }
        let complaint = std::mem::take(&mut self.complaint);
        // Recomputing a bad row takes up to 0.15 s: not on an async thread.
        let judged = tokio::task::spawn_blocking(move || judge(&outcome, &complaint)).await;
        judged.unwrap_or_else(|error| unmeasured(&format!("the result could not be judged: {error}")))
    }
}

fn done(outcome: Outcome) -> Next {
    Next::Done(Box::new(outcome))
}

fn judge(outcome: &Outcome, complaint: &str) -> MeasureOutcome {
    let transcript = || serde_json::to_value(&outcome.transcript);
    match (&outcome.verdict, transcript()) {
        (Verdict::Proven { class, count }, Ok(transcript)) => {
            MeasureOutcome::Proven { gpu_class: class.0, gpu_count: *count, transcript }
        }
        (Verdict::Fraud(falsehood), Ok(_)) => bad_proof(outcome, falsehood),
        (Verdict::Underperforming(short), _) => MeasureOutcome::Underperforming { why: short.to_string() },
        (Verdict::Unmeasured(why), _) if complaint.is_empty() => unmeasured(&format!("{why:?}")),
        (Verdict::Unmeasured(why), _) => unmeasured(&format!("{why:?}; the agent says: {complaint}")),
        (_, Err(error)) => unmeasured(&format!("the transcript could not be written: {error}")),
    }
}

/// Only what anybody can recompute counts as a bad proof, and only that part of the transcript is kept.
fn bad_proof(outcome: &Outcome, falsehood: &Falsehood) -> MeasureOutcome {
    let why = falsehood.to_string();
    let proof = FraudProof::shorten(&outcome.transcript, falsehood).filter(|proof| proof.verify().is_ok());
    match proof.map(serde_json::to_value) {
        Some(Ok(transcript)) => MeasureOutcome::BadProof { why, transcript },
        _ => unmeasured(&format!("{why}, but nobody else could see it")),
    }
}

fn unmeasured(why: &str) -> MeasureOutcome {
    MeasureOutcome::Unmeasured { why: bounded(why) }
}

pub(super) fn unreached(seen: &Observation) -> String {
    match seen {
        Observation::NotLooked { why } => format!("not looked: {why}"),
        Observation::NoConnection { why } => format!("no connection: {why}"),
        Observation::NoHandshake { why } | Observation::Lost { why } => {
            format!("no key exchange: {why}")
        }
        Observation::WrongHostKey { got } => format!("wrong host key: {got}"),
        Observation::Hostile { what } => format!("hostile: {what}"),
        Observation::Accepted | Observation::Refused | Observation::CardsStated { .. } => "no session".into(),
    }
}
