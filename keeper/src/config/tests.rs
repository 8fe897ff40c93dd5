//! Every way a configuration can be wrong that needs no network: one sentence each, with what is wrong and what to do.
#![allow(clippy::unwrap_used)]

mod example;

use super::*;
use secrecy::SecretBox;
use std::os::unix::fs::PermissionsExt;
use surety_client::deployment::Contract;
use surety_core::types::{Account, Hash32};
use surety_core::view::ContractTimes;
use toml::{Table, Value};

/// A folder with everything a keeper needs, all of it right.
struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self { dir: tempfile::tempdir().unwrap() };
        home.write("evm.key", &hex::encode([7; 32]), 0o600);
        home.write("ssh.key", &ssh_key(), 0o600);
        home.deployment(31_337);
        home.configure(|_| {});
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) {
        std::fs::write(self.path(name), text).unwrap();
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn deployment(&self, chain_id: u64) {
        let contract = |n: u8| Contract { address: Account([n; 20]), code_hash: Hash32([n; 32]) };
        let deployment = Deployment {
            chain_id,
            netuid: 51,
            block: 1,
            keepers: contract(1),
            vault: contract(2),
            escrow: contract(3),
            arbiter: contract(4),
            bids: contract(5),
            times: ContractTimes::default(),
        };
        self.write("deployment.json", &serde_json::to_string(&deployment).unwrap(), 0o644);
    }

    /// Writes `keeper.toml`, good but for the change.
    fn configure(&self, change: impl FnOnce(&mut Table)) {
        let path = |name: &str| self.path(name).display().to_string();
        let text = format!(
            "[chain]\ndeployment = {:?}\nrpc = [\"http://127.0.0.1:1/?key=SECRET\"]\n[keys]\nevm = {:?}\nssh = {:?}\n\
             [store]\npath = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[look]\nanchors = [\"192.0.2.1:443\"]\n[rules]\n[seat]\n",
            path("deployment.json"),
            path("evm.key"),
            path("ssh.key"),
            path("keeper.db"),
        );
        let mut table: Table = text.parse().unwrap();
        change(&mut table);
        self.write("keeper.toml", &toml::to_string(&table).unwrap(), 0o644);
    }

    fn read(&self) -> Result<Settings, ConfigError> {
        Settings::read(&self.path("keeper.toml"))
    }

    /// What an operator is told, as `surety` prints it, with the folder's name cut short.
    fn refusal(&self) -> String {
        let text = format!("{:#}", anyhow::Error::from(self.read().unwrap_err()));
        assert!(!text.contains('\n'), "more than one line: {text}");
        assert!(!text.contains("SECRET"), "it shows a secret: {text}");
        text.replace(&self.dir.path().display().to_string(), "HOME")
    }
}

fn ssh_key() -> String {
    use russh::keys::ssh_key::{LineEnding, private::Ed25519Keypair};
    let key = russh::keys::PrivateKey::from(Ed25519Keypair::from_seed(&[9; 32]));
    key.to_openssh(LineEnding::LF).unwrap().to_string()
}

fn section<'a>(table: &'a mut Table, name: &str) -> &'a mut Table {
    table.get_mut(name).unwrap().as_table_mut().unwrap()
}

/// Sets `section.key`.
fn refused_with(section_name: &str, key: &str, value: impl Into<Value>) -> String {
    let home = Home::new();
    home.configure(|table| {
        section(table, section_name).insert(key.to_owned(), value.into());
    });
    home.refusal()
}

fn list(count: usize) -> Value {
    (0..count).map(|n| Value::from(format!("http://192.0.2.{n}:1"))).collect::<Vec<_>>().into()
}

