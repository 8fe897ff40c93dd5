//! The embedded server.

use crate::rig::{Agent, KEEPER_SEED, OTHER_SEED, RENTER_SEED, config, eventually, nap, runs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use surety_core::input::{InventoryOutcome, MeasureOutcome, Observation};
use surety_node::agent::Server;
use surety_node::desk::Desk;
use surety_node::embedded::{Embedded, Limits};
use surety_node::hostkey::HostKey;
use surety_node::reconcile::Door;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, FillJob, Over};
use tokio::io::AsyncReadExt;

async fn rented() -> Agent {
    let agent = Agent::start(Server::Embedded).await;
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    agent
}

#[tokio::test]
async fn exactly_the_renters_key_under_the_tenants_name_is_accepted() {
    let agent = Agent::start(Server::Embedded).await;
    assert_eq!(agent.probe(RENTER_SEED, "tenant").await, Observation::Refused, "no rental runs");
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    for (seed, user) in
        [(OTHER_SEED, "tenant"), (KEEPER_SEED, "tenant"), (RENTER_SEED, "keeper"), (RENTER_SEED, "root")]
    {
        assert_eq!(agent.probe(seed, user).await, Observation::Refused, "{user}");
    }
    assert_eq!(agent.probe(KEEPER_SEED, "keeper").await, Observation::Accepted);
}

#[tokio::test]
async fn a_key_that_is_refused_at_the_query_cannot_log_in() {
    let agent = rented().await;
    assert!(agent.log_in(OTHER_SEED, "tenant").await.is_none());
    assert!(agent.log_in(RENTER_SEED, "keeper").await.is_none());
    assert!(agent.log_in(RENTER_SEED, "tenant").await.is_some());
}

#[tokio::test]
async fn a_tenants_commands_run_in_one_directory_with_input_output_and_exit_code() {
    let agent = rented().await;
    assert_eq!(
        agent.run(RENTER_SEED, "cat > note; echo done; echo noise >&2; exit 3", "hello").await,
        (3, "done\n".into())
    );
    assert_eq!(
        agent.run(RENTER_SEED, "cat note; pwd", "").await.1,
        format!("hello{}\n", agent.config.tenant_dir().display())
    );
    assert_eq!(agent.run(RENTER_SEED, "kill -9 $$", "").await.0, 137);
}

#[tokio::test]
async fn at_the_end_of_a_rental_sessions_are_cut_processes_killed_and_data_wiped() {
    let agent = rented().await;
    agent
        .run(RENTER_SEED, &format!("echo x > data; setsid sleep {} >/dev/null 2>&1 </dev/null & echo", nap(98761)), "")
        .await;
    // The shell that leaves it behind may be gone before it has become what it is to run.
    eventually("what was left behind runs", || runs(&nap(98761))).await;
    let session = agent.log_in(RENTER_SEED, "tenant").await.unwrap();
    let mut channel = session.channel_open_session().await.unwrap();
    channel.exec(true, format!("sleep {}", nap(98762))).await.unwrap();
    eventually("the command runs", || runs(&nap(98762))).await;
    agent.set_rental(None);
    agent.until_put_out(RENTER_SEED).await;
    eventually("the session is cut", || session.is_closed()).await;
    eventually("its processes are gone", || !runs(&nap(98761)) && !runs(&nap(98762))).await;
    eventually("its data is gone", || !agent.config.tenant_dir().exists()).await;
    while channel.wait().await.is_some() {}
}

#[tokio::test]
async fn the_next_tenant_finds_nothing_of_the_last_who_finds_no_way_in() {
    let agent = rented().await;
    agent.run(RENTER_SEED, "echo x > data", "").await;
    agent.set_rental(Some((2, OTHER_SEED, 3600)));
    agent.until_let_in(OTHER_SEED).await;
    assert_eq!(agent.probe(RENTER_SEED, "tenant").await, Observation::Refused);
    assert_eq!(agent.run(OTHER_SEED, "ls -A", "").await, (0, String::new()));
}

#[tokio::test]
async fn an_extension_keeps_the_session_and_the_data() {
    let agent = rented().await;
    agent.run(RENTER_SEED, "echo x > data", "").await;
    let session = agent.log_in(RENTER_SEED, "tenant").await.unwrap();
    agent.set_rental(Some((1, RENTER_SEED, 7200)));
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(!session.is_closed());
    assert_eq!(agent.run(RENTER_SEED, "cat data", "").await.1, "x\n");
}

#[tokio::test]
async fn with_the_rpc_down_access_lasts_until_it_runs_out_and_no_longer() {
    let agent = Agent::start(Server::Embedded).await;
    agent.set_rental(Some((1, RENTER_SEED, 3)));
    agent.until_let_in(RENTER_SEED).await;
    agent.cut_rpc();
    assert_eq!(agent.probe(RENTER_SEED, "tenant").await, Observation::Accepted);
    agent.until_put_out(RENTER_SEED).await;
    assert!(!agent.config.tenant_dir().exists() || agent.log_in(RENTER_SEED, "tenant").await.is_none());
}

#[tokio::test]
async fn a_keeper_measures_an_honest_machine() {
    let agent = Agent::start(Server::Embedded).await;
    let outcome = agent.measure(KEEPER_SEED).await;
    assert!(matches!(outcome, MeasureOutcome::Proven { gpu_class: 65_535, gpu_count: 1, .. }), "{outcome:?}");
}

#[tokio::test]
async fn a_stranger_cannot_measure_and_a_rented_machine_is_busy() {
    let agent = rented().await;
    let outcome = agent.measure(OTHER_SEED).await;
    assert!(matches!(&outcome, MeasureOutcome::Unmeasured { why } if why.contains("does not let")), "{outcome:?}");
    let outcome = agent.measure(KEEPER_SEED).await;
    assert!(matches!(&outcome, MeasureOutcome::Unmeasured { why } if why.contains("Busy")), "{outcome:?}");
}

