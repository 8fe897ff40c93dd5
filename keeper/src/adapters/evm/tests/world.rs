//! The contracts on an anvil, behind stand-ins for Subtensor nodes: what followers and lanes are tested against.

use crate::adapters::evm::{Endpoints, Follower};
use alloy::primitives::Bytes;
use serde_json::{Value, json};
use surety_client::bindings::standins::{
    AddressMappingStandIn, BalanceTransferStandIn, Ed25519VerifyStandIn, MetagraphStandIn, StorageQueryStandIn,
};
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_client::subtensor::{ADDRESS_MAPPING, BALANCE_TRANSFER, ED25519_VERIFY, METAGRAPH, STORAGE_QUERY};
use surety_client::units::wei;
use surety_core::effect::Intent;
use surety_core::evidence::Contracts;
use surety_core::statement::{Attestation, Certificate, Signed};
use surety_core::types::{Account, Cause, Hash32, Kind};
use surety_core::view::View;
use surety_demo::actor::{Actor, Tx};
use surety_demo::chain::Chain;
use surety_demo::deploy::{self, Appointment};
use surety_demo::miner::{Miner, Terms};
use surety_demo::params::{Roles, demo_params};
use surety_demo::renter::Renter;
use surety_demo::seed::Seed;
use surety_demo::standins::{self, Neuron};
use surety_subtensor_rpc::anvil::Anvil;
use surety_subtensor_rpc::{Control, StandIn};
use surety_verifier::classes::ClassId;

const SEED: Seed = Seed(29);
const NETUID: u16 = 2;
const CHAIN_ID: u64 = 31_337;
const BOND_RAO: u64 = 500_000_000;
const PRICE_RAO: u64 = 1_000_000;
/// 100 TAO.
const RICH_RAO: u64 = 100_000_000_000;

pub(crate) struct World {
    pub(crate) anvil: Anvil,
    pub(crate) stand_ins: Vec<StandIn>,
    pub(crate) chain: Chain,
    pub(crate) owner: Actor,
    pub(crate) miner: Miner,
    pub(crate) renter: Renter,
    pub(crate) keeper: Key,
    second: Key,
}

impl World {
    /// Contracts, two keepers, one machine that is bonded and offered; blocks are mined one for each transaction. So
    /// many stand-ins before it.
    pub(crate) async fn start(stand_ins: usize) -> Self {
        let anvil = Anvil::start().await.unwrap();
        let node = Node::new(anvil.url()).unwrap();
        let (keeper, second) = (SEED.evm_key("keeper").unwrap(), SEED.evm_key("second").unwrap());
        let actor = |name: &str| Actor::new(name, SEED.evm_key(name).unwrap(), node.clone(), CHAIN_ID);
        let owner = actor("owner");
        let miner = actor("miner");
        let hotkey = Hash32(SEED.bytes("hotkey"));
        let neuron = Neuron { netuid: NETUID, uid: 0, hotkey, account: miner.account() };
        let miner = Miner { actor: miner, host: SEED.ssh_key("machine"), neuron };
        let renter = Renter { actor: actor("renter"), ssh: SEED.ssh_key("renter") };
        let deployer = SEED.evm_key("deployer").unwrap().account();
        let accounts = [deployer, owner.account(), miner.actor.account(), renter.actor.account(), keeper.account()];
        for account in accounts {
            let funds = json!([alloy::primitives::Address::from(account.0), wei(RICH_RAO)]);
            anvil.ask("anvil_setBalance", funds).await.unwrap();
        }
        place_standins(&anvil).await;
        let facts = neuron
            .facts()
            .into_iter()
            .chain([miner.actor.account(), renter.actor.account()].map(standins::introduction));
        owner.send_all(facts.collect()).await.unwrap();
        let roles = Roles {
            netuid: NETUID,
            owner: owner.account(),
            treasury: Account([9; 20]),
            guardian: owner.account(),
            judge: Account([8; 20]),
        };
        let appointments = [&keeper, &second].map(|key| appointment(key.account()));
        let (deployer, dir) = (SEED.evm_key("deployer").unwrap(), tempfile::tempdir().unwrap());
        let params = demo_params(&roles).unwrap();
        let deployment = deploy::deploy(&node, &deployer, &params, dir.path()).await.unwrap().deployment;
        deploy::appoint(&owner, deployment.keepers.address, &appointments).await.unwrap();
        let chain = Chain::new(&node, &deployment);
        let mut world = Self { anvil, stand_ins: vec![], chain, owner, miner, renter, keeper, second };
        world.offer().await;
        for _ in 0..stand_ins {
            world.stand_ins.push(StandIn::before(world.anvil.url()).await.unwrap());
        }
        world
    }

    async fn offer(&self) {
        self.miner.register(&self.chain, &self.owner, "192.0.2.7:22".parse().unwrap()).await.unwrap();
        self.miner.deposit(&self.chain, BOND_RAO).await.unwrap();
        let terms = Terms { price_rao_per_sec: PRICE_RAO, min_duration_secs: 2, max_duration_secs: 2_400 };
        self.miner.offer(&self.chain, terms).await.unwrap();
    }

