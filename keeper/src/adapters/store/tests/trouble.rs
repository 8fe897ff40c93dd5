//! Full disks, flipped bits, and dry runs.

use super::*;

#[test]
fn a_full_disk_is_told_apart_and_what_was_acknowledged_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.signs = false;
    run.start();
    let pages: i64 = raw(&path).pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    run.store.db().unwrap().pragma_update(None, "max_page_count", pages + 2).unwrap();
    let mut acknowledged = run.seq;
    let error = loop {
        match run.store.commit_one(acknowledged + 1, &chain(1, 1), &[]) {
            Ok(()) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(error.is_full(), "{error}");
    assert!(error.to_string().contains("free disk space, or raise store.disk_max_mb"), "{error}");
    assert!(acknowledged > run.seq, "nothing fitted");
    let again = run.store.commit_one(acknowledged + 1, &chain(1, 1), &[]).unwrap_err();
    assert!(again.is_full(), "{again}");
    assert_eq!(run.store.load(&path, &config()).unwrap().seq, acknowledged, "what was acknowledged is there");

    run.store.db().unwrap().pragma_update(None, "max_page_count", 1_000_000).unwrap();
    run.store.commit_one(acknowledged + 1, &chain(1, 1), &[]).unwrap();
    assert_eq!(run.store.load(&path, &config()).unwrap().seq, acknowledged + 1);
}

#[test]
fn a_full_store_finds_room_in_the_log_it_does_not_need() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(700);
    run.store.snapshot(run.seq, &run.state).unwrap();
    let pages: i64 = raw(&path).pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    run.store.db().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    let mut full = false;
    for seq in run.seq + 1..run.seq + 1_000 {
        if run.store.commit_one(seq, &chain(1, 1), &[]).is_err_and(|error| error.is_full()) {
            full = true;
            run.store.make_room().unwrap();
            run.store.commit_one(seq, &chain(1, 1), &[]).unwrap();
            break;
        }
    }
    assert!(full, "it never was full");
    run.store.load(&path, &config()).unwrap();
}

/// Every byte of the file may flip: the start refuses and says what to do, or the state is what it was. It never goes
/// on with another one.
#[test]
fn a_flipped_byte_never_passes_for_another_state() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(60);
    run.store.snapshot(run.seq, &run.state).unwrap();
    run.pass(40);
    let (seq, hash) = (run.seq, run.state.hash());
    drop(run);
    raw(&path).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let sound = std::fs::read(&path).unwrap();
    let mut refused = 0;
    for at in (0..sound.len()).step_by(499) {
        let copy = dir.path().join(format!("{at}.db"));
        let mut bytes = sound.clone();
        bytes[at] ^= 0x01;
        std::fs::write(&copy, bytes).unwrap();
        match Store::open(&copy).and_then(|store| store.load(&copy, &config())) {
            Ok(loaded) => assert_eq!((loaded.seq, loaded.state.hash()), (seq, hash), "byte {at}"),
            Err(error) => {
                refused += 1;
                assert!(error.to_string().contains("restore a copy of it"), "byte {at}: {error}");
            }
        }
        std::fs::remove_file(&copy).unwrap();
    }
    assert!(refused > 0, "nothing of the file is looked at");
}

#[test]
fn a_purpose_that_no_store_is_made_for_is_damage_and_not_another_keepers() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    drop(Run::open(&path, &config()));
    raw(&path).execute("UPDATE meta SET value = 'keepes' WHERE key = 'mode'", []).unwrap();
    let refused = Store::open(&path).map(drop).unwrap_err();
    assert!(refused.to_string().contains("restore a copy of it"), "{refused}");
}

#[test]
fn a_digit_changed_in_the_snapshot_or_the_log_is_noticed() {
    for (what, sql) in [
        ("snapshot", "UPDATE snapshot SET state = replace(state, '\"run\":1', '\"run\":2')"),
        ("log", "UPDATE log SET input = replace(input, '\"rpc_healthy\":true', '\"rpc_healthy\":null') WHERE seq = 2"),
        ("log", "UPDATE log SET input = replace(input, '00', '01') WHERE seq = 2"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        let mut run = Run::open(&path, &config());
        run.start();
        if what == "snapshot" {
            run.store.snapshot(run.seq, &run.state).unwrap();
        }
        run.take(&tick());
        assert_eq!(raw(&path).execute(sql, []).unwrap(), 1, "{sql}");
        let text = run.store.load(&path, &config()).unwrap_err().to_string();
        assert!(text.contains(&format!("({what})")) && text.contains("not what was written"), "{text}");
    }
}

#[test]
fn a_dry_run_and_a_keeper_refuse_each_others_store() {
    let dir = tempfile::tempdir().unwrap();
    let (dry, real) = (dir.path().join("dry.db"), dir.path().join("keeper.db"));
    Store::open_with(&dry, Retention::default(), true).unwrap().load(&dry, &config()).unwrap();
    Store::open(&real).unwrap().load(&real, &config()).unwrap();
    let refused = Store::open(&dry).unwrap_err().to_string();
    assert!(refused.contains("made for another purpose: a dry run; use another store path"), "{refused}");
    let refused = Store::open_with(&real, Retention::default(), true).unwrap_err().to_string();
    assert!(refused.contains("made for another purpose: a keeper that signs"), "{refused}");
    assert!(Reading::open(&dry).unwrap().is_dry().unwrap());
    assert!(!Reading::open(&real).unwrap().is_dry().unwrap());
}

#[test]
fn a_reader_sees_a_running_keepers_store_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(200);
    let reading = Reading::open(&path).unwrap();
    assert_eq!(reading.log_bounds().unwrap(), Some((1, run.seq)));
    run.pass(100);
    assert_eq!(reading.log_bounds().unwrap(), Some((1, run.seq)), "and goes on seeing");
    reading.check().unwrap();
    let other = dir.path().join("none.db");
    let refused = Reading::open(&other).unwrap_err().to_string();
    assert!(refused.contains("unable to open"), "{refused}");
    assert!(!other.exists());
}
