//! Cases: filing, appeals, decisions. See `contracts/SPEC.md`, section 7.

use super::contracts::{Case, Contracts, PRICE_RAO, Reverts};
use super::signature::are_genuine;
use std::rc::Rc;
use surety_core::statement::{Attestation, Signed};
use surety_core::types::{Account, CaseId, Kind, Rao, RentalId, UnixSecs};
use surety_core::view::{CaseStatus, CaseView, FaultView};

const NOT_DELIVERED_BPS: u64 = 200;
const OFFLINE_BPS: u64 = 1_000;
const BREAKER_BPS: u64 = 1_000;
const BPS: u64 = 10_000;
/// Keepers for a penalty.
pub(crate) const COURT_MIN: usize = 3;
/// .01 TAO.
const APPEAL_BOND_MIN_RAO: Rao = 10_000_000;
/// The existential deposit.
const PAYOUT_MIN_RAO: Rao = 500;
const FAULTS_MAX: usize = 255;
const DAY_SECS: u64 = 86_400;

impl Contracts {
    pub(crate) fn file(
        &mut self,
        kind: Kind,
        rental: RentalId,
        gap: u32,
        attestations: &[Signed<Attestation>],
        now: UnixSecs,
    ) -> Result<(), Reverts> {
        let attested = self.read(kind, rental, attestations, now)?;
        let signers: Vec<Account> = attestations.iter().map(|signed| signed.signer).collect();
        if !self.is_quorum(&signers) || !are_genuine(attestations) {
            return Err("Arbiter_NoQuorum");
        }
        let ends = kind != Kind::Interrupted;
        let interval = self.clamped(kind, rental, gap, attested, now)?;
        let withheld = (interval.0, if ends { now } else { interval.1 });
        let penalty_rao = if ends { self.penalty(kind, rental, withheld, now)? } else { 0 };
        let case_id = self.record(rental, gap, withheld, ends, now)?;
        let slow = self.set_aside(rental, penalty_rao, now)?;
        let of = self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?;
        let (machine, miner) = (of.view.machine, of.miner);
        let registration = self.nodes.get(&machine).map_or(0, |node| node.registration);
        let view = CaseView {
            id: case_id,
            kind,
            status: CaseStatus::Filed,
            rental,
            executable_at_secs: now + self.params.appeal_window_secs,
            penalty_rao,
            registration,
            filed_at_secs: now,
        };
        let (withheld_secs, filed_at) = (withheld.1 - withheld.0, now);
        let (appealed_at, appeal_bond_rao) = (0, 0);
        let case = Case {
            view,
            machine,
            miner,
            filed_at,
            withheld_secs,
            slow,
            appealed_at,
            appeal_bond_rao,
            attested,
            signers,
        };
        self.cases.insert(case_id, Rc::new(case));
        Ok(())
    }

    /// Steps 1 and 2: what the attestations say together.
    fn read(
        &self,
        kind: Kind,
        rental: RentalId,
        attestations: &[Signed<Attestation>],
        now: UnixSecs,
    ) -> Result<(UnixSecs, UnixSecs), Reverts> {
        let found = self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?;
        let ends = kind != Kind::Interrupted;
        for Signed { statement: it, .. } in attestations {
            let serves = it.kind == kind || (it.kind == Kind::Offline && kind == Kind::Interrupted);
            if !serves || it.rental != rental || kind == Kind::Spoofed {
                return Err("Arbiter_WrongKind");
            }
            if it.from_secs >= it.until_secs || it.until_secs > now {
                return Err("Arbiter_BadInterval");
            }
            if ends && it.until_secs + self.params.times.freshness_secs < now {
                return Err("Arbiter_Stale");
            }
            if kind == Kind::NotDelivered && it.from_secs != found.view.start_secs {
                return Err("Arbiter_NotFromStart");
            }
        }
        let from = attestations.iter().map(|signed| signed.statement.from_secs).max().ok_or("Arbiter_NoQuorum")?;
        let until = attestations.iter().map(|signed| signed.statement.until_secs).min().ok_or("Arbiter_NoQuorum")?;
        Ok((from, until))
    }

