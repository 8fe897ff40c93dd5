#![allow(clippy::unwrap_used)]

use super::*;
use surety_core::types::MachineId;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn engine(script: &str) -> Engine {
    let text = "engine = \"/bin/sh\"\nimage = \"a\"\nmemory_mib = 64\ncpus = 1\nnetwork = \"none\"\ncall_secs = 1\n";
    let mut container: Container = toml::from_str(text).unwrap();
    container.engine_args = vec!["-c".into(), script.into()];
    let owner = Owner::new(1, &MachineId([1; 32]));
    Engine { kind: EngineKind::Podman, container, owner, mark: "m".into() }
}

async fn listed(script: &str) -> Result<Vec<Found>, String> {
    engine(script).list().await.map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_engine_that_answers_is_understood() {
    assert_eq!(listed("").await.unwrap(), []);
    let script = |state: &str, labels: &str| {
        format!(
            "case $0 in ps) echo {ID};; *) echo '[{{\"Id\":\"{ID}\",\"State\":{{{state}}},\"Config\":{{\"Labels\":\
             {labels}}}}}]';; esac"
        )
    };
    let running = "\"Status\":\"running\",\"Running\":true,\"Pid\":42";
    let found = listed(&script(running, "{\"org.surety.rental\":\"7\"}")).await.unwrap();
    assert_eq!((found[0].rental, found[0].pid), (Some(7), Some(42)));
    for (state, labels) in [
        ("\"Status\":\"paused\",\"Running\":true,\"Pid\":42", "{\"org.surety.rental\":\"x\"}"),
        ("\"Status\":\"exited\",\"Running\":false,\"Pid\":0", "null"),
    ] {
        let found = listed(&script(state, labels)).await.unwrap();
        assert_eq!((found[0].rental, found[0].pid), (None, None), "{state}");
    }
}

#[tokio::test]
async fn each_way_of_misbehaving_is_told_apart() {
    let cases = [
        ("echo not an id", "expected ids of 64 hex digits"),
        ("printf '\\377\\377'", "expected ids"),
        (&format!("case $0 in ps) echo {ID};; *) echo '[';; esac"), "makes no sense: EOF"),
        (&format!("case $0 in ps) echo {ID};; *) echo '[]';; esac"), "expected the containers that were asked for"),
        ("echo why it is so >&2; exit 3", "failed (exit status: 3): why it is so"),
        ("kill -9 $$", "SIGKILL"),
        ("head -c 2000000 /dev/zero", "said more than 1048576 bytes"),
        ("head -c 2000000 /dev/zero >&2", "said more than 1048576 bytes"),
        ("sleep 60", "took more than 1 s"),
        ("sleep 60 & exit 0", "took more than 1 s"),
    ];
    for (script, wanted) in cases {
        let why = listed(script).await.unwrap_err();
        assert!(why.contains(wanted), "{script}: {why}");
    }
    let mut missing = engine("");
    missing.container.engine = "/nonexistent/podman".into();
    let why = missing.list().await.unwrap_err().to_string();
    assert!(why.contains("install it, or name another in container.engine"), "{why}");
}

#[tokio::test]
async fn nothing_of_a_call_that_was_given_up_is_left() {
    let nap = format!("97531.{}", std::process::id());
    assert!(listed(&format!("sleep {nap} & sleep {nap}")).await.is_err());
    let runs = || {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let mut lines = processes.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.any(|line| String::from_utf8_lossy(&line).starts_with(&format!("sleep\0{nap}")))
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while runs() {
        assert!(std::time::Instant::now() < deadline, "it still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_engine_gets_nothing_of_the_agents_environment() {
    let said = engine("env | cut -d = -f 1 | sort | tr '\\n' ' '").call(vec![], Duration::from_secs(5)).await.unwrap();
    let names = String::from_utf8(said).unwrap();
    let known = ["HOME", "OLDPWD", "PATH", "PWD", "SHLVL", "_"];
    assert!(names.split_whitespace().all(|name| known.contains(&name)), "{names}");
}
