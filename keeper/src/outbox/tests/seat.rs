//! A whole keeper but for its eyes (followers, core, store, lane) before `VotingPowerKeepers` on an anvil with
//! stand-ins for the precompiles, behind three stand-ins for nodes: it takes its seat, keeps it, loses it and comes
//! back, killed after every block.

use super::super::*;
use crate::adapters::evm::{Endpoints, Follower};
use alloy::primitives::{Address, B256, Bytes};
use alloy::sol_types::SolCall;
use serde_json::json;
use std::path::PathBuf;
use surety_client::bindings::VotingPowerKeepers as Set;
use surety_client::bindings::standins::{MetagraphStandIn, StorageQueryStandIn, VotingPowerStandIn};
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_client::reader::{Reader, SeatOf, SetKind};
use surety_client::subtensor::{METAGRAPH, STORAGE_QUERY, UID_LOOKUP, VOTING_POWER};
use surety_client::units::wei;
use surety_core::effect::Effect;
use surety_core::evidence::Contracts;
use surety_core::input::{AnchorResult, Started, Tick};
use surety_core::rules::Rules;
use surety_core::seat::{Contact, SeatRules, Standing};
use surety_core::state::{Config, State};
use surety_core::step::step;
use surety_core::types::{Account, SshKey};
use surety_core::view::View;
use surety_demo::actor::{Actor, Tx as Call};
use surety_demo::deploy;
use surety_demo::params::{Roles, demo_params};
use surety_demo::seed::Seed;
use surety_demo::standins::{Neuron, uid_lookup};
use surety_deploy::params::{Keepers, Params};
use surety_subtensor_rpc::anvil::Anvil;
use surety_subtensor_rpc::{Lie, StandIn};

const SEED: Seed = Seed(31);
const NETUID: u16 = 2;
const UID: u16 = 3;
const CHAIN_ID: u64 = 31_337;
/// The shortest a set may have.
const CHECK_IN_SECS: u64 = 3_600;
const LEAD_SECS: u64 = 1_188;
const URL: &str = "https://keeper.example";
/// Blocks until what was submitted is final and reported, and then some.
const BEATS_MAX: usize = 40;

struct Court {
    anvil: Anvil,
    stand_ins: Vec<StandIn>,
    owner: Actor,
    key: Key,
    deployment: surety_client::deployment::Deployment,
    node: Node,
    dir: tempfile::TempDir,
    mono_ms: u64,
}

/// A keeper between two deaths.
struct Alive {
    state: State,
    seq: u64,
    store: Arc<Store>,
    lane: Lane,
    reports: mpsc::Receiver<Input>,
    followers: [Follower; 2],
    finalized: Finalized,
    alerts: Vec<String>,
}

impl Court {
    async fn open() -> Self {
        let anvil = Anvil::start().await.unwrap();
        let node = Node::new(anvil.url()).unwrap();
        let key = SEED.evm_key("keeper").unwrap();
        let owner = Actor::new("owner", SEED.evm_key("owner").unwrap(), node.clone(), CHAIN_ID);
        let deployer = SEED.evm_key("deployer").unwrap();
        for account in [owner.account(), key.account(), deployer.account()] {
            let funds = json!([Address::from(account.0), wei(100_000_000_000)]);
            anvil.ask("anvil_setBalance", funds).await.unwrap();
        }
        let codes: [(Address, &Bytes); 3] = [
            (METAGRAPH, &MetagraphStandIn::DEPLOYED_BYTECODE),
            (STORAGE_QUERY, &StorageQueryStandIn::DEPLOYED_BYTECODE),
            (VOTING_POWER, &VotingPowerStandIn::DEPLOYED_BYTECODE),
        ];
        for (at, code) in codes {
            anvil.ask("anvil_setCode", json!([at, code])).await.unwrap();
        }
        surety_demo_standins(&anvil).await;
        let roles = Roles {
            netuid: NETUID,
            owner: owner.account(),
            treasury: Account([9; 20]),
            guardian: owner.account(),
            judge: Account([8; 20]),
        };
        let check_in_secs = u32::try_from(CHECK_IN_SECS).unwrap();
        let params = Params { keepers: Keepers::VotingPower { check_in_secs }, ..demo_params(&roles).unwrap() };
        let dir = tempfile::tempdir().unwrap();
        let deployment = deploy::deploy(&node, &deployer, &params, dir.path()).await.unwrap().deployment;
        let mut stand_ins = vec![];
        for _ in 0..3 {
            stand_ins.push(StandIn::before(anvil.url()).await.unwrap());
        }
        let court = Self { anvil, stand_ins, owner, key, deployment, node, dir, mono_ms: 0 };
        court.tracking(true).await;
        court
    }

