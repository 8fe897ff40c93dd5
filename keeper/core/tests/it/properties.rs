//! What holds for any sequence of inputs.

use crate::chain::times;
use crate::odd_views::{keeper, node, rental};
use crate::sim::{UNIX0, account, config, machine};
use proptest::prelude::*;
use surety_core::effect::{Effect, EffectId};
use surety_core::hints::Hint;
use surety_core::input::{
    AnchorResult, ChainUpdate, Input, InventoryResult, MeasureOutcome, MeasureResult, Observation, ProbeResult,
    SpoofCheck, Started, Tick, TxOutcome, TxResult,
};
use surety_core::limits;
use surety_core::state::State;
use surety_core::statement::{Attestation, Signed, Spoof, Statement};
use surety_core::step::step;
use surety_core::types::{Cause, Hash32, Kind, MachineId, Signature};
use surety_core::view::{BlockRef, View};

/// Something that happens, told against what the keeper has asked for so far.
#[derive(Clone, Debug)]
enum Happening {
    /// The keeper works undisturbed for a while: ticks, blocks, and every question answered.
    Cruise {
        ticks: u8,
        seen: u8,
        anchors_up: bool,
    },
    Tick {
        ms: u32,
        wall_off_ms: i32,
        rpc_healthy: bool,
    },
    Restart {
        after_ms: u32,
    },
    Chain {
        view: bool,
        back: u8,
        rental_secs: u16,
        faults: u8,
        endpoint: bool,
        closed: bool,
    },
    AnswerProbe {
        which: u8,
        seen: u8,
        late_ms: u32,
    },
    AnswerAnchors {
        up: bool,
    },
    AnswerMeasure {
        which: u8,
        outcome: u8,
    },
    AnswerSign {
        which: u8,
        by_me: bool,
    },
    AnswerTx {
        which: u8,
        settled: bool,
    },
    Peer {
        who: u8,
        kind: u8,
        rental: u8,
        from: i16,
        length: i16,
    },
    Nonsense {
        a: u64,
        b: u64,
        what: u8,
    },
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let bit = any::<bool>();
    prop_oneof![
        4 => (1u8..150, 0u8..9, prop::bool::weighted(0.9))
            .prop_map(|(ticks, seen, anchors_up)| Cruise { ticks, seen, anchors_up }),
        2 => (0u32..40_000, -90_000i32..90_000, prop::bool::weighted(0.9))
            .prop_map(|(ms, wall_off_ms, rpc_healthy)| Tick { ms, wall_off_ms, rpc_healthy }),
        1 => (0u32..400_000).prop_map(|after_ms| Restart { after_ms }),
        2 => (bit, 0u8..4, 0u16..9_000, 0u8..3, prop::bool::weighted(0.9), prop::bool::weighted(0.1)).prop_map(
            |(view, back, rental_secs, faults, endpoint, closed)| {
                Chain { view, back, rental_secs, faults, endpoint, closed }
            }
        ),
        2 => (any::<u8>(), 0u8..9, 0u32..90_000)
            .prop_map(|(which, seen, late_ms)| AnswerProbe { which, seen, late_ms }),
        1 => bit.prop_map(|up| AnswerAnchors { up }),
        1 => (any::<u8>(), 0u8..4).prop_map(|(which, outcome)| AnswerMeasure { which, outcome }),
        1 => (any::<u8>(), bit).prop_map(|(which, by_me)| AnswerSign { which, by_me }),
        1 => (any::<u8>(), bit).prop_map(|(which, settled)| AnswerTx { which, settled }),
        2 => (0u8..4, 1u8..5, 0u8..4, any::<i16>(), any::<i16>())
            .prop_map(|(who, kind, rental, from, length)| Peer { who, kind, rental, from, length }),
        1 => (any::<u64>(), any::<u64>(), 0u8..6).prop_map(|(a, b, what)| Nonsense { a, b, what }),
    ]
}

const KEEPERS: [&str; 4] = ["me", "k2", "k3", "stranger"];

/// Turns happenings into inputs by stepping a keeper along.
struct World {
    state: State,
    inputs: Vec<Input>,
    effects: Vec<Effect>,
    asked: Vec<Effect>,
    now_ms: u64,
    unix_ms: u64,
    number: u64,
    rental_secs: u64,
}

