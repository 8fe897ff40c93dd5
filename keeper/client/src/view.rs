//! Any contract's views at one block, typed by the bindings, with the node's deadlines and bounds.
//!
//! ```no_run
//! # async fn example() -> Result<(), surety_client::provider::NodeError> {
//! use surety_client::{bindings::RentalEscrow, provider::Node, view::View};
//! let node = Node::new("http://127.0.0.1:8545")?;
//! let view = View { node: &node, block: 1_000 };
//! let escrow = surety_core::types::Account([7; 20]);
//! let rentals = view.call(escrow, &RentalEscrow::rentalCountCall {}).await?;
//! # drop(rentals); Ok(()) }
//! ```

use crate::provider::{Each, Node, NodeError};
use alloy::primitives::{Address, Bytes};
use alloy::sol_types::SolCall;
use surety_core::types::Account;

/// Contract state at one block.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The node asked.
    pub node: &'a Node,
    /// The block's number: never a hash, which a Subtensor node may silently answer for the latest block.
    pub block: u64,
}

impl View<'_> {
    /// What one view answers.
    ///
    /// # Errors
    /// The node did not answer, the contract refused, or the answer cannot be decoded.
    pub async fn call<C: SolCall>(&self, to: Account, call: &C) -> Result<C::Return, NodeError> {
        let mut answers = self.calls(to, std::iter::once(call)).await?;
        let missing = NodeError::Odd { method: "eth_call", what: "no answer to the only request".into() };
        answers.pop().unwrap_or(Err(missing))
    }

    /// What a view of one contract answers to each call, in order; few round trips.
    ///
    /// # Errors
    /// The node did not answer a batch at all; what is wrong with one answer is that call's own.
    pub async fn calls<'c, C: SolCall + 'c>(
        &self,
        to: Account,
        calls: impl Iterator<Item = &'c C>,
    ) -> Result<Each<C::Return>, NodeError> {
        let calls = calls.map(|call| (Address::from(to.0), Bytes::from(call.abi_encode()))).collect();
        let odd = |e: alloy::sol_types::Error| NodeError::Odd { method: "eth_call", what: e.to_string() };
        let answers = self.node.call_each(calls, self.block).await?;
        Ok(answers.into_iter().map(|answer| answer.and_then(|a| C::abi_decode_returns(&a).map_err(odd))).collect())
    }
}
