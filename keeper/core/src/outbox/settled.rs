//! Does contract state at finality show what an intent wanted?

use crate::effect::Intent;
use crate::gaps::{clamp, gaps};
use crate::statement::{Attestation, Signed, Spoof};
use crate::types::{CaseId, Kind, MachineId, Rao, RentalId, UnixSecs};
use crate::view::{CaseStatus, ContractTimes, RentalView};
use crate::world::Snapshot;

/// Credits below this cannot be paid out on Subtensor (the existential deposit, 500 rao).
const PAYOUT_MIN_RAO: Rao = 500;

/// Finalized state, as far as intents are judged by it. The caller has made sure that the node had the state.
#[derive(Clone, Copy, Debug)]
pub struct FinalWorld<'a> {
    /// The finalized view.
    pub view: &'a Snapshot,
    /// What the contracts were deployed with.
    pub times: ContractTimes,
    /// The burn account's credit, over all custody contracts; `None` when it was not read.
    pub burn_credit_rao: Option<Rao>,
}

/// How an intent stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Settled {
    /// The contract shows it, whoever did it.
    Settled,
    /// It can never be done any more, and why.
    Impossible(String),
    /// Neither.
    NotYet,
}

/// Compares an intent with contract state at finality.
pub fn intent_settled(world: &FinalWorld<'_>, intent: &Intent) -> Settled {
    match intent {
        Intent::File { kind, rental, attestations, .. } => filed(world, *kind, *rental, attestations),
        Intent::FileSpoofed { machine, registration, spoofs, .. } => spoofed(world, *machine, *registration, spoofs),
        Intent::Execute { case_id } => executed(world, *case_id),
        Intent::FlushBurn => match world.burn_credit_rao {
            Some(0) => Settled::Settled,
            Some(credit) if credit < PAYOUT_MIN_RAO => {
                Settled::Impossible(format!("{credit} rao are less than the {PAYOUT_MIN_RAO} that can be paid out"))
            }
            Some(_) | None => Settled::NotYet,
        },
        Intent::Close { rentals } => settled_if(rentals.iter().all(|id| paid(world, *id, |_| false))),
        Intent::Join { past_secs, .. } | Intent::CheckIn { past_secs, .. } => {
            settled_if(world.view.seat.as_ref().is_some_and(|seat| seat.active_until_secs() > *past_secs))
        }
        Intent::Claim { rental, past_secs } => {
            settled_if(paid(world, *rental, |rental| *past_secs < rental.paid_until_secs))
        }
    }
}

/// Whether a rental is closed, or paid as far as asked. One that is not there was closed so long ago that it had to
/// make room; or it is newer than finality, of which the view says nothing.
fn paid(world: &FinalWorld<'_>, id: RentalId, far_enough: impl Fn(&RentalView) -> bool) -> bool {
    let rentals = &world.view.rentals;
    let newest = rentals.last_key_value().map_or(0, |(newest, _)| *newest);
    rentals.get(&id).map_or(id < newest, |rental| rental.closed || far_enough(rental))
}

fn settled_if(shown: bool) -> Settled {
    if shown { Settled::Settled } else { Settled::NotYet }
}

fn executed(world: &FinalWorld<'_>, case_id: CaseId) -> Settled {
    let Some(case) = world.view.cases.get(&case_id) else { return Settled::NotYet };
    let early = world.view.block.timestamp_secs < case.executable_at_secs;
    match case.status {
        CaseStatus::Executed => Settled::Settled,
        CaseStatus::Dismissed => Settled::Impossible(format!("case {case_id} was dismissed")),
        // The first of two executions has happened.
        CaseStatus::Refunded if early => Settled::Settled,
        CaseStatus::Appealed | CaseStatus::RefundedAppealed if early => {
            Settled::Impossible(format!("case {case_id} was appealed and waits for its judge"))
        }
        _ => Settled::NotYet,
    }
}

fn filed(world: &FinalWorld<'_>, kind: Kind, rental: RentalId, attestations: &[Signed<Attestation>]) -> Settled {
    let Some(rental) = world.view.rentals.get(&rental) else {
        return Settled::NotYet;
    };
    let Some((from_secs, until_secs)) = intersection(attestations) else {
        return Settled::Impossible("the attestations do not intersect".to_owned());
    };
    let on_chain = rental.faults.iter().any(|fault| fault.from_secs < until_secs && from_secs < fault.until_secs);
    let now_secs = world.view.block.timestamp_secs;
    let ends = kind != Kind::Interrupted;
    if on_chain && (rental.closed || longest_secs(rental, now_secs, from_secs, until_secs) < least_secs(world, kind)) {
        return Settled::Settled;
    }
    if on_chain && ends && now_secs >= rental.end_secs {
        return Settled::Settled;
    }
    impossible(world, kind, rental, attestations).map_or(Settled::NotYet, |why| Settled::Impossible(why.to_owned()))
}

