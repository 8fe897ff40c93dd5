use super::*;
use crate::fixtures::{START, fault, rental, says, times};
use crate::types::Kind;
use crate::view::{CaseStatus, CaseView, RentalView};
use crate::world::Snapshot;
use proptest::prelude::*;

mod lane;

fn row(state: RowState) -> Row {
    Row { id: Hash32::default(), intent: Intent::Execute { case_id: 1 }, state }
}

fn tx() -> Tx {
    let (raw, hash) = ("0x01".to_owned(), Hash32([1; 32]));
    Tx { nonce: 7, raw, hash, max_fee_wei: 20, earlier: vec![Hash32([9; 32])], silent_polls: 0 }
}

/// Nonce 7 is next, nothing is known of our transaction.
fn seen() -> Seen {
    Seen {
        settled: Settled::NotYet,
        final_block: 100,
        final_nonce: 7,
        latest_nonce: 7,
        pending_nonce: 7,
        lane_nonce: None,
        head_of_lane: true,
        receipt: None,
        nonce_used_by: None,
        answer: None,
        funded: true,
    }
}

fn failed(why: &str) -> Action {
    Action::Finish(TxOutcome::Failed { why: why.to_owned() })
}

#[test]
fn what_somebody_else_did_is_not_done_again() {
    let done = Seen { settled: Settled::Settled, ..seen() };
    assert_eq!(next_action(&row(RowState::Queued), &done), Action::Finish(TxOutcome::Settled));
    assert_eq!(next_action(&row(RowState::Reserved { nonce: 7 }), &done), Action::Requeue);
}

#[test]
fn a_reserved_nonce_that_something_else_used_is_given_up_before_anything_is_signed() {
    let reserved = row(RowState::Reserved { nonce: 7 });
    assert_eq!(next_action(&reserved, &seen()), Action::Sign { nonce: 7 });
    assert_eq!(next_action(&reserved, &Seen { latest_nonce: 8, ..seen() }), Action::Requeue);
}

#[test]
fn nonces_are_taken_in_order_and_never_shared() {
    let queued = row(RowState::Queued);
    assert_eq!(next_action(&queued, &seen()), Action::ReserveNonce { nonce: 7 });
    let held = Seen { lane_nonce: Some(9), pending_nonce: 8, ..seen() };
    assert_eq!(next_action(&queued, &held), Action::ReserveNonce { nonce: 10 });
    assert_eq!(next_action(&queued, &Seen { head_of_lane: false, ..seen() }), Action::Wait);
}

#[test]
fn stored_bytes_are_sent_again_after_a_crash_or_a_lost_answer() {
    assert_eq!(next_action(&row(RowState::Prepared(tx())), &seen()), Action::Broadcast);
    for answer in [None, Some(Answer::Lost)] {
        assert_eq!(next_action(&row(RowState::Sent(tx())), &Seen { answer, ..seen() }), Action::Broadcast);
    }
}

#[test]
fn already_known_proves_nothing() {
    let known = Seen { answer: Some(Answer::AlreadyKnown), ..seen() };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &known), Action::PollReceipt);
    let silent = Tx { silent_polls: SILENT_POLLS_MAX, ..tx() };
    let resign = Action::Resign { nonce: 7, max_fee_wei: 21 };
    assert_eq!(next_action(&row(RowState::Sent(silent.clone())), &known), resign);
    let in_pool = Seen { pending_nonce: 8, ..known };
    assert_eq!(next_action(&row(RowState::Sent(silent)), &in_pool), Action::PollReceipt);
}

#[test]
fn refused_bytes_are_signed_anew_at_the_same_nonce_with_one_wei_more() {
    let refused = Seen { answer: Some(Answer::Refused), ..seen() };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &refused), Action::Resign { nonce: 7, max_fee_wei: 21 });
    let poor = Seen { funded: false, ..refused };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &poor), Action::AskForFunds);
    let signed = Done::Signed { raw: "0x02".to_owned(), hash: Hash32([2; 32]), max_fee_wei: 21 };
    let next = row(RowState::Sent(tx())).apply(&signed).unwrap_or_else(|why| panic!("{why}"));
    let RowState::Prepared(again) = next.state else { panic!("not prepared") };
    assert!(again.is(&Hash32([1; 32])) && again.is(&Hash32([2; 32])) && again.is(&Hash32([9; 32])));
    assert_eq!(again.nonce, 7);
}

#[test]
fn nonce_too_low_is_reconciled_from_state() {
    let low = Seen { answer: Some(Answer::NonceTooLow), ..seen() };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &low), Action::ReconcileFromState);
    let used = Seen { final_nonce: 8, latest_nonce: 8, pending_nonce: 8, ..low };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &used), Action::ReconcileFromState);
}

