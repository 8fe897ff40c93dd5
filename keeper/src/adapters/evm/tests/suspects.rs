//! A machine that moves by a call that leaves no log (D7): core, follower and the contracts on an anvil together.

use super::fake::Fake;
use super::world::World;
use crate::adapters::evm::{BareLogs, Follower, Suspects};
use alloy::sol_types::SolEvent;
use std::collections::BTreeSet;
use surety_client::bindings::{CollateralVault, ICollateralVault};
use surety_client::reader::endpoint_bytes;
use surety_core::effect::Effect;
use surety_core::evidence::Contracts;
use surety_core::input::{AnchorResult, Input, Observation, ProbeResult, Started, Tick};
use surety_core::rules::Rules;
use surety_core::state::{Config, State};
use surety_core::step::step;
use surety_core::suspects::suspects;
use surety_core::types::{Account, Endpoint, Hash32, MachineId};
use surety_core::view::View;
use surety_demo::actor::Tx;
use surety_substrate::events::EvmLog;

const OLD: &str = "192.0.2.7:22";
const NEW: &str = "192.0.2.8:22";
const BLOCK_SECS: u64 = 12;

fn at(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().unwrap();
    Endpoint { ip: address.ip(), port: address.port() }
}

/// A keeper whose looks find the machine at one address only.
struct Keeper {
    state: State,
    follower: Follower,
    suspects: Suspects,
    now_ms: u64,
    start_secs: u64,
    serves_at: Endpoint,
    looked_at: Vec<Endpoint>,
}

impl Keeper {
    async fn start(world: &World, wired: bool) -> Self {
        let d = &world.chain.deployment;
        let contracts = Contracts { escrow: d.escrow.address, arbiter: d.arbiter.address, vault: d.vault.address };
        let rules = Rules { local: true, ..Rules::default() };
        let me = world.keeper.account();
        let (shadow, payout, seat) = (Default::default(), Default::default(), Default::default());
        let state = State::new(Config { me, chain_id: d.chain_id, contracts, rules, shadow, payout, seat }).unwrap();
        let suspects = Suspects::default();
        let read = if wired { suspects.clone() } else { Suspects::default() };
        let follower = world.follower(View::Best).with_suspects(read);
        let start_secs = world.chain.now_secs().await.unwrap();
        let mut keeper =
            Self { state, follower, suspects, now_ms: 0, start_secs, serves_at: at(OLD), looked_at: vec![] };
        let times = d.times;
        keeper.take(Input::Started(Started { now_unix_ms: start_secs * 1_000, now_ms: 0, times }));
        keeper
    }

    /// One block's time: ticks every second, then the block is mined and read.
    async fn block(&mut self, world: &World) {
        for _ in 0..BLOCK_SECS {
            self.now_ms += 1_000;
            let now_unix_ms = self.start_secs * 1_000 + self.now_ms;
            self.take(Input::Tick(Tick { now_ms: self.now_ms, now_unix_ms, rpc_healthy: true }));
            *self.suspects.write().unwrap() = suspects(&self.state).collect();
        }
        let next = self.start_secs + self.now_ms / 1_000;
        world.anvil.ask("evm_setNextBlockTimestamp", serde_json::json!([next])).await.unwrap();
        world.anvil.mine(1).await.unwrap();
        if let Some(update) = self.follower.poll().await.unwrap() {
            self.take(Input::Chain(Box::new(update)));
        }
    }

    fn take(&mut self, input: Input) {
        let effects = step(&mut self.state, &input);
        let ended_ms = self.now_ms;
        for effect in effects {
            match effect {
                Effect::ProbeAnchors { id } => {
                    self.take(Input::Anchors(AnchorResult { id, ended_ms, reachable: 3, asked: 3 }));
                }
                Effect::Probe { id, endpoint, machine, .. } => {
                    self.looked_at.push(endpoint);
                    let gone = Observation::NoConnection { why: "moved".to_owned() };
                    let seen = if endpoint == self.serves_at { Observation::Accepted } else { gone };
                    let at_secs = self.state.clock.now_secs();
                    let result = ProbeResult { id, machine, started_ms: ended_ms, ended_ms, at_secs, seen };
                    self.take(Input::Probe(result));
                }
                _ => {}
            }
        }
    }
}

