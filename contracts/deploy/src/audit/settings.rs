//! Whether every parameter on chain is the recorded one, and the owner is who it should be.

use super::report::{Lines, Part};
use crate::arguments::{Arguments, account, evm};
use crate::artifacts::{Kind, Shipped, hash};
use crate::chain::At;
use crate::params::Owner;
use crate::record::DeploymentFile;
use alloy::primitives::{Address, B256, U256};
use alloy::sol_types::SolEvent;
use std::collections::{BTreeMap, BTreeSet};
use surety_client::bindings::{RentalEscrow, TimelockController};
use surety_client::provider::{MAX_LOG_BLOCKS, NodeError};
use surety_core::types::{Account, Rao};

/// GPU classes asked about beside the recorded ones: a class that somebody opened since would be among them.
const CLASSES_ASKED: u16 = 64;

/// Most pages of logs read for the timelock's roles, of [`MAX_LOG_BLOCKS`] blocks each: two years of blocks of 12 s.
const LOG_PAGES_MAX: u64 = 5_300;

/// Most accounts asked about for each role of the timelock.
const HOLDERS_MAX: usize = 1_000;

/// Every immutable by its getter, the guardian, the class bond table.
pub(super) async fn settings(at: &At, file: &DeploymentFile) -> Lines {
    let mut lines = Lines::new(Part::Settings);
    for made in &file.record.contracts {
        let (kind, before) = (made.arguments.kind(), lines.all.len());
        let immutables = made.arguments.immutables();
        for (name, wanted) in &immutables {
            match at.word(made.address, name).await {
                Ok(found) if found == *wanted => {}
                Ok(found) => lines.broken(format!("{kind}.{name} is {found} on chain, {wanted} in the record")),
                Err(error) => lines.unproved(format!("{kind}.{name} could not be read: {error}")),
            }
        }
        if !immutables.is_empty() {
            let names: Vec<&str> = immutables.iter().map(|(name, _)| *name).collect();
            lines.holds_unless_found(before, format!("{kind}: as recorded are {}", names.join(", ")));
        }
        match &made.arguments {
            Arguments::RentalEscrow(escrow) => {
                let bonds = escrow.class_bonds.iter().map(|row| (row.class, row.bond_rao)).collect();
                class_table(at, made.address, &bonds, &mut lines).await;
            }
            Arguments::CollateralVault(vault) => {
                let says = account_is(at, made.address, "guardian", vault.guardian).await;
                add(&mut lines, &format!("the guardian of {kind}"), vault.guardian, says, "the owner changed it since");
            }
            _ => {}
        }
    }
    lines
}

async fn class_table(at: &At, escrow: Account, bonds: &BTreeMap<u16, Rao>, lines: &mut Lines) {
    let before = lines.all.len();
    let classes: BTreeSet<u16> = (0..CLASSES_ASKED).chain(bonds.keys().copied()).collect();
    for class in classes {
        let wanted = bonds.get(&class).copied().unwrap_or_default();
        match at.view(escrow, &RentalEscrow::classBondCall { gpuClass: class }).await {
            Ok(found) if found == wanted => {}
            Ok(found) => lines.broken(format!(
                "RentalEscrow.classBond({class}) is {found} rao on chain, {wanted} in the record: did the owner change it?"
            )),
            Err(error) => lines.unproved(format!("RentalEscrow.classBond({class}) could not be read: {error}")),
        }
    }
    lines.holds_unless_found(before, format!("RentalEscrow: {} class bonds as recorded, no other class", bonds.len()));
}

/// The getter's account, if it is another one.
async fn account_is(at: &At, of: Account, getter: &str, wanted: Account) -> Result<Option<Account>, NodeError> {
    let found = account(Address::from_word(at.word(of, getter).await?));
    Ok((found != wanted).then_some(found))
}

fn add(lines: &mut Lines, what: &str, wanted: Account, found: Result<Option<Account>, NodeError>, if_not: &str) {
    match found {
        Ok(None) => lines.holds(format!("{what} is {wanted}")),
        Ok(Some(found)) => lines.broken(format!("{what} is {found} on chain, {wanted} in the record: {if_not}?")),
        Err(error) => lines.unproved(format!("{what} could not be read: {error}")),
    }
}

/// What the audit learned about the owner, for the table of powers.
#[derive(Debug, Default)]
pub(super) struct Holders {
    /// Who may do what with the timelock; the zero account: anybody.
    pub(super) by_role: BTreeMap<&'static str, BTreeSet<Account>>,
    /// Seconds from scheduling to executing; none: the owner is no timelock.
    pub(super) delay_secs: Option<U256>,
}

/// Owners are the recorded one, nobody is about to take over, and the owner is a timelock slow enough.
pub(super) async fn owner(at: &At, file: &DeploymentFile) -> (Lines, Holders) {
    let mut lines = Lines::new(Part::Owner);
    let mut holders = Holders::default();
    let owner = file.record.owner;
    for made in &file.record.contracts {
        let kind = made.arguments.kind();
        if !matches!(kind, Kind::AppointedKeepers | Kind::CollateralVault | Kind::RentalEscrow) {
            continue;
        }
        let found = account_is(at, made.address, "owner", owner).await;
        add(&mut lines, &format!("the owner of {kind}"), owner, found, "was it handed over");
        let zero = Account::default();
        match account_is(at, made.address, "pendingOwner", zero).await {
            Ok(None) => {}
            Ok(Some(next)) => {
                lines.broken(format!("{kind} is about to be handed over: {next} may take it at any time"))
            }
            Err(error) => lines.unproved(format!("{kind}.pendingOwner could not be read: {error}")),
        }
    }
    if matches!(file.record.parameters.owner, Owner::Account { .. }) {
        lines.note(format!("the owner {owner} is a plain account, as local chains may have it: it decides at once"));
        return (lines, holders);
    }
    if let Err(error) = timelock(at, file, &mut lines, &mut holders).await {
        lines.unproved(format!("the owner {owner} could not be asked: {error}"));
    }
    (lines, holders)
}

