//! Every record of the contracts, by views, at one block.

use crate::arguments::{account, evm};
use crate::chain::{At, odd};
use crate::record::DeploymentFile;
use alloy::primitives::U256;
use alloy::sol_types::SolCall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use surety_client::bindings::bids::RentalBids;
use surety_client::bindings::{Arbiter, CollateralVault, RentalEscrow};
use surety_client::provider::NodeError;
use surety_core::types::{Account, Rao};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::AuditError;

/// A node, as registered, with what backs its rentals by the vault's other view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(missing_docs)] // `ICollateralVault.NodeView`
pub(super) struct Node {
    pub(super) miner: Account,
    pub(super) free_rao: Rao,
    pub(super) reserved_rao: Rao,
    pub(super) held_rao: Rao,
    pub(super) exiting_rao: Rao,
    pub(super) open_rentals: Vec<u64>,
    pub(super) backing_rao: Vec<Rao>,
    pub(super) retired: bool,
}

/// A rental and its faults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rental {
    pub(super) renter: Account,
    pub(super) price_rao: u64,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) bought_secs: u32,
    pub(super) claimed_secs: u32,
    pub(super) faulted_secs: u32,
    pub(super) open_secs: u32,
    pub(super) registration: u32,
    pub(super) closed: bool,
    pub(super) fault_count: u8,
    pub(super) faults: Vec<Fault>,
}

/// An interval without service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) from: u32,
    pub(super) until: u32,
    pub(super) case: u64,
}

/// A case, and the bond of its appeal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) status: u8,
    pub(super) rental: u64,
    pub(super) registration: u32,
    pub(super) withheld_secs: u32,
    pub(super) penalty_rao: Rao,
    pub(super) appeal_rao: Rao,
}

/// A wish.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bid {
    pub(super) renter: Account,
    pub(super) open: bool,
    pub(super) max_price_rao: u64,
    pub(super) duration_secs: u32,
}

/// What a contract says of its own books.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Books {
    pub(super) balance_wei: U256,
    pub(super) liabilities_rao: Rao,
    pub(super) to_burn_rao: Rao,
    /// Of everybody that any record names.
    pub(super) credit_rao: BTreeMap<Account, Rao>,
}

/// All of it. Index 0 of each list is number 1 of the contract.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    pub(super) nodes: Vec<Node>,
    pub(super) rentals: Vec<Rental>,
    pub(super) cases: Vec<Case>,
    pub(super) bids: Vec<Bid>,
    pub(super) vault: Books,
    pub(super) escrow: Books,
    pub(super) arbiter: Books,
    pub(super) wishes: Books,
}

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) records: u64,
    pub(super) at_once: usize,
}

/// Reads everything.
pub(super) async fn snapshot(at: &At, file: &DeploymentFile, limits: Limits) -> Result<Snapshot, AuditError> {
    let (vault, escrow) = (file.deployment.vault.address, file.deployment.escrow.address);
    let (arbiter, bids) = (file.deployment.arbiter.address, file.deployment.bids.address);
    let counts = [
        ("nodes", at.view(vault, &CollateralVault::registrationCountCall {}).await?.into()),
        ("rentals", at.view(escrow, &RentalEscrow::rentalCountCall {}).await?),
        ("cases", at.view(arbiter, &Arbiter::caseCountCall {}).await?),
        ("bids", at.view(bids, &RentalBids::bidCountCall {}).await?),
    ];
    for (what, count) in counts {
        if count > limits.records {
            return Err(AuditError::TooMany { what, count, max: limits.records });
        }
    }
    let [(_, nodes), (_, rentals), (_, cases), (_, wishes)] = counts;
    let mut all = Snapshot {
        nodes: each(at, nodes, limits, move |at, id| async move { node(&at, vault, id).await }).await?,
        rentals: each(at, rentals, limits, move |at, id| async move { rental(&at, escrow, id).await }).await?,
        cases: each(at, cases, limits, move |at, id| async move { case(&at, arbiter, id).await }).await?,
        bids: each(at, wishes, limits, move |at, id| async move { bid(&at, bids, id).await }).await?,
        ..Snapshot::default()
    };
    let everybody = everybody(&all, file);
    all.vault = books(at, vault, &everybody, limits).await?;
    all.escrow = books(at, escrow, &everybody, limits).await?;
    all.arbiter = books(at, arbiter, &everybody, limits).await?;
    all.wishes = books(at, bids, &everybody, limits).await?;
    Ok(all)
}

/// Everybody that a record or a parameter names: nobody else can have credit.
fn everybody(all: &Snapshot, file: &DeploymentFile) -> Arc<Vec<Account>> {
    let p = &file.record.parameters;
    let mut found = BTreeSet::from([p.treasury, p.judge, p.guardian, file.record.owner, file.record.deployer]);
    found.extend(all.nodes.iter().map(|node| node.miner));
    found.extend(all.rentals.iter().map(|rental| rental.renter));
    found.extend(all.bids.iter().map(|bid| bid.renter));
    Arc::new(found.into_iter().collect())
}