impl World {
    fn new() -> Self {
        let state = State::new(config()).unwrap();
        let (inputs, effects, asked) = (Vec::new(), Vec::new(), Vec::new());
        let mut world =
            Self { state, inputs, effects, asked, now_ms: 5, unix_ms: UNIX0 * 1_000, number: 1, rental_secs: 7_200 };
        world.feed(Input::Started(Started { now_unix_ms: world.unix_ms, now_ms: 5, times: times() }));
        world.chain(View::Best, 0, 7_200, 0, true, false);
        world
    }

    fn feed(&mut self, input: Input) {
        let effects = step(&mut self.state, &input);
        check_limits(&self.state);
        self.inputs.push(input);
        self.asked.extend(effects.iter().cloned());
        self.effects.extend(effects);
    }

    fn tick(&mut self, ms: u64, wall_off_ms: i64, rpc_healthy: bool) {
        self.now_ms += ms;
        self.unix_ms += ms;
        let now_unix_ms = self.unix_ms.saturating_add_signed(wall_off_ms);
        self.feed(Input::Tick(Tick { now_ms: self.now_ms, now_unix_ms, rpc_healthy }));
    }

    fn chain(&mut self, view: View, back: u64, rental_secs: u64, faults: u8, endpoint: bool, closed: bool) {
        self.number += 1;
        let timestamp_secs = self.unix_ms / 1_000;
        let number = self.number.saturating_sub(back);
        let block = BlockRef { number, hash: Hash32::default(), timestamp_secs };
        let nodes = (1u64..=3).map(|id| node(id, endpoint)).collect();
        let rentals = (1u64..=3).map(|id| rental(id, rental_secs, faults, closed && id == 1)).collect();
        let keepers = KEEPERS.iter().take(3).map(|name| keeper(name)).collect();
        let update = ChainUpdate {
            view,
            block,
            nodes,
            rentals,
            cases: Vec::new(),
            keepers: Some(keepers),
            newest: None,
            seat: None,
        };
        self.feed(Input::Chain(Box::new(update)));
    }

    fn cruise(&mut self, ticks: u8, seen: u8, anchors_up: bool) {
        for tick in 0..ticks {
            self.tick(5_000, 0, true);
            if tick % 2 == 0 {
                self.chain(View::Best, 0, self.rental_secs, 0, true, false);
            }
            for effect in std::mem::take(&mut self.asked) {
                self.answer(&effect, seen, anchors_up);
            }
        }
    }

    fn answer(&mut self, effect: &Effect, seen: u8, up: bool) {
        match effect {
            Effect::Probe { .. } => self.answer_probe(effect, seen, 100),
            Effect::ProbeAnchors { id } => {
                let reachable = if up { 3 } else { 1 };
                self.feed(Input::Anchors(AnchorResult { id: *id, ended_ms: self.now_ms + 50, reachable, asked: 3 }));
            }
            Effect::Measure { .. } => self.answer_measure(effect, seen % 4),
            Effect::Inventory { id, machine, .. } => self.answer_inventory(*id, *machine, seen),
            Effect::Sign { statement, .. } => self.answer_sign(statement, true),
            Effect::Submit { id, .. } => self.feed(Input::Tx(TxResult { id: *id, outcome: TxOutcome::Settled })),
            Effect::CheckSpoof { id, spoof, .. } => self.answer_check(*id, spoof, seen),
            Effect::Alert { .. } => {}
        }
    }

    fn answer_inventory(&mut self, id: EffectId, machine: MachineId, seen: u8) {
        let (started_ms, ended_ms, at_secs) = (self.now_ms, self.now_ms + 100, self.unix_ms / 1_000);
        let outcome = crate::sim::stated([None, Some(8), Some(3)][usize::from(seen % 3)]);
        self.feed(Input::Inventory(InventoryResult { id, machine, started_ms, ended_ms, at_secs, outcome }));
    }

    fn answer_check(&mut self, id: EffectId, spoof: &Spoof, seen: u8) {
        let outcome = crate::sim::recomputed(["bad", "good", "gone"][usize::from(seen % 3)], spoof);
        self.feed(Input::SpoofChecked(SpoofCheck { id, machine: spoof.machine, outcome }));
    }

