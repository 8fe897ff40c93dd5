use super::*;
use crate::effect::Effect;
use crate::fixtures::{machine, state, tick};
use crate::input::{AnchorResult, Input, ProbeResult};
use crate::statement::{Attestation, Signed, Statement};
use crate::step::step;
use crate::types::{Cause, Kind, Signature};

/// A delivered rental of 8 cards, whose machine answers both kinds of questions as told.
struct World {
    state: State,
    accepts: bool,
    /// Cards it states; `None`: no answer.
    states: Option<usize>,
    asked: Vec<u64>,
    signed: Vec<Attestation>,
}

fn statement(count: usize) -> CardsStatement {
    let cards = (0..count).map(|n| format!("GPU-{n}")).collect();
    CardsStatement { registration: 1, cards, signature: Ed25519Signature([7; 64]) }
}

impl World {
    fn new() -> Self {
        Self { state: state(5), accepts: true, states: Some(8), asked: Vec::new(), signed: Vec::new() }
    }

    fn pass(&mut self, secs: u64) {
        for _ in 0..secs {
            self.state.world.best.block.timestamp_secs = self.state.clock.now_secs();
            for effect in tick(&mut self.state) {
                self.answer(effect);
            }
        }
    }

    fn answer(&mut self, effect: Effect) {
        let (now_ms, at_secs) = (self.state.clock.now_ms, self.state.clock.now_secs());
        let (started_ms, ended_ms) = (now_ms, now_ms);
        let input = match effect {
            Effect::ProbeAnchors { id } => Input::Anchors(AnchorResult { id, ended_ms, reachable: 1, asked: 1 }),
            Effect::Probe { id, machine, .. } => {
                let seen = if self.accepts { Observation::Accepted } else { Observation::Refused };
                Input::Probe(ProbeResult { id, machine, started_ms, ended_ms, at_secs, seen })
            }
            Effect::Inventory { id, machine, .. } => {
                self.asked.push(at_secs);
                let outcome = match self.states {
                    Some(count) => InventoryOutcome::Stated { statement: statement(count) },
                    None => InventoryOutcome::Unmeasured { why: "busy".to_owned() },
                };
                Input::Inventory(InventoryResult { id, machine, started_ms, ended_ms, at_secs, outcome })
            }
            Effect::Sign { statement: statement @ Statement::Attestation(claim), .. } => {
                self.signed.push(claim);
                let (signer, signature) = (self.state.config.me, Signature::default());
                Input::Signed(Signed { statement, signer, signature })
            }
            _ => return,
        };
        step(&mut self.state, &input);
    }

    fn kinds(&self) -> Vec<(Kind, Cause)> {
        let mut kinds: Vec<_> = self.signed.iter().map(|claim| (claim.kind, claim.cause)).collect();
        kinds.dedup();
        kinds
    }
}

#[test]
fn a_rented_machine_is_asked_every_ten_minutes_once_delivered() {
    let mut world = World::new();
    world.accepts = false;
    world.pass(120);
    assert!(world.asked.is_empty(), "not delivered, and failing");
    world.accepts = true;
    world.pass(6_000);
    assert!((9..=12).contains(&world.asked.len()), "{:?}", world.asked);
    assert!(world.asked.windows(2).all(|pair| (530..=670).contains(&(pair[1] - pair[0]))), "{:?}", world.asked);
    assert_eq!(world.signed, vec![]);
}

#[test]
fn an_admission_that_lasts_is_offline_for_missing_gpus_although_it_lets_the_renter_in() {
    let mut world = World::new();
    world.pass(700);
    world.states = Some(7);
    world.pass(1_500 + 600);
    assert_eq!(world.kinds(), [(Kind::Offline, Cause::GpusMissing)]);
    assert!(world.signed.len() >= 5, "signed anew while it lasts: {}", world.signed.len());
    assert!(world.signed.iter().all(|claim| claim.until_secs - claim.from_secs >= 900));
    world.states = Some(8);
    world.pass(120);
    assert_eq!(world.kinds(), [(Kind::Offline, Cause::GpusMissing), (Kind::Interrupted, Cause::GpusMissing)]);
    let count = world.signed.len();
    world.pass(2_000);
    assert_eq!(world.signed.len(), count, "over is over");
}

#[test]
fn what_a_machine_admits_now_is_known_to_whoever_weighs_it_and_what_it_took_back_is_not() {
    let mut world = World::new();
    let missing = |world: &mut World, registration| {
        world.state.capacity.entry(machine(1)).or_default().registration = registration;
        crate::weights::measured(&world.state)[&machine(1)].cards_missing
    };
    world.pass(700);
    assert_eq!(missing(&mut world, 1), None, "a full count is no admission");
    world.states = Some(5);
    world.pass(700);
    assert_eq!(missing(&mut world, 1), Some(3));
    assert_eq!(missing(&mut world, 2), None, "said under another registration");
    world.states = Some(0);
    world.pass(60);
    assert_eq!(missing(&mut world, 1), Some(8));
    world.states = Some(8);
    world.pass(60);
    assert_eq!(missing(&mut world, 1), None);
    world.states = Some(6);
    world.pass(700);
    world.state.world.best.block.timestamp_secs += 1_000_000;
    assert_eq!(missing(&mut world, 1), None, "the tenant has left");
}

