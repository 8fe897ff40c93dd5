//! The agent is killed at each call of the engine, before it had its effect and after, in the life of two rentals; the
//! next agent brings everything to where the chain wants it.

use crate::rig::{Agent, Machine, eventually};
use surety_core::types::RentalId;

/// Two rentals, one straight after the other, then none.
const LIFE: [Option<RentalId>; 3] = [Some(7), Some(8), None];

fn is_there(machine: &Machine, wanted: Option<RentalId>) -> bool {
    let rental = wanted.map(|id| id.to_string());
    let admitted = rental.clone().unwrap_or("-".into());
    let containers: Vec<_> = machine.containers().into_iter().map(|(_, rental, runs)| (rental, runs)).collect();
    let expected: Vec<_> = rental.iter().map(|rental| (rental.clone(), true)).collect();
    machine.admitted() == admitted && containers == expected && machine.config.tenant_dir().exists() == wanted.is_some()
}

/// Goes through the life; an agent that hangs at a call is killed and another is started.
async fn live(machine: &Machine) -> usize {
    let mut agent: Option<Agent> = Some(machine.agent());
    let mut killed = 0;
    for wanted in LIFE {
        machine.chain.set(wanted);
        loop {
            eventually(&format!("{wanted:?} or a hang"), || is_there(machine, wanted) || machine.is_hanging()).await;
            if !machine.is_hanging() {
                break;
            }
            agent.take().unwrap().kill().await;
            killed += 1;
            machine.mood("");
            agent = Some(machine.agent());
        }
        if let Some(id) = wanted {
            std::fs::write(machine.config.tenant_dir().join(format!("of-{id}")), "x").unwrap();
        }
    }
    agent.unwrap().stop().await;
    killed
}

/// What must hold at every call, whoever was killed when.
fn check(machine: &Machine, how: &str) {
    for call in machine.calls() {
        let holds = |what: &str| call.contains(what);
        if ["create", "rm"].iter().any(|verb| call.starts_with(verb)) {
            assert!(!holds("door=7") && !holds("door=8"), "{how}: somebody was let in at `{call}`");
        }
        if call.starts_with("create") {
            assert!(!holds("data=8:of-7"), "{how}: the next tenant would find data: `{call}`");
        }
    }
}

async fn lives_through(moment: &str) {
    let whole = Machine::new();
    assert_eq!(live(&whole).await, 0);
    let calls = whole.calls().len();
    assert!(calls >= 12, "{:?}", whole.calls());
    for number in 1..=calls {
        let machine = Machine::new();
        let how = format!("{moment} call {number}");
        machine.mood(&format!("{moment} {number}"));
        // The last looks are made by an agent that may be stopped before them.
        let killed = live(&machine).await;
        assert!(killed == 1 || number + 4 > calls, "{how}: killed {killed} times");
        check(&machine, &how);
    }
}

#[tokio::test]
async fn an_agent_killed_before_any_call_of_the_engine_is_followed_by_one_that_ends_the_work() {
    lives_through("before").await;
}

#[tokio::test]
async fn an_agent_killed_after_any_call_of_the_engine_is_followed_by_one_that_ends_the_work() {
    lives_through("after").await;
}
