//! One rental after another, an engine that misbehaves.

use crate::rig::{Machine, eventually};
use surety_node::config::Config;

fn leave_data(machine: &Machine) {
    std::fs::write(machine.config.tenant_dir().join("secret"), "x").unwrap();
}

#[tokio::test]
async fn a_rental_gets_its_container_before_its_tenant_comes_in_and_loses_it_after_the_tenant_is_out() {
    let machine = Machine::new();
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let containers = machine.containers();
    assert!(matches!(containers.as_slice(), [(_, rental, true)] if rental == "7"), "{containers:?}");
    leave_data(&machine);
    machine.chain.set(None);
    machine.until_empty().await;
    let calls = machine.calls();
    let made: Vec<_> = calls.iter().filter(|call| call.starts_with("create") || call.starts_with("start")).collect();
    assert!(made.len() == 2 && made.iter().all(|call| call.contains("door=-")), "{calls:?}");
    let removed = calls.iter().find(|call| call.starts_with("rm")).unwrap();
    assert_eq!(removed, "rm door=- data=7:secret ", "access goes first, the data last");
    agent.stop().await;
}

#[tokio::test]
async fn the_next_tenant_gets_another_container_and_an_empty_directory() {
    let machine = Machine::new();
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let first = machine.containers();
    leave_data(&machine);
    machine.chain.set(Some(8));
    machine.until_admitted("8").await;
    let second = machine.containers();
    assert!(second.len() == 1 && second[0].1 == "8" && second[0].0 != first[0].0, "{second:?}");
    assert_eq!(std::fs::read_dir(machine.config.tenant_dir()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_agent_that_restarts_adopts_the_running_container_with_everything_in_it() {
    let machine = Machine::new();
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let before = machine.containers();
    leave_data(&machine);
    agent.stop().await;
    assert_eq!((machine.admitted().as_str(), &machine.containers()), ("-", &before), "the container runs on");
    let agent = machine.agent();
    machine.until_admitted("7").await;
    agent.kill().await;
    let _agent = machine.agent();
    machine.until_admitted("7").await;
    assert_eq!(machine.containers(), before);
    assert!(machine.config.tenant_dir().join("secret").exists());
    assert_eq!((machine.count("create"), machine.count("rm")), (1, 0));
}

#[tokio::test]
async fn an_agent_that_does_not_know_yet_who_has_the_machine_touches_nothing() {
    let machine = Machine::new();
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    leave_data(&machine);
    agent.stop().await;
    let (containers, calls) = (machine.containers(), machine.calls());
    machine.chain.cut();
    let agent = machine.agent();
    // Longer than such an agent leaves sessions alone: then the door is shut, and still nothing is wiped.
    for _ in 0..3 {
        std::fs::remove_file(machine.dir.path().join("door")).unwrap();
        eventually("the door is shut", || machine.admitted() == "-").await;
    }
    assert!(machine.config.tenant_dir().join("secret").exists());
    assert_eq!((machine.containers(), machine.calls()), (containers, calls));
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    agent.stop().await;
}

#[tokio::test]
async fn a_container_that_stops_is_started_again_and_one_that_is_gone_is_made_anew() {
    let machine = Machine::new();
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let first = machine.containers();
    machine.end_process(&first[0].0);
    eventually("it is started again", || machine.count("start") == 2 && machine.containers() == first).await;
    assert_eq!(machine.count("create"), 1);
    machine.end_process(&first[0].0);
    // It is listed, and is gone when it is asked for.
    machine.mood("vanish ps");
    eventually("it is gone", || machine.containers().is_empty()).await;
    machine.mood("");
    eventually("there is another", || machine.containers().first().is_some_and(|one| one.0 != first[0].0 && one.2))
        .await;
    machine.until_admitted("7").await;
}

#[tokio::test]
async fn a_container_of_another_rental_is_removed_before_anybody_comes_in() {
    let machine = Machine::new();
    let agent = machine.agent();
    machine.chain.set(Some(6));
    machine.until_admitted("6").await;
    agent.kill().await;
    // As if the directory and its note had been lost: only the label says whose it is.
    std::fs::remove_dir_all(&machine.config.state_dir).unwrap();
    std::fs::create_dir(&machine.config.state_dir).unwrap();
    machine.chain.set(Some(7));
    let _agent = machine.agent();
    machine.until_admitted("7").await;
    let containers = machine.containers();
    assert!(matches!(containers.as_slice(), [(_, rental, true)] if rental == "7"), "{containers:?}");
    let calls = machine.calls();
    let position = |verb: &str| calls.iter().rposition(|call| call.starts_with(verb)).unwrap();
    assert!(position("rm") < position("create"));
}

/// Whatever an engine does, at whichever of its answers: nobody comes in without a container, and all is well when it
/// is well again.
#[tokio::test]
async fn an_engine_that_misbehaves_lets_nobody_in_and_nobody_is_forgotten_when_it_is_well_again() {
    let mut trials = tokio::task::JoinSet::new();
    trials.spawn(misbehaves("die start".into()));
    for how in ["fail", "before", "flood", "garbage"] {
        for verb in ["ps", "inspect", "create", "start"] {
            trials.spawn(misbehaves(format!("{how} {verb}")));
        }
    }
    while let Some(done) = trials.join_next().await {
        done.unwrap();
    }
}

async fn misbehaves(mood: String) {
    let machine = Machine::new();
    machine.mood(&mood);
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    let verb = mood.split(' ').nth(1).unwrap();
    // The second call of it comes after the first was given up.
    eventually(&format!("{mood}: tried again"), || machine.count(verb) >= 2).await;
    assert_eq!(machine.admitted(), "-", "{mood}");
    machine.mood("");
    machine.until_admitted("7").await;
    assert!(matches!(machine.containers().as_slice(), [(_, _, true)]), "{mood}");
    machine.chain.set(None);
    machine.until_empty().await;
}

#[tokio::test]
async fn a_container_that_cannot_be_removed_keeps_the_next_tenant_out() {
    for mood in ["fail rm", "before rm", "garbage rm"] {
        let machine = Machine::new();
        let _agent = machine.agent();
        machine.chain.set(Some(7));
        machine.until_admitted("7").await;
        leave_data(&machine);
        machine.mood(mood);
        machine.chain.set(Some(8));
        eventually("removing is tried twice", || machine.count("rm") >= 2).await;
        assert_eq!(machine.admitted(), "-");
        assert!(machine.config.tenant_dir().join("secret").exists(), "the data is wiped after the container");
        machine.mood("");
        machine.until_admitted("8").await;
        assert!(!machine.config.tenant_dir().join("secret").exists());
    }
}

#[tokio::test]
async fn an_engine_that_falls_silent_says_nothing_about_a_container_that_ran() {
    let machine = Machine::new();
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    let calls = machine.count("ps");
    machine.mood("fail ps");
    eventually("it was looked at twice", || machine.count("ps") >= calls + 2).await;
    assert_eq!(machine.admitted(), "7");
}

#[tokio::test]
async fn a_container_that_does_not_come_up_again_is_said_by_letting_nobody_in() {
    let machine = Machine::new();
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    machine.mood("fail start");
    let id = machine.containers()[0].0.clone();
    machine.end_process(&id);
    machine.until_admitted("-").await;
    machine.mood("");
    machine.until_admitted("7").await;
    assert_eq!(machine.containers()[0].0, id, "what the tenant has in there stays");
}

#[tokio::test]
async fn outside_of_development_nobody_is_let_in_who_would_be_the_hosts_root() {
    let machine = Machine::new();
    let config = Config { dev: false, ..machine.config.clone() };
    let machine = machine.with_config(config);
    let _agent = machine.agent();
    machine.chain.set(Some(7));
    // The fake engine knows no user namespaces: the kernel says who root is, not the engine.
    eventually("it is looked at twice", || machine.count("ps") >= 3).await;
    assert!(matches!(machine.containers().as_slice(), [(_, _, true)]));
    assert_eq!(machine.admitted(), "-");
}

#[tokio::test]
async fn a_container_of_the_same_name_that_is_not_ours_is_left_alone() {
    let machine = Machine::new();
    let agent = machine.agent();
    machine.chain.set(Some(7));
    machine.until_admitted("7").await;
    agent.kill().await;
    let id = machine.containers()[0].0.clone();
    std::fs::write(machine.dir.path().join("containers").join(&id).join("agent"), "somebody").unwrap();
    let _agent = machine.agent();
    let made = machine.count("create");
    eventually("making another fails", || machine.count("create") >= made + 2).await;
    assert_eq!((machine.admitted().as_str(), machine.count("rm")), ("-", 0));
    assert!(matches!(machine.containers().as_slice(), [(one, _, true)] if *one == id));
}
