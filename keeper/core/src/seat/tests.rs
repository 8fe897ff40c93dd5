use super::*;
use crate::fixtures::{START, account, config, rental, tick, times, update};
use crate::input::{Input, Started};
use crate::outbox::{FinalWorld, Settled, intent_settled};
use crate::step::step;
use crate::view::View;

const DAY: u64 = 86_400;
/// Of a day, at 33 per cent.
const LEAD: u64 = 28_512;

fn contact() -> Contact {
    Contact { ssh_key: SshKey([7; 32]), url: "https://keeper.example".to_owned() }
}

fn rules() -> SeatRules {
    SeatRules { contact: Some(contact()), ..SeatRules::default() }
}

/// Of hotkey 1 at uid 5, until so many seconds after [`START`].
fn seat(until: u64) -> Option<Seat> {
    Some(Seat { weight_rao: 40, active_until_secs: START + until, uid: 5, hotkey: Hash32([1; 32]) })
}

fn claim(hotkey: u8, power_rao: Rao) -> Option<Claim> {
    Some(Claim { uid: 6, hotkey: Hash32([hotkey; 32]), power_rao })
}

/// Tracking on, hotkey 1 associated, seated for a day from [`START`].
fn seated() -> SeatView {
    let (set, check_in_secs, contact) = (account(104), DAY, Some(contact()));
    SeatView { set, check_in_secs, contact, seat: seat(DAY), tracked: true, claim: claim(1, 40) }
}

fn at(view: &SeatView, secs: u64) -> (Deed, Option<Trouble>) {
    weigh(view, &rules(), START + secs)
}

const CHECK_IN: (Deed, Option<Trouble>) = (Deed::CheckIn { uid: 6 }, None);
const REST: (Deed, Option<Trouble>) = (Deed::Rest, None);

fn cannot(trouble: Trouble) -> (Deed, Option<Trouble>) {
    (Deed::Rest, Some(trouble))
}

#[test]
fn a_seat_is_prolonged_a_third_before_its_end_and_not_a_second_sooner() {
    assert_eq!(at(&seated(), 0), REST);
    assert_eq!(at(&seated(), DAY - LEAD - 1), REST);
    assert_eq!(at(&seated(), DAY - LEAD), CHECK_IN);
    assert_eq!(at(&seated(), DAY), CHECK_IN, "its last second");
    assert_eq!(at(&seated(), DAY + 1), CHECK_IN, "silent (K3)");
}

#[test]
fn who_was_unseated_checks_in_and_who_never_was_here_joins() {
    let unseated = SeatView { seat: None, ..seated() };
    assert_eq!(at(&unseated, 0), CHECK_IN);
    let unknown = SeatView { contact: None, ..unseated };
    assert_eq!(at(&unknown, 0), (Deed::Join { uid: 6 }, None));
    let nameless = SeatRules::default();
    assert_eq!(weigh(&unknown, &nameless, START), cannot(Trouble::NoContact));
    let idle = SeatRules { enabled: false, ..rules() };
    assert_eq!(weigh(&unknown, &idle, START), cannot(Trouble::SwitchedOff));
}

/// Every row of SPEC's KT1 to KT3, and what the contract answers outside of them.
#[test]
fn nothing_is_sent_that_the_contract_would_refuse() {
    let late = DAY - 1;
    let silent = DAY + 1;
    let on = seated();
    let off = SeatView { tracked: false, claim: claim(1, 0), ..seated() };
    let table = [
        ("on, seated, nobody associated", SeatView { claim: None, ..on.clone() }, late, cannot(Trouble::NotAssociated)),
        ("on, seated, no power", SeatView { claim: claim(1, 0), ..on.clone() }, late, cannot(Trouble::NoPower)),
        ("on, unseated, no power", SeatView { seat: None, claim: claim(1, 0), ..on }, 0, cannot(Trouble::NoPower)),
        ("off, active, same hotkey: time alone", off.clone(), late, CHECK_IN),
        ("off, active, not yet due", off.clone(), 0, REST),
        (
            "off, active, other hotkey",
            SeatView { claim: claim(2, 0), ..off.clone() },
            late,
            cannot(Trouble::HotkeyMoved),
        ),
        ("off, silent", off.clone(), silent, cannot(Trouble::TrackingOff)),
        ("off, unseated", SeatView { seat: None, ..off.clone() }, 0, cannot(Trouble::TrackingOff)),
        ("off, unknown", SeatView { seat: None, contact: None, ..off }, 0, cannot(Trouble::TrackingOff)),
    ];
    for (what, view, secs, want) in table {
        assert_eq!(at(&view, secs), want, "{what}");
    }
}

