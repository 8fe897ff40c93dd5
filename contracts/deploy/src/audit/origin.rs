//! Whether the record agrees with itself, the code on chain with the record, and the creation with both.

use super::report::{Lines, Part};
use crate::artifacts::{Compiler, Kind, Shipped};
use crate::chain::{self, At, SentTransaction};
use crate::plan::Plan;
use crate::record::{DeploymentFile, Made};
use alloy::primitives::Bytes;
use serde::Serialize;
use serde_json::Value;
use surety_client::deployment::Contract;
use surety_client::units::wei;

/// Everything in the record follows from its parameters, its deployer and the first nonce.
pub(super) fn record(file: &DeploymentFile) -> Lines {
    let mut lines = Lines::new(Part::Record);
    let record = &file.record;
    for wrong in record.parameters.wrong(record.network) {
        lines.broken(format!("parameters that would be refused: {wrong}"));
    }
    if record.compiler != Compiler::shipped() {
        let differs = differing(&record.compiler, &Compiler::shipped()).join(", ");
        lines.broken(format!("made with another compiler or other settings than this version's: {differs}"));
    }
    let first = record.contracts.first().map_or(0, |made| made.nonce);
    let plan = match Plan::new(&record.parameters, record.deployer, first) {
        Ok(plan) => plan,
        Err(error) => {
            lines.broken(error.to_string());
            return lines;
        }
    };
    if plan.steps.len() != record.contracts.len() {
        let (has, wants) = (record.contracts.len(), plan.steps.len());
        lines.broken(format!("{has} contracts are recorded, these parameters make {wants}"));
    }
    for (step, made) in plan.steps.iter().zip(&record.contracts) {
        let kind = step.kind;
        for field in differing(&made.arguments, &step.arguments) {
            lines.broken(format!("{kind}: the argument {field} is not what the parameters make it"));
        }
        let agrees = [
            ("address", made.address == step.address),
            ("nonce", made.nonce == step.nonce),
            ("initcode_hash", made.initcode_hash == step.initcode_hash()),
            ("code_hash", made.code_hash == step.code_hash()),
        ];
        for (field, _) in agrees.into_iter().filter(|(_, agrees)| !agrees) {
            lines.broken(format!("{kind}: {field} is not what parameters, deployer and nonce make it"));
        }
    }
    top(file, &plan, &mut lines);
    let says = format!("{} contracts follow from parameters, deployer and nonces", record.contracts.len());
    lines.holds_unless_found(0, says);
    lines
}

/// What keepers and agents read agrees with what the audit reads.
fn top(file: &DeploymentFile, plan: &Plan, lines: &mut Lines) {
    let of = |kinds: &[Kind]| {
        let step = kinds.iter().find_map(|kind| plan.step(*kind));
        step.map(|step| Contract { address: step.address, code_hash: step.code_hash() })
    };
    let agrees = [
        ("chain_id", file.deployment.chain_id == file.record.network.chain_id()),
        ("netuid", file.deployment.netuid == plan.params.netuid),
        ("times", file.deployment.times == plan.params.windows.times()),
        ("record.owner", file.record.owner == plan.owner),
        ("keepers", Some(file.deployment.keepers) == of(&[Kind::AppointedKeepers, Kind::VotingPowerKeepers])),
        ("vault", Some(file.deployment.vault) == of(&[Kind::CollateralVault])),
        ("escrow", Some(file.deployment.escrow) == of(&[Kind::RentalEscrow])),
        ("arbiter", Some(file.deployment.arbiter) == of(&[Kind::Arbiter])),
        ("bids", Some(file.deployment.bids) == of(&[Kind::RentalBids])),
    ];
    for (field, _) in agrees.into_iter().filter(|(_, agrees)| !agrees) {
        lines.broken(format!("{field} is not what the parameters make it: keepers and agents would read that"));
    }
}

/// The code at every address is this source's, with the recorded arguments as its immutables.
pub(super) async fn code(at: &At, file: &DeploymentFile) -> Lines {
    let mut lines = Lines::new(Part::Code);
    for made in &file.record.contracts {
        let kind = made.arguments.kind();
        let there = match at.code(made.address).await {
            Ok(code) => code,
            Err(error) => {
                lines.unproved(format!("{kind}: the code at {} could not be read: {error}", made.address));
                continue;
            }
        };
        match compare(made, &there) {
            Ok(()) => lines.holds(format!(
                "{kind} at {}: {} bytes, each as compiled from this source with the recorded arguments",
                made.address,
                there.len()
            )),
            Err(why) => lines.broken(format!("{kind} at {}: {why}", made.address)),
        }
    }
    lines
}