#[test]
fn one_admission_taken_back_is_nothing() {
    let mut world = World::new();
    world.pass(120);
    let asked = world.asked.len();
    world.states = Some(1);
    while world.asked.len() == asked {
        world.pass(1);
    }
    world.states = Some(8);
    world.pass(2_000);
    assert_eq!(world.signed, vec![]);
}

#[test]
fn no_answer_is_no_fault() {
    let mut world = World::new();
    world.states = None;
    world.pass(4_000);
    assert!(world.asked.len() >= 5);
    assert_eq!(world.signed, vec![]);
}

#[test]
fn who_admits_and_falls_silent_answers_for_what_it_admitted_and_is_pressed_no_longer() {
    let mut world = World::new();
    world.pass(100);
    world.states = Some(4);
    world.pass(900);
    let seen = world.asked.len();
    world.states = None;
    world.pass(3_000);
    assert!(world.asked.len() - seen <= 20, "{} questions in 50 minutes", world.asked.len() - seen);
    world.states = Some(8);
    world.pass(1_200);
    assert!(world.kinds().contains(&(Kind::Interrupted, Cause::GpusMissing)), "{:?}", world.kinds());
    let last = world.signed.iter().map(|claim| claim.until_secs).max().unwrap_or(0);
    assert!(last <= crate::fixtures::START + 5 + 1_010, "nothing is claimed of the silence");
}

#[test]
fn while_looks_from_outside_fail_they_speak_and_nothing_is_asked() {
    let mut world = World::new();
    world.pass(700);
    world.states = Some(7);
    world.pass(1_500);
    world.accepts = false;
    world.pass(60);
    let (asked, signed) = (world.asked.len(), world.signed.len());
    world.pass(1_500);
    assert_eq!(world.asked.len(), asked);
    let causes: BTreeSet<Cause> = world.signed[signed..].iter().map(|claim| claim.cause).collect();
    assert!(causes.contains(&Cause::RenterRefused), "{causes:?}");
    let mixed =
        world.signed[signed..].iter().any(|claim| (claim.kind, claim.cause) == (Kind::Offline, Cause::GpusMissing));
    assert!(!mixed, "the outage from outside is the one that lasts");
}

#[test]
fn nothing_counts_while_our_own_side_is_not_known_to_be_well() {
    let mut world = World::new();
    world.pass(100);
    world.states = Some(7);
    world.state.world.best.keepers.clear();
    world.pass(1_200);
    assert_eq!(world.signed, vec![], "not a keeper: not asked, not signed");
}

#[test]
fn statements_that_make_no_sense_say_nothing() {
    let name = |text: &str| CardsStatement { cards: vec![text.to_owned()], ..statement(0) };
    for bad in ["", "GPU 1", "GPU\n1", "é", &"x".repeat(65)] {
        assert!(!name(bad).is_well_formed(), "{bad}");
    }
    assert!(!CardsStatement { cards: vec!["a".to_owned(); 2], ..statement(0) }.is_well_formed(), "twice the same");
    assert!(!statement(17).is_well_formed());
    assert!(statement(0).is_well_formed() && statement(16).is_well_formed());
    let world = World::new();
    let result = |statement| InventoryResult {
        id: Hash32::default(),
        machine: machine(1),
        started_ms: 0,
        ended_ms: 0,
        at_secs: 0,
        outcome: InventoryOutcome::Stated { statement },
    };
    let nothing = |statement| matches!(seen(&world.state, 1, &result(statement)), Observation::NotLooked { .. });
    assert!(nothing(CardsStatement { registration: 2, ..statement(7) }));
    assert!(nothing(statement(17)));
    assert!(!nothing(statement(7)));
}

#[test]
fn what_is_signed_differs_in_every_part() {
    let cards = ["GPU-1".to_owned()];
    let (one, who, nonce) = (machine(1), Account([1; 20]), Hash32([2; 32]));
    let all = [
        message(1, &one, &who, &nonce, 1, &cards),
        message(2, &one, &who, &nonce, 1, &cards),
        message(1, &machine(2), &who, &nonce, 1, &cards),
        message(1, &one, &Account([2; 20]), &nonce, 1, &cards),
        message(1, &one, &who, &Hash32([3; 32]), 1, &cards),
        message(1, &one, &who, &nonce, 2, &cards),
        message(1, &one, &who, &nonce, 1, &[]),
    ];
    let distinct: BTreeSet<&Vec<u8>> = all.iter().collect();
    assert_eq!(distinct.len(), all.len());
}

#[test]
fn missing_cards_that_last_are_not_signed_while_looks_from_outside_fail() {
    let mut world = World::new();
    world.pass(700);
    world.states = Some(7);
    world.pass(1_700);
    assert_eq!(world.kinds(), [(Kind::Offline, Cause::GpusMissing)]);
    for (fails_outside, signed) in [(true, 0), (false, 1)] {
        let mut state = world.state.clone();
        state.cards.edit(&machine(1), |record| {
            record.tenancy.iter_mut().for_each(|tenancy| tenancy.last_signed = None);
        });
        state.watches.edit(&machine(1), |watch| watch.suspected = fails_outside);
        let mut effects = Vec::new();
        sign(&mut state, &mut effects);
        assert_eq!(effects.len(), signed, "{effects:?}");
    }
}
