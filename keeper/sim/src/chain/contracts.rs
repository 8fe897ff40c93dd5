//! What the contracts hold, and the calls about machines and rentals, as `contracts/SPEC.md` says them. Written from
//! that text and not from the keeper's code, which is checked against it.

use super::bids::Bid;
use super::nodes::Exit;
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
pub(crate) const CLASS_BOND_RAO: Rao = 1_442_000_000;
const BOND_BPS: u64 = 2_000;
const ABANDON_BPS: u64 = 500;
const BPS: u64 = 10_000;

/// Constructor arguments.
#[derive(Clone, Debug)]
pub(crate) struct Params {
    pub(crate) times: ContractTimes,
    pub(crate) appeal_window_secs: u64,
    pub(crate) ruling_window_secs: u64,
    pub(crate) exit_delay_secs: u64,
    pub(crate) exit_window_secs: u64,
}

/// A rental and what the view does not show.
#[derive(Clone, Debug)]
pub(crate) struct Rental {
    pub(crate) view: RentalView,
    /// Whose node it is of: the machine may have another one by now.
    pub(crate) miner: Account,
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
    pub(crate) machine: MachineId,
    pub(crate) miner: Account,
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
    /// Nodes ever registered: registrations are dense.
    pub(crate) registrations: u32,
    pub(crate) exits: BTreeMap<MachineId, Exit>,
    /// When certificates of a registration last lost their worth.
    pub(crate) distrusted: BTreeMap<u32, UnixSecs>,
    pub(crate) bids: BTreeMap<u64, Rc<Bid>>,
    pub(crate) bids_ever: u64,
    /// How often the rarer things happened, by name.
    pub(crate) happened: BTreeMap<&'static str, u64>,
    /// Logs that told of each machine, so far.
    pub(crate) logs: BTreeMap<MachineId, u64>,
}

