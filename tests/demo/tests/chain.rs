//! The contracts on anvil, without keepers: register, rent, claim, close, exit, and the books. Certificates are signed
//! here with the keepers' keys.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, Hash32, MachineId, Rao};
use surety_demo::actor::{Actor, Tx};
use surety_demo::anvil::{Anvil, CHAIN_ID};
use surety_demo::audit::audited;
use surety_demo::books::{Party, books};
use surety_demo::chain::Chain;
use surety_demo::deploy::{Appointment, appoint, deploy, ready};
use surety_demo::miner::{Miner, Terms};
use surety_demo::params::{Roles, WINDOWS, demo_params};
use surety_demo::process::Processes;
use surety_demo::renter::{Renter, Wish};
use surety_demo::seed::Seed;
use surety_demo::standins::{self, Neuron};
use surety_demo::wait::{Seen, Seer};
use surety_deploy::network::Network;
use surety_deploy::record::DeploymentFile;
use surety_verifier::classes::ClassId;

const NETUID: u16 = 2;
const BEGAN_WITH: Rao = 100_000_000_000;
const BOND: Rao = 500_000_000;
const PRICE: u64 = 1_000_000;
const WISHED: Rao = 60 * PRICE / 2;
const SEED: Seed = Seed(7);
const WAIT: Duration = Duration::from_secs(60);

struct Stage {
    anvil: Anvil,
    chain: Chain,
    deployment: PathBuf,
    deployer: Account,
    owner: Actor,
    miner: Miner,
    renter: Renter,
    keepers: Vec<Key>,
    _processes: Processes,
}

fn anvil_program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/node_modules/.bin/anvil")
}

fn actor(name: &str, node: &Node) -> Actor {
    Actor::new(name, SEED.evm_key(name).unwrap(), node.clone(), CHAIN_ID)
}

async fn stage(dir: &Path) -> Stage {
    let processes = Processes::new(Path::new(env!("CARGO_BIN_EXE_surety-demo")), dir).unwrap();
    let anvil = Anvil::start(&processes, &anvil_program()).await.unwrap();
    let deployer = SEED.evm_key("deployer").unwrap();
    let owner = actor("owner", &anvil.node);
    let miner_actor = actor("miner", &anvil.node);
    let neuron =
        Neuron { netuid: NETUID, uid: 0, hotkey: Hash32(SEED.bytes("hotkey")), account: miner_actor.account() };
    let miner = Miner { actor: miner_actor, host: SEED.ssh_key("machine"), neuron };
    let renter = Renter { actor: actor("renter", &anvil.node), ssh: SEED.ssh_key("renter") };
    let keepers: Vec<Key> = (0..3).map(|n| SEED.evm_key(&format!("keeper-{n}")).unwrap()).collect();
    for account in [deployer.account(), owner.account(), miner.actor.account(), renter.actor.account()] {
        anvil.set_balance(account, BEGAN_WITH).await.unwrap();
    }
    standins::place(&anvil).await.unwrap();
    let mut facts = neuron.facts().to_vec();
    facts.extend([miner.actor.account(), renter.actor.account()].map(standins::introduction));
    owner.send_all(facts).await.unwrap();
    let roles = Roles {
        netuid: NETUID,
        owner: owner.account(),
        treasury: Account([9; 20]),
        guardian: owner.account(),
        judge: Account([8; 20]),
    };
    let params = demo_params(&roles).unwrap();
    ready(&anvil.node, deployer.account(), &params, dir).await.unwrap();
    let deployed = deploy(&anvil.node, &deployer, &params, dir).await.unwrap().deployment;
    appoint(&owner, deployed.keepers.address, &appointments(&keepers)).await.unwrap();
    let deployment = DeploymentFile::path(dir, Network::Local);
    assert_eq!(surety_client::deployment::Deployment::read(&deployment).unwrap(), deployed);
    let (chain, deployer) = (Chain::new(&anvil.node, &deployed), deployer.account());
    Stage { anvil, chain, deployment, deployer, owner, miner, renter, keepers, _processes: processes }
}

