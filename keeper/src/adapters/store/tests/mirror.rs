//! Bounds of the copies of peers' evidence.

use super::*;
use crate::ports::Archive;

const PEER: Account = Account([8; 20]);
const OTHER: Account = Account([9; 20]);

struct Mirror {
    run: Run,
    path: PathBuf,
    template: Evidence,
    _dir: tempfile::TempDir,
}

impl Mirror {
    fn new(disk_max_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        let mut run = Run::open(&path, &config());
        run.start();
        run.pass(700);
        let own = run.store.own_attestations_after(0, 1).unwrap().remove(0).1.statement.evidence;
        let template = serde_json::from_value(run.store.bundle(own).unwrap().unwrap().evidence).unwrap();
        run.store.retention.disk_max_bytes = disk_max_bytes;
        Self { run, path, template, _dir: dir }
    }

    /// Hears of the `mark`th evidence of a peer.
    fn hear(&mut self, signer: Account, mark: u64) -> (Hash32, serde_json::Value) {
        let mut evidence = self.template.clone();
        (evidence.keeper, evidence.block.number) = (signer, mark);
        let digest = evidence.digest().unwrap();
        let statement = Attestation { evidence: digest, ..attestation(1, 1) };
        let signature = Signature(std::array::from_fn(|i| digest.0[i % 32]));
        self.run.take(&Input::Peer(Signed { statement, signer, signature }));
        (digest, serde_json::to_value(&evidence).unwrap())
    }

    fn keep(&mut self, signer: Account, mark: u64, peers: usize) -> (Hash32, Mirrored) {
        let (digest, evidence) = self.hear(signer, mark);
        (digest, self.run.store.mirror(signer, digest, evidence, peers).unwrap())
    }

    fn wanted(&self, now_secs: u64) -> usize {
        self.run.store.wanted_of(PEER, now_secs, 100_000).unwrap().len()
    }

    fn has(&self, digest: Hash32) -> bool {
        self.run.store.bundle(digest).unwrap().is_some()
    }
}

#[test]
fn a_peer_pushes_out_its_own_oldest_copies_and_nobody_elses() {
    let mut mirror = Mirror::new(1 << 30);
    let bytes = mirror.template.canonical().unwrap().len() as u64;
    // Room for three: a peer's share is a twentieth of the budget, or less where more share it.
    let room = 3 * bytes + bytes / 2;
    let peers = usize::try_from((1 << 30) / 5 / room).unwrap();
    let (others, _) = mirror.keep(OTHER, 1, peers);
    let kept: Vec<Hash32> = (1..=5).map(|mark| mirror.keep(PEER, mark, peers).0).collect();
    let there: Vec<bool> = kept.iter().map(|digest| mirror.has(*digest)).collect();
    assert_eq!(there, [false, false, true, true, true]);
    assert!(mirror.has(others));
}

#[test]
fn a_crowded_store_takes_no_copies_and_one_that_is_larger_than_its_share_is_never_kept() {
    let mut mirror = Mirror::new(100_000);
    assert_eq!(mirror.keep(PEER, 1, 1).1, Mirrored::NoRoom);
    assert_eq!(count(&mirror.path, "mirrored"), 0);
    assert_eq!(mirror.wanted(START), 1, "it stays wanted");
}

#[test]
fn what_is_not_evidence_or_not_what_was_named_is_wrong() {
    let mut mirror = Mirror::new(1 << 30);
    let (digest, evidence) = mirror.hear(PEER, 1);
    let mut odd = evidence.clone();
    odd["more"] = 1.into();
    let mut changed = evidence.clone();
    changed["block"]["number"] = 2.into();
    for bad in [serde_json::json!(null), serde_json::json!({}), odd, changed] {
        assert_eq!(mirror.run.store.mirror(PEER, digest, bad, 1).unwrap(), Mirrored::Wrong);
    }
    assert_eq!(mirror.run.store.mirror(PEER, digest, evidence, 1).unwrap(), Mirrored::Kept);
    assert_eq!(mirror.wanted(START), 0);
}

#[test]
fn what_is_not_to_be_had_is_asked_for_less_and_less_often_and_given_up_after_more_than_a_day() {
    let mut mirror = Mirror::new(1 << 30);
    let (digest, _) = mirror.hear(PEER, 1);
    let (mut now_secs, mut tries) = (START, 0);
    while count(&mirror.path, "wanted") > 0 {
        assert_eq!(mirror.wanted(now_secs), 1);
        mirror.run.store.put_off(PEER, digest, now_secs).unwrap();
        tries += 1;
        assert_eq!(mirror.wanted(now_secs), 0, "not at once again");
        while mirror.wanted(now_secs) == 0 && count(&mirror.path, "wanted") > 0 {
            now_secs += 30;
        }
    }
    assert_eq!(tries, 14);
    assert!((86_400..3 * 86_400).contains(&(now_secs - START)), "{}", now_secs - START);
    mirror.run.store.put_off(PEER, digest, now_secs).unwrap();
}

#[test]
fn a_clock_that_was_far_ahead_keeps_nothing_waiting_for_years() {
    let mut mirror = Mirror::new(1 << 30);
    let (digest, _) = mirror.hear(PEER, 1);
    mirror.run.store.put_off(PEER, digest, START + 1_000_000_000).unwrap();
    assert_eq!(mirror.wanted(START), 1);
}

#[test]
fn copies_are_let_go_of_with_the_statements_that_name_them() {
    let mut mirror = Mirror::new(1 << 30);
    let (digest, _) = mirror.keep(PEER, 1, 1);
    assert!(mirror.has(digest));
    raw(&mirror.path).execute("UPDATE mirrored SET stored_secs = 1", []).unwrap();
    mirror.run.store.chain_secs.fetch_max(START + 1_000 * 86_400, Relaxed);
    let removed = mirror.run.store.expire(START + 1_000 * 86_400).unwrap();
    assert_eq!((removed.mirrored, mirror.has(digest)), (1, false));
}