    /// A rental for this long, and what it was paid up to.
    pub(crate) async fn rent(&self, secs: u32) -> (u64, u64) {
        let statement = Certificate {
            machine: self.miner.machine(),
            registration: 1,
            gpu_class: ClassId::CPU_TEST.0,
            gpu_count: 1,
            measured_at_secs: self.chain.now_secs().await.unwrap(),
            evidence: Hash32([5; 32]),
        };
        let digest = self.chain.domains().certificate(&statement).unwrap();
        let sign = |key: &Key| Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() };
        let mut certificates = [&self.keeper, &self.second].map(sign);
        certificates.sort_by_key(|one| one.signer);
        let rented = self.renter.rent(&self.chain, self.miner.machine(), secs, &certificates).await.unwrap();
        let view = self.chain.rental(rented.0).await.unwrap();
        (rented.0, view.paid_until_secs)
    }

    /// Another keeper, as weighty as the two.
    pub(crate) async fn appoint(&self, account: Account) {
        self.owner.send(appoint(&self.chain, appointment(account))).await.unwrap();
    }

    pub(crate) fn second(&self) -> &Key {
        &self.second
    }

    /// The machine is out for a while, and both keepers say so: the number of the case.
    pub(crate) async fn file_offline(&self, rental: u64) -> u64 {
        let from_secs = self.chain.now_secs().await.unwrap();
        self.pass(10).await;
        let until_secs = self.chain.now_secs().await.unwrap();
        let (kind, cause, evidence) = (Kind::Offline, Cause::Unreachable, Hash32([6; 32]));
        let statement = Attestation { kind, rental, cause, from_secs, until_secs, evidence };
        let digest = self.chain.domains().attestation(&statement).unwrap();
        let sign = |key: &Key| Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() };
        let mut attestations = [&self.keeper, &self.second].map(sign).to_vec();
        attestations.sort_by_key(|one| one.signer);
        let d = &self.chain.deployment;
        let (escrow, arbiter, vault) = (d.escrow.address, d.arbiter.address, d.vault.address);
        let intent = Intent::File { kind, rental, gap: 0, attestations };
        let call = surety_client::intent::encode(&intent, &Contracts { escrow, arbiter, vault }).unwrap();
        self.renter.actor.send(Tx::encoded(call.to, call.data)).await.unwrap();
        1
    }

    /// Something small that changes what keepers read: another keeper is appointed.
    pub(crate) async fn change(&self, n: u8) {
        self.owner.send(appoint(&self.chain, appointment(Account([n; 20])))).await.unwrap();
    }

    /// Lets this much of the chain's time pass.
    pub(crate) async fn pass(&self, secs: u64) {
        self.anvil.ask("evm_increaseTime", json!([secs])).await.unwrap();
        self.anvil.mine(1).await.unwrap();
    }

    /// Blocks enough for everything so far to be final.
    pub(crate) async fn finalize(&self) {
        self.anvil.mine(4).await.unwrap();
    }

    pub(crate) fn control(&self, index: usize) -> &Control {
        self.stand_ins[index].control()
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        let nodes = self.stand_ins.iter().map(|stand_in| Node::new(&stand_in.url()).unwrap()).collect();
        Endpoints::new(nodes, &self.chain.deployment)
    }

    pub(crate) fn follower(&self, view: View) -> Follower {
        Follower::new(self.endpoints(), self.chain.deployment.clone(), view)
    }

    /// anvil's own hash at a height.
    pub(crate) async fn hash(&self, height: u64) -> Value {
        let block = self.anvil.ask("eth_getBlockByNumber", json!([format!("{height:#x}"), false])).await.unwrap();
        block["hash"].clone()
    }
}

async fn place_standins(anvil: &Anvil) {
    let codes: [(_, &Bytes); 5] = [
        (ED25519_VERIFY, &Ed25519VerifyStandIn::DEPLOYED_BYTECODE),
        (BALANCE_TRANSFER, &BalanceTransferStandIn::DEPLOYED_BYTECODE),
        (METAGRAPH, &MetagraphStandIn::DEPLOYED_BYTECODE),
        (STORAGE_QUERY, &StorageQueryStandIn::DEPLOYED_BYTECODE),
        (ADDRESS_MAPPING, &AddressMappingStandIn::DEPLOYED_BYTECODE),
    ];
    for (at, code) in codes {
        anvil.ask("anvil_setCode", json!([at, code])).await.unwrap();
    }
}

fn appointment(account: Account) -> Appointment {
    Appointment { account, weight: 1, ssh_key: [4; 32], url: "http://192.0.2.1:1".into() }
}

fn appoint(chain: &Chain, keeper: Appointment) -> Tx {
    let call = surety_client::bindings::AppointedKeepers::appointCall {
        account: alloy::primitives::Address::from(keeper.account.0),
        weight: keeper.weight,
        sshKey: keeper.ssh_key.into(),
        url: keeper.url,
    };
    Tx::call(*chain.keepers.address(), &call)
}
