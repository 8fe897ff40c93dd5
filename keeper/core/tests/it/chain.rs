//! A small chain: enough of the contracts' rules to answer a keeper the way they would.

use std::collections::BTreeMap;
use surety_core::effect::Intent;
use surety_core::gaps::{clamp, gaps};
use surety_core::input::ChainUpdate;
use surety_core::seat::SeatView;
use surety_core::types::{CaseId, Endpoint, Hash32, Kind, MachineId, Rao, RentalId};
use surety_core::view::{
    BlockRef, CaseStatus, CaseView, ContractTimes, FaultView, KeeperView, NodeView, OfferView, RentalView, View,
};

use crate::sim::{UNIX0, account, machine, ssh_key};

/// The design's windows.
pub(crate) fn times() -> ContractTimes {
    ContractTimes {
        settle_lag_secs: 3_600,
        delivery_grace_secs: 600,
        min_interrupted_secs: 60,
        min_offline_secs: 900,
        freshness_secs: 300,
        certificate_life_secs: 86_400,
        spoof_life_secs: 86_400,
    }
}

/// What the contracts hold.
#[derive(Clone, Default)]
pub(crate) struct Chain {
    pub(crate) nodes: BTreeMap<MachineId, NodeView>,
    pub(crate) rentals: BTreeMap<RentalId, RentalView>,
    pub(crate) cases: BTreeMap<CaseId, CaseView>,
    pub(crate) keepers: Vec<KeeperView>,
    pub(crate) seat: Option<SeatView>,
    pub(crate) window_secs: u64,
    pub(crate) burned_rao: Rao,
}

impl Chain {
    pub(crate) fn add_keeper(&mut self, name: &str, weight: u64) {
        let (account, url) = (account(name), format!("http://{name}.example"));
        self.keepers.push(KeeperView { account, weight, active: true, ssh_key: ssh_key(name), url });
    }

    pub(crate) fn add_node(&mut self, name: &str, owner: &str) {
        let host = u8::try_from(self.nodes.len() + 1).unwrap();
        let endpoint = Endpoint { ip: [5, 9, 0, host].into(), port: 22 };
        let node = NodeView {
            machine: machine(name),
            miner: account(owner),
            registration: 1,
            endpoint: Some(endpoint),
            free_rao: 1_000_000_000,
            reserved_rao: 0,
            held_rao: 0,
            exiting_rao: 0,
            offer: None,
            last_rental: 0,
        };
        self.nodes.insert(node.machine, node);
    }

    pub(crate) fn offer(&mut self, name: &str, gpu_class: u16, gpu_count: u16) {
        let offer = OfferView { gpu_class, gpu_count, price_rao_per_sec: 1_000, expires_at_secs: UNIX0 + 10_000_000 };
        self.nodes.get_mut(&machine(name)).unwrap().offer = Some(offer);
    }

    pub(crate) fn rent(&mut self, id: RentalId, name: &str, now_secs: u64, secs: u64) {
        let rental = RentalView {
            id,
            machine: machine(name),
            renter: account("renter"),
            renter_key: ssh_key("renter"),
            gpu_class: 1,
            gpu_count: 8,
            price_rao_per_sec: 1_000,
            start_secs: now_secs,
            end_secs: now_secs + secs,
            paid_until_secs: now_secs,
            claimed_secs: 0,
            closed: false,
            faults: Vec::new(),
        };
        self.nodes.get_mut(&machine(name)).unwrap().last_rental = id;
        self.rentals.insert(id, rental);
    }

    pub(crate) fn update(&self, view: View, number: u64, timestamp_secs: u64) -> ChainUpdate {
        let hash = surety_core::ids::keccak(&number.to_be_bytes());
        ChainUpdate {
            view,
            block: BlockRef { number, hash, timestamp_secs },
            nodes: self.nodes.values().cloned().collect(),
            rentals: self.rentals.values().cloned().collect(),
            cases: self.cases.values().cloned().collect(),
            keepers: Some(self.keepers.clone()),
            newest: None,
            seat: self.seat.clone(),
        }
    }

