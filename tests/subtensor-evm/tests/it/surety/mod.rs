//! Everything these tests know about Surety's own contracts: their artifacts, how they are deployed (`deploy`), what
//! keepers and machines sign (`sign`). When a constructor or a struct changes, this folder changes and nothing else.

use crate::kit::{NETUID, TAO, addr, chain, native, ok, send, view, word};
use alloy_primitives::{Address, B256, Uint};
use surety_subtensor_evm::{AccountId, Chain, Outcome, Precompile, ledger::EXISTENTIAL_DEPOSIT_RAO};

macro_rules! contract {
    ($module:ident, $name:ident, $path:literal) => {
        #[allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]
        pub mod $module {
            alloy_sol_types::sol!(
                #[sol(all_derives)]
                $name,
                $path
            );
            pub use $name::*;
        }
    };
}

contract!(keepers, AppointedKeepers, "../../contracts/artifacts/AppointedKeepers.json");
contract!(power, VotingPowerKeepers, "../../contracts/artifacts/VotingPowerKeepers.json");
contract!(vault, CollateralVault, "../../contracts/artifacts/CollateralVault.json");
contract!(escrow, RentalEscrow, "../../contracts/artifacts/RentalEscrow.json");
contract!(arbiter, Arbiter, "../../contracts/artifacts/Arbiter.json");
contract!(bids, RentalBids, "../../contracts/artifacts/RentalBids.json");

mod deploy;
pub mod on_anvil;
mod sign;

pub use deploy::{CHECK_IN_SECS, KEEPER_UIDS, KeeperSet, WEIGHTS, hash_of, join_call, keeper_hotkey, validator};
pub use sign::Claim;

/// GPU class with a bond in the table, and the bond for one GPU, in rao.
pub const H100: u16 = 3;
pub const H100_BOND_RAO: u64 = 721_000_000;
/// Price of the test's offer, in rao a second.
pub const PRICE_RAO: u64 = 2_000;
pub const HOUR: u32 = 3_600;
pub const DAY: u32 = 24 * HOUR;
/// Kinds of case.
pub const NOT_DELIVERED: u8 = 1;
pub const INTERRUPTED: u8 = 2;
pub const OFFLINE: u8 = 3;
/// Where the second machine's hotkey sits. Over 255: keys of storage are little-endian.
pub const SECOND_UID: u16 = 300;

/// A machine of the miner's, and the hotkey it is registered with.
pub struct Machine {
    pub uid: u16,
    pub hotkey: AccountId,
    host_key: ed25519_dalek::SigningKey,
}

impl Machine {
    fn new(uid: u16, hotkey: &str, secret: u8) -> Self {
        Self { uid, hotkey: native(hotkey), host_key: ed25519_dalek::SigningKey::from_bytes(&[secret; 32]) }
    }

    /// Its id: its host key.
    pub fn id(&self) -> B256 {
        B256::from(self.host_key.verifying_key().to_bytes())
    }
}

/// The system on a chain, with everybody in it.
pub struct Surety {
    pub chain: Chain,
    pub set: KeeperSet,
    pub keepers: Address,
    pub vault: Address,
    pub escrow: Address,
    pub arbiter: Address,
    pub bids: Address,
    pub miner: Address,
    pub renter: Address,
    pub stranger: Address,
    pub owner: Address,
    pub judge: Address,
    pub guardian: Address,
    /// The first machine's.
    pub hotkey: AccountId,
    pub machines: [Machine; 2],
    keeper_keys: Vec<k256::ecdsa::SigningKey>,
}

impl Surety {
    /// Deployed with three appointed keepers.
    pub fn new() -> Self {
        Self::with(KeeperSet::Appointed)
    }

    /// Deployed with keepers by voting power, three of which have joined.
    pub fn with_court() -> Self {
        Self::with(KeeperSet::VotingPower)
    }

