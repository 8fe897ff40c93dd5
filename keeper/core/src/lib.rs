//! The keeper as a pure state machine: `step(State, Input) -> Effects`.
//!
//! Everything that can happen to a keeper is an [`input::Input`]; everything it wants done is an [`effect::Effect`];
//! [`state::State`] is a fold of [`step::step`] over the ordered log of inputs. No clock, no randomness, no I/O, no
//! floats: the same log gives the same state hash and the same effects on any machine.
//!
//! # Layout
//!
//! | module | what |
//! |---|---|
//! | [`types`], [`view`], [`statement`] | the protocol's words, what the chain says, what a keeper signs |
//! | [`input`], [`effect`] | the two ends of the machine |
//! | [`rules`], [`limits`] | every number of judgement; every bound on memory and work |
//! | [`state`], [`step`] | the fold |
//! | [`world`] | the chain as last read, best and finalized kept apart |
//! | [`health`] | is it us? Anchors, RPC, clock: while blind nothing advances and nothing is signed |
//! | [`watch`], [`hosts`], [`streak`] | whom to look at and when; how often; failing looks in a row |
//! | [`suspects`] | whose views are read anew at every block |
//! | [`cards`] | what rented machines say about their own cards |
//! | [`complaints`] | what renters say, and looking harder because of it |
//! | [`suspects`] | which machines fail, so that the chain is asked about them |
//! | [`judge`] | from looks to statements |
//! | [`capacity`] | when to measure, what to certify |
//! | [`court`], [`quorum`], [`gaps`] | attestations of all keepers; when and by whom a case is filed |
//! | [`spoof`] | machines that signed false proofs: recomputing, signing, filing |
//! | [`settle`], [`payout`] | executing cases and burning what they took; closing and claiming for everybody |
//! | [`seat`] | joining and checking in, where keepers sit by voting power |
//! | [`evidence`] | the bundle behind a signature, and the check that it supports what was signed |
//! | [`outbox`] | the transaction lane as a pure function of a row and what the node showed |
//! | [`weights`] | what the subnet pays whom: a measured, rented, reliable fleet as weights, explained |
//! | [`ids`] | domain-separated hashes: effect ids, ranks, jitter |

pub mod alpha;
pub mod ballot;
pub mod capacity;
pub mod cards;
pub mod complaints;
pub mod court;
pub mod effect;
pub mod evidence;
#[cfg(test)]
mod fixtures;
mod flat;
pub mod gaps;
pub mod health;
pub mod hints;
pub mod hosts;
pub mod ids;
pub mod input;
pub mod judge;
pub mod limits;
pub mod outbox;
pub mod payout;
pub mod quorum;
pub mod roll;
pub mod rules;
pub mod seat;
pub mod settle;
mod sound;
pub mod spoof;
pub mod state;
pub mod statement;
pub mod step;
pub mod streak;
pub mod suspects;
pub mod types;
pub mod view;
pub mod watch;
pub mod weights;
pub mod world;
