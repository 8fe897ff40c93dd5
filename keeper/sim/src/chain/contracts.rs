//! What the contracts hold, and the calls about machines and rentals, as `contracts/SPEC.md` says them. Written from
//! that text and not from the keeper's code, which is checked against it.

use super::signature::are_genuine;
use crate::options::Options;
use std::collections::BTreeMap;
use std::rc::Rc;
use surety_core::effect::Intent;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, CaseId, Endpoint, MachineId, Rao, RentalId, SshKey, UnixSecs};
use surety_core::view::{CaseView, ContractTimes, KeeperView, NodeView, OfferView, RentalView};

/// Price of every machine here, rao a second.
pub(crate) const PRICE_RAO: Rao = 1_000;
/// GPU class and count of every machine here.
pub(crate) const CLASS: (u16, u16) = (3, 2);
/// Class bond times count: .721 TAO for an H100 SXM (contracts/SPEC.md, section 8), two of them.
const CLASS_BOND_RAO: Rao = 1_442_000_000;
const BOND_BPS: u64 = 2_000;
const ABANDON_BPS: u64 = 500;
const BPS: u64 = 10_000;

/// Constructor arguments.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    pub(crate) times: ContractTimes,
    pub(crate) appeal_window_secs: u64,
    pub(crate) ruling_window_secs: u64,
}

/// A rental and what the view does not show.
#[derive(Clone, Debug)]
pub(crate) struct Rental {
    pub(crate) view: RentalView,
    pub(crate) bought_secs: u64,
    /// Recorded as faults whose case is not decided.
    pub(crate) open_secs: u64,
    /// Recorded as faults, and decided for the renter.
    pub(crate) lost_secs: u64,
    /// Recorded as faults, and decided for the miner.
    pub(crate) returned_secs: u64,
    /// What is left of its reserve; 0 once closed.
    pub(crate) reserve_rao: Rao,
    /// What the reserve was, raised by extensions.
    pub(crate) reserve_ever_rao: Rao,
    pub(crate) abandoned: bool,
}

impl Rental {
    pub(crate) fn faulted_secs(&self) -> u64 {
        self.view.faults.iter().map(|fault| fault.until_secs - fault.from_secs).sum()
    }

    /// Seconds earned by `at`, saturating.
    pub(crate) fn earned_secs(&self, at: UnixSecs) -> u64 {
        at.min(self.view.end_secs).saturating_sub(self.view.start_secs).saturating_sub(self.faulted_secs())
    }
}

/// A case and what the view does not show.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) view: CaseView,
    pub(crate) filed_at: UnixSecs,
    pub(crate) withheld_secs: u64,
    pub(crate) slow: bool,
    pub(crate) appealed_at: UnixSecs,
    pub(crate) appeal_bond_rao: Rao,
    /// What the signers agree on, before it runs to the filing.
    pub(crate) attested: (UnixSecs, UnixSecs),
    pub(crate) signers: Vec<Account>,
}

/// Where money is that is bound to nothing any more, and what ever came in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) paid_in_rao: Rao,
    pub(crate) renters_rao: Rao,
    pub(crate) miners_rao: BTreeMap<Account, Rao>,
    pub(crate) to_burn_rao: Rao,
    pub(crate) burned_rao: Rao,
    /// Of what is to be burned, what no keeper's execution put there (`abandon`, the judge): anybody may flush it.
    pub(crate) others_burn_rao: Rao,
    /// Penalties filed in a UTC day.
    pub(crate) day: (u64, Rao),
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Contracts {
    pub(crate) params: Rc<Params>,
    pub(crate) nodes: BTreeMap<MachineId, Rc<NodeView>>,
    pub(crate) rentals: BTreeMap<RentalId, Rc<Rental>>,
    pub(crate) cases: BTreeMap<CaseId, Rc<Case>>,
    pub(crate) keepers: Rc<Vec<KeeperView>>,
    pub(crate) ledger: Ledger,
}

