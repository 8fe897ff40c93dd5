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
use surety_verifier::frame::{ByeCode, Frame};
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
    let rows = rows_right(&transcript)?;
    let compute_ms = Walk::new(&transcript).run(rows)?;
    let allowed_ms = transcript.challenge.limits.compute_pass_ms;
    if compute_ms > allowed_ms {
        return Err(format!("the work took {compute_ms} ms, {allowed_ms} ms are allowed: this proves no class"));
    }
    Ok(format!(
        "the machine's own host key signed the results; all {rows} rows that it was asked to show were recomputed here \
         and are right; it took {compute_ms} ms of {allowed_ms} ms allowed"
    ))
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

/// All rows asked for were shown, are under the roots that the machine signed, and are right. Their number.
fn rows_right(transcript: &Transcript) -> Result<usize, String> {
    match recheck_public(transcript).map_err(|error| error.to_string())? {
        PublicFinding::RowsRight { rows, complete: true } if rows > 0 => Ok(rows),
        PublicFinding::RowsRight { rows, .. } => {
            Err(format!("only {rows} of the rows asked for are shown under what the machine signed"))
        }
        PublicFinding::Fraud(row, _) => Err(format!(
            "row {} of round {} on GPU {} is wrong: the machine cheated",
            row.at.row, row.at.round, row.at.gpu
        )),
        PublicFinding::NothingSigned => Err("the machine signed nothing".into()),
    }
}

/// A walk through the events in the order in which a session that proves something has them.
struct Walk<'a> {
    transcript: &'a Transcript,
    next: usize,
    now_ms: u64,
}

impl<'a> Walk<'a> {
    fn new(transcript: &'a Transcript) -> Self {
        Self { transcript, next: 0, now_ms: transcript.started_ms }
    }

    /// Milliseconds the work took, the round trip forgiven as the protocol does.
    fn run(mut self, rows: usize) -> Result<u64, String> {
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
        let compute_ms = (self.now_ms - given_ms).saturating_sub(rtt_min_ms.min(RTT_CREDIT_MAX_MS));
        let asked_ms = self.now_ms;
        self.rows(rows)?;
        self.within("rows", asked_ms, limits.open_ms)?;
        self.keeper("verdict", |frame| matches!(frame, Frame::Bye(bye) if bye.code == ByeCode::Proven))?;
        if self.next == self.transcript.events.len() && self.transcript.end == End::Decided {
            Ok(compute_ms)
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

    /// The rows asked for are the rows shown, one by one. That they are the right ones to ask for, and right, was
    /// checked before.
    fn rows(&mut self, rows: usize) -> Result<(), String> {
        let asked = match self.take(Party::Keeper, "question for rows")? {
            Frame::Open(open) if open.rows.len() == rows => open.rows,
            _ => return Err(self.unfit("question for rows")),
        };
        for at in asked {
            self.machine("row", |frame| matches!(frame, Frame::Row(row) if row.at == at))?;
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