    /// Steps 4 and 5: the gap, what is paid, now and the end.
    fn clamped(
        &self,
        kind: Kind,
        rental: RentalId,
        gap: u32,
        attested: (UnixSecs, UnixSecs),
        now: UnixSecs,
    ) -> Result<(UnixSecs, UnixSecs), Reverts> {
        let view = &self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?.view;
        let at = usize::try_from(gap).unwrap_or(usize::MAX);
        let ends = kind != Kind::Interrupted;
        let untouched = view.claimed_secs == 0 && view.faults.is_empty();
        if view.closed || at > view.faults.len() {
            return Err("Arbiter_NoSuchGap");
        }
        if ends && (now >= view.end_secs || at != view.faults.len()) {
            return Err("Arbiter_NotRunning");
        }
        if (kind == Kind::NotDelivered && !untouched) || (!ends && view.faults.len() + 1 >= FAULTS_MAX) {
            return Err("Arbiter_Refused");
        }
        let after = at.checked_sub(1).and_then(|before| view.faults.get(before)).map_or(0, |fault| fault.until_secs);
        let before = view.faults.get(at).map_or(u64::MAX, |fault| fault.from_secs);
        let from = attested.0.max(view.start_secs).max(view.paid_until_secs).max(after);
        let until = attested.1.min(now).min(view.end_secs).min(before);
        let times = &self.params.times;
        let least = match kind {
            Kind::NotDelivered => times.delivery_grace_secs,
            Kind::Offline => times.min_offline_secs,
            Kind::Interrupted | Kind::Spoofed => times.min_interrupted_secs,
        };
        if until.saturating_sub(from) < least { Err("Arbiter_TooShort") } else { Ok((from, until)) }
    }

    fn penalty(
        &self,
        kind: Kind,
        rental: RentalId,
        withheld: (UnixSecs, UnixSecs),
        now: UnixSecs,
    ) -> Result<Rao, Reverts> {
        if self.keepers.iter().filter(|keeper| keeper.active).count() < COURT_MIN {
            return Ok(0);
        }
        let found = self.rentals.get(&rental).ok_or("RentalEscrow_UnknownRental")?;
        let earned = found.earned_secs(now).saturating_sub(withheld.1 - withheld.0) * PRICE_RAO;
        Ok(match kind {
            Kind::NotDelivered => found.reserve_rao * NOT_DELIVERED_BPS / BPS,
            _ => (found.reserve_rao * OFFLINE_BPS / BPS).min(earned),
        })
    }

    /// Step 7, in the Escrow.
    fn record(
        &mut self,
        rental: RentalId,
        gap: u32,
        withheld: (UnixSecs, UnixSecs),
        ends: bool,
        now: UnixSecs,
    ) -> Result<CaseId, Reverts> {
        let case_id = self.cases.len() as u64 + 1;
        let found = self.rental(rental)?;
        let fault = FaultView { from_secs: withheld.0, until_secs: withheld.1, case_id };
        found.view.faults.insert(usize::try_from(gap).unwrap_or(usize::MAX), fault);
        found.open_secs += withheld.1 - withheld.0;
        let machine = found.view.machine;
        if ends {
            self.shorten(rental, now);
            self.node(&machine)?.offer = None;
        }
        Ok(case_id)
    }

    /// Step 7, in the Vault, and the breaker.
    fn set_aside(&mut self, rental: RentalId, penalty_rao: Rao, now: UnixSecs) -> Result<bool, Reverts> {
        let found = self.rental(rental)?;
        found.reserve_rao -= penalty_rao;
        let machine = found.view.machine;
        let node = self.node(&machine)?;
        node.reserved_rao -= penalty_rao;
        node.held_rao += penalty_rao;
        Ok(self.is_over_breaker(penalty_rao, now))
    }

    /// Counts a penalty, and says whether it takes its day's above the line.
    pub(crate) fn is_over_breaker(&mut self, penalty_rao: Rao, now: UnixSecs) -> bool {
        let bonds: Rao = self.nodes.values().map(|node| bonded(node)).sum();
        let day = now / DAY_SECS;
        let before = if self.ledger.day.0 == day { self.ledger.day.1 } else { 0 };
        self.ledger.day = (day, before + penalty_rao);
        penalty_rao > 0 && self.ledger.day.1 > bonds * BREAKER_BPS / BPS
    }

    pub(crate) fn appeal(&mut self, case_id: CaseId, now: UnixSecs) -> Result<(), Reverts> {
        let (window, ruling) = (self.params.appeal_window_secs, self.params.ruling_window_secs);
        let case = self.case(case_id)?;
        let status = match case.view.status {
            CaseStatus::Filed if now < case.filed_at + window => CaseStatus::Appealed,
            CaseStatus::Filed | CaseStatus::Refunded if case.slow && now < case.filed_at + window + ruling => {
                if case.view.status == CaseStatus::Refunded {
                    CaseStatus::RefundedAppealed
                } else {
                    CaseStatus::Appealed
                }
            }
            _ => return Err("Arbiter_NotAppealable"),
        };
        case.view.status = status;
        case.appealed_at = now;
        case.appeal_bond_rao = APPEAL_BOND_MIN_RAO.max(case.view.penalty_rao / 10);
        // The judge has the window, its last second included.
        case.view.executable_at_secs = now + ruling + 1;
        let bond = case.appeal_bond_rao;
        self.ledger.paid_in_rao += bond;
        Ok(())
    }

