#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Files that `bittensor-wallet` wrote: tests/vectors/subtensor-native/README.md.
fn file(name: &str) -> Vec<u8> {
    let at = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/subtensor-native/wallets");
    std::fs::read(std::path::Path::new(at).join(name)).unwrap()
}

fn fields(name: &str) -> Value {
    serde_json::from_slice(&file(name)).unwrap()
}

fn read(fields: &Value) -> Result<Hotkey, WalletError> {
    Hotkey::from_file(fields.to_string().as_bytes())
}

/// A file with one field set, or taken away with null.
fn with(name: &str, field: &str, value: Value) -> Result<Hotkey, WalletError> {
    let mut fields = fields(name);
    fields[field] = value;
    read(&fields)
}

fn refused(result: Result<Hotkey, WalletError>) -> WalletError {
    result.err().unwrap()
}

#[derive(serde::Deserialize)]
struct Signatures {
    message: String,
    signatures: BTreeMap<String, String>,
}

fn signatures() -> Signatures {
    serde_json::from_slice(&file("signatures.json")).unwrap()
}

fn verifies(signature: [u8; 64], message: &[u8], account: AccountId) -> bool {
    sr25519::verify(&sr25519::Signature(signature), message, &sr25519::PublicKey(account.0))
}

#[test]
fn every_file_that_the_package_writes_is_read_as_its_account_and_signs_for_it() {
    let known = signatures();
    assert_eq!(known.signatures.len(), 7);
    for (name, theirs) in known.signatures {
        let hotkey = Hotkey::from_file(&file(&name)).unwrap();
        assert_eq!(json!(hotkey.account()), fields(&name)["ss58Address"], "{name}");
        // The package's signature is of this account, and so is ours, over the same bytes with the same context.
        let theirs: [u8; 64] = hex::decode(theirs).unwrap().try_into().unwrap();
        let message = known.message.as_bytes();
        assert!(verifies(theirs, message, hotkey.account()), "{name}");
        assert!(verifies(hotkey.sign(message), message, hotkey.account()), "{name}");
        assert!(!verifies(hotkey.sign(message), b"another message", hotkey.account()), "{name}");
    }
}

#[test]
fn each_secret_alone_is_enough_and_gives_the_same_key() {
    for name in ["twelve-words", "twenty-four-words", "created"] {
        let account = Hotkey::from_file(&file(name)).unwrap().account();
        for kept in ["privateKey", "secretSeed", "secretPhrase"] {
            let mut fields = fields(name);
            for other in ["privateKey", "secretSeed", "secretPhrase"] {
                assert!(fields[other].is_string(), "{name} has no {other}");
                if other != kept {
                    fields[other] = Value::Null;
                }
            }
            let hotkey = read(&fields).unwrap();
            assert_eq!(hotkey.account(), account);
            assert!(verifies(hotkey.sign(b"m"), b"m", account), "{name} {kept}");
        }
    }
}

#[test]
fn files_of_older_versions_without_a_scheme_are_read() {
    for name in ["twelve-words", "uri"] {
        let mut fields = fields(name);
        fields.as_object_mut().unwrap().remove("cryptoType").unwrap();
        assert!(read(&fields).is_ok());
    }
}

#[test]
fn a_seed_that_the_package_wrote_as_characters_is_read_as_its_bytes() {
    let name = "seed-as-characters";
    assert_eq!(fields(name)["secretSeed"], json!(format!("0x{}", "\u{11}".repeat(32))));
    assert!(with(name, "privateKey", Value::Null).is_ok());
}

#[test]
fn a_secret_of_another_account_is_refused_by_its_field() {
    let (mine, other) = (fields("twelve-words"), fields("created"));
    for field in ["privateKey", "secretSeed", "secretPhrase"] {
        let refusal = refused(with("twelve-words", field, other[field].clone()));
        let WalletError::Mismatch { field: told, derived, named } = refusal else { panic!("{field}: {refusal}") };
        assert_eq!(
            (told, json!(derived), json!(named)),
            (field, other["ss58Address"].clone(), mine["ss58Address"].clone())
        );
    }
}