/// The miner moves the machine by calls that no node shows as transactions or logs.
async fn move_silently(world: &World, keeper: &mut Keeper) {
    for index in 0..3 {
        world.control(index).faults().without_transaction.insert(world.miner.actor.address());
    }
    let Endpoint { ip, port } = at(NEW);
    let endpoint = ICollateralVault::Endpoint { ip: endpoint_bytes(ip).into(), port };
    let call = CollateralVault::setEndpointCall { machine: world.miner.machine().0.into(), endpoint };
    let next = keeper.start_secs + keeper.now_ms / 1_000 + 1;
    world.anvil.ask("evm_setNextBlockTimestamp", serde_json::json!([next])).await.unwrap();
    world.miner.actor.send(Tx::call(*world.chain.vault.address(), &call)).await.unwrap();
    keeper.serves_at = at(NEW);
}

/// Blocks from the move to the first look at the new address; `None` when it took more than so many.
async fn blocks_until_seen(wired: bool, most: usize) -> Option<usize> {
    let world = World::start(3).await;
    world.rent(2_400).await;
    let mut keeper = Keeper::start(&world, wired).await;
    for _ in 0..6 {
        keeper.block(&world).await;
    }
    let looks = keeper.looked_at.len();
    assert!(looks > 1 && keeper.looked_at.iter().all(|one| *one == at(OLD)), "{:?}", keeper.looked_at);
    assert_eq!(suspects(&keeper.state).count(), 0);
    move_silently(&world, &mut keeper).await;
    for block in 1..=most {
        keeper.block(&world).await;
        if keeper.looked_at.contains(&at(NEW)) {
            assert!(keeper.looked_at[looks..].contains(&at(OLD)), "it was not suspected first");
            return Some(block);
        }
    }
    assert!(suspects(&keeper.state).count() == 1, "it fails, and nobody knows why");
    None
}

/// A look every 30 s, so the first at the old address after at most three blocks; the next block tells; the next look
/// is 10 s later.
#[tokio::test]
async fn a_machine_that_moved_without_a_log_is_found_within_two_blocks_of_failing() {
    let blocks = blocks_until_seen(true, 12).await;
    assert!(blocks.is_some_and(|blocks| blocks <= 6), "{blocks:?}");
    assert_eq!(blocks_until_seen(false, 12).await, None, "some other way found it: this test shows nothing");
}

/// The log that a silent move leaves in Substrate's events alone.
fn moved(machine: MachineId) -> EvmLog {
    let Endpoint { ip, port } = at(NEW);
    let event = CollateralVault::EndpointSet { machine: machine.0.into(), ip: endpoint_bytes(ip).into(), port };
    let data = event.encode_log_data();
    let topics = data.topics().iter().map(|topic| Hash32(topic.0)).collect();
    EvmLog { address: Account([2; 20]), topics, data: data.data.to_vec(), has_receipt: false }
}

#[tokio::test]
async fn a_machine_that_moved_without_a_receipt_is_read_as_soon_as_substrates_events_tell_of_it() {
    let world = World::start(3).await;
    let mut keeper = Keeper::start(&world, false).await;
    let bare = BareLogs::default();
    keeper.follower = world.follower(View::Best).with_bare_logs(bare.clone());
    let machine = world.miner.machine();
    let known = |keeper: &Keeper| keeper.state.world.best.nodes.get(&machine).and_then(|node| node.endpoint);
    keeper.block(&world).await;
    move_silently(&world, &mut keeper).await;
    for _ in 0..3 {
        keeper.block(&world).await;
        assert_eq!(known(&keeper), Some(at(OLD)), "no receipt tells of it");
    }
    bare.tell(keeper.state.world.best.block.number, &moved(machine));
    keeper.block(&world).await;
    assert_eq!(known(&keeper), Some(at(NEW)));
}

#[tokio::test]
async fn of_many_suspects_each_has_its_turn_and_no_block_takes_long() {
    let fake = Fake::start().await;
    fake.chain().registrations = 200;
    let listed: Vec<_> = (1..=200).map(|n| (MachineId([n; 32]), Some(u64::from(n % 3 + 1)))).collect();
    let mut follower = fake.follower(View::Best).with_suspects(Suspects::new(listed.into()));
    follower.poll().await.unwrap();
    let mut seen = BTreeSet::new();
    for number in 11..=14 {
        fake.chain().grow(number);
        let update = follower.poll().await.unwrap().unwrap();
        assert!(update.nodes.len() <= 64 && update.rentals.len() <= 3);
        seen.extend(update.nodes.iter().map(|node| node.machine));
    }
    assert_eq!(seen.len(), 200);
    assert_eq!(follower.poll().await.unwrap(), None, "at one block once");
}