    fn answer_probe(&mut self, effect: &Effect, seen: u8, late_ms: u64) {
        let Effect::Probe { id, machine, .. } = effect else { return };
        let (id, machine) = (*id, *machine);
        let (started_ms, ended_ms, at_secs) = (self.now_ms, self.now_ms + late_ms, self.unix_ms / 1_000);
        let seen = observation(seen);
        self.feed(Input::Probe(ProbeResult { id, machine, started_ms, ended_ms, at_secs, seen }));
    }

    fn answer_measure(&mut self, effect: &Effect, outcome: u8) {
        let Effect::Measure { id, machine, registration, gpu_class, gpu_count, .. } = effect else { return };
        let transcript = serde_json::json!({"row": outcome, "session": id, "pad": [1, 2, {"deep": "x"}]});
        let (gpu_class, gpu_count, why) = (*gpu_class, *gpu_count, "why".to_owned());
        let outcome = match outcome {
            0 => MeasureOutcome::Proven { gpu_class, gpu_count, transcript },
            1 => MeasureOutcome::BadProof { why, transcript },
            2 => MeasureOutcome::Underperforming { why },
            _ => MeasureOutcome::Unmeasured { why },
        };
        let (id, machine, registration, at_secs) = (*id, *machine, *registration, self.unix_ms / 1_000);
        self.feed(Input::Measure(MeasureResult { id, machine, registration, at_secs, outcome }));
    }

    fn answer_sign(&mut self, statement: &Statement, by_me: bool) {
        let signer = account(if by_me { "me" } else { "k2" });
        self.feed(Input::Signed(Signed { statement: *statement, signer, signature: Signature::default() }));
    }

    fn pick(&self, which: u8, wanted: impl Fn(&Effect) -> bool) -> Option<Effect> {
        let found: Vec<&Effect> = self.effects.iter().rev().filter(|effect| wanted(effect)).take(8).collect();
        found.get(usize::from(which) % found.len().max(1)).map(|effect| (*effect).clone())
    }

    fn happen(&mut self, happening: &Happening) {
        match *happening {
            Happening::Cruise { ticks, seen, anchors_up } => self.cruise(ticks, seen, anchors_up),
            Happening::Tick { ms, wall_off_ms, rpc_healthy } => self.tick(ms.into(), wall_off_ms.into(), rpc_healthy),
            Happening::Restart { after_ms } => {
                self.unix_ms += u64::from(after_ms);
                self.now_ms = 3;
                self.feed(Input::Started(Started { now_unix_ms: self.unix_ms, now_ms: 3, times: times() }));
            }
            Happening::Chain { view, back, rental_secs, faults, endpoint, closed } => {
                let view = if view { View::Best } else { View::Finalized };
                self.rental_secs = rental_secs.into();
                self.chain(view, back.into(), rental_secs.into(), faults, endpoint, closed);
            }
            Happening::AnswerProbe { which, seen, late_ms } => {
                if let Some(effect) = self.pick(which, |effect| matches!(effect, Effect::Probe { .. })) {
                    self.answer_probe(&effect, seen, late_ms.into());
                }
            }
            Happening::AnswerAnchors { up } => {
                if let Some(effect) = self.pick(0, |effect| matches!(effect, Effect::ProbeAnchors { .. })) {
                    self.answer(&effect, 0, up);
                }
            }
            Happening::AnswerMeasure { which, outcome } => {
                if let Some(effect) = self.pick(which, |effect| matches!(effect, Effect::Measure { .. })) {
                    self.answer_measure(&effect, outcome);
                }
            }
            Happening::AnswerSign { which, by_me } => {
                if let Some(Effect::Sign { statement, .. }) =
                    self.pick(which, |effect| matches!(effect, Effect::Sign { .. }))
                {
                    self.answer_sign(&statement, by_me);
                }
            }
            Happening::AnswerTx { which, settled } => {
                if let Some(Effect::Submit { id, .. }) =
                    self.pick(which, |effect| matches!(effect, Effect::Submit { .. }))
                {
                    let why = "why".to_owned();
                    let outcome = if settled { TxOutcome::Settled } else { TxOutcome::Failed { why } };
                    self.feed(Input::Tx(TxResult { id, outcome }));
                }
            }
            Happening::Peer { who, kind, rental, from, length } => self.peer(who, kind, rental, from, length),
            Happening::Nonsense { a, b, what } => self.nonsense(a, b, what),
        }
    }

