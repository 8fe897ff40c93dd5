#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

/// Quicknet's signature of round 1000, as drand publishes it.
const SIGNATURE_1000: &str =
    "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39";
const SEED: [u8; 32] = [7; 32];

/// What `bittensor-drand` 2.0.0 made: tests/vectors/subtensor-native/README.md.
#[derive(serde::Deserialize)]
struct Vectors {
    sealed: SealedVector,
    columns: [String; 6],
    schedules: Vec<[u64; 6]>,
}

#[derive(serde::Deserialize)]
struct SealedVector {
    hotkey: String,
    uids: Vec<u16>,
    values: Vec<u16>,
    version_key: u64,
    payload: String,
    round: u64,
    ciphertext: String,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../tests/vectors/subtensor-native/timelock.json")).unwrap()
}

fn bytes<const N: usize>(digits: &str) -> [u8; N] {
    hex::decode(digits).unwrap().try_into().unwrap()
}

fn signature() -> [u8; SIGNATURE_BYTES] {
    bytes(SIGNATURE_1000)
}

fn payload() -> Payload {
    let known = vectors().sealed;
    let hotkey = AccountId(bytes(&known.hotkey));
    Payload { hotkey, uids: known.uids, values: known.values, version_key: known.version_key }
}

fn of_weights(count: usize) -> Payload {
    let uids: Vec<u16> = (0..u16::try_from(count).unwrap()).collect();
    Payload { hotkey: AccountId([3; 32]), values: uids.iter().rev().copied().collect(), uids, version_key: u64::MAX }
}

#[test]
fn a_payload_is_encoded_as_the_chain_and_its_own_client_do() {
    assert_eq!(hex::encode(payload().encode()), vectors().sealed.payload);
}

#[test]
fn what_the_chains_own_client_sealed_is_opened() {
    let known = vectors().sealed;
    assert_eq!(known.round, 1000);
    assert_eq!(open(&hex::decode(known.ciphertext).unwrap(), &signature()).unwrap(), payload());
}

/// `bittensor-drand` opens these bytes, by scripts/native-vectors.
#[test]
fn what_is_sealed_is_byte_for_byte_what_the_chains_own_client_opened() {
    let known = include_str!("../../../../tests/vectors/subtensor-native/sealed-by-us.hex");
    assert_eq!(hex::encode(payload().seal(1000, &SEED).unwrap()), known.trim());
}

#[test]
fn a_commit_is_opened_by_drands_real_signature_of_its_round_and_of_no_other() {
    let commit = payload().seal(1000, &SEED).unwrap();
    assert_eq!(open(&commit, &signature()).unwrap(), payload());
    for round in [0, 1, 999, 1001, 1000 << 8, u64::MAX] {
        let commit = payload().seal(round, &SEED).unwrap();
        assert_eq!(open(&commit, &signature()), Err(TimelockError::DoesNotOpen), "{round}");
    }
}

#[test]
fn a_commit_of_which_one_bit_was_changed_is_not_opened() {
    let commit = payload().seal(1000, &SEED).unwrap();
    for at in 0..commit.len() {
        let mut changed = commit.clone();
        changed[at] ^= 1 << (at % 8);
        let refusal = open(&changed, &signature()).unwrap_err();
        let told = matches!(refusal, TimelockError::DoesNotOpen | TimelockError::NotACommit { .. });
        assert!(told, "byte {at}: {refusal}");
    }
}

#[test]
fn a_commit_that_is_cut_or_longer_is_told_so() {
    let commit = payload().seal(1000, &SEED).unwrap();
    for length in 0..commit.len() {
        let refusal = open(&commit[..length], &signature()).unwrap_err();
        assert!(matches!(refusal, TimelockError::NotACommit { .. }), "{length}: {refusal}");
    }
    let longer = [&commit[..], &[0]].concat();
    assert_eq!(open(&longer, &signature()), Err(TimelockError::NotACommit { problem: "something follows its end" }));
    let refusal = open(&[0; CIPHERTEXT_BYTES_MAX + 1], &signature()).unwrap_err();
    assert_eq!(refusal, TimelockError::NotACommit { problem: "it has more than 5,000 bytes" });
    // A length of 2^64 - 1 is only a number.
    let mut huge = commit.clone();
    huge[96..104].copy_from_slice(&[0xff; 8]);
    assert_eq!(open(&huge, &signature()), Err(TimelockError::NotACommit { problem: "it ends within V" }));
    // A nonce of 11 bytes: its length and the body's are one less, the byte is gone.
    let mut nonce = commit.clone();
    let (body_at, nonce_at) = (176, commit.len() - 36);
    (nonce[body_at], nonce[nonce_at]) = (nonce[body_at] - 1, 11);
    nonce.remove(nonce_at + 8);
    assert_eq!(open(&nonce, &signature()), Err(TimelockError::NotACommit { problem: "the nonce has 12 bytes" }));
    let mut cipher = commit.clone();
    *cipher.last_mut().unwrap() = b'!';
    let refusal = TimelockError::NotACommit { problem: "the cipher is another than AES_GCM_" };
    assert_eq!(open(&cipher, &signature()), Err(refusal));
}

