//! Messages to ink! contracts: tried by the runtime without changing anything, and made into calls that can be signed.
//!
//! A message is tried first, always: that tells what it would answer, how much computing it takes and what is held back
//! for the storage it needs. What is signed is then bounded by it.

use crate::dispatch::RawDispatch;
use crate::needed::{self, Call};
use crate::node::Head;
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, Part, Runtime, arg};
use crate::ss58::AccountId;
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;
use surety_core::types::Hash32;

/// Most bytes that a message or its answer may have: ink!'s own buffer.
pub const DATA_BYTES_MAX: usize = 16 * 1024;

/// Most bytes of a node's word on a message that was tried: the answer, what the contract said in words, and events.
pub const TRIED_BYTES_MAX: usize = 1 << 20;

/// Most characters of a contract's own words that are repeated.
const WORDS_MAX: usize = 200;

/// The flag of an answer that undid all that the message did.
const REVERTED: u32 = 1;

/// Why a message was not tried, or what it met instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// The nodes, or a runtime without contracts.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// Nothing can be called there.
    #[error(
        "there is no contract at {account} on this chain: check the address, and that the nodes are of its network"
    )]
    NoContract {
        /// Where.
        account: AccountId,
    },
    /// Another program than ours.
    #[error(
        "contract code hash not as deployed: {account} runs {found}, want {want}. Do not send anything to it: it is \
         another contract, or one of another version of this program"
    )]
    OtherCode {
        /// Where.
        account: AccountId,
        /// What is there.
        found: Hash32,
        /// What we know.
        want: Hash32,
    },
    /// Computing took more than a block has.
    #[error("the message ran out of gas, though it had a whole block's: nothing was changed")]
    OutOfGas,
    /// The program stopped in the middle.
    #[error("the contract broke off{}: nothing was changed", said(.words))]
    Trapped {
        /// What it said, or nothing.
        words: String,
    },
    /// Who calls cannot pay for storage.
    #[error("{account} has too little free TAO for the deposit that the chain holds for storage: send it some")]
    NoDeposit {
        /// Who called.
        account: AccountId,
    },
    /// Another error of the chain.
    #[error("the chain refused the message: {error}{}", said(.words))]
    Refused {
        /// The chain's name for it, `Pallet.Error`.
        error: String,
        /// What the contract said, or nothing.
        words: String,
    },
    /// What the contract or the node answered has not the form it must have.
    #[error("the answer to {message} makes no sense: {why}. The contract is another one, or a majority of nodes lies")]
    Odd {
        /// Which message.
        message: String,
        /// What was odd.
        why: String,
    },
}

impl From<CodecError> for ContractError {
    fn from(error: CodecError) -> Self {
        Self::Nodes(error.into())
    }
}

/// ` (words)`, or nothing.
fn said(words: &str) -> String {
    if words.is_empty() { String::new() } else { format!(" ({words})") }
}

/// How much computing: time in picoseconds, and bytes of proof.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Gas {
    /// Picoseconds.
    pub ref_time: u64,
    /// Bytes.
    pub proof_size: u64,
}

impl Gas {
    /// A quarter more, since what a message meets in its block is not what it met when it was tried.
    pub fn with_margin(self) -> Self {
        let more = |part: u64| part.saturating_add(part / 4);
        Self { ref_time: more(self.ref_time), proof_size: more(self.proof_size) }
    }

    /// Whether neither part is more than `most` has.
    pub fn is_within(self, most: Self) -> bool {
        self.ref_time <= most.ref_time && self.proof_size <= most.proof_size
    }
}

/// A message: from whom, to which contract, with how much TAO, and its bytes (selector and arguments).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who calls.
    pub origin: AccountId,
    /// The contract.
    pub contract: AccountId,
    /// TAO that goes with it, in rao.
    pub value_rao: u64,
    /// Selector and arguments.
    pub input: Vec<u8>,
}

