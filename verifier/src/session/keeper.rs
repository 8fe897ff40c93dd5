//! The keeper's side: asks, times, checks, and ends with a verdict and a transcript.

use std::sync::Arc;

use super::challenge::{Challenge, SetupError};
use super::signed::Signed;
use crate::Bytes32;
use crate::frame::{
    self, Bye, DecodeError, Echo, Frame, FrameType, Hello, HelloAck, Open, Root, Row, Segment, Walk, Walked,
};
use crate::freivalds::EpochSecrets;
use crate::limits::{ECHO_COUNT, HOLD_MAX_MS, PROTOCOL_VERSION, RTT_CREDIT_MAX_MS};
use crate::seed::{self, Openings};
use crate::transcript::{self, End, Event, Party, Transcript};
use crate::verdict::{Phase, Shortfall, Unmeasured, Verdict};

/// A session on the keeper's side. Times are milliseconds of the keeper's monotonic clock; a time before an earlier
/// one is taken for that earlier one.
#[derive(Debug)]
pub struct KeeperSession {
    challenge: Challenge,
    secrets: Arc<EpochSecrets>,
    phase: Phase,
    /// When the current phase must be over.
    deadline_ms: u64,
    /// When the frame was sent that is being waited on.
    sent_ms: u64,
    now_ms: u64,
    echoes: u16,
    rtt_min_ms: u64,
    compute_ms: u64,
    walk_ms: u64,
    signed: Signed,
    rows_shown: usize,
    legs_shown: usize,
    events: Vec<Event>,
    started_ms: u64,
    /// Whether to stop before the work, the walk and the question, for others of a round.
    holds: bool,
    /// What comes next, when whoever runs the session says so.
    held: Option<Held>,
    over: bool,
}

/// Before what a session waits for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Start,
    /// With the nonce.
    Walk(Bytes32),
    Open,
}

/// What to do after a frame.
#[derive(Debug)]
pub enum Next {
    /// Send these, in order, at once.
    Send(Vec<Frame>),
    /// Read on.
    Wait,
    /// The machine is ready for what comes next: say when, with [`KeeperSession::go`]. Only in sessions of a round.
    Ready,
    /// The session is over.
    Done(Box<Outcome>),
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it has shown.
    pub verdict: Verdict,
    /// All that was said, enough to come to the same verdict again.
    pub transcript: Transcript,
    /// To be sent before hanging up, if anybody still listens.
    pub farewell: Option<Frame>,
}

/// A call that a session has no use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The outcome has been given already.
    #[error("the session is over")]
    Over,
    /// Nothing is held back, or it was for too long.
    #[error("the session waits for nobody, or has waited for too long")]
    NotHeld,
    /// Time is not up.
    #[error("the deadline is at {deadline_ms} ms, it is {now_ms} ms")]
    NotYet {
        /// When time is up.
        deadline_ms: u64,
        /// What time it is.
        now_ms: u64,
    },
}

/// What one frame leads to.
enum Step {
    Send(Vec<Frame>),
    Wait,
    Hold(Held),
    End(Verdict),
}

impl KeeperSession {
    /// Opens a session. Returns it with the frames to send first.
    ///
    /// # Errors
    /// When the challenge is none that can be measured, or the secrets are not for it.
    pub fn new(
        challenge: Challenge,
        secrets: Arc<EpochSecrets>,
        now_ms: u64,
    ) -> Result<(Self, Vec<Frame>), SetupError> {
        challenge.check_with(&secrets)?;
        let start = challenge.start();
        let mut session = Self {
            deadline_ms: now_ms.saturating_add(challenge.limits.hello_ms),
            challenge,
            secrets,
            signed: Signed::nothing(start),
            phase: Phase::Hello,
            sent_ms: now_ms,
            now_ms,
            echoes: 0,
            rtt_min_ms: u64::MAX,
            compute_ms: 0,
            walk_ms: 0,
            rows_shown: 0,
            legs_shown: 0,
            events: Vec::new(),
            started_ms: now_ms,
            holds: false,
            held: None,
            over: false,
        };
        let hello = vec![Frame::Hello(Hello { version: PROTOCOL_VERSION })];
        session.record(Party::Keeper, &hello);
        Ok((session, hello))
    }

