//! Final blocks of a modelled chain, as a follower that has begun reads them; `begin` is about where it begins.
#![allow(clippy::unwrap_used)]

mod begin;

use super::*;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use surety_client::deployment::Contract;
use surety_client::provider::Node as EvmNode;
use surety_substrate::needed;
use surety_substrate::node::Node;
use surety_subtensor_native::{Chain, GENESIS, Server};

const VAULT: Account = Account([2; 20]);
const NETUID: u16 = 51;

fn deployment() -> Deployment {
    let contract = |byte: u8| Contract { address: Account([byte; 20]), code_hash: Hash32([byte; 32]) };
    Deployment {
        chain_id: 42,
        netuid: NETUID,
        block: 0,
        keepers: contract(1),
        vault: contract(2),
        escrow: contract(3),
        arbiter: contract(4),
        bids: contract(5),
        times: Default::default(),
    }
}

struct World {
    chain: Arc<Chain>,
    server: Server,
    follower: NativeFollower,
}

/// A follower that has begun at the chain's final block.
async fn world() -> World {
    let chain = Arc::new(Chain::new());
    let server = Server::start(chain.clone()).await.unwrap();
    let head = chain.run(3);
    let nodes = Nodes::new(vec![Node::new(&server.url).unwrap()]).unwrap();
    let endpoints = Endpoints::new(vec![EvmNode::new("http://127.0.0.1:1").unwrap()], &deployment());
    let mut follower = NativeFollower::new(nodes, endpoints, &deployment());
    (follower.genesis, follower.last, follower.next) = (Some(GENESIS), Some(head), Some(head.number + 1));
    World { chain, server, follower }
}

fn log_of(address: Account) -> Vec<u8> {
    // Address, two topics (a compact count of 2 is 8), three bytes of data (12).
    [&address.0[..], &[8], &[1; 32], &[2; 32], &[12], b"abc"].concat()
}

impl World {
    fn bare_log(&self, address: Account) {
        self.chain.event(Some(1), &needed::EVM_LOG, &log_of(address));
    }

    async fn told(&mut self) -> Vec<Told> {
        let (told, done) = self.follower.poll().await;
        done.unwrap();
        told
    }
}