    async fn tell(&self, at: Address, call: &impl SolCall) {
        self.owner.send(Call::call(at, call).with_gas(300_000)).await.unwrap();
    }

    async fn tracking(&self, on: bool) {
        self.tell(VOTING_POWER, &VotingPowerStandIn::setTrackingCall { netuid: NETUID, on }).await;
    }

    async fn power(&self, hotkey: B256, power: u64) {
        self.tell(VOTING_POWER, &VotingPowerStandIn::setPowerCall { netuid: NETUID, hotkey, power }).await;
    }

    /// The hotkey at [`UID`] signs an association with the keeper's account.
    async fn associate(&self, hotkey: B256) {
        let neuron = Neuron { netuid: NETUID, uid: UID, hotkey: Hash32(hotkey.0), account: self.key.account() };
        self.owner.send_all(neuron.facts().to_vec()).await.unwrap();
        self.lookup(&[UID]).await;
    }

    /// What 0x806 answers from now on.
    async fn lookup(&self, uids: &[u16]) {
        self.anvil.ask("anvil_setCode", json!([UID_LOOKUP, uid_lookup(uids).unwrap()])).await.unwrap();
    }

    async fn pass(&self, secs: u64) {
        self.anvil.ask("evm_increaseTime", json!([secs])).await.unwrap();
        self.anvil.mine(1).await.unwrap();
    }

    fn set(&self) -> Address {
        Address::from(self.deployment.keepers.address.0)
    }

