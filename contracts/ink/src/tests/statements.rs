//! What keepers sign: the digests of the EVM side, and every way in which a signature is not one.

use super::harness::*;
use crate::docket::Host;
use crate::eip712::{self, Claim};
use crate::error::Error;
use crate::types::*;
use serde_json::Value;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/digests.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    let text = value.as_str().unwrap().trim_start_matches("0x").to_owned();
    let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap();
    assert_eq!(text.len(), 2 * N);
    std::array::from_fn(byte)
}

fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap()
}

fn signature(value: &Value) -> Signature {
    Signature { r: bytes(&value["r"]), vs: bytes(&value["vs"]) }
}

/// The digest and its signer, as the vectors have them.
fn check(vectors: &Value, value: &Value, hash: [u8; 32]) {
    let config = Config { chain_id: number(&value["chainId"]), arbiter: bytes(&vectors["arbiter"]), ..config() };
    let digest = eip712::digest(&Host, &eip712::domain(&Host, &config), &hash);
    assert_eq!(digest, bytes::<32>(&value["digest"]));
    assert_eq!(eip712::signer(&Host, &digest, &signature(value)), Some(bytes(&value["signer"])));
}

#[test]
fn attestations_have_the_digests_of_the_arbiter() {
    let vectors = vectors();
    let list = vectors["attestations"].as_array().unwrap();
    let mut checked = 0;
    for value in list {
        let kind = match number(&value["kind"]) {
            1 => Kind::NotDelivered,
            3 => Kind::Offline,
            _ => continue, // an interruption costs no bond: this vault never takes one
        };
        let one = Attestation {
            cause: number(&value["cause"]) as u8,
            from: number(&value["from"]) as u32,
            until: number(&value["until"]) as u32,
            evidence: bytes(&value["evidence"]),
            signature: signature(value),
        };
        check(&vectors, value, eip712::attestation(&Host, kind, number(&value["rental"]), &one));
        checked += 1;
    }
    assert_eq!(checked, list.len() / 4 * 3);
}

#[test]
fn spoofs_have_the_digests_of_the_arbiter() {
    let vectors = vectors();
    for value in vectors["spoofs"].as_array().unwrap() {
        let claim = Claim {
            machine: bytes(&value["machine"]),
            registration: number(&value["registration"]) as u32,
            gpu_class: number(&value["gpuClass"]) as u16,
            gpu_count: number(&value["gpuCount"]) as u16,
        };
        let spoof = Spoof {
            proved_at: number(&value["provedAt"]) as u32,
            evidence: bytes(&value["evidence"]),
            signature: signature(value),
        };
        check(&vectors, value, eip712::spoof(&Host, &claim, &spoof));
    }
}

fn text_number<T: TryFrom<u64>>(value: &Value) -> T {
    T::try_from(number(value)).ok().unwrap()
}

fn backing_of(value: &Value) -> Backing {
    Backing {
        owner: id(bytes(&value["owner"])),
        machine: bytes(&value["machine"]),
        registration: text_number(&value["registration"]),
        case_id: number(&value["case"]),
        kind: match value["kind"].as_str().unwrap() {
            "NotDelivered" => Kind::NotDelivered,
            "Offline" => Kind::Offline,
            other => panic!("{other} takes no bond"),
        },
        rental: number(&value["rental"]),
        tao_reserve: number(&value["tao_reserve_rao"]),
        alpha: number(&value["alpha"]),
        alpha_value: number(&value["alpha_value_rao"]),
        earned: number(&value["earned_rao"]),
    }
}

fn shortfall_of(value: &Value) -> Shortfall {
    Shortfall {
        owner: id(bytes(&value["owner"])),
        machine: bytes(&value["machine"]),
        registration: text_number(&value["registration"]),
        case_id: number(&value["case"]),
        alpha: number(&value["alpha"]),
        alpha_value: number(&value["alpha_value_rao"]),
        shortfall: number(&value["shortfall_rao"]),
    }
}

