//! Which cards a rented machine says it has: asked of its agent in a session like that of a measurement, answered under
//! the machine's own signature. Nothing here is a fault: what is no signed statement is no answer.

use super::measure::{log_in, unreached};
use super::pinned::{self, Bounds};
use super::{KeeperKey, SshLimits, bounded};
use ed25519_dalek::{Signature, VerifyingKey};
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use surety_core::cards::{CardsStatement, QUESTION_MAGIC, message};
use surety_core::input::InventoryOutcome;
use surety_core::types::{Account, Endpoint, Hash32, MachineId};
use tokio::time::{Instant, timeout, timeout_at};

/// What to ask.
#[derive(Clone, Debug)]
pub struct InventoryTarget {
    /// Where.
    pub endpoint: Endpoint,
    /// The host key it must present, and sign with.
    pub machine: MachineId,
    /// The account the agent lets keepers into.
    pub keeper_user: String,
    /// The chain the machine is registered on.
    pub chain_id: u64,
    /// Who asks.
    pub keeper: Account,
    /// The question; the machine signs it.
    pub nonce: Hash32,
}

/// Bytes of an answer: sixteen names of 64 letters, a signature, and what JSON adds.
const ANSWER_BYTES_MAX: usize = 4 * 1024;

/// One question, over within the time of a log-in and of a look.
pub async fn ask(target: &InventoryTarget, key: &KeeperKey, limits: &SshLimits) -> InventoryOutcome {
    let deadline = Instant::now() + limits.probe_deadline + limits.login_deadline;
    let bounds = Bounds { deadline, bytes_max: limits.probe_bytes_max, keep_max: 0 };
    let mut machine = match pinned::open(target.endpoint, target.machine, limits, bounds).await {
        Ok(machine) => machine,
        Err(seen) => return unmeasured(&unreached(&seen)),
    };
    let stated = match timeout(limits.login_deadline, log_in(&mut machine, &target.keeper_user, key)).await {
        Ok(Ok(channel)) => match timeout_at(deadline, converse(channel, target)).await {
            Ok(answer) => answer.and_then(|answer| check(&answer, target)),
            Err(_) => Err("no answer within the time of a question".to_owned()),
        },
        Ok(Err(why)) => Err(why),
        Err(_) => Err("no session within the time for a log-in".to_owned()),
    };
    machine.leave().await;
    stated.map_or_else(|why| unmeasured(&why), |statement| InventoryOutcome::Stated { statement })
}

/// Puts the question and reads one line.
async fn converse(mut channel: Channel<Msg>, target: &InventoryTarget) -> Result<Vec<u8>, String> {
    let question = [&QUESTION_MAGIC[..], &target.nonce.0].concat();
    channel.data_bytes(question).await.map_err(|error| format!("the question was not sent: {error}"))?;
    let mut answer = Vec::new();
    while let Some(heard) = channel.wait().await {
        match heard {
            ChannelMsg::Data { data } => answer.extend_from_slice(&data),
            ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure => break,
            _ => {}
        }
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        if let Some(end) = answer.iter().position(|byte| *byte == b'\n') {
            answer.truncate(end);
            return Ok(answer);
        }
    }
    Err("the session ended before an answer: the agent does not know the question, or is busy".to_owned())
}

/// The statement, if this machine signed it in answer to this question.
pub(super) fn check(answer: &[u8], target: &InventoryTarget) -> Result<CardsStatement, String> {
    let statement: CardsStatement =
        serde_json::from_slice(answer).map_err(|error| format!("the answer is no statement about cards: {error}"))?;
    if !statement.is_well_formed() {
        return Err("the answer names too many cards, one twice, or none that has a name".to_owned());
    }
    let signed = is_signed(&statement, target.chain_id, &target.machine, &target.keeper, &target.nonce);
    if signed { Ok(statement) } else { Err("the answer is not signed by the machine's host key".to_owned()) }
}

/// Whether the machine's host key signed exactly this answer to this question of this keeper.
pub fn is_signed(
    statement: &CardsStatement,
    chain_id: u64,
    machine: &MachineId,
    keeper: &Account,
    nonce: &Hash32,
) -> bool {
    let CardsStatement { registration, cards, signature } = statement;
    let said = message(chain_id, machine, keeper, nonce, *registration, cards);
    let signature = Signature::from_bytes(&signature.0);
    VerifyingKey::from_bytes(&machine.0).is_ok_and(|key| key.verify_strict(&said, &signature).is_ok())
}

fn unmeasured(why: &str) -> InventoryOutcome {
    InventoryOutcome::Unmeasured { why: bounded(why) }
}
