//! Whether the chain is the one configured: asked before anything is stored or signed.

use super::Settings;
use crate::adapters::evm::Endpoints;
use std::time::Duration;
use surety_client::deployment::Deployment;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::reader::{Reader, SetKind};
use surety_core::types::Account;
use surety_core::view::ContractTimes;

/// Times an endpoint may have something else than is configured before it is not usable, how long it may leave one of
/// the fifteen questions of a check without an answer, again and again, and the time between two checks.
const OTHER_MAX: usize = 4;
const SILENT_MAX: Duration = Duration::from_secs(10);
const CHECK_PAUSE: Duration = Duration::from_millis(500);

/// Why a keeper does not start on this chain.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// No endpoint answered.
    #[error("no RPC endpoint of chain.rpc answers; the last one said: {0}")]
    Unreachable(NodeError),
    /// The node is on another chain.
    #[error(
        "the RPC endpoint is on chain {found}, the deployment file is for chain {wanted}: change chain.rpc or chain.deployment"
    )]
    WrongChain {
        /// What it said.
        found: u64,
        /// What was wanted.
        wanted: u64,
    },
    /// A contract is not there.
    #[error(
        "there is no code at {address}, where the deployment file says {name} is: wrong file, or a chain that was reset"
    )]
    NoCode {
        /// Which contract.
        name: &'static str,
        /// Where.
        address: Account,
    },
    /// Something else is there.
    #[error("the code at {address} is not the {name} of the deployment file: do not use it with this keeper")]
    OtherCode {
        /// Which contract.
        name: &'static str,
        /// Where.
        address: Account,
    },
    /// The file's windows are not the contracts'.
    #[error("the deployment file's times differ from the contracts': {found:?} on chain; write the file anew")]
    OtherTimes {
        /// What the contracts say.
        found: ContractTimes,
    },
    /// The node failed in between.
    #[error(transparent)]
    Node(#[from] NodeError),
}

/// A chain that is the one configured.
#[derive(Debug, Clone)]
pub struct Preflight {
    /// Reads the contracts, by majority.
    pub endpoints: Endpoints,
    /// Which keeper set it is.
    pub set: SetKind,
}

impl Preflight {
    /// Asks every endpoint for chain, code and times, and goes on when a majority has what is configured. The others
    /// are kept: they are outvoted for as long as they differ.
    pub async fn run(settings: &Settings) -> Result<Self, PreflightError> {
        Self::of(&settings.file.chain.rpc, &settings.deployment).await
    }

    pub(crate) async fn of(urls: &[String], deployment: &Deployment) -> Result<Self, PreflightError> {
        let nodes: Vec<Node> = urls.iter().map(|url| Node::new(url)).collect::<Result<_, _>>()?;
        let endpoints = Endpoints::new(nodes.clone(), deployment);
        let checked = futures_util::future::join_all(nodes.iter().map(|node| check_patiently(node, deployment))).await;
        let mut failed = None;
        let mut kinds = Vec::new();
        for (index, checked) in checked.into_iter().enumerate() {
            match checked {
                Ok(kind) => kinds.push(kind),
                Err(error) => {
                    if urls.len() > 1 {
                        let endpoint = format!("chain.rpc[{index}]");
                        tracing::warn!(%endpoint, %error, "an RPC endpoint is not usable");
                    }
                    // What it said tells more than its silence.
                    let silent = matches!(failed, None | Some(PreflightError::Unreachable(_)));
                    failed = if silent { Some(error) } else { failed };
                }
            }
        }
        // The code at the set's address is the deployment's at each of them, so they cannot differ but by lying.
        let alike = |kind: &&SetKind| kinds.iter().filter(|other| other == kind).count() >= endpoints.need();
        let Some(set) = kinds.iter().find(alike).copied() else {
            let none = || PreflightError::Unreachable(NodeError::BadUrl { url: String::new() });
            return Err(failed.unwrap_or_else(none));
        };
        if urls.len() == 1 {
            tracing::warn!("one RPC endpoint: whatever it says is believed; name three or more in chain.rpc");
        }
        Ok(Self { endpoints, set })
    }
}

/// Whether the node's chain is the deployment's: its number, and the code of every contract.
///
/// # Errors
/// What differs, or that the node failed.
pub async fn is_the_chain(node: &Node, deployment: &Deployment) -> Result<(), PreflightError> {
    let found = node.chain_id().await.map_err(PreflightError::Unreachable)?;
    let wanted = deployment.chain_id;
    if found != wanted {
        return Err(PreflightError::WrongChain { found, wanted });
    }
    for (name, contract) in deployment.contracts() {
        let address = contract.address;
        match node.code_hash(address).await? {
            None => return Err(PreflightError::NoCode { name, address }),
            Some(found) if found != contract.code_hash => return Err(PreflightError::OtherCode { name, address }),
            Some(_) => {}
        }
    }
    Ok(())
}

/// Public endpoints refuse a request now and then, and may lag behind a deployment that is only just made.
async fn check_patiently(node: &Node, deployment: &Deployment) -> Result<SetKind, PreflightError> {
    let (begun, mut other) = (tokio::time::Instant::now(), 0);
    loop {
        let checked = check(node, deployment).await;
        let enough = match &checked {
            Ok(_) | Err(PreflightError::WrongChain { .. }) => true,
            Err(PreflightError::Unreachable(_) | PreflightError::Node(_)) => begun.elapsed() >= SILENT_MAX,
            Err(_) => {
                other += 1;
                other >= OTHER_MAX
            }
        };
        if enough {
            return checked;
        }
        tokio::time::sleep(CHECK_PAUSE).await;
    }
}

/// Whether a node's chain, code and times are the deployment's; which keeper set it has.
async fn check(node: &Node, deployment: &Deployment) -> Result<SetKind, PreflightError> {
    is_the_chain(node, deployment).await?;
    let latest = node.header(Tag::Latest).await?;
    let block = latest.map(|h| h.number.to()).unwrap_or_default();
    let reader = Reader::new(node.clone(), deployment);
    let found = reader.times(block).await?;
    if found != deployment.times {
        return Err(PreflightError::OtherTimes { found });
    }
    Ok(reader.set_kind(block).await?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::adapters::evm::tests::world::World;
    use surety_subtensor_rpc::{FAILED, Transport};

    #[tokio::test]
    async fn a_node_that_refuses_for_a_while_does_not_keep_a_keeper_from_starting() {
        let world = World::start(1).await;
        let failed = || world.control(0).asked().get(FAILED).copied().unwrap_or(0);
        world.control(0).faults().transport = Some(Transport::TooMany);
        let (urls, deployment) = ([world.stand_ins[0].url()], &world.chain.deployment);
        let refused_six_times = async {
            while failed() < 6 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            world.control(0).faults().transport = None;
        };
        let (found, ()) = tokio::join!(Preflight::of(&urls, deployment), refused_six_times);
        assert!(found.is_ok(), "{found:?}");
    }
}
