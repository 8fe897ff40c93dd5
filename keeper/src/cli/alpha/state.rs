//! `surety alpha state`: what the keepers say of a bond, brought to the contracts, so that a rental can count on it.

use super::agreed::{self, Counts};
use super::court::{Court, Heard, Side, sound};
use super::key::confirm;
use super::words::{Table, date};
use crate::adapters::evm::{Endpoints, Sender};
use crate::cli::complain::evm_key;
use alloy::primitives::Address;
use alloy::rpc::types::TransactionRequest;
use alloy::sol_types::SolCall;
use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use surety_client::intent::{Call, revert_name};
use surety_client::keys::Key;
use surety_client::provider::NodeError;
use surety_client::stated::state_call;
use surety_core::alpha::BondStatement;
use surety_core::evidence::Contracts;
use surety_core::outbox::Answer;
use surety_core::statement::Signed;
use surety_core::types::{Account, MachineId, UnixSecs};
use surety_substrate::amount::Amount;
use surety_substrate::ss58::AccountId;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

/// How long a transaction is waited for: ten blocks.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// Between two looks for it.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// What `surety alpha state` takes.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct StateArguments {
    /// The machine's host key: 64 hex digits.
    #[arg(long)]
    machine: MachineId,
    #[command(flatten)]
    side: Side,
    /// The key of an EVM account that pays for the transaction, any: 32 bytes as hex, in a file that nobody else can
    /// read. Without it the environment's SURETY_KEY; without either, the call is shown, for any wallet to send.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// Ask, show the call, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it is signed.
    #[arg(long)]
    yes: bool,
    /// Answer as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What the keepers' answers come to.
pub(super) struct Found {
    pub(super) heard: Vec<Heard<Signed<BondStatement>>>,
    /// Those that are brought to the contracts.
    pub(super) counted: Vec<Signed<BondStatement>>,
    pub(super) counts: Option<Counts>,
    pub(super) quorum: bool,
}

pub(super) async fn run(arguments: &StateArguments) -> Result<()> {
    let court = Court::find(&arguments.side).await?;
    let key = if arguments.dry_run { None } else { evm_key(arguments.key_file.as_deref())? };
    let found = look(&court, arguments.machine).await;
    let call = found.call(&court)?;
    let mut json = found.json(&court, arguments.machine, call.as_ref());
    let Some(call) = call else {
        show(arguments.json, &json, &found.table(&court, arguments.machine));
        bail!("no quorum states this bond alike: nothing to send. What stands against it is said by each keeper above");
    };
    let gas = tried(&court, key.as_ref().map(Key::account), &call).await?;
    json["gas"] = json!(gas);
    let mut table = found.table(&court, arguments.machine);
    table.row("to", format!("{} (CollateralVault.state)", call.to));
    table.row("tried", format!("the contract would record it, for {gas} gas"));
    let Some(key) = key else {
        table.row("data", call.data.to_string());
        show(arguments.json, &json, &table);
        if !arguments.json {
            println!("Nothing was sent. Any wallet can send this call; with --key-file FILE it is sent from here.");
        }
        return Ok(());
    };
    if !arguments.json {
        print!("{table}");
    }
    let (yes, as_json) = (arguments.yes, arguments.json);
    spawn_blocking(move || confirm(yes, as_json)).await??;
    let (hash, block) = send(&court, key, call).await?;
    json["sent"] = json!({ "hash": hash, "block": block });
    match arguments.json {
        true => println!("{json}"),
        false => println!("Recorded in block {block}, as {hash}. A rental can count on it now."),
    }
    Ok(())
}

fn show(as_json: bool, json: &Value, table: &Table) {
    match as_json {
        true => println!("{json}"),
        false => print!("{table}"),
    }
}

/// Asks all keepers, and finds the part that agrees and counts most.
pub(super) async fn look(court: &Court, machine: MachineId) -> Found {
    let heard = court.ask(async |url: &str| court.asking.bond(url, machine).await).await;
    let heard = court.checked(heard, |signed| fits(&signed.statement, machine, court.now_secs));
    let keepers = court.electorate();
    let group = agreed::largest(&keepers, &sound(&heard), agreed::claim);
    let counted = agreed::without_low(&keepers, &group);
    let (counts, quorum) = (agreed::counts(&counted), agreed::are_quorum(&keepers, &counted));
    Found { heard, counted, counts, quorum }
}

fn fits(s: &BondStatement, machine: MachineId, now_secs: UnixSecs) -> Result<(), String> {
    if s.machine != machine {
        return Err(format!("left out: it is about machine {}", s.machine));
    }
    if s.stated_at_secs > now_secs {
        return Err(format!("left out: dated {}, after the newest block", date(s.stated_at_secs)));
    }
    if s.alpha == 0 || s.value_rao == 0 {
        return Err("left out: it states a bond of nothing".to_owned());
    }
    Ok(())
}

impl Found {
    /// The call that brings it to the contracts; None: there is no quorum.
    pub(super) fn call(&self, court: &Court) -> Result<Option<Call>> {
        if !self.quorum {
            return Ok(None);
        }
        let vault = court.deployment.vault.address;
        let call = state_call(&court.domains(), vault, &self.counted)?;
        Ok(Some(Call { to: Address::from(vault.0), data: call.abi_encode().into() }))
    }

