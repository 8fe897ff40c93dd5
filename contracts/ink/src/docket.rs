//! What becomes of keepers' statements: cases, appeals, rulings, the next roll.

use crate::alpha_vault::AlphaVault;
use crate::books::{mul_div, Bond, Round};
use crate::court::{self, Penalty};
use crate::custody::to_rao;
use crate::eip712::{self, Claim, Crypto, Hash};
use crate::error::Error;
use crate::events::{Amended, Appealed, Dismissed, Executed, Filed, HandedOver, Ruled};
use crate::types::{
    AccountId, Address, Attestation, Backing, Case, Kind, Roll, Shortfall, Signature, Spoof, Stated, Status, Verdict,
    ROLL_LIFE_SECS,
};
use ink::codegen::Env;
use ink::env::hash::Keccak256;
use ink::prelude::vec::Vec;

/// Hashing and recovery by the chain.
pub(crate) struct Host;

impl Crypto for Host {
    fn keccak(&self, bytes: &[u8]) -> Hash {
        let mut hash = Hash::default();
        ink::env::hash_bytes::<Keccak256>(bytes, &mut hash);
        hash
    }

    fn recover(&self, digest: &Hash, signature: &[u8; 65]) -> Option<Address> {
        let (mut key, mut address) = ([0u8; 33], Address::default());
        ink::env::ecdsa_recover(signature, digest, &mut key).ok()?;
        ink::env::ecdsa_to_eth_address(&key, &mut address).ok()?;
        Some(address)
    }
}

/// Which of the Arbiter's cases is filed here, and against whose bond.
struct Filing {
    kind: Kind,
    owner: AccountId,
    machine: [u8; 32],
    registration: u32,
    case_id: u64,
    rental: u64,
}

impl AlphaVault {
    /* FILING */

    pub(crate) fn file_rental(
        &mut self,
        backing: &Backing,
        stated: &[Stated],
        attestations: &[Attestation],
    ) -> Result<u32, Error> {
        let &Backing { kind, owner, machine, registration, case_id, rental, .. } = backing;
        let bps = match kind {
            Kind::NotDelivered => self.config.not_delivered_bps,
            Kind::Offline => self.config.offline_bps,
            Kind::Spoofed => return Err(Error::BadKind),
        };
        let filing = Filing { kind, owner, machine, registration, case_id, rental };
        self.ensure_not_judged(&filing)?;
        court::check_count(attestations.len())?;
        let (_, until) = court::intersection(attestations, self.now(), self.config.filing_life_secs)?;
        let hashes = attestations.iter().map(|a| eip712::attestation(&Host, kind, rental, a));
        self.check_signed(hashes, attestations.iter().map(|a| &a.signature))?;
        // What stood behind the rental is known once the outage is: a statement from before it is of another time.
        self.check_stated(stated, until.into(), |vault, at| eip712::backing(&Host, vault, backing, at))?;
        self.open_case(filing, court::rental_penalty(bps, backing)?)
    }

    pub(crate) fn file_spoofed(
        &mut self,
        shortfall: &Shortfall,
        gpu_class: u16,
        gpu_count: u16,
        stated: &[Stated],
        spoofs: &[Spoof],
    ) -> Result<u32, Error> {
        let &Shortfall { owner, machine, registration, case_id, .. } = shortfall;
        let filing = Filing { kind: Kind::Spoofed, owner, machine, registration, case_id, rental: 0 };
        self.ensure_not_judged(&filing)?;
        court::check_count(spoofs.len())?;
        let first = court::earliest(spoofs, self.now(), self.config.filing_life_secs)?;
        let claim = Claim { machine, registration, gpu_class, gpu_count };
        let hashes = spoofs.iter().map(|s| eip712::spoof(&Host, &claim, s));
        self.check_signed(hashes, spoofs.iter().map(|s| &s.signature))?;
        self.check_stated(stated, first.into(), |vault, at| eip712::shortfall(&Host, vault, shortfall, at))?;
        self.open_case(filing, court::spoof_penalty(shortfall)?)
    }

    /// Before the dear part of a filing: somebody may have been faster.
    fn ensure_not_judged(&self, filing: &Filing) -> Result<(), Error> {
        let bond = self.numbers.get((filing.owner, filing.machine)).ok_or(Error::NoBond)?;
        match self.judged.get((filing.case_id, bond)) {
            Some(case) => Err(Error::AlreadyJudged(case)),
            None => Ok(()),
        }
    }

    /// A quorum states the same; each dates it itself, not ahead, not before `after`, and not too long ago.
    fn check_stated(&self, stated: &[Stated], after: u64, hash: impl Fn(&[u8; 32], u32) -> Hash) -> Result<(), Error> {
        court::check_count(stated.len())?;
        let now = self.now();
        let oldest = now.saturating_sub(self.config.filing_life_secs).max(after);
        for (index, one) in stated.iter().enumerate() {
            court::check_date(index, one.stated_at, now, oldest)?;
        }
        let vault = self.env().account_id();
        let hashes = stated.iter().map(|one| hash(vault.as_ref(), one.stated_at));
        self.check_signed(hashes, stated.iter().map(|one| &one.signature))
    }