    fn peer(&mut self, who: u8, kind: u8, rental: u8, from: i16, length: i16) {
        let from_secs = (self.unix_ms / 1_000).saturating_add_signed(from.into());
        let until_secs = from_secs.saturating_add_signed(length.into());
        let kind = [Kind::NotDelivered, Kind::Interrupted, Kind::Offline, Kind::Spoofed][usize::from(kind) % 4];
        let (rental, cause, evidence) = (rental.into(), Cause::Unreachable, Hash32::default());
        let statement = Attestation { kind, rental, cause, from_secs, until_secs, evidence };
        let signer = account(KEEPERS[usize::from(who) % 4]);
        self.feed(Input::Hint(Hint { peer: signer, machines: vec![machine("m1"); usize::from(who)] }));
        self.feed(Input::Peer(Signed { statement, signer, signature: Signature::default() }));
        if kind == Kind::Spoofed {
            let (machine, registration) = (machine("m1"), 1);
            let (gpu_class, gpu_count, proved_at_secs) = (1, 8, until_secs);
            let statement = Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence };
            self.feed(Input::PeerSpoof(Signed { statement, signer, signature: Signature::default() }));
        }
    }

    /// Numbers nobody would send.
    fn nonsense(&mut self, a: u64, b: u64, what: u8) {
        let id = self.pick(0, |effect| matches!(effect, Effect::ProbeAnchors { .. }));
        let id = match id {
            Some(Effect::ProbeAnchors { id }) => id,
            _ => Hash32::default(),
        };
        let input = match what {
            0 => Input::Anchors(AnchorResult { id, ended_ms: a, reachable: u32::MAX, asked: u32::MAX }),
            1 => Input::Started(Started { now_unix_ms: a, now_ms: b, times: times() }),
            2 => {
                let mut view = rental(1, 0, 0, false);
                (view.start_secs, view.end_secs, view.paid_until_secs) = (a, b, u64::MAX);
                let block = BlockRef { number: a, hash: Hash32::default(), timestamp_secs: b };
                let (nodes, cases) = (Vec::new(), Vec::new());
                let update = ChainUpdate {
                    view: View::Best,
                    block,
                    nodes,
                    rentals: vec![view],
                    cases,
                    keepers: None,
                    newest: None,
                    seat: None,
                };
                Input::Chain(Box::new(update))
            }
            3 => Input::Tx(TxResult { id: Hash32::default(), outcome: TxOutcome::Settled }),
            4 => {
                let (machine, seen) = (machine("m1"), Observation::Refused);
                Input::Probe(ProbeResult { id, machine, started_ms: a, ended_ms: b, at_secs: a, seen })
            }
            _ => Input::Tick(Tick { now_ms: self.now_ms, now_unix_ms: b, rpc_healthy: true }),
        };
        if what == 1 {
            self.now_ms = b.min(1 << 40);
        }
        self.feed(input);
    }
}

fn observation(seen: u8) -> Observation {
    let why = "é".repeat(200);
    match seen {
        0 | 1 => Observation::Accepted,
        2 => Observation::Refused,
        3 => Observation::NoConnection { why },
        4 => Observation::NoHandshake { why },
        5 => Observation::WrongHostKey { got: why },
        6 => Observation::Lost { why },
        7 => Observation::Hostile { what: why },
        _ => Observation::NotLooked { why },
    }
}