/// Numbers 1 to `count`, some at once, in order.
async fn each<T, F, Fut>(at: &At, count: u64, limits: Limits, read: F) -> Result<Vec<T>, AuditError>
where
    T: Send + 'static,
    F: Fn(At, u64) -> Fut,
    Fut: Future<Output = Result<T, NodeError>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(limits.at_once));
    let mut reading = JoinSet::new();
    let mut found = BTreeMap::new();
    for id in 1..=count {
        // Only as many wait as are read at once: the set stays small however many there are.
        while reading.len() >= limits.at_once {
            take(&mut reading, &mut found).await?;
        }
        let (turns, work) = (turns.clone(), read(at.clone(), id));
        reading.spawn(async move {
            let _turn = turns.acquire_owned().await;
            (id, work.await)
        });
    }
    while !reading.is_empty() {
        take(&mut reading, &mut found).await?;
    }
    Ok(found.into_values().collect())
}

async fn take<T: 'static>(
    reading: &mut JoinSet<(u64, Result<T, NodeError>)>,
    found: &mut BTreeMap<u64, T>,
) -> Result<(), AuditError> {
    if let Some(done) = reading.join_next().await {
        let (id, read) = done.map_err(|error| odd("eth_call", error.to_string()))?;
        found.insert(id, read?);
    }
    Ok(())
}

async fn node(at: &At, vault: Account, id: u64) -> Result<Node, NodeError> {
    let registration = u32::try_from(id).map_err(|_| odd("nodeAt", format!("registration {id}")))?;
    let v = at.view(vault, &CollateralVault::nodeAtCall { registration }).await?;
    let open_rentals: Vec<u64> = [v.firstRental, v.secondRental].into_iter().filter(|rental| *rental != 0).collect();
    let mut backing_rao = Vec::new();
    for rental in &open_rentals {
        let call = CollateralVault::reservedForCall { registration, rental: *rental };
        backing_rao.push(at.view(vault, &call).await?);
    }
    Ok(Node {
        miner: account(v.miner),
        free_rao: v.free,
        reserved_rao: v.reserved,
        held_rao: v.held,
        exiting_rao: v.exiting,
        open_rentals,
        backing_rao,
        retired: v.retired,
    })
}

async fn rental(at: &At, escrow: Account, rental: u64) -> Result<Rental, NodeError> {
    let r = at.view(escrow, &RentalEscrow::rentalAtCall { rental }).await?.r;
    let faults = match r.faultCount {
        0 => vec![],
        _ => at.view(escrow, &RentalEscrow::faultsOfCall { rental }).await?,
    };
    Ok(Rental {
        renter: account(r.renter),
        price_rao: r.price.to(),
        start: r.start,
        end: r.end,
        bought_secs: r.boughtSecs,
        claimed_secs: r.claimedSecs,
        faulted_secs: r.faultedSecs,
        open_secs: r.openSecs,
        registration: r.registration,
        closed: r.closed,
        fault_count: r.faultCount,
        faults: faults.iter().map(|f| Fault { from: f.from, until: f.until, case: f.caseId }).collect(),
    })
}

async fn case(at: &At, arbiter: Account, id: u64) -> Result<Case, NodeError> {
    let c = at.view(arbiter, &Arbiter::caseAtCall { caseId: id }).await?;
    let appeal = at.view(arbiter, &Arbiter::appealOfCall { caseId: id }).await?;
    Ok(Case {
        status: c.status,
        rental: c.rental,
        registration: c.registration,
        withheld_secs: c.withheldSecs,
        penalty_rao: c.penalty,
        appeal_rao: appeal.bond,
    })
}

async fn bid(at: &At, bids: Account, bid: u64) -> Result<Bid, NodeError> {
    const OPEN: u8 = 1;
    let b = at.view(bids, &RentalBids::bidAtCall { bid }).await?;
    Ok(Bid {
        renter: account(b.renter),
        open: b.status == OPEN,
        max_price_rao: b.maxPrice.to(),
        duration_secs: b.durationSecs,
    })
}

/// The four contracts' own views of their books are one interface, `IRaoLedger`.
async fn books(at: &At, of: Account, everybody: &Arc<Vec<Account>>, limits: Limits) -> Result<Books, AuditError> {
    let names = everybody.clone();
    let count = u64::try_from(everybody.len()).unwrap_or(u64::MAX);
    let credit = each(at, count, limits, move |at, id| {
        let who = usize::try_from(id - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or_default();
        async move { Ok((who, at.view(of, &CollateralVault::creditOfCall { account: evm(&who) }).await?)) }
    });
    Ok(Books {
        credit_rao: credit.await?.into_iter().collect(),
        balance_wei: at.balance_wei(of).await?,
        liabilities_rao: one(at, of, &CollateralVault::liabilitiesCall {}).await?,
        to_burn_rao: one(at, of, &CollateralVault::toBurnCall {}).await?,
    })
}

async fn one<C: SolCall<Return = Rao>>(at: &At, of: Account, call: &C) -> Result<Rao, NodeError> {
    at.view(of, call).await
}