/// What keepers' own encoder makes of the vault's statements is what this contract reads.
#[test]
fn the_vaults_own_statements_have_the_digests_that_keepers_sign() {
    let vectors = vectors();
    let mut checked = [0; 3];
    for value in vectors["alphaStatements"].as_array().unwrap() {
        let at = text_number(&value["stated_at_secs"]);
        let vault = || bytes(&value["vault"]);
        let (kind, hash) = match value["type"].as_str().unwrap() {
            "backing" => (0, eip712::backing(&Host, &vault(), &backing_of(value), at)),
            "shortfall" => (1, eip712::shortfall(&Host, &vault(), &shortfall_of(value), at)),
            "verdict" => {
                let dismissed = value["dismissed"].as_bool().unwrap();
                let verdict = Verdict { dismissed, earned: number(&value["earned_rao"]) };
                (2, eip712::verdict(&Host, &vault(), number(&value["case"]), &verdict, at))
            }
            other => panic!("{other} is no statement for this vault"),
        };
        check(&vectors, value, hash);
        checked[kind] += 1;
    }
    // Two chains, two sets of numbers.
    assert_eq!(checked, [4, 4, 4]);
}

/// Rolls of none, of three and of the most, with numbers up to the last of their types.
#[test]
fn rolls_have_the_digests_that_keepers_sign() {
    let vectors = vectors();
    let list = vectors["rolls"].as_array().unwrap();
    let mut sizes = Vec::new();
    for value in list {
        let keepers: Vec<Address> = value["keepers"].as_array().unwrap().iter().map(bytes).collect();
        let weights = value["weights"].as_array().unwrap().iter().map(number).collect();
        sizes.push(keepers.len());
        let next = Roll { number: number(&value["number"]), keepers, weights };
        check(&vectors, value, eip712::roll(&Host, &bytes(&value["vault"]), &next, text_number(&value["until"])));
    }
    assert_eq!(sizes, [3, 64, 0, 3, 64, 0]);
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Written down from an encoder of EIP-712 apart from this one, which takes the type strings as they are: vault e1..,
/// owner a1.., machine 3c.., registration 5, case 2^40 + 9, rental 7, 20 TAO, 30 alpha for 15 TAO, 100 TAO earned, at
/// 1,800,000,000; chain id 964 and the Arbiter a7.. .
#[test]
fn the_vaults_own_statements_have_digests_that_anybody_computes_alike() {
    let (vault, at, case_id) = ([0xe1; 32], START as u32, (1 << 40) + 9);
    let world = World::new();
    let domain = eip712::domain(&Host, &config());
    let digest = |hash: [u8; 32]| hex(eip712::digest(&Host, &domain, &hash));
    let backing = Backing { case_id, ..world.backing() };
    let outage = digest(eip712::backing(&Host, &vault, &backing, at));
    assert_eq!(outage, "9b085bd27ad255a258ad8bfdf9f3e178e144933b5eec740b07358204543249c8");
    let backing = Backing { kind: Kind::NotDelivered, ..backing };
    let undelivered = digest(eip712::backing(&Host, &vault, &backing, at));
    assert_eq!(undelivered, "b25cca9d9bae7aec03dc8c50437e123cb0ac9292e4d5ae0537b67c51c0934fcb");
    let shortfall = Shortfall { case_id, ..world.shortfall() };
    let shortfall = digest(eip712::shortfall(&Host, &vault, &shortfall, at));
    assert_eq!(shortfall, "1bd3b3fc367b025a23653ef47d38d5d58a6d4418410b8e80eaa274db2f0e53f2");
    let verdict = |dismissed| {
        let verdict = Verdict { dismissed, earned: 100 * COIN };
        digest(eip712::verdict(&Host, &vault, case_id, &verdict, at))
    };
    assert_eq!(verdict(false), "65ef09431b3f224816c5cb6a2f7d96f03dfbc974b67d6f826de811bb72254df5");
    assert_eq!(verdict(true), "f055362bca8037f2049706db3ca17461616c932755cea97ba5e8abed2c21cdb7");
    let keepers = vec![[0x11; 20], [0x22; 20], [0x33; 20]];
    let next = Roll { number: 1, keepers, weights: vec![10, 20, 1 << 63] };
    let roll = digest(eip712::roll(&Host, &vault, &next, at + 30 * DAY as u32));
    assert_eq!(roll, "f74fc067d348ae6dab45d9cc2fb482ca5f824f9d670aff4cb12c88e93a727ae1");
}

fn refuses(change: impl FnOnce(&mut World, &mut Vec<Stated>, &mut Vec<Attestation>)) -> Error {
    let mut world = bonded(100 * COIN);
    let backing = world.backing();
    let mut stated = world.stated(&[0, 1, 2, 3], &backing);
    let mut attested = world.attested(&[0, 1, 2, 3], Kind::Offline, backing.rental);
    change(&mut world, &mut stated, &mut attested);
    let result = world.call(ANYBODY, |vault| vault.set_aside(backing, stated, attested));
    assert_eq!(world.vault.books().cases, 0);
    result.unwrap_err()
}

#[test]
fn a_short_quorum_is_refused_under_either_statement() {
    assert_eq!(refuses(|_, _, attested| attested.truncate(3)), Error::NoQuorum { signers: 3 });
    assert_eq!(refuses(|_, stated, _| stated.truncate(3)), Error::NoQuorum { signers: 3 });
    assert_eq!(refuses(|_, _, attested| attested.clear()), Error::BadCount(0));
    assert_eq!(refuses(|_, stated, _| stated.clear()), Error::BadCount(0));
    assert_eq!(refuses(|_, stated, _| *stated = vec![stated[0]; 65]), Error::BadCount(65));
}

#[test]
fn a_signer_counts_once() {
    assert_eq!(refuses(|_, _, attested| attested[1] = attested[0]), Error::NotAscending { index: 1 });
    assert_eq!(refuses(|_, stated, _| stated.swap(0, 1)), Error::NotAscending { index: 1 });
}

#[test]
fn a_high_s_is_refused_although_it_is_the_same_signature() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let flip = |signature: &mut Signature| {
        let s = k256::U256::from_be_slice(&{
            let mut s = signature.vs;
            s[0] &= 0x7f;
            s
        });
        let high = k256::U256::from_be_hex(order).wrapping_sub(&s);
        let bytes: [u8; 32] = k256::elliptic_curve::bigint::ArrayEncoding::to_be_byte_array(&high).into();
        // A high s does not fit beside the parity in every case; what fits is refused for what it is.
        signature.vs = bytes;
    };
    let error = refuses(|_, _, attested| flip(&mut attested[0].signature));
    assert!(matches!(error, Error::BadSignature { index: 0 } | Error::NotAKeeper { index: 0, .. }), "{error:?}");
    // The smallest s that is too high, and others that are no numbers of the curve.
    let mut half = [0u8; 32];
    half.copy_from_slice(&bytes::<32>(&"0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1".into()));
    for (r, vs) in [([1; 32], half), ([0; 32], [1; 32]), ([1; 32], [0; 32]), ([0xff; 32], [1; 32])] {
        let error = refuses(|_, _, attested| attested[0].signature = Signature { r, vs });
        assert_eq!(error, Error::BadSignature { index: 0 });
    }
}