    /// A session of a round: it says when the machine is ready for the work, the walk and the question, and waits for
    /// [`Self::go`] each time.
    #[must_use]
    pub fn in_round(self) -> Self {
        Self { holds: true, ..self }
    }

    /// Goes on where the session has said [`Next::Ready`]. Returns the frames to send, at once: a clock runs from here.
    ///
    /// # Errors
    /// When it has not said so, or longer ago than [`HOLD_MAX_MS`]; then it has timed out.
    pub fn go(&mut self, now_ms: u64) -> Result<Vec<Frame>, SessionError> {
        self.advance(now_ms)?;
        let held = self.held.filter(|_| self.now_ms <= self.deadline_ms).ok_or(SessionError::NotHeld)?;
        self.held = None;
        let frames = self.proceed(held);
        self.record(Party::Keeper, &frames);
        Ok(frames)
    }

    fn proceed(&mut self, held: Held) -> Vec<Frame> {
        let limits = self.challenge.limits;
        match held {
            Held::Start => {
                self.enter(Phase::Compute, limits.compute_ms);
                vec![Frame::Start(self.signed.start().clone())]
            }
            Held::Walk(nonce) => {
                self.enter(Phase::Walk, limits.walk_ms);
                vec![Frame::Walk(Walk { nonce })]
            }
            Held::Open => {
                self.enter(Phase::Open, limits.open_ms);
                let asked = self.signed.asked();
                vec![Frame::Open(Open { rows: asked.rows.clone(), legs: asked.legs.clone() })]
            }
        }
    }

    /// Goes on, or waits for others first.
    fn go_or_hold(&mut self, held: Held) -> Step {
        if self.holds { Step::Hold(held) } else { Step::Send(self.proceed(held)) }
    }

    /// When the current phase must be over: call [`Self::on_timeout`] then. Bytes that trickle in do not move it.
    #[must_use]
    pub fn deadline_ms(&self) -> u64 {
        self.deadline_ms
    }

    /// Where the session is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Takes a frame from the machine. A frame after the deadline counts as a timeout.
    ///
    /// # Errors
    /// [`SessionError::Over`] once the outcome has been given.
    pub fn on_frame(&mut self, frame: Frame, now_ms: u64) -> Result<Next, SessionError> {
        let encoded = frame::encode(&frame);
        self.on_received(frame, encoded, now_ms)
    }

    /// As [`Self::on_frame`], for whoever has the frame's bytes already ([`frame::Decoder::take_whole`]): a session has
    /// seven megabytes of them, which go into the transcript as they came.
    ///
    /// # Errors
    /// [`SessionError::Over`] once the outcome has been given.
    pub fn on_received(&mut self, frame: Frame, encoded: Vec<u8>, now_ms: u64) -> Result<Next, SessionError> {
        self.advance(now_ms)?;
        if self.now_ms > self.deadline_ms {
            return Ok(Next::Done(Box::new(self.time_out())));
        }
        self.events.push(Event { at_ms: self.now_ms, from: Party::Machine, frame: encoded });
        match self.step(frame) {
            Step::Wait => Ok(Next::Wait),
            Step::Hold(held) => {
                self.held = Some(held);
                self.deadline_ms = self.now_ms.saturating_add(HOLD_MAX_MS);
                Ok(Next::Ready)
            }
            Step::Send(frames) => {
                self.record(Party::Keeper, &frames);
                Ok(Next::Send(frames))
            }
            Step::End(verdict) => Ok(Next::Done(Box::new(self.end(verdict, End::Decided)))),
        }
    }