#[test]
fn trouble_is_told_of_while_there_is_still_time_to_mend_it() {
    let view = SeatView { claim: None, ..seated() };
    assert_eq!(at(&view, 0), cannot(Trouble::NotAssociated), "a day before the seat ends");
}

#[test]
fn a_swapped_hotkey_moves_the_seat_at_once_since_the_old_one_counts_nothing() {
    assert_eq!(at(&SeatView { claim: claim(2, 40), ..seated() }, 0), CHECK_IN);
}

/// A keeper that has read `view` at `secs`, at both ends.
fn keeper(view: &SeatView, secs: u64) -> State {
    let mut state =
        State::new(crate::state::Config { seat: rules(), ..config() }).unwrap_or_else(|why| panic!("{why}"));
    let now_unix_ms = (START + secs) * 1_000;
    step(&mut state, &Input::Started(Started { now_unix_ms, now_ms: 0, times: times() }));
    reads(&mut state, View::Finalized, view, secs);
    reads(&mut state, View::Best, view, secs);
    state.health.blind = None;
    state
}

fn reads(state: &mut State, end: View, view: &SeatView, secs: u64) {
    let seat = Some(view.clone());
    let update = crate::input::ChainUpdate { seat, ..update(end, START + secs, secs, rental(1)) };
    step(state, &Input::Chain(Box::new(update)));
}

/// What is submitted, and what is told, about the seat alone.
fn told(state: &mut State) -> (Vec<(EffectId, Intent)>, Vec<String>) {
    let mut effects = Vec::new();
    keep(state, &mut effects);
    let mut said = (vec![], vec![]);
    for effect in effects {
        match effect {
            Effect::Submit { id, intent } => said.0.push((id, intent)),
            Effect::Alert { message, .. } => said.1.push(message),
            other => panic!("{other:?}"),
        }
    }
    said
}

fn ends(state: &mut State, id: EffectId, outcome: TxOutcome) -> usize {
    step(state, &Input::Tx(TxResult { id, outcome })).len()
}

#[test]
fn one_check_in_is_under_way_at_a_time_and_after_it_the_keeper_rests() {
    let mut state = keeper(&seated(), DAY - LEAD);
    let (submitted, alerts) = told(&mut state);
    assert_eq!(alerts, Vec::<String>::new());
    let [(id, Intent::CheckIn { uid: 6, past_secs, set })] = submitted.as_slice() else { panic!("{submitted:?}") };
    assert_eq!((*past_secs, *set), (START + DAY, account(104)));
    assert_eq!(told(&mut state).0, []);
    let longer = SeatView { seat: seat(2 * DAY - LEAD), ..seated() };
    reads(&mut state, View::Best, &longer, DAY - LEAD + 12);
    assert_eq!(ends(&mut state, *id, TxOutcome::Settled), 0);
    assert_eq!(told(&mut state), (vec![], vec![]));
}

#[test]
fn a_failed_check_in_is_made_anew_under_another_id_ever_more_slowly() {
    let mut state = keeper(&seated(), DAY - LEAD);
    let (mut waits, mut ids) = (vec![], vec![]);
    for _ in 0..8 {
        let (submitted, _) = told(&mut state);
        ids.push(submitted[0].0);
        let before = state.clock.now_secs();
        assert_eq!(ends(&mut state, submitted[0].0, TxOutcome::Failed { why: "reverted".into() }), 1);
        waits.push(state.seat.retry_at_secs - before);
        assert_eq!(told(&mut state).0, [], "not before the wait is over");
        state.clock.now_unix_ms = state.seat.retry_at_secs * 1_000;
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 960, 960]);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn the_same_log_asks_for_the_same_transaction_after_a_crash_and_a_committed_one_is_not_asked_for_again() {
    let fresh = || keeper(&seated(), DAY - LEAD);
    let (mut first, mut second) = (fresh(), fresh());
    assert_eq!(told(&mut first).0, told(&mut second).0, "died before the commit: the same id and intent");
    let snapshot = serde_json::to_string(&first).unwrap_or_else(|why| panic!("{why}"));
    let mut revived: State = serde_json::from_str(&snapshot).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(revived, first);
    let now_unix_ms = (START + DAY - LEAD) * 1_000;
    step(&mut revived, &Input::Started(Started { now_unix_ms, now_ms: 0, times: times() }));
    revived.health.blind = None;
    assert_eq!(told(&mut revived).0, [], "died after the commit: the outbox has it");
}

