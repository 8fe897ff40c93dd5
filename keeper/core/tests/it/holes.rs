//! Holes of other systems, by their number in the survey of the field: each must be impossible here.

use crate::script::golden;
use crate::sim::{Sim, account, config, machine};
use surety_core::effect::Effect;
use surety_core::input::{Input, MeasureOutcome, MeasureResult, Observation};
use surety_core::judge::{Outcome, outcome};
use surety_core::statement::Statement;
use surety_core::types::{Cause, Endpoint, Kind};

/// A delivered rental of `m1`, watched by this keeper and two others, at 360 s.
fn rented() -> Sim {
    let mut sim = Sim::new(config());
    for (name, weight) in [("me", 40), ("k2", 35), ("k3", 25)] {
        sim.chain.add_keeper(name, weight);
    }
    sim.chain.add_node("m1", "alice");
    sim.start();
    sim.run(60);
    let now_secs = sim.now_secs();
    sim.chain.rent(1, "m1", now_secs, 36_000);
    sim.run(300);
    sim
}

fn behave(sim: &mut Sim, behaviour: &str) {
    sim.machines.insert(machine("m1"), behaviour.to_owned());
}

fn offline_causes(sim: &Sim) -> Vec<Cause> {
    sim.attested().iter().filter(|claim| claim.0 == Kind::Offline).map(|claim| claim.4).collect()
}

#[test]
fn hole_17_no_way_of_failing_avoids_the_case() {
    let ways = [
        ("down", Cause::Unreachable),
        ("garbage", Cause::Unreachable),
        ("hangs", Cause::Unreachable),
        ("drops", Cause::Unreachable),
        ("refuses", Cause::RenterRefused),
        ("hostile", Cause::RenterRefused),
        ("wrong-key", Cause::WrongHostKey),
    ];
    for (way, cause) in ways {
        let mut sim = rented();
        // No offer any more, all bond reserved: nothing about the machine is looked at before the rental is.
        sim.chain.nodes.get_mut(&machine("m1")).unwrap().offer = None;
        behave(&mut sim, way);
        sim.run(17 * 60);
        assert_eq!(offline_causes(&sim).first(), Some(&cause), "{way}");
    }
}

#[test]
fn hole_18_no_endpoint_hides_a_rented_machine() {
    let unreachable: [Option<Endpoint>; 3] = [
        None,
        Some(Endpoint { ip: [10, 0, 0, 1].into(), port: 22 }),
        Some(Endpoint { ip: [127, 0, 0, 1].into(), port: 22 }),
    ];
    for endpoint in unreachable {
        let mut sim = rented();
        sim.chain.nodes.get_mut(&machine("m1")).unwrap().endpoint = endpoint;
        sim.run(17 * 60);
        assert_eq!(offline_causes(&sim).first(), Some(&Cause::Unreachable), "{endpoint:?}");
    }
}

#[test]
fn hole_18_moving_does_not_reset_suspicion() {
    let mut sim = rented();
    behave(&mut sim, "down");
    for port in 1..=16 {
        sim.chain.nodes.get_mut(&machine("m1")).unwrap().endpoint.as_mut().unwrap().port = port;
        sim.run(60);
    }
    assert!(!offline_causes(&sim).is_empty());
}

#[test]
fn hole_18_a_machine_left_out_of_the_view_is_the_operators_problem_and_no_ones_fault() {
    let mut sim = rented();
    sim.state.world.best.nodes = Default::default();
    sim.chain.nodes.clear();
    sim.run(20 * 60);
    assert_eq!(sim.attested(), vec![]);
    assert!(sim.count(|effect| matches!(effect, Effect::Alert { message, .. } if message.contains("not read"))) > 0);
}

#[test]
fn hole_24_what_could_not_be_read_passes_nothing() {
    // The keeper set was never read: nobody is a keeper, we neither, so nothing is signed.
    let mut sim = rented();
    sim.state.world.best.keepers.clear();
    sim.chain.keepers.clear();
    behave(&mut sim, "down");
    sim.run(20 * 60);
    assert_eq!(sim.attested(), vec![]);
    // RPC without a majority: the same.
    let mut sim = rented();
    behave(&mut sim, "down");
    sim.rpc_up = false;
    sim.run(20 * 60);
    assert_eq!(sim.attested(), vec![]);
    // No bond read, no measurement.
    let mut sim = Sim::new(config());
    sim.chain.add_keeper("me", 1);
    sim.chain.add_node("m1", "alice");
    sim.chain.offer("m1", 1, 8);
    sim.chain.nodes.get_mut(&machine("m1")).unwrap().free_rao = 0;
    sim.start();
    sim.run(600);
    assert_eq!(sim.count(|effect| matches!(effect, Effect::Measure { .. })), 0);
}

#[test]
fn hole_26_a_failure_without_a_text_is_a_failure() {
    let why = String::new;
    for seen in [
        Observation::NoConnection { why: why() },
        Observation::NoHandshake { why: why() },
        Observation::Lost { why: why() },
        Observation::Hostile { what: why() },
        Observation::WrongHostKey { got: why() },
        Observation::Refused,
    ] {
        assert!(matches!(outcome(&seen), Outcome::Fault(_)), "{seen:?}");
    }
    assert_eq!(outcome(&Observation::NotLooked { why: why() }), Outcome::Unmeasured);
}

fn certificates(sim: &Sim) -> usize {
    sim.count(|effect| matches!(effect, Effect::Sign { statement: Statement::Certificate(_), .. }))
}

