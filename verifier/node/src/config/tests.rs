#![allow(clippy::unwrap_used)]

use super::*;

const GOOD: &str = r#"
rpc_url = "http://127.0.0.1:8545"
chain_id = 31337
host_key = "/etc/surety/host_key"
deployment = "/etc/surety/31337.json"
listen = "127.0.0.1:0"
tenant_user = "tenant"
keeper_user = "keeper"
state_dir = "/var/lib/surety"
dev = true

[device]
kind = "cpu"
class = 65535
count = 1
"#;

/// A machine with accounts on its host, as a deployment has it.
pub(crate) const ON_HOST: &str = r#"
rpc_url = "http://127.0.0.1:8545"
chain_id = 31337
host_key = "/etc/surety/host_key"
deployment = "/etc/surety/31337.json"
listen = "0.0.0.0:2200"
tenant_user = "tenant"
keeper_user = "keeper"
state_dir = "/var/lib/surety"
device = { kind = "cpu", class = 65535, count = 1 }
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse(text, Path::new("node.toml")).map_err(|error| error.to_string())
}

#[test]
fn a_good_configuration_is_taken() {
    assert_eq!(parse(GOOD).unwrap().poll(), Duration::from_secs(3));
}

#[test]
fn an_unknown_key_is_named_in_the_refusal() {
    for text in [format!("lie = \"skip-rows\"\n{GOOD}"), GOOD.replace("count = 1", "count = 1\ncuont = 2")] {
        let why = parse(&text).unwrap_err();
        assert!(why.contains("unknown field"), "{why}");
    }
}

#[test]
fn each_impossible_value_is_refused_by_its_key() {
    let cases = [
        ("\"http://127.0.0.1:8545\"", "\"ws://x\"", "rpc_url"),
        ("\"/etc/surety/host_key\"", "\"host_key\"", "host_key"),
        ("\"/etc/surety/31337.json\"", "\"31337.json\"", "deployment"),
        ("\"/var/lib/surety\"", "\"state\"", "state_dir"),
        ("\"tenant\"", "\"../root\"", "tenant_user"),
        ("\"keeper\"", "\"a b\"", "keeper_user"),
        ("dev = true", "dev = true\npoll_ms = 1", "poll_ms"),
        ("count = 1", "count = 17", "device.count"),
        ("class = 65535", "class = 2", "device.class"),
        ("31337", "964", "device.class"),
        ("dev = true\n", "", "keeper_user"),
    ];
    for (from, to, key) in cases {
        let text = GOOD.replace(from, to);
        let text = if key == "keeper_user" { text.replace("\"keeper\"", "\"tenant\"") } else { text };
        let why = parse(&text).unwrap_err();
        assert!(why.starts_with(key), "{to}: {why}");
    }
}

#[test]
fn cards_serve_every_class_that_has_minima_and_the_processor_only_its_own() {
    let with = |kind: &str, class: u16| {
        let class = format!("class = {class}");
        parse(&GOOD.replace("kind = \"cpu\"", &format!("kind = \"{kind}\"")).replace("class = 65535", &class))
    };
    assert_eq!(with("cuda", 11).unwrap().device.kind, DeviceKind::Cuda);
    assert_eq!(with("cuda", 65_535).unwrap().device.kind, DeviceKind::Cuda, "cards can be tried out on a local chain");
    assert!(with("cuda", 1).unwrap_err().contains("nobody has said yet what B200 must reach"));
    assert!(with("cpu", 11).unwrap_err().contains("a cpu device serves only class 65535"));
}

#[test]
fn containers_and_their_section_go_together() {
    let section = "[container]\nengine = \"/usr/bin/docker\"\nimage = \"a:1\"\nmemory_mib = 64\ncpus = 1\n\
                   shm_mib = 64\nnetwork = \"none\"\n";
    let with = |driver: &str, section: &str| {
        parse(&format!("{}{section}", GOOD.replace("dev = true", &format!("dev = true\nisolation = \"{driver}\""))))
    };
    assert_eq!(with("docker", section).unwrap().tenant_dir(), Path::new("/var/lib/surety/tenant"));
    let elsewhere = with("podman", &format!("{section}volume_dir = \"/data\"\n")).unwrap();
    assert_eq!(elsewhere.tenant_dir(), Path::new("/data/tenant"));
    assert!(with("account", "").is_ok());
    assert!(with("docker", "").unwrap_err().starts_with("isolation in "));
    assert!(with("account", section).unwrap_err().starts_with("container in "));
    assert!(with("docker", &section.replace("cpus = 1", "cpus = 0")).unwrap_err().starts_with("container.cpus in "));
    assert!(with("lxc", section).unwrap_err().contains("unknown variant"));
}

#[test]
fn a_tenant_is_never_root_outside_development() {
    let text = GOOD.replace("dev = true\n", "").replace("\"tenant\"", "\"root\"");
    assert!(parse(&text).unwrap_err().starts_with("tenant_user"));
}
