#![allow(clippy::unwrap_used)]

use super::*;
use crate::access::{Keeper, Rental};
use std::sync::{Arc, Mutex};
use surety_core::types::{Account, SshKey};

/// A chain that says what the test has set, or nothing.
#[derive(Clone, Default)]
struct FakeChain(Arc<Mutex<Option<Access>>>);

impl ChainReader for FakeChain {
    async fn access(&self) -> Result<Access, ReadError> {
        self.0.lock().unwrap().clone().ok_or_else(|| ReadError("down".into()))
    }
}

/// A door that notes what it is told, and whether a tenant's file was there when a tenant was let in.
#[derive(Clone, Default)]
struct FakeDoor {
    told: Arc<Mutex<Vec<Option<RentalId>>>>,
    closed: Arc<Mutex<bool>>,
    jammed: Arc<Mutex<bool>>,
}

impl Door for FakeDoor {
    async fn admit(&mut self, grants: &Grants) -> Result<(), DoorError> {
        if *self.jammed.lock().unwrap() && grants.tenant.is_none() {
            return Err(DoorError("jammed".into()));
        }
        self.told.lock().unwrap().push(grants.tenant.map(|rental| rental.id));
        Ok(())
    }

    async fn close(self) {
        *self.closed.lock().unwrap() = true;
    }
}

fn grants(id: Option<RentalId>) -> Grants {
    let tenant = id.map(|id| Rental { id, renter_key: SshKey([1; 32]), until_secs: 2000 });
    Grants { tenant, left_secs: 5, keepers: vec![], registration: Some(1) }
}

fn access(rental: Option<RentalId>) -> Access {
    let rental = rental.map(|id| Rental { id, renter_key: SshKey([1; 32]), until_secs: 1_000_000 });
    let keepers = vec![Keeper { ssh_key: SshKey([2; 32]), account: Account([3; 20]) }];
    Access { registration: Some(1), rental, keepers, chain_time_secs: 1000 }
}

struct Bench {
    dir: tempfile::TempDir,
    tenancy: Tenancy,
    door: FakeDoor,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tenancy = Tenancy::new(dir.path(), None);
        Self { dir, tenancy, door: FakeDoor::default() }
    }

    async fn round(&mut self, rental: Option<RentalId>) -> Result<(), RoundError> {
        round(&mut self.door, &self.tenancy, &Walls::Account, &grants(rental)).await
    }

    fn told(&self) -> Vec<Option<RentalId>> {
        std::mem::take(&mut *self.door.told.lock().unwrap())
    }

    fn leave_data(&self) {
        std::fs::write(self.tenancy.dir().join("secret"), "x").unwrap();
    }

    fn has_data(&self) -> bool {
        self.tenancy.dir().join("secret").exists()
    }
}

#[tokio::test]
async fn a_tenants_data_stays_while_the_rental_lasts_and_is_gone_before_the_next() {
    let mut bench = Bench::new();
    bench.round(Some(1)).await.unwrap();
    bench.leave_data();
    bench.round(Some(1)).await.unwrap();
    assert!(bench.has_data());
    assert_eq!(bench.told(), [Some(1), Some(1)]);
    bench.round(Some(2)).await.unwrap();
    assert!(!bench.has_data());
    assert_eq!(bench.told(), [None, Some(2)], "the old tenant is out before the new one is in");
}

#[tokio::test]
async fn the_end_of_a_rental_wipes_the_data() {
    let mut bench = Bench::new();
    bench.round(Some(1)).await.unwrap();
    bench.leave_data();
    bench.round(None).await.unwrap();
    assert!(!bench.tenancy.dir().exists());
}

#[tokio::test]
async fn nobody_new_comes_in_while_the_last_tenant_cannot_be_put_out() {
    let mut bench = Bench::new();
    bench.round(Some(1)).await.unwrap();
    bench.leave_data();
    bench.told();
    *bench.door.jammed.lock().unwrap() = true;
    assert!(bench.round(Some(2)).await.is_err());
    assert_eq!(bench.told(), []);
    *bench.door.jammed.lock().unwrap() = false;
    bench.round(Some(2)).await.unwrap();
    assert!(!bench.has_data());
}

