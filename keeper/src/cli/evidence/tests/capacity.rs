//! What may be changed in the session behind a certificate.

use super::bundles::{certificate_over, certified, check_of, failure, honest, keeper, machine, measured, redone};
use super::*;
use surety_core::statement::Certificate;
use surety_verifier::Bytes32;
use surety_verifier::device::{Atop, CpuDevice, Device, DeviceError, FillJob, Held, Opening, Over, fill};
use surety_verifier::frame::{Bye, ByeCode, Frame, Leaf, encode};
use surety_verifier::transcript::{End, Event, Party, Transcript};

#[test]
fn a_stranger_cannot_change_the_session() {
    let bundle = changed(&certified(), |json| {
        json["evidence"]["subject"]["transcript"]["started_ms"] = json!(1);
    });
    assert_eq!(check_of(&bundle), Check::Digest);
}

/// The keeper certifies a session that it changed, everything else done anew and right.
fn changed_session(change: impl FnOnce(&mut Transcript)) -> (Check, String) {
    let mut transcript = honest();
    change(&mut transcript);
    failure(verify_bundle(&certificate_over(&transcript), None))
}

#[test]
fn a_keeper_that_changes_any_event_of_the_session_is_found_out() {
    let events = honest().events.len();
    for event in 0..events {
        let (check, why) = changed_session(|transcript| {
            let last = transcript.events[event].frame.len() - 1;
            transcript.events[event].frame[last] ^= 1;
        });
        assert_eq!(check, Check::Transcript, "event {event}: {why}");
    }
    for event in 0..events {
        let (check, why) = changed_session(|transcript| drop(transcript.events.remove(event)));
        assert_eq!(check, Check::Transcript, "without event {event}: {why}");
    }
}

#[test]
fn a_keeper_that_changes_the_times_is_found_out_where_they_do_not_fit() {
    let named = |what: &str, change: fn(&mut Transcript)| {
        let (check, why) = changed_session(change);
        assert_eq!(check, Check::Transcript);
        assert!(why.contains(what), "{why}");
    };
    named("earlier than the one before", |transcript| transcript.events[7].at_ms -= 10);
    named("the work took 40 ms, at most 39 ms", |transcript| transcript.challenge.limits.compute_ms = 39);
    named("the work took 37 ms, 36 ms are allowed", |transcript| transcript.challenge.limits.compute_pass_ms = 36);
    named("echoes took", |transcript| transcript.challenge.limits.echo_ms = 20);
}

#[test]
fn a_session_of_another_machine_class_count_or_keeper_is_named() {
    type Forge = fn(&mut Certificate, &mut Measured);
    let forgeries: [(&str, Forge); 4] = [
        ("another machine", |certificate, measured| {
            (certificate.machine.0[0], measured.machine.0[0]) = (1, 1);
        }),
        ("another registration", |certificate, measured| (certificate.registration, measured.registration) = (4, 4)),
        ("another class", |certificate, measured| (certificate.gpu_class, measured.gpu_class) = (2, 2)),
        ("another count", |certificate, measured| (certificate.gpu_count, measured.gpu_count) = (8, 8)),
    ];
    assert_ne!(machine().0[0], 1);
    for (what, forge) in forgeries {
        let bundle = redone(&certified(), &keeper(), |evidence, statement| {
            let (Statement::Certificate(certificate), Subject::Capacity(measured)) = (statement, &mut evidence.subject)
            else {
                panic!("not a certificate")
            };
            forge(certificate, measured);
        });
        let (check, why) = failure(verify_bundle(&bundle, None));
        assert_eq!(check, Check::Transcript);
        assert!(why.contains(what), "{why}");
    }
    let (_, keeper) = changed_session(|transcript| transcript.challenge.keeper[0] ^= 1);
    assert!(keeper.contains("keeper"), "{keeper}");
    let (_, chain) = changed_session(|transcript| transcript.challenge.chain_id = 42);
    assert!(chain.contains("another chain"), "{chain}");
}

#[test]
fn a_session_that_ended_otherwise_proves_nothing() {
    let (check, _) = changed_session(|transcript| transcript.end = End::TimedOut { at_ms: 5_000 });
    assert_eq!(check, Check::Transcript);
    let (check, why) = changed_session(|transcript| {
        let last = transcript.events.last_mut().unwrap();
        last.frame = encode(&Frame::Bye(Bye { code: ByeCode::Underperforming }));
    });
    assert_eq!(check, Check::Transcript);
    assert!(why.contains("verdict"), "{why}");
    let more = Event { at_ms: 9_000, from: Party::Keeper, frame: honest().events[0].frame.clone() };
    let (check, _) = changed_session(|transcript| transcript.events.push(more));
    assert_eq!(check, Check::Transcript);
}

#[test]
fn something_else_than_a_session_is_named() {
    for transcript in [json!("a transcript"), json!({}), json!([1, 2])] {
        let bundle = redone(&certified(), &keeper(), |evidence, _| {
            if let Subject::Capacity(measured) = &mut evidence.subject {
                measured.transcript = transcript.clone();
            }
        });
        assert_eq!(failure(verify_bundle(&bundle, None)).0, Check::Transcript);
    }
    let none = redone(&certified(), &keeper(), |evidence, _| {
        if let Subject::Capacity(measured) = &mut evidence.subject {
            measured.transcript = Value::Null;
        }
    });
    assert_eq!(check_of(&none), Check::Claim);
}

/// Works for another machine's seed: right sums, wrong task.
pub(in crate::cli) struct Lazy(CpuDevice);

impl Lazy {
    pub(in crate::cli) fn boxed() -> Box<dyn Device> {
        Box::new(Atop(Self(CpuDevice::new())))
    }
}

impl Over for Lazy {
    fn inner(&mut self) -> &mut dyn Device {
        &mut self.0
    }

    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.0.start(FillJob { gpu_seed: [0; 32], ..job })
    }
}

/// A device that computes rightly and invents where its walkers came by.
#[derive(Default)]
pub(in crate::cli) struct Astray(Option<Held>);

impl Astray {
    fn held(&self) -> Result<&Held, DeviceError> {
        self.0.as_ref().ok_or(DeviceError::NotFilled)
    }
}

impl Device for Astray {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.0 = Some(fill(&job));
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        Ok(self.held()?.roots())
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.held()?.open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        let invented: Vec<u64> = (0..256).map(|number| word ^ number).collect();
        self.0.as_mut().ok_or(DeviceError::NotFilled)?.keep_walk(word, &invented);
        Ok(())
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.held()?.walk_root()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.held()?.open_leg(walker, leg)
    }

    fn release(&mut self) {
        self.0 = None;
    }
}

#[test]
fn a_machine_that_cheated_is_not_certified_whatever_the_keeper_says() {
    let cheated = measured(Lazy::boxed());
    let (check, why) = failure(verify_bundle(&certificate_over(&cheated), None));
    assert_eq!(check, Check::Transcript);
    assert!(why.contains("the machine cheated"), "{why}");
    let astray = measured(Box::new(Astray::default()));
    let (check, why) = failure(verify_bundle(&certificate_over(&astray), None));
    assert_eq!(check, Check::Transcript);
    assert!(why.contains("ends elsewhere than it says: the machine cheated"), "{why}");
}
