//! A node on a real socket that answers from a script: blocks, counts, views and logs as the test says.

use alloy::primitives::{Address, B256, Bytes, U256, Uint};
use alloy::sol_types::SolCall;
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use surety_client::bindings::AppointedKeepers as K;
use surety_client::bindings::Arbiter as A;
use surety_client::bindings::CollateralVault as V;
use surety_client::bindings::RentalEscrow as E;
use surety_client::bindings::{IArbiter, ICollateralVault, IKeeperSet, IRentalEscrow};
use surety_client::deployment::{Contract, Deployment};
use surety_client::provider::Node;
use surety_client::reader::Counts;
use surety_core::types::{Account, Hash32};
use surety_core::view::{ContractTimes, View};

use crate::adapters::evm::{Endpoints, Follower};

/// How a view is answered instead of properly.
#[derive(Clone, Copy)]
pub(super) enum Answer {
    /// Bytes that are no answer to it.
    Garbage,
    /// A kind and a status that no contract of ours has.
    UnknownKind,
    /// A JSON-RPC error.
    Error(i64, &'static str),
}

type Change = Box<dyn FnOnce(&mut Chain) + Send>;

/// The script.
#[derive(Default)]
pub(super) struct Chain {
    /// Height, hash and parent; a hash is 32 times the byte.
    pub(super) blocks: BTreeMap<u64, (u8, u8)>,
    pub(super) latest: u64,
    pub(super) finalized: u64,
    pub(super) registrations: u32,
    pub(super) rentals: u64,
    /// Whether all of them are closed, and over before the final block.
    pub(super) closed: bool,
    pub(super) cases: u64,
    /// Machine of a registration, where it is not the one of the same number.
    pub(super) machines: BTreeMap<u32, u8>,
    pub(super) logs: Vec<Value>,
    /// By view, as `rentalAt(2)`.
    pub(super) answers: BTreeMap<String, Answer>,
    /// How an unknown height is answered; null without.
    pub(super) unknown_height: Option<(i64, &'static str)>,
    /// Done once, right after this view was answered.
    pub(super) after: Option<(&'static str, Change)>,
    /// Views read, as `rentalAt(2)@10`, and logs, as `logs 10..11`.
    pub(super) asked: Vec<String>,
}

impl Chain {
    /// A chain of blocks up to `height`, each with its height as its hash.
    pub(super) fn grow(&mut self, height: u8) {
        for number in 1..=height {
            self.blocks.entry(number.into()).or_insert((number, number - 1));
        }
        self.latest = height.into();
    }

    fn counts(&self) -> Counts {
        Counts { registrations: self.registrations, rentals: self.rentals, cases: self.cases }
    }

    fn machine(&self, registration: u32) -> B256 {
        match (self.machines.get(&registration), u8::try_from(registration)) {
            (Some(machine), _) => B256::repeat_byte(*machine),
            (None, Ok(own)) => B256::repeat_byte(own),
            (None, Err(_)) => B256::from(U256::from(registration)),
        }
    }

    /// Newest registration of a machine.
    fn registration(&self, machine: B256) -> u32 {
        if self.machines.is_empty() {
            let own = if machine == B256::repeat_byte(machine[0]) { machine[0].into() } else { word(machine) };
            return if own <= self.registrations { own } else { 0 };
        }
        (1..=self.registrations).rev().find(|n| self.machine(*n) == machine).unwrap_or(0)
    }

    fn header(&self, tag: &str) -> Result<Value, (i64, String)> {
        let number = match tag {
            "latest" => self.latest,
            "finalized" => self.finalized,
            hex => u64::from_str_radix(hex.trim_start_matches("0x"), 16).unwrap(),
        };
        let Some((hash, parent)) = self.blocks.get(&number).filter(|_| number <= self.latest) else {
            return match self.unknown_height {
                Some((code, message)) => Err((code, format!("{message}: BlockId::Number({number})"))),
                None => Ok(Value::Null),
            };
        };
        Ok(json!({
            "number": format!("{number:#x}"),
            "hash": B256::repeat_byte(*hash),
            "parentHash": B256::repeat_byte(*parent),
            "timestamp": format!("{:#x}", 1_800_000_000 + number * 12),
        }))
    }

    fn call(&mut self, data: &[u8], block: &str) -> Result<Value, (i64, String)> {
        let (name, proper) = self.view(data);
        let number = u64::from_str_radix(block.trim_start_matches("0x"), 16).unwrap();
        self.asked.push(format!("{name}@{number}"));
        let answer = match self.answers.get(&name) {
            None => Ok(proper),
            Some(Answer::Garbage) => Ok(vec![1, 2, 3]),
            Some(Answer::UnknownKind) => {
                let case = IArbiter::Case { kind: 9, status: 9, ..case() };
                Ok(A::caseAtCall::abi_encode_returns(&case))
            }
            Some(Answer::Error(code, message)) => Err((*code, (*message).to_owned())),
        };
        if self.after.as_ref().is_some_and(|(after, _)| *after == name) {
            let (_, change) = self.after.take().unwrap();
            change(self);
        }
        answer.map(|bytes| json!(Bytes::from(bytes)))
    }

    /// A view's name with its argument, and the proper answer.
    fn view(&self, data: &[u8]) -> (String, Vec<u8>) {
        let counts = self.counts();
        let selector: [u8; 4] = data[..4].try_into().unwrap();
        match selector {
            V::registrationCountCall::SELECTOR => {
                ("registrationCount".into(), V::registrationCountCall::abi_encode_returns(&counts.registrations))
            }
            E::rentalCountCall::SELECTOR => {
                ("rentalCount".into(), E::rentalCountCall::abi_encode_returns(&counts.rentals))
            }
            A::caseCountCall::SELECTOR => ("caseCount".into(), A::caseCountCall::abi_encode_returns(&counts.cases)),
            K::keeperCountCall::SELECTOR => {
                ("keeperCount".into(), K::keeperCountCall::abi_encode_returns(&U256::from(1)))
            }
            K::keeperAtCall::SELECTOR => ("keeperAt(0)".into(), K::keeperAtCall::abi_encode_returns(&keeper())),
            _ => self.view_of_one(selector, data),
        }
    }

    fn view_of_one(&self, selector: [u8; 4], data: &[u8]) -> (String, Vec<u8>) {
        let word = B256::from_slice(&data[4..36]);
        let id: u64 = U256::from_be_bytes(word.0).saturating_to();
        let registration = u32::try_from(id).unwrap_or(0);
        match selector {
            V::nodeAtCall::SELECTOR => {
                let machine = self.machine(registration);
                let node = ICollateralVault::NodeView { machine, registration, free: 7, ..Default::default() };
                (format!("nodeAt({id})"), V::nodeAtCall::abi_encode_returns(&node))
            }
            V::ownerOfCall::SELECTOR => {
                let owner = V::ownerOfReturn { registration: self.registration(word), miner: Address::ZERO };
                (format!("ownerOf({})", word[0]), V::ownerOfCall::abi_encode_returns(&owner))
            }
            V::statementOfCall::SELECTOR => (format!("statementOf({id})"), V::statementOfCall::abi_encode_returns(&0)),
            V::machineOfCall::SELECTOR => {
                (format!("machineOf({id})"), V::machineOfCall::abi_encode_returns(&self.machine(registration)))
            }
            E::offerOfCall::SELECTOR => {
                let none = E::offerOfReturn { terms: Default::default(), lastRental: 0, offerHash: B256::ZERO };
                (format!("offerOf({})", word[0]), E::offerOfCall::abi_encode_returns(&none))
            }
            E::rentalAtCall::SELECTOR => {
                let mut found = rental();
                if self.closed {
                    (found.r.closed, found.r.end) = (true, 1_800_000_050);
                }
                (format!("rentalAt({id})"), E::rentalAtCall::abi_encode_returns(&found))
            }
            E::classBondCall::SELECTOR => (format!("classBond({id})"), E::classBondCall::abi_encode_returns(&9)),
            A::caseAtCall::SELECTOR => (format!("caseAt({id})"), A::caseAtCall::abi_encode_returns(&case())),
            A::executableAtCall::SELECTOR => {
                (format!("executableAt({id})"), A::executableAtCall::abi_encode_returns(&1_800_000_000))
            }
            other => panic!("the follower asks {other:?}, which this node does not know"),
        }
    }

    fn answer(&mut self, method: &str, params: &Value) -> Result<Value, (i64, String)> {
        match method {
            "eth_chainId" => Ok(json!("0x7a69")),
            "eth_getBlockByNumber" => self.header(params[0].as_str().unwrap()),
            "eth_call" => {
                let input = params[0]["input"].as_str().or(params[0]["data"].as_str()).unwrap();
                self.call(&hex::decode(&input[2..]).unwrap(), params[1].as_str().unwrap())
            }
            "eth_getLogs" => {
                let height = |key: &str| {
                    u64::from_str_radix(params[0][key].as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
                };
                self.asked.push(format!("logs {}..{}", height("fromBlock"), height("toBlock")));
                Ok(Value::Array(self.logs.clone()))
            }
            other => panic!("the follower asks {other}, which this node does not know"),
        }
    }
}

fn keeper() -> IKeeperSet::Keeper {
    IKeeperSet::Keeper { account: Address::repeat_byte(1), weight: 5, active: true, ..Default::default() }
}

fn rental() -> E::rentalAtReturn {
    let price = Uint::from(1_000);
    let (start, end) = (1_800_000_000, 1_800_003_600);
    let r = IRentalEscrow::Rental { registration: 1, price, start, end, ..Default::default() };
    E::rentalAtReturn { r, renterKey: B256::repeat_byte(3) }
}

fn case() -> IArbiter::Case {
    IArbiter::Case { kind: 2, status: 1, rental: 1, registration: 1, ..Default::default() }
}

fn word(machine: B256) -> u32 {
    U256::from_be_bytes(machine.0).saturating_to()
}

/// The running node.
pub(super) struct Fake {
    chain: Arc<Mutex<Chain>>,
    pub(super) node: Node,
}

impl Fake {
    /// Three machines, three rentals, three cases, ten blocks, eight of them final.
    pub(super) async fn start() -> Self {
        let mut chain = Chain { registrations: 3, rentals: 3, cases: 3, finalized: 8, ..Chain::default() };
        chain.grow(10);
        let chain = Arc::new(Mutex::new(chain));
        let router = Router::new().route("/", post(serve)).with_state(chain.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = Node::new(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { chain, node }
    }

    pub(super) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap()
    }

    pub(super) fn endpoints(&self) -> Endpoints {
        Endpoints::new(vec![self.node.clone()], &deployment())
    }

    pub(super) fn follower(&self, view: View) -> Follower {
        Follower::new(self.endpoints(), deployment(), view)
    }

    /// What was asked since the last time, without counts and what belongs to another view.
    pub(super) fn asked(&self) -> Vec<String> {
        let main = ["nodeAt", "rentalAt", "caseAt", "keeperAt", "logs"];
        let asked = std::mem::take(&mut self.chain().asked);
        asked.into_iter().filter(|what| main.iter().any(|name| what.starts_with(name))).collect()
    }
}

async fn serve(State(chain): State<Arc<Mutex<Chain>>>, Json(request): Json<Value>) -> Json<Value> {
    Json(match request {
        Value::Array(batch) => batch.iter().map(|one| serve_one(&chain, one)).collect(),
        one => serve_one(&chain, &one),
    })
}

fn serve_one(chain: &Mutex<Chain>, request: &Value) -> Value {
    let answer = chain.lock().unwrap().answer(request["method"].as_str().unwrap(), &request["params"]);
    match answer {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": request["id"], "result": result }),
        Err((code, message)) => {
            json!({ "jsonrpc": "2.0", "id": request["id"], "error": { "code": code, "message": message } })
        }
    }
}

fn deployment() -> Deployment {
    let contract = |n: u8| Contract { address: Account([n; 20]), code_hash: Hash32([n; 32]) };
    Deployment {
        chain_id: 31_337,
        netuid: 51,
        block: 5,
        keepers: contract(1),
        vault: contract(2),
        escrow: contract(3),
        arbiter: contract(4),
        bids: contract(5),
        times: ContractTimes::default(),
    }
}
