//! Copies of a peer's evidence, over real sockets and a real store: they are kept when they are what the peer signed,
//! and shown when the peer is gone.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::adapters::http::PeerLimits;
use crate::adapters::store::tests::{Run, config};
use crate::ports::{Archive, Bundle};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, RwLock};
use surety_client::digest::Domains;
use surety_core::evidence::Evidence;
use surety_core::input::Input;
use surety_core::statement::{Attestation, Signed, Statement};
use surety_core::types::{Signature, SshKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A peer that serves whatever it is told to, and counts what it is asked.
struct Peer {
    view: KeeperView,
    serves: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Peer {
    async fn start(number: u8) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (serves, asked) = <(Arc<Mutex<BTreeMap<String, String>>>, Arc<AtomicU64>)>::default();
        let (shelf, count) = (serves.clone(), asked.clone());
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, Relaxed);
                let mut request = [0; 4_096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let text = String::from_utf8_lossy(&request[..read]).into_owned();
                let path = text.split(' ').nth(1).unwrap_or_default();
                let found = shelf.lock().unwrap().get(path.trim_start_matches("/evidence/")).cloned();
                let (status, body) = found.map_or(("404 No", String::new()), |body| ("200 OK", body));
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                stream.write_all((head + &body).as_bytes()).await.ok();
            }
        });
        let (account, ssh_key) = (Account([number; 20]), SshKey([number; 32]));
        let view = KeeperView { account, weight: 1, active: true, ssh_key, url };
        Self { view, serves, asked, task }
    }

    fn serve(&self, digest: Hash32, bundle: &Bundle) {
        self.serves.lock().unwrap().insert(digest.to_string(), serde_json::to_string(bundle).unwrap());
    }
}

/// A keeper with a store of its own, and a peer's evidence of the same outage to compare with.
struct Keeper {
    run: Run,
    evidence: Evidence,
    statement: Attestation,
    _dir: tempfile::TempDir,
}

impl Keeper {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut run = Run::open(&dir.path().join("keeper.db"), &config());
        run.start();
        run.pass(700);
        let own = run.store.own_attestations_after(0, 1).unwrap().remove(0).1.statement;
        let bundle = run.store.bundle(own.evidence).unwrap().unwrap();
        let evidence = serde_json::from_value(bundle.evidence).unwrap();
        Self { run, evidence, statement: own, _dir: dir }
    }

    /// A peer's bundle, the `mark`th of its kind, whose statement we hear.
    fn hear(&mut self, peer: &Peer, mark: u64) -> (Hash32, Bundle) {
        let (signer, mut evidence) = (peer.view.account, self.evidence.clone());
        (evidence.keeper, evidence.block.number) = (signer, mark);
        let digest = evidence.digest().unwrap();
        let statement = Attestation { evidence: digest, ..self.statement };
        let signature = Signature(std::array::from_fn(|at| digest.0[at % 32]));
        self.run.take(&Input::Peer(Signed { statement, signer, signature }));
        let signed = Signed { statement: Statement::from(statement), signer, signature };
        (digest, Bundle { evidence: serde_json::to_value(&evidence).unwrap(), signed })
    }

    fn mirror(self, peers: &[&Peer]) -> (Mirror, Arc<PeerCounts>) {
        let counts = Arc::new(PeerCounts::default());
        let domains = Domains { chain_id: 964, escrow: Account([1; 20]), arbiter: Account([2; 20]) };
        let limits = PeerLimits { allow_private: true, ..PeerLimits::default() };
        let asking = Arc::new(Peers::new(domains, limits, counts.clone()).unwrap());
        let known = peers.iter().map(|peer| (peer.view.account, peer.view.clone())).collect();
        let keepers: KnownKeepers = Arc::new(RwLock::new(known));
        let store = Arc::new(self.run.store);
        let (clock, me) = (Clock::start(), config().me);
        (Mirror { store, peers: asking, counts: counts.clone(), clock, keepers, me }, counts)
    }
}

#[tokio::test]
async fn evidence_outlives_the_peer_that_made_it() {
    let (mut keeper, peer) = (Keeper::new(), Peer::start(8).await);
    let (digest, bundle) = keeper.hear(&peer, 1);
    peer.serve(digest, &bundle);
    assert_eq!(keeper.run.store.bundle(digest).unwrap(), None, "not before it was fetched");
    let (mirror, counts) = keeper.mirror(&[&peer]);
    mirror.round().await;
    peer.task.abort();
    assert_eq!(mirror.store.bundle(digest).unwrap(), Some(bundle), "as the peer signed it");
    assert_eq!(counts.mirrored.load(Relaxed), 1);
    mirror.round().await;
    assert_eq!(peer.asked.load(Relaxed), 1, "what is kept is not asked for again");
}

#[tokio::test]
async fn bytes_that_the_peer_did_not_sign_are_not_kept() {
    let (mut keeper, peer) = (Keeper::new(), Peer::start(8).await);
    let (signed, _) = keeper.hear(&peer, 1);
    let (_, other) = keeper.hear(&peer, 2);
    peer.serve(signed, &other);
    let (mirror, counts) = keeper.mirror(&[&peer]);
    mirror.round().await;
    assert_eq!(mirror.store.bundle(signed).unwrap(), None);
    assert_eq!((counts.mirrored.load(Relaxed), counts.mirror_wrong.load(Relaxed)), (0, 0), "the first stops the round");
    mirror.round().await;
    assert_eq!((counts.mirrored.load(Relaxed), counts.mirror_wrong.load(Relaxed)), (0, 1));
}

#[tokio::test]
async fn one_peer_that_is_gone_costs_the_others_nothing_and_is_asked_again_later() {
    let (mut keeper, gone, there) = (Keeper::new(), Peer::start(8).await, Peer::start(9).await);
    let lost: Vec<Hash32> = (1..=3).map(|mark| keeper.hear(&gone, mark).0).collect();
    let (digest, bundle) = keeper.hear(&there, 4);
    there.serve(digest, &bundle);
    let (mirror, _) = keeper.mirror(&[&gone, &there]);
    mirror.round().await;
    assert!(mirror.store.bundle(digest).unwrap().is_some());
    assert_eq!(gone.asked.load(Relaxed), 1, "it is asked once in a round");
    let now_secs = mirror.clock.now_secs();
    let account = gone.view.account;
    let wanted = |at: u64| mirror.store.wanted_of(account, at, 10).unwrap().into_iter().map(|(digest, _)| digest);
    assert_eq!(wanted(now_secs).collect::<Vec<_>>(), [lost[1], lost[0]], "the newest waits");
    assert_eq!(wanted(now_secs + 60).collect::<Vec<_>>(), [lost[2], lost[1], lost[0]]);
}

#[tokio::test]
async fn our_own_evidence_is_served_as_ours_whatever_a_peer_names() {
    let (mut keeper, peer) = (Keeper::new(), Peer::start(8).await);
    let own = keeper.statement.evidence;
    let before = keeper.run.store.bundle(own).unwrap();
    let (statement, signature) = (keeper.statement, Signature([7; 65]));
    keeper.run.take(&Input::Peer(Signed { statement, signer: peer.view.account, signature }));
    peer.serve(own, &before.clone().unwrap());
    let (mirror, _) = keeper.mirror(&[&peer]);
    mirror.round().await;
    assert_eq!(mirror.store.bundle(own).unwrap(), before);
}