#[test]
fn hole_23_a_new_nonce_is_taken_only_when_the_old_one_is_used_by_another() {
    let used = Seen { final_nonce: 8, latest_nonce: 8, pending_nonce: 8, ..seen() };
    let by = |hash: Option<Hash32>| Seen { nonce_used_by: hash, ..used.clone() };
    for state in [RowState::Prepared(tx()), RowState::Sent(tx())] {
        assert_eq!(next_action(&row(state.clone()), &by(None)), Action::ReconcileFromState);
        assert_eq!(next_action(&row(state.clone()), &by(Some(Hash32([1; 32])))), Action::PollReceipt);
        assert_eq!(next_action(&row(state.clone()), &by(Some(Hash32([9; 32])))), Action::PollReceipt, "earlier bytes");
        assert_eq!(next_action(&row(state), &by(Some(Hash32([5; 32])))), Action::Requeue);
    }
    let mined_only = Seen { latest_nonce: 8, pending_nonce: 8, ..seen() };
    assert_eq!(next_action(&row(RowState::Sent(tx())), &mined_only), Action::PollReceipt, "not final yet");
}

#[test]
fn hole_22_success_is_what_the_contract_shows_at_finality() {
    let mined = |ok: bool| row(RowState::Mined { tx: tx(), block: 99, ok });
    let receipt =
        |ok: bool| Seen { receipt: Some(Receipt { block: 99, ok }), latest_nonce: 8, final_nonce: 8, ..seen() };
    let early = Seen { final_block: 98, settled: Settled::Settled, ..receipt(true) };
    assert_eq!(next_action(&mined(true), &early), Action::PollReceipt);
    assert_eq!(next_action(&mined(false), &receipt(false)), failed("reverted"));
    let lie = "mined without error, but the contract does not show it";
    assert_eq!(next_action(&mined(true), &receipt(true)), failed(lie));
    let done = Seen { settled: Settled::Settled, ..receipt(false) };
    assert_eq!(next_action(&mined(false), &done), Action::Finish(TxOutcome::Settled), "somebody else was first");
}

#[test]
fn a_reorg_brings_a_mined_row_back() {
    let mined = row(RowState::Mined { tx: tx(), block: 99, ok: true });
    assert_eq!(next_action(&mined, &seen()), Action::Broadcast);
    let moved = Seen { receipt: Some(Receipt { block: 101, ok: false }), latest_nonce: 8, ..seen() };
    assert_eq!(next_action(&mined, &moved), Action::RecordMined { block: 101, ok: false });
    let null = Seen { latest_nonce: 8, ..seen() };
    assert_eq!(next_action(&mined, &null), Action::PollReceipt, "receipts may be null for a while");
}

#[test]
fn ended_rows_stay_ended() {
    for state in [RowState::Done, RowState::Failed { why: String::new() }] {
        assert_eq!(next_action(&row(state.clone()), &seen()), Action::Wait);
        assert!(row(state).apply(&Done::Requeued).is_err());
    }
    assert!(row(RowState::Queued).apply(&Done::Broadcast).is_err());
}

fn world(rental: RentalView, at: u64) -> Snapshot {
    let mut view = Snapshot::default();
    view.block.timestamp_secs = START + at;
    view.rentals.put(rental);
    view
}

fn file(kind: Kind, from: u64, until: u64) -> Intent {
    Intent::File {
        kind,
        rental: 1,
        gap: 0,
        attestations: vec![says(1, kind, from, until), says(2, kind, from + 5, until)],
    }
}

fn settled(view: &Snapshot, intent: &Intent) -> Settled {
    intent_settled(&FinalWorld { view, times: times(), burn_credit_rao: None }, intent)
}

#[test]
fn a_filing_is_settled_by_the_recorded_fault_whoever_filed_it() {
    let intent = file(Kind::Interrupted, 100, 400);
    assert_eq!(settled(&world(rental(1), 500), &intent), Settled::NotYet);
    let recorded = RentalView { faults: vec![fault(105, 400)], ..rental(1) };
    assert_eq!(settled(&world(recorded, 500), &intent), Settled::Settled);
    let elsewhere = RentalView { faults: vec![fault(1_000, 1_200)], ..rental(1) };
    assert_eq!(settled(&world(elsewhere, 1_500), &intent), Settled::NotYet);
    let partly = RentalView { faults: vec![fault(100, 200)], ..rental(1) };
    assert_eq!(settled(&world(partly, 500), &intent), Settled::NotYet, "200 s are still open");
}

#[test]
fn a_filing_the_chain_will_refuse_for_ever_is_impossible() {
    let offline = file(Kind::Offline, 100, 1_100);
    let is = |view: &Snapshot, intent: &Intent| matches!(settled(view, intent), Settled::Impossible(_));
    assert!(!is(&world(rental(1), 1_400), &offline));
    assert!(is(&world(rental(1), 1_401), &offline), "stale");
    let ended = RentalView { end_secs: START + 1_200, ..rental(1) };
    assert!(is(&world(ended, 1_300), &offline));
    let paid = RentalView { paid_until_secs: START + 390, ..rental(1) };
    assert!(is(&world(paid, 500), &file(Kind::Interrupted, 100, 400)));
    let closed = RentalView { closed: true, ..rental(1) };
    assert!(is(&world(closed, 500), &file(Kind::Interrupted, 100, 400)));
    assert_eq!(settled(&Snapshot::default(), &offline), Settled::NotYet, "not read is not absent");
}

