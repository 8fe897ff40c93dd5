//! The loop on a real store that runs out of room.
#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use surety_core::evidence::Contracts;
use surety_core::input::{MeasureOutcome, MeasureResult, Started, Tick};
use surety_core::rules::Rules;
use surety_core::state::Config;
use surety_core::types::{Hash32, MachineId};
use surety_core::view::ContractTimes;

const DEADLINE: Duration = Duration::from_secs(30);

fn config() -> Config {
    let contracts = Contracts { escrow: Account([1; 20]), arbiter: Account([2; 20]), vault: Account([3; 20]) };
    let (rules, shadow, payout) = (Rules::default(), BTreeSet::new(), Default::default());
    Config { me: Account([9; 20]), chain_id: 964, contracts, rules, shadow, payout, seat: Default::default() }
}

fn tick(n: u64) -> Input {
    Input::Tick(Tick { now_ms: n * 1_000, now_unix_ms: 1_800_000_000_000 + n * 1_000, rpc_healthy: true })
}

struct Running {
    inputs: mpsc::Sender<Input>,
    deeds: mpsc::Receiver<Effect>,
    shown: Shown,
    store: Arc<Store>,
    looping: std::thread::JoinHandle<Result<(), StoreError>>,
}

impl Running {
    fn start(path: &Path) -> Self {
        let store = Arc::new(Store::open(path).unwrap());
        let loaded = store.load(path, &config()).unwrap();
        let (shown, clock) = (Shown::default(), Clock::start());
        let (state, seq, slow_told) = (loaded.state, loaded.seq, None);
        let core = CoreLoop { state, seq, store: store.clone(), clock, shown: shown.clone(), slow_told };
        let (inputs, inputs_rx) = mpsc::channel(16);
        let (wishes, deeds) = mpsc::channel(16);
        let looping = std::thread::spawn(move || core.run(inputs_rx, wishes));
        let (times, now_unix_ms) = (ContractTimes::default(), 1_800_000_000_000);
        inputs.blocking_send(Input::Started(Started { now_unix_ms, now_ms: 0, times })).unwrap();
        Self { inputs, deeds, shown, store, looping }
    }

    fn taken(&self) -> u64 {
        self.shown.progress.inputs.load(Relaxed)
    }

    fn is_full(&self) -> bool {
        self.shown.progress.store_full.load(Relaxed) == 1
    }
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Running {
    /// Takes all room away and sends ticks until the loop stands still; returns how many inputs were acknowledged.
    fn fill(&self) -> u64 {
        until("it starts", || self.taken() == 1);
        self.store.set_full(true).unwrap();
        let mut sent = 0;
        until("it stands still", || {
            if self.inputs.try_send(tick(sent + 1)).is_ok() {
                sent += 1;
            }
            self.is_full()
        });
        self.taken()
    }
}

#[test]
fn without_room_the_loop_stands_still_says_so_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut running = Running::start(&path);
    let acknowledged = running.fill();
    assert_eq!(running.shown.progress.alerts.load(Relaxed), 1);
    let stored = running.store.last_seq().unwrap();
    assert_eq!(stored, acknowledged, "the disk has what was acknowledged, and nothing else");
    while running.deeds.try_recv().is_ok() {}
    // More than one try: the loop waits as long as it takes.
    let again = Instant::now() + ROOM_RETRY * 2;
    until("it has tried again", || Instant::now() > again);
    assert!(running.is_full() && !running.looping.is_finished());
    running.store.set_full(false).unwrap();
    until("it goes on", || running.taken() > acknowledged && !running.is_full());
    drop(running.inputs);
    running.looping.join().unwrap().unwrap();
    let taken = running.shown.progress.inputs.load(Relaxed);
    drop(running.store);
    assert_eq!(Store::open(&path).unwrap().load(&path, &config()).unwrap().seq, taken, "no input was skipped");
}

#[test]
fn no_wish_is_let_out_before_its_step_is_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut running = Running::start(&path);
    running.fill();
    while running.deeds.try_recv().is_ok() {}
    // Stuck at one input; the anchors are due at the latest with the next forty.
    assert!(running.deeds.try_recv().is_err());
    running.store.set_full(false).unwrap();
    for n in 1_000..1_040 {
        running.inputs.blocking_send(tick(n)).unwrap();
    }
    while !matches!(running.deeds.blocking_recv().unwrap(), Effect::ProbeAnchors { .. }) {}
    drop(running.inputs);
    running.looping.join().unwrap().unwrap();
}

#[test]
fn a_keeper_told_to_stop_does_not_wait_for_room() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let running = Running::start(&path);
    let acknowledged = running.fill();
    drop(running.inputs);
    let ended = running.looping.join().unwrap().unwrap_err();
    assert!(ended.is_full(), "{ended}");
    drop(running.store);
    let loaded = Store::open(&path).unwrap().load(&path, &config()).unwrap();
    assert_eq!(loaded.seq, acknowledged);
}

fn measured() -> Input {
    let outcome = MeasureOutcome::Unmeasured { why: "no session".into() };
    let (id, machine) = (Hash32([1; 32]), MachineId([2; 32]));
    Input::Measure(MeasureResult { id, machine, registration: 1, at_secs: 1_800_000_000, outcome })
}

#[test]
fn the_disk_is_waited_for_once_for_all_inputs_that_wait_up_to_a_heavy_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let store = Arc::new(Store::open(&path).unwrap());
    let state = store.load(&path, &config()).unwrap().state;
    let (clock, shown, slow_told) = (Clock::start(), Shown::default(), None);
    let mut core = CoreLoop { state, seq: 0, store, clock, shown, slow_told };
    let (sending, mut inputs) = mpsc::channel(4 * AT_ONCE_MAX);
    for n in 1..=AT_ONCE_MAX as u64 + 2 {
        sending.try_send(tick(n)).unwrap();
    }
    sending.try_send(measured()).unwrap();
    sending.try_send(tick(1_000)).unwrap();
    let mut taken = Vec::new();
    while let Ok(first) = inputs.try_recv() {
        let steps = core.steps(first, &mut inputs);
        taken.push(steps.len());
        core.keep(&steps, || false).unwrap();
        assert_eq!(core.store.last_seq().unwrap(), core.seq);
    }
    assert_eq!(taken, [AT_ONCE_MAX, 3, 1]);
}

#[test]
fn a_snapshot_is_written_when_its_number_is_passed_in_the_middle_of_a_write() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let running = Running::start(&path);
    let sent = SNAPSHOT_EVERY + 10;
    for n in 1..=sent {
        running.inputs.blocking_send(tick(n)).unwrap();
    }
    until("all are taken", || running.taken() == sent + 1);
    let raw = rusqlite::Connection::open(&path).unwrap();
    let at: u64 =
        raw.query_row("SELECT seq FROM snapshot", [], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap();
    assert!(at >= SNAPSHOT_EVERY, "a restart would replay everything from {at} on");
    drop(running.inputs);
    running.looping.join().unwrap().unwrap();
}
