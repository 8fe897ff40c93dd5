//! How the system is deployed: creation codes, arguments, siblings' addresses, and who keeps.

use super::{DAY, H100, H100_BOND_RAO, HOUR, account_of, arbiter, bids, escrow, keepers, power, vault};
use crate::kit::{NETUID, TAO, addr, deploy, native, ok};
use alloy_primitives::{Address, FixedBytes};
use alloy_sol_types::SolConstructor;
use k256::ecdsa::SigningKey;
use surety_subtensor_evm::{AccountId, Chain, ledger::EXISTENTIAL_DEPOSIT_RAO, precompiles::twox64_concat};

/// How long a check-in lasts, in seconds.
pub const CHECK_IN_SECS: u32 = DAY;
/// Where the keepers' hotkeys sit. One is over 255: keys of storage are little-endian.
pub const KEEPER_UIDS: [u16; 3] = [1, 2, 258];
/// The keepers' weights: appointed, or in TAO of voting power.
pub const WEIGHTS: [u64; 3] = [40, 35, 25];

/// Which contract says who the keepers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeeperSet {
    Appointed,
    VotingPower,
}

impl KeeperSet {
    /// Creation code of each contract, and a name.
    pub fn shipped(self) -> [(&'static str, &'static [u8]); 5] {
        let keepers: (_, &[u8]) = match self {
            Self::Appointed => ("AppointedKeepers", &keepers::BYTECODE),
            Self::VotingPower => ("VotingPowerKeepers", &power::BYTECODE),
        };
        [
            keepers,
            ("CollateralVault", &vault::BYTECODE),
            ("RentalEscrow", &escrow::BYTECODE),
            ("Arbiter", &arbiter::BYTECODE),
            ("RentalBids", &bids::BYTECODE),
        ]
    }

    fn arguments(self, owner: Address) -> Vec<u8> {
        match self {
            Self::Appointed => keepers::constructorCall { owner }.abi_encode(),
            Self::VotingPower => {
                let netuid_hash = hash_of(NETUID);
                power::constructorCall { netuid: NETUID, netuidHash: netuid_hash, checkInSecs: CHECK_IN_SECS }
                    .abi_encode()
            }
        }
    }

    /// Creation codes with arguments, and what each is created with in rao, for an owner that has sent nothing before.
    pub fn creations(self, owner: Address, judge: Address) -> Vec<(Vec<u8>, u64)> {
        let at = addresses(owner);
        let (classes, bonds) = (vec![H100], vec![H100_BOND_RAO]);
        let arguments = [
            self.arguments(owner),
            vault::constructorCall { owner, config: vault_config(at) }.abi_encode(),
            escrow::constructorCall { owner, config: escrow_config(at), classes, bonds }.abi_encode(),
            arbiter::constructorCall { config: arbiter_config(at, judge) }.abi_encode(),
            bids::constructorCall { escrow: at[2] }.abi_encode(),
        ];
        let seed = EXISTENTIAL_DEPOSIT_RAO;
        let codes = self.shipped().into_iter().zip(arguments).zip([0, seed, seed, seed, seed]);
        codes.map(|(((_, code), arguments), seed)| ([code, &arguments].concat(), seed)).collect()
    }

    /// Deploys everything; the three keepers are appointed, or join.
    pub fn deploy(self, chain: &mut Chain, owner: Address, judge: Address, keys: &[SigningKey]) {
        for (code, seed) in self.creations(owner, judge) {
            deploy(chain, owner, code, seed);
        }
        let keepers = addresses(owner)[0];
        match self {
            Self::Appointed => {
                for call in appointments(keys) {
                    ok(chain, owner, keepers, call, 0);
                }
            }
            Self::VotingPower => {
                for (i, key) in keys.iter().enumerate() {
                    let account = account_of(key);
                    validator(chain, KEEPER_UIDS[i], keeper_hotkey(i), account, WEIGHTS[i] * TAO);
                    ok(chain, account, keepers, join_call(KEEPER_UIDS[i]), 0);
                }
            }
        }
    }
}

/// Siblings' addresses are computed before anything is deployed.
pub fn addresses(owner: Address) -> [Address; 5] {
    [0, 1, 2, 3, 4].map(|nonce| owner.create(nonce))
}

/// The hotkey of keeper `i`.
pub fn keeper_hotkey(i: usize) -> AccountId {
    native(["first keeper's hotkey", "second keeper's hotkey", "third keeper's hotkey"][i])
}

/// Seats a hotkey that has voting power and this EVM address, which owns something to pay gas with.
pub fn validator(chain: &mut Chain, uid: u16, hotkey: AccountId, account: Address, power_rao: u64) {
    chain.register_hotkey(NETUID, uid, hotkey, native("validator's coldkey"));
    chain.associate(NETUID, uid, account).unwrap();
    chain.set_voting_power(NETUID, hotkey, power_rao);
    chain.fund(account, 100 * TAO).unwrap();
}

pub fn join_call(uid: u16) -> power::joinCall {
    let url = "http://keeper.example".to_string();
    power::joinCall { uid, uidHash: hash_of(uid), sshKey: crate::kit::word("keeper's ssh key"), url }
}

/// xxhash64 of an id, as the chain's storage keys have it.
pub fn hash_of(id: u16) -> FixedBytes<8> {
    FixedBytes::from_slice(&twox64_concat(&id.to_le_bytes())[..8])
}

pub fn appointments(keys: &[SigningKey]) -> impl Iterator<Item = keepers::appointCall> + '_ {
    keys.iter().zip(WEIGHTS).map(|(key, weight)| {
        let (account, url) = (account_of(key), "http://keeper.example".to_string());
        keepers::appointCall { account, weight, sshKey: account.into_word(), url }
    })
}

fn vault_config([keepers, _, escrow, arbiter, _]: [Address; 5]) -> vault::ICollateralVault::Config {
    vault::ICollateralVault::Config {
        netuid: NETUID,
        netuidHash: hash_of(NETUID),
        escrow,
        arbiter,
        keepers,
        exitDelaySecs: 2 * DAY,
        exitWindowSecs: 3 * DAY,
        statementLifeSecs: DAY,
        statedFilingSecs: 3 * DAY,
        guardian: addr("guardian"),
    }
}

fn escrow_config([keepers, vault, _, arbiter, _]: [Address; 5]) -> escrow::IRentalEscrow::Config {
    escrow::IRentalEscrow::Config {
        vault,
        arbiter,
        keepers,
        treasury: addr("treasury"),
        settleLagSecs: HOUR,
        certificateLifeSecs: DAY,
        bondBps: 2_000,
        feeBps: 0,
        abandonBps: 500,
    }
}

fn arbiter_config([keepers, vault, escrow, _, _]: [Address; 5], judge: Address) -> arbiter::IArbiter::Config {
    arbiter::IArbiter::Config {
        vault,
        escrow,
        keepers,
        judge,
        appealWindowSecs: DAY,
        rulingWindowSecs: 2 * DAY,
        deliveryGraceSecs: 600,
        minInterruptedSecs: 60,
        minOfflineSecs: 900,
        freshnessSecs: 300,
        spoofLifeSecs: DAY,
        notDeliveredBps: 200,
        offlineBps: 1_000,
        breakerBps: 10_000,
    }
}
