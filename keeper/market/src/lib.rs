//! The market as a keeper shows it: pure, without clock or network.
//!
//! # Layout
//! - [`amount`]: rao on the wire;
//! - [`wire`]: what the read API answers.

pub mod amount;
pub mod wire;
