//! Where a follower begins: at the final block, beside EVM endpoints of the same chain, and nowhere else.

use super::*;
use axum::extract::State;
use axum::{Json, Router, routing::post};
use serde_json::{Value, json};
use std::sync::Mutex;
use surety_substrate::runtime::Part;

/// The EVM's side of the chain, on a real socket: its id and headers.
#[derive(Default)]
struct Evm {
    latest: u64,
    /// Seconds that its blocks differ from Substrate's.
    late_secs: u64,
    /// What its hashes end with.
    branch: u8,
}

fn evm_hash(number: u64, branch: u8) -> Hash32 {
    let mut hash = [branch; 32];
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Hash32(hash)
}

impl Evm {
    fn header(&self, tag: &str) -> Value {
        let number = u64::from_str_radix(tag.trim_start_matches("0x"), 16).unwrap();
        if number > self.latest {
            return Value::Null;
        }
        json!({
            "number": format!("{number:#x}"),
            "hash": evm_hash(number, self.branch),
            "parentHash": evm_hash(number.saturating_sub(1), self.branch),
            "timestamp": format!("{:#x}", Chain::time_of(number) + self.late_secs),
        })
    }
}

async fn serve(State(evm): State<Arc<Mutex<Evm>>>, Json(request): Json<Value>) -> Json<Value> {
    let result = match request["method"].as_str().unwrap() {
        "eth_chainId" => json!("0x2a"),
        "eth_getBlockByNumber" => evm.lock().unwrap().header(request["params"][0].as_str().unwrap()),
        other => panic!("the follower asks {other}, which this node does not know"),
    };
    Json(json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }))
}

/// Both sides of one chain, seven blocks high and all of them final.
struct Sides {
    chain: Arc<Chain>,
    server: Server,
    evm: Arc<Mutex<Evm>>,
    evm_url: String,
}

const TOP: u64 = 7;

async fn sides() -> Sides {
    let chain = Arc::new(Chain::new());
    let server = Server::start(chain.clone()).await.unwrap();
    chain.set(&needed::EVM_CHAIN_ID, &[], 42u64);
    let evm = Arc::new(Mutex::new(Evm::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let evm_url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", post(serve)).with_state(evm.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let sides = Sides { chain, server, evm, evm_url };
    sides.grow(TOP);
    sides
}

impl Sides {
    /// Makes blocks on both sides.
    fn grow(&self, blocks: u64) {
        for _ in 0..blocks {
            let number = self.chain.best().number;
            self.chain.set(&needed::ETHEREUM_HASH, &[Part::Wide(number)], evm_hash(number, 0).0);
            self.chain.run(1);
        }
        self.evm().latest = self.chain.best().number;
    }

    fn evm(&self) -> std::sync::MutexGuard<'_, Evm> {
        self.evm.lock().unwrap()
    }

    /// A new process.
    fn follower(&self) -> NativeFollower {
        let nodes = Nodes::new(vec![Node::new(&self.server.url).unwrap()]).unwrap();
        let endpoints = Endpoints::new(vec![EvmNode::new(&self.evm_url).unwrap()], &deployment());
        NativeFollower::new(nodes, endpoints, &deployment())
    }
}

fn passed_over(number: u64) -> Told {
    Told::PassedOver { from: number, until: number }
}

/// One poll, which must not begin: why.
async fn refused(follower: &mut NativeFollower) -> NativeError {
    let (told, done) = follower.poll().await;
    assert_eq!((told, follower.last(), follower.newest()), (vec![], None, None), "nothing of it is used");
    done.unwrap_err()
}

#[tokio::test]
async fn a_follower_begins_at_the_final_block_and_says_that_it_knows_nothing_before_it() {
    let sides = sides().await;
    let mut follower = sides.follower();
    let (told, done) = follower.poll().await;
    done.unwrap();
    assert_eq!(told, [passed_over(TOP)]);
    assert_eq!((follower.last(), follower.newest()), (Some(sides.chain.best()), Some(sides.chain.best())));
    assert_eq!(follower.runtime().unwrap().spec_version(), 425);
    sides.chain.event(Some(1), &needed::EVM_LOG, &log_of(VAULT));
    sides.grow(1);
    let (told, done) = follower.poll().await;
    done.unwrap();
    assert!(matches!(told[..], [Told::BareLog { block, .. }] if block == TOP + 1), "{told:?}");
}

#[tokio::test]
async fn a_restart_begins_anew_at_the_final_block_and_everything_before_is_to_be_read_by_views() {
    let sides = sides().await;
    let mut before = sides.follower();
    before.poll().await.1.unwrap();
    drop(before);
    sides.chain.event(Some(1), &needed::EVM_LOG, &log_of(VAULT));
    sides.grow(3);
    let mut after = sides.follower();
    let (told, done) = after.poll().await;
    done.unwrap();
    // What was said while nobody listened is not told by itself.
    assert_eq!(told, [passed_over(TOP + 3)]);
    assert_eq!(after.poll().await.0, []);
}

#[tokio::test]
async fn a_substrate_node_that_is_behind_is_begun_with_where_it_is() {
    let sides = sides().await;
    sides.server.knobs.behind.store(4, Relaxed);
    let mut follower = sides.follower();
    let (told, done) = follower.poll().await;
    done.unwrap();
    assert_eq!((told, follower.last().map(|last| last.number)), (vec![passed_over(TOP - 4)], Some(TOP - 4)));
    sides.server.knobs.behind.store(0, Relaxed);
    assert_eq!(follower.poll().await.0, []);
    assert_eq!(follower.newest(), Some(sides.chain.best()), "and what it had not shown is caught up with");
}

#[tokio::test]
async fn an_evm_endpoint_that_is_behind_is_waited_for() {
    let sides = sides().await;
    sides.evm().latest = TOP - 1;
    let mut follower = sides.follower();
    let why = refused(&mut follower).await;
    assert!(matches!(why, NativeError::Evm(_)), "{why}");
    sides.evm().latest = TOP;
    let (told, done) = follower.poll().await;
    done.unwrap();
    assert_eq!(told, [passed_over(TOP)]);
}

#[tokio::test]
async fn endpoints_of_two_chains_are_refused_by_what_differs_at_every_poll_until_they_are_of_one() {
    let sides = sides().await;
    let mut follower = sides.follower();
    let mut said = async |change: &dyn Fn(&mut Evm)| {
        change(&mut sides.evm());
        let why = refused(&mut follower).await;
        assert!(matches!(why, NativeError::Nodes(NodesError::OtherChain(_))), "{why}");
        why.to_string()
    };
    assert!(said(&|evm| evm.late_secs = 1).await.contains("block 7 has another time"));
    assert!(said(&|evm| (evm.late_secs, evm.branch) = (0, 9)).await.contains("block 7 has another parent"));
    sides.evm().branch = 0;
    let mut other = Deployment { chain_id: 964, ..deployment() };
    std::mem::swap(&mut follower.chain_id, &mut other.chain_id);
    let why = refused(&mut follower).await.to_string();
    assert!(why.contains("EVM id 42, the contracts are on 964"), "{why}");
    std::mem::swap(&mut follower.chain_id, &mut other.chain_id);
    let (told, done) = follower.poll().await;
    done.unwrap();
    assert_eq!(told, [passed_over(TOP)]);
}

#[tokio::test]
async fn a_node_that_answers_nonsense_begins_nothing() {
    let sides = sides().await;
    sides.server.knobs.broken.store(true, Relaxed);
    let mut follower = sides.follower();
    let why = refused(&mut follower).await;
    assert!(matches!(why, NativeError::Nodes(NodesError::NoMajority { .. })), "{why}");
}
