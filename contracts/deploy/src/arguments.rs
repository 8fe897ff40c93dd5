//! What each contract is created with: as an operator reads it, as its constructor takes it, and as its code and its
//! views must show it afterwards.

use crate::artifacts::Kind;
use crate::params::{ClassBond, Shares, Windows};
use alloy::primitives::{Address, B256, U256};
use alloy::sol;
use alloy::sol_types::SolConstructor;
use serde::{Deserialize, Serialize};
use surety_client::bindings::{
    AppointedKeepers, Arbiter, CollateralVault, IArbiter, ICollateralVault, IRentalEscrow, RentalBids, RentalEscrow,
    TimelockController,
};
use surety_client::subtensor::{EXISTENTIAL_DEPOSIT_RAO, twox64};
use surety_core::types::{Account, Rao};

sol! {
    /// The constructor of `VotingPowerKeepers`.
    contract VotingPower {
        constructor(uint16 netuid, bytes8 netuidHash, uint32 checkInSecs);
    }
}

/// The constructor arguments of one contract, decoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "contract")]
#[allow(missing_docs)] // the interfaces' NatSpec says what each is
pub enum Arguments {
    TimelockController {
        min_delay_secs: u32,
        proposers: Vec<Account>,
        executors: Vec<Account>,
        /// Zero: nobody but the timelock itself administers its roles.
        admin: Account,
    },
    AppointedKeepers {
        owner: Account,
    },
    VotingPowerKeepers {
        netuid: u16,
        check_in_secs: u32,
    },
    CollateralVault(VaultArguments),
    RentalEscrow(EscrowArguments),
    Arbiter(ArbiterArguments),
    RentalBids {
        escrow: Account,
        /// Not an argument: the constructor asks the escrow for it.
        vault: Account,
    },
}

/// The vault's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct VaultArguments {
    pub owner: Account,
    pub netuid: u16,
    pub escrow: Account,
    pub arbiter: Account,
    pub keepers: Account,
    pub exit_delay_secs: u32,
    pub exit_window_secs: u32,
    pub statement_life_secs: u32,
    pub stated_filing_secs: u32,
    pub guardian: Account,
}

/// The escrow's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct EscrowArguments {
    pub owner: Account,
    pub vault: Account,
    pub arbiter: Account,
    pub keepers: Account,
    pub treasury: Account,
    pub settle_lag_secs: u32,
    pub certificate_life_secs: u32,
    pub bond_bps: u16,
    pub fee_bps: u16,
    pub abandon_bps: u16,
    pub class_bonds: Vec<ClassBond>,
}

/// The arbiter's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct ArbiterArguments {
    pub vault: Account,
    pub escrow: Account,
    pub keepers: Account,
    pub judge: Account,
    pub appeal_window_secs: u32,
    pub ruling_window_secs: u32,
    pub delivery_grace_secs: u32,
    pub min_interrupted_secs: u32,
    pub min_offline_secs: u32,
    pub freshness_secs: u32,
    pub spoof_life_secs: u32,
    pub not_delivered_bps: u16,
    pub offline_bps: u16,
    pub breaker_bps: u16,
}

/// Immutables by their Solidity names, in the order of the constructor arguments they are: a contract's code and its
/// getters have the very words that its constructor was given.
const VOTING_POWER_IMMUTABLES: [&str; 3] = ["NETUID", "NETUID_HASH", "CHECK_IN_SECS"];
/// Without the guardian, the last of its `Config`, who is in storage.
const VAULT_IMMUTABLES: [&str; 9] = [
    "NETUID",
    "NETUID_HASH",
    "ESCROW",
    "ARBITER",
    "KEEPERS",
    "EXIT_DELAY_SECS",
    "EXIT_WINDOW_SECS",
    "STATEMENT_LIFE_SECS",
    "STATED_FILING_SECS",
];
const ESCROW_IMMUTABLES: [&str; 9] = [
    "VAULT",
    "ARBITER",
    "KEEPERS",
    "TREASURY",
    "SETTLE_LAG_SECS",
    "CERTIFICATE_LIFE_SECS",
    "BOND_BPS",
    "FEE_BPS",
    "ABANDON_BPS",
];
const ARBITER_IMMUTABLES: [&str; 14] = [
    "VAULT",
    "ESCROW",
    "KEEPERS",
    "JUDGE",
    "APPEAL_WINDOW_SECS",
    "RULING_WINDOW_SECS",
    "DELIVERY_GRACE_SECS",
    "MIN_INTERRUPTED_SECS",
    "MIN_OFFLINE_SECS",
    "FRESHNESS_SECS",
    "SPOOF_LIFE_SECS",
    "NOT_DELIVERED_BPS",
    "OFFLINE_BPS",
    "BREAKER_BPS",
];