fn appointments(keepers: &[Key]) -> Vec<Appointment> {
    let appoint = |(index, key): (usize, &Key)| Appointment {
        account: key.account(),
        weight: [40, 35, 25][index],
        ssh_key: SEED.ssh_key(&format!("keeper-{index}")).public(),
        url: format!("http://127.0.0.1:{index}"),
    };
    keepers.iter().enumerate().map(appoint).collect()
}

impl Stage {
    /// Certificates by these keepers, ascending by signer.
    async fn certificates(&self, registration: u32, signers: &[usize]) -> Vec<Signed<Certificate>> {
        let statement = Certificate {
            machine: self.miner.machine(),
            registration,
            gpu_class: ClassId::CPU_TEST.0,
            gpu_count: 1,
            measured_at_secs: self.chain.now_secs().await.unwrap(),
            evidence: Hash32([5; 32]),
        };
        let digest = self.chain.domains().certificate(&statement).unwrap();
        let sign = |index: &usize| {
            let key = &self.keepers[*index];
            Signed { statement, signer: key.account(), signature: key.sign(digest).unwrap() }
        };
        let mut signed: Vec<Signed<Certificate>> = signers.iter().map(sign).collect();
        signed.sort_by_key(|one| one.signer);
        signed
    }

    async fn time_is(&self, secs: u64) {
        let chain = &self.chain;
        Seer::default()
            .until("chain time has come", WAIT, async || {
                let now = chain.now_secs().await?;
                Ok(if now >= secs { Seen::Done(()) } else { Seen::NotYet(format!("{now} of {secs}")) })
            })
            .await
            .unwrap();
    }

    async fn withdraw_credit(&self, of: &Actor) {
        let account = of.address();
        for contract in [*self.chain.vault.address(), *self.chain.escrow.address(), *self.chain.bids.address()] {
            let call = surety_client::bindings::RentalEscrow::withdrawCreditCall { account };
            self.owner.send(Tx::call(contract, &call)).await.ok();
        }
    }

    fn parties(&self) -> Vec<Party> {
        let party = |name: &str, account: Account| Party {
            name: name.to_owned(),
            account,
            began_with_rao: BEGAN_WITH,
            what: String::new(),
        };
        let actors = [&self.owner, &self.miner.actor, &self.renter.actor];
        let actors = actors.into_iter().map(|actor| party(&actor.name, actor.account()));
        [party("deployer", self.deployer)].into_iter().chain(actors).collect()
    }
}

#[tokio::test]
async fn a_rental_from_registration_to_exit_comes_out_even() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path()).await;
    let (chain, miner, renter) = (&stage.chain, &stage.miner, &stage.renter);

    let endpoint = "127.0.0.1:2222".parse().unwrap();
    let registration = miner.register(chain, &stage.owner, endpoint).await.unwrap();
    assert_eq!(registration, 1);
    miner.deposit(chain, BOND).await.unwrap();
    let terms = Terms { price_rao_per_sec: PRICE, min_duration_secs: 2, max_duration_secs: 60 };
    miner.offer(chain, terms).await.unwrap();

    let too_few = stage.certificates(registration, &[0, 2]).await;
    let refused = renter.rent(chain, miner.machine(), 4, &too_few).await.unwrap_err();
    assert!(format!("{refused:#}").contains("NoQuorum"), "{refused:#}");
    let certificates = stage.certificates(registration, &[0, 1]).await;
    let (rental, paid) = renter.rent(chain, miner.machine(), 4, &certificates).await.unwrap();
    assert_eq!((rental, paid), (1, 4 * PRICE));

    let wish = Wish { duration_secs: 60, max_price_rao_per_sec: PRICE / 2 };
    assert_eq!(renter.wish(chain, wish).await.unwrap(), (1, WISHED));

    let view = chain.rental(rental).await.unwrap();
    assert_eq!(view.end_secs - view.start_secs, 4);
    assert_eq!(chain.bond(miner.machine()).await.unwrap().reserved, 10_000_000);
    let lag_secs = u64::from(WINDOWS.settle_lag_secs);
    stage.time_is(view.start_secs + lag_secs + 2).await;
    miner.claim(chain, rental).await.unwrap();
    let claimed = chain.escrow_credit(miner.actor.account()).await.unwrap();
    assert!((2 * PRICE..=4 * PRICE).contains(&claimed), "{claimed}");
    stage.time_is(view.end_secs + lag_secs).await;
    miner.close(chain, rental).await.unwrap();
    assert_eq!(chain.escrow_credit(miner.actor.account()).await.unwrap(), 4 * PRICE);

    assert_eq!(miner.request_exit(chain).await.unwrap(), BOND);
    stage.time_is(chain.now_secs().await.unwrap() + u64::from(WINDOWS.exit_delay_secs) + 1).await;
    miner.withdraw(chain).await.unwrap();
    stage.withdraw_credit(&miner.actor).await;

    let audited = audited(chain, &stage.deployment).await.unwrap();
    assert_eq!((audited.contracts, audited.rentals, audited.cases, audited.wishes), (5, 1, 0, 1));
    assert_eq!(audited.owed_rao, WISHED);
    let even = books(chain, &stage.parties(), &audited.report.sums).await.unwrap();
    assert_eq!(even.paid_in_rao, 4 * 500 + BOND + 4 * PRICE + WISHED);
    assert_eq!(even.rows[2].got_out_rao, BOND + 4 * PRICE);

    one_rao_more_or_less_is_noticed(&stage).await;
    another_record_is_not_believed(&stage).await;
}