async fn timelock(at: &At, file: &DeploymentFile, lines: &mut Lines, holders: &mut Holders) -> Result<(), NodeError> {
    let owner = file.record.owner;
    let code = at.code(owner).await?;
    match Shipped::of(Kind::TimelockController) {
        Ok(shipped) if hash(&shipped.runtime) == hash(&code) => {
            lines.holds(format!("the owner {owner} is OpenZeppelin's TimelockController, byte for byte"));
        }
        _ => {
            lines.broken(format!(
                "the owner {owner} is not the TimelockController of this source: it may decide at once"
            ));
            return Ok(());
        }
    }
    let delay = at.view(owner, &TimelockController::getMinDelayCall {}).await?;
    holders.delay_secs = Some(delay);
    let exit = U256::from_be_bytes(at.word(file.deployment.vault.address, "EXIT_DELAY_SECS").await?.0);
    if delay < exit {
        lines.broken(format!(
            "the timelock's delay is {delay} s, under the exit delay, {exit} s: nobody can leave first"
        ));
    } else {
        lines.holds(format!("the timelock's delay is {delay} s, not under the exit delay, {exit} s"));
    }
    if let Owner::Timelock { min_delay_secs, .. } = &file.record.parameters.owner
        && delay != U256::from(*min_delay_secs)
    {
        lines.broken(format!("the timelock's delay is {delay} s on chain, {min_delay_secs} s in the record"));
    }
    roles(at, file, lines, holders).await
}

/// The roles cannot be enumerated by views: who is asked about are those of the constructor, of every log there is, and
/// whoever else the record names. A role granted later took a proposal and the delay, unless there is another admin.
async fn roles(at: &At, file: &DeploymentFile, lines: &mut Lines, holders: &mut Holders) -> Result<(), NodeError> {
    let owner = file.record.owner;
    let mut asked: BTreeSet<Account> = parties(file);
    match granted(at, file).await? {
        Some(found) => asked.extend(found),
        None => lines.unproved(
            "the timelock has too many logs, or too many blocks, to be read: who else has its roles is not known",
        ),
    }
    let ids = [
        ("admin", B256::ZERO),
        ("proposer", at.word(owner, "PROPOSER_ROLE").await?),
        ("canceller", at.word(owner, "CANCELLER_ROLE").await?),
        ("executor", at.word(owner, "EXECUTOR_ROLE").await?),
    ];
    for (name, role) in ids {
        let held = holders.by_role.entry(name).or_default();
        for who in &asked {
            let call = TimelockController::hasRoleCall { role, account: evm(who) };
            if at.view(owner, &call).await? {
                held.insert(*who);
            }
        }
    }
    let of = |name: &str| holders.by_role.get(name).cloned().unwrap_or_default();
    let others: Vec<String> = of("admin").iter().filter(|who| **who != owner).map(Account::to_string).collect();
    if others.is_empty() {
        lines.holds("nobody but the timelock itself administers its roles");
    } else {
        lines.broken(format!("{} administer the timelock's roles, without any delay", others.join(", ")));
    }
    if let Owner::Timelock { proposers, executors, .. } = &file.record.parameters.owner {
        for (name, recorded) in [("proposer", proposers), ("canceller", proposers), ("executor", executors)] {
            let recorded: BTreeSet<Account> = recorded.iter().copied().collect();
            if of(name) != recorded {
                lines.broken(format!("the timelock's {name}s are {:?} on chain, {recorded:?} in the record", of(name)));
            }
        }
    }
    let count = |name: &str| of(name).len();
    lines.note(format!(
        "the timelock has {} proposers and {} executors among the {} accounts asked about; a grant made without an \
         Ethereum transaction leaves no log (SPEC D7), and took the delay like every other",
        count("proposer"),
        count("executor"),
        asked.len()
    ));
    Ok(())
}

/// Everybody that the record names.
fn parties(file: &DeploymentFile) -> BTreeSet<Account> {
    let record = &file.record;
    let p = &record.parameters;
    let mut all = BTreeSet::from([Account::default(), record.deployer, record.owner, p.treasury, p.judge, p.guardian]);
    all.extend(record.contracts.iter().map(|made| made.address));
    if let Owner::Timelock { proposers, executors, .. } = &p.owner {
        all.extend(proposers.iter().chain(executors));
    }
    all
}

/// Everybody whom a log of the timelock gives or takes a role. None: there are too many blocks to read.
async fn granted(at: &At, file: &DeploymentFile) -> Result<Option<BTreeSet<Account>>, NodeError> {
    let mut found = BTreeSet::new();
    let mut from = file.record.made(Kind::TimelockController).map_or(0, |made| made.block);
    if at.block.saturating_sub(from) / MAX_LOG_BLOCKS >= LOG_PAGES_MAX {
        return Ok(None);
    }
    let events = [TimelockController::RoleGranted::SIGNATURE_HASH, TimelockController::RoleRevoked::SIGNATURE_HASH];
    while from <= at.block {
        let to = at.block.min(from.saturating_add(MAX_LOG_BLOCKS - 1));
        for log in at.node.logs(vec![evm(&file.record.owner)], from, to).await? {
            let topics = log.topics();
            if let [event, _, who, ..] = topics
                && events.contains(event)
            {
                found.insert(account(Address::from_word(*who)));
            }
        }
        if found.len() > HOLDERS_MAX {
            return Ok(None);
        }
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    Ok(Some(found))
}
