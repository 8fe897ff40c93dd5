//! What `--keep` leaves: a market that somebody can use, by the command line or the page, with keys to do it with.

use super::opening::{certificates, terms};
use super::stage::{BOND_RAO, Stage};
use crate::actor::Tx;
use crate::machines::{self, Machine};
use crate::miner::Miner;
use crate::seed::write_secret;
use crate::wait::Seen;
use alloy::primitives::{B256, FixedBytes};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use surety_client::bindings::{CollateralVault, ICollateralVault};
use surety_client::reader::endpoint_bytes;
use surety_core::types::MachineId;

/// The killed machine comes back, everybody bonds and offers again, and keepers certify: all three can be rented.
pub(super) async fn reopen(stage: &mut Stage) -> Result<()> {
    revive(stage).await?;
    for index in 0..stage.miners.len() {
        let miner = stage.miners.get(index).context("no such miner")?;
        miner.deposit(&stage.chain, BOND_RAO).await?;
        miner.offer(&stage.chain, terms(index)).await?;
        let machine = B256::from(miner.machine().0);
        let registration = stage.chain.vault.ownerOf(machine).call().await?.registration;
        certificates(stage, index, registration).await?;
    }
    shown(stage).await
}

/// A keeper's market, as far as it is looked at here.
#[derive(Deserialize)]
struct Market {
    machines: Vec<Shown>,
}

#[derive(Deserialize)]
struct Shown {
    machine: MachineId,
    availability: String,
}

/// Waits until every keeper shows every machine as free: each reads the chain when its own turn comes.
async fn shown(stage: &Stage) -> Result<()> {
    for keeper in stage.keepers.iter() {
        let what = format!("{} shows every machine as free", keeper.url());
        let free = stage.seer.until(&what, Duration::from_secs(50), async || {
            let market: Market = stage.api.get(&keeper.url(), "v1/market").await?;
            let free = |miner: &Miner| {
                market.machines.iter().any(|one| one.machine == miner.machine() && one.availability == "free")
            };
            let count = stage.miners.iter().filter(|miner| free(miner)).count();
            Ok(if count == stage.miners.len() { Seen::Done(()) } else { Seen::NotYet(format!("{count} are")) })
        });
        free.await?;
    }
    Ok(())
}

/// Starts the killed machine again, where it was, and tells the chain its new address.
async fn revive(stage: &mut Stage) -> Result<()> {
    let lost = stage.cast.lost;
    let miner = stage.miners.get(lost).context("no such miner")?;
    let name = format!("machine-{}", lost + 1);
    let dir = stage.dir.join(format!("{name}-again"));
    let deployment = std::fs::canonicalize(&stage.deployment_path)?;
    let common = machines::Common { deployment, ..stage.node_common.clone() };
    let machine = Machine::start(&stage.processes, &stage.seer, &common, &name, &miner.host, &dir).await?;
    let endpoint = ICollateralVault::Endpoint {
        ip: FixedBytes(endpoint_bytes(machine.endpoint.ip())),
        port: machine.endpoint.port(),
    };
    let call = CollateralVault::setEndpointCall { machine: B256::from(miner.machine().0), endpoint };
    miner.actor.send(Tx::call(*stage.chain.vault.address(), &call)).await?;
    *stage.machines.get_mut(lost).context("no such machine")? = machine;
    Ok(())
}

/// Writes the keys of everybody but keepers: on this chain they are worth nothing.
fn write_keys(stage: &Stage) -> Result<PathBuf> {
    let folder = stage.dir.join("keys");
    std::fs::create_dir_all(&folder)?;
    let seed = stage.options.seed;
    let miners = stage.miners.iter().map(|miner| &miner.actor.name);
    let renters = stage.renters.iter().map(|renter| &renter.actor.name);
    for name in miners.chain(renters).chain([&stage.owner.name]) {
        let secret = hex::encode(seed.bytes(&format!("evm/{name}")));
        write_secret(&folder.join(format!("{name}.key")), secret.as_bytes())?;
    }
    for renter in &stage.renters {
        let path = folder.join(format!("{}.ssh", renter.actor.name));
        renter.ssh.write(&path)?;
        let public = renter.ssh.private().public_key().to_openssh()?;
        std::fs::write(path.with_extension("ssh.pub"), format!("{public}\n"))?;
    }
    Ok(folder)
}

/// What there is to be used, for programs, and lines for people.
pub(super) fn house(stage: &Stage) -> Result<(Value, Vec<String>)> {
    let keys = write_keys(stage)?;
    let page = stage.keepers.first().map(|keeper| keeper.url()).unwrap_or_default();
    let machine = |(miner, machine): (&Miner, &Machine)| {
        json!({
            "name": machine.name, "machine": miner.machine(), "endpoint": machine.endpoint, "pid": machine.pid(),
            "miner": miner.actor.account(),
        })
    };
    let machines: Vec<Value> = stage.miners.iter().zip(&stage.machines).map(machine).collect();
    let renters: Vec<Value> = stage.renters.iter().map(|renter| json!(renter.actor.account())).collect();
    let facts = json!({
        "page": page, "rpc": stage.anvil.url(), "chain_id": stage.chain.deployment.chain_id,
        "deployment": stage.deployment_path, "keys": keys, "machines": machines, "renters": renters,
        "keepers": stage.keepers.iter().map(|keeper| keeper.url()).collect::<Vec<_>>(),
    });
    let lines = vec![
        format!("page        {page}/"),
        format!("keys        {}: miners', renters' and the judge's (owner.key); worth nothing", keys.display()),
    ];
    Ok((facts, lines))
}