/// Accounts that arguments name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Names {
    pub owner: Account,
    pub keepers: Account,
    pub vault: Account,
    pub escrow: Account,
    pub arbiter: Account,
    pub treasury: Account,
    pub judge: Account,
    pub guardian: Account,
}

impl Arguments {
    /// The vault's.
    pub fn vault(netuid: u16, at: &Names, windows: &Windows) -> Self {
        Self::CollateralVault(VaultArguments {
            owner: at.owner,
            netuid,
            escrow: at.escrow,
            arbiter: at.arbiter,
            keepers: at.keepers,
            exit_delay_secs: windows.exit_delay_secs,
            exit_window_secs: windows.exit_window_secs,
            statement_life_secs: windows.statement_life_secs,
            stated_filing_secs: windows.stated_filing_secs,
            guardian: at.guardian,
        })
    }

    /// The escrow's.
    pub fn escrow(at: &Names, windows: &Windows, shares: &Shares, class_bonds: &[ClassBond]) -> Self {
        Self::RentalEscrow(EscrowArguments {
            owner: at.owner,
            vault: at.vault,
            arbiter: at.arbiter,
            keepers: at.keepers,
            treasury: at.treasury,
            settle_lag_secs: windows.settle_lag_secs,
            certificate_life_secs: windows.certificate_life_secs,
            bond_bps: shares.bond_bps,
            fee_bps: shares.fee_bps,
            abandon_bps: shares.abandon_bps,
            class_bonds: class_bonds.to_vec(),
        })
    }

    /// The arbiter's.
    pub fn arbiter(at: &Names, windows: &Windows, shares: &Shares) -> Self {
        Self::Arbiter(ArbiterArguments {
            vault: at.vault,
            escrow: at.escrow,
            keepers: at.keepers,
            judge: at.judge,
            appeal_window_secs: windows.appeal_window_secs,
            ruling_window_secs: windows.ruling_window_secs,
            delivery_grace_secs: windows.delivery_grace_secs,
            min_interrupted_secs: windows.min_interrupted_secs,
            min_offline_secs: windows.min_offline_secs,
            freshness_secs: windows.freshness_secs,
            spoof_life_secs: windows.spoof_life_secs,
            not_delivered_bps: shares.not_delivered_bps,
            offline_bps: shares.offline_bps,
            breaker_bps: shares.breaker_bps,
        })
    }

