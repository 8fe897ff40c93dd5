//! Export, replay and status over real stores.
#![allow(clippy::unwrap_used)]

use super::super::{export, status::Status};
use super::*;
use crate::adapters::store::tests::{Run, config, raw};
use crate::adapters::store::{Reading, Store};
use std::collections::BTreeSet;
use std::path::PathBuf;
use surety_core::state::Config;
use surety_core::types::Kind;

struct Kept {
    run: Run,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

/// A keeper that watched a machine refuse its renter for 700 s, with a checkpoint on the way.
fn kept() -> Kept {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.start();
    run.pass(300);
    run.store.checkpoint_now(run.seq, &run.state).unwrap();
    run.pass(400);
    run.store.snapshot(run.seq, &run.state).unwrap();
    assert!(run.signatures_wished() > 0);
    Kept { run, path, _dir: dir }
}

fn replay_store(path: &Path) -> Result<Replay> {
    let reading = Reading::open(path).unwrap();
    replay(StoreLines::new(&reading).map(|line| line.map_err(anyhow::Error::from)))
}

fn replay_bytes(bytes: &[u8]) -> Result<Replay> {
    replay(read_lines(bytes))
}

#[test]
fn a_store_and_its_export_fold_to_the_running_keepers_state() {
    let kept = kept();
    let from_store = replay_store(&kept.path).unwrap();
    assert!(from_store.agrees());
    assert_eq!((from_store.last, from_store.hash(), from_store.agreed), (kept.run.seq, kept.run.state.hash(), 2));
    let bytes = export::to_bytes(&Reading::open(&kept.path).unwrap()).unwrap();
    let from_export = replay_bytes(&bytes).unwrap();
    assert_eq!((from_export.hash(), from_export.agreed), (from_store.hash(), 2));
    let told = from_export.to_string();
    let wished = format!("{} signatures", kept.run.signatures_wished());
    assert!(told.contains(&wished) && told.contains("2 states of the keeper's, all the same"), "{told}");
}

#[test]
fn a_change_of_rules_in_the_log_is_replayed_with_the_rules_of_each_run() {
    let mut kept = kept();
    drop(kept.run);
    let shadow = BTreeSet::from([Kind::NotDelivered]);
    kept.run = Run::open(&kept.path, &Config { shadow, ..config() });
    kept.run.start();
    kept.run.pass(100);
    let found = replay_store(&kept.path).unwrap();
    assert!(found.agrees(), "{found}");
    assert_eq!(found.hash(), kept.run.state.hash());
}

#[test]
fn a_log_that_is_not_what_the_keeper_took_is_found_out() {
    let kept = kept();
    let bytes = export::to_bytes(&Reading::open(&kept.path).unwrap()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let forged = text.replacen("\"seen\":{\"seen\":\"refused\"}", "\"seen\":{\"seen\":\"accepted\"}", 1);
    assert_ne!(forged, text);
    let found = replay_bytes(forged.as_bytes()).unwrap();
    assert!(!found.agrees(), "{found}");
    assert!(found.to_string().contains("DIFFERS       after entry"), "{found}");
}

#[test]
fn an_export_with_something_missing_is_refused_and_says_what() {
    let kept = kept();
    let text = String::from_utf8(export::to_bytes(&Reading::open(&kept.path).unwrap()).unwrap()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let without = |gone: usize| -> String {
        lines.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, line)| format!("{line}\n")).collect()
    };
    let refused = |text: &str| format!("{:#}", replay_bytes(text.as_bytes()).unwrap_err());
    assert!(refused(&without(0)).contains("line 1 stands where it cannot"), "{}", refused(&without(0)));
    assert!(refused(&without(5)).contains("of the log is missing"), "{}", refused(&without(5)));
    assert!(refused(&without(lines.len() - 1)).contains("breaks off"), "{}", refused(&without(lines.len() - 1)));
    assert!(refused(&without(lines.len() - 2)).contains("some are missing"), "{}", refused(&without(lines.len() - 2)));
    assert!(refused("{\"head\":{\"format\":9,\"last\":1}}\n").contains("format 9, this program reads 1"));
    assert!(refused("nonsense\n").contains("line 1 is not an export's"));
}

#[test]
fn an_export_holds_every_statement_and_the_index_of_all_evidence_once() {
    let kept = kept();
    let reading = Reading::open(&kept.path).unwrap();
    let lines: Vec<Line> = StoreLines::new(&reading).map(Result::unwrap).collect();
    let count = |wanted: fn(&Line) -> bool| lines.iter().filter(|line| wanted(line)).count() as i64;
    let stored = |table: &str| -> i64 {
        raw(&kept.path).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(|line| matches!(line, Line::Statement { .. })), stored("statements"));
    assert_eq!(count(|line| matches!(line, Line::Evidence { .. })), stored("evidence"));
    assert_eq!(count(|line| matches!(line, Line::Log { .. })), stored("log"));
    assert!(stored("statements") > 0 && stored("evidence") > 0);
}

#[test]
fn a_damaged_entry_stops_a_replay_where_it_is() {
    let kept = kept();
    drop(kept.run);
    let sql = "UPDATE log SET input = replace(input, 'true', 'false') WHERE seq = (SELECT min(seq) FROM log WHERE \
               seq > 9 AND input LIKE '%true%')";
    assert_eq!(raw(&kept.path).execute(sql, []).unwrap(), 1);
    let refused = format!("{:#}", replay_store(&kept.path).unwrap_err());
    assert!(refused.contains("(log): entry ") && refused.contains("is not what was written"), "{refused}");
}

#[test]
fn status_is_read_beside_a_running_keeper_and_tells_what_it_does() {
    let mut kept = kept();
    kept.run.pass(30);
    let status = Status::read(&Reading::open(&kept.path).unwrap(), kept.run.state.clock.now_secs() + 7).unwrap();
    let told = status.to_string();
    for line in [
        format!("last input    {}, 7 s ago\n", kept.run.seq),
        "sees          yes\n".into(),
        "watched       1 rented machines, 1 suspected\n".into(),
        format!("  suspected   {}, rental 1\n", surety_core::types::MachineId([1; 32])),
        "transactions  0 on their way\n".into(),
    ] {
        assert!(told.contains(&line), "{line} is missing in\n{told}");
    }
    assert!(Store::open(&kept.path).is_err(), "the keeper still has its lock");
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!((json["last_input"].as_u64(), json["blind"].as_str()), (Some(kept.run.seq), None));
    let late = Status::read(&Reading::open(&kept.path).unwrap(), kept.run.state.clock.now_secs() + 600).unwrap();
    assert!(late.to_string().contains("600 s ago: it does not run"));
}
