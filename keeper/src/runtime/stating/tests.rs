#![allow(clippy::unwrap_used)]

use super::*;
use crate::adapters::evm::tests::world::World;
use crate::adapters::store::Store;
use surety_client::bindings::RentalEscrow;
use surety_client::stated::{NoCall, state_call};
use surety_demo::actor::Tx;
use surety_substrate::alpha::types::{BondRecord, Roll};
use surety_substrate::needed::{MOVING_PRICE, OWNER};
use surety_substrate::node::Node;
use surety_substrate::runtime::Part;
use surety_subtensor_native::{Chain, Server, Vault};
use surety_verifier::classes::ClassId;

const NETUID: u16 = 2;
const ALPHA: u64 = 40_000_000_000;
const COLDKEY: AccountId = AccountId([0xc0; 32]);
const VAULT: AccountId = AccountId([0xa1; 32]);

struct Scene {
    world: World,
    chain: Arc<Chain>,
    notaries: Vec<Notary>,
    newest: watch::Sender<Option<(Arc<Runtime>, Head)>>,
    _server: Server,
    _dir: tempfile::TempDir,
}

/// Three keepers, whom the vault's roll names too, and 40 alpha of the coldkey that owns the miner's hotkey; an alpha
/// costs a TAO.
async fn scene() -> Scene {
    let (world, chain) = (World::start(1).await, Arc::new(Chain::new()));
    let server = Server::start(chain.clone()).await.unwrap();
    let third = Key::from_bytes([0x33; 32]).unwrap();
    world.appoint(third.account()).await;
    let mut keys = [world.keeper.clone(), world.second().clone(), third];
    keys.sort_by_key(Key::account);
    let hotkey = AccountId(world.miner.neuron.hotkey.0);
    chain.add_subnet(NETUID, 360, &[hotkey]);
    chain.set(&OWNER, &[Part::Id(hotkey.0)], COLDKEY.0);
    chain.set(&MOVING_PRICE, &[Part::Number(NETUID.into())], 1i128 << 32);
    let mut vault = Vault::new(VAULT, NETUID, AccountId([0x0e; 32]));
    let deployment = &world.chain.deployment;
    (vault.config.chain_id, vault.config.arbiter) = (deployment.chain_id, deployment.arbiter.address.0);
    // The two models' clocks differ; what counts is that the bond stays until long after the rental.
    vault.config.exit_delay_secs = 10 * 365 * 86_400;
    vault.roll = Roll { number: 0, keepers: keys.iter().map(|key| key.account().0).collect(), weights: vec![1; 3] };
    let machine = world.miner.machine().0;
    vault.bonds.push(BondRecord { owner: COLDKEY, machine, free: ALPHA.into(), exiting: 0, held: 0, ready_at: 0 });
    chain.set_vault(vault);
    let head = chain.run(5);
    world.finalize().await;
    let newest = watch::channel(Some((Arc::new(chain.runtime().clone()), head))).0;
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(Store::open(&dir.path().join("keeper.sqlite")).unwrap());
    let notary = |key: Key| Notary {
        nodes: Nodes::new(vec![Node::new(&server.url).unwrap()]).unwrap(),
        newest: newest.subscribe(),
        contracts: StatedReader::new(world.endpoints()),
        vault: VAULT,
        netuid: NETUID,
        rules: AlphaRules::default(),
        key,
        domains: world.chain.domains(),
        collateral_vault: deployment.vault.address,
        archive: store.clone(),
        spoof_life_secs: 86_400,
        // The clocks of the two models are years apart.
        apart_max_secs: u64::MAX,
        lane: Notary::lane(),
    };
    let notaries = keys.into_iter().map(notary).collect();
    Scene { world, chain, notaries, newest, _server: server, _dir: dir }
}

impl Scene {
    fn machine(&self) -> MachineId {
        self.world.miner.machine()
    }

    async fn stated(&self) -> Vec<Signed<BondStatement>> {
        let mut all = vec![];
        for notary in &self.notaries {
            all.push(notary.bond(self.machine()).await.unwrap());
        }
        all
    }

    /// What a new final block finds.
    fn change(&self, change: impl FnOnce(&mut Vault)) {
        self.chain.with_vault(change);
        let head = self.chain.run(5);
        self.newest.send_replace(Some((Arc::new(self.chain.runtime().clone()), head)));
    }

    async fn refusal(&self) -> StatingError {
        self.notaries[0].bond(self.machine()).await.unwrap_err()
    }

    /// So dear a class that the TAO bonded does not do.
    async fn want_more_bond(&self) {
        let class = RentalEscrow::setClassBondCall { gpuClass: ClassId::CPU_TEST.0, bond: 800_000_000 };
        let escrow = alloy::primitives::Address::from(self.world.chain.deployment.escrow.address.0);
        self.world.owner.send(Tx::call(escrow, &class)).await.unwrap();
    }

    async fn record(&self, statements: &[Signed<BondStatement>]) {
        let vault = self.world.chain.deployment.vault.address;
        let call = state_call(&self.world.chain.domains(), vault, statements).unwrap();
        let to = alloy::primitives::Address::from(vault.0);
        self.world.renter.actor.send(Tx::call(to, &call)).await.unwrap();
    }
}