/// What nobody paid in, the books notice; what is missing, the audit does.
async fn one_rao_more_or_less_is_noticed(stage: &Stage) {
    let escrow = stage.chain.deployment.escrow.address;
    stage.anvil.set_balance(escrow, 501).await.unwrap();
    let more = audited(&stage.chain, &stage.deployment).await.unwrap();
    let off = books(&stage.chain, &stage.parties(), &more.report.sums).await.unwrap_err();
    assert!(off.to_string().contains("RentalEscrow has 1000000000 wei that nobody paid in"), "{off}");
    stage.anvil.set_balance(escrow, 499).await.unwrap();
    let off = audited(&stage.chain, &stage.deployment).await.unwrap_err();
    assert!(off.to_string().contains("RentalEscrow: has 499000000000 wei"), "{off}");
    stage.anvil.set_balance(escrow, 500).await.unwrap();
}

/// The audit of a deployment in use fails when the file names other parameters, wherever in the file they stand.
async fn another_record_is_not_believed(stage: &Stage) {
    let good = DeploymentFile::read(&stage.deployment).unwrap().unwrap();
    type Break = fn(&mut DeploymentFile);
    let breaks: [(Break, &str); 4] = [
        (|file| file.record.parameters.windows.settle_lag_secs += 1, "settle_lag_secs"),
        (|file| file.record.parameters.class_bonds[0].bond_rao -= 1, "class_bonds"),
        (|file| file.record.parameters.judge = Account([7; 20]), "judge"),
        (|file| file.deployment.times.freshness_secs += 1, "times"),
    ];
    for (break_it, found) in breaks {
        let mut file = good.clone();
        break_it(&mut file);
        file.write(&stage.deployment).unwrap();
        let off = audited(&stage.chain, &stage.deployment).await.unwrap_err().to_string();
        assert!(off.contains("surety audit finds") && off.contains(found), "{found}: {off}");
    }
    good.write(&stage.deployment).unwrap();
    audited(&stage.chain, &stage.deployment).await.unwrap();
}

#[test]
fn a_forged_host_key_signature_is_never_recorded() {
    use ed25519_dalek::Signer;
    let (host, digest) = (SEED.ssh_key("machine"), Hash32([1; 32]));
    let machine = MachineId(host.public());
    let signature = host.signing_key().sign(&digest.0).to_bytes();
    assert!(standins::verified(digest, machine, signature).is_ok());
    assert!(standins::verified(Hash32([2; 32]), machine, signature).is_err());
    let forged = standins::verified(digest, machine, [7; 64]);
    assert!(forged.unwrap_err().to_string().contains("does not verify"));
}
