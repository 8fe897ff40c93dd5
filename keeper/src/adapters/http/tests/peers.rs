//! Asking peers that behave.

use super::hostile::Script;
use super::*;
use std::sync::atomic::Ordering::Relaxed;
use surety_core::types::SshKey;
use surety_core::view::KeeperView;

pub(super) fn limits() -> PeerLimits {
    PeerLimits { allow_private: true, gather_max: DEADLINE, ..PeerLimits::default() }
}

pub(super) fn peers(limits: PeerLimits) -> (Peers, Arc<PeerCounts>) {
    let counts = Arc::new(PeerCounts::default());
    (Peers::new(domains(), limits, counts.clone()).unwrap(), counts)
}

pub(super) fn keeper(number: u8, url: &str) -> KeeperView {
    let (account, ssh_key) = (key(number).account(), SshKey([number; 32]));
    KeeperView { account, weight: 1, active: true, ssh_key, url: url.to_owned() }
}

pub(super) fn me() -> Account {
    key(200).account()
}

#[tokio::test]
async fn each_attestation_of_each_peer_is_heard_once_and_in_order() {
    let (one, two) = (start(HttpLimits::default()).await, start(HttpLimits::default()).await);
    let first: Vec<_> = (1..=3).map(|rental| one.shelf.add(&key(1), rental)).collect();
    let other = two.shelf.add(&key(2), 1);
    let keepers = [keeper(1, &one.url), keeper(2, &format!("{}/", two.url))];
    let (peers, counts) = peers(limits());
    let heard = peers.poll(&keepers, me()).await;
    assert_eq!(heard.iter().filter(|signed| signed.signer == key(1).account()).cloned().collect::<Vec<_>>(), first);
    assert!(heard.contains(&other) && heard.len() == 4);
    assert_eq!(peers.poll(&keepers, me()).await, vec![], "nothing is heard twice");
    let new = one.shelf.add(&key(1), 9);
    assert_eq!(peers.poll(&keepers, me()).await, vec![new]);
    assert_eq!((counts.accepted.load(Relaxed), counts.failed.load(Relaxed)), (5, 0));
}

#[tokio::test]
async fn what_a_peer_sees_failing_is_heard_once_for_each_time_that_it_begins() {
    let served = start(HttpLimits::default()).await;
    let shows =
        |bytes: &[u8]| *served.progress.hints.lock().unwrap() = bytes.iter().map(|n| MachineId([*n; 32])).collect();
    let (peers, counts) = peers(limits());
    let keepers = [keeper(1, &served.url)];
    let mut heard = Vec::new();
    for shown in [&[][..], &[2, 1], &[1, 2], &[2], &[2, 1]] {
        shows(shown);
        peers.poll(&keepers, me()).await;
        let hints = peers.hints().await;
        assert!(hints.iter().all(|hint| hint.peer == key(1).account()));
        heard.push(hints.into_iter().flat_map(|hint| hint.machines).map(|machine| machine.0[0]).collect::<Vec<_>>());
    }
    assert_eq!(heard, [vec![], vec![1, 2], vec![], vec![], vec![1]]);
    assert_eq!(counts.failed.load(Relaxed), 0);
}

#[tokio::test]
async fn a_long_list_is_read_page_by_page() {
    let served = start(HttpLimits::default()).await;
    let all: Vec<_> = (1..=7).map(|rental| served.shelf.add(&key(1), rental)).collect();
    let (peers, _) = peers(PeerLimits { page: 3, ..limits() });
    let mut heard = Vec::new();
    for _ in 0..4 {
        let page = peers.poll(&[keeper(1, &served.url)], me()).await;
        assert!(page.len() <= 3);
        heard.extend(page);
    }
    assert_eq!(heard, all);
}

#[tokio::test]
async fn a_peer_that_lost_its_store_is_heard_again() {
    let served = start(HttpLimits::default()).await;
    let keepers = [keeper(1, &served.url)];
    for rental in 1..=5 {
        served.shelf.add(&key(1), rental);
    }
    let (peers, _) = peers(limits());
    assert_eq!(peers.poll(&keepers, me()).await.len(), 5);
    served.shelf.own.lock().unwrap().clear();
    let new = served.shelf.add(&key(1), 70);
    let mut heard = peers.poll(&keepers, me()).await;
    heard.extend(peers.poll(&keepers, me()).await);
    assert_eq!(heard, vec![new]);
    served.shelf.own.lock().unwrap().clear();
    let same_place = served.shelf.add(&key(1), 71);
    let mut heard = peers.poll(&keepers, me()).await;
    heard.extend(peers.poll(&keepers, me()).await);
    assert_eq!(heard, vec![same_place], "another entry at the same place is another list");
}

#[tokio::test]
async fn neither_oneself_nor_inactive_keepers_are_asked() {
    let served = start(HttpLimits::default()).await;
    served.shelf.add(&key(1), 1);
    let (peers, counts) = peers(limits());
    let inactive = KeeperView { active: false, ..keeper(1, &served.url) };
    assert_eq!(peers.poll(&[inactive], me()).await, vec![]);
    assert_eq!(peers.poll(&[keeper(1, &served.url)], key(1).account()).await, vec![]);
    assert_eq!(counts.asked.load(Relaxed), 0);
}

#[tokio::test]
async fn private_addresses_are_not_asked_in_earnest() {
    let served = start(HttpLimits::default()).await;
    served.shelf.add(&key(1), 1);
    served.shelf.add(&key(2), 1);
    let by_name = served.url.replace("127.0.0.1", "localhost");
    let keepers = [keeper(1, &served.url), keeper(2, &by_name)];
    let (strict, counts) = peers(PeerLimits { allow_private: false, ..limits() });
    assert_eq!(strict.poll(&keepers, me()).await, vec![]);
    assert_eq!(counts.failed.load(Relaxed), 2);
    let (lenient, _) = peers(limits());
    assert_eq!(lenient.poll(&keepers, me()).await.len(), 2, "in development they are");
}

#[tokio::test]
async fn a_peer_that_fails_is_left_alone_for_a_while_and_others_are_not() {
    let served = start(HttpLimits::default()).await;
    let refusing = Script::Status(500).start().await;
    let keepers = [keeper(1, &served.url), keeper(2, &refusing.url)];
    let (peers, counts) = peers(PeerLimits { backoff_min: DEADLINE, ..limits() });
    for rental in 1..=3 {
        let new = served.shelf.add(&key(1), rental);
        assert_eq!(peers.poll(&keepers, me()).await, vec![new]);
    }
    assert_eq!((refusing.asked(), counts.failed.load(Relaxed)), (1, 1));
    let moved = [keeper(1, &served.url), keeper(2, &format!("{}/new", refusing.url))];
    peers.poll(&moved, me()).await;
    assert_eq!(refusing.asked(), 2, "a new URL is asked at once");
}

#[tokio::test]
async fn a_peer_that_recovers_is_heard_again() {
    let served = start(HttpLimits::default()).await;
    let new = served.shelf.add(&key(1), 1);
    *served.shelf.broken.lock().unwrap() = Some("down");
    let backoff_min = Duration::from_millis(1);
    let (peers, _) = peers(PeerLimits { backoff_min, backoff_max: backoff_min, ..limits() });
    let keepers = [keeper(1, &served.url)];
    assert_eq!(peers.poll(&keepers, me()).await, vec![]);
    *served.shelf.broken.lock().unwrap() = None;
    until("it is asked again", || async { peers.poll(&keepers, me()).await == vec![new.clone()] }).await;
}