#[test]
fn bytes_that_are_no_signature_are_told_so() {
    let commit = payload().seal(1000, &SEED).unwrap();
    assert_eq!(open(&commit, &[0x99; SIGNATURE_BYTES]), Err(TimelockError::NotASignature));
}

/// The container of the crate `timelock` 0.3, which the chain does not read: it would throw the commit away.
#[test]
fn the_container_is_not_the_one_of_the_crate_whose_cryptography_is_used() {
    use ark_serialize::CanonicalSerialize;
    let plain = payload().encode();
    let randomness = randomness(&SEED, 1000, &plain);
    let sealed = timelock::tlock::tle::<TinyBLS381, AESGCMBlockCipherProvider, _>(
        quicknet_key().unwrap(),
        [1; 32],
        &plain,
        identity(1000),
        randomness,
    );
    let sealed = sealed.unwrap();
    let mut theirs = Vec::new();
    sealed.serialize_compressed(&mut theirs).unwrap();
    let ours = container::write(&sealed).unwrap();
    // U, then for V and W eight bytes more each, then the same.
    assert_eq!((theirs.len(), ours.len()), (plain.len() + 228, plain.len() + 244));
    assert_eq!((&theirs[..96], &theirs[160..]), (&ours[..96], &ours[176..]));
    assert!(matches!(open(&theirs, &signature()), Err(TimelockError::NotACommit { .. })));
}

#[test]
fn as_many_weights_fit_as_is_said_and_no_more() {
    let fits = of_weights(WEIGHTS_MAX).seal(1000, &SEED).unwrap();
    assert!(fits.len() <= CIPHERTEXT_BYTES_MAX && fits.len() + 4 > CIPHERTEXT_BYTES_MAX, "{}", fits.len());
    assert_eq!(open(&fits, &signature()).unwrap(), of_weights(WEIGHTS_MAX));
    let refusal = of_weights(WEIGHTS_MAX + 1).seal(1000, &SEED).unwrap_err();
    assert_eq!(refusal, TimelockError::TooMany { found: WEIGHTS_MAX + 1 });
    assert!(refusal.to_string().contains("at most 1177"), "{refusal}");
}