/// From a coldkey's alpha to a rental, a case and what of it falls on the alpha: real contracts on one side, the
/// model of the chain and the vault on the other.
#[tokio::test]
async fn a_rental_begins_on_alpha_by_three_keepers_word_and_its_case_is_stated_to_the_vault() {
    let scene = scene().await;
    scene.want_more_bond().await;
    let stated = scene.stated().await;
    let s = stated[0].statement;
    // At a TAO each, half of it off.
    assert_eq!((s.alpha, s.value_rao, s.registration, s.rental, s.over), (ALPHA, ALPHA / 2, 1, 0, true));
    scene.record(&stated).await;
    let (rental, _) = scene.world.rent(1_200).await;
    scene.world.finalize().await;
    let covers = scene.notaries[0].contracts.machine(scene.machine(), 86_400).await.unwrap();
    assert_eq!(covers.newest.map(|(newest, _)| newest), Some(rental));
    let reader = surety_client::reader::Reader::new(
        surety_client::provider::Node::new(scene.world.anvil.url()).unwrap(),
        &scene.world.chain.deployment,
    );
    let block = scene.world.chain.head().await.unwrap().number;
    let behind = reader.covers_at(&[rental], block).await.unwrap().remove(0).unwrap().unwrap();
    assert_eq!((behind.value_rao, behind.tao_rao), (300_000_000, 500_000_000));
    assert_eq!((behind.alpha, behind.owner.0), (600_000_000, COLDKEY.0));

    // So long that a tenth of what is behind it is less than what it has earned.
    scene.world.pass(200).await;
    let case = scene.world.file_offline(rental).await;
    scene.world.finalize().await;
    let signed = scene.notaries[1].case(case).await.unwrap();
    let AlphaStatement::Backing(b) = signed.statement else { panic!("{signed:?}") };
    assert_eq!((b.case, b.rental, b.kind), (case, rental, Kind::Offline));
    assert_eq!((b.tao_reserve_rao, b.alpha, b.alpha_value_rao), (500_000_000, 600_000_000, 300_000_000));
    let digest = scene.world.chain.domains().alpha_backing(&b).unwrap();
    assert_eq!(surety_client::digest::recover(digest, signed.signature), Ok(signed.signer));

    // Until the vault has judged it nothing more is stated of that bond.
    assert_eq!(scene.refusal().await, NotStated::Waiting { case }.into());
    scene.change(|vault| {
        vault.judged.insert((case, 1), 1);
    });
    let again = scene.stated().await[0].statement;
    assert_eq!((again.rental, again.over), (rental, true));
    let verdict = scene.notaries[2].verdict(case).await.unwrap().statement;
    assert_eq!((verdict.case, verdict.dismissed, verdict.earned_rao), (case, false, b.earned_rao));
}

#[tokio::test]
async fn what_is_not_so_is_not_signed_and_says_why() {
    let scene = scene().await;
    let nobody = scene.notaries[0].bond(MachineId([9; 32])).await.unwrap_err();
    assert_eq!(nobody, NotStated::NotRegistered.into());
    scene.change(|vault| vault.roll.weights = vec![1, 1, 9]);
    assert_eq!(scene.refusal().await, NotStated::RollDiffers.into());
    scene.change(|vault| {
        vault.roll.weights = vec![1; 3];
        vault.bonds[0].free = 0;
    });
    assert_eq!(scene.refusal().await, NotStated::NothingFree.into());
    let none = scene.notaries[0].case(1).await.unwrap_err();
    assert_eq!(none, StatingError::Nothing("there is no case 1".into()));
}

#[tokio::test]
async fn another_vaults_code_arbiter_or_an_unfollowed_chain_is_not_believed() {
    let scene = scene().await;
    scene.change(|vault| vault.config.arbiter = [1; 20]);
    assert!(scene.refusal().await.to_string().contains("another Arbiter"), "{}", scene.refusal().await);
    scene.change(|vault| vault.code_hash = Hash32([7; 32]));
    assert!(matches!(scene.refusal().await, StatingError::NotNow(why) if why.contains("code")));
    scene.newest.send_replace(None);
    assert!(matches!(scene.refusal().await, StatingError::NotNow(why) if why.contains("not followed")));
}

#[tokio::test]
async fn statements_of_different_things_or_by_others_make_no_call() {
    let scene = scene().await;
    let (domains, vault) = (scene.world.chain.domains(), scene.world.chain.deployment.vault.address);
    let stated = scene.stated().await;
    assert_eq!(state_call(&domains, vault, &[]), Err(NoCall::None));
    let mut other = stated.clone();
    other[1].statement.alpha += 1;
    let signer = other[1].signer;
    assert_eq!(state_call(&domains, vault, &other), Err(NoCall::NotSigned { signer }));
    let mut differs = stated[1].statement;
    differs.rental = 7;
    let native = scene.notaries[1].native().unwrap();
    other[1] = scene.notaries[1].sign(differs, &native, BlockRef::default()).unwrap();
    assert_eq!(state_call(&domains, vault, &other), Err(NoCall::Differ { first: stated[0].signer, signer }));
    let twice = [stated[0].clone(), stated[0].clone(), stated[1].clone()];
    assert_eq!(state_call(&domains, vault, &twice).unwrap().statements.len(), 2);
}

#[tokio::test]
async fn a_vault_with_other_penalties_or_a_longer_life_of_filings_is_not_stated() {
    let scene = scene().await;
    scene.change(|vault| vault.config.offline_bps = 0);
    assert!(matches!(scene.refusal().await, StatingError::NotNow(why) if why.contains("other penalties")));
    scene.change(|vault| (vault.config.offline_bps, vault.config.filing_life_secs) = (1_000, 3 * 86_400 + 1));
    assert!(matches!(scene.refusal().await, StatingError::NotNow(why) if why.contains("for longer")));
}

#[tokio::test]
async fn a_side_that_stands_still_does_not_pass_for_fresh() {
    let mut scene = scene().await;
    scene.notaries[0].apart_max_secs = APART_MAX_SECS;
    assert!(matches!(scene.refusal().await, StatingError::NotNow(why) if why.contains("s apart")));
}