#[test]
fn a_keeper_that_does_not_know_the_chain_sends_nothing() {
    for blind in [Blind::Starting, Blind::Rpc, Blind::NoChain] {
        let mut state = keeper(&seated(), DAY);
        state.health.blind = Some(blind);
        assert_eq!(told(&mut state), (vec![], vec![]), "{blind:?}");
    }
    for blind in [Blind::Anchors, Blind::Clock] {
        let mut state = keeper(&seated(), DAY - LEAD);
        state.health.blind = Some(blind);
        assert_eq!(told(&mut state).0.len(), 1, "a seat needs no eyes: {blind:?}");
    }
}

#[test]
fn the_operator_hears_of_each_trouble_once_of_a_seat_about_to_end_and_of_one_that_is_lost() {
    let alone = SeatView { claim: None, ..seated() };
    let mut state = keeper(&alone, 0);
    let (_, alerts) = told(&mut state);
    assert!(alerts.len() == 1 && alerts[0].contains("associate"), "{alerts:?}");
    assert_eq!(told(&mut state).1, Vec::<String>::new());
    reads(&mut state, View::Best, &alone, DAY - LEAD / 2 + 1);
    let (_, alerts) = told(&mut state);
    assert!(alerts.len() == 1 && alerts[0].contains("ends at"), "{alerts:?}");
    assert_eq!(told(&mut state).1, Vec::<String>::new());
    reads(&mut state, View::Best, &SeatView { seat: None, ..alone }, DAY);
    let (submitted, alerts) = told(&mut state);
    assert!(submitted.is_empty() && alerts.len() == 1 && alerts[0].contains("lost its seat"), "{alerts:?}");
    reads(&mut state, View::Best, &SeatView { seat: None, ..seated() }, DAY + 12);
    assert_eq!(told(&mut state).0.len(), 1, "associated again: it comes back");
}

#[test]
fn without_a_set_that_has_seats_there_is_nothing_to_keep() {
    let mut state = crate::fixtures::state(0);
    for _ in 0..3 {
        assert!(tick(&mut state).iter().all(|effect| !matches!(effect, Effect::Submit { .. })));
    }
    assert!(state.seat.is_default());
    let text = serde_json::to_string(&state).unwrap_or_else(|why| panic!("{why}"));
    assert!(!text.contains("\"seat\""), "states of before keep their hashes");
}

fn settled(at_finality: Option<SeatView>, intent: &Intent) -> Settled {
    let view = crate::world::Snapshot { seat: at_finality, ..Default::default() };
    intent_settled(&FinalWorld { view: &view, times: times(), burn_credit_rao: None }, intent)
}

#[test]
fn a_check_in_is_settled_when_finality_shows_a_seat_that_lasts_longer_than_before() {
    let intent = Intent::CheckIn { set: account(104), uid: 6, past_secs: START + DAY };
    assert_eq!(settled(None, &intent), Settled::NotYet);
    assert_eq!(settled(Some(seated()), &intent), Settled::NotYet);
    assert_eq!(settled(Some(SeatView { seat: None, ..seated() }), &intent), Settled::NotYet);
    assert_eq!(settled(Some(SeatView { seat: seat(DAY + 1), ..seated() }), &intent), Settled::Settled);
}

/// Somebody expired us, and finality does not show it yet: the seat it still shows is not the one we ask for.
#[test]
fn a_seat_that_finality_still_shows_does_not_settle_the_check_in_that_brings_it_back() {
    let mut state = keeper(&seated(), DAY + 1);
    reads(&mut state, View::Best, &SeatView { seat: None, ..seated() }, DAY + 13);
    let (submitted, _) = told(&mut state);
    assert_eq!(settled(Some(seated()), &submitted[0].1), Settled::NotYet);
    let back = SeatView { seat: seat(2 * DAY + 25), ..seated() };
    assert_eq!(settled(Some(back), &submitted[0].1), Settled::Settled);
}
