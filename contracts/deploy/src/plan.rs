//! A whole deployment before anything is sent: which contract at which nonce, so at which address, with which
//! arguments. The contracts name each other in immutables, so all of it must be known from the start (SPEC section 2).

use crate::arguments::{Arguments, Names, account, evm};
use crate::artifacts::{ArtifactError, Kind, Shipped, hash};
use crate::params::{Keepers, Owner, Params};
use alloy::primitives::Bytes;
use surety_core::types::{Account, Hash32, Rao};

/// One contract to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Which contract.
    pub kind: Kind,
    /// The deployer's nonce that creates it.
    pub nonce: u64,
    /// Where it will be, by that nonce.
    pub address: Account,
    /// What it is created with.
    pub arguments: Arguments,
    /// Creation code and arguments.
    pub initcode: Bytes,
    /// The code that must be there afterwards.
    pub runtime: Bytes,
}

/// All of them, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What follows from them is below.
    pub params: Params,
    /// Whose nonces.
    pub deployer: Account,
    /// Where the owner is.
    pub owner: Account,
    /// In the order of deployment, at consecutive nonces.
    pub steps: Vec<Step>,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A contract that this version does not ship.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// No account has sent that many transactions.
    #[error("nonce {0} is no account's: a lie of the node's, or a damaged file")]
    NonceTooLarge(u64),
}

/// Above every nonce there is: a transaction each millisecond for a century has fewer.
const NONCE_MAX: u64 = 1 << 42;

impl Step {
    /// keccak256 of the creation code and arguments.
    pub fn initcode_hash(&self) -> Hash32 {
        hash(&self.initcode)
    }

    /// keccak256 of the code that must be there.
    pub fn code_hash(&self) -> Hash32 {
        hash(&self.runtime)
    }

    /// No creation takes more gas: Ethereum's prices for the transaction, its bytes and its code, and 22,100 gas for
    /// each slot that a constructor can write, 30 of them beside its lists, events included.
    pub fn gas_bound(&self) -> u64 {
        let len = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let (initcode, runtime) = (len(self.initcode.len()), len(self.runtime.len()));
        let slots = 30 + 2 * len(self.arguments.lists_len());
        53_000 + 16 * initcode + 2 * initcode.div_ceil(32) + 200 * runtime + 22_100 * slots
    }
}

impl Plan {
    /// Works everything out for a deployer whose next transaction has nonce `first_nonce`.
    ///
    /// # Errors
    /// A contract that this version does not ship, or a nonce that is none.
    pub fn new(params: &Params, deployer: Account, first_nonce: u64) -> Result<Self, PlanError> {
        if first_nonce > NONCE_MAX {
            return Err(PlanError::NonceTooLarge(first_nonce));
        }
        let with_timelock = matches!(params.owner, Owner::Timelock { .. });
        let first_sibling = first_nonce + u64::from(with_timelock);
        let at = |nonce: u64| account(evm(&deployer).create(nonce));
        let owner = match &params.owner {
            Owner::Timelock { .. } => at(first_nonce),
            Owner::Existing { address } | Owner::Account { address } => *address,
        };
        let names = Names {
            owner,
            keepers: at(first_sibling),
            vault: at(first_sibling + 1),
            escrow: at(first_sibling + 2),
            arbiter: at(first_sibling + 3),
            treasury: params.treasury,
            judge: params.judge,
            guardian: params.guardian,
        };
        let mut steps = Vec::new();
        for (nonce, arguments) in (first_nonce..).zip(arguments(params, &names)) {
            let shipped = Shipped::of(arguments.kind())?;
            steps.push(Step {
                kind: arguments.kind(),
                nonce,
                address: at(nonce),
                initcode: shipped.initcode(&arguments.encode()),
                runtime: shipped.runtime_with(&arguments.immutables())?.into(),
                arguments,
            });
        }
        Ok(Self { params: params.clone(), deployer, owner, steps })
    }

    /// The step of a contract.
    pub fn step(&self, kind: Kind) -> Option<&Step> {
        self.steps.iter().find(|step| step.kind == kind)
    }

    /// The nonce of the first.
    pub fn first_nonce(&self) -> u64 {
        self.steps.first().map_or(0, |step| step.nonce)
    }

    /// Paid to the contracts as seeds, in all.
    pub fn seeds_rao(&self) -> Rao {
        self.steps.iter().map(|step| step.arguments.seed_rao()).sum()
    }

    /// Upper bound of the gas of all steps.
    pub fn gas_bound(&self) -> u64 {
        self.steps.iter().map(Step::gas_bound).sum()
    }
}

fn arguments(params: &Params, at: &Names) -> Vec<Arguments> {
    let mut all = Vec::new();
    if let Owner::Timelock { min_delay_secs, proposers, executors } = &params.owner {
        all.push(Arguments::TimelockController {
            min_delay_secs: *min_delay_secs,
            proposers: proposers.clone(),
            executors: executors.clone(),
            admin: Account::default(),
        });
    }
    all.push(match params.keepers {
        Keepers::Appointed {} => Arguments::AppointedKeepers { owner: at.owner },
        Keepers::VotingPower { check_in_secs } => {
            Arguments::VotingPowerKeepers { netuid: params.netuid, check_in_secs }
        }
    });
    all.push(Arguments::vault(params.netuid, at, &params.windows));
    all.push(Arguments::escrow(at, &params.windows, &params.shares, &params.class_bonds));
    all.push(Arguments::arbiter(at, &params.windows, &params.shares));
    all.push(Arguments::RentalBids { escrow: at.escrow, vault: at.vault });
    all
}
