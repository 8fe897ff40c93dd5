//! Who may be let in, as the chain says, and how long that stays true when the chain falls silent. Pure.

use surety_core::types::{Account, RentalId, SshKey, UnixSecs};

/// What one reading of the chain says about this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Registration number of the machine; `None` while it is not registered.
    pub registration: Option<u32>,
    /// The rental that is running, if any.
    pub rental: Option<Rental>,
    /// The active keepers.
    pub keepers: Vec<Keeper>,
    /// The chain's time at the block all of this was read at, Unix seconds.
    pub chain_time_secs: UnixSecs,
}

/// A running rental, as far as access goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rental {
    /// Dense id on chain.
    pub id: RentalId,
    /// The only key that is the tenant's.
    pub renter_key: SshKey,
    /// End (exclusive), chain seconds.
    pub until_secs: UnixSecs,
}

/// An active keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Keeper {
    /// The key it logs in with.
    pub ssh_key: SshKey,
    /// The account it signs with; a measurement asked for in another name is refused.
    pub account: Account,
}

/// Who is let in at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// The tenant, while a rental runs.
    pub tenant: Option<Rental>,
    /// Seconds that the rental still runs; 0 without one.
    pub left_secs: u64,
    /// The keepers, sorted and without repetition of a key.
    pub keepers: Vec<Keeper>,
    /// Registration number that measurements are answered for.
    pub registration: Option<u32>,
}

/// The last reading of the chain, kept for the times when there is no newer one.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    last: Option<Reading>,
}

#[derive(Clone, Debug)]
struct Reading {
    access: Access,
    /// Chain time, as far as we know it, at `at_ms` of the agent's monotonic clock.
    time_secs: UnixSecs,
    at_ms: u64,
}

impl Reading {
    fn time_at(&self, now_ms: u64) -> UnixSecs {
        self.time_secs.saturating_add(now_ms.saturating_sub(self.at_ms) / 1000)
    }
}

impl Standing {
    /// Takes a reading made at `now_ms` of the agent's monotonic clock. A reading older in chain time than the last
    /// one (a node that lags behind) changes nothing. Chain time goes on between blocks and through a halt, since the
    /// next block will have the time of day: reading the same block again does not turn it back.
    pub fn observe(&mut self, access: Access, now_ms: u64) {
        let estimate_secs = match &self.last {
            Some(last) if access.chain_time_secs < last.access.chain_time_secs => return,
            Some(last) => last.time_at(now_ms),
            None => 0,
        };
        let time_secs = access.chain_time_secs.max(estimate_secs);
        self.last = Some(Reading { access, time_secs, at_ms: now_ms });
    }

    /// Who is let in at `now_ms`. Without a new reading, chain time is assumed to pass as ours does: what was granted
    /// runs out when it was to run out, nothing is extended and nobody is added. `None` before the first reading: who
    /// has the machine is not known.
    pub fn grants(&self, now_ms: u64) -> Option<Grants> {
        let last = self.last.as_ref()?;
        let now_secs = last.time_at(now_ms);
        let mut keepers = last.access.keepers.clone();
        keepers.sort();
        keepers.dedup_by_key(|keeper| keeper.ssh_key);
        let tenant = last.access.rental.filter(|rental| now_secs < rental.until_secs);
        Some(Grants {
            tenant,
            left_secs: tenant.map_or(0, |rental| rental.until_secs.saturating_sub(now_secs)),
            keepers,
            registration: last.access.registration,
        })
    }
}

impl Grants {
    /// The same without the tenant.
    pub fn without_tenant(&self) -> Self {
        Self { tenant: None, left_secs: 0, ..self.clone() }
    }

    /// The keeper with this key.
    pub fn keeper(&self, key: &SshKey) -> Option<&Keeper> {
        self.keepers.iter().find(|keeper| keeper.ssh_key == *key)
    }

    /// The tenant, if this is the tenant's key.
    pub fn tenant_with(&self, key: &SshKey) -> Option<&Rental> {
        self.tenant.as_ref().filter(|rental| rental.renter_key == *key)
    }
}

#[cfg(test)]
mod tests;