fn check_limits(state: &State) {
    assert_eq!(state.sound(), Ok(()));
    assert!(state.watches.len() <= limits::WATCHES_MAX);
    assert!(state.cards.len() <= limits::WATCHES_MAX);
    for watch in state.watches.values().chain(state.cards.values()) {
        assert!(watch.provisional.len() <= limits::PROVISIONAL_MAX);
        assert!(watch.finished.len() <= limits::FINISHED_MAX);
        let streaks = watch.streak.iter().chain(watch.finished.iter().map(|finished| &finished.streak));
        for streak in streaks {
            assert!(!streak.looks().is_empty() && streak.looks().len() <= limits::STREAK_LOOKS_MAX);
            assert!(streak.looks()[0].fault().is_some());
        }
    }
    for docket in state.court.dockets.values() {
        assert!(docket.attestations.len() <= limits::KEEPERS_MAX);
        for kept in docket.attestations.values() {
            assert!(kept.len() <= limits::INTERRUPTED_PER_SIGNER_MAX + 2);
        }
    }
    assert!(state.spoofs.len() <= limits::SPOOF_FILES_MAX);
    assert!(state.spoofs.values().all(|file| file.spoofs.len() <= limits::KEEPERS_MAX));
    assert!(
        state.capacity.values().filter(|one| one.in_flight.is_some()).count()
            <= limits::MEASURES_AT_ONCE + limits::ROUND_MAX
    );
}

fn live(happenings: &[Happening]) -> World {
    let mut world = World::new();
    happenings.iter().for_each(|happening| world.happen(happening));
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_log_replays_to_the_same_state_and_effects(
        happenings in prop::collection::vec(happening(), 1..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let world = live(&happenings);
        // The log as it lies on disk.
        let text = serde_json::to_string(&world.inputs).unwrap();
        let inputs: Vec<Input> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&inputs, &world.inputs);
        let mut state = State::new(config()).unwrap();
        let mut effects = Vec::new();
        let at = cut.index(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            if index == at {
                // A snapshot taken and read back: the tail goes on from it.
                let snapshot = serde_json::to_vec(&state).unwrap();
                let restored: State = serde_json::from_slice(&snapshot).unwrap();
                prop_assert_eq!(restored.hash(), state.hash());
                state = restored;
            }
            effects.extend(step(&mut state, input));
        }
        prop_assert_eq!(state.hash(), world.state.hash());
        prop_assert_eq!(&effects, &world.effects);
        let stored: Vec<Effect> = serde_json::from_str(&serde_json::to_string(&effects).unwrap()).unwrap();
        prop_assert_eq!(stored, effects);
    }

    #[test]
    fn no_statement_is_signed_that_its_evidence_does_not_support(
        happenings in prop::collection::vec(happening(), 1..40),
    ) {
        for effect in &live(&happenings).effects {
            match effect {
                Effect::Sign { statement, evidence, .. } => {
                    prop_assert_eq!(evidence.supports(statement), Ok(()));
                    let stored = evidence.canonical().unwrap();
                    let read: surety_core::evidence::Evidence = serde_json::from_slice(&stored).unwrap();
                    prop_assert_eq!(read.supports(statement), Ok(()));
                }
                Effect::Alert { message, .. } => prop_assert!(!message.contains("report this"), "{}", message),
                _ => {}
            }
        }
    }

    #[test]
    fn effects_of_one_id_mean_one_thing(happenings in prop::collection::vec(happening(), 1..30)) {
        let mut seen = std::collections::BTreeMap::new();
        for effect in &live(&happenings).effects {
            let (id, meaning) = match effect {
                Effect::Probe { id, machine, .. } => (*id, format!("probe {machine}")),
                Effect::ProbeAnchors { id } => (*id, "anchors".to_owned()),
                Effect::Measure { id, machine, .. } => (*id, format!("measure {machine}")),
                Effect::Sign { id, statement, .. } => (*id, format!("sign {statement:?}")),
                Effect::Submit { id, intent } => (*id, format!("submit {intent:?}")),
                Effect::Inventory { id, machine, .. } => (*id, format!("cards {machine}")),
                Effect::CheckSpoof { id, peer, .. } => (*id, format!("check {peer}")),
                Effect::Alert { .. } => continue,
            };
            let before = seen.insert(id, meaning.clone());
            prop_assert!(before.is_none_or(|before| before == meaning), "{}", meaning);
        }
    }
}

#[test]
fn the_properties_do_reach_signatures_and_filings() {
    let down = Happening::Cruise { ticks: 149, seen: 3, anchors_up: true };
    let up = Happening::Cruise { ticks: 20, seen: 0, anchors_up: true };
    let world = live(&[up.clone(), down.clone(), down, up]);
    let signed = world.effects.iter().filter(|effect| matches!(effect, Effect::Sign { .. })).count();
    assert!(signed > 5, "{signed}");
}