#[test]
fn a_good_configuration_is_read_with_its_files_and_defaults() {
    let home = Home::new();
    let settings = home.read().unwrap();
    assert_eq!(settings.deployment.chain_id, 31_337);
    assert_eq!(settings.key.account(), Key::from_bytes([7; 32]).unwrap().account());
    let ssh = KeeperKey::from_seed(&SecretBox::new(Box::new([9; 32])));
    assert_eq!(settings.ssh_key.public(), ssh.public());
    assert_eq!(settings.file.rules, Rules::default());
    assert_eq!(settings.file.chain.poll_ms, 3_000);
    assert_eq!(
        (settings.file.look.tenant_user.as_str(), settings.file.look.keeper_user.as_str()),
        ("tenant", "surety")
    );
    assert!(!settings.file.look.allow_private && settings.file.shadow.is_empty());
    let secret = hex::encode([7; 32]);
    assert!(!format!("{settings:?}").contains(&secret), "Debug shows the key");
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    for name in ["chain", "keys", "store", "http", "look", "rules"] {
        let text = refused_with(name, "pol_ms", 5);
        assert!(text.starts_with("the configuration HOME/keeper.toml is not valid: line "), "{text}");
        assert!(text.contains(": unknown field `pol_ms`, expected "), "{name}: {text}");
    }
    let home = Home::new();
    home.configure(|table| {
        table.insert("metrics".into(), Table::new().into());
    });
    let text = home.refusal();
    assert!(text.contains("unknown field `metrics`, expected one of `chain`, `keys`, "), "{text}");
}

#[test]
fn what_is_no_toml_is_refused_with_its_line() {
    let home = Home::new();
    home.write("keeper.toml", "[chain]\nrpc = [\"https://node/?key=SECRET\"\n[keys\n", 0o644);
    let text = home.refusal();
    assert!(text.starts_with("the configuration HOME/keeper.toml is not valid: line "), "{text}");
    let text = refused_with("http", "listen", "localhost");
    assert!(text.contains("is not valid: line ") && text.contains("invalid socket address syntax"), "{text}");
}

#[test]
fn a_missing_section_or_value_is_named() {
    let home = Home::new();
    home.configure(|table| {
        table.remove("look");
    });
    assert_eq!(home.refusal(), "the configuration HOME/keeper.toml is not valid: line 1: missing field `look`");
    home.configure(|table| {
        section(table, "keys").remove("ssh");
    });
    let text = home.refusal();
    assert!(text.ends_with("missing field `ssh`"), "{text}");
}

#[test]
fn a_missing_file_is_named_with_what_it_is_for() {
    let missing = "No such file or directory (os error 2)";
    for (name, what) in [
        ("keeper.toml", "cannot read the configuration"),
        ("deployment.json", "cannot read the deployment file"),
        ("evm.key", "cannot read the key file"),
        ("ssh.key", "cannot read the SSH key file"),
    ] {
        let home = Home::new();
        std::fs::remove_file(home.path(name)).unwrap();
        assert_eq!(home.refusal(), format!("{what} HOME/{name}: {missing}"));
    }
}

#[test]
fn a_key_that_others_can_read_is_refused_with_the_command_that_helps() {
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let home = Home::new();
        home.write("evm.key", &hex::encode([7; 32]), mode);
        let want =
            format!("the key file HOME/evm.key has mode {mode:o}, others can read it; run: chmod 600 HOME/evm.key");
        assert_eq!(home.refusal(), want);

        let home = Home::new();
        home.write("ssh.key", &ssh_key(), mode);
        let want = format!(
            "the SSH key file HOME/ssh.key has mode {mode:04o}: others can use it; run `chmod 600 HOME/ssh.key`"
        );
        assert_eq!(home.refusal(), want);
    }
    let home = Home::new();
    home.write("evm.key", &hex::encode([7; 32]), 0o400);
    home.read().unwrap();
}