#[tokio::test]
async fn a_log_of_ours_without_a_receipt_is_told_once_and_others_are_not() {
    let mut world = world().await;
    world.bare_log(VAULT);
    world.bare_log(Account([99; 20]));
    world.chain.run(1);
    let told = world.told().await;
    let [Told::BareLog { block: 4, log }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((log.address, &log.data[..]), (VAULT, &b"abc"[..]));
    assert_eq!(world.told().await, []);
}

#[tokio::test]
async fn a_log_with_a_receipt_is_left_to_ethereums_own_rpc() {
    let mut world = world().await;
    world.bare_log(VAULT);
    let executed = [&[1; 20][..], &VAULT.0, &[3; 32], &[0, 0, 0]].concat();
    world.chain.event(Some(1), &needed::ETHEREUM_EXECUTED, &executed);
    world.chain.run(1);
    assert_eq!(world.told().await, []);
}

#[tokio::test]
async fn what_is_not_final_is_not_told() {
    let mut world = world().await;
    world.bare_log(VAULT);
    let head = world.chain.seal();
    assert_eq!(world.told().await, []);
    world.chain.finalize(head.number);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn money_and_stake_that_come_to_a_contract_without_a_call_are_surplus() {
    let mut world = world().await;
    let vault = AccountId::of_evm(VAULT.0);
    let transfer = |to: AccountId| [&[7; 32][..], &to.0, &9u64.to_le_bytes()].concat();
    world.chain.event(Some(1), &needed::TRANSFER, &transfer(vault));
    world.chain.event(Some(2), &needed::TRANSFER, &transfer(AccountId([8; 32])));
    world.chain.event(Some(3), &needed::TRANSFER, &transfer(vault));
    world.chain.event(Some(3), &needed::EVM_EXECUTED, &VAULT.0);
    let numbers = [&NETUID.to_le_bytes()[..], &NETUID.to_le_bytes(), &5u64.to_le_bytes()].concat();
    let stake = [&[1; 32][..], &vault.0, &[2; 32], &numbers].concat();
    world.chain.event(Some(4), &needed::STAKE_TRANSFERRED, &stake);
    world.chain.run(1);
    let surplus = Told::Surplus { contract: "vault", from: AccountId([7; 32]), rao: 9 };
    assert_eq!(world.told().await, [surplus, Told::Stake { contract: "vault", netuid: NETUID, rao: 5 }]);
}

#[tokio::test]
async fn the_end_of_our_subnet_is_told_and_that_of_others_is_not() {
    let mut world = world().await;
    for netuid in [NETUID - 1, NETUID] {
        world.chain.event(None, &needed::NETWORK_REMOVED, &netuid.to_le_bytes());
    }
    world.chain.run(1);
    assert_eq!(world.told().await, [Told::Dissolved]);
}

#[tokio::test]
async fn after_a_pause_blocks_are_caught_up_with_in_portions_and_those_too_old_are_named() {
    let mut world = world().await;
    world.chain.run(CATCH_UP_MAX + 40);
    let first = world.told().await;
    assert_eq!(first, [Told::PassedOver { from: 4, until: 42 }]);
    assert_eq!(world.follower.last().unwrap().number, 42 + BLOCKS_AT_ONCE);
    assert_eq!(world.follower.newest(), None, "nothing is done on a block that is old");
    let mut polls = 0;
    while world.follower.last().unwrap().number < CATCH_UP_MAX + 43 {
        assert_eq!(world.told().await, []);
        polls += 1;
    }
    assert_eq!((polls, world.follower.newest()), (8, world.follower.last()));
}

#[tokio::test]
async fn a_block_that_cannot_be_read_is_named_and_stops_nothing() {
    let mut world = world().await;
    // A topic count of a gigabyte.
    world.chain.event(Some(1), &needed::EVM_LOG, &[&VAULT.0[..], &[0xfe, 0xff, 0xff, 0xff]].concat());
    world.chain.run(1);
    world.bare_log(VAULT);
    world.chain.run(1);
    let told = world.told().await;
    assert!(matches!(told[..], [Told::PassedOver { from: 4, until: 4 }, Told::BareLog { .. }]), "{told:?}");
}

#[tokio::test]
async fn a_node_that_fails_half_way_loses_nothing_that_was_told() {
    let mut world = world().await;
    world.bare_log(VAULT);
    world.chain.run(1);
    world.server.knobs.broken.store(true, Relaxed);
    assert!(world.follower.poll().await.1.is_err());
    world.server.knobs.broken.store(false, Relaxed);
    assert_eq!(world.told().await.len(), 1);
}

#[tokio::test]
async fn a_final_block_that_is_another_one_now_is_an_error_by_name() {
    let mut world = world().await;
    world.follower.last = world.follower.last.map(|last| Head { hash: Hash32([9; 32]), ..last });
    world.chain.run(1);
    let refused = world.follower.poll().await.1.unwrap_err();
    assert!(refused.to_string().contains("block 3 was final and is another one now"), "{refused}");
}

#[tokio::test]
async fn a_block_that_no_node_can_show_is_passed_over_after_a_while_and_the_trouble_is_told_until_then() {
    let mut world = world().await;
    world.chain.run(1);
    world.bare_log(VAULT);
    world.chain.run(1);
    world.server.knobs.forgets.store(4, Relaxed);
    let mut troubles = 0;
    let told = loop {
        let (told, done) = world.follower.poll().await;
        if done.is_ok() {
            break told;
        }
        assert_eq!(told, []);
        troubles += 1;
    };
    assert_eq!(troubles, TRIES_MAX - 1);
    assert!(matches!(told[..], [Told::PassedOver { from: 4, until: 4 }, Told::BareLog { block: 5, .. }]), "{told:?}");
}