    /// Which contract they are for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TimelockController { .. } => Kind::TimelockController,
            Self::AppointedKeepers { .. } => Kind::AppointedKeepers,
            Self::VotingPowerKeepers { .. } => Kind::VotingPowerKeepers,
            Self::CollateralVault(_) => Kind::CollateralVault,
            Self::RentalEscrow(_) => Kind::RentalEscrow,
            Self::Arbiter(_) => Kind::Arbiter,
            Self::RentalBids { .. } => Kind::RentalBids,
        }
    }

    /// Paid when it is created: exactly the existential deposit where books are kept.
    pub fn seed_rao(&self) -> Rao {
        if self.kind().keeps_books() { EXISTENTIAL_DEPOSIT_RAO } else { 0 }
    }

    /// Storage slots that the constructor writes beyond those every one does; for an upper bound of its gas.
    pub fn lists_len(&self) -> usize {
        match self {
            Self::TimelockController { proposers, executors, .. } => 2 * proposers.len() + executors.len(),
            Self::RentalEscrow(escrow) => escrow.class_bonds.len(),
            _ => 0,
        }
    }

    /// As the constructor takes them, ABI-encoded.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::TimelockController { min_delay_secs, proposers, executors, admin } => {
                let call = TimelockController::constructorCall {
                    minDelay: U256::from(*min_delay_secs),
                    proposers: addresses(proposers),
                    executors: addresses(executors),
                    admin: evm(admin),
                };
                call.abi_encode()
            }
            Self::AppointedKeepers { owner } => AppointedKeepers::constructorCall { owner: evm(owner) }.abi_encode(),
            Self::VotingPowerKeepers { netuid, check_in_secs } => {
                let call = VotingPower::constructorCall {
                    netuid: *netuid,
                    netuidHash: twox64(*netuid),
                    checkInSecs: *check_in_secs,
                };
                call.abi_encode()
            }
            Self::CollateralVault(vault) => vault.encode(),
            Self::RentalEscrow(escrow) => escrow.encode(),
            Self::Arbiter(arbiter) => arbiter.encode(),
            Self::RentalBids { escrow, .. } => RentalBids::constructorCall { escrow: evm(escrow) }.abi_encode(),
        }
    }

    /// Every immutable of the contract by its Solidity name, as the 32-byte word that stands in its code and that the
    /// getter of the same name answers.
    pub fn immutables(&self) -> Vec<(&'static str, B256)> {
        let (words_before, names): (usize, &[&'static str]) = match self {
            Self::TimelockController { .. } | Self::AppointedKeepers { .. } => (0, &[]),
            Self::VotingPowerKeepers { .. } => (0, &VOTING_POWER_IMMUTABLES),
            // The owner is an argument before their `Config`.
            Self::CollateralVault(_) => (1, &VAULT_IMMUTABLES),
            Self::RentalEscrow(_) => (1, &ESCROW_IMMUTABLES),
            Self::Arbiter(_) => (0, &ARBITER_IMMUTABLES),
            Self::RentalBids { .. } => (0, &["ESCROW"]),
        };
        let encoded = self.encode();
        let words = encoded.chunks_exact(32).skip(words_before).map(B256::from_slice);
        let mut immutables: Vec<(&'static str, B256)> = names.iter().copied().zip(words).collect();
        if let Self::RentalBids { vault, .. } = self {
            immutables.push(("VAULT", evm(vault).into_word()));
        }
        immutables
    }
}

impl VaultArguments {
    fn encode(&self) -> Vec<u8> {
        let config = ICollateralVault::Config {
            netuid: self.netuid,
            netuidHash: twox64(self.netuid),
            escrow: evm(&self.escrow),
            arbiter: evm(&self.arbiter),
            keepers: evm(&self.keepers),
            exitDelaySecs: self.exit_delay_secs,
            exitWindowSecs: self.exit_window_secs,
            statementLifeSecs: self.statement_life_secs,
            statedFilingSecs: self.stated_filing_secs,
            guardian: evm(&self.guardian),
        };
        CollateralVault::constructorCall { owner: evm(&self.owner), config }.abi_encode()
    }
}

impl EscrowArguments {
    fn encode(&self) -> Vec<u8> {
        let config = IRentalEscrow::Config {
            vault: evm(&self.vault),
            arbiter: evm(&self.arbiter),
            keepers: evm(&self.keepers),
            treasury: evm(&self.treasury),
            settleLagSecs: self.settle_lag_secs,
            certificateLifeSecs: self.certificate_life_secs,
            bondBps: self.bond_bps,
            feeBps: self.fee_bps,
            abandonBps: self.abandon_bps,
        };
        let (classes, bonds) = self.class_bonds.iter().map(|row| (row.class, row.bond_rao)).unzip();
        RentalEscrow::constructorCall { owner: evm(&self.owner), config, classes, bonds }.abi_encode()
    }
}

impl ArbiterArguments {
    fn encode(&self) -> Vec<u8> {
        let config = IArbiter::Config {
            vault: evm(&self.vault),
            escrow: evm(&self.escrow),
            keepers: evm(&self.keepers),
            judge: evm(&self.judge),
            appealWindowSecs: self.appeal_window_secs,
            rulingWindowSecs: self.ruling_window_secs,
            deliveryGraceSecs: self.delivery_grace_secs,
            minInterruptedSecs: self.min_interrupted_secs,
            minOfflineSecs: self.min_offline_secs,
            freshnessSecs: self.freshness_secs,
            spoofLifeSecs: self.spoof_life_secs,
            notDeliveredBps: self.not_delivered_bps,
            offlineBps: self.offline_bps,
            breakerBps: self.breaker_bps,
        };
        Arbiter::constructorCall { config }.abi_encode()
    }
}

/// The project's account as alloy's address.
pub fn evm(account: &Account) -> Address {
    Address::from(account.0)
}

/// alloy's address as the project's account.
pub fn account(address: Address) -> Account {
    Account(address.into_array())
}

fn addresses(accounts: &[Account]) -> Vec<Address> {
    accounts.iter().map(evm).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use alloy::sol_types::SolStruct;

    /// The fields of a Solidity struct as immutables are called: `Config(uint16 netuid,...)` has `NETUID`.
    fn as_immutables<S: SolStruct>() -> Vec<String> {
        let text = S::eip712_root_type();
        let fields = text.split_once('(').unwrap().1.trim_end_matches(')').split(',');
        let snake = |name: &str| {
            let parts = name.chars().map(|c| if c.is_ascii_uppercase() { format!("_{c}") } else { c.to_string() });
            parts.collect::<String>().to_uppercase()
        };
        fields.map(|field| snake(field.split_once(' ').unwrap().1)).collect()
    }

    #[test]
    fn immutables_are_named_in_the_order_of_the_constructors_arguments() {
        let mut vault = as_immutables::<ICollateralVault::Config>();
        assert_eq!(vault.pop().unwrap(), "GUARDIAN");
        assert_eq!(vault, VAULT_IMMUTABLES);
        assert_eq!(as_immutables::<IRentalEscrow::Config>(), ESCROW_IMMUTABLES);
        assert_eq!(as_immutables::<IArbiter::Config>(), ARBITER_IMMUTABLES);
    }

    #[test]
    fn every_immutable_is_the_word_of_its_own_argument() {
        let at = |n: u8| Account([n; 20]);
        let names = Names {
            owner: at(1),
            keepers: at(2),
            vault: at(3),
            escrow: at(4),
            arbiter: at(5),
            treasury: at(6),
            judge: at(7),
            guardian: at(8),
        };
        let params = crate::params::Params::committed(crate::network::Network::Local).unwrap();
        let number = |value: u32| B256::from(U256::from(value));
        let vault = Arguments::vault(params.netuid, &names, &params.windows).immutables();
        assert_eq!(vault.len(), VAULT_IMMUTABLES.len());
        assert_eq!(vault[0], ("NETUID", number(params.netuid.into())));
        // Fixed bytes stand at the front of their word.
        assert_eq!(vault[1].1[..8], twox64(params.netuid)[..]);
        assert_eq!(vault[2], ("ESCROW", evm(&at(4)).into_word()));
        assert_eq!(vault[4], ("KEEPERS", evm(&at(2)).into_word()));
        assert_eq!(vault[5], ("EXIT_DELAY_SECS", number(params.windows.exit_delay_secs)));
        assert_eq!(vault[8], ("STATED_FILING_SECS", number(params.windows.stated_filing_secs)));
        let escrow = Arguments::escrow(&names, &params.windows, &params.shares, &params.class_bonds).immutables();
        assert_eq!(escrow.first().unwrap(), &("VAULT", evm(&at(3)).into_word()));
        assert_eq!(escrow.last().unwrap(), &("ABANDON_BPS", number(params.shares.abandon_bps.into())));
        let arbiter = Arguments::arbiter(&names, &params.windows, &params.shares).immutables();
        assert_eq!(arbiter.first().unwrap(), &("VAULT", evm(&at(3)).into_word()));
        assert_eq!(arbiter.last().unwrap(), &("BREAKER_BPS", number(params.shares.breaker_bps.into())));
        let keepers = Arguments::VotingPowerKeepers { netuid: params.netuid, check_in_secs: 9 }.immutables();
        assert_eq!(keepers[2], ("CHECK_IN_SECS", number(9)));
        let bids = Arguments::RentalBids { escrow: at(4), vault: at(3) }.immutables();
        assert_eq!(bids, [("ESCROW", evm(&at(4)).into_word()), ("VAULT", evm(&at(3)).into_word())]);
    }
}
