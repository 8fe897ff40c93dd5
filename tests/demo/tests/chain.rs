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
use surety_demo::audit::{Party, audit};
use surety_demo::chain::Chain;
use surety_demo::deploy::{Appointment, Roles, deploy, write};
use surety_demo::miner::{Miner, Terms};
use surety_demo::params::demo_params;
use surety_demo::process::Processes;
use surety_demo::renter::Renter;
use surety_demo::seed::Seed;
use surety_demo::standins::{self, Neuron};
use surety_demo::wait::{Seen, Seer};
use surety_verifier::classes::ClassId;

const NETUID: u16 = 2;
const BEGAN_WITH: Rao = 100_000_000_000;
const BOND: Rao = 500_000_000;
const PRICE: u64 = 1_000_000;
const SEED: Seed = Seed(7);
const WAIT: Duration = Duration::from_secs(60);

struct Stage {
    anvil: Anvil,
    chain: Chain,
    deployer: Actor,
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
    let deployer = actor("deployer", &anvil.node);
    let miner_actor = actor("miner", &anvil.node);
    let neuron =
        Neuron { netuid: NETUID, uid: 0, hotkey: Hash32(SEED.bytes("hotkey")), account: miner_actor.account() };
    let miner = Miner { actor: miner_actor, host: SEED.ssh_key("machine"), neuron };
    let renter = Renter { actor: actor("renter", &anvil.node), ssh: SEED.ssh_key("renter") };
    let keepers: Vec<Key> = (0..3).map(|n| SEED.evm_key(&format!("keeper-{n}")).unwrap()).collect();
    for account in [deployer.account(), miner.actor.account(), renter.actor.account()] {
        anvil.set_balance(account, BEGAN_WITH).await.unwrap();
    }
    standins::place(&anvil).await.unwrap();
    let mut facts = neuron.facts().to_vec();
    facts.extend([miner.actor.account(), renter.actor.account()].map(standins::introduction));
    deployer.send_all(facts).await.unwrap();
    let roles = Roles {
        netuid: NETUID,
        owner: deployer.account(),
        treasury: Account([9; 20]),
        guardian: deployer.account(),
        judge: Account([8; 20]),
    };
    let deployment = deploy(&deployer, &anvil.node, &demo_params(), &roles, &appointments(&keepers)).await.unwrap();
    let path = write(&deployment, dir).unwrap();
    assert_eq!(surety_client::deployment::Deployment::read(&path).unwrap(), deployment);
    let chain = Chain::new(&anvil.node, &deployment);
    Stage { anvil, chain, deployer, miner, renter, keepers, _processes: processes }
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
        for contract in [*self.chain.vault.address(), *self.chain.escrow.address()] {
            let call = surety_client::bindings::RentalEscrow::withdrawCreditCall { account };
            self.deployer.send(Tx::call(contract, &call)).await.ok();
        }
    }

    fn parties(&self) -> Vec<Party> {
        let actors = [&self.deployer, &self.miner.actor, &self.renter.actor];
        let party = |actor: &Actor| Party {
            name: actor.name.clone(),
            account: actor.account(),
            began_with_rao: BEGAN_WITH,
            what: String::new(),
        };
        actors.map(party).to_vec()
    }
}

#[tokio::test]
async fn a_rental_from_registration_to_exit_comes_out_even() {
    let dir = tempfile::tempdir().unwrap();
    let stage = stage(dir.path()).await;
    let (chain, miner, renter) = (&stage.chain, &stage.miner, &stage.renter);

    let endpoint = "127.0.0.1:2222".parse().unwrap();
    let registration = miner.register(chain, &stage.deployer, endpoint).await.unwrap();
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

    let view = chain.rental(rental).await.unwrap();
    assert_eq!(view.end_secs - view.start_secs, 4);
    assert_eq!(chain.bond(miner.machine()).await.unwrap().reserved, 10_000_000);
    let lag_secs = u64::from(demo_params().settle_lag_secs);
    stage.time_is(view.start_secs + lag_secs + 2).await;
    miner.claim(chain, rental).await.unwrap();
    let claimed = chain.escrow_credit(miner.actor.account()).await.unwrap();
    assert!((2 * PRICE..=4 * PRICE).contains(&claimed), "{claimed}");
    stage.time_is(view.end_secs + lag_secs).await;
    miner.close(chain, rental).await.unwrap();
    assert_eq!(chain.escrow_credit(miner.actor.account()).await.unwrap(), 4 * PRICE);

    assert_eq!(miner.request_exit(chain).await.unwrap(), BOND);
    stage.time_is(chain.now_secs().await.unwrap() + u64::from(demo_params().exit_delay_secs) + 1).await;
    miner.withdraw(chain).await.unwrap();
    stage.withdraw_credit(&miner.actor).await;
    assert_eq!(chain.liabilities().await.unwrap(), [0, 0, 0, 0]);

    let books = audit(chain, &stage.parties()).await.unwrap();
    assert_eq!(books.paid_in_rao, 4 * 500 + BOND + 4 * PRICE);
    assert_eq!(books.rows[1].got_out_rao, BOND + 4 * PRICE);

    // The audit notices a single rao that nobody paid in.
    stage.anvil.set_balance(chain.deployment.escrow.address, 501).await.unwrap();
    let off = audit(chain, &stage.parties()).await.unwrap_err();
    assert!(off.to_string().contains("escrow has 501000000000 wei"), "{off}");
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