#[test]
fn public_fields_of_two_accounts_are_refused() {
    let other = fields("created");
    for field in ["publicKey", "accountId"] {
        let refusal = refused(with("twelve-words", field, other[field].clone()));
        assert!(matches!(&refusal, WalletError::Disagree { field: told, other: "ss58Address", .. } if *told == field));
    }
    let refusal = refused(with("twelve-words", "ss58Address", other["ss58Address"].clone()));
    assert!(matches!(refusal, WalletError::Disagree { field: "publicKey", .. }), "{refusal}");
}

#[test]
fn a_file_of_public_keys_is_refused_by_whose_they_are() {
    for name in ["coldkeypub.txt", "seedpub.txt"] {
        let refusal = refused(Hotkey::from_file(&file(name)));
        assert!(matches!(refusal, WalletError::PublicOnly { .. }), "{refusal}");
        assert!(refusal.to_string().contains(fields(name)["ss58Address"].as_str().unwrap()), "{refusal}");
    }
}

#[test]
fn an_encrypted_file_is_refused_and_told_that_coldkeys_are_never_needed() {
    let begun = [file("encrypted"), b"$ANSIBLE_VAULT;1.1;AES256\n6162".to_vec(), b"gAAAAABk".to_vec()];
    for bytes in begun {
        let refusal = refused(Hotkey::from_file(&bytes));
        assert!(matches!(refusal, WalletError::Encrypted { .. }), "{refusal}");
        let said = refusal.to_string();
        assert!(said.contains("hotkeys are kept unencrypted by btcli; this file is encrypted"), "{said}");
        assert!(said.contains("never needed"), "{said}");
    }
}

#[test]
fn another_signature_scheme_is_refused() {
    let refusal = refused(Hotkey::from_file(&file("ed25519")));
    assert!(matches!(refusal, WalletError::Scheme { found: 0 }), "{refusal}");
    assert!(refusal.to_string().contains("ed25519"), "{refusal}");
    // Without the field its seed makes another account.
    let refusal = refused(with("ed25519", "cryptoType", Value::Null));
    assert!(matches!(refusal, WalletError::Mismatch { field: "secretSeed", .. }), "{refusal}");
}

#[test]
fn an_address_of_another_network_is_refused() {
    let polkadot = "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5";
    let refusal = refused(with("uri", "ss58Address", json!(polkadot)));
    let of_network = |refusal: &WalletError| {
        matches!(
            refusal,
            WalletError::NotAnAccount { field: "ss58Address", source: Ss58Error::Network { found: 0, .. } }
        )
    };
    assert!(of_network(&refusal), "{refusal}");
}

#[test]
fn a_file_that_names_nobody_is_refused() {
    let mut fields = fields("twelve-words");
    for field in ["ss58Address", "publicKey", "accountId"] {
        fields[field] = Value::Null;
    }
    assert!(matches!(refused(read(&fields)), WalletError::Nameless));
    assert!(matches!(refused(read(&json!({}))), WalletError::Nameless));
}

#[test]
fn secrets_that_are_none_are_refused_by_their_field() {
    let broken = [
        ("privateKey", json!("0x1234")),
        ("privateKey", json!("05".repeat(64))),
        // A scalar above the group's order.
        ("privateKey", json!(format!("0x{}", "ff".repeat(64)))),
        ("secretSeed", json!("0x1234")),
        ("secretSeed", json!("11".repeat(32))),
        ("secretPhrase", json!("bottom drive obey")),
        ("secretPhrase", json!("bottom drive obey lake curtain smoke basket hold race lonely fit fit")),
    ];
    for (field, value) in broken {
        let refusal = refused(with("twelve-words", field, value));
        assert!(matches!(&refusal, WalletError::Malformed { field: told, .. } if *told == field), "{refusal}");
    }
}

#[test]
fn what_is_no_wallet_is_refused_without_its_text() {
    let texts =
        ["", "{", "a mnemonic of words", "[]", "\"0xsecret\"", "{\"privateKey\": {\"secret\": 1}}", "{} secret"];
    for text in texts {
        let refusal = refused(Hotkey::from_file(text.as_bytes()));
        assert!(matches!(refusal, WalletError::NotAWallet { .. }), "{text}: {refusal}");
        assert!(!format!("{refusal} {refusal:?}").contains("secret"), "{refusal:?}");
    }
    // serde's own error would repeat the string it did not expect.
    let refusal = refused(with("uri", "cryptoType", json!("bottom drive obey")));
    assert!(!format!("{refusal} {refusal:?}").contains("drive"), "{refusal:?}");
    let refusal = refused(Hotkey::from_file(&[b' '; FILE_BYTES_MAX + 1]));
    assert!(matches!(refusal, WalletError::TooLong { .. }), "{refusal}");
    // The bound itself is still looked at.
    let mut padded = file("uri");
    padded.resize(FILE_BYTES_MAX, b' ');
    assert!(Hotkey::from_file(&padded).is_ok());
}

