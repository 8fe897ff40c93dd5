//! What a deployment is made with: a TOML file that an operator writes, checked as the constructors will check it, so
//! that a mistake costs a line of reading and no gas.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use surety_core::types::{Account, Rao};
use surety_core::view::ContractTimes;

use crate::network::Network;

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// Largest parameter file read, in bytes; the committed ones have about 4,000.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Most proposers, executors and GPU classes: they are written in a constructor, which must fit a block.
const LIST_MAX: usize = 64;

/// `OfferBook.MAX_CLASS_BOND`, in rao.
const CLASS_BOND_MAX_RAO: Rao = 100_000_000_000;

/// All parameters of one deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The subnet.
    pub netuid: u16,
    /// Gets the fee.
    pub treasury: Account,
    /// Rules on appeals.
    pub judge: Account,
    /// May pause new business; zero: nobody.
    pub guardian: Account,
    /// Owns keeper set, Vault and Escrow.
    pub owner: Owner,
    /// Whose word counts.
    pub keepers: Keepers,
    /// Times.
    pub windows: Windows,
    /// Ten-thousandths.
    pub shares: Shares,
    /// What one GPU of each class must be bonded with.
    pub class_bonds: Vec<ClassBond>,
}

/// Who owns what has an owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Owner {
    /// A TimelockController deployed with the rest, administered by itself alone.
    Timelock {
        /// Seconds from scheduling to executing.
        min_delay_secs: u32,
        /// May schedule and cancel.
        proposers: Vec<Account>,
        /// May execute what has waited; the zero account: anybody.
        executors: Vec<Account>,
    },
    /// A TimelockController that is there already.
    Existing {
        /// Where.
        address: Account,
    },
    /// Any account; for local chains only.
    Account {
        /// Which.
        address: Account,
    },
}

/// Which keeper set is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Keepers {
    /// Named by the owner.
    Appointed {},
    /// By the chain's own average of their stake.
    VotingPower {
        /// How long a keeper may be silent, seconds.
        check_in_secs: u32,
    },
}

/// Times, in seconds (SPEC P1 to P10, P23, P32, P33).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the interfaces' NatSpec and SPEC section 8 say what each is
pub struct Windows {
    pub exit_delay_secs: u32,
    pub exit_window_secs: u32,
    pub statement_life_secs: u32,
    pub stated_filing_secs: u32,
    pub settle_lag_secs: u32,
    pub certificate_life_secs: u32,
    pub appeal_window_secs: u32,
    pub ruling_window_secs: u32,
    pub delivery_grace_secs: u32,
    pub min_interrupted_secs: u32,
    pub min_offline_secs: u32,
    pub freshness_secs: u32,
    pub spoof_life_secs: u32,
}

/// Ten-thousandths (SPEC P11 to P14, and the breaker).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Shares {
    pub bond_bps: u16,
    pub fee_bps: u16,
    pub abandon_bps: u16,
    pub not_delivered_bps: u16,
    pub offline_bps: u16,
    pub breaker_bps: u16,
}

/// One row of the class bond table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassBond {
    /// What contracts and keepers know.
    pub class: u16,
    /// What readers know.
    pub name: String,
    /// For one GPU.
    pub bond_rao: Rao,
}

/// Why parameters are not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ParamsError {
    /// The file cannot be read.
    #[error("cannot read the parameter file {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a parameter file.
    #[error("{path} is no parameter file; see deployments/params for one")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: Box<toml::de::Error>,
    },
    /// It is too long to be one.
    #[error("{path} is longer than {FILE_BYTES_MAX} bytes: no parameter file is")]
    TooLong {
        /// Which file.
        path: PathBuf,
    },
    /// Values do not make sense, alone or together.
    #[error("the parameters are refused:\n  - {}", .0.join("\n  - "))]
    Refused(Vec<String>),
}