    fn config(&self) -> Config {
        let d = &self.deployment;
        let contact = Some(Contact { ssh_key: SshKey([7; 32]), url: URL.to_owned() });
        Config {
            me: self.key.account(),
            chain_id: CHAIN_ID,
            contracts: Contracts { escrow: d.escrow.address, arbiter: d.arbiter.address, vault: d.vault.address },
            rules: Rules::default(),
            shadow: Default::default(),
            payout: Default::default(),
            seat: SeatRules { contact, ..SeatRules::default() },
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("keeper.db")
    }

    async fn now_secs(&self) -> u64 {
        self.node.header(Tag::Latest).await.unwrap().unwrap().to_ref().unwrap().timestamp_secs
    }

    /// A process begins, from what is on disk.
    async fn begin(&mut self) -> Alive {
        let nodes = self.stand_ins.iter().map(|stand_in| Node::new(&stand_in.url()).unwrap()).collect();
        let endpoints = Endpoints::new(nodes, &self.deployment);
        let reader = Reader::new(self.node.clone(), &self.deployment);
        let kind = reader.set_kind(self.anvil.height().await.unwrap()).await.unwrap();
        let SetKind::VotingPower { check_in_secs } = kind else { panic!("{kind:?}") };
        let of = SeatOf { account: self.key.account(), netuid: NETUID, check_in_secs };
        let follower = |view| Follower::new(endpoints.clone(), self.deployment.clone(), view).with_seat(Some(of));
        let store = Arc::new(Store::open(&self.path()).unwrap());
        let loaded = store.load(&self.path(), &self.config()).unwrap();
        let (inputs, reports) = mpsc::channel(16);
        let contracts = self.config().contracts;
        let sender = Sender::new(endpoints.clone(), self.key.clone(), CHAIN_ID, contracts);
        let finalized = Finalized::default();
        let lane = Lane::new(store.clone(), sender, finalized.clone(), self.deployment.times, inputs);
        let followers = [follower(View::Best), follower(View::Finalized)];
        let (state, seq, alerts) = (loaded.state, loaded.seq, vec![]);
        let mut alive = Alive { state, seq, store, lane, reports, followers, finalized, alerts };
        let now_unix_ms = self.now_secs().await * 1_000;
        let times = self.deployment.times;
        alive.take(Input::Started(Started { now_unix_ms, now_ms: self.mono_ms, times }));
        alive
    }

    /// A block; the keeper reads, decides, and its lane goes a round.
    async fn beat(&mut self, alive: &mut Alive) {
        self.anvil.mine(1).await.unwrap();
        self.mono_ms += 12_000;
        for index in 0..2 {
            if let Some(update) = alive.followers[index].poll().await.unwrap() {
                alive.take(Input::Chain(Box::new(update)));
            }
        }
        *alive.finalized.write().unwrap() = Arc::new(alive.state.world.finalized.clone());
        let now_unix_ms = self.now_secs().await * 1_000;
        // The first asks the anchors, without which a keeper is still starting; the second decides.
        for _ in 0..2 {
            alive.take(Input::Tick(Tick { now_ms: self.mono_ms, now_unix_ms, rpc_healthy: true }));
        }
        alive.lane.round().await.unwrap();
        while let Ok(report) = alive.reports.try_recv() {
            alive.take(report);
        }
    }

    /// Blocks, dying after each, until the set shows what is wanted of the keeper; then until nothing is under way.
    async fn until(&mut self, what: &str, wanted: impl Fn(Standing, u64) -> bool) -> Vec<String> {
        let mut alerts = vec![];
        for _ in 0..BEATS_MAX {
            let mut alive = self.begin().await;
            self.beat(&mut alive).await;
            alerts.append(&mut alive.alerts);
            let seat = alive.state.world.finalized.seat.as_ref();
            let seen =
                seat.map(|seat| (seat.standing(alive.state.world.best.block.timestamp_secs), seat.active_until_secs()));
            let idle = alive.store.lane().unwrap().is_empty() && alive.state.seat.in_flight.is_none();
            if idle && seen.is_some_and(|(standing, until)| wanted(standing, until)) {
                return alerts;
            }
        }
        panic!("{what}: it never came to that");
    }

    /// Blocks in which nothing may be sent; what was told.
    async fn quiet(&mut self, what: &str) -> Vec<String> {
        let (before, mut alerts) = (self.sent().await, vec![]);
        for _ in 0..4 {
            let mut alive = self.begin().await;
            self.beat(&mut alive).await;
            alerts.append(&mut alive.alerts);
        }
        assert_eq!(self.sent().await, before, "{what}");
        alerts
    }

    /// Transactions of the keeper's so far.
    async fn sent(&self) -> u64 {
        self.node.nonce(self.key.account(), Tag::Latest).await.unwrap()
    }
}

/// What the deployment asks of a chain beside what keepers sit by.
async fn surety_demo_standins(anvil: &Anvil) {
    use surety_client::bindings::standins::{AddressMappingStandIn, BalanceTransferStandIn, Ed25519VerifyStandIn};
    use surety_client::subtensor::{ADDRESS_MAPPING, BALANCE_TRANSFER, ED25519_VERIFY};
    let codes: [(Address, &Bytes); 3] = [
        (ED25519_VERIFY, &Ed25519VerifyStandIn::DEPLOYED_BYTECODE),
        (BALANCE_TRANSFER, &BalanceTransferStandIn::DEPLOYED_BYTECODE),
        (ADDRESS_MAPPING, &AddressMappingStandIn::DEPLOYED_BYTECODE),
    ];
    for (at, code) in codes {
        anvil.ask("anvil_setCode", json!([at, code])).await.unwrap();
    }
}

impl Alive {
    /// Steps and commits, as the loop does; anchors answer at once.
    fn take(&mut self, input: Input) {
        let effects = step(&mut self.state, &input);
        self.seq += 1;
        self.store.commit_one(self.seq, &input, &effects).unwrap();
        for effect in effects {
            match effect {
                Effect::ProbeAnchors { id } => {
                    let ended_ms = self.state.clock.now_ms;
                    self.take(Input::Anchors(AnchorResult { id, ended_ms, reachable: 3, asked: 3 }));
                }
                Effect::Alert { message, .. } => self.alerts.push(message),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn a_keeper_takes_its_seat_keeps_it_and_comes_back_after_it_lost_it_killed_after_every_block() {
    let mut court = Court::open().await;
    let (hotkey, other) = (B256::repeat_byte(5), B256::repeat_byte(6));
    // One endpoint of three lies about every view, the seat's among them.
    let lie = Lie { from: 0, hashes: false, views: true, ahead: 0 };
    court.stand_ins[1].control().faults().lie = Some(lie);
    let told = court.quiet("no association").await;
    assert!(told.len() == 1 && told[0].contains("associates no hotkey"), "{told:?}");
    court.associate(hotkey).await;
    assert!(court.quiet("no power").await[0].contains("no voting power"));

    court.power(hotkey, 100).await;
    court.until("joining", |standing, _| standing == Standing::Active).await;
    assert_eq!(court.sent().await, 1);
    let keepers = Reader::new(court.node.clone(), &court.deployment);
    let keeper = keepers.keepers(court.anvil.height().await.unwrap()).await.unwrap().remove(0);
    assert_eq!((keeper.account, keeper.weight, keeper.url.as_str()), (court.key.account(), 100, URL));
    assert_eq!((keeper.ssh_key, keeper.active), (SshKey([7; 32]), true));
    assert_eq!(court.quiet("seated").await, Vec::<String>::new());

    // A third before it lapses, with a new weight; the hotkey grew meanwhile.
    court.power(hotkey, 120).await;
    court.pass(CHECK_IN_SECS - LEAD_SECS).await;
    let least = court.now_secs().await + CHECK_IN_SECS;
    court.until("checking in", |_, until| until >= least).await;
    assert_eq!(court.sent().await, 2);
    let weight = keepers.keepers(court.anvil.height().await.unwrap()).await.unwrap()[0].weight;
    assert_eq!(weight, 120);

    // Down for too long, and somebody says so.
    court.pass(CHECK_IN_SECS + 60).await;
    court.tell(court.set(), &Set::expireCall { account: Address::from(court.key.account().0) }).await;
    let told = court.until("coming back", |standing, _| standing == Standing::Active).await;
    assert!(told.iter().any(|message| message.contains("lost its seat")), "{told:?}");
    assert_eq!(court.sent().await, 3);

    // The hotkey is swapped: its power is another's at once, and the seat goes with it.
    court
        .tell(VOTING_POWER, &VotingPowerStandIn::swapCall { netuid: NETUID, oldHotkey: hotkey, newHotkey: other })
        .await;
    court.associate(other).await;
    let least = court.now_secs().await + CHECK_IN_SECS;
    court.until("moving the seat", |_, until| until >= least).await;
    assert_eq!(court.sent().await, 4);

    // Tracking ends: an active keeper checks in; one that fell silent does not even try.
    court.tracking(false).await;
    court.pass(CHECK_IN_SECS - LEAD_SECS).await;
    let least = court.now_secs().await + CHECK_IN_SECS;
    court.until("checking in untracked", |_, until| until >= least).await;
    assert_eq!(court.sent().await, 5);
    court.pass(CHECK_IN_SECS + 60).await;
    let told = court.quiet("silent and untracked").await;
    assert!(told.iter().any(|message| message.contains("does not track voting power")), "{told:?}");
    assert_eq!(court.sent().await, 5, "and none of them reverted: each had its effect");
}

/// Silence is time alone: no log, no transaction.
#[tokio::test]
async fn a_keeper_of_the_set_that_falls_silent_is_noticed_within_minutes() {
    let mut court = Court::open().await;
    court.associate(B256::repeat_byte(5)).await;
    court.power(B256::repeat_byte(5), 100).await;
    court.until("joining", |standing, _| standing == Standing::Active).await;
    let me = court.key.account();
    let mut alive = court.begin().await;
    court.beat(&mut alive).await;
    assert!(alive.state.world.best.active_keeper(&me).is_some());
    // Nobody may check in for it meanwhile.
    court.lookup(&[]).await;
    court
        .tell(
            STORAGE_QUERY,
            &StorageQueryStandIn::setValueCall {
                key: surety_client::subtensor::association_key(NETUID, UID).into(),
                value: Bytes::new(),
            },
        )
        .await;
    court.pass(CHECK_IN_SECS + 60).await;
    court.beat(&mut alive).await;
    assert_eq!(alive.state.world.best.seat.as_ref().unwrap().standing(court.now_secs().await), Standing::Silent);
    court.anvil.mine(25).await.unwrap();
    court.beat(&mut alive).await;
    assert!(alive.state.world.best.active_keeper(&me).is_none());
    assert_eq!(court.sent().await, 1);
}
