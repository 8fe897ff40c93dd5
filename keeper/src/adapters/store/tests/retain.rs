//! What is kept and what is let go.

use super::*;
use std::time::Instant;

const DAY_SECS: u64 = 86_400;

fn keeping(log_keep: u64) -> Retention {
    Retention { log_keep, ..Retention::default() }
}

fn open(path: &Path, retention: Retention) -> Run {
    let store = Store::open_with(path, retention, false).unwrap();
    let loaded = store.load(path, &config()).unwrap();
    let path = path.to_path_buf();
    Run { store, path, state: loaded.state, seq: loaded.seq, now_ms: 0, signs: true, wished: Vec::new() }
}

fn finalized(number: u64, timestamp_secs: u64) -> Input {
    let block = BlockRef { number, hash: Hash32([9; 32]), timestamp_secs };
    let (nodes, rentals, cases) = (Vec::new(), Vec::new(), Vec::new());
    let (view, keepers, newest) = (View::Finalized, None, None);
    Input::Chain(Box::new(ChainUpdate { view, block, nodes, rentals, cases, keepers, newest, seat: None }))
}

#[test]
fn a_compacted_log_gives_the_same_state_and_can_still_be_folded_from_its_beginning() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = open(&path, keeping(100));
    run.start();
    for _ in 0..12 {
        run.pass(100);
        run.store.snapshot(run.seq, &run.state).unwrap();
    }
    let reading = Reading::open(&path).unwrap();
    let (first, last) = reading.log_bounds().unwrap().unwrap();
    assert!(first > 1 && last == run.seq, "nothing was let go: {first} to {last}");
    assert!(last - first >= 100, "more was let go than may be: {first} to {last}");

    let base = reading.checkpoint_from(0).unwrap().unwrap();
    assert_eq!(base.seq + 1, first, "the log begins where a state is known");
    let (mut state, mut seq) = (*base.state, base.seq);
    while let Some((_, last)) = reading.log_after(seq).unwrap().iter().map(|(n, i)| (step(&mut state, i), *n)).last() {
        seq = last;
    }
    assert_eq!((seq, state.hash()), (run.seq, run.state.hash()));

    let (hash, seq) = (run.state.hash(), run.seq);
    drop(run);
    let again = open(&path, keeping(100));
    assert_eq!((again.seq, again.state.hash()), (seq, hash));
}

/// Time decides nothing here; it is printed: `cargo test -p surety a_million -- --nocapture`.
#[test]
fn a_million_entries_do_not_slow_a_restart_down() {
    const ENTRIES: u64 = 1_000_000;
    const TAIL: u64 = SNAPSHOT_EVERY - 1;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = open(&path, Retention::default());
    run.start();
    run.pass(100);
    let entry = |seq: u64| Input::Tick(Tick { now_ms: seq, now_unix_ms: START * 1_000 + seq, rpc_healthy: true });
    let first = run.seq + 1;
    // By SQL alone, for speed: what lies behind the snapshot is not read at a restart, so it needs no sums.
    let many = "WITH RECURSIVE n (seq) AS (SELECT ?1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ?2)
                INSERT INTO log (seq, input) SELECT seq, '{\"input\":\"tick\",\"now_ms\":' || seq ||
                ',\"now_unix_ms\":1800000000000,\"rpc_healthy\":true}' FROM n";
    raw(&path).execute(many, params![int(first), int(ENTRIES - TAIL)]).unwrap();
    {
        let mut db = raw(&path);
        let tx = db.transaction().unwrap();
        for seq in ENTRIES - TAIL + 1..=ENTRIES {
            let text = render(&entry(seq)).unwrap();
            let row = params![int(seq), text, schema::sum_of(seq, &text)];
            tx.execute("INSERT INTO log (seq, input, sum) VALUES (?1, ?2, ?3)", row).unwrap();
        }
        tx.commit().unwrap();
    }
    // The keeper was stopped by a kill, as long after its last snapshot as can be.
    run.store.snapshot(ENTRIES - TAIL, &run.state).unwrap();
    for seq in ENTRIES - TAIL + 1..=ENTRIES {
        step(&mut run.state, &entry(seq));
    }
    let hash = run.state.hash();
    drop(run);
    let began = Instant::now();
    let again = open(&path, Retention::default());
    println!("restart with {ENTRIES} entries, {TAIL} of them after the snapshot: {} ms", began.elapsed().as_millis());
    assert_eq!((again.seq, again.state.hash()), (ENTRIES, hash));
    assert_eq!(count(&path, "log"), i64::try_from(ENTRIES).unwrap());
}

