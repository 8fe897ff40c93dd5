//! A session of a round waits where it is told to, and what it waits is in nobody's time.

use std::cell::Cell;
use std::rc::Rc;

use ed25519_dalek::SigningKey;
use surety_verifier::evidence::{ReplayError, replay};
use surety_verifier::frame::{Frame, FrameType, Walk};
use surety_verifier::limits::HOLD_MAX_MS;
use surety_verifier::session::{Challenge, KeeperSession, Limits, Next, Outcome, ProverSession, SessionError};
use surety_verifier::transcript::Party;
use surety_verifier::verdict::{Phase, Shortfall, Unmeasured, Verdict};

use crate::rig::{TINY, challenge, cpus, proven, prover, secrets};

/// A session in which the keeper waits `hold_ms` before the work, the walk and the question; answers take 2 ms.
fn held_for(hold_ms: u64) -> Outcome {
    let (session, mut sent) = KeeperSession::new(challenge(TINY, 1, [9; 32]), secrets(&TINY), 0).unwrap();
    let (mut session, mut prover, mut now_ms) = (session.in_round(), prover(cpus(1)), 0);
    loop {
        let answers: Vec<Frame> = sent.drain(..).flat_map(|frame| prover.on_frame(frame).unwrap()).collect();
        now_ms += 2;
        for answer in answers {
            match session.on_frame(answer, now_ms).unwrap() {
                Next::Send(frames) => sent.extend(frames),
                Next::Wait => {}
                Next::Ready => {
                    now_ms += hold_ms;
                    sent.extend(session.go(now_ms).unwrap());
                }
                Next::Done(outcome) => return *outcome,
            }
        }
    }
}

fn times(outcome: &Outcome, kind: FrameType) -> Vec<u64> {
    let of_kind = outcome.transcript.events.iter().filter(|event| event.frame[4] == kind as u8);
    of_kind.map(|event| event.at_ms).collect()
}

#[test]
fn waiting_for_others_costs_a_machine_nothing() {
    for hold_ms in [0, 20_000, HOLD_MAX_MS] {
        let outcome = held_for(hold_ms);
        assert_eq!(outcome.verdict, proven(1), "{hold_ms} ms");
        let (last_echo_ms, start_ms) = (times(&outcome, FrameType::EchoAck)[19], times(&outcome, FrameType::Start)[0]);
        assert_eq!(start_ms - last_echo_ms, hold_ms);
        assert_eq!(times(&outcome, FrameType::Root)[0] - start_ms, 2);
        assert_eq!(times(&outcome, FrameType::Walk)[0] - times(&outcome, FrameType::Root)[0], hold_ms);
        assert_eq!(times(&outcome, FrameType::Open)[0] - times(&outcome, FrameType::Walked)[0], hold_ms);
    }
}

#[test]
fn a_session_that_waited_replays_like_any_other_and_at_no_other_time() {
    let outcome = held_for(7_000);
    assert_eq!(replay(&outcome.transcript, &secrets(&TINY)), Ok(outcome.verdict));
    let start = outcome.transcript.events.iter().position(|event| event.frame[4] == FrameType::Start as u8).unwrap();
    for at_ms in [0, HOLD_MAX_MS + 1_000] {
        let mut other = outcome.transcript.clone();
        other.events[start].at_ms = at_ms;
        assert!(matches!(replay(&other, &secrets(&TINY)), Err(ReplayError::Differs | ReplayError::End)));
    }
}

/// A session that waits before the work.
fn waiting() -> KeeperSession {
    let (session, mut sent) = KeeperSession::new(challenge(TINY, 1, [9; 32]), secrets(&TINY), 0).unwrap();
    let (mut session, mut prover) = (session.in_round(), prover(cpus(1)));
    loop {
        let answer = prover.on_frame(sent.remove(0)).unwrap().remove(0);
        match session.on_frame(answer, 1).unwrap() {
            Next::Send(frames) => sent = frames,
            Next::Ready => return session,
            next => panic!("{next:?}"),
        }
    }
}

#[test]
fn a_machine_that_speaks_while_it_is_to_wait_is_not_measured() {
    let mut session = waiting();
    let echo = surety_verifier::frame::Echo { sequence: 20, nonce: [0; 16] };
    let Next::Done(outcome) = session.on_frame(Frame::EchoAck(echo), 2).unwrap() else { panic!("it goes on") };
    let unexpected = Unmeasured::Unexpected { phase: Phase::Echo, kind: FrameType::EchoAck };
    assert_eq!(outcome.verdict, Verdict::Unmeasured(unexpected));
}

