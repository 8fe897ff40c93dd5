//! Steps 1 to 3: everything is set up, machines are registered, bonded, offered and certified.

use super::Options;
use super::measured::{figures, replayed};
use super::stage::{BEGAN_WITH_RAO, BOND_RAO, Cast, KEEPER_BEGAN_WITH_RAO, Stage};
use crate::actor::Actor;
use crate::anvil::{Anvil, CHAIN_ID, free_port};
use crate::chain::Chain;
use crate::deploy::{self, Appointment};
use crate::keepers::{self, Api, Keeper};
use crate::machines::{self, Machine};
use crate::miner::{Miner, Terms};
use crate::params::{Roles, demo_params, windows};
use crate::process::Processes;
use crate::renter::{Renter, quorum_of_certificates};
use crate::seed::Seed;
use crate::show::Show;
use crate::standins::{self, Neuron};
use crate::wait::{Seen, Seer};
use anyhow::{Context, Result, ensure};
use rand_core::RngCore;
use serde::Deserialize;
use serde_json::json;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use surety_client::keys::Key;
use surety_client::provider::Node;
use surety_client::units::tao;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, Hash32};
use surety_deploy::network::Network;
use surety_deploy::params::Params;
use surety_deploy::record::DeploymentFile;
use surety_subtensor_rpc::{Control, Mild, StandIn};
use tokio::net::TcpListener;

const NETUID: u16 = 2;
/// Two of them are no quorum unless the heaviest is among them, and no single one can stop the others.
const WEIGHTS: [u64; 3] = [40, 35, 25];
const MACHINES: usize = 3;
/// Two must agree.
const RPC_ENDPOINTS: usize = 3;
/// Names of the accounts in the embedded server, which has none of its own.
const EMBEDDED_USERS: [&str; 2] = ["tenant", "surety"];

/// Price of a machine: about .001 TAO a second, each another, so that no two sums are alike by accident.
pub(super) fn terms(miner: usize) -> Terms {
    let price_rao_per_sec = 1_000_000 + 1_111 * miner as u64;
    Terms { price_rao_per_sec, min_duration_secs: 5, max_duration_secs: 3_600 }
}

/// Step 1.
pub(super) async fn set_up(
    options: &Options,
    dir: &Path,
    processes: &Processes,
    seer: &Seer,
    show: &Show,
) -> Result<Stage> {
    let seed = options.seed;
    let anvil = Anvil::start(processes, &options.programs.anvil).await?;
    show.say("chain", &format!("anvil answers at {}", anvil.url()), json!({ "url": anvil.url() }));
    let deployer = seed.evm_key("deployer")?;
    let owner = actor(seed, "owner", &anvil.node)?;
    let miners = (0..MACHINES).map(|n| miner(seed, n, &anvil.node)).collect::<Result<Vec<_>>>()?;
    let renters = (0..2).map(|n| renter(seed, n, &anvil.node)).collect::<Result<Vec<_>>>()?;
    let keepers = keepers(options, dir, processes)?;
    fund(&anvil, &[deployer.account(), owner.account()], &miners, &renters, &keepers).await?;
    standins::place(&anvil).await?;
    owner.send_all(facts(&miners, &renters)).await?;
    let (file, deployment_path) = deployed(options, dir, &anvil.node, &deployer, owner.account(), show).await?;
    let appointments: Vec<Appointment> = keepers.iter().map(Keeper::appointment).collect();
    deploy::appoint(&owner, file.deployment.keepers.address, &appointments).await?;
    let [tenant_user, keeper_user] = users(options)?;
    let rpc = stand_ins(seed, &anvil, show).await?;
    start_keepers(&anvil, &rpc, &keepers, &deployment_path, &tenant_user, &keeper_user).await?;
    let node_common = machines::Common {
        program: options.programs.surety_node.clone(),
        rpc: anvil.url(),
        deployment: deployment_path.clone(),
        tenant_user,
        keeper_user,
        sshd: options.sshd,
    };
    let stage = Stage {
        options: options.clone(),
        dir: dir.to_owned(),
        show: show.clone(),
        seer: seer.clone(),
        chain: Chain::new(&anvil.node, &file.deployment),
        anvil,
        _rpc: rpc,
        deployment_path,
        deployer: deployer.account(),
        owner,
        miners,
        renters,
        cast: cast(seed),
        node_common,
        machines: Vec::new(),
        keepers: Arc::new(keepers),
        api: Api::new()?,
        processes: processes.clone(),
    };
    keepers_see(&stage).await?;
    Ok(stage)
}

