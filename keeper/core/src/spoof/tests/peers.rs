//! Peers that would keep this keeper busy, or keep it from hearing others.

use super::*;

/// Whose evidence is asked for while `answer` says what comes of it, with the number of checks.
fn asked_for(state: &mut State, secs: u64, answer: impl Fn(Account) -> SpoofOutcome) -> Vec<Account> {
    let mut asked = Vec::new();
    for _ in 0..secs {
        for (id, peer) in checks(&seconds(state, 1)) {
            asked.push(peer);
            let outcome = answer(peer);
            checked(state, id, outcome);
        }
    }
    asked
}

#[test]
fn proofs_that_served_are_not_recomputed_again_and_again_under_a_new_date() {
    let mut state = seeing(config());
    prove(&mut state, spoofing(50));
    let signed = signs(&seconds(&mut state, 2));
    own(&mut state, signed[0]);
    // A case is made of it: from here on only younger statements serve.
    let filed = CaseView {
        id: 1,
        kind: Kind::Spoofed,
        status: CaseStatus::Filed,
        rental: 0,
        executable_at_secs: START + 90_000,
        penalty_rao: 0,
        registration: 1,
        filed_at_secs: START + 60,
    };
    state.world.best.cases.put(&filed, usize::MAX);
    seconds(&mut state, 2);
    peer(&mut state, &said(2, 90));
    let dated = |bad: BadProof| BadProof { at_secs: START + 90, ..bad };
    let again = |_| SpoofOutcome::Bad { proofs: Box::new(proofs(50).map(dated)) };
    assert_eq!(asked_for(&mut state, 100, again), [account(2)]);
    peer(&mut state, &said(2, 90));
    assert_eq!(asked_for(&mut state, 100, again), [], "heard once more");
}

#[test]
fn a_peer_whose_evidence_cannot_be_read_keeps_no_other_from_being_heard() {
    let mut state = seeing(config());
    peer(&mut state, &said(2, 50));
    let unread = |_| SpoofOutcome::Unread { why: "no answer".to_owned() };
    let mut times = 0;
    while times < 5 {
        times += asked_for(&mut state, 1, unread).len();
    }
    assert!(state.clock.now_secs() > START + 900, "ever more rarely");
    peer(&mut state, &said(3, 60));
    let asked = checks(&seconds(&mut state, 2));
    assert_eq!(asked.iter().map(|(_, peer)| *peer).collect::<Vec<_>>(), [account(3)]);
}