#[test]
fn every_uid_needs_one_value() {
    let uneven = Payload { values: vec![1, 2], ..payload() };
    assert_eq!(uneven.seal(1000, &SEED), Err(TimelockError::Uneven { uids: 3, values: 2 }));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_hides_two_payloads_from_each_other() {
    let (one, other) = (payload(), Payload { version_key: 8, ..payload() });
    let commit = one.seal(1000, &SEED).unwrap();
    assert_eq!(commit, one.seal(1000, &SEED).unwrap());
    let changed = [other.seal(1000, &SEED).unwrap(), one.seal(1001, &SEED).unwrap(), one.seal(1000, &[8; 32]).unwrap()];
    for changed in changed {
        // Neither the key's header nor the key stream is the same: but for lengths, some bytes are equal by chance.
        assert_ne!(commit[..96], changed[..96]);
        let text = 96 + 40 + 40 + 16..commit.len() - 36;
        let equal = text.clone().filter(|at| commit[*at] == changed[*at]).count();
        assert!(equal < text.len() / 4, "{equal} of {}", text.len());
    }
}

#[test]
fn what_opens_to_no_payload_is_told_so() {
    let wrong = |bytes: &[u8]| Payload::decode(bytes).unwrap_err();
    let encoded = payload().encode();
    assert!(matches!(wrong(&encoded[..20]), TimelockError::NotAPayload { .. }));
    assert!(matches!(wrong(&[&encoded[..], &[0]].concat()), TimelockError::NotAPayload { .. }));
    let short = (vec![1u8; 31], vec![1u16], vec![1u16], 1u64).encode();
    assert_eq!(wrong(&short), TimelockError::NotAPayload { problem: "its hotkey has not 32 bytes" });
    let uneven = (vec![1u8; 32], vec![1u16], Vec::<u16>::new(), 1u64).encode();
    assert!(matches!(wrong(&uneven), TimelockError::NotAPayload { .. }));
}

#[test]
fn a_hash_commit_is_of_hand_written_bytes() {
    let Payload { hotkey, uids, values, version_key } = payload();
    let salt = [1, 2, 3, 4, 5, 6, 7, 8];
    let hash = commit_hash(hotkey, 4097, &uids, &values, &salt, version_key);
    let by_hand = [
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", // the hotkey, without a length
        "0110",                                                             // netuid 1, mechanism 1
        "0c00000100ff00",                                                   // three uids
        "0cffff01002c01",                                                   // three values
        "2001000200030004000500060007000800",                               // eight numbers of salt
        "0700000000000000",                                                 // the version key
    ];
    let by_hand = hex::decode(by_hand.concat()).unwrap();
    assert_eq!(hash[..], Blake2b::<U32>::digest(by_hand)[..]);
    // And computed with Python's hashlib.
    assert_eq!(hex::encode(hash), "a48beee93af5503130bff342d99da7461948e167ecf0da1449a4e7b00ba6d940");
}

#[test]
fn the_reveal_epoch_begins_where_the_chains_own_client_predicts_it() {
    let Vectors { columns, schedules, .. } = vectors();
    assert_eq!(columns, ["last_epoch_block", "pending_epoch_at", "tempo", "head", "reveal_period", "first_block"]);
    assert!(schedules.len() > 200);
    for [last_epoch_block, pending_epoch_at, tempo, head, reveal_period, first_block] in schedules {
        let tempo = u16::try_from(tempo).unwrap();
        let schedule = EpochSchedule { last_epoch_block, pending_epoch_at, tempo };
        let told = schedule.first_block_of_reveal_epoch(head, reveal_period);
        assert_eq!(told, Ok(first_block), "{schedule:?} at {head}, {reveal_period} epochs");
    }
}

#[test]
fn a_commit_in_the_block_of_an_epoch_is_of_the_new_one() {
    let schedule = EpochSchedule { last_epoch_block: 1000, pending_epoch_at: 0, tempo: 360 };
    assert_eq!(schedule.next_epoch_block(1000), Ok(1360));
    assert_eq!(schedule.first_block_of_reveal_epoch(1358, 1), Ok(1360));
    assert_eq!(schedule.first_block_of_reveal_epoch(1359, 1), Ok(1720));
    // Overdue, because a block runs a few subnets' epochs at most.
    assert_eq!(schedule.next_epoch_block(1365), Ok(1366));
    assert_eq!(schedule.first_block_of_reveal_epoch(1365, 2), Ok(1366 + 720));
    let called_for = EpochSchedule { pending_epoch_at: 1200, ..schedule };
    assert_eq!(called_for.first_block_of_reveal_epoch(1100, 2), Ok(1560));
}

#[test]
fn a_subnet_without_epochs_or_reveal_period_is_told_so() {
    let schedule = EpochSchedule { last_epoch_block: 1000, pending_epoch_at: 0, tempo: 0 };
    assert_eq!(schedule.first_block_of_reveal_epoch(1000, 1), Err(TimelockError::NoEpochs));
    let schedule = EpochSchedule { tempo: 360, ..schedule };
    assert_eq!(schedule.first_block_of_reveal_epoch(1000, 0), Err(TimelockError::NoRevealPeriod));
    let far = EpochSchedule { last_epoch_block: u64::MAX, ..schedule };
    assert_eq!(far.first_block_of_reveal_epoch(u64::MAX, u64::MAX), Ok(u64::MAX));
}

#[test]
fn the_round_is_counted_from_what_the_chain_has_stored() {
    // 360 blocks of 12 s are 1440 rounds, the margin of three blocks 12.
    assert_eq!(reveal_round(20_000_000, 360, 12_000), Ok(20_001_452));
    assert_eq!(reveal_round(20_000_000, 0, 12_000), Ok(20_000_012));
    // Fast blocks of 250 ms: twelve to a round, rounded up.
    assert_eq!(reveal_round(20_000_000, 9, 250), Ok(20_000_001));
    assert_eq!(reveal_round(20_000_000, 10, 250), Ok(20_000_002));
    // Never one that is published already.
    assert_eq!(reveal_round(20_000_000, 0, 0), Ok(20_000_001));
    assert_eq!(reveal_round(u64::MAX, u64::MAX, u64::MAX), Ok(u64::MAX));
    assert_eq!(reveal_round(0, 360, 12_000), Err(TimelockError::NoBeacon));
}

#[test]
fn rounds_are_published_every_three_seconds_since_the_first() {
    assert_eq!(round_at(0), 0);
    assert_eq!(round_at(QUICKNET_GENESIS_SECS - 1), 0);
    assert_eq!(round_at(QUICKNET_GENESIS_SECS), 1);
    assert_eq!(round_at(QUICKNET_GENESIS_SECS + 2), 1);
    assert_eq!(round_at(QUICKNET_GENESIS_SECS + 3), 2);
    assert_eq!(round_at(QUICKNET_GENESIS_SECS + 2997), 1000);
    assert_eq!(round_at(u64::MAX), u64::MAX / ROUND_MS + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_payload_is_opened_as_it_was_sealed(
        hotkey: [u8; 32], seed: [u8; 32], version_key: u64,
        weights in proptest::collection::vec(any::<(u16, u16)>(), 0..300),
    ) {
        let (uids, values) = weights.into_iter().unzip();
        let payload = Payload { hotkey: AccountId(hotkey), uids, values, version_key };
        let commit = payload.seal(1000, &seed).unwrap();
        prop_assert_eq!(commit.len(), payload.encode().len() + 244);
        prop_assert_eq!(open(&commit, &signature()).unwrap(), payload);
    }

    #[test]
    fn no_bytes_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..600), from: prop::sample::Index) {
        let mut commit = payload().seal(1000, &SEED).unwrap();
        prop_assert!(open(&noise, &signature()).is_err());
        let at = from.index(commit.len());
        commit.truncate(at);
        commit.extend_from_slice(&noise);
        let _ = open(&commit, &signature());
        let _ = Payload::decode(&noise);
    }
}
