//! What the steps share: the chain, the parts and who plays them.

use super::Options;
use crate::actor::{Actor, Tx};
use crate::anvil::Anvil;
use crate::audit::{Audited, audited};
use crate::books::Party;
use crate::chain::Chain;
use crate::keepers::{Api, Keeper};
use crate::machines::{self, Machine};
use crate::miner::Miner;
use crate::params::{WINDOWS, windows};
use crate::process::Processes;
use crate::renter::Renter;
use crate::show::Show;
use crate::wait::{Seen, Seer};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use surety_client::bindings::RentalEscrow;
use surety_client::units::tao;
use surety_core::types::{Account, Rao, RentalId};
use surety_subtensor_rpc::StandIn;

/// What everybody but keepers begins with: 100 TAO.
pub(super) const BEGAN_WITH_RAO: Rao = 100_000_000_000;
/// What a keeper begins with, for gas: 10 TAO.
pub(super) const KEEPER_BEGAN_WITH_RAO: Rao = 10_000_000_000;
/// Bond of each machine: half a TAO.
pub(super) const BOND_RAO: Rao = 500_000_000;

/// The first and only wish.
pub(super) const WISH: u64 = 1;

/// The seed's choice of who plays which part; indices of miners and their machines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast {
    /// Rented, then killed.
    pub(super) lost: usize,
    /// Rented until the end.
    pub(super) kept: usize,
    /// Never rented.
    pub(super) idle: usize,
}

/// A rental of the story.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rented {
    pub(super) rental: RentalId,
    /// Index of the miner.
    pub(super) miner: usize,
    /// Index of the renter.
    pub(super) renter: usize,
    pub(super) price_rao_per_sec: u64,
    pub(super) paid_rao: Rao,
    /// End as agreed, chain seconds.
    pub(super) end_secs: u64,
}

pub(super) struct Stage {
    pub(super) options: Options,
    pub(super) dir: PathBuf,
    pub(super) show: Show,
    pub(super) seer: Seer,
    pub(super) anvil: Anvil,
    /// What keepers see of the chain; they end with the stage.
    pub(super) _rpc: Vec<StandIn>,
    pub(super) chain: Chain,
    pub(super) deployment_path: PathBuf,
    /// Whose nonces gave the addresses; did nothing else.
    pub(super) deployer: Account,
    /// Owns what has an owner, and sends what anybody may.
    pub(super) owner: Actor,
    pub(super) miners: Vec<Miner>,
    pub(super) renters: Vec<Renter>,
    pub(super) cast: Cast,
    pub(super) node_common: machines::Common,
    pub(super) machines: Vec<Machine>,
    pub(super) keepers: Arc<Vec<Keeper>>,
    pub(super) api: Api,
    /// Last, so that it is dropped last: its reaper ends what the others left.
    pub(super) processes: Processes,
}

impl Stage {
    /// Waits until the chain's time is at least this.
    pub(super) async fn chain_time(&self, secs: u64, what: &str, limit_secs: u64) -> Result<()> {
        self.seer
            .until(what, Duration::from_secs(limit_secs), async || {
                let now = self.chain.now_secs().await?;
                Ok(if now >= secs { Seen::Done(()) } else { Seen::NotYet(format!("chain time {now} of {secs}")) })
            })
            .await
    }

    /// How much longer than in a hurried story anything takes that waits for a case.
    pub(super) fn patience_secs(&self) -> u64 {
        u64::from(windows(self.options.keep).appeal_window_secs - WINDOWS.appeal_window_secs)
    }

    /// Pays out what the contracts owe an account; anybody may send that.
    pub(super) async fn pay_out(&self, actor: &Actor) -> Result<Rao> {
        let account = actor.account();
        let owed = [
            (*self.chain.vault.address(), self.chain.vault_credit(account).await?),
            (*self.chain.escrow.address(), self.chain.escrow_credit(account).await?),
            (*self.chain.bids.address(), self.chain.bids_credit(account).await?),
        ];
        let mut paid = 0;
        for (contract, rao) in owed {
            if rao != 0 {
                let call = RentalEscrow::withdrawCreditCall { account: actor.address() };
                self.owner.send(Tx::call(contract, &call)).await?;
                paid += rao;
            }
        }
        Ok(paid)
    }

    /// `surety audit` of the chain as it is now, told in a line.
    pub(super) async fn audited(&self) -> Result<Audited> {
        let found = audited(&self.chain, &self.deployment_path).await?;
        let Audited { block, answers, contracts, rentals, cases, wishes, .. } = &found;
        let text = format!(
            "surety audit at block {block}: all {answers} answers hold; {contracts} contracts byte for byte; rentals \
             {rentals}, cases {cases}, wishes {wishes} recounted, {} TAO owed; another fee in the record is found",
            tao(found.owed_rao)
        );
        self.show.say("audited", &text, json!(found));
        Ok(found)
    }

    /// Everybody whose money is followed.
    pub(super) fn parties(&self) -> Vec<Party> {
        let named = |name: &str, account: Account, what: &str| Party {
            name: name.to_owned(),
            account,
            began_with_rao: BEGAN_WITH_RAO,
            what: what.to_owned(),
        };
        let party = |actor: &Actor, what: &str| named(&actor.name, actor.account(), what);
        let deployer = named("deployer", self.deployer, "the contracts' seeds");
        let mut parties = vec![deployer, party(&self.owner, "gas alone")];
        for (index, miner) in self.miners.iter().enumerate() {
            let what = if index == self.cast.lost {
                "bond; what is left of it, and the rent until the failure"
            } else if index == self.cast.kept {
                "bond; the bond and the whole rent"
            } else {
                "bond; the bond, never rented"
            };
            parties.push(party(&miner.actor, what));
        }
        let whats =
            ["rent; what was not used, and the seconds without service", "rent, used to the end; a wish, taken back"];
        parties.extend(self.renters.iter().zip(whats).map(|(renter, what)| party(&renter.actor, what)));
        parties.extend(self.keepers.iter().map(|keeper| Party {
            name: keeper.name.clone(),
            account: keeper.account,
            began_with_rao: KEEPER_BEGAN_WITH_RAO,
            what: "nothing ever goes to keepers".into(),
        }));
        parties
    }

    /// Processes that ended on their own, in words.
    pub(super) fn deaths(&mut self) -> Vec<String> {
        let keepers = self.keepers.iter().filter_map(|keeper| keeper.check_alive().err());
        let lost = self.cast.lost;
        let machines = self.machines.iter_mut().enumerate();
        let machines =
            machines.filter(|(index, _)| *index != lost).filter_map(|(_, machine)| machine.check_alive().err());
        keepers.chain(machines).map(|error| error.to_string()).collect()
    }

    /// Addresses of everything that runs.
    pub(super) fn addresses(&self) -> Vec<String> {
        let mut lines = vec![
            format!("chain       {} (chain id {})", self.anvil.url(), self.chain.deployment.chain_id),
            format!("deployment  {}", self.deployment_path.display()),
        ];
        lines.extend(self.chain.deployment.contracts().map(|(name, at)| format!("contract    {} {name}", at.address)));
        lines.extend(self.keepers.iter().map(|keeper| format!("keeper      {} {}", keeper.url(), keeper.name)));
        lines.extend(
            self.machines.iter().map(|machine| format!("machine     ssh://{} {}", machine.endpoint, machine.name)),
        );
        lines.push(format!("logs        {}", self.processes.logs().display()));
        lines
    }
}
