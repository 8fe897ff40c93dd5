//! One step, one transaction; and the state that comes back.

use super::*;

#[test]
fn the_state_after_a_power_cut_is_the_running_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = Run::open(&dir.path().join("keeper.db"), &config());
    run.start();
    for part in 0..7 {
        run.pass(100);
        if part == 3 {
            run.store.snapshot(run.seq, &run.state).unwrap();
        }
        let cut = tempfile::tempdir().unwrap();
        let copy = run.after_power_cut(cut.path());
        let loaded = Store::open(&copy).unwrap().load(&copy, &config()).unwrap();
        assert_eq!(loaded.seq, run.seq);
        assert_eq!(loaded.state.hash(), run.state.hash(), "after part {part}");
    }
    assert!(run.signatures_wished() > 0, "nothing was judged, so nothing was compared");
}

#[test]
fn a_snapshot_and_its_tail_give_what_the_whole_log_gives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(300);
    run.store.snapshot(run.seq, &run.state).unwrap();
    run.pass(400);
    let with_snapshot = run.store.load(&path, &config()).unwrap();

    let mut whole = State::new(config()).unwrap();
    let db = raw(&path);
    let mut log = db.prepare("SELECT input FROM log ORDER BY seq").unwrap();
    let entries = log.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for text in entries {
        step(&mut whole, &serde_json::from_str(&text.unwrap()).unwrap());
    }
    assert_eq!(with_snapshot.state.hash(), whole.hash());
    assert_eq!(with_snapshot.seq, run.seq);
}

#[test]
fn a_step_is_stored_as_a_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.signs = false;
    run.start();
    run.pass(700);
    let sign = run.wished.iter().find(|effect| matches!(effect, Effect::Sign { .. })).unwrap().clone();
    raw(&path).execute("DELETE FROM effects", []).unwrap();
    let before = (count(&path, "log"), count(&path, "effects"), count(&path, "statements"));

    // The last of the wishes fails, after the log, a statement and a signature's wish were written.
    let fails = "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    raw(&path).execute_batch(fails).unwrap();
    let input =
        Input::Peer(Signed { statement: attestation(1, 7), signer: Account([8; 20]), signature: Signature([8; 65]) });
    let effects = [sign, submit(1)];
    let failed = run.store.commit_one(run.seq + 1, &input, &effects).unwrap_err();
    assert!(failed.to_string().contains("disk full"), "{failed}");
    assert_eq!((count(&path, "log"), count(&path, "effects"), count(&path, "statements")), before);
    assert_eq!(run.store.load(&path, &config()).unwrap().seq, run.seq);

    raw(&path).execute_batch("DROP TRIGGER full").unwrap();
    run.store.commit_one(run.seq + 1, &input, &effects).unwrap();
    let after = (count(&path, "log"), count(&path, "effects"), count(&path, "statements"));
    assert_eq!(after, (before.0 + 1, before.1 + 1, before.2 + 1));
    assert_eq!(run.store.lane().unwrap().len(), 1);
}

#[test]
fn several_steps_are_stored_together_in_their_order_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.signs = false;
    run.start();
    let before = count(&path, "log");
    let of = |input: Input| Step { effects: step(&mut run.state, &input), input };
    let mut steps: Vec<Step> = [chain(1, 1), tick(), chain(2, 2)].into_iter().map(of).collect();
    steps[2].effects.push(submit(1));

    let fails = "CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    raw(&path).execute_batch(fails).unwrap();
    assert!(run.store.commit(run.seq + 1, &steps).is_err());
    assert_eq!((count(&path, "log"), run.store.lane().unwrap().len()), (before, 0));

    raw(&path).execute_batch("DROP TRIGGER full").unwrap();
    run.store.commit(run.seq + 1, &steps).unwrap();
    assert_eq!((count(&path, "log"), run.store.lane().unwrap().len()), (before + 3, 1));
    let loaded = run.store.load(&path, &config()).unwrap();
    assert_eq!((loaded.seq, loaded.state.hash()), (run.seq + 3, run.state.hash()));
}

#[test]
fn no_entry_of_the_log_is_ever_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    assert!(run.store.commit_one(1, &tick(), &[]).is_err());
    assert_eq!(run.store.load(&path, &config()).unwrap().state.hash(), run.state.hash());
}

#[test]
fn changed_rules_hold_from_the_run_that_brought_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(700);
    assert!(run.signatures_wished() > 0);
    let (now_ms, judged_before) = (run.now_ms, run.state.clone());
    drop(run);

    // Stricter by far: what was judged so far stays as it was judged, in this run and in every later one.
    let rules = Rules { proof_looks: 32, proof_looks_mass: 32, not_delivered_after_secs: 7_000, ..Rules::default() };
    let stricter = Config { rules, ..config() };
    let mut run = Run::open(&path, &stricter);
    // By hash: a whole state is a long thing to read.
    assert_eq!(run.state.hash(), State { config: stricter.clone(), ..judged_before }.hash());
    run.now_ms = now_ms;
    run.start();
    run.pass(300);
    let cut = tempfile::tempdir().unwrap();
    let copy = run.after_power_cut(cut.path());
    let loaded = Store::open(&copy).unwrap().load(&copy, &stricter).unwrap();
    assert_eq!(loaded.state.hash(), run.state.hash());
    assert_eq!(loaded.seq, run.seq);
}
