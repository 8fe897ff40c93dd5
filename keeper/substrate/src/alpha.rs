//! AlphaVault from here: its messages and views, typed, and read at a final block by a majority of nodes.
//!
//! The vault is `contracts/ink`, described in section 19 of `contracts/SPEC.md`. Nothing of it is believed before its
//! code is known to be ours: an [`AlphaVault`] exists only where the code's hash is [`CODE_HASH`]. A view is a message
//! that is tried and never sent ([`crate::contracts`]).
//!
//! - [`message`]: what it is asked and told;
//! - [`types`]: what it answers;
//! - [`refusal`]: why it refuses, in its own names;
//! - [`events`]: what it says happened.
//!
//! A test compares every name, selector, argument, answer and event with `contracts/ink/artifacts/alpha_vault.json`.

pub mod events;
pub mod message;
pub mod refusal;
#[cfg(test)]
mod tests;
pub mod types;

use crate::contracts::{self, ContractError, Message, Tried};
use crate::node::Head;
use crate::nodes::Nodes;
use crate::runtime::Runtime;
use crate::ss58::AccountId;
use message::{
    BondAt, BondNumber, Books as AskBooks, CaseAt, Config as AskConfig, CreditOf, Deed, JudgedBy, Roll as AskRoll,
    Stateable as AskStateable, View,
};
use refusal::Refusal;
use std::ops::RangeInclusive;
use surety_core::types::Hash32;
use types::{Bond, Books, Case, Config, LangError, Roll, Stateable};

/// The hash of the committed contract's code, `source.hash` of `contracts/ink/artifacts/alpha_vault.json`.
pub const CODE_HASH: Hash32 = Hash32([
    0x71, 0x74, 0x4e, 0x3e, 0xe9, 0xdb, 0xcc, 0x28, 0xa1, 0xf9, 0x42, 0xa9, 0xcd, 0x7c, 0xf1, 0x57, 0x3c, 0x60, 0x38,
    0xb4, 0xe4, 0x5a, 0xe5, 0x98, 0x5a, 0x9f, 0xa4, 0xc6, 0x77, 0x67, 0xc0, 0x3f,
]);

/// Most cases that are read at once: each is a question of its own.
pub const CASES_AT_ONCE: usize = 64;

/// Most keepers a roll may have, as the vault takes them.
const KEEPERS_MAX: usize = 64;

/// Why something was not read or would not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AlphaError {
    /// The nodes, the chain or the contract.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The vault refuses, by its own name for it.
    #[error("the vault refuses: {0}")]
    Refused(Refusal),
}

impl From<Refusal> for AlphaError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What a message would do: what the vault would answer, and what it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Would<T> {
    /// The answer.
    pub answer: T,
    /// Gas, and the deposit for storage.
    pub tried: Tried,
}

/// A vault with our code, at one final block.
#[derive(Debug, Clone, Copy)]
pub struct AlphaVault<'a> {
    nodes: &'a Nodes,
    runtime: &'a Runtime,
    at: Head,
    account: AccountId,
}

impl<'a> AlphaVault<'a> {
    /// The vault at `account`.
    ///
    /// # Errors
    /// `NoContract`, `OtherCode`, or the nodes'; a runtime without contracts is named as lacking them.
    pub async fn open(
        nodes: &'a Nodes,
        runtime: &'a Runtime,
        at: Head,
        account: AccountId,
    ) -> Result<Self, ContractError> {
        let found = contracts::code_hash(nodes, runtime, at, account).await?;
        if found != CODE_HASH {
            return Err(ContractError::OtherCode { account, found, want: CODE_HASH });
        }
        Ok(Self { nodes, runtime, at, account })
    }

    /// The block it is read at.
    pub fn at(&self) -> Head {
        self.at
    }

    /// The vault's account.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// What the vault was made with.
    pub async fn config(&self) -> Result<Config, ContractError> {
        self.view(&AskConfig {}).await
    }

    /// The totals.
    pub async fn books(&self) -> Result<Books, ContractError> {
        self.view(&AskBooks {}).await
    }

    /// Who speaks for the keepers.
    pub async fn roll(&self) -> Result<Roll, ContractError> {
        let roll = self.view(&AskRoll {}).await?;
        if roll.keepers.len() > KEEPERS_MAX || roll.keepers.len() != roll.weights.len() {
            let why = format!("{} keepers with {} weights", roll.keepers.len(), roll.weights.len());
            return Err(odd("roll", why));
        }
        Ok(roll)
    }

