//! What keepers sign about bonds of alpha. A [`BondStatement`](statement::BondStatement) is consumed by the
//! CollateralVault and signed under its domain. The others are consumed by AlphaVault, which names itself in their
//! first field and takes the Arbiter's domain, so that it can read the Arbiter's attestations too (SPEC 19).

use super::{Domains, TimeTooFar, secs32};
use alloy::primitives::{Address, B256};
use alloy::sol;
use alloy::sol_types::SolStruct;
use surety_core::alpha as statement;
use surety_core::types::{Account, Hash32};

sol! {
    struct BondStatement {
        bytes32 vault;
        bytes32 owner;
        bytes32 machine;
        uint32 registration;
        uint64 rental;
        bool over;
        uint64 alpha;
        uint64 value;
        uint32 statedAt;
        uint32 until;
    }

    struct AlphaBacking {
        bytes32 vault;
        bytes32 owner;
        bytes32 machine;
        uint32 registration;
        uint64 caseId;
        uint8 kind;
        uint64 rental;
        uint64 taoReserve;
        uint64 alpha;
        uint64 alphaValue;
        uint64 earned;
        uint32 statedAt;
    }

    struct AlphaShortfall {
        bytes32 vault;
        bytes32 owner;
        bytes32 machine;
        uint32 registration;
        uint64 caseId;
        uint64 alpha;
        uint64 alphaValue;
        uint64 shortfall;
        uint32 statedAt;
    }

    struct AlphaVerdict {
        bytes32 vault;
        uint64 caseId;
        bool dismissed;
        uint64 earned;
        uint32 statedAt;
    }

    struct KeeperRoll {
        bytes32 vault;
        uint64 number;
        address[] keepers;
        uint64[] weights;
        uint32 until;
    }
}

/// Who is to speak next in an AlphaVault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roll {
    /// Account id of the vault.
    pub vault: Hash32,
    /// Its number, one more than the present roll's.
    pub number: u64,
    /// Keepers, ascending.
    pub keepers: Vec<Account>,
    /// Their weights, in that order.
    pub weights: Vec<u64>,
    /// The last second in which it can be handed over, Unix seconds.
    pub until_secs: u64,
}

impl Domains {
    /// The 32 bytes a keeper signs for a statement about alpha; `collateral_vault` is this deployment's.
    pub fn alpha(&self, collateral_vault: Account, s: &statement::AlphaStatement) -> Result<Hash32, TimeTooFar> {
        match s {
            statement::AlphaStatement::Bond(s) => self.bond_statement(collateral_vault, s),
            statement::AlphaStatement::Backing(s) => self.alpha_backing(s),
            statement::AlphaStatement::Shortfall(s) => self.alpha_shortfall(s),
            statement::AlphaStatement::Verdict(s) => self.alpha_verdict(s),
        }
    }

    /// The 32 bytes a keeper signs for a bond statement; `collateral_vault` is this deployment's.
    pub fn bond_statement(
        &self,
        collateral_vault: Account,
        s: &statement::BondStatement,
    ) -> Result<Hash32, TimeTooFar> {
        let data = BondStatement {
            vault: B256::from(s.vault.0),
            owner: B256::from(s.owner.0),
            machine: B256::from(s.machine.0),
            registration: s.registration,
            rental: s.rental,
            over: s.over,
            alpha: s.alpha,
            value: s.value_rao,
            statedAt: secs32(s.stated_at_secs)?,
            until: secs32(s.until_secs)?,
        };
        Ok(self.hash(collateral_vault, &data))
    }

    /// The 32 bytes a keeper signs for a backing.
    pub fn alpha_backing(&self, s: &statement::AlphaBacking) -> Result<Hash32, TimeTooFar> {
        let data = AlphaBacking {
            vault: B256::from(s.vault.0),
            owner: B256::from(s.owner.0),
            machine: B256::from(s.machine.0),
            registration: s.registration,
            caseId: s.case,
            kind: s.kind as u8,
            rental: s.rental,
            taoReserve: s.tao_reserve_rao,
            alpha: s.alpha,
            alphaValue: s.alpha_value_rao,
            earned: s.earned_rao,
            statedAt: secs32(s.stated_at_secs)?,
        };
        Ok(self.hash(self.arbiter, &data))
    }

    /// The 32 bytes a keeper signs for a shortfall.
    pub fn alpha_shortfall(&self, s: &statement::AlphaShortfall) -> Result<Hash32, TimeTooFar> {
        let data = AlphaShortfall {
            vault: B256::from(s.vault.0),
            owner: B256::from(s.owner.0),
            machine: B256::from(s.machine.0),
            registration: s.registration,
            caseId: s.case,
            alpha: s.alpha,
            alphaValue: s.alpha_value_rao,
            shortfall: s.shortfall_rao,
            statedAt: secs32(s.stated_at_secs)?,
        };
        Ok(self.hash(self.arbiter, &data))
    }

    /// The 32 bytes a keeper signs for a verdict.
    pub fn alpha_verdict(&self, s: &statement::AlphaVerdict) -> Result<Hash32, TimeTooFar> {
        let data = AlphaVerdict {
            vault: B256::from(s.vault.0),
            caseId: s.case,
            dismissed: s.dismissed,
            earned: s.earned_rao,
            statedAt: secs32(s.stated_at_secs)?,
        };
        Ok(self.hash(self.arbiter, &data))
    }

    /// The 32 bytes a keeper signs for the next roll.
    pub fn keeper_roll(&self, roll: &Roll) -> Result<Hash32, TimeTooFar> {
        let data = KeeperRoll {
            vault: B256::from(roll.vault.0),
            number: roll.number,
            keepers: roll.keepers.iter().map(|keeper| Address::from(keeper.0)).collect(),
            weights: roll.weights.clone(),
            until: secs32(roll.until_secs)?,
        };
        Ok(self.hash(self.arbiter, &data))
    }

    fn hash(&self, contract: Account, data: &impl SolStruct) -> Hash32 {
        Hash32(data.eip712_signing_hash(&self.domain(contract)).0)
    }
}