#[test]
fn a_signature_for_another_chain_arbiter_vault_or_kind_is_nobodys() {
    let stranger = |error: Error| assert!(matches!(error, Error::NotAKeeper { index: 0, .. }), "{error:?}");
    let resign = |world: &World, attested: &mut Attestation, config: &Config| {
        let hash = eip712::attestation(&Host, Kind::Offline, 7, attested);
        attested.signature = world.sign_for(config, 0, hash);
    };
    stranger(refuses(|world, _, attested| resign(world, &mut attested[0], &Config { chain_id: 945, ..config() })));
    stranger(refuses(|world, _, attested| resign(world, &mut attested[0], &Config { arbiter: [1; 20], ..config() })));
    stranger(refuses(|world, stated, _| {
        let at = stated[0].stated_at;
        let hash = eip712::backing(&Host, &[0x0f; 32], &world.backing(), at);
        stated[0].signature = world.sign(0, hash);
    }));
    // An interruption seen is not an outage that goes on.
    stranger(refuses(|world, _, attested| {
        *attested = world.attested(&[0, 1, 2, 3], Kind::NotDelivered, 7);
    }));
    // Another rental's outage.
    stranger(refuses(|world, _, attested| *attested = world.attested(&[0, 1, 2, 3], Kind::Offline, 8)));
    // Another amount than was stated.
    stranger(refuses(|world, stated, _| {
        let more = Backing { alpha: 31 * COIN, ..world.backing() };
        *stated = world.stated(&[0, 1, 2, 3], &more);
    }));
}

