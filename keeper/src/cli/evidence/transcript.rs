//! The session behind a certificate, checked without any secret.
//!
//! Everything the keeper said in a session follows from the challenge and from what the machine answered, and every row
//! that the machine showed can be recomputed. So all of it is checked here; only the times are the keeper's word, and
//! those must at least fit its own limits.

use serde::Deserialize;
use serde_json::Value;
use surety_core::statement::Certificate;
use surety_core::types::{Account, MachineId};
use surety_verifier::classes::ClassId;
use surety_verifier::evidence::{PublicFinding, recheck_public};
use surety_verifier::frame::{ByeCode, Frame, Open};
use surety_verifier::limits::{ECHO_COUNT, PROTOCOL_VERSION, RTT_CREDIT_MAX_MS};
use surety_verifier::seed;
use surety_verifier::session::Challenge;
use surety_verifier::transcript::{End, Party, Transcript};

/// What the transcript shows, or what in it does not fit the certificate.
pub(super) fn check(
    transcript: &Value,
    chain_id: u64,
    keeper: Account,
    certificate: &Certificate,
) -> Result<String, String> {
    let transcript = whole(transcript)?;
    names(&transcript.challenge, chain_id, keeper, certificate)?;
    transcript.challenge.check().map_err(|error| format!("nobody may measure like this: {error}"))?;
    let (rows, legs) = all_right(&transcript)?;
    let took = Reading::new(&transcript).run(rows, legs)?;
    let limits = &transcript.challenge.limits;
    let (compute_ms, allowed_ms) = (in_time("work", took.compute_ms, limits.compute_pass_ms)?, limits.compute_pass_ms);
    let (walk_ms, walk_allowed_ms) = (in_time("walk", took.walk_ms, limits.walk_pass_ms)?, limits.walk_pass_ms);
    Ok(format!(
        "the machine's own host key signed the results and a walk over them; all {rows} rows and {legs} legs that it \
         was asked to show were recomputed here and are right; the results took {compute_ms} ms of {allowed_ms} ms \
         allowed, the walk {walk_ms} ms of {walk_allowed_ms}"
    ))
}

fn in_time(what: &str, took_ms: u64, allowed_ms: u64) -> Result<u64, String> {
    if took_ms > allowed_ms {
        return Err(format!("the {what} took {took_ms} ms, {allowed_ms} ms are allowed: this proves no class"));
    }
    Ok(took_ms)
}

