use super::*;
use crate::effect::Effect;
use crate::fixtures::{START, account, config, machine, node, rental, tick, times, update};
use crate::input::{AnchorResult, Input, Started};
use crate::step::step;
use crate::types::Signature;
use crate::view::{CaseStatus, CaseView, NodeView, View};

/// A keeper that sees, with machine 2 registered.
fn seeing(config: crate::state::Config) -> State {
    let mut state = State::new(config).unwrap_or_else(|why| panic!("{why}"));
    let now_unix_ms = (START + 100) * 1_000;
    step(&mut state, &Input::Started(Started { now_unix_ms, now_ms: 0, times: times() }));
    let mut view = update(View::Best, 1, 100, rental(1));
    view.nodes.push(NodeView { offer: None, ..node(2) });
    step(&mut state, &Input::Chain(Box::new(view)));
    seconds(&mut state, 5);
    assert_eq!(state.health.blind, None);
    state
}

fn seconds(state: &mut State, count: u64) -> Vec<Effect> {
    let mut found = Vec::new();
    for _ in 0..count {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        for effect in tick(state) {
            if let Effect::ProbeAnchors { id } = &effect {
                let ended_ms = state.clock.now_ms;
                step(state, &Input::Anchors(AnchorResult { id: *id, ended_ms, reachable: 1, asked: 1 }));
            }
            found.push(effect);
        }
    }
    found
}

fn proofs(n: u64) -> [BadProof; 2] {
    let proof =
        |n: u64| BadProof { at_secs: START + n, why: "row 7".to_owned(), transcript: serde_json::json!({ "n": n }) };
    [proof(n), proof(n + 1)]
}

fn spoofing(n: u64) -> Spoofing {
    Spoofing {
        machine: machine(2),
        registration: 1,
        gpu_class: 1,
        gpu_count: 8,
        proved_at_secs: START + n + 1,
        recomputed: None,
        proofs: proofs(n),
    }
}

fn said(who: u8, at: u64) -> Signed<Spoof> {
    let statement = Spoof {
        machine: machine(2),
        registration: 1,
        gpu_class: 1,
        gpu_count: 8,
        proved_at_secs: START + at,
        evidence: Hash32([who; 32]),
    };
    Signed { statement, signer: account(who), signature: Signature::default() }
}

fn peer(state: &mut State, signed: &Signed<Spoof>) {
    step(state, &Input::PeerSpoof(signed.clone()));
}

fn signs(effects: &[Effect]) -> Vec<Statement> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Sign { statement: statement @ Statement::Spoof(_), .. } => Some(*statement),
        _ => None,
    });
    asked.collect()
}

fn checks(effects: &[Effect]) -> Vec<(EffectId, Account)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::CheckSpoof { id, peer, .. } => Some((*id, *peer)),
        _ => None,
    });
    asked.collect()
}

fn filings(effects: &[Effect]) -> Vec<(EffectId, Vec<Account>)> {
    let asked = effects.iter().filter_map(|effect| match effect {
        Effect::Submit { id, intent: Intent::FileSpoofed { spoofs, .. } } => {
            Some((*id, spoofs.iter().map(|signed| signed.signer).collect()))
        }
        _ => None,
    });
    asked.collect()
}

fn checked(state: &mut State, id: EffectId, outcome: SpoofOutcome) -> Vec<Effect> {
    step(state, &Input::SpoofChecked(SpoofCheck { id, machine: machine(2), outcome }))
}

fn own(state: &mut State, statement: Statement) {
    let (signer, signature) = (state.config.me, Signature::default());
    step(state, &Input::Signed(Signed { statement, signer, signature }));
}

#[test]
fn what_this_keeper_caught_is_signed_once_and_again_after_a_restart() {
    let mut state = seeing(config());
    prove(&mut state, spoofing(50));
    let asked = signs(&seconds(&mut state, 30));
    assert_eq!(asked.len(), 1);
    restart(&mut state.spoofs);
    assert_eq!(signs(&seconds(&mut state, 2)).len(), 1, "nobody knows whether the first one was made");
}

#[test]
fn a_signed_spoof_is_signed_no_more_and_its_proofs_serve_once() {
    let mut state = seeing(config());
    prove(&mut state, spoofing(50));
    let asked = signs(&seconds(&mut state, 2));
    own(&mut state, asked[0]);
    assert_eq!(signs(&seconds(&mut state, 100)), vec![]);
    let dated = |bad: BadProof| BadProof { at_secs: START + 90, ..bad };
    let proofs = proofs(50).map(dated);
    prove(&mut state, Spoofing { proved_at_secs: START + 90, proofs, ..spoofing(50) });
    assert_eq!(signs(&seconds(&mut state, 100)), vec![], "an old proof under a new date");
}