#[test]
fn every_field_of_the_new_statements_is_signed() {
    let world = World::new();
    let (b, s) = (world.backing(), world.shortfall());
    let hash = |b: &Backing| eip712::backing(&Host, &[1; 32], b, 9);
    let changed = [
        Backing { owner: id(BOB), ..b.clone() },
        Backing { machine: [0; 32], ..b.clone() },
        Backing { registration: 6, ..b.clone() },
        Backing { case_id: 8, ..b.clone() },
        Backing { kind: Kind::NotDelivered, ..b.clone() },
        Backing { rental: 8, ..b.clone() },
        Backing { tao_reserve: 1, ..b.clone() },
        Backing { alpha: 1, ..b.clone() },
        Backing { alpha_value: 1, ..b.clone() },
        Backing { earned: 1, ..b.clone() },
    ];
    assert!(changed.iter().all(|other| hash(other) != hash(&b)));
    assert_ne!(eip712::backing(&Host, &[2; 32], &b, 9), hash(&b));
    assert_ne!(eip712::backing(&Host, &[1; 32], &b, 8), hash(&b));
    let hash = |s: &Shortfall| eip712::shortfall(&Host, &[1; 32], s, 9);
    let changed = [
        Shortfall { owner: id(BOB), ..s.clone() },
        Shortfall { machine: [0; 32], ..s.clone() },
        Shortfall { registration: 6, ..s.clone() },
        Shortfall { case_id: 8, ..s.clone() },
        Shortfall { alpha: 1, ..s.clone() },
        Shortfall { alpha_value: 1, ..s.clone() },
        Shortfall { shortfall: 1, ..s.clone() },
    ];
    assert!(changed.iter().all(|other| hash(other) != hash(&s)));
    let roll = roll_of(&world.keys, 1);
    let hash = |r: &Roll| eip712::roll(&Host, &[1; 32], r, 9);
    let mut others = vec![roll.clone(); 3];
    others[0].number = 2;
    others[1].weights[4] = 11;
    others[2].keepers.pop();
    assert!(others.iter().all(|other| hash(other) != hash(&roll)));
    assert_ne!(eip712::roll(&Host, &[1; 32], &roll, 8), hash(&roll));
}

/* THE ROLL */

fn hand_over(world: &mut World, next: &Roll, keys: &[usize]) -> Result<(), Error> {
    let until = world.now as u32;
    hand_over_until(world, next, keys, until)
}

fn hand_over_until(world: &mut World, next: &Roll, keys: &[usize], until: u32) -> Result<(), Error> {
    let hash = eip712::roll(&Host, &world.account, next, until);
    let signatures = keys.iter().map(|key| world.sign(*key, hash)).collect();
    world.call(ANYBODY, |vault| vault.hand_over(next.clone(), until, signatures))
}

