//! Stand-in proofs of capacity: what only the machine itself can make, and what anybody can recompute.

use crate::chain::contracts::CLASS;
use serde_json::{Value, json};
use surety_core::evidence::{BadProof, Evidence, Spoofing, Subject};
use surety_core::ids::tagged;
use surety_core::input::SpoofOutcome;
use surety_core::statement::{Spoof, Statement};
use surety_core::types::{Account, MachineId};

/// What a machine signs when it is challenged. `bad`: a row of it is wrong, which whoever recomputes it sees.
pub(crate) fn transcript(
    machine: MachineId,
    registration: u32,
    (gpu_class, gpu_count): (u16, u16),
    session: u64,
    bad: bool,
) -> Value {
    let work = json!({ "machine": machine, "registration": registration, "class": gpu_class, "count": gpu_count,
        "session": session, "bad": bad });
    let seal = seal(&machine, &work);
    json!({ "work": work, "seal": seal })
}

/// Of this world's machines each one alone makes its own; liars here do not call this.
fn seal(machine: &MachineId, work: &Value) -> Value {
    json!(tagged("sim/seal", &[&machine.0, work.to_string().as_bytes()]))
}

/// Whether a transcript is the machine's own, about the same thing as a statement, and false.
fn shows(bad: &BadProof, about: &Spoofing) -> Result<u64, &'static str> {
    let work = bad.transcript.get("work").ok_or("it is no transcript")?;
    if bad.transcript.get("seal") != Some(&seal(&about.machine, work)) {
        return Err("the machine did not sign it");
    }
    let session = work.get("session").and_then(Value::as_u64).ok_or("it is of no session")?;
    let same = work.get("registration") == Some(&json!(about.registration))
        && work.get("class") == Some(&json!(about.gpu_class))
        && work.get("count") == Some(&json!(about.gpu_count));
    match (same, work.get("bad") == Some(&json!(true))) {
        (false, _) => Err("it is of another work than the statement"),
        (true, false) => Err("it is a good proof"),
        (true, true) => Ok(session),
    }
}

/// Recomputes both proofs of a bundle.
pub(crate) fn recheck(evidence: &Evidence) -> Result<(), &'static str> {
    let Subject::Spoof(spoofing) = &evidence.subject else { return Err("it is not about a spoof") };
    let [first, second] = &spoofing.proofs;
    if shows(first, spoofing)? == shows(second, spoofing)? { Err("both proofs are of one session") } else { Ok(()) }
}

/// What a bundle shows of what `peer` signed, as the real adapter says it: until its digest is the one signed, nothing
/// in it speaks against anybody.
pub(crate) fn judge(evidence: &Evidence, peer: Account, spoof: Spoof) -> SpoofOutcome {
    if evidence.digest().ok() != Some(spoof.evidence) {
        return SpoofOutcome::Unread { why: "asked for another bundle".to_owned() };
    }
    let carried = evidence.supports(&Statement::Spoof(spoof)).map_err(|error| error.to_string());
    let shown = carried.and_then(|()| recheck(evidence).map_err(str::to_owned));
    match (shown, &evidence.subject) {
        (Ok(()), Subject::Spoof(spoofing)) if evidence.keeper == peer => {
            SpoofOutcome::Bad { proofs: Box::new(spoofing.proofs.clone()) }
        }
        (Err(why), _) => SpoofOutcome::NotShown { why },
        (Ok(()), _) => SpoofOutcome::NotShown { why: "it is of another keeper".to_owned() },
    }
}

/// A false accusation: bundles that look like a spoof of a machine and show none.
pub(crate) fn forged(machine: MachineId, registration: u32, way: u64, at_secs: u64) -> [BadProof; 2] {
    let proof = |transcript| BadProof { at_secs, why: "row 7".to_owned(), transcript };
    let work = |session: u64, bad: bool| transcript(machine, registration, CLASS, session, bad);
    let unsealed = |session: u64| {
        let mut value = work(session, true);
        value["seal"] = json!(tagged("sim/forged", &[&session.to_be_bytes()]));
        value
    };
    match way {
        // Sealed by nobody.
        0 => [proof(unsealed(1)), proof(unsealed(2))],
        // What the machine really signed: good proofs.
        1 => [proof(work(1, false)), proof(work(2, false))],
        // Another registration's (an earlier one: this machine may yet have the next), or another machine's.
        2 => {
            let earlier = registration.saturating_sub(1);
            [1, 2].map(|session| proof(transcript(machine, earlier, CLASS, session, true)))
        }
        3 => {
            let other = MachineId(tagged("sim/other", &[&machine.0]).0);
            [1, 2].map(|session| proof(transcript(other, registration, CLASS, session, true)))
        }
        // Good ones with a word changed.
        4 => [1, 2].map(|session| {
            let mut value = work(session, false);
            value["work"]["bad"] = json!(true);
            proof(value)
        }),
        _ => [proof(Value::Null), proof(json!({ "rounds": 8 }))],
    }
}
