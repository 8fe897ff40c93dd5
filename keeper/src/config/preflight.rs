//! Whether the chain is the one configured: asked before anything is stored or signed.

use super::Settings;
use surety_client::deployment::Deployment;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::reader::Reader;
use surety_core::types::Account;
use surety_core::view::ContractTimes;

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
    /// Reads the contracts.
    pub reader: Reader,
}

impl Preflight {
    /// Connects to the first endpoint that answers, and compares chain, code and times.
    pub async fn run(settings: &Settings) -> Result<Self, PreflightError> {
        let node = first_answering(&settings.file.chain.rpc).await?;
        is_the_chain(&node, &settings.deployment).await?;
        let reader = Reader::new(node, &settings.deployment);
        let latest = reader.node().header(Tag::Latest).await?;
        let block = latest.map(|h| h.number.to()).unwrap_or_default();
        let found = reader.times(block).await?;
        if found != settings.deployment.times {
            return Err(PreflightError::OtherTimes { found });
        }
        Ok(Self { reader })
    }
}

/// Whether the node's chain is the deployment's: its number, and the code of every contract.
///
/// # Errors
/// What differs, or that the node failed.
pub async fn is_the_chain(node: &Node, deployment: &Deployment) -> Result<(), PreflightError> {
    let (found, wanted) = (node.chain_id().await?, deployment.chain_id);
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

async fn first_answering(urls: &[String]) -> Result<Node, PreflightError> {
    let mut last = NodeError::BadUrl { url: String::new() };
    for url in urls {
        match connect(url).await {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(PreflightError::Unreachable(last))
}

async fn connect(url: &str) -> Result<Node, NodeError> {
    let node = Node::new(url)?;
    node.chain_id().await?;
    Ok(node)
}