    /// Time is up.
    ///
    /// # Errors
    /// When it is not, or the outcome has been given.
    pub fn on_timeout(&mut self, now_ms: u64) -> Result<Outcome, SessionError> {
        self.advance(now_ms)?;
        if self.now_ms <= self.deadline_ms {
            return Err(SessionError::NotYet { deadline_ms: self.deadline_ms, now_ms: self.now_ms });
        }
        Ok(self.time_out())
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// [`SessionError::Over`] once the outcome has been given.
    pub fn on_disconnect(&mut self, now_ms: u64) -> Result<Outcome, SessionError> {
        self.advance(now_ms)?;
        let verdict = Verdict::Unmeasured(Unmeasured::Disconnected { phase: self.phase });
        Ok(self.end(verdict, End::Disconnected { at_ms: self.now_ms }))
    }

    /// The decoder has given up on the stream.
    ///
    /// # Errors
    /// [`SessionError::Over`] once the outcome has been given.
    pub fn on_malformed(&mut self, error: &DecodeError, now_ms: u64) -> Result<Outcome, SessionError> {
        self.advance(now_ms)?;
        Ok(self.malformed(error.to_string()))
    }

    pub(crate) fn malformed(&mut self, detail: String) -> Outcome {
        let verdict = Verdict::Unmeasured(Unmeasured::Malformed { phase: self.phase });
        self.end(verdict, End::Malformed { at_ms: self.now_ms, detail })
    }

    fn time_out(&mut self) -> Outcome {
        let verdict = Verdict::Unmeasured(Unmeasured::TimedOut { phase: self.phase });
        self.end(verdict, End::TimedOut { at_ms: self.now_ms })
    }

    pub(crate) fn advance(&mut self, now_ms: u64) -> Result<(), SessionError> {
        if self.over {
            return Err(SessionError::Over);
        }
        self.now_ms = self.now_ms.max(now_ms);
        Ok(())
    }

    fn record(&mut self, from: Party, frames: &[Frame]) {
        let at_ms = self.now_ms;
        self.events.extend(frames.iter().map(|frame| transcript::event(at_ms, from, frame)));
    }

    fn end(&mut self, verdict: Verdict, end: End) -> Outcome {
        self.over = true;
        let farewell = Frame::Bye(Bye { code: verdict.bye_code() });
        let farewell = (!matches!(end, End::Disconnected { .. })).then_some(farewell);
        self.record(Party::Keeper, farewell.as_slice());
        let transcript = Transcript {
            challenge: self.challenge.clone(),
            started_ms: self.started_ms,
            events: std::mem::take(&mut self.events),
            end,
        };
        Outcome { verdict, transcript, farewell }
    }

    fn step(&mut self, frame: Frame) -> Step {
        match (self.phase, frame) {
            (_, Frame::Bye(bye)) => unmeasured(Unmeasured::Refused { code: bye.code }),
            (phase, frame) if self.held.is_some() => unmeasured(Unmeasured::Unexpected { phase, kind: frame.kind() }),
            (Phase::Hello, Frame::HelloAck(ack)) => self.on_hello(ack),
            (Phase::Echo, Frame::EchoAck(echo)) => self.on_echo(echo),
            (Phase::Compute, Frame::Root(root)) => self.on_root(root),
            (Phase::Walk, Frame::Walked(walked)) => self.on_walked(walked),
            (Phase::Open, Frame::Row(row)) => self.on_row(&row),
            (Phase::Open, Frame::Segment(segment)) => self.on_segment(&segment),
            (phase, frame) => unmeasured(Unmeasured::Unexpected { phase, kind: frame.kind() }),
        }
    }

    fn enter(&mut self, phase: Phase, limit_ms: u64) {
        self.phase = phase;
        self.sent_ms = self.now_ms;
        self.deadline_ms = self.now_ms.saturating_add(limit_ms);
    }

    fn on_hello(&mut self, ack: HelloAck) -> Step {
        if ack.version != PROTOCOL_VERSION {
            return unmeasured(Unmeasured::Version { theirs: ack.version });
        }
        if (ack.class, ack.count) != (self.challenge.class, self.challenge.count) {
            return unmeasured(Unmeasured::OtherClaim { class: ack.class, count: ack.count });
        }
        self.enter(Phase::Echo, self.challenge.limits.echo_ms);
        Step::Send(vec![Frame::Echo(self.echo())])
    }

    /// The echo that is to be sent, or has been and is waited for.
    fn echo(&self) -> Echo {
        let nonce = seed::echo_nonce(&self.challenge.session_random, self.echoes);
        Echo { sequence: self.echoes, nonce }
    }

    fn on_echo(&mut self, echo: Echo) -> Step {
        if echo != self.echo() {
            return unmeasured(Unmeasured::EchoMismatch);
        }
        self.rtt_min_ms = self.rtt_min_ms.min(self.now_ms - self.sent_ms);
        self.sent_ms = self.now_ms;
        self.echoes += 1;
        if self.echoes < ECHO_COUNT {
            return Step::Send(vec![Frame::Echo(self.echo())]);
        }
        self.go_or_hold(Held::Start)
    }

    /// Time since the phase began, the round trip forgiven.
    fn took_ms(&self) -> u64 {
        (self.now_ms - self.sent_ms).saturating_sub(self.rtt_min_ms.min(RTT_CREDIT_MAX_MS))
    }

    fn on_root(&mut self, root: Root) -> Step {
        let nonce = match self.signed.results(root, &self.challenge.session_random) {
            Ok(nonce) => nonce,
            Err(why) => return unmeasured(why),
        };
        self.compute_ms = self.took_ms();
        self.go_or_hold(Held::Walk(nonce))
    }

    fn on_walked(&mut self, walked: Walked) -> Step {
        if let Err(why) = self.signed.walk(walked, &self.challenge.session_random) {
            return unmeasured(why);
        }
        self.walk_ms = self.took_ms();
        self.go_or_hold(Held::Open)
    }

    fn on_row(&mut self, row: &Row) -> Step {
        let Some(asked) = self.signed.asked().rows.get(self.rows_shown).copied() else {
            return unmeasured(Unmeasured::Unexpected { phase: self.phase, kind: FrameType::Row });
        };
        if row.at != asked {
            return unmeasured(Unmeasured::RowOrder { asked, got: row.at });
        }
        if let Err(verdict) = self.signed.check_row(row, &self.secrets) {
            return Step::End(verdict);
        }
        self.rows_shown += 1;
        Step::Wait
    }

    fn on_segment(&mut self, segment: &Segment) -> Step {
        let Openings { rows, legs } = self.signed.asked();
        let asked = match legs.get(self.legs_shown) {
            Some(asked) if self.rows_shown == rows.len() => *asked,
            _ => return unmeasured(Unmeasured::Unexpected { phase: self.phase, kind: FrameType::Segment }),
        };
        if segment.at != asked {
            return unmeasured(Unmeasured::LegOrder { asked, got: segment.at });
        }
        let last = self.legs_shown + 1 == legs.len();
        if let Err(verdict) = self.signed.check_segment(segment) {
            return Step::End(verdict);
        }
        self.legs_shown += 1;
        if last { Step::End(self.verdict_on_right_answers()) } else { Step::Wait }
    }

    fn verdict_on_right_answers(&self) -> Verdict {
        let limits = &self.challenge.limits;
        let phases = [
            (Phase::Compute, self.compute_ms, limits.compute_pass_ms),
            (Phase::Walk, self.walk_ms, limits.walk_pass_ms),
        ];
        match phases.into_iter().find(|(_, took_ms, allowed_ms)| took_ms > allowed_ms) {
            Some((phase, took_ms, allowed_ms)) => Verdict::Underperforming(Shortfall { phase, took_ms, allowed_ms }),
            None => Verdict::Proven { class: self.challenge.class, count: self.challenge.count },
        }
    }
}

fn unmeasured(why: Unmeasured) -> Step {
    Step::End(Verdict::Unmeasured(why))
}
