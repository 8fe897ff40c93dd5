//! The ledgers of a deployment that is in use: every kind of money in its place, recounted by the audit.

use crate::world::{World, has_finding, one_finding, other};
use alloy::primitives::{Address, B256, FixedBytes, U256};
use surety_client::bindings::bids::RentalBids;
use surety_client::bindings::standins::{Ed25519VerifyStandIn, MetagraphStandIn, StorageQueryStandIn};
use surety_client::bindings::{
    AppointedKeepers, Arbiter, CollateralVault, ICollateralVault, IRentalEscrow, RentalEscrow,
};
use surety_client::digest::{Domains, registration};
use surety_client::intent;
use surety_client::keys::Key;
use surety_client::subtensor::{ED25519_VERIFY, METAGRAPH, STORAGE_QUERY, association_key, association_value, twox64};
use surety_core::statement::{Attestation, Certificate, Signed, Statement};
use surety_core::types::{Account, Cause, Hash32, Kind, MachineId};
use surety_deploy::params::Owner;
use surety_deploy::record::DeploymentFile;

const MACHINE: MachineId = MachineId([0x4d; 32]);
const HOTKEY: B256 = B256::repeat_byte(0x40);
const UID: u16 = 3;
const TAO: u64 = 1_000_000_000;
const PRICE: u64 = 2_000;
const HOUR: u32 = 3_600;

struct Market {
    world: World,
    file: DeploymentFile,
    keepers: Vec<Key>,
    miner: Account,
    renter: Account,
}

fn at(account: Account) -> Address {
    Address::from(account.0)
}

impl Market {
    /// Deployed, with three keepers, a miner's machine with bond, and an offer.
    async fn open() -> Self {
        let mut world = World::new().await;
        world.params.owner = Owner::Account { address: world.key.account() };
        let file = world.deployed().await;
        let mut keepers: Vec<Key> = (1..=3).map(|n| Key::from_bytes([n; 32]).unwrap()).collect();
        keepers.sort_by_key(Key::account);
        let renter: Account = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc".parse().unwrap();
        let market = Self { world, file, keepers, miner: other(), renter };
        for keeper in &market.keepers {
            let account = at(keeper.account());
            let call =
                AppointedKeepers::appointCall { account, weight: 1, sshKey: B256::repeat_byte(1), url: String::new() };
            market
                .world
                .call_from(market.world.key.account(), at(market.file.deployment.keepers.address), &call, 0)
                .await;
        }
        market.register().await;
        market
    }

    async fn vault(&self, from: Account, call: &impl alloy::sol_types::SolCall, rao: u64) {
        self.world.call_from(from, at(self.file.deployment.vault.address), call, rao).await;
    }

    async fn escrow(&self, from: Account, call: &impl alloy::sol_types::SolCall, rao: u64) {
        self.world.call_from(from, at(self.file.deployment.escrow.address), call, rao).await;
    }

    async fn register(&self) {
        let (world, netuid) = (&self.world, self.world.params.netuid);
        let hotkey = MetagraphStandIn::setHotkeyCall { netuid, uid: UID, hotkey: HOTKEY };
        world.call_from(self.renter, METAGRAPH, &hotkey, 0).await;
        let key = association_key(netuid, UID).into();
        let association = StorageQueryStandIn::setValueCall { key, value: association_value(self.miner, 1).into() };
        world.call_from(self.renter, STORAGE_QUERY, &association, 0).await;
        let (vault, hotkey) = (self.file.deployment.vault.address, Hash32(HOTKEY.0));
        let message = registration(31_337, vault, MACHINE, hotkey, self.miner, 0).0.into();
        let (machine, r, s) = (B256::from(MACHINE.0), B256::repeat_byte(1), B256::repeat_byte(2));
        let verified = Ed25519VerifyStandIn::recordVerifiedCall { message, publicKey: machine, r, s };
        world.call_from(self.renter, ED25519_VERIFY, &verified, 0).await;
        let register = CollateralVault::registerCall {
            machine,
            hotkey: HOTKEY,
            uid: UID,
            uidHash: twox64(UID),
            endpoint: ICollateralVault::Endpoint { ip: FixedBytes([1; 16]), port: 22 },
            machineSig: [r, s],
        };
        self.vault(self.miner, &register, 0).await;
        self.vault(self.miner, &CollateralVault::depositCall { machine }, 2 * TAO).await;
        self.offer().await;
    }