#[test]
fn evidence_and_statements_stay_as_long_as_a_case_about_them_can_be_open() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let keep_secs = KEEP_DAYS_MIN * DAY_SECS;
    let mut run = open(&path, Retention { keep_secs, ..Retention::default() });
    run.start();
    run.take(&finalized(1, START));
    run.pass(700);
    run.take(&Input::Complaint(super::archive::complaint(1, START)));
    let (evidence, statements) = (count(&path, "evidence"), count(&path, "statements"));
    assert!(evidence > 0 && statements > 0);

    let last_day = START + keep_secs;
    run.take(&finalized(2, last_day));
    run.take(&Input::Signed(signed(attestation(2, 9).into())));
    assert_eq!(run.store.expire(last_day).unwrap(), Removed::default(), "on the last day all is there");
    run.take(&finalized(3, last_day + 1));
    let removed = run.store.expire(last_day + 1).unwrap();
    assert_eq!((int(removed.evidence), int(removed.statements)), (evidence, statements));
    assert_eq!((removed.complaints, count(&path, "complaints")), (1, 0));
    assert_eq!((count(&path, "evidence"), count(&path, "statements")), (0, 1), "what is younger stays");
}

#[test]
fn neither_a_clock_that_was_set_nor_a_chain_that_runs_ahead_makes_anything_old() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = open(&path, Retention::default());
    run.start();
    run.take(&finalized(1, START));
    run.pass(700);
    let kept = count(&path, "evidence");
    assert_eq!(run.store.expire(START + 100_000 * DAY_SECS).unwrap(), Removed::default(), "the host's clock was set");
    run.take(&finalized(2, START + 100_000 * DAY_SECS));
    assert_eq!(run.store.expire(START + 800).unwrap(), Removed::default(), "a node lies about time");
    assert_eq!(run.store.expire(0).unwrap(), Removed::default(), "no clock at all");
    assert_eq!(count(&path, "evidence"), kept);
}

#[test]
fn a_store_near_its_budget_gives_up_the_log_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = open(&path, Retention::default());
    run.start();
    run.pass(700);
    drop(run);
    let size = Reading::open(&path).unwrap().size_bytes().unwrap();
    let mut run = open(&path, Retention { disk_max_bytes: size, ..Retention::default() });
    assert!(run.store.is_crowded().unwrap());
    let (evidence, statements) = (count(&path, "evidence"), count(&path, "statements"));
    run.store.snapshot(run.seq, &run.state).unwrap();
    assert_eq!((count(&path, "log"), count(&path, "checkpoints")), (0, 1));
    assert_eq!((count(&path, "evidence"), count(&path, "statements")), (evidence, statements));
    run.pass(100);
    let (seq, hash) = (run.seq, run.state.hash());
    drop(run);
    let again = open(&path, Retention::default());
    assert_eq!((again.seq, again.state.hash()), (seq, hash));
}

#[test]
fn a_store_of_the_version_before_is_taken_over_with_all_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = open(&path, Retention::default());
    run.start();
    run.pass(700);
    let (seq, hash, statements) = (run.seq, run.state.hash(), count(&path, "statements"));
    drop(run);
    raw(&path)
        .execute_batch(
            "DROP TABLE checkpoints; DROP TABLE meta; DROP INDEX statements_age; DROP INDEX evidence_age;
             ALTER TABLE log DROP COLUMN sum; ALTER TABLE snapshot DROP COLUMN hash;
             ALTER TABLE evidence DROP COLUMN stored_secs; ALTER TABLE statements DROP COLUMN stored_secs;
             PRAGMA user_version = 1;",
        )
        .unwrap();
    let mut run = open(&path, Retention { keep_secs: DAY_SECS, ..Retention::default() });
    assert_eq!((run.seq, run.state.hash(), count(&path, "statements")), (seq, hash, statements));
    run.take(&finalized(5, START + 10 * DAY_SECS));
    assert_eq!(run.store.expire(START + 10 * DAY_SECS).unwrap(), Removed::default(), "their age counts from now on");
    run.take(&finalized(6, START + 12 * DAY_SECS));
    assert_eq!(int(run.store.expire(START + 12 * DAY_SECS).unwrap().statements), statements);
}
