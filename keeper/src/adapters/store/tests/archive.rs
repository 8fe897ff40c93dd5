//! What anybody may read.

use super::*;
use crate::ports::Archive;

struct Shelf {
    store: Store,
    path: PathBuf,
    seq: u64,
    _dir: tempfile::TempDir,
}

impl Shelf {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        Self { store: Run::open(&path, &config()).store, path, seq: 0, _dir: dir }
    }

    fn commit(&mut self, input: &Input) {
        self.seq += 1;
        self.store.commit_one(self.seq, input, &[]).unwrap();
    }

    /// Signs something of our own.
    fn own(&mut self, statement: impl Into<Statement>) {
        self.commit(&Input::Signed(signed(statement.into())));
    }

    /// Takes a peer's attestation; `evidence` makes its signature, too.
    fn peer(&mut self, rental: u64, evidence: u8) {
        let (signer, signature) = (Account([8; 20]), Signature([evidence; 65]));
        self.commit(&Input::Peer(Signed { statement: attestation(rental, evidence), signer, signature }));
    }
}

fn marks(list: &[Signed<Attestation>]) -> Vec<u8> {
    list.iter().map(|signed| signed.statement.evidence.0[0]).collect()
}

#[test]
fn a_rentals_attestations_are_ours_and_peers_oldest_first() {
    let mut shelf = Shelf::new();
    shelf.own(attestation(1, 1));
    shelf.peer(1, 2);
    shelf.peer(2, 3);
    shelf.own(attestation(1, 4));
    shelf.own(certificate(5));
    let list = shelf.store.attestations_of(1).unwrap();
    assert_eq!(marks(&list), [1, 2, 4]);
    assert_eq!(list[0].signer, config().me);
    assert_eq!(list[1].signature, Signature([2; 65]), "as the peer signed it");
    assert_eq!(shelf.store.attestations_of(9).unwrap(), []);
}

#[test]
fn the_same_signature_is_kept_once() {
    let mut shelf = Shelf::new();
    shelf.peer(1, 2);
    shelf.peer(1, 2);
    assert_eq!(marks(&shelf.store.attestations_of(1).unwrap()), [2]);
}

#[test]
fn our_own_attestations_are_paged_by_number_without_peers_or_certificates() {
    let mut shelf = Shelf::new();
    shelf.own(attestation(1, 1));
    shelf.peer(1, 2);
    shelf.own(certificate(3));
    shelf.own(attestation(2, 4));
    shelf.own(attestation(1, 5));
    let mut seen = Vec::new();
    let mut after = 0;
    loop {
        let page = shelf.store.own_attestations_after(after, 2).unwrap();
        let Some((last, _)) = page.last() else { break };
        assert!(page.len() <= 2 && page.iter().all(|(seq, _)| *seq > after));
        after = *last;
        seen.extend(page.into_iter().map(|(_, signed)| signed));
    }
    assert_eq!(marks(&seen), [1, 4, 5]);
    assert_eq!(shelf.store.own_attestations_after(after, 100).unwrap(), []);
    assert_eq!(shelf.store.own_attestations_after(0, 0).unwrap(), []);
    assert_eq!(shelf.store.own_attestations_after(u64::MAX, 100).unwrap(), []);
}

#[test]
fn no_answer_is_longer_than_its_bound_and_the_newest_are_in_it() {
    let mut shelf = Shelf::new();
    let numbered = |n: u16| Signed {
        statement: Attestation { until_secs: START + u64::from(n), ..attestation(1, 1) },
        signer: config().me,
        signature: Signature(std::array::from_fn(|i| n.to_be_bytes()[i % 2])),
    };
    for n in 1..=510 {
        let signed = numbered(n);
        let signed = Signed { statement: signed.statement.into(), signer: signed.signer, signature: signed.signature };
        shelf.commit(&Input::Signed(signed));
    }
    let of_rental = shelf.store.attestations_of(1).unwrap();
    assert_eq!((of_rental.len(), of_rental.last()), (500, Some(&numbered(510))));
    assert_eq!(of_rental[0], numbered(11));
    let page = shelf.store.own_attestations_after(0, u32::MAX).unwrap();
    assert_eq!((page.len(), &page[0].1), (500, &numbered(1)));
}

#[test]
fn a_machines_certificates_come_newest_first_and_only_ours() {
    let mut shelf = Shelf::new();
    for evidence in 1..=10 {
        shelf.own(certificate(evidence));
    }
    let other = Certificate { machine: MachineId([2; 32]), ..certificate(77) };
    shelf.own(other);
    let list = shelf.store.certificates_of(MachineId([1; 32])).unwrap();
    let marks: Vec<u8> = list.iter().map(|signed| signed.statement.evidence.0[0]).collect();
    assert_eq!(marks, [10, 9, 8, 7, 6, 5, 4, 3]);
    assert_eq!(shelf.store.certificates_of(MachineId([3; 32])).unwrap(), []);
}

#[test]
fn a_bundle_is_the_evidence_with_the_statement_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::open(&dir.path().join("keeper.db"), &config());
    run.start();
    run.pass(700);
    let (statement, evidence) = run
        .wished
        .iter()
        .find_map(|effect| match effect {
            Effect::Sign { statement, evidence, .. } => Some((*statement, evidence.clone())),
            _ => None,
        })
        .unwrap();
    let digest = statement.evidence();
    let bundle = run.store.bundle(digest).unwrap().unwrap();
    assert_eq!(bundle.signed, signed(statement));
    let read: Evidence = serde_json::from_value(bundle.evidence).unwrap();
    assert_eq!(read, *evidence);
    assert_eq!(read.digest().unwrap(), digest, "what is served is what was hashed");
}

