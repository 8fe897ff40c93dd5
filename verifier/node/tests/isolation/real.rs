//! With real engines, where they are there and can run a container; skipped, with the reason, where not.

use crate::engines::{Real, Way};
use crate::rig::{Machine, eventually};
use std::os::unix::fs::MetadataExt;
use surety_node::config::Config;
use surety_node::isolation::Container;

fn machine(way: Way) -> Option<(Machine, Real)> {
    let dir = tempfile::tempdir().unwrap();
    match Real::start(dir.path(), way) {
        Ok(real) => {
            let machine = Machine::with(dir, real.driver, real.container(), false);
            // As outside of development: by digest, and never the host's root.
            let config = Config { dev: false, ..machine.config.clone() };
            Some((machine.with_config(config), real))
        }
        Err(why) => {
            eprintln!("SKIPPED: {way:?}: {why}");
            None
        }
    }
}

#[tokio::test]
async fn with_podman_a_tenant_is_root_inside_and_nobody_outside_until_all_of_it_is_gone() {
    live(Way::Podman).await;
}

#[tokio::test]
async fn with_podmans_service_it_is_the_same() {
    live(Way::PodmanService).await;
}

#[tokio::test]
async fn with_docker_it_is_the_same() {
    live(Way::Docker).await;
}

async fn live(way: Way) {
    let Some((machine, real)) = machine(way) else { return };
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let first = real.ids();
    let id = first[0].clone();
    let inside = |line: &str| real.said(&["exec", &id, "/bin/sh", "-lc", line]);
    assert_eq!(inside("id -u; stat -c %u /workspace; touch /workspace/mine && ls /workspace"), "0\n0\nmine");
    assert_eq!(
        inside("cat /proc/self/uid_map").split_whitespace().collect::<Vec<_>>(),
        ["0", &real.root.to_string(), "65536"]
    );
    let status = inside("cat /proc/self/status");
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    assert_eq!(field("NoNewPrivs:"), "1");
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT: bits 0, 1, 3-7, 10, 18.
    assert_eq!(u64::from_str_radix(&field("CapBnd:"), 16), Ok(0x404fb));
    assert_eq!(inside("ls /dev/kmsg /run/podman /var/run/docker.sock 2>/dev/null"), "");
    let owner = std::fs::metadata(machine.config.tenant_dir().join("mine")).unwrap().uid();
    assert_eq!(owner, real.root);

    agent.kill().await;
    let agent = machine.agent();
    machine.until_admitted("7").await;
    assert_eq!(real.ids(), first, "the next agent adopts it");
    assert_eq!(inside("ls /workspace"), "mine");

    real.call(&["kill", &id]);
    eventually("it runs again", || real.said(&["inspect", "--format", "{{.State.Running}}", &id]) == "true").await;
    assert_eq!(real.ids(), first);
    real.call(&["rm", "--force", "--volumes", &id]);
    eventually("another is made", || real.ids().first().is_some_and(|other| *other != id)).await;

    machine.until_admitted("7").await;
    machine.chain.set(Some(8));
    machine.until_admitted("8").await;
    assert_eq!(real.ids().len(), 1);
    assert_eq!(std::fs::read_dir(machine.config.tenant_dir()).unwrap().count(), 0);
    machine.chain.set(None);
    eventually("nothing is left", || real.ids().is_empty() && !machine.config.tenant_dir().exists()).await;
    agent.stop().await;
}

#[tokio::test]
async fn the_doctor_tries_a_container_and_leaves_nothing() {
    for way in [Way::Podman, Way::PodmanService, Way::Docker] {
        examine(way).await;
    }
}

async fn examine(way: Way) {
    let Some((machine, real)) = machine(way) else { return };
    let findings = surety_node::doctor::examine(&machine.config, false).await;
    let told = |item: &str| findings.iter().find(|finding| finding.item == item).map(ToString::to_string).unwrap();
    for item in ["container engine", "container image", "user namespace", "container limits", "trial container"] {
        assert!(told(item).starts_with("ok"), "{way:?}: {}", told(item));
    }
    assert!(told("trial container").contains(&format!("its root is user {} on the host", real.root)));
    assert!(real.ids().is_empty());

    let missing = format!("localhost/surety-test@sha256:{}", "0".repeat(64));
    let container = Container { image: missing, ..real.container() };
    let config = Config { container: Some(container), ..machine.config.clone() };
    let findings = surety_node::doctor::examine(&config, false).await;
    let finding = findings.iter().find(|finding| finding.item == "container image").unwrap();
    assert!(finding.state.as_ref().unwrap_err().contains(" pull localhost/surety-test@sha256:00"), "{finding}");
    assert!(!findings.iter().any(|finding| finding.item == "trial container"));
}
