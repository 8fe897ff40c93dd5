//! Two false proofs of one machine, recomputed without believing the keeper that shows them.

use super::report::date;
use crate::adapters::verify::spoof::recheck;
use surety_core::evidence::{Evidence, Spoofing};
use surety_core::statement::Statement;
use surety_verifier::classes::ClassId;

/// What the proofs show, or which of them does not hold.
pub(super) fn check(evidence: &Evidence, statement: &Statement) -> Result<String, String> {
    let [first, second] = recheck(evidence, statement).map_err(|error| error.to_string())?;
    Ok(format!(
        "the machine's own host key signed both results, of two sessions, and both were recomputed here: {first} in the \
         one, {second} in the other"
    ))
}

pub(super) fn says(spoofing: &Spoofing) -> String {
    let [first, second] = &spoofing.proofs;
    let caught = match spoofing.recomputed {
        None => "this keeper challenged the machine itself".to_owned(),
        Some(from) => format!("keeper {} caught the machine, in evidence {}", from.keeper, from.evidence),
    };
    format!("two proofs, at {} and {}; {caught}", date(first.at_secs), date(second.at_secs))
}

pub(super) fn verdict(spoofing: &Spoofing) -> String {
    format!(
        "the evidence carries the claim. Machine {} (registration {}) signed false proofs of {} x {}, twice, the last \
         at {}. Nobody has to be believed for that; only the times are the keeper's word",
        spoofing.machine,
        spoofing.registration,
        spoofing.gpu_count,
        ClassId(spoofing.gpu_class),
        date(spoofing.proved_at_secs),
    )
}
