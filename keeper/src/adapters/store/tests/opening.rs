//! Who may open a store, and what is refused.

use super::*;
use std::os::unix::fs::PermissionsExt;

fn refusal(result: Result<Loaded, StoreError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_second_instance_is_refused_as_long_as_the_first_lives() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let first = Store::open(&path).unwrap();
    let refused = Store::open(&path).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    assert_eq!(
        refused.to_string(),
        format!(
            "the store {} is in use by another keeper; two on one store would sign twice. Stop the other one",
            path.display()
        )
    );
    drop(first);
    Store::open(&path).unwrap();
}

/// What a program inherits that is being started just as a keeper ends: `fork` copies the lock, `exec` lets it go.
#[test]
fn a_lock_that_outlives_its_keeper_for_a_moment_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    drop(Store::open(&path).unwrap());
    let lock = lock::take(&path).unwrap();
    let mut child = std::process::Command::new("sleep").arg("0.3").stdin(lock).spawn().unwrap();
    Store::open(&path).unwrap();
    child.wait().unwrap();
}

#[test]
fn a_second_instance_is_refused_under_another_name_of_the_same_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let alias = dir.path().join("alias.sqlite");
    let _first = Store::open(&path).unwrap();
    std::os::unix::fs::symlink(&path, &alias).unwrap();
    assert!(matches!(Store::open(&alias), Err(StoreError::InUse { .. })));
}

#[test]
fn two_stores_beside_each_other_do_not_share_a_lock() {
    let dir = tempfile::tempdir().unwrap();
    let _one = Store::open(&dir.path().join("keeper.db")).unwrap();
    Store::open(&dir.path().join("keeper.sqlite")).unwrap();
}

#[test]
fn a_store_whose_name_ends_like_a_lock_keeps_its_contents() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.lock");
    let mut run = Run::open(&path, &config());
    run.start();
    drop(run);
    assert_eq!(Run::open(&path, &config()).seq, 1);
}

#[test]
fn a_store_of_another_account_chain_or_deployment_is_refused() {
    let other_contracts = Contracts { vault: Account([99; 20]), ..config().contracts };
    let others = [
        ("keeper account", Config { me: Account([2; 20]), ..config() }),
        ("chain", Config { chain_id: 945, ..config() }),
        ("deployment", Config { contracts: other_contracts, ..config() }),
    ];
    // As a clean end leaves it, as a kill soon after the first start does, and with nothing in its log at all.
    for (inputs, snapshot) in [(1, true), (1, false), (0, false)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        let mut run = Run::open(&path, &config());
        (0..inputs).for_each(|_| run.start());
        if snapshot {
            run.store.snapshot(run.seq, &run.state).unwrap();
        }
        for (what, other) in &others {
            let text = refusal(run.store.load(&path, other));
            let want = format!("the store {} was made for another {what}; use another store path,", path.display());
            assert!(text.starts_with(&want), "{text}");
        }
        assert_eq!(run.store.load(&path, &config()).unwrap().seq, inputs);
    }
}

#[test]
fn rules_out_of_bounds_are_refused_before_anything_is_replayed_by_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let store = Store::open(&path).unwrap();
    let bad = Config { rules: Rules { proof_looks: 1, ..Rules::default() }, ..config() };
    assert_eq!(refusal(store.load(&path, &bad)), "rules.proof_looks is 1, expected 4..=32");
    store.load(&path, &config()).unwrap();
    assert_eq!(refusal(store.load(&path, &bad)), "rules.proof_looks is 1, expected 4..=32");
}

#[test]
fn only_the_owner_can_read_the_file_its_log_and_its_lock() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    let mut names: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?} has mode {mode:o}", entry.file_name());
        names.push(entry.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["keeper.db", "keeper.db-shm", "keeper.db-wal", "keeper.db.lock"]);
}

#[test]
fn tables_of_another_version_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    raw(&path).pragma_update(None, "user_version", 7).unwrap();
    let refused = Store::open(&path).unwrap_err().to_string();
    assert!(refused.contains("tables of version 7, this keeper writes version 2"), "{refused}");
    let tables: i64 = raw(&path).query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let text = "these are my notes, not a data base\n".repeat(40);
    std::fs::write(&path, &text).unwrap();
    let refused = Store::open(&path).unwrap_err().to_string();
    let want = format!("cannot open the store {}: file is not a database", path.display());
    assert!(refused.starts_with(&want), "{refused}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn a_store_that_cannot_be_made_is_named_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing/keeper.db");
    let refused = Store::open(&path).unwrap_err().to_string();
    assert_eq!(refused, format!("cannot open the store {}: No such file or directory (os error 2)", path.display()));
}

#[test]
fn an_unreadable_row_is_named_by_its_part_and_says_what_to_do() {
    for (what, sql) in [
        ("log", "UPDATE log SET input = '{\"input\":\"tick\"' WHERE seq = 2"),
        ("log", "UPDATE log SET input = '{\"input\":\"miracle\"}' WHERE seq = 2"),
        ("snapshot", "UPDATE snapshot SET state = '[]'"),
        ("snapshot", "DELETE FROM snapshot"),
        ("effects", "INSERT INTO effects (id, digest, effect) VALUES (x'00', x'00', 'nonsense')"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.db");
        let mut run = Run::open(&path, &config());
        run.start();
        run.take(&tick());
        assert_eq!(raw(&path).execute(sql, []).unwrap(), 1, "{sql}");
        let text = refusal(run.store.load(&path, &config()));
        assert!(text.starts_with(&format!("the store holds something unreadable ({what}): ")), "{text}");
        assert!(text.contains("; keep the file, restore a copy of it, or start a new store: "), "{text}");
    }
}

#[test]
fn a_hole_in_the_log_is_not_replayed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.take(&tick());
    run.take(&tick());
    raw(&path).execute("DELETE FROM log WHERE seq = 2", []).unwrap();
    let text = refusal(run.store.load(&path, &config()));
    assert!(
        text.starts_with("the store holds something unreadable (log): entry 2 is missing; keep the file, restore"),
        "{text}"
    );
}

#[test]
fn a_value_of_another_type_than_the_columns_is_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    raw(&path).execute("UPDATE log SET input = x'ff00'", []).unwrap();
    let text = refusal(run.store.load(&path, &config()));
    assert!(text.starts_with("the store failed: "), "{text}");
}