#[tokio::test]
async fn an_agent_that_restarts_keeps_the_data_of_the_running_rental_only() {
    let mut bench = Bench::new();
    bench.round(Some(1)).await.unwrap();
    bench.leave_data();
    let mut restarted =
        Bench { tenancy: Tenancy::new(bench.dir.path(), None), door: FakeDoor::default(), ..Bench::new() };
    restarted.round(Some(1)).await.unwrap();
    assert!(restarted.has_data());
    restarted.round(Some(2)).await.unwrap();
    assert!(!restarted.has_data());
}

#[tokio::test]
async fn data_that_no_note_speaks_for_is_wiped() {
    let mut bench = Bench::new();
    std::fs::create_dir(bench.tenancy.dir()).unwrap();
    bench.leave_data();
    bench.round(Some(1)).await.unwrap();
    assert!(!bench.has_data());
}

#[tokio::test]
async fn wiping_removes_links_and_does_not_follow_them() {
    let mut bench = Bench::new();
    let outside = bench.dir.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("kept"), "x").unwrap();
    bench.round(Some(1)).await.unwrap();
    std::os::unix::fs::symlink(&outside, bench.tenancy.dir().join("link")).unwrap();
    bench.round(None).await.unwrap();
    assert!(outside.join("kept").exists());
}

#[tokio::test]
async fn the_loop_follows_the_chain_and_closes_the_door_at_the_end() {
    let bench = Bench::new();
    let (chain, door) = (FakeChain::default(), bench.door.clone());
    let (stop, stopping) = watch::channel(false);
    let looping = tokio::spawn(run(
        chain.clone(),
        door.clone(),
        (bench.tenancy.clone(), Walls::Account),
        Duration::from_millis(20),
        stopping,
    ));
    let steps = [
        (Some(access(Some(1))), Some(1)),
        (None, Some(1)),
        (Some(access(None)), None),
        (Some(access(Some(2))), Some(2)),
    ];
    for (says, wanted) in steps {
        *chain.0.lock().unwrap() = says;
        door.told.lock().unwrap().clear();
        let deadline = Instant::now() + Duration::from_secs(5);
        while door.told.lock().unwrap().last() != Some(&wanted) {
            assert!(Instant::now() < deadline, "the door is never told {wanted:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    stop.send_replace(true);
    timeout(Duration::from_secs(5), looping).await.unwrap().unwrap();
    assert!(*door.closed.lock().unwrap());
}

#[tokio::test]
async fn an_agent_that_restarts_puts_nobody_out_before_it_has_read_the_chain() {
    let bench = Bench::new();
    bench.tenancy.occupy(1).unwrap();
    bench.leave_data();
    let (chain, door) = (FakeChain::default(), bench.door.clone());
    *chain.0.lock().unwrap() = Some(access(Some(1)));
    let (stop, stopping) = watch::channel(false);
    let walls = (bench.tenancy.clone(), Walls::Account);
    let looping = tokio::spawn(run(chain, door.clone(), walls, Duration::from_millis(20), stopping));
    let deadline = Instant::now() + Duration::from_secs(5);
    while door.told.lock().unwrap().is_empty() {
        assert!(Instant::now() < deadline, "the door is told nothing");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(bench.told()[0], Some(1));
    assert!(bench.has_data());
    stop.send_replace(true);
    looping.await.unwrap();
}

#[tokio::test]
async fn work_that_dies_half_way_is_no_success() {
    let state = tempfile::tempdir().unwrap();
    let tenancy = Tenancy::new(state.path(), None);
    let done = blocking(&tenancy, |_| panic!("a bug of ours")).await;
    assert!(done.unwrap_err().to_string().contains("no tenant is let in"));
}
