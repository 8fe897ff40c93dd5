//! `fileSpoofed`. See `contracts/SPEC.md`, section 7.

use super::contracts::{CLASS, CLASS_BOND_RAO, Case, Contracts, Reverts};
use super::court::COURT_MIN;
use super::signature::are_genuine;
use std::rc::Rc;
use surety_core::statement::{Signed, Spoof};
use surety_core::types::{Account, Kind, MachineId, Rao, RentalId, UnixSecs};
use surety_core::view::{CaseStatus, CaseView};

impl Contracts {
    pub(crate) fn file_spoofed(
        &mut self,
        machine: MachineId,
        registration: u32,
        (class, count): (u16, u16),
        spoofs: &[Signed<Spoof>],
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let node = self.nodes.get(&machine).filter(|node| node.miner != Account::default());
        let miner = node.filter(|node| node.registration == registration).ok_or("Arbiter_NotCurrent")?.miner;
        let last_secs = self.last_spoofed_secs(registration);
        for Signed { statement: it, .. } in spoofs {
            let same = it.machine == machine && it.registration == registration;
            if !same || (it.gpu_class, it.gpu_count) != (class, count) {
                return Err("Arbiter_NoQuorum");
            }
            let life_secs = self.params.times.spoof_life_secs;
            if it.proved_at_secs > now || it.proved_at_secs + life_secs < now || it.proved_at_secs <= last_secs {
                return Err("Arbiter_Stale");
            }
        }
        let signers: Vec<Account> = spoofs.iter().map(|signed| signed.signer).collect();
        if !self.is_quorum(&signers) || !are_genuine(spoofs) {
            return Err("Arbiter_NoQuorum");
        }
        let court = self.keepers.iter().filter(|keeper| keeper.active).count() >= COURT_MIN;
        let named_rao = if class == CLASS.0 { CLASS_BOND_RAO / Rao::from(CLASS.1) * Rao::from(count) } else { 0 };
        let rental = self.distrust(&machine, now)?;
        let penalty_rao = self.set_aside_any(&machine, if court { named_rao } else { 0 })?;
        let slow = self.is_over_breaker(penalty_rao, now);
        let (window_secs, ruling_secs) = (self.params.appeal_window_secs, self.params.ruling_window_secs);
        let id = self.cases.len() as u64 + 1;
        let view = CaseView {
            id,
            kind: Kind::Spoofed,
            status: CaseStatus::Filed,
            rental,
            // One that withholds nothing waits as a whole.
            executable_at_secs: now + window_secs + if slow { ruling_secs } else { 0 },
            penalty_rao,
            registration,
            filed_at_secs: now,
        };
        let case = Case {
            view,
            machine,
            miner,
            filed_at: now,
            withheld_secs: 0,
            slow,
            appealed_at: 0,
            appeal_bond_rao: 0,
            attested: (0, 0),
            signers,
        };
        self.cases.insert(id, Rc::new(case));
        self.note("spoofs filed");
        Ok(())
    }

    fn last_spoofed_secs(&self, registration: u32) -> UnixSecs {
        let of_it = |case: &&Rc<Case>| case.view.kind == Kind::Spoofed && case.view.registration == registration;
        self.cases.values().filter(of_it).map(|case| case.filed_at).max().unwrap_or(0)
    }

    /// No offer, no certificate from before, and a running rental ends; says which.
    fn distrust(&mut self, machine: &MachineId, now: UnixSecs) -> Result<RentalId, Reverts> {
        let node = self.node(machine)?;
        node.offer = None;
        let (last, registration) = (node.last_rental, node.registration);
        self.distrusted.insert(registration, now);
        if self.running(last, now).is_err() {
            return Ok(0);
        }
        self.shorten(last, now);
        Ok(last)
    }

    /// Exiting bond first, then free, then what is behind the rentals that are not closed; as far as it goes.
    fn set_aside_any(&mut self, machine: &MachineId, wanted_rao: Rao) -> Result<Rao, Reverts> {
        let node = self.node(machine)?;
        let exiting_rao = wanted_rao.min(node.exiting_rao);
        let free_rao = (wanted_rao - exiting_rao).min(node.free_rao);
        node.exiting_rao -= exiting_rao;
        node.free_rao -= free_rao;
        let mut taken_rao = exiting_rao + free_rao;
        let open = self.rentals.values().filter(|rental| rental.view.machine == *machine && !rental.view.closed);
        for id in open.map(|rental| rental.view.id).collect::<Vec<_>>() {
            let found = self.rental(id)?;
            let part_rao = (wanted_rao - taken_rao).min(found.reserve_rao);
            found.reserve_rao -= part_rao;
            self.node(machine)?.reserved_rao -= part_rao;
            taken_rao += part_rao;
        }
        self.node(machine)?.held_rao += taken_rao;
        Ok(taken_rao)
    }
}
