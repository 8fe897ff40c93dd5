//! What was signed and what it cost, for whoever reads a long run.

use std::collections::BTreeMap;
use surety_core::effect::Intent;
use surety_core::statement::Statement;
use surety_core::types::{Cause, Kind};

/// Counts by name.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Statements that keepers signed.
    pub(crate) signed: BTreeMap<&'static str, u64>,
    /// Transactions of keepers that succeeded, and their gas.
    pub(crate) mined: BTreeMap<&'static str, (u64, u64)>,
}

impl Tally {
    pub(crate) fn on_signed(&mut self, statement: &Statement) {
        let what = match statement {
            Statement::Attestation(it) if it.cause == Cause::GpusMissing => match it.kind {
                Kind::Offline => "Offline (cards missing)",
                _ => "Interrupted (cards missing)",
            },
            Statement::Attestation(it) => name(it.kind),
            Statement::Certificate(_) => "certificates",
            Statement::Spoof(_) => "Spoofed",
        };
        *self.signed.entry(what).or_default() += 1;
    }

    pub(crate) fn on_mined(&mut self, intent: &Intent) {
        let (what, gas) = priced(intent);
        let sum = self.mined.entry(what).or_default();
        *sum = (sum.0 + 1, sum.1 + gas);
    }
}

pub(crate) fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::NotDelivered => "NotDelivered",
        Kind::Interrupted => "Interrupted",
        Kind::Offline => "Offline",
        Kind::Spoofed => "Spoofed",
    }
}

/// Gas of whole transactions (`contracts/snapshots/*.json`, three signers, first-time writes where they are likely).
fn priced(intent: &Intent) -> (&'static str, u64) {
    match intent {
        Intent::File { kind: Kind::Interrupted, .. } => ("file Interrupted", 145_858),
        Intent::File { .. } => ("file NotDelivered or Offline", 209_938),
        Intent::FileSpoofed { .. } => ("file Spoofed", 225_281),
        Intent::Execute { .. } => ("execute", 71_252),
        Intent::FlushBurn => ("burn", 37_945),
        // The first of five and each further one.
        Intent::Close { rentals } => ("close", 66_072 + 37_020 * (rentals.len() as u64).saturating_sub(1)),
        Intent::Claim { .. } => ("claim", 64_374),
        // Not modelled: keepers here are appointed.
        Intent::Join { .. } | Intent::CheckIn { .. } => ("seat", 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use surety_core::types::{MachineId, RentalId};

    const ARBITER: &str = include_str!("../../../contracts/snapshots/Arbiter.json");
    const ESCROW: &str = include_str!("../../../contracts/snapshots/RentalEscrow.json");
    const VAULT: &str = include_str!("../../../contracts/snapshots/CollateralVault.json");

    fn measured(of: &str, call: &str) -> Option<u64> {
        serde_json::from_str::<Value>(of).ok()?.get(call)?.as_str()?.parse().ok()
    }

    fn file(kind: Kind) -> Intent {
        Intent::File { kind, rental: 1, gap: 0, attestations: Vec::new() }
    }

    fn close(count: RentalId) -> Intent {
        Intent::Close { rentals: (1..=count).collect() }
    }

    #[test]
    fn gas_is_what_the_contracts_were_measured_to_take() {
        let (machine, spoofs) = (MachineId::default(), Vec::new());
        let spoofed = Intent::FileSpoofed { machine, registration: 1, gpu_class: 1, gpu_count: 1, spoofs };
        let told = [
            (file(Kind::Interrupted), ARBITER, "file Interrupted, first, k=3"),
            (file(Kind::Offline), ARBITER, "file Offline, k=3"),
            (spoofed, ARBITER, "fileSpoofed, rented, k=3"),
            (Intent::Execute { case_id: 1 }, ARBITER, "execute Offline"),
            (Intent::FlushBurn, VAULT, "flushBurn"),
            (close(1), ESCROW, "closeMany, 1"),
            (Intent::Claim { rental: 1, past_secs: 0 }, ESCROW, "claim, first credit of the miner"),
        ];
        for (intent, of, call) in told {
            assert_eq!(Some(priced(&intent).1), measured(of, call), "{call}");
        }
        // Per further rental, rounded.
        let five = measured(ESCROW, "closeMany, 5").unwrap_or(0);
        assert!(priced(&close(5)).1.abs_diff(five) < 5, "{five}");
    }
}
