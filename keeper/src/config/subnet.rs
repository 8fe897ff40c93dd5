//! `[subnet]`: the Substrate side of the chain.

use super::{ConfigError, ENDPOINTS_MAX};
use serde::Deserialize;
use surety_substrate::node::{Node, NodeError};
use surety_substrate::nodes::Nodes;

/// `[subnet]`
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Subnet {
    /// Up to 16 JSON-RPC URLs (http) of Subtensor nodes, mostly those of `chain.rpc`: a majority of them is believed on
    /// final blocks, events and the subnet's state. Without any, the keeper lives on the EVM's RPC alone: calls without
    /// an Ethereum transaction are then noticed by the full read that begins every 300 blocks.
    pub rpc: Vec<String>,
}

impl Subnet {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.rpc.len() > ENDPOINTS_MAX {
            return Err(ConfigError::Value { what: "subnet.rpc wants at most 16 URLs".into() });
        }
        match self.rpc.iter().find_map(|url| Node::new(url).err()) {
            Some(error) => Err(ConfigError::Value { what: format!("subnet.rpc: {error}") }),
            None => Ok(()),
        }
    }

    /// The nodes, if there are any.
    pub fn nodes(&self) -> Result<Option<Nodes>, NodeError> {
        let nodes: Vec<Node> = self.rpc.iter().map(|url| Node::new(url)).collect::<Result<_, _>>()?;
        Ok(Nodes::new(nodes).ok())
    }
}