#[test]
fn a_quorum_hands_over_to_the_next_roll_and_the_old_one_is_silent_then() {
    let mut world = bonded(100 * COIN);
    let next = roll_of(&world.keys[2..], 1);
    world.dividends(COIN);
    hand_over(&mut world, &next, &[0, 1, 2, 3]).unwrap();
    assert_eq!((world.vault.roll(), world.vault.books().seen), (next, 101 * COIN));
    let backing = world.backing();
    let error = world.file(Kind::Offline, &backing).unwrap_err();
    assert!(matches!(error, Error::NotAKeeper { .. }));
    let (stated, attested) = (world.stated(&[2, 3], &backing), world.attested(&[3, 4], Kind::Offline, 7));
    world.call(ANYBODY, |vault| vault.set_aside(backing, stated, attested)).unwrap();
}

#[test]
fn a_roll_comes_in_turn_by_a_quorum_and_is_a_court() {
    let mut world = World::new();
    let next = roll_of(&world.keys[1..], 1);
    assert_eq!(hand_over(&mut world, &next, &[0, 1, 2]), Err(Error::NoQuorum { signers: 3 }));
    let skipped = Roll { number: 2, ..next.clone() };
    assert_eq!(hand_over(&mut world, &skipped, &[0, 1, 2, 3]), Err(Error::BadRollNumber { expected: 1 }));
    let two = roll_of(&world.keys[3..], 1);
    assert_eq!(hand_over(&mut world, &two, &[0, 1, 2, 3]), Err(Error::BadRoll));
    hand_over(&mut world, &next, &[0, 1, 2, 3]).unwrap();
    // The same hand-over serves once.
    assert_eq!(hand_over(&mut world, &next, &[0, 1, 2, 3]), Err(Error::BadRollNumber { expected: 2 }));
}

#[test]
fn a_hand_over_is_good_until_its_last_second_which_is_at_most_thirty_days_ahead() {
    let mut world = World::new();
    world.wait(DAY);
    let (now, next) = (world.now, roll_of(&world.keys[1..], 1));
    let bad = Error::BadUntil { from: now, to: now + 30 * DAY };
    for until in [0, now - 1, now + 30 * DAY + 1, u32::MAX.into()] {
        assert_eq!(hand_over_until(&mut world, &next, &[0, 1, 2, 3], until as u32), Err(bad.clone()));
    }
    // The last second is signed: nobody gives himself more time.
    let hash = eip712::roll(&Host, &world.account, &next, now as u32);
    let signatures = [0, 1, 2, 3].map(|key| world.sign(key, hash)).to_vec();
    let later = world.call(ANYBODY, |vault| vault.hand_over(next.clone(), now as u32 + 1, signatures));
    assert!(matches!(later, Err(Error::NotAKeeper { index: 0, .. })), "{later:?}");
    hand_over_until(&mut world, &next, &[0, 1, 2, 3], (now + 30 * DAY) as u32).unwrap();
    let third = roll_of(&world.keys[..4], 2);
    hand_over_until(&mut world, &third, &[1, 2, 3], now as u32).unwrap();
}

#[test]
fn a_roll_of_sixty_four_can_all_sign() {
    let mut keys: Vec<_> = (1..=64u8).map(|n| k256::ecdsa::SigningKey::from_slice(&[n; 32]).unwrap()).collect();
    keys.sort_by_key(address);
    let roll = roll_of(&keys, 0);
    let mut world = World::made(config(), roll.keepers, roll.weights).unwrap();
    world.keys = keys;
    world.deposit(ALICE, 100 * COIN).unwrap();
    let (all, backing): (Vec<usize>, _) = ((0..64).collect(), world.backing());
    let (stated, attested) = (world.stated(&all, &backing), world.attested(&all, Kind::Offline, 7));
    let case = world.call(ANYBODY, |vault| vault.set_aside(backing, stated, attested)).unwrap();
    assert_eq!(world.case(case).alpha, 3 * COIN);
}