#[test]
fn development_keys_are_the_known_accounts_and_local_alone() {
    let alice = Hotkey::dev("//Alice", true).unwrap();
    assert_eq!(alice.account().to_string(), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
    assert_eq!(alice.account(), Hotkey::from_file(&file("uri")).unwrap().account());
    assert_eq!(alice.account(), AccountId(sr25519::dev::alice().public_key().0));
    assert!(verifies(alice.sign(b"m"), b"m", alice.account()));
    let stash = Hotkey::dev("//Alice//stash", true).unwrap();
    assert_eq!(stash.account().to_string(), "5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY");
    let refusal = refused(Hotkey::dev("//Alice", false));
    assert!(matches!(refusal, WalletError::DevKeyRefused { .. }), "{refusal}");
    assert!(refusal.to_string().contains("everybody has it") && refusal.to_string().contains("//Alice"), "{refusal}");
}

#[test]
fn only_the_form_of_a_development_key_is_one_and_nothing_else_is_repeated() {
    let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let seed = fields("seed")["secretSeed"].as_str().unwrap().to_owned();
    let long = format!("//{}", "a".repeat(URI_CHARACTERS_MAX));
    let texts =
        [phrase, &format!("{phrase}//Alice"), &seed, "", "//", "Alice", "/Alice", "//Alice///pass", "//A b", &long];
    for text in texts {
        for local in [true, false] {
            let refusal = refused(Hotkey::dev(text, local));
            assert!(matches!(refusal, WalletError::NotADevKey), "{text}");
            assert!(!refusal.to_string().contains("drive"), "{refusal}");
        }
    }
}

#[test]
fn a_hotkey_shows_its_account_and_nothing_else() {
    for name in ["twelve-words", "uri"] {
        let hotkey = Hotkey::from_file(&file(name)).unwrap();
        assert_eq!(format!("{hotkey:?}"), format!("Hotkey({})", fields(name)["ss58Address"].as_str().unwrap()));
    }
}

#[test]
fn subxt_signs_with_it_as_its_account() {
    use subxt::tx::Signer;
    let hotkey = Hotkey::from_file(&file("uri")).unwrap();
    let signer: &dyn Signer<SubstrateConfig> = &hotkey;
    assert_eq!(AccountId::from(signer.account_id()), hotkey.account());
    let MultiSignature::Sr25519(signature) = signer.sign(b"an extrinsic") else { panic!("not sr25519") };
    assert!(verifies(signature, b"an extrinsic", hotkey.account()));
}

#[test]
fn the_message_that_associates_an_evm_key_is_hotkey_and_hash_of_the_block() {
    // keccak256 of 8 bytes little-endian, computed with PyCryptodome.
    let known = [
        (0, "011b4d03dd8c01f1049143cf9c4c817e4b167f1d1b83e5c6f0f10d89ba1e7bce"),
        (7200, "7ff73b4b38b75ff70d59ee1346b151a2fd797fcc612b400114b88a54f7b98c20"),
        ((1 << 40) + 5, "888a32bab041322a8e40171b82800fa92bd43d90aece251d94153d38da517925"),
    ];
    let hotkey = Hotkey::dev("//Alice", true).unwrap().account();
    for (block, digest) in known {
        let message = associate_message(hotkey, block);
        assert_eq!(hex::encode(message), format!("{}{digest}", hex::encode(hotkey.0)));
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Hotkey::from_file(&bytes);
    }

    #[test]
    fn no_byte_of_a_file_can_be_changed_into_another_key(at in 0usize..389, to: u8) {
        // It is refused, or (space, a name of a field that is not needed) means the same.
        let mut bytes = file("uri");
        bytes[at] = to;
        if let Ok(hotkey) = Hotkey::from_file(&bytes) {
            prop_assert_eq!(json!(hotkey.account()), fields("uri")["ss58Address"].clone());
        }
    }
}
