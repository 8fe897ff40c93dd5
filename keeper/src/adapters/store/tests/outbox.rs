//! Wishes that must survive: signatures and transactions.

use super::*;
use surety_core::input::{TxOutcome, TxResult};
use surety_core::outbox::RowState;

fn settled(id: u8) -> Input {
    Input::Tx(TxResult { id: Hash32([id; 32]), outcome: TxOutcome::Settled })
}

fn lane(store: &Store) -> Vec<u8> {
    store.lane().unwrap().iter().map(|row| row.id.0[0]).collect()
}

#[test]
fn unsigned_statements_come_back_until_they_are_signed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.signs = false;
    run.start();
    run.pass(700);
    let wishes: Vec<Effect> =
        run.wished.iter().filter(|effect| matches!(effect, Effect::Sign { .. })).cloned().collect();
    assert!(!wishes.is_empty(), "nothing was to be signed");
    drop(run);

    let mut run = Run::open(&path, &config());
    assert_eq!(run.store.load(&path, &config()).unwrap().unsigned, wishes, "as they were wished, in order");
    for wish in &wishes {
        run.signs = true;
        let signed = run.grant(wish).unwrap();
        run.take(&signed);
        let left = run.store.load(&path, &config()).unwrap().unsigned;
        assert!(!left.contains(wish), "it was signed and is still asked for");
    }
    drop(run);
    assert_eq!(Store::open(&path).unwrap().load(&path, &config()).unwrap().unsigned, []);
}

#[test]
fn a_wish_for_a_signature_that_was_made_before_is_kept_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let mut run = Run::open(&path, &config());
    run.signs = false;
    run.start();
    run.pass(700);
    let sign = run.wished.iter().find(|effect| matches!(effect, Effect::Sign { .. })).unwrap().clone();
    let before = count(&path, "effects");
    run.store.commit_one(run.seq + 1, &tick(), &[sign]).unwrap();
    assert_eq!(count(&path, "effects"), before);
}

#[test]
fn looks_and_alerts_leave_nothing_to_be_done_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    let look = Effect::ProbeAnchors { id: Hash32([1; 32]) };
    let alert = Effect::Alert { id: Hash32([2; 32]), message: "look here".into() };
    run.store.commit_one(1, &tick(), &[look, alert]).unwrap();
    assert_eq!((count(&path, "effects"), count(&path, "outbox")), (0, 0));
}

#[test]
fn a_wish_for_what_is_on_its_way_starts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    run.store.commit_one(1, &tick(), &[submit(1), submit(2)]).unwrap();
    let on_its_way = Row { state: RowState::Reserved { nonce: 7 }, ..run.store.lane().unwrap()[0].clone() };
    run.store.put_row(&on_its_way).unwrap();
    run.store.commit_one(2, &tick(), &[submit(1)]).unwrap();
    let rows = run.store.lane().unwrap();
    assert_eq!((rows.len(), &rows[0]), (2, &on_its_way));

    // Nor does one for what has ended, as long as core was not told of the end.
    let ended = Row { state: RowState::Done, ..on_its_way };
    run.store.put_row(&ended).unwrap();
    run.store.commit_one(3, &tick(), &[submit(1)]).unwrap();
    assert_eq!(run.store.lane().unwrap()[0], ended);
}

#[test]
fn a_wish_for_what_has_ended_starts_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    run.store.commit_one(1, &tick(), &[submit(1), submit(2)]).unwrap();
    let failed = RowState::Failed { why: "reverted".into() };
    run.store.put_row(&Row { state: failed, ..run.store.lane().unwrap()[0].clone() }).unwrap();
    run.store.commit_one(2, &settled(1), &[]).unwrap();
    assert_eq!(lane(&run.store), [2]);
    run.store.commit_one(3, &tick(), &[submit(1)]).unwrap();
    let rows = run.store.lane().unwrap();
    let anew = rows.iter().find(|row| row.id == Hash32([1; 32])).unwrap();
    assert_eq!(anew.state, RowState::Queued);
    assert_eq!((rows.len(), count(&path, "outbox")), (2, 2));
}

#[test]
fn an_end_and_the_next_wish_for_the_same_may_come_in_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    run.store.commit_one(1, &tick(), &[submit(1)]).unwrap();
    run.store.put_row(&Row { state: RowState::Done, ..run.store.lane().unwrap()[0].clone() }).unwrap();
    run.store.commit_one(2, &settled(1), &[submit(1)]).unwrap();
    assert_eq!(run.store.lane().unwrap()[0].state, RowState::Queued);
}

#[test]
fn rows_are_listed_after_reopening_until_core_knows_their_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    run.store.commit_one(1, &tick(), &[submit(3), submit(1), submit(2)]).unwrap();
    let rows = run.store.lane().unwrap();
    run.store.put_row(&Row { state: RowState::Done, ..rows[0].clone() }).unwrap();
    drop(run);

    let store = Store::open(&path).unwrap();
    assert_eq!(lane(&store), [3, 1, 2], "in the order of the wishes, the ended one too");
    assert_eq!(store.lane().unwrap()[0].state, RowState::Done);
    store.commit_one(2, &settled(3), &[]).unwrap();
    drop(store);
    assert_eq!(lane(&Store::open(&path).unwrap()), [1, 2]);
}

#[test]
fn an_unreadable_row_of_the_lane_is_an_error_not_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keeper.db");
    let run = Run::open(&path, &config());
    run.store.commit_one(1, &tick(), &[submit(1)]).unwrap();
    raw(&path).execute("UPDATE outbox SET row = '{}'", []).unwrap();
    let text = run.store.lane().unwrap_err().to_string();
    assert!(text.starts_with("the store holds something unreadable (outbox): "), "{text}");
}