/// A call by anybody.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Rent {
        machine: MachineId,
        renter: Account,
        key: SshKey,
        secs: u64,
        certificates: Vec<Signed<Certificate>>,
    },
    Extend {
        rental: RentalId,
        secs: u64,
    },
    End {
        rental: RentalId,
    },
    Abandon {
        rental: RentalId,
    },
    Claim {
        rental: RentalId,
    },
    Close {
        rental: RentalId,
    },
    SetEndpoint {
        machine: MachineId,
        endpoint: Endpoint,
    },
    /// The same by a call that leaves no log.
    MoveSilently {
        machine: MachineId,
        endpoint: Endpoint,
    },
    Offer {
        machine: MachineId,
    },
    Register {
        machine: MachineId,
        miner: Account,
        endpoint: Endpoint,
        bond_rao: Rao,
    },
    RequestExit {
        machine: MachineId,
        amount_rao: Rao,
    },
    CancelExit {
        machine: MachineId,
    },
    Withdraw {
        machine: MachineId,
    },
    Retire {
        machine: MachineId,
    },
    Post {
        bid: Bid,
    },
    Fill {
        id: u64,
        machine: MachineId,
        certificates: Vec<Signed<Certificate>>,
    },
    GiveUp {
        id: u64,
    },
    /// By the owner of the keeper set.
    SetKeeper {
        account: Account,
        weight: u64,
        active: bool,
    },
    Appeal {
        case_id: CaseId,
    },
    Rule {
        case_id: CaseId,
        uphold: bool,
    },
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
            exit_delay_secs: options.exit_delay_secs,
            exit_window_secs: options.exit_window_secs,
        };
        Self {
            params: Rc::new(params),
            nodes: BTreeMap::new(),
            rentals: BTreeMap::new(),
            cases: BTreeMap::new(),
            keepers: Rc::new(keepers),
            ledger: Ledger::default(),
            registrations: 0,
            exits: BTreeMap::new(),
            distrusted: BTreeMap::new(),
            bids: BTreeMap::new(),
            bids_ever: 0,
            happened: BTreeMap::new(),
            logs: BTreeMap::new(),
        }
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
            Call::SetEndpoint { machine, endpoint } => self.owned(machine).map(|node| node.endpoint = Some(*endpoint)),
            Call::MoveSilently { machine, endpoint } => self.move_silently(machine, *endpoint),
            Call::Offer { machine } => self.owned(machine).map(|node| node.offer = Some(offer())),
            Call::Register { machine, miner, endpoint, bond_rao } => {
                self.register(*machine, *miner, *endpoint, *bond_rao)
            }
            Call::RequestExit { machine, amount_rao } => self.request_exit(machine, *amount_rao, now),
            Call::CancelExit { machine } => self.cancel_exit(machine),
            Call::Withdraw { machine } => self.withdraw(machine, now),
            Call::Retire { machine } => self.retire(machine),
            Call::Post { bid } => {
                self.post(bid);
                Ok(())
            }
            Call::Fill { id, machine, certificates } => self.fill(*id, machine, certificates, now),
            Call::GiveUp { id } => self.give_up(*id),
            Call::SetKeeper { account, weight, active } => {
                let all = Rc::make_mut(&mut self.keepers).iter_mut().filter(|keeper| keeper.account == *account);
                all.for_each(|keeper| (keeper.weight, keeper.active) = (*weight, *active));
                self.note("changes of the keeper set");
                Ok(())
            }
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
            Call::Intent(Intent::FileSpoofed { machine, registration, gpu_class, gpu_count, spoofs }) => {
                self.file_spoofed(*machine, *registration, (*gpu_class, *gpu_count), spoofs, now)
            }
            // Keepers here are appointed.
            Call::Intent(Intent::Join { .. } | Intent::CheckIn { .. }) => Err("VotingPowerKeepers_NotModelled"),
        }
    }

    pub(crate) fn endpoint(&self, machine: &MachineId) -> Option<Endpoint> {
        self.nodes.get(machine).and_then(|node| node.endpoint)
    }

    /// A node that is about to change, with a log that tells of it.
    pub(crate) fn node(&mut self, machine: &MachineId) -> Result<&mut NodeView, Reverts> {
        *self.logs.entry(*machine).or_default() += 1;
        self.nodes.get_mut(machine).map(Rc::make_mut).ok_or("CollateralVault_UnknownMachine")
    }

    /// The same, of one that is not retired.
    fn owned(&mut self, machine: &MachineId) -> Result<&mut NodeView, Reverts> {
        self.node(machine)
            .and_then(|node| if node.miner == Account::default() { Err("CollateralVault_Retired") } else { Ok(node) })
    }

    pub(crate) fn rental(&mut self, rental: RentalId) -> Result<&mut Rental, Reverts> {
        self.rentals.get_mut(&rental).map(Rc::make_mut).ok_or("RentalEscrow_UnknownRental")
    }

    pub(crate) fn running(&self, rental: RentalId, now: UnixSecs) -> Result<&Rental, Reverts> {
        let found = self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?;
        if now < found.view.end_secs && !found.view.closed { Ok(found) } else { Err("RentalEscrow_NotRunning") }
    }

    pub(crate) fn check_certificates(
        &self,
        machine: &MachineId,
        certificates: &[Signed<Certificate>],
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let node = self.nodes.get(machine).ok_or("CollateralVault_UnknownMachine")?;
        let left = self.rentals.get(&node.last_rental).map_or(0, |rental| rental.view.end_secs);
        let distrusted = self.distrusted.get(&node.registration).copied().unwrap_or(0);
        let since = left.max(distrusted).max(now.saturating_sub(self.params.times.certificate_life_secs));
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
        self.lapse(&machine, now);
        let node = self.nodes.get(&machine).ok_or("CollateralVault_UnknownMachine")?;
        let miner = node.miner;
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
            miner,
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
        self.lapse(&machine, now);
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
        let miner = found.miner;
        self.pay(miner, due * PRICE_RAO);
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
        let (machine, miner) = (found.view.machine, found.miner);
        let reserve = std::mem::take(&mut found.reserve_rao);
        let node = self.node(&machine)?;
        node.reserved_rao -= reserve;
        node.free_rao += reserve;
        self.pay(miner, due * PRICE_RAO);
        Ok(())
    }

    pub(crate) fn note(&mut self, what: &'static str) {
        *self.happened.entry(what).or_default() += 1;
    }

    /// Credit.
    pub(crate) fn pay(&mut self, miner: Account, amount_rao: Rao) {
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

pub(crate) fn offer() -> OfferView {
    OfferView { gpu_class: CLASS.0, gpu_count: CLASS.1, price_rao_per_sec: PRICE_RAO, expires_at_secs: 4_000_000_000 }
}

fn required_rao(secs: u64) -> Rao {
    CLASS_BOND_RAO.max((secs * PRICE_RAO * BOND_BPS).div_ceil(BPS))
}