#[test]
fn a_file_that_holds_no_key_is_refused_without_showing_it() {
    let zero = hex::encode([0; 32]);
    for text in ["", "SECRET", "0xSECRET", &hex::encode([7; 31]), &hex::encode([7; 33]), &zero] {
        let home = Home::new();
        home.write("evm.key", text, 0o600);
        assert_eq!(home.refusal(), "the key file HOME/evm.key does not hold 32 bytes as hex", "for {text:?}");
    }
    for text in ["", "SECRET", "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET\n-----END OPENSSH PRIVATE KEY-----\n"] {
        let home = Home::new();
        home.write("ssh.key", text, 0o600);
        let want = "HOME/ssh.key is not an unencrypted OpenSSH ed25519 private key; \
                    make one with `ssh-keygen -t ed25519 -N ''`";
        assert_eq!(home.refusal(), want);
    }
}

#[test]
fn a_deployment_file_of_another_form_is_refused() {
    let home = Home::new();
    home.write("deployment.json", "{\"chain_id\": 1, \"chainId\": 1}", 0o644);
    let text = home.refusal();
    assert!(text.starts_with("the deployment file HOME/deployment.json is not one: unknown field `chainId`"), "{text}");
}

#[test]
fn anchors_and_endpoints_are_one_to_sixteen() {
    let why = "look.anchors wants 1 to 16 host:port addresses: \
               without them a keeper cannot tell its own outage from a miner's";
    for count in [0, 17] {
        assert_eq!(refused_with("look", "anchors", list(count)), why);
        assert_eq!(refused_with("chain", "rpc", list(count)), "chain.rpc wants 1 to 16 URLs");
    }
    for count in [1, 16] {
        let home = Home::new();
        home.configure(|table| {
            let anchors: Vec<Value> = (0..count).map(|n| format!("192.0.2.{n}:1").into()).collect();
            section(table, "look").insert("anchors".into(), anchors.into());
            section(table, "chain").insert("rpc".into(), list(count));
        });
        home.read().unwrap();
    }
}

#[test]
fn an_anchor_without_a_port_is_refused_at_the_start_not_at_every_look() {
    for anchor in
        ["example.org", "example.org:", ":443", "example.org:https", "http://example.org:80", "a b:1", "::1:0"]
    {
        let text = refused_with("look", "anchors", vec![Value::from(anchor)]);
        assert_eq!(text, format!("look.anchors has '{anchor}', want host:port, as in example.org:443"));
    }
    for anchor in ["example.org:443", "192.0.2.1:53", "[2001:db8::1]:443"] {
        let home = Home::new();
        home.configure(|table| {
            section(table, "look").insert("anchors".into(), vec![Value::from(anchor)].into());
        });
        home.read().unwrap();
    }
}

#[test]
fn polls_are_between_a_tenth_of_a_second_and_a_minute() {
    for poll_ms in [0, 99, 60_001] {
        assert_eq!(refused_with("chain", "poll_ms", poll_ms), "chain.poll_ms wants 100 to 60000");
    }
    for poll_ms in [100, 60_000] {
        let home = Home::new();
        home.configure(|table| {
            section(table, "chain").insert("poll_ms".into(), poll_ms.into());
        });
        assert_eq!(home.read().unwrap().file.chain.poll_ms, u64::try_from(poll_ms).unwrap());
    }
    let text = refused_with("chain", "poll_ms", -1);
    assert!(text.contains("is not valid: line "), "{text}");
}

#[test]
fn evidence_is_kept_as_long_as_the_contracts_may_ask_for_it() {
    assert_eq!(refused_with("store", "keep_days", 492), "store.keep_days is 492, expected 493 to 3650");
    assert_eq!(refused_with("store", "log_keep", 9_999), "store.log_keep is 9999, expected 10000 to 1000000000");
    assert_eq!(refused_with("store", "disk_max_mb", 63), "store.disk_max_mb is 63, expected 64 to 10000000");
    let home = Home::new();
    home.configure(|table| {
        section(table, "store").insert("keep_days".into(), 493.into());
    });
    let store = home.read().unwrap().file.store;
    assert_eq!(store.retention().keep_secs, 493 * 86_400);
    assert_eq!(store.file(true), home.path("keeper.db.dry-run"));
    home.configure(|table| {
        section(table, "store").insert("keep_days".into(), 1.into());
        section(table, "rules").insert("local".into(), true.into());
    });
    assert_eq!(home.read().unwrap().file.store.keep_days, 1, "a local chain's past is short");
}

