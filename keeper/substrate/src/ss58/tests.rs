#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;

const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const ALICE_HEX: &str = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d";
/// Where burned TAO goes: the account of the pallet id "burntnsr".
const BURN: &str = "5EYCAe5fvqwE4eNE7ddxEfasPGZe11e6SWKvos7FUXP2LUrp";
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

fn account(hex_digits: &str) -> AccountId {
    AccountId(hex::decode(hex_digits).unwrap().try_into().unwrap())
}

fn evm(hex_digits: &str) -> [u8; 20] {
    hex::decode(hex_digits).unwrap().try_into().unwrap()
}

fn refused(text: &str) -> Ss58Error {
    text.parse::<AccountId>().unwrap_err()
}

/// The format written down a second time, for prefixes that the module only reads.
fn written_for(prefix: u16, account: AccountId) -> String {
    let mut bytes = match prefix {
        0..=63 => vec![u8::try_from(prefix).unwrap()],
        _ => vec![
            0x40 | u8::try_from((prefix >> 2) & 0x3f).unwrap(),
            u8::try_from(prefix >> 8).unwrap() | (u8::try_from(prefix & 3).unwrap() << 6),
        ],
    };
    bytes.extend_from_slice(&account.0);
    let hash = Blake2b512::digest([b"SS58PRE".as_slice(), &bytes].concat());
    bytes.extend_from_slice(&hash[..2]);
    bs58::encode(bytes).into_string()
}

#[test]
fn known_accounts_are_written_and_read_as_everybody_does() {
    let burn = format!("{}{}", hex::encode(b"modlburntnsr"), "00".repeat(20));
    let known = [
        (ALICE_HEX, ALICE),
        (burn.as_str(), BURN),
        (&"00".repeat(32), "5C4hrfjw9DjXZTzV3MwzrrAr9P1MJhSrvWGWqi1eSuyUpnhM"),
        (&"ff".repeat(32), "5HrN7fHLXWcFiXPwwtq2EkSGns9eMt5P7SpeTPewumZy6ftb"),
    ];
    for (bytes, text) in known {
        assert_eq!(account(bytes).to_string(), text);
        assert_eq!(format!("{:?}", account(bytes)), text);
        assert_eq!(text.parse::<AccountId>().unwrap(), account(bytes));
    }
}

#[test]
fn subxt_writes_the_same_account_the_same_way() {
    let theirs = subxt::utils::AccountId32::from(account(ALICE_HEX));
    assert_eq!(AccountId::from(theirs), account(ALICE_HEX));
    assert_eq!(serde_json::to_value(theirs).unwrap(), serde_json::json!(ALICE));
}

#[test]
fn an_evm_address_is_mapped_as_the_runtime_maps_it() {
    let zero = AccountId::of_evm([0; 20]);
    assert_eq!(zero, account("c2cdcf01af7163d2d99b2ec87954e4c1b735e9e9ea80f8775bf29dd9457eaca1"));
    assert_eq!(zero.to_string(), "5GU8HU4cLcmjpoXLNxWAHYViwbTQggdqd7ykp99CSWGbsZHG");
    let dead = AccountId::of_evm(evm("000000000000000000000000000000000000dead"));
    assert_eq!(dead, account("18696c4f195947f2b47bfb9b3c553dfa9564aaf82a8362903e7baf1df51b3eb5"));
}

#[test]
fn every_change_of_one_character_is_refused() {
    // Of a checksum of two bytes this is not true of every address there is; of these it is, and stays.
    for address in [ALICE, BURN] {
        for index in 0..address.len() {
            for other in BASE58.chars().filter(|c| address.as_bytes()[index] != *c as u8) {
                let mut changed: Vec<char> = address.chars().collect();
                changed[index] = other;
                let changed: String = changed.into_iter().collect();
                let refusal = refused(&changed);
                let told =
                    matches!(refusal, Ss58Error::Checksum | Ss58Error::Length { .. } | Ss58Error::Reserved { .. });
                assert!(told, "{changed}: {refusal}");
            }
        }
    }
}

#[test]
fn an_address_of_another_network_is_refused_with_the_network_and_the_same_key_here() {
    let polkadot = refused("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5");
    assert_eq!(polkadot, Ss58Error::Network { found: 0, here: account(ALICE_HEX) });
    let said = polkadot.to_string();
    assert!(said.contains("this is an address of another network (prefix 0, Polkadot)"), "{said}");
    assert!(said.contains("Bittensor addresses begin with 5") && said.contains(ALICE), "{said}");
    let unnamed = refused("7NPoMQbiA6trJKkjB35uk96MeJD4PGWkLQLH7k7hXEkZpiba").to_string();
    assert!(unnamed.contains("(prefix 63)"), "{unnamed}");
}

