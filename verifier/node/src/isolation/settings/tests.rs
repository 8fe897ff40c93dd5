#![allow(clippy::unwrap_used)]

use super::*;

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn good() -> String {
    format!(
        "engine = \"/usr/bin/docker\"\nimage = \"a/b@sha256:{DIGEST}\"\nmemory_mib = 1024\ncpus = 4\n\
         network = \"bridge\"\n"
    )
}

fn fault(text: &str, kind: EngineKind, dev: bool) -> Option<(&'static str, String)> {
    toml::from_str::<Container>(text).unwrap().fault(kind, dev)
}

#[test]
fn a_good_section_is_taken_and_says_what_it_does_not_say() {
    let container: Container = toml::from_str(&good()).unwrap();
    assert!(container.fault(EngineKind::Docker, false).is_none());
    assert_eq!((container.gpus, container.pids, container.ports.len()), (Gpus::default(), 4096, 0));
    assert_eq!((container.call_secs, container.create_secs, container.shell), (20, 300, "/bin/sh".into()));
}

#[test]
fn each_impossible_value_is_refused_by_its_key() {
    let cases = [
        ("\"/usr/bin/docker\"", "\"docker\"", "container.engine"),
        ("cpus = 4", "cpus = 0", "container.cpus"),
        ("cpus = 4", "cpus = 4\npids = 1", "container.pids"),
        ("cpus = 4", "cpus = 4\nopen_files = 1", "container.open_files"),
        ("cpus = 4", "cpus = 4\nshm_mib = 1025", "container.shm_mib"),
        ("cpus = 4", "cpus = 4\ngpus = []", "container.gpus"),
        ("cpus = 4", "cpus = 4\ngpus = [\"0\\\",--privileged\"]", "container.gpus"),
        ("cpus = 4", "cpus = 4\nports = [0]", "container.ports"),
        ("cpus = 4", "cpus = 4\nuid_base = 0", "container.uid_base"),
        ("cpus = 4", "cpus = 4\nvolume_dir = \"/data,readonly\"", "container.volume_dir"),
        ("cpus = 4", "cpus = 4\nvolume_dir = \"data\"", "container.volume_dir"),
        ("cpus = 4", "cpus = 4\nrootfs_gib = 0", "container.rootfs_gib"),
        ("cpus = 4", "cpus = 4\nshell = \"sh\"", "container.shell"),
        ("cpus = 4", "cpus = 4\ncall_secs = 0", "container.call_secs"),
        ("cpus = 4", "cpus = 4\ncreate_secs = 3601", "container.create_secs"),
        ("cpus = 4", "cpus = 4\nengine_args = [\"\"]", "container.engine_args"),
        ("memory_mib = 1024", "memory_mib = 1", "container.memory_mib"),
        ("\"bridge\"", "\"slirp4netns\"", "container.network"),
        ("\"bridge\"", "\"none\"\nports = [80]", "container.ports"),
        ("a/b@", "--privileged@", "container.image"),
        ("@sha256:", ":", "container.image"),
        (DIGEST, "0123", "container.image"),
        ("a/b", "a b", "container.image"),
    ];
    for (from, to, key) in cases {
        let text = good().replace(from, to);
        assert_eq!(fault(&text, EngineKind::Docker, false).map(|(key, _)| key), Some(key), "{to}");
    }
}

#[test]
fn what_is_not_known_is_not_taken() {
    for (from, to) in [
        ("\"bridge\"", "\"host\""),
        ("cpus = 4", "cpus = 4\nprivileged = true"),
        ("cpus = 4", "cpus = 4\ngpus = \"some\""),
        ("network = \"bridge\"\n", ""),
    ] {
        assert!(toml::from_str::<Container>(&good().replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn a_tag_will_do_in_development_only() {
    let text = good().replace(&format!("@sha256:{DIGEST}"), ":latest");
    assert!(fault(&text, EngineKind::Docker, true).is_none());
    let by_id = good().replace("a/b@", "");
    assert!(fault(&by_id, EngineKind::Docker, false).is_none());
    let (_, why) = fault(&text, EngineKind::Docker, false).unwrap();
    assert!(why.contains("a tag may be another image tomorrow"), "{why}");
}

#[test]
fn cards_are_all_none_or_named() {
    let gpus = |text: &str| toml::from_str::<Container>(&format!("{}gpus = {text}\n", good())).unwrap().gpus;
    assert_eq!(gpus("\"all\""), Gpus::Word(GpuWord::All));
    assert_eq!(gpus("\"none\""), Gpus::Word(GpuWord::None));
    assert_eq!(gpus("[\"0\", \"GPU-1\"]"), Gpus::List(vec!["0".into(), "GPU-1".into()]));
    assert_eq!(fault(&good(), EngineKind::Podman, false), None);
}