/// The transcript, if it is within its bounds and every event is one frame.
pub(in crate::cli) fn whole(transcript: &Value) -> Result<Transcript, String> {
    let transcript = Transcript::deserialize(transcript).map_err(|error| format!("not a transcript: {error}"))?;
    match Transcript::from_bytes(&transcript.to_bytes()) {
        Ok(same) if same == transcript => Ok(transcript),
        Ok(_) => Err("it is not written as a keeper writes it".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// The session was about what the certificate is about.
fn names(challenge: &Challenge, chain_id: u64, keeper: Account, certificate: &Certificate) -> Result<(), String> {
    let differs = |what: &str, measured: String, certified: String| {
        Err(format!("it measured another {what} than was certified: {measured} instead of {certified}"))
    };
    let machine = MachineId(challenge.machine);
    if machine != certificate.machine {
        return differs("machine", machine.to_string(), certificate.machine.to_string());
    }
    if challenge.registration != certificate.registration {
        return differs("registration", challenge.registration.to_string(), certificate.registration.to_string());
    }
    let certified = ClassId(certificate.gpu_class);
    if challenge.class != certified {
        return differs("class", challenge.class.to_string(), certified.to_string());
    }
    if challenge.count != certificate.gpu_count {
        return differs("count", challenge.count.to_string(), certificate.gpu_count.to_string());
    }
    if challenge.chain_id != chain_id {
        return differs("chain", challenge.chain_id.to_string(), chain_id.to_string());
    }
    let measured_by = Account(challenge.keeper);
    if measured_by == keeper {
        Ok(())
    } else {
        differs("keeper's machine", measured_by.to_string(), keeper.to_string())
    }
}

/// All rows and legs asked for were shown, are under what the machine signed, and are right. Their numbers.
fn all_right(transcript: &Transcript) -> Result<(usize, usize), String> {
    match recheck_public(transcript).map_err(|error| error.to_string())? {
        PublicFinding::Right { rows, legs, complete: true } if rows > 0 && legs > 0 => Ok((rows, legs)),
        PublicFinding::Right { rows, legs, .. } => {
            Err(format!("only {rows} rows and {legs} legs of those asked for are shown under what the machine signed"))
        }
        PublicFinding::Fraud(falsehood, _) => Err(format!("{falsehood}: the machine cheated")),
        PublicFinding::NothingSigned => Err("the machine signed nothing".into()),
    }
}

/// Milliseconds, the round trip forgiven as the protocol does.
struct Took {
    compute_ms: u64,
    walk_ms: u64,
}

/// The events, read in the order in which a session that proves something has them.
struct Reading<'a> {
    transcript: &'a Transcript,
    next: usize,
    now_ms: u64,
}

impl<'a> Reading<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        Self { transcript, next: 0, now_ms: transcript.started_ms }
    }

    /// How long the work and the walk took.
    fn run(mut self, rows: usize, legs: usize) -> Result<Took, String> {
        let (challenge, limits) = (&self.transcript.challenge, &self.transcript.challenge.limits);
        let version = PROTOCOL_VERSION;
        let started_ms = self.now_ms;
        self.keeper("hello", |frame| matches!(frame, Frame::Hello(hello) if hello.version == version))?;
        let claim = (version, challenge.class, challenge.count);
        let claims =
            |frame: &Frame| matches!(frame, Frame::HelloAck(ack) if (ack.version, ack.class, ack.count) == claim);
        self.machine("claim", claims)?;
        self.within("hello", started_ms, limits.hello_ms)?;
        let echoes_ms = self.now_ms;
        let rtt_min_ms = self.echoes()?;
        self.within("echoes", echoes_ms, limits.echo_ms)?;
        self.keeper("work", |frame| *frame == Frame::Start(challenge.start()))?;
        let given_ms = self.now_ms;
        self.machine("signed results", |frame| matches!(frame, Frame::Root(_)))?;
        self.within("work", given_ms, limits.compute_ms)?;
        let forgiven_ms = rtt_min_ms.min(RTT_CREDIT_MAX_MS);
        let compute_ms = (self.now_ms - given_ms).saturating_sub(forgiven_ms);
        let given_ms = self.now_ms;
        self.keeper("walk", |frame| matches!(frame, Frame::Walk(_)))?;
        self.machine("signed walk", |frame| matches!(frame, Frame::Walked(_)))?;
        self.within("walk", given_ms, limits.walk_ms)?;
        let walk_ms = (self.now_ms - given_ms).saturating_sub(forgiven_ms);
        let asked = self.question(rows, legs)?;
        let asked_ms = self.now_ms;
        self.answers(asked)?;
        self.within("rows and legs", asked_ms, limits.open_ms)?;
        self.keeper("verdict", |frame| matches!(frame, Frame::Bye(bye) if bye.code == ByeCode::Proven))?;
        if self.next == self.transcript.events.len() && self.transcript.end == End::Decided {
            Ok(Took { compute_ms, walk_ms })
        } else {
            Err("the session goes on after its verdict".into())
        }
    }

    fn echoes(&mut self) -> Result<u64, String> {
        let random = &self.transcript.challenge.session_random;
        let mut rtt_min_ms = u64::MAX;
        for sequence in 0..ECHO_COUNT {
            let nonce = seed::echo_nonce(random, sequence);
            self.keeper(
                "echo",
                |frame| matches!(frame, Frame::Echo(echo) if (echo.sequence, echo.nonce) == (sequence, nonce)),
            )?;
            let sent_ms = self.now_ms;
            self.machine(
                "echo",
                |frame| matches!(frame, Frame::EchoAck(echo) if (echo.sequence, echo.nonce) == (sequence, nonce)),
            )?;
            rtt_min_ms = rtt_min_ms.min(self.now_ms - sent_ms);
        }
        Ok(rtt_min_ms)
    }

    /// What is asked for is what is shown, one by one. That it is the right to ask for, and right, was checked before.
    fn question(&mut self, rows: usize, legs: usize) -> Result<Open, String> {
        match self.take(Party::Keeper, "question for rows")? {
            Frame::Open(open) if (open.rows.len(), open.legs.len()) == (rows, legs) => Ok(open),
            _ => Err(self.unfit("question for rows")),
        }
    }

    fn answers(&mut self, asked: Open) -> Result<(), String> {
        for at in asked.rows {
            self.machine("row", |frame| matches!(frame, Frame::Row(row) if row.at == at))?;
        }
        for at in asked.legs {
            self.machine("leg", |frame| matches!(frame, Frame::Segment(segment) if segment.at == at))?;
        }
        Ok(())
    }

    fn keeper(&mut self, what: &str, fits: impl Fn(&Frame) -> bool) -> Result<(), String> {
        let frame = self.take(Party::Keeper, what)?;
        if fits(&frame) { Ok(()) } else { Err(self.unfit(what)) }
    }

    fn machine(&mut self, what: &str, fits: impl Fn(&Frame) -> bool) -> Result<(), String> {
        let frame = self.take(Party::Machine, what)?;
        if fits(&frame) { Ok(()) } else { Err(self.unfit(what)) }
    }

    fn take(&mut self, from: Party, what: &str) -> Result<Frame, String> {
        let event = self.transcript.events.get(self.next).ok_or_else(|| format!("it ends before the {what}"))?;
        self.next += 1;
        if event.at_ms < self.now_ms {
            return Err(format!("event {} is earlier than the one before it", self.next));
        }
        self.now_ms = event.at_ms;
        match event.decode() {
            Ok(frame) if event.from == from => Ok(frame),
            _ => Err(self.unfit(what)),
        }
    }

    fn unfit(&self, what: &str) -> String {
        format!("event {} is not the {what} that belongs there", self.next)
    }

    fn within(&self, what: &str, since_ms: u64, limit_ms: u64) -> Result<(), String> {
        let took_ms = self.now_ms - since_ms;
        if took_ms <= limit_ms {
            Ok(())
        } else {
            Err(format!("the {what} took {took_ms} ms, at most {limit_ms} ms may"))
        }
    }
}
