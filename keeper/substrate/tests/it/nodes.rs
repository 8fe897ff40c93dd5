//! Several nodes: what a majority says is believed, and what goes wrong at one is told by its name.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::types::{Account, Coldkey, Hash32, Hotkey};
use surety_substrate::needed;
use surety_substrate::node::{Node, NodeError};
use surety_substrate::nodes::{EvmBlock, Nodes, NodesError};
use surety_substrate::runtime::Part;
use surety_substrate::ss58::AccountId;
use surety_substrate::subnet::{Openness, Subnet, SubnetError, coldkeys_of};
use surety_subtensor_native::{Chain, GENESIS, Server};

/// A chain and so many endpoints of it.
pub(crate) struct World {
    pub(crate) chain: Arc<Chain>,
    pub(crate) servers: Vec<Server>,
    pub(crate) nodes: Nodes,
}

pub(crate) async fn world(endpoints: usize) -> World {
    let chain = Arc::new(Chain::new());
    let mut servers = Vec::new();
    for _ in 0..endpoints {
        servers.push(Server::start(chain.clone()).await.unwrap());
    }
    let nodes = servers.iter().map(|server| Node::new(&server.url).unwrap()).collect();
    World { chain, nodes: Nodes::new(nodes).unwrap(), servers }
}

const HOTKEYS: [AccountId; 3] = [AccountId([10; 32]), AccountId([11; 32]), AccountId([12; 32])];
const NET: Part = Part::Number(2);

#[tokio::test]
async fn a_runtime_is_read_from_the_node_and_lacks_nothing() {
    let world = world(1).await;
    let head = world.nodes.finalized().await.unwrap();
    assert_eq!(world.nodes.genesis().await.unwrap(), GENESIS);
    let runtime = world.nodes.runtime(GENESIS, head.hash).await.unwrap();
    assert_eq!((runtime.spec_version(), runtime.lacks()), (425, &[][..]));
}

#[tokio::test]
async fn one_that_lies_of_three_is_not_believed_and_one_more_that_fails_leaves_no_majority() {
    let world = world(3).await;
    world.chain.set(&needed::VERSION_KEY, &[NET], 6u64);
    let head = world.chain.run(3);
    let read = async || {
        let value = world.nodes.value::<u64>(world.chain.runtime(), head.hash, &needed::VERSION_KEY, &[NET]);
        value.await
    };
    world.servers[0].knobs.lies.store(true, Relaxed);
    assert_eq!(read().await.unwrap(), Some(6));
    world.servers[1].knobs.broken.store(true, Relaxed);
    let refused = read().await.unwrap_err();
    let said = refused.to_string();
    assert!(said.starts_with("no 2 Substrate endpoints agree on what is stored"), "{said}");
}

#[tokio::test]
async fn the_final_block_is_the_highest_that_a_majority_calls_final() {
    let world = world(3).await;
    world.chain.run(20);
    world.servers[0].knobs.behind.store(5, Relaxed);
    assert_eq!(world.nodes.finalized().await.unwrap().number, 20);
    world.servers[1].knobs.behind.store(2, Relaxed);
    assert_eq!(world.nodes.finalized().await.unwrap().number, 18);
    world.servers[2].knobs.broken.store(true, Relaxed);
    assert_eq!(world.nodes.finalized().await.unwrap().number, 15);
    world.servers[1].knobs.broken.store(true, Relaxed);
    assert!(matches!(world.nodes.finalized().await, Err(NodesError::NoMajority { need: 2, .. })));
}

#[tokio::test]
async fn what_was_never_stored_is_its_default_or_nothing() {
    let world = world(1).await;
    let (head, runtime) = (world.chain.run(1), world.chain.runtime());
    let added: Option<bool> = world.nodes.value(runtime, head.hash, &needed::NETWORK_ADDED, &[NET]).await.unwrap();
    let uid: Option<u16> =
        world.nodes.value(runtime, head.hash, &needed::UID, &[NET, HOTKEYS[0].into()]).await.unwrap();
    assert_eq!((added, uid), (Some(false), None));
}

#[tokio::test]
async fn a_subnet_is_read_as_one_view() {
    let world = world(1).await;
    let chain = &world.chain;
    chain.add_subnet(2, 360, &HOTKEYS);
    chain.set(&needed::PERMITS, &[NET], vec![true, false, true]);
    chain.set(&needed::LAST_UPDATE, &[NET], vec![1u64, 2, 3]);
    chain.set(&needed::ASSOCIATED, &[NET, Part::Number(0)], ([0xab_u8; 20], 7u64));
    chain.set(&needed::VOTING_POWER, &[NET, HOTKEYS[2].into()], 99u64);
    chain.set(&needed::VOTING_POWER_TRACKED, &[NET], true);
    chain.set(&needed::MOVING_PRICE, &[NET], 3i128 << 31);
    let head = chain.run(2);
    let subnet = Subnet::read(&world.nodes, chain.runtime(), head, 2).await.unwrap();
    assert_eq!((subnet.at, subnet.registered_counter, subnet.schedule.tempo), (head, 1, 360));
    assert_eq!((subnet.voting_power_tracked, subnet.moving_price_q32), (Some(true), Some(3 << 31)));
    let neurons: Vec<_> = subnet.neurons.iter().map(|n| (n.uid, n.hotkey, n.permit, n.updated_at)).collect();
    assert_eq!(neurons, [(0, HOTKEYS[0], true, 1), (1, HOTKEYS[1], false, 2), (2, HOTKEYS[2], true, 3)]);
    assert_eq!(subnet.neurons[0].evm, Some((Account([0xab; 20]), 7)));
    assert_eq!((subnet.neurons[1].evm, subnet.neurons[2].voting_power), (None, Some(99)));
    assert_eq!(subnet.find(HOTKEYS[2]).map(|neuron| neuron.uid), Some(2));
    assert_eq!(subnet.weights.unwrap().openness, Openness::Open);
}