#[test]
fn in_shadow_nothing_is_signed_and_it_is_told() {
    let mut shadow = config();
    shadow.shadow.insert(Kind::Spoofed);
    let mut state = seeing(shadow);
    prove(&mut state, spoofing(50));
    let effects = seconds(&mut state, 30);
    assert_eq!(signs(&effects), vec![]);
    let told = effects.iter().filter(|effect| matches!(effect, Effect::Alert { .. })).count();
    assert_eq!(told, 1);
}

#[test]
fn a_blind_keeper_signs_nothing() {
    let mut state = seeing(config());
    state.health.last_round = None;
    prove(&mut state, spoofing(50));
    state.health.in_flight = Some((Hash32([9; 32]), state.clock.now_ms));
    for _ in 0..20 {
        state.world.best.block.timestamp_secs = state.clock.now_secs();
        assert_eq!(signs(&tick(&mut state)), vec![]);
    }
}

#[test]
fn a_peers_word_is_recomputed_and_only_then_signed() {
    let mut state = seeing(config());
    peer(&mut state, &said(2, 50));
    let effects = seconds(&mut state, 20);
    let asked = checks(&effects);
    assert_eq!((asked.len(), signs(&effects).len()), (1, 0));
    assert_eq!(asked[0].1, account(2));
    checked(&mut state, asked[0].0, SpoofOutcome::Bad { proofs: Box::new(proofs(49)) });
    let signed = signs(&seconds(&mut state, 2));
    let [Statement::Spoof(spoof)] = signed[..] else { panic!("{signed:?}") };
    assert_eq!((spoof.proved_at_secs, spoof.gpu_count), (START + 50, 8));
    assert_ne!(spoof.evidence, Hash32([2; 32]), "its own bundle, which names the peer's");
}

#[test]
fn evidence_that_shows_nothing_is_told_and_neither_signed_nor_filed() {
    let mut state = seeing(config());
    for who in [2, 3] {
        peer(&mut state, &said(who, 50));
    }
    for _ in 0..2 {
        let asked = checks(&seconds(&mut state, 2));
        let effects = checked(&mut state, asked[0].0, SpoofOutcome::NotShown { why: "the row is right".to_owned() });
        assert!(matches!(effects[..], [Effect::Alert { .. }]));
    }
    peer(&mut state, &said(2, 60));
    let effects = seconds(&mut state, 300);
    assert_eq!((signs(&effects), filings(&effects).len(), checks(&effects).len()), (vec![], 0, 0));
}

#[test]
fn evidence_that_cannot_be_read_is_asked_for_ever_less_often_from_one_peer_after_another() {
    let mut state = seeing(config());
    peer(&mut state, &said(2, 50));
    peer(&mut state, &said(3, 50));
    let mut asked = Vec::new();
    for _ in 0..600 {
        for (id, who) in checks(&seconds(&mut state, 1)) {
            asked.push(who);
            checked(&mut state, id, SpoofOutcome::Unread { why: "404".to_owned() });
        }
    }
    assert!((6..=12).contains(&asked.len()), "{asked:?}");
    assert!(asked.contains(&account(2)) && asked.contains(&account(3)));
}

#[test]
fn what_no_keeper_could_file_is_not_kept() {
    let mut state = seeing(config());
    state.world.best.block.timestamp_secs = START + 200_000;
    let stale = said(2, 50);
    let cards = Signed { statement: Spoof { gpu_count: 0, ..said(2, 199_000).statement }, ..said(2, 0) };
    let registration = Signed { statement: Spoof { registration: 2, ..said(2, 199_000).statement }, ..said(2, 0) };
    let unknown = Signed { statement: Spoof { machine: machine(9), ..said(2, 199_000).statement }, ..said(2, 0) };
    for signed in [stale, cards, registration, unknown, said(2, 200_100), said(9, 199_000), said(1, 199_000)] {
        peer(&mut state, &signed);
        assert!(state.spoofs.values().all(|file| file.spoofs.is_empty()), "{signed:?}");
    }
    peer(&mut state, &said(2, 199_000));
    assert_eq!(state.spoofs[&machine(2)].spoofs.len(), 1);
}

fn case(registration: u32, at: u64) -> CaseView {
    CaseView {
        id: 1,
        kind: Kind::Spoofed,
        status: CaseStatus::Filed,
        rental: 0,
        executable_at_secs: START + 100_000,
        penalty_rao: 0,
        registration,
        filed_at_secs: START + at,
    }
}

