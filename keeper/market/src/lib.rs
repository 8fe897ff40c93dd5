//! The market as a keeper shows it: machines, rentals, cases and sums, folded from contract views. Pure: no clock, no
//! network; time is that of the newest block.
//!
//! # Layout
//! - [`facts`]: what views said at one block;
//! - [`book`]: all of it, by id and by whose it is;
//! - [`market`]: the book with a row for each machine; [`history`]: what of a row follows from all its rentals;
//! - [`rows`], [`days`], [`money`]: what follows from facts;
//! - [`query`]: lists, filtered, sorted, in pages; [`pages`]: one machine, one miner, the network;
//! - [`amount`], [`wire`]: what the read API answers.

pub mod amount;
pub mod book;
pub mod days;
pub mod facts;
#[cfg(test)]
mod fixtures;
pub mod history;
pub mod market;
pub mod money;
pub mod pages;
pub mod query;
pub mod rows;
pub mod wire;
