//! `[subnet]`: the Substrate side of the chain.

use super::{ConfigError, ENDPOINTS_MAX};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;
use surety_client::keys::read_secret;
use surety_substrate::node::{Node, NodeError};
use surety_substrate::nodes::Nodes;
use surety_substrate::wallet::Hotkey;

/// `[subnet]`
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Subnet {
    /// Up to 16 JSON-RPC URLs (http) of Subtensor nodes, mostly those of `chain.rpc`: a majority of them is believed on
    /// final blocks, events and the subnet's state. Without any, the keeper lives on the EVM's RPC alone: calls without
    /// an Ethereum transaction are then noticed by the full read that begins every 300 blocks.
    pub rpc: Vec<String>,
    /// The hotkey file as btcli writes it, mode 0600, to set the subnet's weights with; without it none are set. On a
    /// local chain also `//Alice` and the like. No coldkey is ever needed.
    pub hotkey: Option<String>,
}

impl Subnet {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let value = |what: String| Err(ConfigError::Value { what });
        if self.rpc.len() > ENDPOINTS_MAX {
            return value("subnet.rpc wants at most 16 URLs".into());
        }
        if self.rpc.is_empty() && self.hotkey.is_some() {
            return value("subnet.hotkey sets weights, which wants nodes: name some in subnet.rpc".into());
        }
        match self.rpc.iter().find_map(|url| Node::new(url).err()) {
            Some(error) => value(format!("subnet.rpc: {error}")),
            None => Ok(()),
        }
    }

    /// The nodes, if there are any.
    pub fn nodes(&self) -> Result<Option<Nodes>, NodeError> {
        let nodes: Vec<Node> = self.rpc.iter().map(|url| Node::new(url)).collect::<Result<_, _>>()?;
        Ok(Nodes::new(nodes).ok())
    }

    /// The hotkey, if weights are set.
    pub(super) fn read_hotkey(&self, local: bool) -> Result<Option<Arc<Hotkey>>, ConfigError> {
        let Some(named) = &self.hotkey else { return Ok(None) };
        let value = |what: String| ConfigError::Value { what };
        let hotkey = if named.starts_with("//") {
            Hotkey::dev(named, local)
        } else {
            use secrecy::ExposeSecret;
            Hotkey::from_file(read_secret(Path::new(named))?.expose_secret().as_bytes())
        };
        Ok(Some(Arc::new(hotkey.map_err(|error| value(format!("subnet.hotkey: {error}")))?)))
    }
}
