//! Where every rao went, recomputed from blocks, receipts and logs, and held against everybody's balance to the last
//! wei. What the contracts themselves owe and have is recounted by `surety audit`, whose sums are taken over.

use crate::chain::Chain;
use alloy::primitives::{Address, B256, Bytes, U64, U256};
use alloy::providers::Provider;
use alloy::sol_types::SolEvent;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use surety_client::bindings::standins::BalanceTransferStandIn;
use surety_client::bindings::{CollateralVault, RentalEscrow};
use surety_client::subtensor::{BALANCE_TRANSFER, BURN_ACCOUNT};
use surety_client::units::{rao_floor, wei};
use surety_core::types::{Account, Rao};
use surety_deploy::audit::Sum;

/// One line of the table. Amounts in rao, gas in wei.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Who.
    pub who: String,
    /// Paid into the contracts.
    pub paid_in_rao: Rao,
    /// Came out of the contracts to them, or stayed there as theirs.
    pub got_out_rao: Rao,
    /// Paid for gas, apart from all this.
    pub gas_wei: u128,
    /// What the amounts are.
    pub what: String,
}

/// Somebody whose money is followed.
#[derive(Debug, Clone)]
pub struct Party {
    /// Name in the table.
    pub name: String,
    /// Account.
    pub account: Account,
    /// EVM balance before the story.
    pub began_with_rao: Rao,
    /// What their amounts are.
    pub what: String,
}

/// The checked table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Parties, then the burn account, then what the contracts keep.
    pub rows: Vec<Row>,
    /// Sum of all that was paid in.
    pub paid_in_rao: Rao,
    /// Sum of all that came out or stayed. Equal to the sum paid in.
    pub got_out_rao: Rao,
}

#[derive(Debug, Default, Clone)]
struct Flow {
    paid_in: U256,
    got_out: U256,
    gas: U256,
}

#[derive(Debug, Deserialize)]
struct Block {
    transactions: Vec<Transaction>,
}