    /// The bond of a coldkey for a machine, with its number.
    pub async fn bond(&self, owner: AccountId, machine: [u8; 32]) -> Result<Option<(u32, Bond)>, ContractError> {
        let Some(number) = self.view(&BondNumber { owner, machine }).await? else { return Ok(None) };
        let bond = self.bond_at(number).await?.ok_or_else(|| odd("bond_at", format!("no bond {number}")))?;
        if (bond.bond.owner, bond.bond.machine) != (owner, machine) {
            return Err(odd("bond_at", "another bond than asked for".into()));
        }
        Ok(Some((number, bond)))
    }

    /// A bond by its number, from 1 to `books().bonds`.
    pub async fn bond_at(&self, number: u32) -> Result<Option<Bond>, ContractError> {
        self.view(&BondAt { number }).await
    }

    /// A case by its number, from 1 to `books().cases`.
    pub async fn case_at(&self, number: u32) -> Result<Option<Case>, ContractError> {
        self.view(&CaseAt { number }).await
    }

    /// Cases by their numbers, at most [`CASES_AT_ONCE`] of them, the first first.
    pub async fn cases(&self, numbers: RangeInclusive<u32>) -> Result<Vec<(u32, Case)>, ContractError> {
        let mut cases = Vec::new();
        for number in numbers.take(CASES_AT_ONCE) {
            match self.case_at(number).await? {
                Some(case) => cases.push((number, case)),
                None => break,
            }
        }
        Ok(cases)
    }

    /// What keepers may state about a bond at this block.
    pub async fn stateable(&self, owner: AccountId, machine: [u8; 32]) -> Result<Stateable, ContractError> {
        self.view(&AskStateable { owner, machine }).await
    }

    /// The case by which the bond `number` answered for a case of the Arbiter.
    pub async fn judged_by(&self, case_id: u64, bond: u32) -> Result<Option<u32>, ContractError> {
        self.view(&JudgedBy { case_id, bond }).await
    }

    /// What an account can have paid out, in rao of TAO.
    pub async fn credit_of(&self, account: AccountId) -> Result<u64, ContractError> {
        self.view(&CreditOf { account }).await
    }

    /// Asks for a view.
    async fn view<V: View>(&self, view: &V) -> Result<V::Answer, ContractError> {
        // Whoever asks: a view does not look.
        let tried = self.try_input(self.account, view.input()).await?;
        if tried.reverted {
            return Err(odd(V::NAME, "a view that undoes something".into()));
        }
        answer::<V::Answer>(V::NAME, &tried.data)
    }

    /// What a message from `origin` would do. Nothing is signed or sent.
    pub async fn try_deed<D: Deed>(&self, origin: AccountId, deed: &D) -> Result<Would<D::Answer>, AlphaError> {
        let tried = self.try_input(origin, deed.input()).await?;
        let said: Result<D::Answer, Refusal> = answer(D::NAME, &tried.data)?;
        if tried.reverted != said.is_err() {
            return Err(odd(D::NAME, "an answer that does not fit what was undone".into()).into());
        }
        Ok(Would { answer: said?, tried })
    }

    /// The message that a deed is sent as.
    pub fn message(&self, origin: AccountId, input: Vec<u8>) -> Message {
        Message { origin, contract: self.account, value_rao: 0, input }
    }

    async fn try_input(&self, origin: AccountId, input: Vec<u8>) -> Result<Tried, ContractError> {
        contracts::try_message(self.nodes, self.runtime, self.at, &self.message(origin, input)).await
    }
}

/// Reads an answer, of which ink! says first whether it understood the question; to its last byte.
fn answer<T: subxt::ext::codec::Decode>(message: &'static str, data: &[u8]) -> Result<T, ContractError> {
    use subxt::ext::codec::DecodeAll;
    let read = Result::<T, LangError>::decode_all(&mut &data[..]);
    match read.map_err(|error| odd(message, error.to_string().chars().take(200).collect()))? {
        Ok(answer) => Ok(answer),
        Err(LangError::CouldNotReadInput) => Err(odd(message, "the contract does not know it".into())),
    }
}

fn odd(message: &str, why: String) -> ContractError {
    ContractError::Odd { message: message.to_owned(), why }
}