/// What a message would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// What it takes.
    pub gas: Gas,
    /// What the chain would hold for storage, in rao of TAO; 0 where it would give some back.
    pub deposit_rao: u64,
    /// Whether the contract would undo all that it did: it refuses.
    pub reverted: bool,
    /// What it would answer.
    pub data: Vec<u8>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawTried {
    gas_required: Gas,
    storage_deposit: RawDeposit,
    debug_message: Vec<u8>,
    result: Result<RawAnswer, RawDispatch>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
enum RawDeposit {
    Refund(#[allow(dead_code)] u64),
    Charge(u64),
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawAnswer {
    flags: u32,
    data: Vec<u8>,
}

#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct RawContract {
    code_hash: [u8; 32],
}

/// The hash of the code that a contract runs.
pub async fn code_hash(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    account: AccountId,
) -> Result<Hash32, ContractError> {
    let found: Option<RawContract> = nodes.value(runtime, at.hash, &needed::CONTRACT, &[Part::from(account)]).await?;
    found.map(|contract| Hash32(contract.code_hash)).ok_or(ContractError::NoContract { account })
}

/// What a message would do if it were in the block after `at`, by the word of a majority.
pub async fn try_message(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    message: &Message,
) -> Result<Tried, ContractError> {
    let none = || arg::optional(None);
    let (origin, dest) = (arg::bytes(&message.origin.0), arg::bytes(&message.contract.0));
    let args = vec![origin, dest, arg::number(message.value_rao), none(), none(), arg::bytes(&message.input)];
    let tried = nodes.question(runtime, at.hash, &needed::TRY_CONTRACT, args, TRIED_BYTES_MAX).await?;
    read_tried(runtime, message, tried)
}

fn read_tried(runtime: &Runtime, message: &Message, raw: RawTried) -> Result<Tried, ContractError> {
    let answer = raw.result.map_err(|error| refused(runtime, message, &error, &raw.debug_message))?;
    if answer.data.len() > DATA_BYTES_MAX {
        let why = format!("{} bytes, want at most {DATA_BYTES_MAX}", answer.data.len());
        return Err(ContractError::Odd { message: "a message".into(), why });
    }
    let deposit_rao = match raw.storage_deposit {
        RawDeposit::Charge(rao) => rao,
        RawDeposit::Refund(_) => 0,
    };
    let reverted = answer.flags & REVERTED != 0;
    Ok(Tried { gas: raw.gas_required, deposit_rao, reverted, data: answer.data })
}

fn refused(runtime: &Runtime, message: &Message, error: &RawDispatch, words: &[u8]) -> ContractError {
    let words = String::from_utf8_lossy(words).chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect();
    let error = error.name(runtime);
    match error.as_str() {
        "Contracts.ContractNotFound" => ContractError::NoContract { account: message.contract },
        "Contracts.OutOfGas" => ContractError::OutOfGas,
        "Contracts.ContractTrapped" => ContractError::Trapped { words },
        "Contracts.StorageDepositNotEnoughFunds" | "Contracts.StorageDepositLimitExhausted" => {
            ContractError::NoDeposit { account: message.origin }
        }
        _ => ContractError::Refused { error, words },
    }
}

/// What may be spent on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Computing.
    pub gas: Gas,
    /// What may be held for storage, in rao of TAO.
    pub deposit_rao: u64,
}

/// The call that sends a message, and its arguments in order.
pub fn call(message: &Message, limits: Limits) -> (&'static Call, Vec<Value>) {
    let Gas { ref_time, proof_size } = limits.gas;
    let gas = [("ref_time", arg::number(ref_time)), ("proof_size", arg::number(proof_size))];
    let dest = Value::unnamed_variant("Id", [arg::bytes(&message.contract.0)]);
    let deposit = arg::optional(Some(arg::number(limits.deposit_rao)));
    let args =
        vec![dest, arg::number(message.value_rao), Value::named_composite(gas), deposit, arg::bytes(&message.input)];
    (&needed::CALL_CONTRACT, args)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::runtime::Versions;
    use proptest::prelude::*;
    use subxt::ext::codec::{Compact, Encode};

    const METADATA: &[u8] = include_bytes!("../../../tests/vectors/subtensor-native/metadata-spec425-v15.scale");

    fn runtime() -> Runtime {
        Runtime::new(Hash32([7; 32]), Versions { spec: 425, transaction: 1 }, METADATA).unwrap()
    }

    fn message() -> Message {
        Message { origin: AccountId([1; 32]), contract: AccountId([2; 32]), value_rao: 0, input: vec![] }
    }

    /// What comes before the result: gas twice, a charge of 7 rao, no words.
    fn start() -> Vec<u8> {
        let gas = (Compact(5u64), Compact(6u64));
        (gas, gas, (1u8, 7u64), Vec::<u8>::new()).encode()
    }

    fn tried(result: &[u8]) -> Result<Tried, ContractError> {
        let bytes = [&start()[..], result, &[0]].concat();
        read_tried(&runtime(), &message(), runtime().answer(&needed::TRY_CONTRACT, &bytes)?)
    }

    #[test]
    fn what_the_chain_refuses_comes_with_its_name() {
        let module = |pallet: u8, error: u8| vec![1, 3, pallet, error, 0, 0, 0];
        let contracts = subxt::metadata::Metadata::decode_from(METADATA).unwrap();
        let contracts = contracts.pallet_by_name("Contracts").unwrap().error_index();
        let name = |result: &[u8]| tried(result).unwrap_err();
        assert_eq!(name(&module(contracts, 6)), ContractError::NoContract { account: message().contract });
        assert_eq!(name(&module(contracts, 24)), ContractError::NoDeposit { account: message().origin });
        assert_eq!(name(&module(contracts, 2)), ContractError::OutOfGas);
        let said = name(&module(contracts, 4)).to_string();
        assert!(said.contains("Contracts.TransferFailed"), "{said}");
        assert!(name(&module(contracts, 0xfe)).to_string().contains("error 254 of pallet"));
        // Kinds without a pallet: of no fields, and of one.
        assert!(name(&[1, 2]).to_string().contains("BadOrigin"));
        assert!(name(&[1, 7, 0]).to_string().contains("Token"));
    }

    #[test]
    fn an_answer_is_taken_apart_to_its_last_byte() {
        let good = tried(&[vec![0], (1u32, vec![9u8, 8]).encode()].concat()).unwrap();
        let gas = Gas { ref_time: 5, proof_size: 6 };
        assert_eq!(good, Tried { gas, deposit_rao: 7, reverted: true, data: vec![9, 8] });
        let one_more = [vec![0], (0u32, vec![9u8]).encode(), vec![0]].concat();
        assert!(tried(&one_more).unwrap_err().to_string().contains("too many"));
    }

    proptest! {
        /// Lengths that are lies, kinds that there are not, an end too early: an error, without memory for the lies.
        #[test]
        fn bytes_of_a_hostile_node_are_an_error_or_an_answer(
            from_start in 0usize..20,
            lies in proptest::collection::vec(prop_oneof![0u8..8, Just(0xfe), Just(0xff), any::<u8>()], 0..64),
        ) {
            let start = start();
            let bytes = [&start[..from_start.min(start.len())], &lies[..]].concat();
            if let Ok(raw) = runtime().answer::<RawTried>(&needed::TRY_CONTRACT, &bytes) {
                let _ = read_tried(&runtime(), &message(), raw);
            }
        }
    }
}