fn actor(seed: Seed, name: &str, node: &Node) -> Result<Actor> {
    Ok(Actor::new(name, seed.evm_key(name)?, node.clone(), CHAIN_ID))
}

fn miner(seed: Seed, index: usize, node: &Node) -> Result<Miner> {
    let name = format!("miner-{}", index + 1);
    let actor = actor(seed, &name, node)?;
    let neuron = Neuron {
        netuid: NETUID,
        uid: u16::try_from(index)?,
        hotkey: Hash32(seed.bytes(&format!("hotkey/{name}"))),
        account: actor.account(),
    };
    Ok(Miner { actor, host: seed.ssh_key(&format!("machine-{}", index + 1)), neuron })
}

fn renter(seed: Seed, index: usize, node: &Node) -> Result<Renter> {
    let name = format!("renter-{}", index + 1);
    Ok(Renter { actor: actor(seed, &name, node)?, ssh: seed.ssh_key(&name) })
}

fn keepers(options: &Options, dir: &Path, processes: &Processes) -> Result<Vec<Keeper>> {
    let keeper = |(index, weight): (usize, u64)| {
        let name = format!("keeper-{}", index + 1);
        let program = &options.programs.surety;
        Keeper::prepare(options.seed, &name, weight, free_port()?, &dir.join(&name), program, processes)
    };
    WEIGHTS.into_iter().enumerate().map(keeper).collect()
}

fn cast(seed: Seed) -> Cast {
    match seed.order("cast", MACHINES).as_slice() {
        [lost, kept, idle] => Cast { lost: *lost, kept: *kept, idle: *idle },
        _ => Cast { lost: 0, kept: 1, idle: 2 },
    }
}

async fn fund(anvil: &Anvil, rich: &[Account], miners: &[Miner], renters: &[Renter], keepers: &[Keeper]) -> Result<()> {
    let trading = miners.iter().map(|m| m.actor.account()).chain(renters.iter().map(|r| r.actor.account()));
    for account in trading.chain(rich.iter().copied()) {
        anvil.set_balance(account, BEGAN_WITH_RAO).await?;
    }
    for keeper in keepers {
        anvil.set_balance(keeper.account, KEEPER_BEGAN_WITH_RAO).await?;
    }
    Ok(())
}

/// What a Subtensor node would know: hotkeys, associations, and accounts' mapped account ids.
fn facts(miners: &[Miner], renters: &[Renter]) -> Vec<crate::actor::Tx> {
    let accounts: Vec<Account> =
        miners.iter().map(|m| m.actor.account()).chain(renters.iter().map(|r| r.actor.account())).collect();
    let neurons = miners.iter().flat_map(|miner| miner.neuron.facts());
    neurons.chain(accounts.into_iter().map(standins::introduction)).collect()
}

/// Deploys in the run's own folder, where no other deployment can be under way; the file goes where it is wanted.
async fn deployed(
    options: &Options,
    dir: &Path,
    node: &Node,
    deployer: &Key,
    owner: Account,
    show: &Show,
) -> Result<(DeploymentFile, PathBuf)> {
    let roles = Roles { netuid: NETUID, owner, treasury: owner, guardian: owner, judge: owner };
    let params = Params { windows: windows(options.keep), ..demo_params(&roles)? }.checked(Network::Local)?;
    let asked = deploy::ready(node, deployer.account(), &params, dir).await?;
    let file = deploy::deploy(node, deployer, &params, dir).await?;
    let mut path = DeploymentFile::path(dir, Network::Local);
    if let Some(wanted) = &options.deployments {
        std::fs::create_dir_all(wanted)?;
        path = DeploymentFile::path(wanted, Network::Local);
        file.write(&path)?;
    }
    let (contracts, block) = (file.record.contracts.len(), file.deployment.block);
    let text = format!(
        "surety deploy: {asked} questions to the chain answered, {contracts} contracts there since block {block}, \
         written to {}",
        path.display()
    );
    show.say("deployed", &text, json!({ "asked": asked, "deployment": file, "path": path }));
    Ok((file, path))
}