#[test]
fn hole_26_one_card_of_eight_is_not_certified_as_eight() {
    let mut sim = Sim::new(config());
    sim.chain.add_keeper("me", 1);
    sim.chain.add_node("m1", "alice");
    sim.chain.offer("m1", 1, 8);
    sim.measures.insert(machine("m1"), "one-card".to_owned());
    sim.start();
    sim.run(600);
    assert_eq!(certificates(&sim), 0);
    assert!(sim.count(|effect| matches!(effect, Effect::Alert { message, .. } if message.contains("proved 1"))) > 0);
    sim.measures.insert(machine("m1"), "proves".to_owned());
    sim.run(1_800);
    assert!(certificates(&sim) > 0);
}

#[test]
fn hole_26_one_card_of_eight_answering_does_not_keep_the_pay_of_eight() {
    let mut sim = rented();
    sim.cards.insert(machine("m1"), 1);
    sim.run(30 * 60);
    assert_eq!(offline_causes(&sim).first(), Some(&Cause::GpusMissing), "it lets the renter in all the while");
    let mut honest = rented();
    honest.cards.insert(machine("m1"), 8);
    honest.run(30 * 60);
    assert_eq!(honest.attested(), vec![]);
    let mut silent = rented();
    silent.run(30 * 60);
    assert_eq!(silent.attested(), vec![], "what could not be asked is nobody's fault");
}

#[test]
fn hole_26_success_without_a_transcript_is_not_certified() {
    let mut sim = Sim::new(config());
    sim.chain.add_keeper("me", 1);
    sim.chain.add_node("m1", "alice");
    sim.chain.offer("m1", 1, 8);
    sim.measures.insert(machine("m1"), "silent".to_owned());
    sim.start();
    sim.run(120);
    let asked = sim.log.iter().flat_map(|stepped| &stepped.effects).find_map(|effect| match effect {
        Effect::Measure { id, .. } => Some(*id),
        _ => None,
    });
    let at_secs = sim.now_secs();
    sim.feed(Input::Measure(MeasureResult {
        id: asked.unwrap(),
        machine: machine("m1"),
        registration: 1,
        at_secs,
        outcome: MeasureOutcome::Proven { gpu_class: 1, gpu_count: 8, transcript: serde_json::Value::Null },
    }));
    assert_eq!(certificates(&sim), 0);
}

#[test]
fn hole_28_one_timeout_ends_no_rental_and_every_claim_has_its_evidence() {
    let mut sim = rented();
    behave(&mut sim, "down");
    sim.run(40);
    behave(&mut sim, "up");
    sim.run(600);
    assert_eq!(sim.attested(), vec![], "three or four looks within 40 s prove nothing");
    behave(&mut sim, "down");
    sim.run(1_200);
    let mut claims = 0;
    for effect in sim.log.iter().flat_map(|stepped| &stepped.effects) {
        if let Effect::Sign { statement, evidence, .. } = effect {
            assert_eq!(evidence.supports(statement), Ok(()));
            claims += 1;
        }
    }
    assert!(claims > 0);
}

#[test]
fn a_rented_machine_is_never_measured() {
    // Also hole 27's other half: renting oneself does not stop liveness looks.
    let mut sim = rented();
    sim.chain.offer("m1", 1, 8);
    sim.run(3_600);
    assert_eq!(sim.count(|effect| matches!(effect, Effect::Measure { .. })), 0);
    assert!(sim.count(|effect| matches!(effect, Effect::Probe { .. })) > 100);
}

#[test]
fn no_host_is_contacted_twice_within_ten_seconds() {
    let mut sim = rented();
    behave(&mut sim, "down");
    for second in 0..600 {
        let (from, until) = (100 + second / 10, 300 + second / 2);
        sim.peer("k2", Kind::Interrupted, 1, from, until);
        sim.run(1);
        if second == 300 {
            sim.down(2);
        }
    }
    let mut last: Option<u64> = None;
    for stepped in &sim.log {
        if stepped.effects.iter().any(|effect| matches!(effect, Effect::Probe { .. })) {
            assert!(last.is_none_or(|last| stepped.secs >= last + 10), "{last:?} then {}", stepped.secs);
            last = Some(stepped.secs);
        }
    }
}

#[test]
fn shadow_kinds_are_reported_and_not_signed() {
    let mut shadowed = config();
    shadowed.shadow.insert(Kind::Offline);
    let mut sim = Sim::new(shadowed);
    sim.chain.add_keeper("me", 1);
    sim.chain.add_node("m1", "alice");
    sim.start();
    sim.run(60);
    let now_secs = sim.now_secs();
    sim.chain.rent(1, "m1", now_secs, 36_000);
    sim.run(300);
    behave(&mut sim, "down");
    sim.run(1_200);
    assert_eq!(sim.attested(), vec![]);
    assert!(sim.count(|effect| matches!(effect, Effect::Alert { message, .. } if message.starts_with("shadow"))) > 0);
}

#[test]
fn nothing_is_signed_by_one_who_is_no_keeper() {
    let mut sim = rented();
    let me = account("me");
    sim.chain.keepers.iter_mut().filter(|keeper| keeper.account == me).for_each(|keeper| keeper.active = false);
    behave(&mut sim, "down");
    sim.run(1_200);
    assert_eq!(sim.attested(), vec![]);
}

#[test]
fn a_script_plays_the_same_twice() {
    let script = include_str!("../scenarios/outage_offline.txt");
    assert_eq!(golden(script), golden(script));
}