#[tokio::test]
async fn the_coldkeys_of_hotkeys_are_read_and_of_one_that_nobody_owns_there_is_none() {
    let world = world(3).await;
    let chain = &world.chain;
    chain.set(&needed::OWNER, &[HOTKEYS[0].into()], [7u8; 32]);
    chain.set(&needed::OWNER, &[HOTKEYS[1].into()], [0u8; 32]);
    let head = chain.run(1);
    let hotkeys = HOTKEYS.map(|hotkey| Hotkey(hotkey.0));
    let found = coldkeys_of(&world.nodes, chain.runtime(), head, hotkeys).await.unwrap();
    assert_eq!(found, [(hotkeys[0], Coldkey([7; 32]))].into());
    world.servers[0].knobs.lies.store(true, Relaxed);
    let found = coldkeys_of(&world.nodes, chain.runtime(), head, hotkeys).await.unwrap();
    assert_eq!(found.len(), 1, "one that lies is not believed");
}

#[tokio::test]
async fn a_subnet_that_does_not_exist_is_named() {
    let world = world(1).await;
    let head = world.chain.run(1);
    let absent = Subnet::read(&world.nodes, world.chain.runtime(), head, 9).await.unwrap_err();
    assert_eq!(absent, SubnetError::Absent { netuid: 9, block: 1 });
}

#[tokio::test]
async fn endpoints_of_another_chain_than_the_contracts_are_named_with_what_differs() {
    let world = world(1).await;
    let chain = &world.chain;
    chain.set(&needed::EVM_CHAIN_ID, &[], 964u64);
    let parent = Hash32([0x77; 32]);
    chain.set(&needed::ETHEREUM_HASH, &[Part::Wide(2)], parent.0);
    let head = chain.run(3);
    let evm = EvmBlock { chain_id: 964, parent, timestamp_secs: Chain::time_of(3) };
    let check = async |evm: EvmBlock| match world.nodes.is_chain_of(chain.runtime(), head, &evm).await {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    };
    assert_eq!(check(evm).await, "");
    assert!(check(EvmBlock { chain_id: 945, ..evm }).await.contains("EVM id 964, the contracts are on 945"));
    assert!(check(EvmBlock { timestamp_secs: 5, ..evm }).await.contains("another time"));
    assert!(check(EvmBlock { parent: Hash32([1; 32]), ..evm }).await.contains("another parent"));
}

#[tokio::test]
async fn a_node_that_is_no_subtensor_is_said_to_answer_nonsense_or_nothing() {
    for url in ["ftp://example.org", "not a url", "wss://example.org"] {
        assert!(matches!(Node::new(url), Err(NodeError::BadUrl { .. })), "{url}");
    }
    let secret = Node::new("https://").unwrap_err().to_string();
    assert!(secret.contains("want http:// or https://"), "{secret}");
    let world = world(1).await;
    world.servers[0].knobs.broken.store(true, Relaxed);
    let broken = Node::new(&world.servers[0].url).unwrap().finalized().await.unwrap_err();
    assert!(matches!(broken, NodeError::Odd { .. }), "{broken}");
    let silent = Node::new("http://127.0.0.1:1/secret-key").unwrap().finalized().await.unwrap_err();
    assert!(matches!(silent, NodeError::Unreachable { .. }) && !silent.to_string().contains("secret"), "{silent}");
}

#[tokio::test]
async fn a_block_that_nobody_knows_is_an_error_and_not_the_latest_one() {
    let world = world(1).await;
    world.chain.run(1);
    let read = world.nodes.value::<u64>(world.chain.runtime(), Hash32([9; 32]), &needed::NOW, &[]).await;
    assert!(matches!(read, Err(NodesError::NoMajority { .. })), "{read:?}");
}

#[test]
fn no_node_and_too_many_are_refused() {
    let node = Node::new("http://127.0.0.1:9944").unwrap();
    assert!(Nodes::new(vec![]).is_err() && Nodes::new(vec![node.clone(); 17]).is_err());
    assert_eq!(Nodes::new(vec![node; 16]).unwrap().need(), 9);
}

#[tokio::test]
async fn one_that_hangs_is_not_waited_for() {
    let world = world(3).await;
    world.chain.run(4);
    world.servers[1].knobs.hangs.store(true, Relaxed);
    // Each of these would take the ten seconds that a node may take.
    let reading = async {
        let head = world.nodes.finalized().await.unwrap();
        let now: Option<u64> = world.nodes.value(world.chain.runtime(), head.hash, &needed::NOW, &[]).await.unwrap();
        (now, world.nodes.next_nonce(HOTKEYS[0]).await.unwrap())
    };
    let read = tokio::time::timeout(surety_substrate::node::REQUEST_TIMEOUT, reading).await;
    assert_eq!(read.unwrap(), (Some(Chain::time_of(4) * 1_000), 0));
}