/// Accounts that tenants and keepers log in to. OpenSSH knows the host's accounts only: our own serves both.
fn users(options: &Options) -> Result<[String; 2]> {
    if !options.sshd {
        return Ok(EMBEDDED_USERS.map(str::to_owned));
    }
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective())?.context("our own account has no name")?;
    Ok([user.name.clone(), user.name])
}

/// Nodes as Subtensor's are, each failing now and then in its own way, which the seed draws.
async fn stand_ins(seed: Seed, anvil: &Anvil, show: &Show) -> Result<Vec<StandIn>> {
    let mut stand_ins = Vec::new();
    for index in 0..RPC_ENDPOINTS {
        let control = Control::default();
        control.faults().mild = Some(Mild::new(seed.rng(&format!("rpc-{index}")).next_u64()));
        stand_ins.push(StandIn::start(&anvil.url(), (Ipv4Addr::LOCALHOST, 0).into(), control).await?);
    }
    let urls: Vec<String> = stand_ins.iter().map(StandIn::url).collect();
    let text = format!("keepers see it through {} nodes that answer as Subtensor's, and fail now and then", urls.len());
    show.say("rpc", &text, json!({ "urls": urls }));
    Ok(stand_ins)
}

async fn start_keepers(
    anvil: &Anvil,
    rpc: &[StandIn],
    keepers: &[Keeper],
    deployment: &Path,
    tenant_user: &str,
    keeper_user: &str,
) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let anchors = vec![listener.local_addr()?.to_string(), format!("127.0.0.1:{}", anvil.port)];
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let common = keepers::Common {
        deployment: absolute(deployment)?,
        rpc: rpc.iter().map(StandIn::url).collect(),
        anchors,
        tenant_user: tenant_user.to_owned(),
        keeper_user: keeper_user.to_owned(),
    };
    for keeper in keepers {
        keeper.configure(&common)?;
        keeper.start()?;
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).with_context(|| path.display().to_string())
}

#[derive(Deserialize)]
struct Health {
    healthy: bool,
    seeing: bool,
    reasons: Vec<String>,
}

/// Waits until each keeper follows the chain and trusts its own eyes.
async fn keepers_see(stage: &Stage) -> Result<()> {
    for keeper in stage.keepers.iter() {
        let what = format!("{} is healthy and sees", keeper.name);
        let seen = stage.seer.until(&what, Duration::from_secs(25), async || {
            if let Err(ended) = keeper.check_alive() {
                return Ok(Seen::Done(Err(ended)));
            }
            let health: Health = stage.api.get(&keeper.url(), "healthz").await?;
            let well = health.healthy && health.seeing;
            let why = || format!("healthy {}, seeing {}, {}", health.healthy, health.seeing, health.reasons.join("; "));
            Ok(if well { Seen::Done(Ok(())) } else { Seen::NotYet(why()) })
        });
        seen.await??;
        let text = format!("{} ({}) follows the chain, API at {}", keeper.name, keeper.account, keeper.url());
        stage.show.say(
            "keeper",
            &text,
            json!({ "keeper": keeper.name, "account": keeper.account, "url": keeper.url() }),
        );
    }
    Ok(())
}