#[test]
fn a_quorum_is_filed_once_by_as_few_as_carry_it() {
    let mut state = seeing(config());
    for who in [1, 2, 3] {
        let signed = said(who, 50);
        if who == 1 { own(&mut state, signed.statement.into()) } else { peer(&mut state, &signed) }
    }
    let effects = seconds(&mut state, 100);
    let [(id, signers)] = &filings(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(*signers, [account(1), account(2)], "40 and 35 of 100 are a quorum");
    state.world.best.cases.put(&case(1, 120), usize::MAX);
    step(&mut state, &Input::Tx(TxResult { id: *id, outcome: TxOutcome::Settled }));
    assert_eq!(filings(&seconds(&mut state, 300)), vec![]);
    assert!(!state.spoofs.contains_key(&machine(2)), "nothing of it is left");
}

#[test]
fn two_keepers_that_differ_about_the_cards_are_no_quorum() {
    let mut state = seeing(config());
    own(&mut state, said(1, 50).statement.into());
    let four = Spoof { gpu_count: 4, ..said(2, 50).statement };
    peer(&mut state, &Signed { statement: four, ..said(2, 50) });
    assert_eq!(filings(&seconds(&mut state, 200)), vec![]);
}

#[test]
fn a_spoof_already_on_chain_makes_older_statements_worthless() {
    let mut state = seeing(config());
    state.world.best.cases.put(&case(1, 60), usize::MAX);
    for (who, at) in [(2, 60), (3, 60)] {
        peer(&mut state, &said(who, at));
    }
    assert!(state.spoofs.is_empty(), "made at the time of filing: the Arbiter would say stale");
    for who in [2, 3] {
        peer(&mut state, &said(who, 61));
    }
    assert_eq!(state.spoofs[&machine(2)].spoofs.len(), 2, "a later one is a new one");
    state.world.best.cases.put(&case(2, 90), usize::MAX);
    seconds(&mut state, 1);
    assert_eq!(state.spoofs[&machine(2)].spoofs.len(), 2, "another registration's");
}

#[test]
fn nothing_is_filed_about_a_registration_that_is_retired() {
    let mut state = seeing(config());
    own(&mut state, said(1, 50).statement.into());
    peer(&mut state, &said(2, 50));
    state.world.best.nodes.put(NodeView { miner: Account::default(), ..node(2) });
    assert_eq!(filings(&seconds(&mut state, 300)), vec![], "the Arbiter would not take it");
    assert!(state.spoofs.is_empty());
    peer(&mut state, &said(3, 60));
    assert!(state.spoofs.is_empty(), "nor is more heard of it");
}

#[test]
fn a_failed_filing_is_told_and_made_anew() {
    let mut state = seeing(config());
    own(&mut state, said(1, 50).statement.into());
    peer(&mut state, &said(2, 50));
    let first = filings(&seconds(&mut state, 100));
    let failed = TxOutcome::Failed { why: "Arbiter_NoQuorum".to_owned() };
    let told = step(&mut state, &Input::Tx(TxResult { id: first[0].0, outcome: failed }));
    assert!(matches!(told[..], [Effect::Alert { .. }]));
    let second = filings(&seconds(&mut state, 200));
    assert_eq!(second.len(), 1);
    assert_ne!(first[0].0, second[0].0);
}

#[test]
fn a_quorum_of_others_is_left_to_them_until_this_keeper_has_recomputed_it() {
    let mut state = seeing(config());
    for (who, weight) in [(1, 20), (2, 40), (3, 40)] {
        state.world.best.keepers.entry(account(who)).and_modify(|keeper| keeper.weight = weight);
    }
    for who in [2, 3] {
        peer(&mut state, &said(who, 50));
    }
    let effects = seconds(&mut state, 200);
    assert_eq!((filings(&effects), checks(&effects).len()), (vec![], 1));
    own(&mut state, said(1, 50).statement.into());
    assert_eq!(filings(&seconds(&mut state, 200)).len(), 1);
}

#[test]
fn proofs_that_are_not_two_are_not_kept() {
    let mut state = seeing(config());
    let [one, _] = proofs(50);
    prove(&mut state, Spoofing { proofs: [one.clone(), one], ..spoofing(50) });
    assert!(state.spoofs.values().all(|file| file.proven.is_none()));
}

mod peers;

#[test]
fn a_proof_that_served_long_ago_is_not_signed_under_a_new_date() {
    let again = |caught: u64| {
        let mut state = seeing(config());
        for n in 1..=caught {
            prove(&mut state, spoofing(2 * n));
            let signed = signs(&seconds(&mut state, 2));
            own(&mut state, signed[0]);
        }
        let dated = |bad: BadProof| BadProof { at_secs: START + 90, ..bad };
        let by_peer = Some(Recomputed { keeper: account(2), evidence: Hash32([2; 32]) });
        let redated = Spoofing { recomputed: by_peer, proofs: spoofing(2).proofs.map(dated), ..spoofing(90) };
        prove(&mut state, redated)
    };
    // As many as are remembered, and more: then a peer's word about older ones counts for nothing.
    assert_eq!([1, 5, 31, 32, 40].map(again), [false; 5]);
}