#[test]
fn prefixes_of_two_bytes_are_read_as_the_number_they_are() {
    let known = [
        (64, "cEaNSpz4PxFcZ7nT1VEKrKewH67rfx6MfcM6yKojyyPz7qaqp"),
        (255, "yGHXkYLYqxijLKKfd9Q2CB9shRVu8rPNBS53wvwGTutYg4zTg"),
        (1328, "aUuBHS3LZKnPuxyDJYhteYPwGWg932LjHPtbBQKQBA55F4B1T"),
        (16383, "yNa8JpqfFB3q8A29rCwSgxvdU94ufJw2yKKxDgznS5m1PoFvn"),
    ];
    for (found, text) in known {
        assert_eq!(refused(text), Ss58Error::Network { found, here: account(ALICE_HEX) });
    }
}

#[test]
fn a_pasted_evm_address_is_refused_and_told_its_mapped_account() {
    for text in ["0x000000000000000000000000000000000000dead", "0x000000000000000000000000000000000000dEaD"] {
        let refusal = refused(text);
        let mapped = account("18696c4f195947f2b47bfb9b3c553dfa9564aaf82a8362903e7baf1df51b3eb5");
        assert_eq!(refusal, Ss58Error::EvmAddress { mapped });
        let said = refusal.to_string();
        assert!(said.contains("5CciKioy8cNVeZMNXGzYkBw9EsdNhmShFvDxjW5pQ9VwfdB7"), "{said}");
    }
}

#[test]
fn a_public_key_as_hex_is_an_account() {
    assert_eq!(format!("0x{ALICE_HEX}").parse::<AccountId>().unwrap(), account(ALICE_HEX));
    assert_eq!(format!("0x{}", ALICE_HEX.to_uppercase()).parse::<AccountId>().unwrap(), account(ALICE_HEX));
    // Without 0x it could be base58 of something else.
    assert_eq!(refused(ALICE_HEX), Ss58Error::NotBase58 { character: '0', position: 25 });
}

#[test]
fn what_is_no_address_is_told_why() {
    assert_eq!(refused(""), Ss58Error::Length { found: 0 });
    assert_eq!(refused("5"), Ss58Error::Length { found: 1 });
    assert_eq!(refused(&ALICE[..40]), Ss58Error::Length { found: 40 });
    assert_eq!(refused(&format!("1{ALICE}")), Ss58Error::Length { found: 49 });
    assert_eq!(refused(&format!(" {ALICE}")), Ss58Error::NotBase58 { character: ' ', position: 1 });
    assert_eq!(refused(&ALICE.replace('w', "0")), Ss58Error::NotBase58 { character: '0', position: 4 });
    assert_eq!(refused("5Grwvä"), Ss58Error::NotBase58 { character: 'ä', position: 6 });
    // Not decoded at all: some of these would begin with a byte that is reserved.
    for character in BASE58.chars() {
        assert_eq!(refused(&character.to_string().repeat(65)), Ss58Error::Length { found: 65 });
    }
    assert_eq!(refused("0x"), Ss58Error::Hex { found: 0 });
    assert_eq!(refused(&format!("0x{}", "5g".repeat(32))), Ss58Error::Hex { found: 64 });
    assert_eq!(refused(&bs58::encode([200u8; 35]).into_string()), Ss58Error::Reserved { found: 200 });
    // Sound text of prefix and checksum without an account between them.
    assert_eq!(refused(&bs58::encode([42u8, 1, 2]).into_string()), Ss58Error::Length { found: 4 });
}

#[test]
fn json_holds_the_text_and_errors_of_it_name_the_reason() {
    let json = serde_json::to_string(&account(ALICE_HEX)).unwrap();
    assert_eq!(json, format!("\"{ALICE}\""));
    assert_eq!(serde_json::from_str::<AccountId>(&json).unwrap(), account(ALICE_HEX));
    let wrong = serde_json::from_str::<AccountId>("\"15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5\"").unwrap_err();
    assert!(wrong.to_string().contains("Polkadot"), "{wrong}");
}

proptest! {
    #[test]
    fn every_account_is_read_back_from_its_text(bytes: [u8; 32]) {
        let text = AccountId(bytes).to_string();
        prop_assert_eq!(text.len(), 48);
        prop_assert!(text.starts_with('5'));
        prop_assert_eq!(text.parse::<AccountId>().unwrap(), AccountId(bytes));
    }

    #[test]
    fn every_other_network_is_named_by_its_number(bytes: [u8; 32], prefix in 0u16..=16_383) {
        let read = written_for(prefix, AccountId(bytes)).parse::<AccountId>();
        let want = match prefix {
            PREFIX => Ok(AccountId(bytes)),
            found => Err(Ss58Error::Network { found, here: AccountId(bytes) }),
        };
        prop_assert_eq!(read, want);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        if let Ok(account) = text.parse::<AccountId>() {
            prop_assert!(text.starts_with("0x") || account.to_string() == text);
        }
    }

    #[test]
    fn accounts_sort_as_their_bytes(a: [u8; 32], b: [u8; 32]) {
        prop_assert_eq!(AccountId(a).cmp(&AccountId(b)), a.cmp(&b));
    }
}
