//! Building blocks for unit tests.

use crate::effect::Effect;
use crate::evidence::Contracts;
use crate::health::AnchorRound;
use crate::input::{AnchorResult, ChainUpdate, Input, Observation, ProbeResult, Started, Tick};
use crate::payout::PayoutRules;
use crate::rules::Rules;
use crate::state::{Config, State};
use crate::statement::{Attestation, Signed};
use crate::step::step;
use crate::streak::Look;
use crate::types::{Account, Cause, Endpoint, Hash32, Kind, MachineId, RentalId, Signature, SshKey, UnixSecs};
use crate::view::{BlockRef, ContractTimes, FaultView, KeeperView, NodeView, OfferView, RentalView, View};

/// Start of the rentals here.
pub(crate) const START: UnixSecs = 1_800_000_000;

pub(crate) fn times() -> ContractTimes {
    ContractTimes {
        settle_lag_secs: 3_600,
        delivery_grace_secs: 600,
        min_interrupted_secs: 60,
        min_offline_secs: 900,
        freshness_secs: 300,
        certificate_life_secs: 86_400,
        spoof_life_secs: 86_400,
    }
}

pub(crate) fn config() -> Config {
    let contracts = Contracts { escrow: account(101), arbiter: account(102), vault: account(103) };
    Config {
        me: account(1),
        chain_id: 964,
        contracts,
        rules: Rules::default(),
        shadow: Default::default(),
        payout: PayoutRules::OFF,
        seat: Default::default(),
    }
}

pub(crate) fn account(n: u8) -> Account {
    Account([n; 20])
}

pub(crate) fn machine(n: u8) -> MachineId {
    MachineId([n; 32])
}

/// A look at `at` seconds after [`START`], confirmed by an anchor round.
pub(crate) fn look(at: u64, seen: Observation) -> Look {
    let started_ms = at * 1_000;
    let (asked_ms, ended_ms) = (started_ms + 500, started_ms + 600);
    let anchors = Some(AnchorRound { run: 1, asked_ms, ended_ms, reachable: 3, asked: 3 });
    let (id, run, at_secs) = (Hash32([1; 32]), 1, START + at);
    Look { id, run, started_ms, ended_ms: started_ms + 300, at_secs, block: 9, seen, anchors }
}

/// A failing look.
pub(crate) fn bad(at: u64) -> Look {
    look(at, Observation::Refused)
}

pub(crate) fn rental(id: RentalId) -> RentalView {
    RentalView {
        id,
        machine: machine(1),
        renter: account(50),
        renter_key: SshKey([5; 32]),
        gpu_class: 1,
        gpu_count: 8,
        price_rao_per_sec: 1_000,
        start_secs: START,
        end_secs: START + 36_000,
        paid_until_secs: START,
        claimed_secs: 0,
        closed: false,
        faults: Vec::new(),
    }
}

/// A recorded fault, in seconds after [`START`].
pub(crate) fn fault(from: u64, until: u64) -> FaultView {
    FaultView { from_secs: START + from, until_secs: START + until, case_id: 1 }
}

pub(crate) fn node(n: u8) -> NodeView {
    let offer =
        OfferView { gpu_class: 1, gpu_count: 8, price_rao_per_sec: 1_000, expires_at_secs: START + 1_000_000_000 };
    NodeView {
        machine: machine(n),
        miner: account(60 + n),
        registration: 1,
        endpoint: Some(Endpoint { ip: [5, 9, 0, n].into(), port: 22 }),
        free_rao: 1_000_000_000,
        reserved_rao: 0,
        held_rao: 0,
        exiting_rao: 0,
        offer: Some(offer),
        last_rental: 0,
    }
}

/// Keepers 1, 2, … with these weights.
pub(crate) fn keepers(weights: &[u64]) -> Vec<KeeperView> {
    let keeper = |(n, weight): (u8, &u64)| KeeperView {
        account: account(n),
        weight: *weight,
        active: true,
        ssh_key: SshKey([n; 32]),
        url: String::new(),
    };
    (1u8..).zip(weights).map(keeper).collect()
}

/// A signed attestation, in seconds after [`START`].
pub(crate) fn says(who: u8, kind: Kind, from: u64, until: u64) -> Signed<Attestation> {
    let (from_secs, until_secs) = (START + from, START + until);
    let evidence = Hash32([who; 32]);
    let statement = Attestation { kind, rental: 1, cause: Cause::Unreachable, from_secs, until_secs, evidence };
    Signed { statement, signer: account(who), signature: Signature::default() }
}

/// A view of rental 1 and its machine, read `at` seconds after [`START`].
pub(crate) fn update(view: View, number: u64, at: u64, rental: RentalView) -> ChainUpdate {
    let block = BlockRef { number, hash: Hash32::default(), timestamp_secs: START + at };
    let nodes = vec![NodeView { last_rental: 1, ..node(1) }];
    let keepers = Some(keepers(&[40, 35, 25]));
    ChainUpdate { view, block, nodes, rentals: vec![rental], cases: Vec::new(), keepers, newest: None, seat: None }
}

/// A keeper that was started, read the chain at `at` seconds after [`START`], and knows rental 1.
pub(crate) fn state(at: u64) -> State {
    let mut state = State::new(config()).unwrap_or_else(|why| panic!("{why}"));
    let now_unix_ms = (START + at) * 1_000;
    step(&mut state, &Input::Started(Started { now_unix_ms, now_ms: 0, times: times() }));
    step(&mut state, &Input::Chain(Box::new(update(View::Best, 1, at, rental(1)))));
    state
}

/// The next second, with a healthy RPC.
pub(crate) fn tick(state: &mut State) -> Vec<Effect> {
    let (now_ms, now_unix_ms) = (state.clock.now_ms + 1_000, state.clock.now_unix_ms + 1_000);
    step(state, &Input::Tick(Tick { now_ms, now_unix_ms, rpc_healthy: true }))
}

/// Ticks for so long, every look and anchor round answered at once, nothing signed or sent: at which seconds after
/// [`START`] looks were asked for.
pub(crate) fn looks(state: &mut State, secs: u64, seen: &Observation) -> Vec<u64> {
    let mut at = Vec::new();
    for _ in 0..secs {
        for effect in tick(state) {
            assert!(!matches!(effect, Effect::Sign { .. } | Effect::Submit { .. }), "{effect:?}");
            if let Effect::ProbeAnchors { id } = effect {
                let ended_ms = state.clock.now_ms;
                step(state, &Input::Anchors(AnchorResult { id, ended_ms, reachable: 3, asked: 3 }));
            }
            let Effect::Probe { id, machine, .. } = effect else { continue };
            let (started_ms, at_secs) = (state.clock.now_ms, state.clock.now_secs());
            at.push(at_secs - START);
            let (ended_ms, seen) = (started_ms + 300, seen.clone());
            step(state, &Input::Probe(ProbeResult { id, machine, started_ms, ended_ms, at_secs, seen }));
        }
        let block = state.clock.now_secs() - START;
        step(state, &Input::Chain(Box::new(update(View::Best, block, block, rental(1)))));
    }
    at
}
