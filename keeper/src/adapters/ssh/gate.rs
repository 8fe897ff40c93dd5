//! How many looks run at once: a number over all hosts, a number per IP address, one per endpoint. A host that hangs
//! holds its own place and no other host's.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_core::types::Endpoint;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The gate; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    total: Arc<Semaphore>,
    per_ip_max: usize,
    ips: Places<IpAddr>,
    endpoints: Places<Endpoint>,
}

/// The right to look at one endpoint now; dropping it gives the place back.
#[derive(Debug)]
pub struct Pass {
    _endpoint: OwnedSemaphorePermit,
    _ip: OwnedSemaphorePermit,
    _total: OwnedSemaphorePermit,
}

/// No place came free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no look at this host was possible within {waited_secs} s: others are still running")]
pub struct Busy {
    /// How long it waited.
    pub waited_secs: u64,
}

impl Gate {
    /// At most `total_max` looks at once, at most `per_ip_max` at one address; both are at least one.
    pub fn new(total_max: usize, per_ip_max: usize) -> Self {
        Self {
            total: Arc::new(Semaphore::new(total_max.max(1))),
            per_ip_max: per_ip_max.max(1),
            ips: Places::default(),
            endpoints: Places::default(),
        }
    }

    /// Waits for a place, narrowest first, so that a queue at one endpoint holds no place of the others.
    ///
    /// # Errors
    /// [`Busy`] when none came free within `wait_max`.
    pub async fn enter(&self, endpoint: Endpoint, wait_max: Duration) -> Result<Pass, Busy> {
        let queue = async {
            let at_endpoint = self.endpoints.of(endpoint, 1).acquire_owned().await.ok()?;
            let at_ip = self.ips.of(endpoint.ip, self.per_ip_max).acquire_owned().await.ok()?;
            let total = self.total.clone().acquire_owned().await.ok()?;
            Some(Pass { _endpoint: at_endpoint, _ip: at_ip, _total: total })
        };
        let entered = tokio::time::timeout(wait_max, queue).await.ok().flatten();
        entered.ok_or(Busy { waited_secs: wait_max.as_secs() })
    }
}

/// One semaphore per key, for as long as somebody holds or waits for it.
#[derive(Debug)]
struct Places<K>(Arc<Mutex<BTreeMap<K, Arc<Semaphore>>>>);

impl<K> Clone for Places<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Default for Places<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Ord> Places<K> {
    fn of(&self, key: K, places: usize) -> Arc<Semaphore> {
        let mut map = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Permits and waiters hold a clone of the Arc: what only the map holds is unused.
        map.retain(|_, semaphore| Arc::strong_count(semaphore) > 1);
        map.entry(key).or_insert_with(|| Arc::new(Semaphore::new(places))).clone()
    }
}
