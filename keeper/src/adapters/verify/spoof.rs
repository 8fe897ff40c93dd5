//! False proofs, recomputed: whether two of them make a spoof.

use crate::ports::Bundle;
use serde::Deserialize;
use surety_core::evidence::{BadProof, Contracts, Evidence, Spoofing, Subject};
use surety_core::input::SpoofOutcome;
use surety_core::limits::clip_text;
use surety_core::statement::{Spoof, Statement};
use surety_core::types::{Account, MachineId};
use surety_verifier::Bytes32;
use surety_verifier::classes::ClassId;
use surety_verifier::evidence::{FraudProof, PublicError};
use surety_verifier::verdict::Falsehood;

/// Why two proofs are no spoof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSpoof {
    /// One of them is not written as a proof is.
    #[error("proof {number} is not a proof: {why}")]
    Form {
        /// 1 or 2.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
    /// One of them proves nothing.
    #[error("proof {number} proves nothing: {source}")]
    Nothing {
        /// 1 or 2.
        number: usize,
        /// What the verifier said.
        source: PublicError,
    },
    /// One of them is about something else.
    #[error("proof {number} is of another {what} than the statement")]
    Other {
        /// 1 or 2.
        number: usize,
        /// What differs.
        what: &'static str,
    },
    /// They are of one session.
    #[error("both proofs are of one session: a machine that is challenged again answers a new one")]
    SameSession,
    /// The evidence is about something else.
    #[error("the evidence is not about a spoof")]
    OtherSubject,
}

/// Recomputes both proofs behind a statement about a spoof. Costs up to 0.15 s a proof on one core at full size.
///
/// # Errors
/// What is wrong with the first proof that does not hold.
pub fn recheck(evidence: &Evidence, statement: &Statement) -> Result<[Falsehood; 2], NoSpoof> {
    let (Subject::Spoof(spoofing), Statement::Spoof(_)) = (&evidence.subject, statement) else {
        return Err(NoSpoof::OtherSubject);
    };
    let [first, second] = &spoofing.proofs;
    let first = recheck_one(1, first, spoofing, evidence)?;
    let second = recheck_one(2, second, spoofing, evidence)?;
    if first.session_seed == second.session_seed {
        return Err(NoSpoof::SameSession);
    }
    if first.keeper != second.keeper {
        return Err(NoSpoof::Other { number: 2, what: "keeper's challenge" });
    }
    Ok([first.falsehood, second.falsehood])
}

struct Held {
    session_seed: Bytes32,
    keeper: Account,
    falsehood: Falsehood,
}

fn recheck_one(number: usize, bad: &BadProof, spoofing: &Spoofing, evidence: &Evidence) -> Result<Held, NoSpoof> {
    let form = |error: serde_json::Error| NoSpoof::Form { number, why: error.to_string() };
    let proof = FraudProof::deserialize(&bad.transcript).map_err(form)?;
    // One proof has one form, so that it cannot be shown twice in two spellings.
    if serde_json::to_value(&proof).map_err(form)? != bad.transcript {
        return Err(NoSpoof::Form { number, why: "it is not written as a keeper writes it".into() });
    }
    let proven = proof.verify().map_err(|source| NoSpoof::Nothing { number, source })?;
    let (start, falsehood) = (proven.start, proven.falsehood);
    let class = ClassId(spoofing.gpu_class);
    let keeper = Account(start.keeper);
    let own = spoofing.recomputed.is_none();
    let differs = [
        ("machine", MachineId(start.machine) != spoofing.machine),
        ("registration", start.registration != spoofing.registration),
        ("class", start.class != class || !class.allowed_on(evidence.chain_id)),
        ("count", start.count != spoofing.gpu_count),
        ("chain", start.chain_id != evidence.chain_id),
        ("keeper's challenge", own && keeper != evidence.keeper),
    ];
    match differs.iter().find(|(_, differs)| *differs) {
        Some((what, _)) => Err(NoSpoof::Other { number, what }),
        None => Ok(Held { session_seed: start.session_seed, keeper, falsehood }),
    }
}

/// What a bundle shows of what `peer` signed. Until its digest is the one signed, nothing in it speaks against anybody.
pub fn judge(bundle: &Bundle, peer: Account, spoof: Spoof, chain_id: u64, contracts: Contracts) -> SpoofOutcome {
    let unread = |why: String| SpoofOutcome::Unread { why: clip_text(&why) };
    let evidence = match Evidence::deserialize(&bundle.evidence) {
        Ok(evidence) => evidence,
        Err(error) => return unread(error.to_string()),
    };
    match evidence.digest() {
        Ok(digest) if digest == spoof.evidence => {}
        Ok(digest) => return unread(format!("asked for {}, got {digest}", spoof.evidence)),
        Err(error) => return unread(error.to_string()),
    }
    let statement = Statement::Spoof(spoof);
    let here = evidence.chain_id == chain_id && evidence.contracts == contracts && evidence.keeper == peer;
    let shown = if here {
        let carried = evidence.supports(&statement).map_err(|error| error.to_string());
        carried.and_then(|()| recheck(&evidence, &statement).map_err(|error| error.to_string()))
    } else {
        Err("it is of another keeper, chain or deployment".to_owned())
    };
    match (shown, evidence.subject) {
        (Ok(_), Subject::Spoof(spoofing)) => SpoofOutcome::Bad { proofs: Box::new(spoofing.proofs) },
        (Ok(_), _) => SpoofOutcome::NotShown { why: "the evidence is not about a spoof".to_owned() },
        (Err(why), _) => SpoofOutcome::NotShown { why: clip_text(&why) },
    }
}