    /// Deployed; the miner's hotkeys sit at their uids and are associated with the miner's address.
    pub fn with(set: KeeperSet) -> Self {
        let [miner, renter, stranger, owner] = ["miner", "renter", "stranger", "owner"].map(addr);
        let [judge, guardian] = ["judge", "guardian"].map(addr);
        let mut chain = chain(&[miner, renter, stranger, owner, judge, guardian]);
        let machines = [Machine::new(0, "hotkey", 7), Machine::new(SECOND_UID, "second hotkey", 8)];
        for machine in &machines {
            chain.register_hotkey(NETUID, machine.uid, machine.hotkey, native("coldkey"));
            chain.associate(NETUID, machine.uid, miner).unwrap();
        }
        let mut keeper_keys: Vec<_> = (1..=3).map(|i| k256::ecdsa::SigningKey::from_slice(&[i; 32]).unwrap()).collect();
        keeper_keys.sort_by_key(account_of);
        set.deploy(&mut chain, owner, judge, &keeper_keys);
        let [keepers, vault, escrow, arbiter, bids] = deploy::addresses(owner);
        let hotkey = machines[0].hotkey;
        Self {
            chain,
            set,
            keepers,
            vault,
            escrow,
            arbiter,
            bids,
            miner,
            renter,
            stranger,
            owner,
            judge,
            guardian,
            hotkey,
            machines,
            keeper_keys,
        }
    }

    /// The first machine's id.
    pub fn machine(&self) -> B256 {
        self.machines[0].id()
    }

    /// The account of keeper `i`; they are in ascending order.
    pub fn keeper(&self, i: usize) -> Address {
        account_of(&self.keeper_keys[i])
    }

    /// The five contracts.
    pub fn contracts(&self) -> [Address; 5] {
        [self.keepers, self.vault, self.escrow, self.arbiter, self.bids]
    }

    /* STEPS */

    pub fn registration(&self, uid: u16) -> vault::registerCall {
        self.registration_at(&self.machines[0], uid)
    }

    /// What registers a machine at `uid`, be it its own or not.
    pub fn registration_at(&self, machine: &Machine, uid: u16) -> vault::registerCall {
        vault::registerCall {
            machine: machine.id(),
            hotkey: machine.hotkey.to_b256(),
            uid,
            uidHash: hash_of(uid),
            endpoint: endpoint(22),
            machineSig: self.possession(machine),
        }
    }

    pub fn register(&mut self) -> u32 {
        let call = self.registration(0);
        ok(&mut self.chain, self.miner, self.vault, call, 0)
    }

    pub fn deposit(&mut self, rao: u64) {
        let call = vault::depositCall { machine: self.machine() };
        ok(&mut self.chain, self.miner, self.vault, call, rao);
    }

    pub fn offer_call(&self) -> escrow::offerCall {
        self.offer_call_of(self.machine())
    }

    pub fn offer_call_of(&self, machine: B256) -> escrow::offerCall {
        let terms = escrow::IRentalEscrow::Offer {
            price: Uint::from(PRICE_RAO),
            minDurationSecs: HOUR as u16,
            maxDurationSecs: 30 * DAY,
            gpuClass: H100,
            gpuCount: 1,
            turnaroundSecs: Uint::from(60),
            expiresAt: self.chain.now() as u32 + 30 * DAY,
        };
        escrow::offerCall { machine, terms }
    }

    pub fn offer(&mut self) -> B256 {
        let call = self.offer_call();
        ok(&mut self.chain, self.miner, self.escrow, call, 0)
    }

    /// Registered, bonded, offered.
    pub fn ready(&mut self, bond_rao: u64) -> B256 {
        self.register();
        self.deposit(bond_rao);
        self.offer()
    }

    pub fn rent_call(&self, offer_hash: B256, secs: u32) -> escrow::rentCall {
        self.rent_call_of(self.machine(), offer_hash, secs)
    }