#[test]
fn an_offline_of_anybody_ends_the_rental_and_settles_ours() {
    let ended = RentalView { end_secs: START + 1_200, faults: vec![fault(110, 1_200)], ..rental(1) };
    assert_eq!(settled(&world(ended, 1_300), &file(Kind::Offline, 100, 1_100)), Settled::Settled);
}

#[test]
fn executions_and_burns_are_settled_by_state() {
    let mut view = Snapshot::default();
    let execute = Intent::Execute { case_id: 4 };
    assert_eq!(settled(&view, &execute), Settled::NotYet);
    let now_secs = view.block.timestamp_secs;
    for (status, executable_at_secs, want) in [
        (CaseStatus::Filed, now_secs, Some(Settled::NotYet)),
        (CaseStatus::Executed, 0, Some(Settled::Settled)),
        (CaseStatus::Refunded, now_secs + 1, Some(Settled::Settled)),
        (CaseStatus::Refunded, now_secs, Some(Settled::NotYet)),
        (CaseStatus::Appealed, now_secs, Some(Settled::NotYet)),
        (CaseStatus::Appealed, now_secs + 1, None),
        (CaseStatus::RefundedAppealed, now_secs + 1, None),
        (CaseStatus::Dismissed, 0, None),
    ] {
        let case = CaseView {
            id: 4,
            kind: Kind::Offline,
            status,
            rental: 1,
            executable_at_secs,
            penalty_rao: 5,
            registration: 1,
            filed_at_secs: START,
        };
        view.cases.put(&case, usize::MAX);
        let found = settled(&view, &execute);
        assert!(want.map_or(matches!(found, Settled::Impossible(_)), |want| found == want), "{status:?}: {found:?}");
    }
    let burn = |credit| {
        intent_settled(&FinalWorld { view: &view, times: times(), burn_credit_rao: credit }, &Intent::FlushBurn)
    };
    assert_eq!(burn(None), Settled::NotYet);
    assert_eq!(burn(Some(0)), Settled::Settled);
    assert_eq!(burn(Some(500)), Settled::NotYet);
    assert!(matches!(burn(Some(499)), Settled::Impossible(_)));
}

#[test]
fn a_close_is_settled_when_all_its_rentals_are_closed_whoever_did_it() {
    let close = Intent::Close { rentals: vec![1, 2, 3] };
    let with = |closed: [bool; 2]| {
        let mut view = Snapshot::default();
        for (id, closed) in (2u64..).zip(closed) {
            view.rentals.put(RentalView { closed, ..rental(id) });
        }
        // Rental 1 was closed so long ago that it is not kept any more.
        intent_settled(&FinalWorld { view: &view, times: times(), burn_credit_rao: None }, &close)
    };
    assert_eq!(with([true, false]), Settled::NotYet);
    assert_eq!(with([true, true]), Settled::Settled);
}

#[test]
fn a_claim_is_settled_when_the_miner_is_paid_further_or_to_the_end() {
    let claim = Intent::Claim { rental: 1, past_secs: START };
    let with = |changed: RentalView| {
        let mut view = Snapshot::default();
        view.rentals.put(changed);
        intent_settled(&FinalWorld { view: &view, times: times(), burn_credit_rao: None }, &claim)
    };
    assert_eq!(with(rental(1)), Settled::NotYet);
    assert_eq!(with(RentalView { paid_until_secs: START + 1, ..rental(1) }), Settled::Settled);
    assert_eq!(with(RentalView { closed: true, ..rental(1) }), Settled::Settled);
}

#[test]
fn what_is_wanted_of_a_rental_that_finality_does_not_show_yet_is_not_settled() {
    let wanted = [Intent::Claim { rental: 7, past_secs: START }, Intent::Close { rentals: vec![7] }];
    let with = |view: &Snapshot| {
        let world = FinalWorld { view, times: times(), burn_credit_rao: None };
        wanted.each_ref().map(|intent| intent_settled(&world, intent))
    };
    let mut view = Snapshot::default();
    assert_eq!(with(&view), [Settled::NotYet, Settled::NotYet], "no rental is final");
    view.rentals.put(rental(6));
    assert_eq!(with(&view), [Settled::NotYet, Settled::NotYet], "an older one is");
    view.rentals.put(rental(8));
    assert_eq!(with(&view), [Settled::Settled, Settled::Settled], "a newer one is: this one made room");
}