/// Step 2.
pub(super) async fn machines(stage: &mut Stage) -> Result<()> {
    let server = if stage.options.sshd { "OpenSSH's sshd" } else { "the embedded SSH server" };
    for (index, miner) in stage.miners.iter().enumerate() {
        let name = format!("machine-{}", index + 1);
        let common = machines::Common { deployment: absolute(&stage.deployment_path)?, ..stage.node_common.clone() };
        let dir = stage.dir.join(&name);
        let machine = Machine::start(&stage.processes, &stage.seer, &common, &name, &miner.host, &dir).await?;
        let text = format!("{name} listens at {} ({server}), host key {}", machine.endpoint, miner.machine());
        let facts = json!({ "machine": miner.machine(), "endpoint": machine.endpoint, "server": server });
        stage.show.say("machine", &text, facts);
        stage.machines.push(machine);
    }
    Ok(())
}

/// Step 3.
pub(super) async fn bonds(stage: &Stage) -> Result<()> {
    let mut registrations = [0; MACHINES];
    // One after the other, so that the seed gives the numbers too.
    for index in stage.options.seed.order("registrations", MACHINES) {
        let miner = stage.miners.get(index).context("no such miner")?;
        let endpoint = stage.machines.get(index).context("no such machine")?.endpoint;
        registrations[index] = miner.register(&stage.chain, &stage.owner, endpoint).await?;
    }
    let list = |index: usize| list(stage, index, registrations[index]);
    tokio::try_join!(list(0), list(1), list(2))?;
    for (index, registration) in registrations.iter().enumerate() {
        let quorum = certificates(stage, index, *registration).await?;
        let signers: Vec<Account> = quorum.iter().map(|one| one.signer).collect();
        let text = format!("machine-{} is measured and certified by {} keepers", index + 1, signers.len());
        let facts = json!({ "machine": stage.miners[index].machine(), "signers": signers });
        stage.show.say("certified", &text, facts);
        if index == stage.cast.idle {
            replayed(stage, &quorum).await?;
            figures(stage, stage.miners[index].machine()).await?;
        }
    }
    Ok(())
}

/// Bonds and offers one machine.
async fn list(stage: &Stage, index: usize, registration: u32) -> Result<()> {
    let miner = stage.miners.get(index).context("no such miner")?;
    let machine = stage.machines.get(index).context("no such machine")?;
    miner.deposit(&stage.chain, BOND_RAO).await?;
    miner.offer(&stage.chain, terms(index)).await?;
    let bond = stage.chain.bond(miner.machine()).await?;
    ensure!(bond.free == BOND_RAO && bond.bonded == BOND_RAO, "{}'s bond is {bond:?}", miner.actor.name);
    let text = format!(
        "{} registered {} as node {registration}, bonded {} TAO, offers it at {} TAO a second",
        miner.actor.name,
        machine.name,
        tao(BOND_RAO),
        tao(terms(index).price_rao_per_sec)
    );
    stage.show.say("listed", &text, json!({ "registration": registration, "machine": miner.machine() }));
    Ok(())
}

#[derive(Deserialize)]
struct Certificates {
    certificates: Vec<Signed<Certificate>>,
}

/// Longest until a machine is certified. It takes some four seconds, on a machine that has much else to do ten times as
/// long.
const CERTIFIED_LIMIT: Duration = Duration::from_secs(120);

/// Waits for a quorum of certificates of one machine, as a renter finds them: through the keepers' URLs on chain.
pub(super) async fn certificates(stage: &Stage, index: usize, registration: u32) -> Result<Vec<Signed<Certificate>>> {
    let machine = stage.miners.get(index).context("no such miner")?.machine();
    let what = format!("machine-{} has a quorum of certificates", index + 1);
    let quorum = stage.seer.until(&what, CERTIFIED_LIMIT, async || {
        let electorate = stage.chain.electorate().await?;
        let mut offered = Vec::new();
        for keeper in electorate.values() {
            let path = format!("v1/certificates/{machine}");
            // A keeper that is down has no say; the others may be enough.
            if let Ok(answer) = stage.api.get::<Certificates>(&keeper.url, &path).await {
                offered.extend(answer.certificates);
            }
        }
        let count = offered.len();
        Ok(match quorum_of_certificates(&stage.chain, &electorate, registration, offered) {
            Some(quorum) => Seen::Done(quorum),
            None => Seen::NotYet(format!("{count} certificates")),
        })
    });
    quorum.await
}