    async fn offer(&self) {
        let terms = IRentalEscrow::Offer {
            price: alloy::primitives::Uint::from(PRICE),
            minDurationSecs: 600,
            maxDurationSecs: 30 * 24 * HOUR,
            gpuClass: 3,
            gpuCount: 1,
            turnaroundSecs: alloy::primitives::Uint::from(0u32),
            expiresAt: u32::MAX / 2,
        };
        self.escrow(self.miner, &RentalEscrow::offerCall { machine: MACHINE.0.into(), terms }, 0).await;
    }

    fn signed<T: Copy + Into<Statement>>(&self, statement: T) -> Vec<Signed<T>> {
        let (escrow, arbiter) = (self.file.deployment.escrow.address, self.file.deployment.arbiter.address);
        let digest = Domains { chain_id: 31_337, escrow, arbiter }.statement(&statement.into()).unwrap();
        let sign = |key: &Key| Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() };
        self.keepers.iter().map(sign).collect()
    }

    async fn certificates(&self) -> Vec<IRentalEscrow::SignedCertificate> {
        let certificate = Certificate {
            machine: MACHINE,
            registration: 1,
            gpu_class: 3,
            gpu_count: 1,
            measured_at_secs: self.world.now_secs().await,
            evidence: Hash32([5; 32]),
        };
        self.signed(certificate).iter().map(|signed| intent::certificate(signed).unwrap()).collect()
    }

    async fn rent(&self, hours: u32) {
        let call = RentalEscrow::offerOfCall { machine: MACHINE.0.into() };
        let head = surety_deploy::chain::At { node: self.world.node.clone(), block: self.block().await };
        let offer = head.view(self.file.deployment.escrow.address, &call).await.unwrap();
        let rent = RentalEscrow::rentCall {
            machine: MACHINE.0.into(),
            durationSecs: hours * HOUR,
            renterKey: B256::repeat_byte(6),
            offerHash: offer.offerHash,
            certificates: self.certificates().await,
        };
        self.escrow(self.renter, &rent, PRICE * u64::from(hours * HOUR)).await;
    }

    async fn block(&self) -> u64 {
        let latest = surety_client::provider::Tag::Latest;
        surety_deploy::chain::block_number(&self.world.node, latest).await.unwrap()
    }

    /// Files what three keepers saw in the last `secs` seconds.
    async fn file_case(&self, kind: Kind, rental: u64, gap: u8, secs: u64) {
        let now = self.world.now_secs().await;
        let attestation = Attestation {
            kind,
            rental,
            cause: Cause::Unreachable,
            from_secs: now - secs,
            until_secs: now,
            evidence: Hash32([8; 32]),
        };
        let attestations = self.signed(attestation).iter().map(|s| intent::attestation(s).unwrap()).collect();
        let call = Arbiter::fileCall { kind: kind as u8, rental, gap, attestations };
        self.world.call_from(self.renter, at(self.file.deployment.arbiter.address), &call, 0).await;
    }

    /// A rental with an interruption and an outage that ended it, whose case is appealed; a second one running; a wish;
    /// an exit; credit; something to be burned; and money that came unasked.
    async fn busy(&self) {
        let machine = B256::from(MACHINE.0);
        self.rent(24).await;
        self.world.pass(2 * u64::from(HOUR)).await;
        self.escrow(self.renter, &RentalEscrow::claimCall { rental: 1 }, 0).await;
        self.file_case(Kind::Interrupted, 1, 0, 300).await;
        self.world.pass(1_200).await;
        self.file_case(Kind::Offline, 1, 1, 1_100).await;
        let head = surety_deploy::chain::At { node: self.world.node.clone(), block: self.block().await };
        let arbiter = self.file.deployment.arbiter.address;
        let bond = head.view(arbiter, &Arbiter::appealBondOfCall { caseId: 2 }).await.unwrap();
        let appeal = Arbiter::appealCall { caseId: 2, evidence: B256::ZERO };
        self.world.call_from(self.miner, at(arbiter), &appeal, bond).await;
        self.offer().await;
        self.rent(10).await;
        self.world.pass(24 * u64::from(HOUR)).await;
        self.world.call_from(self.renter, at(arbiter), &Arbiter::executeCall { caseId: 1 }, 0).await;
        let wish = RentalBids::postCall {
            gpuClass: 3,
            gpuCount: 1,
            durationSecs: HOUR,
            maxPrice: alloy::primitives::Uint::from(PRICE),
            renterKey: B256::repeat_byte(6),
            expiresAt: u32::try_from(self.world.now_secs().await).unwrap() + HOUR,
        };
        let bids = at(self.file.deployment.bids.address);
        for _ in 0..2 {
            self.world.call_from(self.renter, bids, &wish, PRICE * u64::from(HOUR)).await;
        }
        self.world.call_from(self.renter, bids, &RentalBids::giveUpCall { bid: 1 }, 0).await;
        self.vault(self.miner, &CollateralVault::requestExitCall { machine, amount: 7_000 }, 0).await;
    }
}