    /// Does what an intent asks for at this block, or says why the contract reverts.
    pub(crate) fn perform(&mut self, intent: &Intent, now_secs: u64) -> Result<(), String> {
        match intent {
            Intent::Execute { case_id } => {
                let case = self.cases.get_mut(case_id).ok_or("Arbiter_UnknownCase")?;
                if case.status != CaseStatus::Filed || now_secs < case.executable_at_secs {
                    return Err("Arbiter_NotExecutable".to_owned());
                }
                case.status = CaseStatus::Executed;
                self.burned_rao += case.penalty_rao;
                Ok(())
            }
            Intent::Join { .. } | Intent::CheckIn { .. } => {
                let seat = self.seat.as_mut().ok_or("there are no seats")?;
                crate::seats::perform(seat, intent, now_secs)
            }
            Intent::FlushBurn => Ok(()),
            Intent::Close { rentals } => {
                let lag_secs = times().settle_lag_secs;
                for rental in self.rentals.values_mut().filter(|rental| rentals.contains(&rental.id)) {
                    rental.closed |= rental.end_secs + lag_secs <= now_secs;
                }
                Ok(())
            }
            Intent::Claim { rental, .. } => {
                let rental = self.rentals.get_mut(rental).ok_or("RentalEscrow_UnknownRental")?;
                let until_secs = rental.end_secs.min(now_secs - times().settle_lag_secs);
                if rental.closed || until_secs <= rental.paid_until_secs {
                    return Err("RentalEscrow_NothingDue".to_owned());
                }
                rental.paid_until_secs = until_secs;
                let faulted_secs: u64 = rental.faults.iter().map(|fault| fault.until_secs - fault.from_secs).sum();
                rental.claimed_secs = (until_secs - rental.start_secs).saturating_sub(faulted_secs);
                Ok(())
            }
            Intent::FileSpoofed { machine, registration, spoofs, .. } => {
                let node = self.nodes.get_mut(machine).ok_or("Arbiter_NotCurrent")?;
                let last = self.cases.values().filter(|case| case.kind == Kind::Spoofed).map(|case| case.filed_at_secs);
                let last_secs = last.max().unwrap_or(0);
                let stale = |at_secs: u64| at_secs + times().spoof_life_secs < now_secs || at_secs <= last_secs;
                if node.registration != *registration || spoofs.iter().any(|one| stale(one.statement.proved_at_secs)) {
                    return Err("Arbiter_Stale".to_owned());
                }
                node.offer = None;
                let id = self.cases.len() as u64 + 1;
                let case = CaseView {
                    id,
                    kind: Kind::Spoofed,
                    status: CaseStatus::Filed,
                    rental: 0,
                    executable_at_secs: now_secs + self.window_secs,
                    penalty_rao: 1_000_000,
                    registration: *registration,
                    filed_at_secs: now_secs,
                };
                self.cases.insert(id, case);
                Ok(())
            }
            Intent::File { kind, rental, gap, attestations } => {
                let from = attestations.iter().map(|one| one.statement.from_secs).max().ok_or("none")?;
                let until = attestations.iter().map(|one| one.statement.until_secs).min().ok_or("none")?;
                let oldest = until;
                if *kind != Kind::Interrupted && oldest + times().freshness_secs < now_secs {
                    return Err("Arbiter_Stale".to_owned());
                }
                self.record(*kind, *rental, *gap, (from, until), now_secs)
            }
        }
    }

    /// Records a fault as the Arbiter does.
    pub(crate) fn record(
        &mut self,
        kind: Kind,
        rental: RentalId,
        gap: u32,
        interval: (u64, u64),
        now_secs: u64,
    ) -> Result<(), String> {
        let rental = self.rentals.get_mut(&rental).ok_or("Escrow_UnknownRental")?;
        let gap = *gaps(rental).get(gap as usize).ok_or("Arbiter_NoGap")?;
        let (from, mut until) = clamp(rental, &gap, now_secs, interval).ok_or("Arbiter_Empty")?;
        let ends = kind != Kind::Interrupted;
        let least = match kind {
            Kind::NotDelivered => times().delivery_grace_secs,
            Kind::Offline => times().min_offline_secs,
            _ => times().min_interrupted_secs,
        };
        if until - from < least || (ends && now_secs >= rental.end_secs) {
            return Err("Arbiter_TooShort".to_owned());
        }
        if ends {
            until = now_secs;
            rental.end_secs = now_secs;
        }
        let case_id = self.cases.len() as u64 + 1;
        rental.faults.insert(gap.index as usize, FaultView { from_secs: from, until_secs: until, case_id });
        let penalty_rao = if ends { 1_000_000 } else { 0 };
        let executable_at_secs = now_secs + self.window_secs;
        let (status, rental) = (CaseStatus::Filed, rental.id);
        let (registration, filed_at_secs) = (1, now_secs);
        let case = CaseView {
            id: case_id,
            kind,
            status,
            rental,
            executable_at_secs,
            penalty_rao,
            registration,
            filed_at_secs,
        };
        self.cases.insert(case_id, case);
        Ok(())
    }
}

/// A hash that stands for a keeper's own evidence.
pub(crate) fn some_hash(name: &str) -> Hash32 {
    surety_core::ids::keccak(name.as_bytes())
}
