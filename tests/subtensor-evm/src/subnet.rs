//! A subnet: who sits at which uid, which EVM address belongs to it, how much its validators may say.

use crate::account::AccountId;
use primitive_types::H160;
use std::collections::BTreeMap;

/// Smoothing of voting power per epoch unless set otherwise, 1e18 = none. Source: the pallet's default.
const DEFAULT_EMA_ALPHA: u64 = 3_570_000_000_000_000;
/// Rao that buy one alpha (1e9 alpha-rao) in a fresh subnet of this harness.
const DEFAULT_PRICE_RAO: u64 = 1_000_000_000;

/// A hotkey's seat on a subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Neuron {
    /// Who sits there.
    pub hotkey: AccountId,
    /// Since which block.
    pub registered_at: u64,
}

/// The EVM address a uid's hotkey has associated itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Association {
    /// The address.
    pub address: H160,
    /// The block of the association.
    pub block: u64,
}

/// What precompile 0x80d answers from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voting {
    /// Whether voting power is kept at all; it is not unless the subnet's owner or root say so.
    pub tracking: bool,
    /// The block at which tracking may end, with the next epoch; 0: none is scheduled.
    pub disable_at_block: u64,
    /// Smoothing per epoch, 1e18 = none.
    pub ema_alpha: u64,
    /// Smoothed stake of each validator on this subnet, in rao.
    pub power: BTreeMap<AccountId, u64>,
}

/// One subnet.
#[derive(Debug, Clone)]
pub struct Subnet {
    /// Seats by uid.
    pub neurons: BTreeMap<u16, Neuron>,
    /// EVM addresses by uid.
    pub associations: BTreeMap<u16, Association>,
    /// Voting power.
    pub voting: Voting,
    /// Rao that buy one alpha (1e9 alpha-rao). Constant: this harness has no pool, so no slippage and no fee.
    pub price_rao: u64,
    /// Whether stake may be transferred between coldkeys (TransferToggle).
    pub transfers_on: bool,
    /// How often this netuid has been registered: allowances of an earlier subnet are void.
    pub generation: u64,
}

impl Default for Subnet {
    fn default() -> Self {
        Self {
            neurons: BTreeMap::new(),
            associations: BTreeMap::new(),
            voting: Voting {
                tracking: false,
                disable_at_block: 0,
                ema_alpha: DEFAULT_EMA_ALPHA,
                power: BTreeMap::new(),
            },
            price_rao: DEFAULT_PRICE_RAO,
            transfers_on: true,
            generation: 1,
        }
    }
}

impl Subnet {
    /// Seats a hotkey. Whoever sat there is gone, and its EVM address with it; its voting power goes with the epoch.
    pub fn seat(&mut self, uid: u16, hotkey: AccountId, block: u64) {
        self.neurons.insert(uid, Neuron { hotkey, registered_at: block });
        self.associations.remove(&uid);
    }

    /// The hotkey's seats, voting power and all, become `new`'s; associations stay. Power `new` has already is added
    /// to.
    pub fn swap_hotkey(&mut self, old: AccountId, new: AccountId) {
        for neuron in self.neurons.values_mut().filter(|neuron| neuron.hotkey == old) {
            neuron.hotkey = new;
        }
        if let Some(power) = self.voting.power.remove(&old) {
            let sum = self.voting.power.entry(new).or_default();
            *sum = sum.saturating_add(power);
        }
    }

    /// What the end of an epoch does to voting power: tracking ends if its block has come, and everybody's power with
    /// it; who is registered no more has none. Stake does not flow into the average here: tests write it down.
    pub fn end_epoch(&mut self, block: u64) {
        if !self.voting.tracking {
            return;
        }
        let due = self.voting.disable_at_block;
        if due != 0 && due <= block {
            self.voting.tracking = false;
            self.voting.disable_at_block = 0;
            self.voting.power.clear();
        }
        let neurons = &self.neurons;
        self.voting.power.retain(|hotkey, _| neurons.values().any(|neuron| neuron.hotkey == *hotkey));
    }

    /// What `alpha` (alpha-rao) is worth, in rao.
    pub fn worth_rao(&self, alpha: u64) -> u64 {
        scale(alpha, self.price_rao, DEFAULT_PRICE_RAO)
    }

    /// What `rao` buy, in alpha-rao.
    pub fn alpha_for(&self, rao: u64) -> u64 {
        scale(rao, DEFAULT_PRICE_RAO, self.price_rao)
    }
}

fn scale(amount: u64, by: u64, over: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(by) / u128::from(over.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
