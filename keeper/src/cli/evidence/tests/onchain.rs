//! Comparing with what the chain says, given its answers.

use super::bundles::{START_SECS, UNTIL_SECS, claim, rental};
use super::*;
use crate::cli::evidence::chain::{OnChainError, covered, keeper_says, same_registration, same_rental};
use surety_core::statement::Certificate;
use surety_core::types::{MachineId, SshKey};
use surety_core::view::{FaultView, KeeperView, RentalView};

fn on_chain() -> RentalView {
    let facts = rental();
    RentalView {
        id: facts.id,
        machine: facts.machine,
        renter: facts.renter,
        renter_key: facts.renter_key,
        gpu_class: facts.gpu_class,
        gpu_count: facts.gpu_count,
        price_rao_per_sec: 5,
        start_secs: facts.start_secs,
        end_secs: facts.end_secs,
        paid_until_secs: facts.start_secs,
        claimed_secs: 0,
        closed: false,
        faults: vec![],
    }
}

#[test]
fn the_rental_must_be_as_the_evidence_describes_it_but_for_its_end() {
    assert!(same_rental(&on_chain(), &rental()).is_ok());
    let ended = RentalView { end_secs: UNTIL_SECS, closed: true, ..on_chain() };
    assert!(same_rental(&ended, &rental()).is_ok(), "a case shortens it");
    let others = [
        ("machine", RentalView { machine: MachineId([1; 32]), ..on_chain() }),
        ("renter", RentalView { renter: Account([1; 20]), ..on_chain() }),
        ("renter's key", RentalView { renter_key: SshKey([1; 32]), ..on_chain() }),
        ("GPUs", RentalView { gpu_count: 2, ..on_chain() }),
        ("start", RentalView { start_secs: START_SECS + 1, ..on_chain() }),
    ];
    for (what, view) in others {
        let Err(OnChainError::Failed { check, why }) = same_rental(&view, &rental()) else { panic!("{what}") };
        assert_eq!(check, Check::Subject);
        assert!(why.contains(&format!("the {what} of rental 7")), "{why}");
    }
}

#[test]
fn recorded_faults_count_as_far_as_the_statement_covers_them() {
    let from_secs = claim(Hash32([0; 32])).from_secs;
    let fault = |from: u64, until: u64, case_id| FaultView { from_secs: from, until_secs: until, case_id };
    let faults = vec![
        fault(from_secs - 50, from_secs, 1),
        fault(from_secs + 10, from_secs + 30, 2),
        fault(UNTIL_SECS - 5, UNTIL_SECS + 100, 3),
        fault(UNTIL_SECS, UNTIL_SECS + 100, 4),
    ];
    let view = RentalView { faults, ..on_chain() };
    let found: Vec<_> =
        covered(&view, &claim(Hash32([0; 32]))).iter().map(|part| (part.case_id, part.covered_secs)).collect();
    assert_eq!(found, vec![(2, 20), (3, 5)]);
    assert!(covered(&on_chain(), &claim(Hash32([0; 32]))).is_empty());
}

#[test]
fn a_certificate_is_for_one_registration() {
    let machine = MachineId([3; 32]);
    let (gpu_class, gpu_count, measured_at_secs) = (2, 8, START_SECS);
    let evidence = Hash32([0; 32]);
    let claim = Certificate { machine, registration: 3, gpu_class, gpu_count, measured_at_secs, evidence };
    let same = |now| same_registration(now, claim.machine, claim.registration, "certificate");
    assert!(same(Some(3)).is_ok());
    assert!(same(Some(4)).is_err());
    assert!(same(None).is_err());
}

#[test]
fn what_a_signer_is_now_is_told() {
    let account = Account([5; 20]);
    let keeper = KeeperView { account, weight: 9, active: true, ssh_key: SshKey([0; 32]), url: String::new() };
    assert!(keeper_says(std::slice::from_ref(&keeper), account).contains("an active keeper with weight 9"));
    let inactive = KeeperView { active: false, ..keeper };
    assert!(keeper_says(&[inactive], account).contains("not active now"));
    assert!(keeper_says(&[], account).contains("is no keeper now"));
}