    /// Recovers who signed, and asks the roll whether that is a quorum.
    fn check_signed<'a>(
        &self,
        hashes: impl Iterator<Item = Hash>,
        signatures: impl Iterator<Item = &'a Signature>,
    ) -> Result<(), Error> {
        let domain = eip712::domain(&Host, &self.config);
        let mut signers = Vec::new();
        for (hash, signature) in hashes.zip(signatures) {
            let digest = eip712::digest(&Host, &domain, &hash);
            let index = u32::try_from(signers.len()).unwrap_or(u32::MAX);
            signers.push(eip712::signer(&Host, &digest, signature).ok_or(Error::BadSignature { index })?);
        }
        court::check_quorum(&self.present_roll(), &signers)
    }

    /// The last checks, and all writes.
    fn open_case(&mut self, filing: Filing, penalty: Penalty) -> Result<u32, Error> {
        let Filing { kind, owner, machine, registration, case_id, rental } = filing;
        let (bond_number, mut bond) = self.bond_of(owner, machine)?;
        let asked = self.rate().shares_worth(penalty.alpha).ok_or(Error::Overflow)?;
        let shares = bond.set_aside(asked);
        if shares == 0 {
            return Err(Error::NothingToSetAside); // nothing is not recorded as something
        }
        // Where less was there than asked for, less is at stake.
        let value = mul_div(penalty.value_rao.into(), shares, asked, Round::Down).ok_or(Error::Overflow)?;
        let number = self.case_count.checked_add(1).ok_or(Error::Overflow)?;
        let case = Case {
            kind,
            status: Status::Filed,
            bond: bond_number,
            case_id,
            registration,
            rental,
            shares,
            alpha: penalty.alpha,
            penalty_rao: penalty.value_rao,
            tao_first_rao: penalty.tao_first_rao,
            value_rao: u64::try_from(value).map_err(|_| Error::Overflow)?,
            filed_at: self.now(),
            appeal_bond: 0,
            rule_by: 0,
        };
        self.look();
        self.case_count = number;
        self.judged.insert((case_id, bond_number), &number);
        self.cases.insert(number, &case);
        self.bonds.insert(bond_number, &bond);
        self.env().emit_event(Filed { case: number, bond: bond_number, kind, case_id, shares, alpha: penalty.alpha });
        Ok(number)
    }

    /* DECIDING */

    pub(crate) fn take_appeal(&mut self, number: u32, evidence: [u8; 32]) -> Result<(), Error> {
        let mut case = self.cases.get(number).ok_or(Error::NoCase)?;
        let owner = self.bonds.get(case.bond).ok_or(Error::NoBond)?.owner;
        if self.env().caller() != owner {
            return Err(Error::OnlyOwner(owner));
        }
        let until = case.executable_at(self.config.appeal_window_secs);
        if case.status != Status::Filed || self.now() >= until {
            return Err(Error::NotAppealable { status: case.status, until });
        }
        let want = case.appeal_price();
        if to_rao(self.env().transferred_value()) != want {
            return Err(Error::WrongAppealBond { want });
        }
        let owed = self.tao_owed.checked_add(want).ok_or(Error::Overflow)?;
        case.status = Status::Appealed;
        case.appeal_bond = want;
        case.rule_by = self.now().saturating_add(self.config.ruling_window_secs);
        self.look();
        self.tao_owed = owed;
        self.cases.insert(number, &case);
        let rule_by = case.rule_by;
        self.env().emit_event(Appealed { case: number, bond_rao: want, evidence, rule_by });
        Ok(())
    }

    pub(crate) fn decide(&mut self, number: u32, uphold: bool) -> Result<(), Error> {
        if self.env().caller() != self.config.judge {
            return Err(Error::OnlyJudge(self.config.judge));
        }
        let case = self.cases.get(number).ok_or(Error::NoCase)?;
        if case.status != Status::Appealed || self.now() > case.rule_by {
            return Err(Error::NotRulable { status: case.status, rule_by: case.rule_by });
        }
        let bond = case.appeal_bond;
        if uphold {
            self.conclude(number, case)?;
            self.tao_to_burn = self.tao_to_burn.saturating_add(bond);
        } else {
            self.dismiss(number, case)?;
        }
        self.env().emit_event(Ruled { case: number, upheld: uphold });
        Ok(())
    }

    pub(crate) fn carry_out(&mut self, number: u32) -> Result<(), Error> {
        let case = self.cases.get(number).ok_or(Error::NoCase)?;
        let from = case.executable_at(self.config.appeal_window_secs);
        if !case.is_pending() || self.now() < from {
            return Err(Error::NotExecutable { status: case.status, from });
        }
        // Appealed and still here: the judge was silent. The case stands and the appeal cost nothing.
        let (silent, bond) = (case.status == Status::Appealed, case.appeal_bond);
        let owner = self.conclude(number, case)?;
        if silent {
            self.owe(owner, bond);
        }
        Ok(())
    }

    /// A quorum tells what became of the Arbiter's case: dismissed there, it is dismissed here; else it is clamped to
    /// what the rental has earned, as it is there.
    pub(crate) fn take_verdict(&mut self, number: u32, verdict: &Verdict, stated: &[Stated]) -> Result<(), Error> {
        let mut case = self.cases.get(number).ok_or(Error::NoCase)?;
        let left = court::amended(&case, verdict.earned);
        let smaller = verdict.dismissed || left.alpha < case.alpha;
        if !case.is_pending() || !smaller {
            return Err(Error::NothingToAmend { status: case.status });
        }
        self.check_stated(stated, 0, |vault, at| eip712::verdict(&Host, vault, case.case_id, verdict, at))?;
        if verdict.dismissed || left.alpha == 0 {
            return self.dismiss(number, case);
        }
        let mut bond = self.bonds.get(case.bond).ok_or(Error::NoBond)?;
        (case.alpha, case.penalty_rao) = (left.alpha, left.value_rao);
        case.value_rao = case.value_rao.min(left.value_rao);
        self.trim(&mut bond, &mut case)?;
        self.look();
        self.cases.insert(number, &case);
        self.bonds.insert(case.bond, &bond);
        self.env().emit_event(Amended { case: number, shares: case.shares, alpha: case.alpha });
        Ok(())
    }

    /// Gives back what is held beyond the alpha that the case asks for: dividends since, too dear a rate at filing, a
    /// smaller verdict. Never fails for a rate: a case can always be decided.
    fn trim(&self, bond: &mut Bond, case: &mut Case) -> Result<(), Error> {
        let enough = self.rate().shares_worth(case.alpha).unwrap_or(u128::MAX).min(case.shares);
        bond.give_back(case.shares.saturating_sub(enough)).ok_or(Error::Overflow)?;
        case.shares = enough;
        Ok(())
    }

    /// Held shares go into the pot, for good, and the pot is burned if the chain takes it now. Returns the owner.
    fn conclude(&mut self, number: u32, mut case: Case) -> Result<AccountId, Error> {
        let mut bond = self.bonds.get(case.bond).ok_or(Error::NoBond)?;
        self.trim(&mut bond, &mut case)?;
        bond.forfeit(case.shares).ok_or(Error::Overflow)?;
        let to_burn = self.to_burn.checked_add(case.shares).ok_or(Error::Overflow)?;
        case.status = Status::Executed;
        self.look();
        self.to_burn = to_burn;
        self.cases.insert(number, &case);
        self.bonds.insert(case.bond, &bond);
        self.env().emit_event(Executed { case: number, shares: case.shares });
        // Refused: it stays in the pot, out of everybody's reach, and anybody can try again.
        let _later = self.burn_pot();
        Ok(bond.owner)
    }

    /// Held shares are free bond again, and what an appeal cost is its owner's.
    fn dismiss(&mut self, number: u32, mut case: Case) -> Result<(), Error> {
        let mut bond = self.bonds.get(case.bond).ok_or(Error::NoBond)?;
        bond.give_back(case.shares).ok_or(Error::Overflow)?;
        case.status = Status::Dismissed;
        self.look();
        self.cases.insert(number, &case);
        self.bonds.insert(case.bond, &bond);
        self.owe(bond.owner, case.appeal_bond);
        self.env().emit_event(Dismissed { case: number, shares: case.shares });
        Ok(())
    }

    /* THE ROLL */

    pub(crate) fn take_roll(&mut self, next: Roll, until: u32, signatures: &[Signature]) -> Result<(), Error> {
        let (from, to) = (self.now(), self.now().saturating_add(ROLL_LIFE_SECS));
        if !(from..=to).contains(&until.into()) {
            return Err(Error::BadUntil { from, to });
        }
        let expected = self.present_roll().number.saturating_add(1);
        if next.number != expected {
            return Err(Error::BadRollNumber { expected });
        }
        court::check_roll(&next)?;
        court::check_count(signatures.len())?;
        let vault = self.env().account_id();
        let hash = eip712::roll(&Host, vault.as_ref(), &next, until);
        self.check_signed(signatures.iter().map(|_| hash), signatures.iter())?;
        self.look();
        self.roll.set(&next);
        let keepers = u32::try_from(next.keepers.len()).unwrap_or(u32::MAX);
        self.env().emit_event(HandedOver { number: next.number, keepers });
        Ok(())
    }
}