    pub(crate) fn rule(&mut self, case_id: CaseId, uphold: bool, now: UnixSecs) -> Result<(), Reverts> {
        let ruling = self.params.ruling_window_secs;
        let case = self.case(case_id)?;
        if !case.view.status.is_appealed() || now > case.appealed_at + ruling {
            return Err("Arbiter_NotRulable");
        }
        let bond = std::mem::take(&mut case.appeal_bond_rao);
        if uphold {
            let before_rao = self.ledger.to_burn_rao;
            self.ledger.to_burn_rao += bond;
            self.refund(case_id)?;
            self.burn_penalty(case_id, now)?;
            self.ledger.others_burn_rao += self.ledger.to_burn_rao - before_rao;
            return Ok(());
        }
        let miner = case.miner;
        self.pay(miner, bond);
        self.dismiss(case_id)
    }

    pub(crate) fn execute(&mut self, case_id: CaseId, now: UnixSecs) -> Result<(), Reverts> {
        let (window, ruling) = (self.params.appeal_window_secs, self.params.ruling_window_secs);
        let case = self.case(case_id)?;
        if case.view.status.is_decided() || now < case.view.executable_at_secs {
            return Err("Arbiter_NotExecutable");
        }
        match case.view.status {
            CaseStatus::Filed if case.slow && case.withheld_secs > 0 => {
                case.view.status = CaseStatus::Refunded;
                case.view.executable_at_secs = case.filed_at + window + ruling;
                self.refund(case_id)
            }
            CaseStatus::Appealed | CaseStatus::RefundedAppealed => {
                let bond = std::mem::take(&mut case.appeal_bond_rao);
                let miner = case.miner;
                self.pay(miner, bond);
                self.refund(case_id)?;
                self.burn_penalty(case_id, now)
            }
            _ => {
                self.refund(case_id)?;
                self.burn_penalty(case_id, now)
            }
        }
    }

    pub(crate) fn flush_burn(&mut self) -> Result<(), Reverts> {
        if self.ledger.to_burn_rao < PAYOUT_MIN_RAO {
            return Err("RaoLedger_CreditTooSmall");
        }
        self.ledger.burned_rao += std::mem::take(&mut self.ledger.to_burn_rao);
        self.ledger.others_burn_rao = 0;
        Ok(())
    }

    fn case(&mut self, case_id: CaseId) -> Result<&mut Case, Reverts> {
        self.cases.get_mut(&case_id).map(Rc::make_mut).ok_or("Arbiter_UnknownCase")
    }

    /// What was withheld is the renter's; once.
    fn refund(&mut self, case_id: CaseId) -> Result<(), Reverts> {
        let case = self.case(case_id)?;
        let (secs, rental) = (std::mem::take(&mut case.withheld_secs), case.view.rental);
        if secs == 0 {
            return Ok(());
        }
        let found = self.rental(rental)?;
        found.open_secs -= secs;
        found.lost_secs += secs;
        self.ledger.renters_rao += secs * PRICE_RAO;
        Ok(())
    }

    /// The penalty, clamped to what the rental has earned by now; the rest is free bond.
    fn burn_penalty(&mut self, case_id: CaseId, now: UnixSecs) -> Result<(), Reverts> {
        let case = self.case(case_id)?;
        case.view.status = CaseStatus::Executed;
        case.view.executable_at_secs = 0;
        let (machine, penalty, rental) = (case.machine, case.view.penalty_rao, case.view.rental);
        let burned = match case.view.kind {
            Kind::Offline => penalty.min(self.rental(rental)?.earned_secs(now) * PRICE_RAO),
            Kind::NotDelivered | Kind::Interrupted | Kind::Spoofed => penalty,
        };
        if penalty == 0 {
            return Ok(());
        }
        let node = self.node(&machine)?;
        node.held_rao -= penalty;
        node.free_rao += penalty - burned;
        self.ledger.to_burn_rao += burned;
        Ok(())
    }

    fn dismiss(&mut self, case_id: CaseId) -> Result<(), Reverts> {
        let case = self.case(case_id)?;
        case.view.status = CaseStatus::Dismissed;
        case.view.executable_at_secs = 0;
        let (secs, penalty) = (std::mem::take(&mut case.withheld_secs), case.view.penalty_rao);
        let (machine, miner, rental) = (case.machine, case.miner, case.view.rental);
        if secs > 0 {
            let found = self.rental(rental)?;
            found.open_secs -= secs;
            found.returned_secs += secs;
            self.pay(miner, secs * PRICE_RAO);
        }
        if penalty == 0 {
            return Ok(());
        }
        let node = self.node(&machine)?;
        node.held_rao -= penalty;
        node.free_rao += penalty;
        Ok(())
    }
}

/// Everything of a node's bond.
pub(crate) fn bonded(node: &surety_core::view::NodeView) -> Rao {
    node.free_rao + node.reserved_rao + node.held_rao + node.exiting_rao
}
