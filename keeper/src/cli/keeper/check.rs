//! `surety keeper check`: everything a run needs, looked at without changing any of it.

use super::status::seat_text;
use crate::adapters::store::{Reading, StoreError};
use crate::config::{Preflight, Settings};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use surety_client::reader::{SeatOf, SetKind};
use surety_core::seat::weigh;
use surety_core::state::Config;

/// Wei in a rao.
const WEI_PER_RAO: u64 = 1_000_000_000;

pub(super) fn run(config: &Path) -> Result<()> {
    let settings = Settings::read(config)?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let preflight = tokio.block_on(chain(&settings))?;
    store(&settings)?;
    let account = settings.key.account();
    let wei =
        tokio.block_on(preflight.endpoints.balance_wei(account)).context("no majority of chain.rpc says a balance")?;
    let rao = u64::try_from(wei / alloy::primitives::U256::from(WEI_PER_RAO)).unwrap_or(u64::MAX);
    let floor = settings.file.alerts.gas_min_rao;
    ensure!(rao >= floor, "{account} has {rao} rao for gas, less than alerts.gas_min_rao = {floor}: send TAO to it");
    println!("account {account} has {rao} rao for gas");
    tokio.block_on(seat(&settings, &preflight))
}

/// The configuration, and whether the chain agrees with it.
pub(super) async fn chain(settings: &Settings) -> Result<Preflight> {
    let preflight = Preflight::run(settings).await?;
    println!("the configuration is sound, and the chain agrees with it");
    Ok(preflight)
}

/// What the keeper set makes of this account. A run starts whatever it is: it tells of the same, and waits.
async fn seat(settings: &Settings, preflight: &Preflight) -> Result<()> {
    let account = settings.key.account();
    let SetKind::VotingPower { check_in_secs } = preflight.set else {
        println!("keepers are appointed by the set's owner");
        return Ok(());
    };
    let of = SeatOf { account, netuid: settings.deployment.netuid, check_in_secs };
    let seat =
        preflight.endpoints.seat(&of).await.context("no majority of chain.rpc says what this keeper's seat is")?;
    let newest = preflight.endpoints.newest().await?;
    println!("keepers sit by voting power; this one is {}", seat_text(&seat, newest.timestamp_secs));
    match &seat.claim {
        Some(claim) => {
            let (uid, hotkey, power) = (claim.uid, claim.hotkey, claim.power_rao);
            println!("the chain associates {account} with uid {uid}, hotkey {hotkey}, voting power {power} rao");
        }
        None => println!("the chain associates {account} with no hotkey of subnet {}", of.netuid),
    }
    let rules = settings.file.seat.rules(settings.ssh_key.public());
    if rules.contact.as_ref().is_some_and(|ours| seat.contact.as_ref().is_some_and(|theirs| theirs != ours)) {
        println!("the set knows another SSH key or URL of this keeper than the configuration: call moveTo");
    }
    if let (_, Some(trouble)) = weigh(&seat, &rules, newest.timestamp_secs) {
        println!("IN DANGER: {}", trouble.message());
    }
    Ok(())
}

fn store(settings: &Settings) -> Result<()> {
    let path = &settings.file.store.path;
    if !path.exists() {
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(
            dir.is_dir(),
            "there is no directory {} for the store: make it, writable for the keeper",
            dir.display()
        );
        println!("store {} is not there yet: a run makes it", path.display());
        return Ok(());
    }
    let reading = Reading::open(path)?;
    reading.check()?;
    let snapshot = reading.snapshot()?;
    is_this_keepers(path, settings, &snapshot.state.config)?;
    println!("store {} is whole, {} bytes, snapshot at input {}", path.display(), reading.size_bytes()?, snapshot.seq);
    Ok(())
}

fn is_this_keepers(path: &Path, settings: &Settings, stored: &Config) -> Result<(), StoreError> {
    let foreign = |what| Err(StoreError::Foreign { path: path.to_path_buf(), what });
    if stored.me != settings.key.account() {
        return foreign("keeper account");
    }
    if stored.chain_id != settings.deployment.chain_id {
        return foreign("chain");
    }
    if stored.contracts.escrow != settings.deployment.escrow.address {
        return foreign("deployment");
    }
    Ok(())
}