    pub fn rent_call_of(&self, machine: B256, offer_hash: B256, secs: u32) -> escrow::rentCall {
        escrow::rentCall {
            machine,
            durationSecs: secs,
            renterKey: word("renter's ssh key"),
            offerHash: offer_hash,
            certificates: self.certificates(machine, 3),
        }
    }

    /// A day's rental by the renter.
    pub fn rented(&mut self) -> u64 {
        let hash = self.ready(TAO);
        let call = self.rent_call(hash, DAY);
        ok(&mut self.chain, self.renter, self.escrow, call, PRICE_RAO * u64::from(DAY))
    }

    pub fn bid_call(&self, secs: u32, max_price_rao: u64) -> bids::postCall {
        bids::postCall {
            gpuClass: H100,
            gpuCount: 1,
            durationSecs: secs,
            maxPrice: Uint::from(max_price_rao),
            renterKey: word("renter's ssh key"),
            expiresAt: self.chain.now() as u32 + DAY,
        }
    }

    pub fn file_call(&self, rental: u64, from: u32, until: u32, signers: usize) -> arbiter::fileCall {
        self.case_call(Claim { kind: OFFLINE, rental, gap: 0, from, until }, signers)
    }

    pub fn file(&mut self, rental: u64, from: u32, until: u32, signers: usize) -> Outcome {
        let call = self.file_call(rental, from, until, signers);
        send(&mut self.chain, self.stranger, self.arbiter, call, 0)
    }

    pub fn withdraw_credit(&mut self, from: Address, account: Address) -> Outcome {
        send(&mut self.chain, self.stranger, from, vault::withdrawCreditCall { account }, 0)
    }

    /* BOOKS */

    pub fn liabilities(&self, of: Address) -> u64 {
        view(&self.chain, of, vault::liabilitiesCall {})
    }

    pub fn credit(&self, of: Address, account: Address) -> u64 {
        view(&self.chain, of, vault::creditOfCall { account })
    }

    /// SPEC: each contract's free balance is at least its liabilities and the seed.
    pub fn assert_solvent(&self) {
        for contract in [self.vault, self.escrow, self.arbiter, self.bids] {
            let (owns, owes) = (self.chain.free_rao(contract), self.liabilities(contract));
            assert!(owns >= owes + EXISTENTIAL_DEPOSIT_RAO, "{contract} owns {owns} rao and owes {owes}");
        }
    }

    /// SPEC: no external call to an address that is not a constant precompile or a sibling, none of them delegated.
    /// Answers which precompiles were called since the last time.
    pub fn assert_only_known_callees(&mut self) -> Vec<Precompile> {
        let (ours, mut called) = (self.contracts(), Vec::new());
        let precompiles = [
            Precompile::EcRecover,
            Precompile::Ed25519Verify,
            Precompile::BalanceTransfer,
            Precompile::Metagraph,
            Precompile::StorageQuery,
            Precompile::AddressMapping,
            Precompile::VotingPower,
        ];
        for frame in self.chain.take_frames() {
            let by_us = ours.contains(&frame.caller) || ours.contains(&frame.context);
            if by_us {
                assert_eq!(frame.context, frame.code, "code of others in the name of ours: {frame:?}");
            }
            if ours.contains(&frame.caller) {
                let precompile = precompiles.into_iter().find(|p| p.address() == frame.code);
                assert!(ours.contains(&frame.code) || precompile.is_some(), "{frame:?}");
                called.extend(precompile);
            }
        }
        called.sort_unstable();
        called.dedup();
        called
    }
}

pub fn endpoint(port: u16) -> vault::ICollateralVault::Endpoint {
    let ip = std::net::Ipv4Addr::new(203, 0, 113, 1).to_ipv6_mapped().octets();
    vault::ICollateralVault::Endpoint { ip: ip.into(), port }
}

fn account_of(key: &k256::ecdsa::SigningKey) -> Address {
    Address::from_public_key(key.verifying_key())
}

/// Code as it stands on chain.
pub fn code_of(s: &Surety, contract: Address) -> Vec<u8> {
    s.chain.code(contract).to_vec()
}