impl Params {
    /// Reads a file and checks it for `network`.
    ///
    /// # Errors
    /// The file is none, or everything that is wrong with its values, at once.
    pub fn read(path: &Path, network: Network) -> Result<Self, ParamsError> {
        let io = |source| ParamsError::Read { path: path.to_path_buf(), source };
        if std::fs::metadata(path).map_err(io)?.len() > FILE_BYTES_MAX {
            return Err(ParamsError::TooLong { path: path.to_path_buf() });
        }
        Self::parse(&std::fs::read_to_string(path).map_err(io)?, path, network)
    }

    /// The committed parameters of `network`.
    ///
    /// # Errors
    /// Testnet's and mainnet's have placeholders, which are refused.
    pub fn committed(network: Network) -> Result<Self, ParamsError> {
        let path = PathBuf::from(format!("deployments/params/{network}.toml"));
        Self::parse(network.committed_params(), &path, network)
    }

    fn parse(text: &str, path: &Path, network: Network) -> Result<Self, ParamsError> {
        let parse = |source| ParamsError::Parse { path: path.to_path_buf(), source: Box::new(source) };
        toml::from_str::<Self>(text).map_err(parse)?.checked(network)
    }

    /// The same, if `network` can have them: for parameters that come from no file.
    ///
    /// # Errors
    /// Everything that is wrong with the values, at once.
    pub fn checked(self, network: Network) -> Result<Self, ParamsError> {
        let wrong = self.wrong(network);
        if wrong.is_empty() { Ok(self) } else { Err(ParamsError::Refused(wrong)) }
    }

    /// Everything that a constructor would refuse, and what no deployment should have; empty: nothing.
    pub fn wrong(&self, network: Network) -> Vec<String> {
        let mut wrong = Wrong(Vec::new());
        let zero = Account::default();
        wrong.unless(network == Network::Local || self.netuid != 0, "netuid is 0, the root network: name the subnet");
        wrong.unless(self.treasury != zero, "treasury is zero: name who gets the fee");
        wrong.unless(self.judge != zero, "judge is zero: name who rules on appeals");
        self.check_owner(network, &mut wrong);
        if let Keepers::VotingPower { check_in_secs } = self.keepers {
            wrong.unless((HOUR..=7 * DAY).contains(&check_in_secs), "check_in_secs is not within 1 hour and 7 days");
        }
        self.windows.check(&mut wrong);
        self.shares.check(&mut wrong);
        self.check_bonds(&mut wrong);
        wrong.0
    }

    fn check_owner(&self, network: Network, wrong: &mut Wrong) {
        match &self.owner {
            Owner::Timelock { min_delay_secs, proposers, executors } => {
                wrong.unless(!proposers.is_empty(), "owner.proposers is empty: nobody could ever change anything");
                wrong.unless(!executors.is_empty(), "owner.executors is empty: name some, or the zero account for all");
                wrong.unless(!proposers.contains(&Account::default()), "owner.proposers has the zero account");
                wrong.unless(
                    proposers.len() <= LIST_MAX && executors.len() <= LIST_MAX,
                    "owner.proposers and owner.executors may have 64 accounts each",
                );
                wrong.unless(
                    *min_delay_secs >= self.windows.exit_delay_secs,
                    "owner.min_delay_secs is under exit_delay_secs: who sees a change coming could not leave first",
                );
            }
            Owner::Existing { address } => wrong.unless(*address != Account::default(), "owner.address is zero"),
            Owner::Account { address } => {
                wrong.unless(*address != Account::default(), "owner.address is zero");
                wrong.unless(
                    network == Network::Local,
                    "owner.kind = \"account\" is for local chains: anywhere else the owner is a timelock (SPEC A2)",
                );
            }
        }
    }

    fn check_bonds(&self, wrong: &mut Wrong) {
        wrong.unless(!self.class_bonds.is_empty(), "class_bonds is empty: nothing could be offered");
        wrong.unless(self.class_bonds.len() <= LIST_MAX, "class_bonds may have 64 rows");
        let classes: BTreeSet<u16> = self.class_bonds.iter().map(|row| row.class).collect();
        wrong.unless(classes.len() == self.class_bonds.len(), "class_bonds names a class twice");
        for row in &self.class_bonds {
            if row.bond_rao > CLASS_BOND_MAX_RAO {
                wrong.0.push(format!("the bond of class {} is over 100 TAO: {} rao", row.class, row.bond_rao));
            }
        }
    }
}

