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
    CollateralVault {
        owner: Account,
        netuid: u16,
        escrow: Account,
        arbiter: Account,
        exit_delay_secs: u32,
        exit_window_secs: u32,
        guardian: Account,
    },
    RentalEscrow {
        owner: Account,
        vault: Account,
        arbiter: Account,
        keepers: Account,
        treasury: Account,
        settle_lag_secs: u32,
        certificate_life_secs: u32,
        bond_bps: u16,
        fee_bps: u16,
        abandon_bps: u16,
        class_bonds: Vec<ClassBond>,
    },
    Arbiter {
        vault: Account,
        escrow: Account,
        keepers: Account,
        judge: Account,
        appeal_window_secs: u32,
        ruling_window_secs: u32,
        delivery_grace_secs: u32,
        min_interrupted_secs: u32,
        min_offline_secs: u32,
        freshness_secs: u32,
        spoof_life_secs: u32,
        not_delivered_bps: u16,
        offline_bps: u16,
        breaker_bps: u16,
    },
    RentalBids {
        escrow: Account,
        /// Not an argument: the constructor asks the escrow for it.
        vault: Account,
    },
}

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
        Self::CollateralVault {
            owner: at.owner,
            netuid,
            escrow: at.escrow,
            arbiter: at.arbiter,
            exit_delay_secs: windows.exit_delay_secs,
            exit_window_secs: windows.exit_window_secs,
            guardian: at.guardian,
        }
    }

    /// The escrow's.
    pub fn escrow(at: &Names, windows: &Windows, shares: &Shares, class_bonds: &[ClassBond]) -> Self {
        Self::RentalEscrow {
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
        }
    }

    /// The arbiter's.
    pub fn arbiter(at: &Names, windows: &Windows, shares: &Shares) -> Self {
        Self::Arbiter {
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
        }
    }

    /// Which contract they are for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TimelockController { .. } => Kind::TimelockController,
            Self::AppointedKeepers { .. } => Kind::AppointedKeepers,
            Self::VotingPowerKeepers { .. } => Kind::VotingPowerKeepers,
            Self::CollateralVault { .. } => Kind::CollateralVault,
            Self::RentalEscrow { .. } => Kind::RentalEscrow,
            Self::Arbiter { .. } => Kind::Arbiter,
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
            Self::RentalEscrow { class_bonds, .. } => class_bonds.len(),
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
            Self::CollateralVault { .. } => self.encode_vault(),
            Self::RentalEscrow { .. } => self.encode_escrow(),
            Self::Arbiter { .. } => self.encode_arbiter(),
            Self::RentalBids { escrow, .. } => RentalBids::constructorCall { escrow: evm(escrow) }.abi_encode(),
        }
    }

    fn encode_vault(&self) -> Vec<u8> {
        let Self::CollateralVault { owner, netuid, escrow, arbiter, exit_delay_secs, exit_window_secs, guardian } =
            self
        else {
            return Vec::new();
        };
        let config = ICollateralVault::Config {
            netuid: *netuid,
            netuidHash: twox64(*netuid),
            escrow: evm(escrow),
            arbiter: evm(arbiter),
            exitDelaySecs: *exit_delay_secs,
            exitWindowSecs: *exit_window_secs,
            guardian: evm(guardian),
        };
        CollateralVault::constructorCall { owner: evm(owner), config }.abi_encode()
    }

    fn encode_escrow(&self) -> Vec<u8> {
        let Self::RentalEscrow {
            owner,
            vault,
            arbiter,
            keepers,
            treasury,
            settle_lag_secs,
            certificate_life_secs,
            bond_bps,
            fee_bps,
            abandon_bps,
            class_bonds,
        } = self
        else {
            return Vec::new();
        };
        let config = IRentalEscrow::Config {
            vault: evm(vault),
            arbiter: evm(arbiter),
            keepers: evm(keepers),
            treasury: evm(treasury),
            settleLagSecs: *settle_lag_secs,
            certificateLifeSecs: *certificate_life_secs,
            bondBps: *bond_bps,
            feeBps: *fee_bps,
            abandonBps: *abandon_bps,
        };
        let (classes, bonds) = class_bonds.iter().map(|row| (row.class, row.bond_rao)).unzip();
        RentalEscrow::constructorCall { owner: evm(owner), config, classes, bonds }.abi_encode()
    }

    fn encode_arbiter(&self) -> Vec<u8> {
        let Self::Arbiter {
            vault,
            escrow,
            keepers,
            judge,
            appeal_window_secs,
            ruling_window_secs,
            delivery_grace_secs,
            min_interrupted_secs,
            min_offline_secs,
            freshness_secs,
            spoof_life_secs,
            not_delivered_bps,
            offline_bps,
            breaker_bps,
        } = self
        else {
            return Vec::new();
        };
        let config = IArbiter::Config {
            vault: evm(vault),
            escrow: evm(escrow),
            keepers: evm(keepers),
            judge: evm(judge),
            appealWindowSecs: *appeal_window_secs,
            rulingWindowSecs: *ruling_window_secs,
            deliveryGraceSecs: *delivery_grace_secs,
            minInterruptedSecs: *min_interrupted_secs,
            minOfflineSecs: *min_offline_secs,
            freshnessSecs: *freshness_secs,
            spoofLifeSecs: *spoof_life_secs,
            notDeliveredBps: *not_delivered_bps,
            offlineBps: *offline_bps,
            breakerBps: *breaker_bps,
        };
        Arbiter::constructorCall { config }.abi_encode()
    }

    /// Every immutable of the contract by its Solidity name, as the 32-byte word that stands in its code and that the
    /// getter of the same name answers.
    pub fn immutables(&self) -> Vec<(&'static str, B256)> {
        match self {
            Self::TimelockController { .. } | Self::AppointedKeepers { .. } => vec![],
            Self::VotingPowerKeepers { netuid, check_in_secs } => vec![
                ("NETUID", number(*netuid)),
                ("NETUID_HASH", netuid_hash(*netuid)),
                ("CHECK_IN_SECS", number(*check_in_secs)),
            ],
            Self::CollateralVault { netuid, escrow, arbiter, exit_delay_secs, exit_window_secs, .. } => vec![
                ("NETUID", number(*netuid)),
                ("NETUID_HASH", netuid_hash(*netuid)),
                ("ESCROW", word(escrow)),
                ("ARBITER", word(arbiter)),
                ("EXIT_DELAY_SECS", number(*exit_delay_secs)),
                ("EXIT_WINDOW_SECS", number(*exit_window_secs)),
            ],
            Self::RentalEscrow { .. } => self.escrow_immutables(),
            Self::Arbiter { .. } => self.arbiter_immutables(),
            Self::RentalBids { escrow, vault } => vec![("ESCROW", word(escrow)), ("VAULT", word(vault))],
        }
    }

    fn escrow_immutables(&self) -> Vec<(&'static str, B256)> {
        let Self::RentalEscrow {
            vault,
            arbiter,
            keepers,
            treasury,
            settle_lag_secs,
            certificate_life_secs,
            bond_bps,
            fee_bps,
            abandon_bps,
            ..
        } = self
        else {
            return vec![];
        };
        vec![
            ("VAULT", word(vault)),
            ("ARBITER", word(arbiter)),
            ("KEEPERS", word(keepers)),
            ("TREASURY", word(treasury)),
            ("SETTLE_LAG_SECS", number(*settle_lag_secs)),
            ("CERTIFICATE_LIFE_SECS", number(*certificate_life_secs)),
            ("BOND_BPS", number(*bond_bps)),
            ("FEE_BPS", number(*fee_bps)),
            ("ABANDON_BPS", number(*abandon_bps)),
        ]
    }

    fn arbiter_immutables(&self) -> Vec<(&'static str, B256)> {
        let Self::Arbiter {
            vault,
            escrow,
            keepers,
            judge,
            appeal_window_secs,
            ruling_window_secs,
            delivery_grace_secs,
            min_interrupted_secs,
            min_offline_secs,
            freshness_secs,
            spoof_life_secs,
            not_delivered_bps,
            offline_bps,
            breaker_bps,
        } = self
        else {
            return vec![];
        };
        vec![
            ("VAULT", word(vault)),
            ("ESCROW", word(escrow)),
            ("KEEPERS", word(keepers)),
            ("JUDGE", word(judge)),
            ("APPEAL_WINDOW_SECS", number(*appeal_window_secs)),
            ("RULING_WINDOW_SECS", number(*ruling_window_secs)),
            ("DELIVERY_GRACE_SECS", number(*delivery_grace_secs)),
            ("MIN_INTERRUPTED_SECS", number(*min_interrupted_secs)),
            ("MIN_OFFLINE_SECS", number(*min_offline_secs)),
            ("FRESHNESS_SECS", number(*freshness_secs)),
            ("SPOOF_LIFE_SECS", number(*spoof_life_secs)),
            ("NOT_DELIVERED_BPS", number(*not_delivered_bps)),
            ("OFFLINE_BPS", number(*offline_bps)),
            ("BREAKER_BPS", number(*breaker_bps)),
        ]
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

fn word(account: &Account) -> B256 {
    evm(account).into_word()
}

fn number(value: impl Into<u64>) -> B256 {
    B256::from(U256::from(value.into()))
}

/// Fixed bytes stand at the front of their word.
fn netuid_hash(netuid: u16) -> B256 {
    let mut bytes = B256::ZERO;
    bytes[..8].copy_from_slice(twox64(netuid).as_slice());
    bytes
}
