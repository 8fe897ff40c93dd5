//! Exit statuses, alike for every command: a script can tell what happened without reading words.

use super::http::HttpError;
use crate::config::PreflightError;
use surety_client::provider::NodeError;
use surety_client::transaction::TxError;

/// What `--help` says about them.
pub(in crate::cli) const HELP: &str = "\
Exit status: 0 done; 1 failed; 2 wrong usage; 3 the contract or the chain refuses; 4 not confirmed (nobody to ask, or
the answer was no); 5 a node or keeper cannot be reached. `surety ssh` ends with ssh's own.";

/// Something failed that has no status of its own.
pub(in crate::cli) const FAILED: u8 = 1;
/// What was asked makes no sense.
pub(in crate::cli) const USAGE: u8 = 2;
/// The contract or the chain says no.
pub(in crate::cli) const REFUSED: u8 = 3;
/// Nobody said yes.
pub(in crate::cli) const NOT_CONFIRMED: u8 = 4;
/// Nobody answers.
pub(in crate::cli) const UNREACHABLE: u8 = 5;

/// Why a command stops, where no other type says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::cli) enum Stop {
    /// What was asked makes no sense, or a part is missing.
    #[error("{0}")]
    Usage(String),
    /// What the chain says forbids it.
    #[error("{0}")]
    Refused(String),
    /// Nobody said yes.
    #[error("{0}")]
    NotConfirmed(String),
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
}

impl Stop {
    /// What was asked makes no sense.
    pub(in crate::cli) fn usage(why: impl Into<String>) -> anyhow::Error {
        Self::Usage(why.into()).into()
    }

    /// What the chain says forbids it.
    pub(in crate::cli) fn refused(why: impl Into<String>) -> anyhow::Error {
        Self::Refused(why.into()).into()
    }
}

/// The status of an error: that of the first cause in its chain that has one.
pub(in crate::cli) fn of(error: &anyhow::Error) -> u8 {
    error.chain().find_map(of_cause).unwrap_or(FAILED)
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<u8> {
    if let Some(stop) = cause.downcast_ref::<Stop>() {
        return Some(match stop {
            Stop::Usage(_) => USAGE,
            Stop::Refused(_) => REFUSED,
            Stop::NotConfirmed(_) => NOT_CONFIRMED,
            Stop::Unreachable(_) => UNREACHABLE,
        });
    }
    if let Some(error) = cause.downcast_ref::<NodeError>() {
        return of_node(error);
    }
    if let Some(error) = cause.downcast_ref::<TxError>() {
        return of_transaction(error);
    }
    if let Some(error) = cause.downcast_ref::<HttpError>() {
        return Some(if error.is_unreachable() { UNREACHABLE } else { FAILED });
    }
    match cause.downcast_ref::<PreflightError>() {
        Some(PreflightError::Unreachable(_)) => Some(UNREACHABLE),
        _ => None,
    }
}

fn of_node(error: &NodeError) -> Option<u8> {
    match error {
        NodeError::BadUrl { .. } => Some(USAGE),
        NodeError::TimedOut { .. } | NodeError::Refused { code: 0, .. } => Some(UNREACHABLE),
        NodeError::Refused { .. } if error.is_the_evms() => Some(REFUSED),
        NodeError::Refused { .. } | NodeError::Odd { .. } => Some(FAILED),
    }
}

fn of_transaction(error: &TxError) -> Option<u8> {
    match error {
        TxError::Node(node) => of_node(node),
        TxError::Refused(_) | TxError::RefusedByChain(_) | TxError::TooPoor { .. } | TxError::Failed { .. } => {
            Some(REFUSED)
        }
        TxError::OtherKey { .. } => Some(USAGE),
        _ => Some(FAILED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn the_cause_sets_the_status_however_deep_it_lies() {
        let timed_out = NodeError::TimedOut { method: "eth_call" };
        let deep = Err::<(), _>(TxError::from(timed_out)).context("renting").context("again");
        assert_eq!(deep.as_ref().err().map(of), Some(UNREACHABLE));
        assert_eq!(of(&Stop::usage("which chain?")), USAGE);
        assert_eq!(of(&Stop::refused("not yours")), REFUSED);
        assert_eq!(of(&anyhow::anyhow!("anything else")), FAILED);
        let data = Some(Default::default());
        let reverted = NodeError::Refused { method: "eth_call", code: 3, message: "execution reverted".into(), data };
        assert_eq!(of(&reverted.into()), REFUSED);
    }
}
