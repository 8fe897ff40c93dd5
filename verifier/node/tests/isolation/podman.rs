//! With a real podman: an image is made of a shell, no registry is asked. Skipped, with the reason, where podman or a
//! static shell is missing or no container can run.

use crate::engines::{Podman, Way, podman};
use crate::rig::{Machine, eventually};
use surety_node::config::Config;
use surety_node::isolation::{Container, Driver};

fn machine(way: Way) -> Option<(Machine, Podman)> {
    let dir = tempfile::tempdir().unwrap();
    match podman(dir.path(), way) {
        Ok(podman) => {
            let container = podman.container();
            let machine = Machine::with(dir, Driver::Podman, container, false);
            // As outside of development: by digest, and never the host's root.
            let config = Config { dev: false, ..machine.config.clone() };
            Some((machine.with_config(config), podman))
        }
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            None
        }
    }
}

fn ids(podman: &Podman) -> Vec<String> {
    podman.said(&["ps", "--all", "--quiet", "--no-trunc"]).lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn with_a_real_podman_a_tenant_is_root_inside_and_nobody_outside_until_all_of_it_is_gone() {
    live(Way::Itself).await;
}

#[tokio::test]
async fn with_podmans_service_it_is_the_same() {
    live(Way::Service).await;
}

async fn live(way: Way) {
    let Some((machine, podman)) = machine(way) else { return };
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let first = ids(&podman);
    let id = first[0].clone();
    let inside = |line: &str| podman.said(&["exec", &id, "/bin/sh", "-lc", line]);
    assert_eq!(inside("id -u; stat -c %u /workspace; touch /workspace/mine && ls /workspace"), "0\n0\nmine");
    assert_eq!(inside("cat /proc/self/uid_map").split_whitespace().collect::<Vec<_>>(), ["0", "2000000", "65536"]);
    let status = inside("cat /proc/self/status");
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    assert_eq!(field("NoNewPrivs:"), "1");
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, NET_BIND_SERVICE, SYS_CHROOT: bits 0, 1, 3-7, 10, 18.
    assert_eq!(u64::from_str_radix(&field("CapBnd:"), 16), Ok(0x404fb));
    assert_eq!(inside("ls /dev/kmsg /run/podman /var/run/docker.sock 2>/dev/null"), "");
    let owner =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(machine.config.tenant_dir().join("mine")).unwrap());
    assert_eq!(owner, 2_000_000);

    agent.kill().await;
    let agent = machine.agent();
    machine.until_admitted("7").await;
    assert_eq!(ids(&podman), first, "the next agent adopts it");
    assert_eq!(inside("ls /workspace"), "mine");

    podman.call(&["kill", &id]);
    eventually("it runs again", || podman.said(&["inspect", "--format", "{{.State.Running}}", &id]) == "true").await;
    assert_eq!(ids(&podman), first);
    podman.call(&["rm", "--force", "--time", "0", &id]);
    eventually("another is made", || ids(&podman).first().is_some_and(|other| *other != id)).await;

    machine.until_admitted("7").await;
    machine.chain.set(Some(8));
    machine.until_admitted("8").await;
    assert_eq!(ids(&podman).len(), 1);
    assert_eq!(std::fs::read_dir(machine.config.tenant_dir()).unwrap().count(), 0);
    machine.chain.set(None);
    eventually("nothing is left", || ids(&podman).is_empty() && !machine.config.tenant_dir().exists()).await;
    agent.stop().await;
}

#[tokio::test]
async fn the_doctor_tries_a_container_of_a_real_podman_and_leaves_nothing() {
    let Some((machine, podman)) = machine(Way::Itself) else { return };
    let findings = surety_node::doctor::examine(&machine.config, false).await;
    let told = |item: &str| findings.iter().find(|finding| finding.item == item).map(ToString::to_string).unwrap();
    for item in ["container engine", "container image", "user namespace", "container limits", "trial container"] {
        assert!(told(item).starts_with("ok"), "{}", told(item));
    }
    assert!(told("trial container").contains("its root is user 2000000 on the host"));
    assert_eq!(ids(&podman), [""; 0]);

    let missing = podman.image.replace("@sha256:", "@sha256:00").chars().take(podman.image.len()).collect();
    let container = Container { image: missing, ..podman.container() };
    let config = Config { container: Some(container), ..machine.config.clone() };
    let findings = surety_node::doctor::examine(&config, false).await;
    let finding = findings.iter().find(|finding| finding.item == "container image").unwrap();
    assert!(finding.state.as_ref().unwrap_err().contains("podman pull localhost/surety-test@sha256:00"), "{finding}");
    assert!(!findings.iter().any(|finding| finding.item == "trial container"));
}
