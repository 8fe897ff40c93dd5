#![allow(clippy::unwrap_used)]

use super::*;

fn container(extra: &str) -> Container {
    let text = "engine = \"/bin/sh\"\nimage = \"a\"\nmemory_mib = 1024\ncpus = 2\nnetwork = \"none\"\n";
    toml::from_str(&format!("{text}{extra}")).unwrap()
}

fn docker(extra: &str) -> Info {
    let text = format!(
        "{{\"ServerVersion\":\"27.0\",\"MemTotal\":2147483648,\"NCPU\":2,\"MemoryLimit\":true,\"PidsLimit\":true,\
         \"CpuCfsQuota\":true,\"SecurityOptions\":[\"name=seccomp,profile=builtin\"]{extra}}}"
    );
    serde_json::from_str(&text).unwrap()
}

fn podman(controllers: &str) -> Info {
    let text = format!(
        "{{\"host\":{{\"cgroupControllers\":[{controllers}],\"cpus\":2,\"memTotal\":2147483648}},\
         \"version\":{{\"Version\":\"4.3.1\"}}}}"
    );
    serde_json::from_str(&text).unwrap()
}

#[test]
fn an_engine_is_told_by_its_version_and_a_client_without_its_service_is_found_out() {
    assert_eq!(answers(&docker("")).unwrap(), "docker 27.0");
    assert_eq!(answers(&podman("")).unwrap(), "podman 4.3.1");
    let alone: Info = serde_json::from_str("{\"ServerVersion\":\"\",\"ClientInfo\":{}}").unwrap();
    assert!(answers(&alone).unwrap_err().to_string().contains("systemctl start docker"));
}

#[test]
fn ids_that_somebody_has_already_are_found() {
    let passwd = "root:x:0:0::/root:/bin/sh\nbig:x:2065535:1::/:/bin/sh\n";
    assert_eq!(claimed(2_000_000, passwd, "").as_deref(), Some("big"));
    assert_eq!(claimed(2_065_536, passwd, ""), None);
    let subuid = "dockremap:100000:65536\n";
    assert_eq!(claimed(100_000 + 65_535, "", subuid).as_deref(), Some("dockremap"));
    assert_eq!(claimed(100_000 - 65_535, "", subuid).as_deref(), Some("dockremap"));
    assert_eq!(claimed(100_000 + 65_536, "", subuid), None);
    assert_eq!(claimed(2_000_000, "nonsense", "a:b\n:\n"), None);
}

#[test]
fn limits_that_the_engine_cannot_keep_are_named() {
    assert!(limits(&container(""), &docker("")).is_ok());
    assert!(limits(&container(""), &podman("\"memory\",\"pids\",\"cpu\"")).is_ok());
    let why = limits(&container(""), &podman("\"memory\"")).unwrap_err();
    assert!(why.contains("pids, cpu") && why.contains("Delegate=yes"), "{why}");
    let why = limits(&container("shm_mib = 1\n"), &Info { limits_memory: Some(false), ..docker("") }).unwrap_err();
    assert!(why.contains("memory"), "{why}");
    let why = limits(&Container { memory_mib: 4096, ..container("") }, &docker("")).unwrap_err();
    assert_eq!(why, "container.memory_mib is 4096, the host has 2048");
    let why = limits(&Container { cpus: 3, ..container("") }, &docker("")).unwrap_err();
    assert_eq!(why, "container.cpus is 3, the host has 2");
}

#[test]
fn cards_need_what_gives_them() {
    let dir = tempfile::tempdir().unwrap();
    let all = Gpus::Word(GpuWord::All);
    let by_podman = || cards(EngineKind::Podman, &all, &podman(""), &[Path::new("/nonexistent"), dir.path()]);
    assert!(cards(EngineKind::Podman, &Gpus::default(), &podman(""), &[]).is_ok());
    assert!(by_podman().unwrap_err().contains("nvidia-ctk cdi generate"));
    std::fs::write(dir.path().join("nvidia.yaml"), "kind: nvidia.com/gpu\n").unwrap();
    assert!(by_podman().is_ok());
    let with_runtime = docker(",\"Runtimes\":{\"nvidia\":{\"path\":\"x\"},\"runc\":{}}");
    assert!(cards(EngineKind::Docker, &all, &with_runtime, &[]).is_ok());
    if !Path::new("/usr/bin/nvidia-container-runtime-hook").exists() {
        assert!(cards(EngineKind::Docker, &all, &docker(""), &[]).unwrap_err().contains("nvidia-container-toolkit"));
    }
}