fn named(outcome: &InventoryOutcome) -> Vec<&str> {
    match outcome {
        InventoryOutcome::Stated { statement } => statement.cards.iter().map(String::as_str).collect(),
        InventoryOutcome::Unmeasured { why } => panic!("no answer: {why}"),
    }
}

#[tokio::test]
async fn a_keeper_hears_which_cards_there_are_rented_or_not() {
    let agent = Agent::start(Server::Embedded).await;
    assert_eq!(named(&agent.ask(KEEPER_SEED).await), ["CPU-0"]);
    agent.set_rental(Some((1, RENTER_SEED, 3600)));
    agent.until_let_in(RENTER_SEED).await;
    let stated = agent.ask(KEEPER_SEED).await;
    assert_eq!(named(&stated), ["CPU-0"]);
    assert!(matches!(stated, InventoryOutcome::Stated { statement } if statement.registration == 7));
    let refused = agent.ask(OTHER_SEED).await;
    assert!(matches!(&refused, InventoryOutcome::Unmeasured { why } if why.contains("does not let")), "{refused:?}");
}

#[tokio::test]
async fn a_machine_that_lost_its_cards_says_so_and_nonsense_is_no_answer() {
    let states = Arc::new(std::sync::Mutex::new(Vec::<String>::new()));
    let shown = states.clone();
    let desk =
        |config: &_, key| Desk::new(config, key).with_cards(Arc::new(move || Some(shown.lock().unwrap().clone())));
    let agent = Agent::start_with(Server::Embedded, desk).await;
    assert_eq!(named(&agent.ask(KEEPER_SEED).await), Vec::<&str>::new());
    let hostile = [vec!["x".repeat(5_000)], vec!["GPU\n1".into()], vec!["same".into(); 2], vec!["x".repeat(64); 17]];
    for cards in hostile {
        *states.lock().unwrap() = cards;
        let outcome = agent.ask(KEEPER_SEED).await;
        assert!(matches!(outcome, InventoryOutcome::Unmeasured { .. }), "{outcome:?}");
    }
}

/// A processor that does other work than it was given, and signs it all the same.
struct Lazy(CpuDevice);

impl Over for Lazy {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.0.start(FillJob { gpu_seed: [0; 32], ..job })
    }
}

#[tokio::test]
async fn a_machine_whose_cards_cannot_be_had_says_so_and_is_not_measured() {
    let gone = || Err(DeviceError::Failed("the driver was unloaded".into()));
    let desk = |config: &_, key| Desk::with_devices(config, key, Arc::new(gone));
    let agent = Agent::start_with(Server::Embedded, desk).await;
    let outcome = agent.measure(KEEPER_SEED).await;
    let MeasureOutcome::Unmeasured { why } = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("Refused { code: Device }"), "{why}");
}

#[tokio::test]
async fn a_machine_that_signs_work_it_has_not_done_is_a_bad_proof() {
    let lazy = || Ok(vec![Box::new(Atop(Lazy(CpuDevice::new()))) as Box<dyn Device>]);
    let desk = |config: &_, key| Desk::with_devices(config, key, Arc::new(lazy));
    let agent = Agent::start_with(Server::Embedded, desk).await;
    let outcome = agent.measure(KEEPER_SEED).await;
    let MeasureOutcome::BadProof { transcript, .. } = outcome else { panic!("{outcome:?}") };
    let proof: surety_verifier::evidence::FraudProof = serde_json::from_value(transcript).unwrap();
    let proven = proof.verify().unwrap();
    assert_eq!(proven.start.machine, agent.machine().0, "anybody can recompute what the keeper was given");
}

#[tokio::test]
async fn an_agent_that_stops_leaves_no_process_and_no_listener() {
    let agent = rented().await;
    agent.run(RENTER_SEED, &format!("setsid sleep {} >/dev/null 2>&1 </dev/null & echo", nap(98763)), "").await;
    let address = agent.address;
    agent.stop().await;
    assert!(!runs(&nap(98763)));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[tokio::test]
async fn a_second_agent_in_the_same_directory_does_not_start() {
    let agent = Agent::start(Server::Embedded).await;
    let key = HostKey::from_file(&agent.config.host_key).unwrap();
    let (_stop, stopping) = tokio::sync::watch::channel(false);
    let desk = Desk::new(&agent.config, key);
    let second = surety_node::agent::run(
        &agent.config,
        desk,
        agent.chain.clone(),
        Server::Embedded,
        std::path::Path::new("/bin/false"),
        stopping,
    );
    let error = second.await.unwrap_err();
    assert!(error.to_string().starts_with("another agent works in"), "{error}");
}

#[tokio::test]
async fn who_does_not_log_in_is_cut_off_and_one_source_has_few_such_connections() {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path(), Server::Embedded);
    let desk = Desk::new(&config, HostKey::from_file(&config.host_key).unwrap());
    let limits = Limits { login_max: Duration::from_millis(300), strangers_per_source_max: 2, ..Limits::default() };
    let door = Embedded::start(&config, desk, limits).await.unwrap();
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(tokio::net::TcpStream::connect(door.address()).await.unwrap());
    }
    let began = Instant::now();
    let mut heard = Vec::new();
    for stream in &mut streams {
        let mut bytes = Vec::new();
        tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await.unwrap().ok();
        heard.push(!bytes.is_empty());
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(heard, [true, true, false], "the third is not even greeted");
    door.close().await;
}