#[test]
fn a_keeper_that_waits_for_too_long_has_timed_out() {
    let mut session = waiting();
    assert_eq!(session.go(1 + HOLD_MAX_MS + 1), Err(SessionError::NotHeld));
    let outcome = session.on_timeout(1 + HOLD_MAX_MS + 1).unwrap();
    assert_eq!(outcome.verdict, Verdict::Unmeasured(Unmeasured::TimedOut { phase: Phase::Echo }));
    assert_eq!(replay(&outcome.transcript, &secrets(&TINY)), Ok(outcome.verdict));
}

#[test]
fn a_session_goes_on_only_where_it_waits() {
    let (mut session, _) = KeeperSession::new(challenge(TINY, 1, [9; 32]), secrets(&TINY), 0).unwrap();
    assert_eq!(session.go(1), Err(SessionError::NotHeld));
    let mut session = waiting();
    assert!(matches!(session.go(5).unwrap()[..], [Frame::Start(_)]));
    assert_eq!(session.go(5), Err(SessionError::NotHeld));
    assert!(held_for(0).transcript.frames_from(Party::Keeper).any(|frame| matches!(frame, Frame::Walk(Walk { .. }))));
}

/// A card: work that comes while it is busy waits. Each fill takes 100 ms, of the 150 there are.
#[derive(Clone, Default)]
struct Card(Rc<Cell<u64>>);

impl Card {
    fn done_ms(&self, now_ms: u64) -> u64 {
        self.0.set(self.0.get().max(now_ms) + 100);
        self.0.get()
    }
}

/// A machine on offer, and the session it is measured in.
struct Listing {
    card: Card,
    session: KeeperSession,
    prover: ProverSession<SigningKey>,
    sent: Vec<Frame>,
    verdict: Option<Verdict>,
}

impl Listing {
    fn new(card: &Card, random: u8) -> Self {
        let limits = Limits { compute_pass_ms: 150, ..Limits::cpu_test() };
        let challenge = Challenge { limits, ..challenge(TINY, 1, [random; 32]) };
        let (session, sent) = KeeperSession::new(challenge, secrets(&TINY), 0).unwrap();
        Self { card: card.clone(), session: session.in_round(), prover: prover(cpus(1)), sent, verdict: None }
    }

    /// From here to where it waits for others, or to its end: says when that is.
    fn go_on(&mut self, mut now_ms: u64) -> u64 {
        if self.sent.is_empty() {
            self.sent = self.session.go(now_ms).unwrap();
        }
        loop {
            let frames: Vec<Frame> = self.sent.drain(..).collect();
            for frame in frames {
                now_ms = if matches!(frame, Frame::Start(_)) { self.card.done_ms(now_ms) } else { now_ms + 1 };
                for answer in self.prover.on_frame(frame).unwrap() {
                    match self.session.on_frame(answer, now_ms).unwrap() {
                        Next::Send(frames) => self.sent.extend(frames),
                        Next::Wait => {}
                        Next::Ready => return now_ms,
                        Next::Done(outcome) => {
                            self.verdict = Some(outcome.verdict);
                            return now_ms;
                        }
                    }
                }
            }
        }
    }
}

/// Steps of a session: to the work, to the walk, to the question, to the end.
const STEPS: usize = 4;

/// One after the other, each without waiting for the other.
fn in_turn(cards: [&Card; 2]) -> [Verdict; 2] {
    let mut now_ms = 0;
    cards.map(|card| {
        let mut listing = Listing::new(card, 1);
        (0..STEPS).for_each(|_| now_ms = listing.go_on(now_ms));
        listing.verdict.unwrap()
    })
}

/// Both at one moment, at each step.
fn in_one_round(cards: [&Card; 2]) -> [Verdict; 2] {
    let mut listings = [Listing::new(cards[0], 1), Listing::new(cards[1], 2)];
    let mut now_ms = 0;
    for _ in 0..STEPS {
        let come = listings.each_mut().map(|listing| listing.go_on(now_ms));
        now_ms = come.into_iter().max().unwrap();
    }
    listings.map(|listing| listing.verdict.unwrap())
}

#[test]
fn one_card_behind_two_listings_passes_for_each_in_turn_and_for_one_of_them_in_a_round() {
    let (one, same, other) = (Card::default(), Card::default(), Card::default());
    assert_eq!(in_turn([&one, &one]), [proven(1), proven(1)], "nobody sees it");
    let late = Shortfall { phase: Phase::Compute, took_ms: 199, allowed_ms: 150 };
    assert_eq!(in_one_round([&same, &same]), [proven(1), Verdict::Underperforming(late)]);
    assert_eq!(in_one_round([&Card::default(), &other]), [proven(1), proven(1)], "two cards are two");
}
