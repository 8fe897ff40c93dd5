//! What the commands for miners, renters and auditors are built from.
//!
//! - [`place`]: the chain, the contracts on it, and the keepers' addresses;
//! - [`who`]: whose key signs; [`keystore`]: encrypted key files; [`ask`]: what a person answers at the terminal;
//! - [`amount`], [`parse`], [`nearest`]: what is written on the command line, as types, with errors that help;
//! - [`money`]: every transaction's way from the wish to the receipt;
//! - [`http`]: bounded answers of keepers;
//! - [`out`], [`table`], [`text`], [`words`]: what is printed, harmless and in bounds;
//! - [`exit`]: the exit statuses.

pub(in crate::cli) mod amount;
pub(in crate::cli) mod ask;
pub(in crate::cli) mod exit;
pub(in crate::cli) mod http;
pub(in crate::cli) mod keystore;
pub(in crate::cli) mod money;
pub(in crate::cli) mod nearest;
pub(in crate::cli) mod out;
pub(in crate::cli) mod parse;
pub(in crate::cli) mod place;
pub(in crate::cli) mod sshkey;
pub(in crate::cli) mod table;
pub(in crate::cli) mod text;
pub(in crate::cli) mod who;
pub(in crate::cli) mod words;