    fn counts_of(&self, keeper: Account) -> bool {
        self.counted.iter().any(|signed| signed.signer == keeper)
    }

    fn row(&self, one: &Heard<Signed<BondStatement>>) -> String {
        let who = format!("{} {:?}", one.keeper, one.url);
        match &one.answer {
            Err(why) => format!("{who}: {why}"),
            Ok(signed) => {
                let s = signed.statement;
                let (alpha, value, until) = (Amount(s.alpha), Amount(s.value_rao), date(s.until_secs));
                let aside = if self.counts_of(one.keeper) { "" } else { "; left out: it disagrees with the others" };
                format!("{who}: {alpha} alpha for {value} TAO, until {until}{aside}")
            }
        }
    }

    pub(super) fn table(&self, court: &Court, machine: MachineId) -> Table {
        let mut table = Table::new("State a bond of alpha to the contracts.".to_owned());
        table.row("chain", format!("chain id {}, block {}", court.deployment.chain_id, court.block));
        table.row("machine", machine.to_string());
        for one in &self.heard {
            table.row("keeper", self.row(one));
        }
        if let (Some(counts), Some(first)) = (self.counts, self.counted.first().map(|signed| signed.statement)) {
            table.row("vault", AccountId(first.vault.0).to_string());
            table.row("owner", AccountId(first.owner.0).to_string());
            table.row("for", claim_words(&first));
            let (alpha, value) = (Amount(counts.alpha), Amount(counts.value_rao));
            table.row("counts", format!("{alpha} alpha for {value} TAO until {}", date(counts.until_secs)));
        }
        let (signers, all) = (self.counted.len(), court.keepers.len());
        let quorum = if self.quorum { "a quorum" } else { "no quorum" };
        table.row("signed by", format!("{signers} of {all} keepers, {quorum}"));
        table
    }

    pub(super) fn json(&self, court: &Court, machine: MachineId, call: Option<&Call>) -> Value {
        let keepers = self.heard.iter().map(|one| {
            json!({
                "keeper": one.keeper, "url": one.url, "counted": self.counts_of(one.keeper),
                "signed": one.answer.as_ref().ok(), "why": one.answer.as_ref().err(),
            })
        });
        let counts = self.counts.map(|counts| {
            json!({
                "alpha_rao": counts.alpha, "value_rao": counts.value_rao,
                "stated_at": counts.stated_at_secs, "until": counts.until_secs,
            })
        });
        json!({
            "chain_id": court.deployment.chain_id, "block": court.block, "machine": machine,
            "keepers": keepers.collect::<Vec<_>>(), "counts": counts, "quorum": self.quorum,
            "call": call.map(|call| json!({ "to": call.to, "data": call.data })), "sent": null,
        })
    }
}

fn claim_words(s: &BondStatement) -> String {
    match (s.rental, s.over) {
        (0, _) => format!("registration {}, its first rental", s.registration),
        (rental, true) => format!("registration {}, the rental after {rental}", s.registration),
        (rental, false) => format!("registration {}, an extension of rental {rental}", s.registration),
    }
}

/// What the call would take, in gas. The contract's refusal is told by its name.
async fn tried(court: &Court, from: Option<Account>, call: &Call) -> Result<u64> {
    let request = TransactionRequest::default()
        .from(from.map_or(Address::ZERO, |account| Address::from(account.0)))
        .to(call.to)
        .input(call.data.clone().into());
    match court.node.estimate_gas(request).await {
        Ok(gas) => Ok(gas),
        Err(NodeError::Refused { data: Some(data), message, .. }) => {
            bail!("the contract refuses it: {}", revert_name(&data).unwrap_or(message))
        }
        Err(error) => Err(error).context("the call could not be tried"),
    }
}

/// Sends the call, and waits until it is in a block.
async fn send(court: &Court, key: Key, call: Call) -> Result<(String, u64)> {
    let d = &court.deployment;
    let contracts = Contracts { escrow: d.escrow.address, arbiter: d.arbiter.address, vault: d.vault.address };
    let endpoints = Endpoints::new(vec![court.node.clone()], d);
    let sender = Sender::new(endpoints, key, d.chain_id, contracts);
    let nonce = sender.pending_nonce().await?;
    let signed = sender.sign_call(call, nonce, 0).await?;
    let hash = signed.hash;
    match sender.broadcast(&signed.raw).await {
        Answer::Accepted | Answer::AlreadyKnown => {}
        // No answer says nothing: it may be on its way.
        Answer::Lost => eprintln!("The node did not answer; looking for {hash} all the same."),
        other => bail!("the node does not take the transaction ({other:?}): has the account TAO to pay for it?"),
    }
    let end = Instant::now() + WAIT_MAX;
    while Instant::now() < end {
        // It is sent: a node that does not answer now may in two seconds.
        if let Ok(Some(receipt)) = sender.receipt(hash).await {
            let block = receipt.block;
            ensure!(receipt.ok, "in block {block} the contract refused it ({hash}): run it again with --dry-run");
            return Ok((hash.to_string(), block));
        }
        sleep(LOOK_EVERY).await;
    }
    bail!("{hash} is in no block after {} s: look for it before sending again", WAIT_MAX.as_secs())
}

#[cfg(test)]
mod tests;