fn compare(made: &Made, there: &[u8]) -> Result<(), String> {
    let shipped = Shipped::of(made.arguments.kind()).map_err(|error| error.to_string())?;
    let wanted = shipped.runtime_with(&made.arguments.immutables()).map_err(|error| error.to_string())?;
    if there.is_empty() {
        return Err("there is no code".into());
    }
    if there.len() != wanted.len() {
        return Err(format!("the code has {} bytes, this source makes {}", there.len(), wanted.len()));
    }
    let differ: Vec<usize> = (0..wanted.len()).filter(|index| there.get(*index) != wanted.get(*index)).collect();
    let Some(first) = differ.first() else { return Ok(()) };
    let byte = |code: &[u8]| code.get(*first).copied().unwrap_or_default();
    let inside = shipped.immutable_at(*first).map_or(String::new(), |name| format!(", in the immutable {name}"));
    Err(format!(
        "{} bytes of the code are not this source's; the first is byte {first}, 0x{:02x}, expected 0x{:02x}{inside}",
        differ.len(),
        byte(there),
        byte(&wanted)
    ))
}

/// The transaction that created each contract ran this source's constructor and nothing else: otherwise storage could
/// hold what no constructor of ours would have written, such as somebody's credit.
pub(super) async fn creation(at: &At, file: &DeploymentFile) -> Lines {
    let mut lines = Lines::new(Part::Creation);
    let mut proved = 0;
    for made in &file.record.contracts {
        let kind = made.arguments.kind();
        match chain::transaction(&at.node, made.transaction).await {
            Err(error) => lines.unproved(format!("{kind}: its transaction could not be read: {error}")),
            Ok(None) => lines.unproved(format!(
                "{kind}: the node does not know transaction {}: ask one that keeps all blocks (an archive node)",
                made.transaction
            )),
            Ok(Some(sent)) => match (created(file, made, &sent), mined(at, made).await) {
                (Ok(()), Ok(())) => proved += 1,
                (Err(why), _) | (_, Err(why)) => {
                    lines.broken(format!("{kind}: transaction {} {why}", made.transaction));
                }
            },
        }
    }
    lines.holds_unless_found(
        0,
        format!("{proved} transactions ran this source's creation code with the recorded arguments"),
    );
    lines
}

/// It succeeded, in the recorded block, and made the contract at the recorded address.
async fn mined(at: &At, made: &Made) -> Result<(), String> {
    let receipt = at.node.receipt(made.transaction).await.map_err(|error| format!("has no receipt: {error}"))?;
    let Some(receipt) = receipt else { return Err("has no receipt".into()) };
    if !receipt.succeeded() {
        return Err("failed".into());
    }
    if receipt.contract_address.is_none_or(|address| address.0.0 != made.address.0) {
        return Err(format!("created {:?}, not {}", receipt.contract_address, made.address));
    }
    match receipt.block_number.map(|number| number.to::<u64>()) {
        Some(block) if block == made.block => Ok(()),
        block => Err(format!("is in block {block:?}, not in block {}", made.block)),
    }
}

fn created(file: &DeploymentFile, made: &Made, sent: &SentTransaction) -> Result<(), String> {
    let shipped = Shipped::of(made.arguments.kind()).map_err(|error| error.to_string())?;
    let initcode: Bytes = shipped.initcode(&made.arguments.encode());
    if sent.from.0.0 != file.record.deployer.0 {
        return Err(format!("is of {}, not of the deployer", sent.from));
    }
    if sent.nonce.to::<u64>() != made.nonce {
        return Err(format!("has nonce {}, not {}", sent.nonce, made.nonce));
    }
    if sent.value != wei(made.arguments.seed_rao()) {
        return Err(format!("paid {} wei, not the seed", sent.value));
    }
    if sent.input != initcode {
        return Err("ran other creation code, or other arguments".into());
    }
    Ok(())
}

/// Names of the fields in which two records of one shape differ.
fn differing<T: Serialize>(a: &T, b: &T) -> Vec<String> {
    let fields = |value: &T| match serde_json::to_value(value) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (a, b) = (fields(a), fields(b));
    let differs = |key: &&String| a.get(*key) != b.get(*key);
    let mut names: Vec<String> = a.keys().chain(b.keys()).filter(differs).cloned().collect();
    names.sort();
    names.dedup();
    names
}