/// A `Spoofed` filed after the oldest of the proofs was made says what they say, and none older serves again.
fn spoofed(world: &FinalWorld<'_>, machine: MachineId, registration: u32, spoofs: &[Signed<Spoof>]) -> Settled {
    let Some(oldest_secs) = spoofs.iter().map(|signed| signed.statement.proved_at_secs).min() else {
        return Settled::Impossible("nobody signed it".to_owned());
    };
    let about = world.view.cases.values().filter(|case| case.registration == registration);
    if about.into_iter().any(|case| case.kind == Kind::Spoofed && case.filed_at_secs >= oldest_secs) {
        return Settled::Settled;
    }
    if world.view.registrations.get(&machine).is_some_and(|current| *current != registration) {
        return Settled::Impossible("the machine has another registration now".to_owned());
    }
    if oldest_secs.saturating_add(world.times.spoof_life_secs) < world.view.block.timestamp_secs {
        return Settled::Impossible("the proofs are stale".to_owned());
    }
    Settled::NotYet
}

/// What the chain will refuse for ever.
fn impossible(
    world: &FinalWorld<'_>,
    kind: Kind,
    rental: &RentalView,
    attestations: &[Signed<Attestation>],
) -> Option<&'static str> {
    let now_secs = world.view.block.timestamp_secs;
    let ends = kind != Kind::Interrupted;
    let oldest_secs = attestations.iter().map(|signed| signed.statement.until_secs).min().unwrap_or(0);
    let (from_secs, until_secs) = intersection(attestations)?;
    if rental.closed {
        return Some("the rental is closed");
    }
    if ends && now_secs >= rental.end_secs {
        return Some("the rental has ended");
    }
    if ends && oldest_secs.saturating_add(world.times.freshness_secs) < now_secs {
        return Some("the attestations are stale");
    }
    let open_secs = longest_secs(rental, UnixSecs::MAX, from_secs, until_secs);
    (open_secs < least_secs(world, kind)).then_some("what is left of the interval is too short")
}

fn intersection(attestations: &[Signed<Attestation>]) -> Option<(UnixSecs, UnixSecs)> {
    let from_secs = attestations.iter().map(|signed| signed.statement.from_secs).max()?;
    let until_secs = attestations.iter().map(|signed| signed.statement.until_secs).min()?;
    (from_secs < until_secs).then_some((from_secs, until_secs))
}

fn longest_secs(rental: &RentalView, now_secs: UnixSecs, from_secs: UnixSecs, until_secs: UnixSecs) -> u64 {
    gaps(rental)
        .iter()
        .filter_map(|gap| clamp(rental, gap, now_secs, (from_secs, until_secs)))
        .map(|(from_secs, until_secs)| until_secs.saturating_sub(from_secs))
        .max()
        .unwrap_or(0)
}

/// The contract's own minimum of a kind.
fn least_secs(world: &FinalWorld<'_>, kind: Kind) -> u64 {
    let least = match kind {
        Kind::NotDelivered => world.times.delivery_grace_secs,
        Kind::Interrupted => world.times.min_interrupted_secs,
        Kind::Offline => world.times.min_offline_secs,
        Kind::Spoofed => 0,
    };
    least.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{START, account, machine, times};
    use crate::types::{Hash32, Signature};
    use crate::view::CaseView;

    fn stands(spoofed: Option<(u32, UnixSecs)>, registration: u32, now: u64) -> Settled {
        let mut view = Snapshot::default();
        view.block.timestamp_secs = START + now;
        view.registrations.put_all([(machine(2), registration)], usize::MAX);
        if let Some((registration, at)) = spoofed {
            let (kind, status, filed_at_secs) = (Kind::Spoofed, CaseStatus::Filed, START + at);
            let (executable_at_secs, penalty_rao) = (START + 90_000, 0);
            let case = CaseView {
                id: 1,
                kind,
                status,
                rental: 0,
                executable_at_secs,
                penalty_rao,
                registration,
                filed_at_secs,
            };
            view.cases.put(&case, usize::MAX);
        }
        let said = |at: u64| Signed {
            statement: Spoof {
                machine: machine(2),
                registration: 1,
                gpu_class: 1,
                gpu_count: 8,
                proved_at_secs: START + at,
                evidence: Hash32::default(),
            },
            signer: account(1),
            signature: Signature::default(),
        };
        let (machine, spoofs) = (machine(2), vec![said(60), said(50)]);
        let intent = Intent::FileSpoofed { machine, registration: 1, gpu_class: 1, gpu_count: 8, spoofs };
        intent_settled(&FinalWorld { view: &view, times: times(), burn_credit_rao: None }, &intent)
    }

    #[test]
    fn a_spoof_is_settled_by_any_case_filed_after_its_oldest_proof() {
        assert_eq!(stands(Some((1, 50)), 1, 100), Settled::Settled);
        assert_eq!(stands(Some((1, 49)), 1, 100), Settled::NotYet, "an earlier spoof");
        assert_eq!(stands(Some((2, 99)), 1, 100), Settled::NotYet, "another registration's");
        assert_eq!(stands(None, 1, 100), Settled::NotYet);
    }

    #[test]
    fn a_spoof_that_the_arbiter_will_never_take_is_given_up() {
        assert!(matches!(stands(None, 2, 100), Settled::Impossible(why) if why.contains("registration")));
        assert_eq!(stands(None, 1, 86_450), Settled::NotYet);
        assert!(matches!(stands(None, 1, 86_451), Settled::Impossible(why) if why.contains("stale")));
    }
}
