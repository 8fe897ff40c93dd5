#![allow(clippy::unwrap_used)]

mod asking;
mod hostile;
mod looks;
mod measuring;
mod openssh;
mod talkative;

use super::*;
use surety_core::types::{Endpoint, MachineId, SshKey};

/// The renter's key in these tests.
const RENTER: SshKey = SshKey([0x42; 32]);

/// Short deadlines, and the loopback address allowed.
fn limits() -> SshLimits {
    SshLimits { probe_deadline: Duration::from_millis(1500), allow_private: true, ..SshLimits::default() }
}

fn target(endpoint: Endpoint, machine: MachineId) -> ProbeTarget {
    ProbeTarget { endpoint, machine, renter_key: RENTER, tenant_user: "tenant".into() }
}