#[test]
fn there_is_no_bundle_before_its_statement_is_signed_nor_for_a_peers() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::open(&dir.path().join("keeper.db"), &config());
    run.signs = false;
    run.start();
    run.pass(700);
    let Some(Effect::Sign { statement, evidence, .. }) =
        run.wished.iter().find(|effect| matches!(effect, Effect::Sign { .. }))
    else {
        panic!("nothing was to be signed")
    };
    let digest = statement.evidence();
    run.store.put_evidence(digest, evidence).unwrap();
    assert_eq!(run.store.bundle(digest).unwrap(), None);
    let Statement::Attestation(statement) = *statement else { panic!("{statement:?}") };
    let peers = Signed { statement, signer: Account([8; 20]), signature: Signature([8; 65]) };
    run.store.commit_one(run.seq + 1, &Input::Peer(peers), &[]).unwrap();
    assert_eq!(run.store.bundle(digest).unwrap(), None, "a peer's signature is not ours to serve");
    assert_eq!(run.store.bundle(Hash32([42; 32])).unwrap(), None);
}

#[test]
fn evidence_once_stored_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::open(&dir.path().join("keeper.db"), &config());
    run.start();
    run.pass(700);
    let Some(Effect::Sign { statement, evidence, .. }) =
        run.wished.iter().find(|effect| matches!(effect, Effect::Sign { .. }))
    else {
        panic!("nothing was to be signed")
    };
    let mut other = (**evidence).clone();
    other.chain_id = 1;
    run.store.put_evidence(statement.evidence(), &other).unwrap();
    let bundle = run.store.bundle(statement.evidence()).unwrap().unwrap();
    assert_eq!(bundle.evidence["chain_id"], 964);
}

#[test]
fn an_unreadable_statement_or_bundle_is_an_error_not_a_gap() {
    let mut shelf = Shelf::new();
    shelf.own(attestation(1, 1));
    shelf.own(certificate(2));
    raw(&shelf.path).execute("UPDATE statements SET signed = '{}'", []).unwrap();
    let insert = "INSERT INTO evidence (digest, body) VALUES (?1, '{')";
    raw(&shelf.path).execute(insert, [Hash32([1; 32]).0]).unwrap();
    let prefix = "the store did not answer: the store holds something unreadable (";
    let errors = [
        shelf.store.attestations_of(1).unwrap_err(),
        shelf.store.own_attestations_after(0, 10).unwrap_err(),
        shelf.store.certificates_of(MachineId([1; 32])).unwrap_err(),
        shelf.store.bundle(Hash32([1; 32])).unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().starts_with(prefix), "{error}");
    }
}

fn spoof(machine: u8, evidence: u8) -> surety_core::statement::Spoof {
    let Certificate { registration, gpu_class, gpu_count, .. } = certificate(evidence);
    let (machine, proved_at_secs, evidence) = (MachineId([machine; 32]), START, Hash32([evidence; 32]));
    surety_core::statement::Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence }
}

#[test]
fn spoofs_are_kept_apart_from_certificates_and_peers_from_ours() {
    let mut shelf = Shelf::new();
    let machine = certificate(1).machine;
    shelf.own(certificate(1));
    for evidence in 2..12 {
        shelf.own(spoof(machine.0[0], evidence));
    }
    let (signer, signature) = (Account([8; 20]), Signature([77; 65]));
    shelf.commit(&Input::PeerSpoof(Signed { statement: spoof(machine.0[0], 77), signer, signature }));
    shelf.own(spoof(9, 99));
    assert_eq!(shelf.store.certificates_of(machine).unwrap().len(), 1, "ten spoofs do not crowd it out");
    let marks = |list: Vec<Signed<surety_core::statement::Spoof>>| -> Vec<u8> {
        list.iter().map(|signed| signed.statement.evidence.0[0]).collect()
    };
    assert_eq!(marks(shelf.store.own_spoofs().unwrap())[..2], [99, 11]);
    let of_machine = marks(shelf.store.spoofs_of(machine).unwrap());
    assert_eq!((of_machine.len(), of_machine[0]), (11, 77));
    assert_eq!(shelf.store.own_attestations_after(0, 9).unwrap(), vec![]);
}

pub(super) fn complaint(rental: u64, issued_at_secs: u64) -> Signed<surety_core::complaints::Complaint> {
    let (code, text) = (surety_core::complaints::ComplaintCode::TooSlow, "half of it".to_owned());
    let statement = surety_core::complaints::Complaint { rental, code, text, issued_at_secs };
    Signed { statement, signer: Account([50; 20]), signature: Signature([3; 65]) }
}

#[test]
fn complaints_are_kept_by_rental_newest_first_and_each_once() {
    let mut shelf = Shelf::new();
    let (one, two, other) = (complaint(1, START), complaint(1, START + 1), complaint(2, START));
    for taken in [&one, &two, &other] {
        assert!(!shelf.store.has_complaint(taken.statement.id()).unwrap());
        shelf.commit(&Input::Complaint(taken.clone()));
        assert!(shelf.store.has_complaint(taken.statement.id()).unwrap());
    }
    let again = Signed { signature: Signature([4; 65]), ..one.clone() };
    shelf.commit(&Input::Complaint(again));
    assert_eq!(shelf.store.complaints_of(1).unwrap(), [two, one], "another signature makes it no other complaint");
    assert_eq!(shelf.store.complaints_of(2).unwrap(), [other]);
    assert_eq!(shelf.store.complaints_of(3).unwrap(), []);
}