#[tokio::test]
async fn the_books_of_a_busy_market_add_up_part_by_part() {
    let market = Market::open().await;
    market.busy().await;
    let report = market.world.audit(&market.file).await;
    assert!(report.holds, "{report}");
    let part = |contract: &str, what: &str| {
        let sum = report.sums.iter().find(|sum| sum.contract == contract).unwrap();
        sum.parts.iter().find(|(name, _)| *name == what).unwrap().1
    };
    for (contract, what) in [
        ("CollateralVault", "bond, free"),
        ("CollateralVault", "bond, behind rentals"),
        ("CollateralVault", "bond, held in cases"),
        ("RentalEscrow", "rent bought, not claimed"),
        ("RentalEscrow", "rent withheld, undecided"),
        ("RentalEscrow", "credit"),
        ("Arbiter", "bonds of appeals"),
        ("RentalBids", "credit"),
    ] {
        assert_ne!(part(contract, what), 0, "{contract}: {what}\n{report}");
    }
    assert_eq!(part("CollateralVault", "bond, exiting"), 7_000);
    assert_eq!(part("RentalBids", "open wishes"), PRICE * u64::from(HOUR));
    assert_eq!(report.powers.iter().filter(|power| power.role == "keeper").count(), 3);
    println!("{report}");
}

#[tokio::test]
async fn a_ledger_that_says_a_rao_less_than_it_owes_is_found() {
    let market = Market::open().await;
    market.busy().await;
    let world = &market.world;
    for (contract, name) in
        [(market.file.deployment.vault, "CollateralVault"), (market.file.deployment.escrow, "RentalEscrow")]
    {
        // `_books`: liabilities are the lowest 64 bits of the slot that has them, as the view says.
        let head = surety_deploy::chain::At { node: world.node.clone(), block: market.block().await };
        let owed = head.view(contract.address, &CollateralVault::liabilitiesCall {}).await.unwrap();
        let mut slot = 0;
        while world.storage(contract.address, slot).await[24..] != owed.to_be_bytes() {
            slot += 1;
            assert!(slot < 16, "{name}");
        }
        let good = world.storage(contract.address, slot).await;
        let bad = B256::from(U256::from_be_bytes(good.0) - U256::from(1));
        world.set_storage(contract.address, B256::from(U256::from(slot)), bad).await;
        one_finding(&world.findings(&market.file).await, &["ledgers", name, "it says that it owes"]);
        world.set_storage(contract.address, B256::from(U256::from(slot)), good).await;
    }
    let balance = world.node.balance_wei(market.file.deployment.vault.address).await.unwrap();
    world.set_balance(market.file.deployment.vault.address, balance - U256::from(1)).await;
    has_finding(&world.findings(&market.file).await, &["CollateralVault", "money is missing"]);
}

#[tokio::test]
async fn an_audit_at_an_earlier_block_sees_that_blocks_books() {
    let market = Market::open().await;
    let before = market.block().await;
    market.rent(1).await;
    let options = surety_deploy::audit::AuditOptions {
        block: Some(before),
        ..surety_deploy::audit::AuditOptions::new(surety_deploy::network::Network::Local)
    };
    let report = surety_deploy::audit::audit(&market.world.node, &market.file, &options).await.unwrap();
    assert!(report.holds, "{report}");
    assert_eq!(report.sums[1].owed_rao, 0);
    assert_eq!(market.world.audit(&market.file).await.sums[1].owed_rao, PRICE * u64::from(HOUR));
}
