//! Who can do what: SPEC sections 2 and 12 with the names filled in.

use super::report::{Line, Lines, Part, Power};
use super::settings::Holders;
use crate::artifacts::Kind;
use crate::chain::At;
use crate::params::Keepers;
use crate::record::DeploymentFile;
use alloy::primitives::U256;
use surety_client::bindings::AppointedKeepers;
use surety_client::provider::NodeError;
use surety_core::types::Account;

/// `AppointedKeepers.MAX_KEEPERS`.
const KEEPERS_MAX: u64 = 256;

/// The table, and what was found on the way.
pub(super) async fn powers(at: &At, file: &DeploymentFile, holders: &Holders) -> (Vec<Power>, Vec<Line>) {
    let mut lines = Lines::new(Part::Chain);
    let mut all = owner_and_timelock(file, holders);
    let p = &file.record.parameters;
    all.push(power("guardian", p.guardian, if p.guardian == Account::default() { "nobody" } else { "" }, GUARDIAN));
    all.push(power("judge", p.judge, &what(at, p.judge).await, JUDGE));
    all.push(power("treasury", p.treasury, &format!("{} bps of pay", p.shares.fee_bps), TREASURY));
    match keepers(at, file).await {
        Ok(found) => all.extend(found),
        Err(error) => lines.unproved(format!("the keepers could not be read: {error}")),
    }
    let siblings = [(Kind::Arbiter, ARBITER), (Kind::RentalEscrow, ESCROW), (Kind::RentalBids, BIDS)];
    for (kind, can) in siblings {
        if let Some(made) = file.record.made(kind) {
            all.push(power(kind.name(), made.address, "immutable, no proxy", can));
        }
    }
    all.push(power("deployer", file.record.deployer, "", "nothing more, unless it is named above"));
    all.push(Power { role: "anybody", who: None, is: String::new(), can: ANYBODY });
    gate(at, file, &mut lines).await;
    (all, lines.all)
}

const OWNER: &str = "sets class bonds (new business only); names the guardian; may end new business for good (sunset); \
                     with AppointedKeepers appoints and dismisses keepers. Moves nobody's money";
const GUARDIAN: &str = "stops new business for at most 7 days, not again within 30; nothing that lets somebody out";
const JUDGE: &str = "upholds or overturns appealed cases in time; its silence upholds. Nothing else, and gains nothing";
const TREASURY: &str = "is credited with the fee; decides nothing";
const KEEPER: &str = "one signature of a quorum: certifies machines, attests outages. Alone changes nothing";
const ARBITER: &str =
    "withholds and decides rent in the Escrow; sets bond aside, burns it or gives it back in the Vault";
const ESCROW: &str = "binds and releases bond in the Vault, and burns what abandoning costs; pays nobody from there";
const BIDS: &str = "rents for those who posted wishes, with their own money";
const ANYBODY: &str = "registers, offers, rents, claims, closes, files what a quorum signed, executes, pays out credit to its \
                       owner, burns what is to be burned, sweeps surplus into the burn";

fn power(role: &'static str, who: Account, is: &str, can: &'static str) -> Power {
    Power { role, who: Some(who), is: is.to_owned(), can }
}

fn owner_and_timelock(file: &DeploymentFile, holders: &Holders) -> Vec<Power> {
    let delay = holders.delay_secs.map_or_else(
        || "decides at once".to_owned(),
        |secs: U256| format!("a timelock: everything waits {secs} s in public first"),
    );
    let mut all = vec![power("owner", file.record.owner, &delay, OWNER)];
    let roles = [
        ("admin", "administers the timelock's roles"),
        ("proposer", "proposes what the owner does"),
        ("canceller", "cancels what was proposed"),
        ("executor", "executes what has waited long enough"),
    ];
    for (role, can) in roles {
        for who in holders.by_role.get(role).into_iter().flatten() {
            let anybody = *who == Account::default();
            let is = if *who == file.record.owner { "the timelock itself, so after its delay" } else { "" };
            all.push(Power { role, who: (!anybody).then_some(*who), is: is.to_owned(), can });
        }
    }
    all
}

/// An account or a contract, as far as code tells (SPEC D17).
async fn what(at: &At, who: Account) -> String {
    match at.code(who).await {
        Ok(code) if code.is_empty() => "no contract: one key".into(),
        Ok(code) => format!("a contract of {} bytes", code.len()),
        Err(_) => "unknown".into(),
    }
}

async fn keepers(at: &At, file: &DeploymentFile) -> Result<Vec<Power>, NodeError> {
    // The views are `IKeeperSet`'s, whichever set it is.
    let set = file.deployment.keepers.address;
    let count = at.view(set, &AppointedKeepers::keeperCountCall {}).await?;
    let mut found = Vec::new();
    for index in 0..count.saturating_to::<u64>().min(KEEPERS_MAX) {
        let keeper = at.view(set, &AppointedKeepers::keeperAtCall { index: U256::from(index) }).await?;
        if keeper.active {
            let is = format!("weight {}", keeper.weight);
            found.push(power("keeper", crate::arguments::account(keeper.account), &is, KEEPER));
        }
    }
    if found.is_empty() {
        let is = match file.record.parameters.keepers {
            Keepers::Appointed {} => "none yet: the owner appoints them",
            Keepers::VotingPower { .. } => "none yet: validators join",
        };
        found.push(Power { role: "keeper", who: Some(set), is: format!("(the set) {is}"), can: KEEPER });
    }
    Ok(found)
}

async fn gate(at: &At, file: &DeploymentFile, lines: &mut Lines) {
    use surety_client::bindings::CollateralVault;
    match at.view(file.deployment.vault.address, &CollateralVault::gateCall {}).await {
        Ok(gate) if gate.isSunset => lines.note("closed to new business for good (sunset); everybody gets out"),
        Ok(gate) if gate.pausedUntil != 0 => {
            lines.note(format!("the current or last pause of new business ends at {}", gate.pausedUntil));
        }
        Ok(_) => lines.note("open to new business, never paused"),
        Err(error) => lines.unproved(format!("the gate could not be read: {error}")),
    }
}