struct Wrong(Vec<String>);

impl Wrong {
    fn unless(&mut self, good: bool, otherwise: &str) {
        if !good {
            self.0.push(otherwise.to_owned());
        }
    }

    /// `low..=high`, both named in the complaint.
    fn within(&mut self, name: &str, value: u32, low: u32, high: u32) {
        if !(low..=high).contains(&value) {
            self.0.push(format!("{name} is {value}, not within {low} and {high}"));
        }
    }
}

impl Windows {
    /// The times that keepers go by.
    pub fn times(&self) -> ContractTimes {
        ContractTimes {
            settle_lag_secs: self.settle_lag_secs.into(),
            delivery_grace_secs: self.delivery_grace_secs.into(),
            min_interrupted_secs: self.min_interrupted_secs.into(),
            min_offline_secs: self.min_offline_secs.into(),
            freshness_secs: self.freshness_secs.into(),
            certificate_life_secs: self.certificate_life_secs.into(),
            spoof_life_secs: self.spoof_life_secs.into(),
        }
    }

    fn check(&self, wrong: &mut Wrong) {
        wrong.within("exit_delay_secs", self.exit_delay_secs, 1, 30 * DAY);
        wrong.within("exit_window_secs", self.exit_window_secs, 1, 365 * DAY);
        wrong.within("statement_life_secs", self.statement_life_secs, 1, 7 * DAY);
        wrong.within("stated_filing_secs", self.stated_filing_secs, 1, 30 * DAY);
        wrong.within("settle_lag_secs", self.settle_lag_secs, 1, 7 * DAY);
        wrong.within("certificate_life_secs", self.certificate_life_secs, 1, 7 * DAY);
        wrong.within("appeal_window_secs", self.appeal_window_secs, 1, 30 * DAY);
        wrong.within("ruling_window_secs", self.ruling_window_secs, 1, 30 * DAY);
        wrong.within("delivery_grace_secs", self.delivery_grace_secs, 1, 7 * DAY);
        wrong.within("min_interrupted_secs", self.min_interrupted_secs, 1, self.min_offline_secs);
        wrong.within("freshness_secs", self.freshness_secs, 1, 7 * DAY);
        wrong.within("spoof_life_secs", self.spoof_life_secs, 1, self.exit_delay_secs);
        let lag = u64::from(self.settle_lag_secs);
        let fresh = u64::from(self.freshness_secs);
        wrong.unless(
            u64::from(self.min_offline_secs) + fresh <= lag,
            "settle_lag_secs is under min_offline_secs + freshness_secs: a claim could overtake an outage",
        );
        wrong.unless(
            u64::from(self.delivery_grace_secs) + fresh <= lag,
            "settle_lag_secs is under delivery_grace_secs + freshness_secs: a claim could overtake a case",
        );
        wrong.unless(self.settle_lag_secs <= self.appeal_window_secs, "appeal_window_secs is under settle_lag_secs");
        wrong.unless(self.settle_lag_secs <= self.exit_delay_secs, "exit_delay_secs is under settle_lag_secs");
    }
}

impl Shares {
    fn check(&self, wrong: &mut Wrong) {
        wrong.within("bond_bps", self.bond_bps.into(), 0, 10_000);
        wrong.within("fee_bps", self.fee_bps.into(), 0, 500);
        wrong.within("abandon_bps", self.abandon_bps.into(), 0, 2_000);
        wrong.within("not_delivered_bps", self.not_delivered_bps.into(), 0, 2_000);
        wrong.within("offline_bps", self.offline_bps.into(), 0, 2_000);
        wrong.within("breaker_bps", self.breaker_bps.into(), 1, 10_000);
    }
}

#[cfg(test)]
mod tests;