#[test]
fn private_addresses_are_for_local_chains() {
    let want = "look.allow_private is for local chains: set rules.local there, or remove it";
    assert_eq!(refused_with("look", "allow_private", true), want);
    let home = Home::new();
    home.configure(|table| {
        section(table, "look").insert("allow_private".into(), true.into());
        section(table, "rules").insert("local".into(), true.into());
    });
    home.read().unwrap();
    home.deployment(964);
    assert_eq!(home.refusal(), "rules.local is for chain ids 31337 and 42 only, this is 964: remove it");
}

#[test]
fn rules_out_of_bounds_are_refused_with_the_bounds() {
    let want = "rules.suspect_every_ms is 9999, expected 10000..=60000";
    assert_eq!(refused_with("rules", "suspect_every_ms", 9_999), want);
    assert_eq!(
        refused_with("rules", "proof_looks", 9),
        "rules.proof_looks must not be more than rules.proof_looks_mass"
    );
}

#[test]
fn an_unknown_kind_in_the_shadow_is_refused_with_those_there_are() {
    let home = Home::new();
    home.configure(|table| {
        table.insert("shadow".into(), vec![Value::from("offline")].into());
    });
    let text = home.refusal();
    let want = "unknown variant `offline`, expected one of `NotDelivered`, `Interrupted`, `Offline`, `Spoofed`";
    assert!(text.contains(want), "{text}");
}

#[test]
fn a_seat_is_prolonged_in_time_and_its_url_is_one() {
    let lead = |percent: i64| refused_with("seat", "lead_percent", percent);
    assert_eq!(lead(9), "seat.lead_percent is 9, expected 10 to 80");
    assert_eq!(lead(81), "seat.lead_percent is 81, expected 10 to 80");
    for url in ["keeper.example", "ftp://keeper.example", "https://", &format!("https://{}", "a".repeat(249))] {
        let want = format!("seat.url is '{url}', expected an http(s) URL of at most 256 bytes");
        assert_eq!(refused_with("seat", "url", url), want);
    }
    let home = Home::new();
    assert_eq!(home.read().unwrap().file.seat.rules(SshKey([1; 32])), SeatRules::default());
    home.configure(|table| {
        section(table, "seat").insert("url".into(), "https://keeper.example".into());
        section(table, "seat").insert("enabled".into(), false.into());
    });
    let rules = home.read().unwrap().file.seat.rules(SshKey([1; 32]));
    assert_eq!((rules.enabled, rules.contact.unwrap().ssh_key), (false, SshKey([1; 32])));
}

#[test]
fn substrate_endpoints_are_urls_and_not_too_many() {
    let home = Home::new();
    let with = |urls: Vec<&str>| {
        home.configure(|table| {
            let urls = urls.iter().map(|url| Value::from(*url)).collect::<Vec<_>>();
            table.insert("subnet".into(), Table::from_iter([("rpc".to_owned(), Value::from(urls))]).into());
        });
        home.read()
    };
    assert!(with(vec!["http://127.0.0.1:9944", "https://node.example"]).is_ok());
    let text = with(vec!["wss://node.example/?key=SECRET"]).unwrap_err().to_string();
    assert!(text.starts_with("subnet.rpc: 'wss://node.example/'") && !text.contains("SECRET"), "{text}");
    let text = with(vec!["http://127.0.0.1:9944"; 17]).unwrap_err().to_string();
    assert_eq!(text, "subnet.rpc wants at most 16 URLs");
}