/// A call by anybody.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Rent { machine: MachineId, renter: Account, key: SshKey, secs: u64, certificates: Vec<Signed<Certificate>> },
    Extend { rental: RentalId, secs: u64 },
    End { rental: RentalId },
    Abandon { rental: RentalId },
    Claim { rental: RentalId },
    Close { rental: RentalId },
    SetEndpoint { machine: MachineId, endpoint: Endpoint },
    Offer { machine: MachineId },
    Appeal { case_id: CaseId },
    Rule { case_id: CaseId, uphold: bool },
    Intent(Intent),
}

/// The name of the contract's error.
pub(crate) type Reverts = &'static str;

impl Contracts {
    pub(crate) fn new(options: &Options, keepers: Vec<KeeperView>) -> Self {
        let params = Params {
            times: options.times,
            appeal_window_secs: options.appeal_window_secs,
            ruling_window_secs: options.ruling_window_secs,
        };
        Self {
            params: Rc::new(params),
            nodes: BTreeMap::new(),
            rentals: BTreeMap::new(),
            cases: BTreeMap::new(),
            keepers: Rc::new(keepers),
            ledger: Ledger::default(),
        }
    }

    pub(crate) fn register(&mut self, machine: MachineId, miner: Account, endpoint: Endpoint, bond_rao: Rao) {
        let registration = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX) + 1;
        let node = NodeView {
            machine,
            miner,
            registration,
            endpoint: Some(endpoint),
            free_rao: bond_rao,
            reserved_rao: 0,
            held_rao: 0,
            exiting_rao: 0,
            offer: Some(offer()),
            last_rental: 0,
        };
        self.ledger.paid_in_rao += bond_rao;
        self.nodes.insert(machine, Rc::new(node));
    }

    /// Performs a call at a block's time, or changes nothing and says why.
    pub(crate) fn call(&mut self, call: &Call, now: UnixSecs) -> Result<(), Reverts> {
        match call {
            Call::Rent { machine, renter, key, secs, certificates } => {
                self.check_certificates(machine, certificates, now)?;
                self.rent(*machine, *renter, *key, *secs, now)
            }
            Call::Extend { rental, secs } => self.extend(*rental, *secs, now),
            Call::End { rental } => {
                self.running(*rental, now)?;
                self.shorten(*rental, now);
                Ok(())
            }
            Call::Abandon { rental } => self.abandon(*rental, now),
            Call::Claim { rental } => self.claim(*rental, now),
            Call::Close { rental } => self.close(*rental, now),
            Call::SetEndpoint { machine, endpoint } => self.node(machine).map(|node| node.endpoint = Some(*endpoint)),
            Call::Offer { machine } => self.node(machine).map(|node| node.offer = Some(offer())),
            Call::Appeal { case_id } => self.appeal(*case_id, now),
            Call::Rule { case_id, uphold } => self.rule(*case_id, *uphold, now),
            Call::Intent(Intent::File { kind, rental, gap, attestations }) => {
                self.file(*kind, *rental, *gap, attestations, now)
            }
            Call::Intent(Intent::Execute { case_id }) => self.execute(*case_id, now),
            Call::Intent(Intent::FlushBurn) => self.flush_burn(),
            Call::Intent(Intent::Close { rentals }) => {
                // Those that cannot be closed are passed over.
                for rental in rentals {
                    self.close(*rental, now).ok();
                }
                Ok(())
            }
            Call::Intent(Intent::Claim { rental, .. }) => self.claim(*rental, now),
            // Keepers here have `Spoofed` in the shadow: the contracts' side of it is not modelled.
            Call::Intent(Intent::FileSpoofed { .. }) => Err("Arbiter_NotModelled"),
            // Keepers here are appointed.
            Call::Intent(Intent::Join { .. } | Intent::CheckIn { .. }) => Err("VotingPowerKeepers_NotModelled"),
        }
    }

    pub(crate) fn endpoint(&self, machine: &MachineId) -> Option<Endpoint> {
        self.nodes.get(machine).and_then(|node| node.endpoint)
    }

    pub(crate) fn node(&mut self, machine: &MachineId) -> Result<&mut NodeView, Reverts> {
        self.nodes.get_mut(machine).map(Rc::make_mut).ok_or("CollateralVault_UnknownMachine")
    }

    pub(crate) fn rental(&mut self, rental: RentalId) -> Result<&mut Rental, Reverts> {
        self.rentals.get_mut(&rental).map(Rc::make_mut).ok_or("RentalEscrow_UnknownRental")
    }

    pub(crate) fn running(&self, rental: RentalId, now: UnixSecs) -> Result<&Rental, Reverts> {
        let found = self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?;
        if now < found.view.end_secs && !found.view.closed { Ok(found) } else { Err("RentalEscrow_NotRunning") }
    }

    fn check_certificates(
        &self,
        machine: &MachineId,
        certificates: &[Signed<Certificate>],
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let node = self.nodes.get(machine).ok_or("CollateralVault_UnknownMachine")?;
        let left = self.rentals.get(&node.last_rental).map_or(0, |rental| rental.view.end_secs);
        let since = left.max(now.saturating_sub(self.params.times.certificate_life_secs));
        for Signed { statement: it, .. } in certificates {
            let about = it.machine == *machine && it.registration == node.registration;
            let covers = it.gpu_class == CLASS.0 && it.gpu_count >= CLASS.1;
            if !about || !covers || it.measured_at_secs > now || it.measured_at_secs < since {
                return Err("RentalEscrow_BadCertificate");
            }
        }
        let signers: Vec<Account> = certificates.iter().map(|signed| signed.signer).collect();
        if self.is_quorum(&signers) && are_genuine(certificates) { Ok(()) } else { Err("RentalEscrow_NoQuorum") }
    }

    /// Renting, once the certificates are checked.
    pub(crate) fn rent(
        &mut self,
        machine: MachineId,
        renter: Account,
        renter_key: SshKey,
        secs: u64,
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let node = self.nodes.get(&machine).ok_or("CollateralVault_UnknownMachine")?;
        if self.rentals.get(&node.last_rental).is_some_and(|last| now <= last.view.end_secs) {
            return Err("RentalEscrow_Rented");
        }
        let open = self.rentals.values().filter(|rental| rental.view.machine == machine && !rental.view.closed).count();
        let reserve_rao = required_rao(secs);
        if node.offer.is_none() || node.free_rao < reserve_rao || open >= 2 {
            return Err("CollateralVault_NotRentable");
        }
        let id = self.rentals.len() as u64 + 1;
        let view = RentalView {
            id,
            machine,
            renter,
            renter_key,
            gpu_class: CLASS.0,
            gpu_count: CLASS.1,
            price_rao_per_sec: PRICE_RAO,
            start_secs: now,
            end_secs: now + secs,
            paid_until_secs: now,
            claimed_secs: 0,
            closed: false,
            faults: Vec::new(),
        };
        let node = self.node(&machine)?;
        node.free_rao -= reserve_rao;
        node.reserved_rao += reserve_rao;
        node.last_rental = id;
        let rental = Rental {
            view,
            bought_secs: secs,
            open_secs: 0,
            lost_secs: 0,
            returned_secs: 0,
            reserve_rao,
            reserve_ever_rao: reserve_rao,
            abandoned: false,
        };
        self.rentals.insert(id, Rc::new(rental));
        self.ledger.paid_in_rao += secs * PRICE_RAO;
        Ok(())
    }

    fn extend(&mut self, rental: RentalId, secs: u64, now: UnixSecs) -> Result<(), Reverts> {
        let found = self.running(rental, now)?;
        let (machine, end, start) = (found.view.machine, found.view.end_secs, found.view.start_secs);
        let need = required_rao(end - start + secs);
        let more = need.saturating_sub(found.reserve_rao);
        let node = self.node(&machine)?;
        if node.offer.is_none() || node.free_rao < more {
            return Err("CollateralVault_NotRentable");
        }
        node.free_rao -= more;
        node.reserved_rao += more;
        let found = self.rental(rental)?;
        found.view.end_secs += secs;
        found.bought_secs += secs;
        found.reserve_rao += more;
        found.reserve_ever_rao += more;
        self.ledger.paid_in_rao += secs * PRICE_RAO;
        Ok(())
    }

    /// Ends a rental now; the rest is the renter's.
    pub(crate) fn shorten(&mut self, rental: RentalId, now: UnixSecs) {
        let Ok(found) = self.rental(rental) else { return };
        let cut = found.view.end_secs.saturating_sub(now);
        found.view.end_secs -= cut;
        self.ledger.renters_rao += cut * PRICE_RAO;
    }

    fn abandon(&mut self, rental: RentalId, now: UnixSecs) -> Result<(), Reverts> {
        let found = self.running(rental, now)?;
        let machine = found.view.machine;
        let fine = (found.reserve_rao * ABANDON_BPS / BPS).min(found.earned_secs(now) * PRICE_RAO);
        self.shorten(rental, now);
        let found = self.rental(rental)?;
        found.reserve_rao -= fine;
        found.abandoned = true;
        let node = self.node(&machine)?;
        node.reserved_rao -= fine;
        node.offer = None;
        self.ledger.to_burn_rao += fine;
        self.ledger.others_burn_rao += fine;
        Ok(())
    }

    fn claim(&mut self, rental: RentalId, now: UnixSecs) -> Result<(), Reverts> {
        let until = now.saturating_sub(self.params.times.settle_lag_secs);
        let found = self.rental(rental)?;
        let due = found.earned_secs(until).saturating_sub(found.view.claimed_secs);
        if due == 0 || found.view.closed {
            return Err("RentalEscrow_NothingDue");
        }
        found.view.claimed_secs += due;
        found.view.paid_until_secs = until.min(found.view.end_secs);
        let machine = found.view.machine;
        self.pay_miner(&machine, due * PRICE_RAO);
        Ok(())
    }

    fn close(&mut self, rental: RentalId, now: UnixSecs) -> Result<(), Reverts> {
        let lag = self.params.times.settle_lag_secs;
        let found = self.rental(rental)?;
        if found.view.closed || now < found.view.end_secs + lag {
            return Err("RentalEscrow_NotClosable");
        }
        let due = found.earned_secs(found.view.end_secs).saturating_sub(found.view.claimed_secs);
        found.view.claimed_secs += due;
        found.view.paid_until_secs = found.view.end_secs;
        found.view.closed = true;
        let (machine, reserve) = (found.view.machine, std::mem::take(&mut found.reserve_rao));
        let node = self.node(&machine)?;
        node.reserved_rao -= reserve;
        node.free_rao += reserve;
        self.pay_miner(&machine, due * PRICE_RAO);
        Ok(())
    }

    pub(crate) fn pay_miner(&mut self, machine: &MachineId, amount_rao: Rao) {
        let miner = self.nodes.get(machine).map_or_else(Account::default, |node| node.miner);
        *self.ledger.miners_rao.entry(miner).or_default() += amount_rao;
    }

    /// The keeper set's rule, over accounts; strangers and double signers make it none.
    pub(crate) fn is_quorum(&self, signers: &[Account]) -> bool {
        let ascending = signers.windows(2).all(|pair| pair[0] < pair[1]);
        let active: Vec<&KeeperView> = self.keepers.iter().filter(|keeper| keeper.active).collect();
        let known = signers.iter().all(|signer| active.iter().any(|keeper| keeper.account == *signer));
        let weights: Vec<u64> = active.iter().map(|keeper| keeper.weight).collect();
        let signs: Vec<bool> = active.iter().map(|keeper| signers.contains(&keeper.account)).collect();
        ascending && known && crate::options::is_quorum(&weights, &signs)
    }
}

fn offer() -> OfferView {
    OfferView { gpu_class: CLASS.0, gpu_count: CLASS.1, price_rao_per_sec: PRICE_RAO, expires_at_secs: 4_000_000_000 }
}

fn required_rao(secs: u64) -> Rao {
    CLASS_BOND_RAO.max((secs * PRICE_RAO * BOND_BPS).div_ceil(BPS))
}