#[derive(Debug, Deserialize)]
struct Transaction {
    from: Address,
    to: Option<Address>,
    value: U256,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Receipt {
    status: U64,
    gas_used: U64,
    effective_gas_price: U256,
    contract_address: Option<Address>,
    logs: Vec<Log>,
}

#[derive(Debug, Deserialize)]
struct Log {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
}

/// Follows all money of `parties` from the first block to the newest, and checks it against what is there now; in the
/// contracts, by the `sums` of an audit.
///
/// # Errors
/// Any amount that does not come out even, with both sides.
pub async fn books(chain: &Chain, parties: &[Party], sums: &[Sum]) -> Result<Books> {
    let contracts = chain.custodians();
    let (flows, burned) = follow(chain, &contracts).await?;
    for account in flows.keys() {
        let known = parties.iter().any(|party| party.account.0 == account.0.0);
        ensure!(known, "{account} moved money and is in no row");
    }
    let mut rows = Vec::new();
    for party in parties {
        let flow = flows.get(&Address::from(party.account.0)).cloned().unwrap_or_default();
        check_balance(chain, party, &flow).await?;
        rows.push(Row {
            who: party.name.clone(),
            paid_in_rao: exact_rao(flow.paid_in)?,
            got_out_rao: exact_rao(flow.got_out)?,
            gas_wei: flow.gas.try_into()?,
            what: party.what.clone(),
        });
    }
    rows.push(kept_row("burned", check_burned(chain, burned).await?, "at the chain's burn account"));
    rows.extend(sums.iter().map(contract_row).collect::<Result<Vec<_>>>()?);
    let sum = |amount: fn(&Row) -> Rao| rows.iter().map(amount).try_fold(0u64, Rao::checked_add);
    let paid_in_rao = sum(|row| row.paid_in_rao).context("more money than there is")?;
    let got_out_rao = sum(|row| row.got_out_rao).context("more money than there is")?;
    ensure!(paid_in_rao == got_out_rao, "{paid_in_rao} rao went in and {got_out_rao} rao came out or are still there");
    Ok(Books { rows, paid_in_rao, got_out_rao })
}

fn kept_row(who: &str, rao: Rao, what: &str) -> Row {
    Row { who: who.to_owned(), paid_in_rao: 0, got_out_rao: rao, gas_wei: 0, what: what.to_owned() }
}

/// Flows by sender or receiver, and the rao burned, from every block there is.
async fn follow(chain: &Chain, contracts: &[Address]) -> Result<(BTreeMap<Address, Flow>, Rao)> {
    let mut flows: BTreeMap<Address, Flow> = BTreeMap::new();
    let mut burned: Rao = 0;
    let client = chain.node.provider().client();
    for number in 0..=chain.head().await?.number {
        let tag = format!("{number:#x}");
        let request = client.request::<_, Block>("eth_getBlockByNumber", (tag.clone(), true));
        let block = chain.node.ask("eth_getBlockByNumber", request).await?;
        if block.transactions.is_empty() {
            continue;
        }
        let request = client.request::<_, Vec<Receipt>>("eth_getBlockReceipts", (tag,));
        let receipts = chain.node.ask("eth_getBlockReceipts", request).await?;
        ensure!(receipts.len() == block.transactions.len(), "block {number} has transactions without receipts");
        for (tx, receipt) in block.transactions.iter().zip(&receipts) {
            pay_in(&mut flows, tx, receipt, contracts);
            for log in receipt.logs.iter().filter(|log| contracts.contains(&log.address)) {
                burned += pay_out(&mut flows, log)?;
            }
        }
    }
    Ok((flows, burned))
}

fn pay_in(flows: &mut BTreeMap<Address, Flow>, tx: &Transaction, receipt: &Receipt, contracts: &[Address]) {
    let flow = flows.entry(tx.from).or_default();
    flow.gas += U256::from(receipt.gas_used) * receipt.effective_gas_price;
    let into = tx.to.or(receipt.contract_address);
    if receipt.status == U64::from(1) && into.is_some_and(|into| contracts.contains(&into)) {
        flow.paid_in += tx.value;
    }
}

/// Credits one log; says what it burned.
fn pay_out(flows: &mut BTreeMap<Address, Flow>, log: &Log) -> Result<Rao> {
    let Some(kind) = log.topics.first() else { return Ok(0) };
    if *kind == CollateralVault::CreditWithdrawn::SIGNATURE_HASH {
        let event = CollateralVault::CreditWithdrawn::decode_raw_log(log.topics.iter().copied(), &log.data)?;
        flows.entry(event.account).or_default().got_out += wei(event.amount);
    }
    if *kind == RentalEscrow::Burned::SIGNATURE_HASH {
        return Ok(RentalEscrow::Burned::decode_raw_log(log.topics.iter().copied(), &log.data)?.amount);
    }
    Ok(0)
}

/// began with − paid in + got out − gas == has now, in wei.
async fn check_balance(chain: &Chain, party: &Party, flow: &Flow) -> Result<()> {
    let has = chain.node.balance_wei(party.account).await?;
    let (plus, minus) = (wei(party.began_with_rao) + flow.got_out, flow.paid_in + flow.gas);
    ensure!(
        has + minus == plus,
        "{} has {has} wei, expected {plus} - {minus} (began with + got out - paid in - gas)",
        party.name
    );
    Ok(())
}

/// The burn account got exactly what the contracts say they burned.
async fn check_burned(chain: &Chain, burned: Rao) -> Result<Rao> {
    let ledger = BalanceTransferStandIn::new(BALANCE_TRANSFER, chain.node.provider().clone());
    let there = exact_u64(ledger.balanceOf(B256::from(BURN_ACCOUNT)).call().await?)?;
    ensure!(there == burned, "the contracts burned {burned} rao, the burn account got {there}");
    let held = chain.node.balance_wei(Account(BALANCE_TRANSFER.into_array())).await?;
    ensure!(held == wei(burned), "0x800 holds {held} wei, expected {burned} rao");
    Ok(there)
}

/// A contract has exactly what it owes and its seed: nobody of the story pays in more.
fn contract_row(sum: &Sum) -> Result<Row> {
    let (contract, owed) = (sum.contract, sum.liabilities_rao);
    let surplus = sum.surplus_wei.as_deref().with_context(|| format!("{contract} lacks money"))?;
    ensure!(surplus == "0", "{contract} has {surplus} wei that nobody paid in");
    Ok(kept_row(contract, owed + sum.seed_rao, &format!("its seed, and {owed} rao still owed")))
}

/// Every amount in the contracts is whole rao.
fn exact_rao(amount: U256) -> Result<Rao> {
    let rao = rao_floor(amount).context("more money than there is")?;
    ensure!(wei(rao) == amount, "{amount} wei is not whole rao");
    Ok(rao)
}

fn exact_u64(value: U256) -> Result<u64> {
    u64::try_from(value).map_err(|_| anyhow::anyhow!("{value} does not fit 64 bits"))
}
