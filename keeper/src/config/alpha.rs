//! `[alpha]`: bonds in AlphaVault that this keeper speaks for.

use super::{ConfigError, Subnet};
use serde::Deserialize;
use surety_core::alpha::AlphaRules;
use surety_substrate::ss58::AccountId;

/// `[alpha]`
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize))]
#[serde(deny_unknown_fields, default)]
pub struct Alpha {
    /// Address of the AlphaVault whose bonds are stated, SS58 or 0x and 64 hex digits; without it none are. Only one
    /// whose code is that of this release is believed.
    pub vault: Option<String>,
    /// Taken off the chain's moving price of alpha, in ten-thousandths, up to 9,900; half unless said otherwise.
    pub haircut_bps: u16,
}

/// Less than a hundredth of the price is not a price any more.
const HAIRCUT_MAX_BPS: u16 = 9_900;

impl Default for Alpha {
    fn default() -> Self {
        Self { vault: None, haircut_bps: AlphaRules::default().haircut_bps }
    }
}

impl Alpha {
    /// The vault, if bonds are stated.
    pub fn vault(&self) -> Result<Option<AccountId>, ConfigError> {
        let parse =
            |text: &String| text.parse().map_err(|error| ConfigError::Value { what: format!("alpha.vault: {error}") });
        self.vault.as_ref().map(parse).transpose()
    }

    /// How alpha is counted.
    pub fn rules(&self) -> AlphaRules {
        AlphaRules { haircut_bps: self.haircut_bps }
    }

    pub(super) fn check(&self, subnet: &Subnet) -> Result<(), ConfigError> {
        let value = |what: String| Err(ConfigError::Value { what });
        if self.vault()?.is_some() && subnet.rpc.is_empty() {
            return value("alpha.vault is read from Subtensor nodes: name some in subnet.rpc".into());
        }
        if self.haircut_bps > HAIRCUT_MAX_BPS {
            return value(format!("alpha.haircut_bps is {}, want at most {HAIRCUT_MAX_BPS}", self.haircut_bps));
        }
        Ok(())
    }
}