#[test]
fn a_hotkey_is_a_file_of_its_own_mode_or_a_development_key_on_a_local_chain() {
    let home = Home::new();
    let wallet = include_str!("../../../tests/vectors/subtensor-native/wallets/created");
    home.write("hotkey.json", wallet, 0o600);
    let with = |hotkey: &str, nodes: bool, local: bool| {
        home.configure(|table| {
            let mut subnet = Table::from_iter([("hotkey".to_owned(), Value::from(hotkey))]);
            if nodes {
                subnet.insert("rpc".into(), Value::from(vec!["http://127.0.0.1:9944"]));
            }
            table.insert("subnet".into(), subnet.into());
            section(table, "rules").insert("local".into(), local.into());
        });
        home.read()
    };
    let file = home.path("hotkey.json").display().to_string();
    assert!(with(&file, true, false).unwrap().hotkey.is_some());
    assert!(with("//Alice", true, true).unwrap().hotkey.is_some());
    let said = |settings: Result<Settings, ConfigError>| settings.unwrap_err().to_string();
    assert!(said(with("//Alice", true, false)).starts_with("subnet.hotkey: "));
    assert!(said(with(&file, false, false)).contains("name some in subnet.rpc"));
    home.write("hotkey.json", wallet, 0o644);
    assert!(said(with(&file, true, false)).contains("chmod 600"));
    home.write("hotkey.json", "{}", 0o600);
    let odd = said(with(&file, true, false));
    assert!(odd.starts_with("subnet.hotkey: ") && !odd.contains("{}"), "{odd}");
}

#[test]
fn a_vault_of_alpha_is_an_address_of_this_network_read_from_nodes_less_a_haircut() {
    let home = Home::new();
    let with = |vault: &str, haircut_bps: i64, nodes: bool| {
        home.configure(|table| {
            let alpha = [("vault", Value::from(vault)), ("haircut_bps", Value::from(haircut_bps))];
            table.insert(
                "alpha".into(),
                alpha.map(|(key, value)| (key.to_owned(), value)).into_iter().collect::<Table>().into(),
            );
            let urls = if nodes { vec!["http://127.0.0.1:9944"] } else { vec![] };
            table.insert("subnet".into(), Table::from_iter([("rpc".to_owned(), Value::from(urls))]).into());
        });
        home.read().map(|settings| settings.file.alpha)
    };
    let said = |settings: Result<Alpha, ConfigError>| settings.unwrap_err().to_string();
    let hex = format!("0x{}", "a1".repeat(32));
    let alpha = with(&hex, 4_000, true).unwrap();
    assert_eq!(alpha.vault().unwrap().unwrap().0, [0xa1; 32]);
    assert_eq!(alpha.rules().haircut_bps, 4_000);
    assert!(said(with(&hex, 4_000, false)).contains("name some in subnet.rpc"));
    assert_eq!(said(with(&hex, 9_901, true)), "alpha.haircut_bps is 9901, want at most 9900");
    // Polkadot's address of the same account.
    let elsewhere = said(with("12xtAYsRUrmbniiWQqJtECiBQrMn8AypQcXhnQAc6RB6XkLW", 5_000, true));
    assert!(elsewhere.starts_with("alpha.vault: ") && elsewhere.contains("network"), "{elsewhere}");
    assert!(Alpha::default().vault().unwrap().is_none());
}

#[test]
fn a_scheme_for_weights_is_one_of_those_there_are() {
    let home = Home::new();
    let with = |name: &str| {
        let name = name.to_owned();
        home.configure(|table| {
            let rules = Table::from_iter([("scheme".to_owned(), Value::from(name))]);
            table.insert("weights".into(), rules.into());
        });
    };
    with("sn27");
    assert_eq!(home.read().unwrap().file.weights.scheme, surety_core::weights::SchemeName::Sn27);
    with("lium");
    let text = home.refusal();
    assert!(text.contains("`surety`") && text.contains("`sn27`"), "{text}");
}

#[test]
fn rules_for_weights_that_contradict_themselves_are_refused() {
    let home = Home::new();
    home.configure(|table| {
        let rules = Table::from_iter([("burn_ppm".to_owned(), Value::from(1_000))]);
        table.insert("weights".into(), rules.into());
    });
    assert!(home.refusal().contains("weights.burn_uid is not set"), "{}", home.refusal());
}
