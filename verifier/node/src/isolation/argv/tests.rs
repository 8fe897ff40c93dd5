#![allow(clippy::unwrap_used)]

use super::*;

fn container() -> Container {
    let text = r#"
        engine = "/usr/bin/podman"
        image = "cuda@sha256:0000000000000000000000000000000000000000000000000000000000000000"
        memory_mib = 65536
        cpus = 16
        network = "bridge"
        ports = [8888]
        gpus = "all"
        rootfs_gib = 100
    "#;
    toml::from_str(text).unwrap()
}

fn owner() -> Owner {
    Owner::new(945, &MachineId([0xab; 32]))
}

fn made(kind: EngineKind, container: &Container) -> String {
    create(kind, container, &owner(), 7, Path::new("/var/lib/surety-node/tenant")).join(" ")
}

const BEFORE_USER_NAMESPACE: &str = "create --pull never --name surety-abababababababab-7 --hostname rental-7 \
     --label org.surety.agent=945-abababababababababababababababababababababababababababababababab \
     --label org.surety.rental=7 --cap-drop ALL --cap-add CHOWN --cap-add DAC_OVERRIDE --cap-add FOWNER \
     --cap-add FSETID --cap-add KILL --cap-add NET_BIND_SERVICE --cap-add SETGID --cap-add SETUID \
     --cap-add SYS_CHROOT --security-opt no-new-privileges --ipc private --cgroupns private --pids-limit 4096 \
     --ulimit nproc=4096:4096 --ulimit nofile=65536:65536 --memory 65536m --memory-swap 65536m --cpus 16 \
     --shm-size 1024m --storage-opt size=100G ";
const AFTER_CARDS: &str = " --network bridge --publish 8888:8888/tcp \
     --mount type=bind,src=/var/lib/surety-node/tenant,dst=/workspace --workdir / --user 0:0 \
     --log-driver none --no-healthcheck --restart no --init --entrypoint sleep \
     cuda@sha256:0000000000000000000000000000000000000000000000000000000000000000 2147483647";

#[test]
fn a_container_of_podmans_is_made_with_these_words() {
    let between = "--uidmap 0:2000000:65536 --gidmap 0:2000000:65536 --device nvidia.com/gpu=all";
    assert_eq!(made(EngineKind::Podman, &container()), format!("{BEFORE_USER_NAMESPACE}{between}{AFTER_CARDS}"));
}

#[test]
fn a_container_of_dockers_is_made_with_these_words() {
    assert_eq!(made(EngineKind::Docker, &container()), format!("{BEFORE_USER_NAMESPACE}--gpus all{AFTER_CARDS}"));
}

#[test]
fn no_container_has_anything_of_the_hosts() {
    for kind in [EngineKind::Docker, EngineKind::Podman] {
        for gpus in [Gpus::default(), Gpus::Word(GpuWord::All), Gpus::List(vec!["GPU-1".into()])] {
            let words = made(kind, &Container { gpus, ..container() });
            for word in
                ["--privileged", "=host", " host", "--pid ", ".sock", "--volume", "--volumes-from", "unconfined"]
            {
                assert!(!words.contains(word), "{word} in {words}");
            }
            assert_eq!(words.matches("--mount").count(), 1);
        }
    }
}

#[test]
fn cards_are_named_as_each_engine_wants_them() {
    let list = Gpus::List(vec!["0".into(), "GPU-a1".into()]);
    assert_eq!(gpus(EngineKind::Docker, &list), ["--gpus", "\"device=0,GPU-a1\""]);
    let wanted = ["--device", "nvidia.com/gpu=0", "--device", "nvidia.com/gpu=GPU-a1"];
    assert_eq!(gpus(EngineKind::Podman, &list), wanted);
    assert!(gpus(EngineKind::Docker, &Gpus::default()).is_empty());
}

#[test]
fn the_other_calls_are_these() {
    let owner = owner();
    let label = format!("label=org.surety.agent={}", owner.agent);
    assert_eq!(list(&owner), ["ps", "--all", "--quiet", "--no-trunc", "--filter", label.as_str()]);
    assert_eq!(inspect(&["a".into(), "b".into()]), ["container", "inspect", "a", "b"]);
    assert_eq!(start("a"), ["start", "a"]);
    assert_eq!(remove(EngineKind::Docker, "a"), ["rm", "--force", "--volumes", "a"]);
    assert_eq!(remove(EngineKind::Podman, "a"), ["rm", "--force", "--volumes", "--time", "0", "a"]);
    assert_eq!(about("info"), ["info", "--format", "{{json .}}"]);
    assert_eq!(image(&container())[..2], ["image", "inspect"]);
}

#[test]
fn a_session_is_one_exec_with_the_renters_line_as_one_word() {
    let session = |term| Session { name: "surety-ab-7", mark: "m", term };
    let keys = "--detach-keys ctrl-@,ctrl-],ctrl-^,ctrl-_,ctrl-@";
    let end = "--env SURETY_SESSION=m --user 0:0 --workdir /workspace surety-ab-7 /bin/sh";
    assert_eq!(exec(&container(), &session(None)).join(" "), format!("exec --interactive {keys} {end}"));
    assert_eq!(
        exec(&container(), &session(Some("xterm"))).join(" "),
        format!("exec --interactive {keys} --tty --env TERM=xterm {end}")
    );
    let line = b"-x; rm -rf / & $(reboot) `id` \xff 'a' \"b\"\n--privileged";
    assert_eq!(shell(line), [&b"-lc"[..], line]);
    assert_eq!(shell(b""), [b"-l"]);
    let sftp = shell(SFTP.as_bytes());
    assert!(sftp[0] == b"-c" && sftp[1].starts_with(b"for file in /usr/lib/openssh/sftp-server "));
}

/// Docker's own client reads all options before it looks for its service.
#[test]
fn dockers_client_takes_every_option() {
    let Ok(found) = std::process::Command::new("docker").arg("--version").output() else {
        eprintln!("SKIPPED: no docker client in PATH");
        return;
    };
    assert!(found.status.success());
    let (container, owner) = (container(), owner());
    let list_of_cards = Container { gpus: Gpus::List(vec!["0".into(), "1".into()]), ..container.clone() };
    let dir = Path::new("/var/lib/surety-node/tenant");
    let mut session = exec(&container, &Session { name: "c", mark: "m", term: Some("vt100") });
    session.push("-l".into());
    let calls = [
        create(EngineKind::Docker, &container, &owner, 7, dir),
        create(EngineKind::Docker, &list_of_cards, &owner, 7, dir),
        session,
        list(&owner),
        inspect(&["a".into()]),
        start("a"),
        remove(EngineKind::Docker, "a"),
        image(&container),
    ];
    for words in calls {
        let output = std::process::Command::new("docker")
            .args(["--host", "unix:///nonexistent/docker.sock"])
            .args(&words)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_asked = said.contains("Cannot connect to the Docker daemon") || said.contains("not a TTY");
        assert!(is_asked && !output.status.success(), "{words:?}: {said}");
    }
}
