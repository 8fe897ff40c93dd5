//! A subnet at one block, as one typed view: who is on it, with which permits and addresses, and by which rules weights
//! are set. Read in two rounds of batches, whatever its size.

use crate::needed::{self, Feature, Item};
use crate::node::{Head, Stored};
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, Part, Runtime};
use crate::ss58::AccountId;
use crate::timelock::EpochSchedule;
use std::collections::BTreeMap;
use subxt::ext::scale_decode::DecodeAsType;
use surety_core::types::{Account, Coldkey, Hotkey, Rao};

/// Most uids that are looked at; a subnet has at most 256 today, and mechanisms begin at 4,096.
pub const UIDS_MAX: u16 = 4_096;

/// Whose seat a uid is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neuron {
    /// The uid; 0 is one like any other.
    pub uid: u16,
    /// Who sits there.
    pub hotkey: AccountId,
    /// The EVM address it is associated with, and since which block; the newest association counts.
    pub evm: Option<(Account, u64)>,
    /// Whether it may set weights for others.
    pub permit: bool,
    /// The block of its newest weights.
    pub updated_at: u64,
    /// Its stake averaged over time; None where the runtime keeps no count.
    pub voting_power: Option<u64>,
}

/// How weights are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Openness {
    /// In the open.
    Open,
    /// By a hash that is revealed this many epochs later.
    Hashed {
        /// Epochs.
        period_epochs: u64,
    },
    /// Encrypted to a round of the beacon, this many epochs ahead.
    Timelocked {
        /// Epochs.
        period_epochs: u64,
        /// The version of commits that the chain takes.
        version: u16,
        /// The newest round of the beacon that the chain has.
        last_round: u64,
    },
}

/// By which rules weights are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightSettings {
    /// How.
    pub openness: Openness,
    /// Which version of weights is taken.
    pub version_key: u64,
    /// Blocks between two weights of one uid.
    pub rate_limit_blocks: u64,
    /// Fewer uids than this are refused.
    pub least_uids: u16,
    /// No weight may be a larger share of 65,535.
    pub largest_share: u16,
    /// Least stake of whoever sets weights, in rao, by the chain's own count (which is not voting power).
    pub stake_threshold_rao: Rao,
}

/// A subnet at one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    /// Its number.
    pub netuid: u16,
    /// The block it was read at.
    pub at: Head,
    /// How many subnets had this number: another count is another subnet.
    pub registered_counter: u64,
    /// When its epochs are.
    pub schedule: EpochSchedule,
    /// Counts the subnet's epochs.
    pub epoch: u64,
    /// The hotkey of its owner.
    pub owner_hotkey: AccountId,
    /// Whether voting power is counted; None where the runtime knows no such thing.
    pub voting_power_tracked: Option<bool>,
    /// The block at which counting stops; 0 for none.
    pub voting_power_ends_at: u64,
    /// By which rules weights are set; None where the runtime lacks what it takes.
    pub weights: Option<WeightSettings>,
    /// The smoothed price of alpha: TAO for one alpha, times 2^32. Never negative.
    pub moving_price_q32: Option<u64>,
    /// Everybody, by uid.
    pub neurons: Vec<Neuron>,
}

/// Why a subnet could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// The nodes.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// There is no such subnet.
    #[error("there is no subnet {netuid} at block {block}: check chain.netuid")]
    Absent {
        /// Its number.
        netuid: u16,
        /// The block.
        block: u64,
    },
    /// It is larger than any.
    #[error("subnet {netuid} has {size} uids, want at most {UIDS_MAX}")]
    TooLarge {
        /// Its number.
        netuid: u16,
        /// Its uids.
        size: u16,
    },
}

impl From<CodecError> for SubnetError {
    fn from(error: CodecError) -> Self {
        Self::Nodes(error.into())
    }
}

impl Subnet {
    /// Reads it at a block.
    pub async fn read(nodes: &Nodes, runtime: &Runtime, at: Head, netuid: u16) -> Result<Self, SubnetError> {
        let scalars = Scalars::read(nodes, runtime, at, netuid).await?;
        let size: u16 = scalars.need(&needed::SIZE)?;
        if !scalars.need(&needed::NETWORK_ADDED)? {
            return Err(SubnetError::Absent { netuid, block: at.number });
        }
        if size > UIDS_MAX {
            return Err(SubnetError::TooLarge { netuid, size });
        }
        let neurons = neurons(nodes, runtime, (at, netuid), size, &scalars).await?;
        Ok(Self {
            netuid,
            at,
            registered_counter: scalars.need(&needed::REGISTERED_COUNTER)?,
            schedule: EpochSchedule {
                last_epoch_block: scalars.need(&needed::LAST_EPOCH_BLOCK)?,
                pending_epoch_at: scalars.need(&needed::PENDING_EPOCH)?,
                tempo: scalars.need(&needed::TEMPO)?,
            },
            epoch: scalars.need(&needed::EPOCH)?,
            owner_hotkey: AccountId(scalars.need(&needed::OWNER_HOTKEY)?),
            voting_power_tracked: scalars.get(&needed::VOTING_POWER_TRACKED)?,
            voting_power_ends_at: scalars.get(&needed::VOTING_POWER_ENDS)?.unwrap_or(0),
            weights: scalars.weight_settings()?,
            moving_price_q32: scalars.get::<Bits>(&needed::MOVING_PRICE)?.map(|price| price.q32()),
            neurons,
        })
    }

    /// Who sits at a hotkey's uid.
    pub fn find(&self, hotkey: AccountId) -> Option<&Neuron> {
        self.neurons.iter().find(|neuron| neuron.hotkey == hotkey)
    }
}

/// A fixed-point number as the chain stores it: its bits.
#[derive(DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
struct Bits {
    bits: i128,
}

impl Bits {
    /// With 32 bits after the point; a negative price is none.
    fn q32(&self) -> u64 {
        u64::try_from(self.bits.max(0)).unwrap_or(u64::MAX)
    }
}

/// Everything that is one value a subnet.
struct Scalars<'a> {
    runtime: &'a Runtime,
    stored: BTreeMap<(&'static str, &'static str), Stored>,
}

/// What is read of a subnet at once.
const SCALARS: [&Item; 22] = [
    &needed::NETWORK_ADDED,
    &needed::REGISTERED_COUNTER,
    &needed::SIZE,
    &needed::PERMITS,
    &needed::LAST_UPDATE,
    &needed::TEMPO,
    &needed::LAST_EPOCH_BLOCK,
    &needed::PENDING_EPOCH,
    &needed::EPOCH,
    &needed::OWNER_HOTKEY,
    &needed::VOTING_POWER_TRACKED,
    &needed::VOTING_POWER_ENDS,
    &needed::HIDDEN,
    &needed::VERSION_KEY,
    &needed::RATE_LIMIT,
    &needed::LEAST_UIDS,
    &needed::LARGEST_SHARE,
    &needed::STAKE_THRESHOLD,
    &needed::REVEAL_PERIOD,
    &needed::COMMIT_VERSION,
    &needed::LAST_ROUND,
    &needed::MOVING_PRICE,
];

impl<'a> Scalars<'a> {
    async fn read(nodes: &Nodes, runtime: &'a Runtime, at: Head, netuid: u16) -> Result<Self, SubnetError> {
        runtime.need(Feature::Subnet)?;
        let there = SCALARS.into_iter().filter(|item| runtime.need(item.feature).is_ok());
        let (mut names, mut keys) = (Vec::new(), Vec::new());
        for item in there {
            let parts = [Part::Number(netuid.into())];
            names.push((item.pallet, item.name));
            keys.push(runtime.key(item, if item.keys.is_empty() { &[] } else { &parts })?);
        }
        let values = nodes.storage(at.hash, &keys).await?;
        Ok(Self { runtime, stored: names.into_iter().zip(values).collect() })
    }

    /// None where the runtime lacks what the value is for.
    fn get<T: DecodeAsType>(&self, item: &Item) -> Result<Option<T>, SubnetError> {
        match self.stored.get(&(item.pallet, item.name)) {
            Some(stored) => Ok(self.runtime.value(item, stored.as_deref())?),
            None => Ok(None),
        }
    }

    /// A value that has a default, so it is always there.
    fn need<T: DecodeAsType>(&self, item: &Item) -> Result<T, SubnetError> {
        let value = self.get(item)?;
        let missing =
            || CodecError::Value { item: item.name, why: "nothing is stored, and there is no default".into() };
        Ok(value.ok_or_else(missing)?)
    }

    fn weight_settings(&self) -> Result<Option<WeightSettings>, SubnetError> {
        if self.runtime.need(Feature::Weights).is_err() {
            return Ok(None);
        }
        let Some(openness) = self.openness()? else { return Ok(None) };
        Ok(Some(WeightSettings {
            openness,
            version_key: self.need(&needed::VERSION_KEY)?,
            rate_limit_blocks: self.need(&needed::RATE_LIMIT)?,
            least_uids: self.need(&needed::LEAST_UIDS)?,
            largest_share: self.need(&needed::LARGEST_SHARE)?,
            stake_threshold_rao: self.need(&needed::STAKE_THRESHOLD)?,
        }))
    }

    /// Hidden weights are timelocked where the runtime can, and hashed where it can only that.
    fn openness(&self) -> Result<Option<Openness>, SubnetError> {
        if !self.need::<bool>(&needed::HIDDEN)? {
            return Ok(Some(Openness::Open));
        }
        let period_epochs = self.need(&needed::REVEAL_PERIOD)?;
        if self.runtime.need(Feature::TimelockedWeights).is_err() {
            let hashed = self.runtime.need(Feature::HashedWeights).is_ok();
            return Ok(hashed.then_some(Openness::Hashed { period_epochs }));
        }
        let (version, last_round) = (self.need(&needed::COMMIT_VERSION)?, self.need(&needed::LAST_ROUND)?);
        Ok(Some(Openness::Timelocked { period_epochs, version, last_round }))
    }
}

/// Everybody on a subnet: hotkeys and addresses by uid, then voting power by hotkey.
async fn neurons(
    nodes: &Nodes,
    runtime: &Runtime,
    (at, netuid): (Head, u16),
    size: u16,
    scalars: &Scalars<'_>,
) -> Result<Vec<Neuron>, SubnetError> {
    let by_uid = |item: &Item| {
        let keys = (0..size).map(|uid| runtime.key(item, &[Part::Number(netuid.into()), Part::Number(uid.into())]));
        keys.collect::<Result<Vec<_>, _>>()
    };
    let stored = nodes.storage(at.hash, &by_uid(&needed::KEYS)?).await?;
    let hotkeys = stored.iter().map(|bytes| runtime.value::<[u8; 32]>(&needed::KEYS, bytes.as_deref()));
    let hotkeys: Vec<AccountId> =
        hotkeys.map(|hotkey| Ok(AccountId(hotkey?.unwrap_or_default()))).collect::<Result<_, CodecError>>()?;
    let associated = match runtime.need(Feature::Association) {
        Ok(()) => nodes.storage(at.hash, &by_uid(&needed::ASSOCIATED)?).await?,
        Err(_) => vec![None; hotkeys.len()],
    };
    let powers = voting_powers(nodes, runtime, (at, netuid), &hotkeys).await?;
    let permits: Vec<bool> = scalars.need(&needed::PERMITS)?;
    let updated: Vec<u64> = scalars.need(&needed::LAST_UPDATE)?;
    let rows = hotkeys.into_iter().zip(associated).zip(powers).zip(0..size);
    let neurons = rows.map(|(((hotkey, associated), voting_power), uid)| {
        let evm = associated.as_deref().map(|bytes| runtime.value::<([u8; 20], u64)>(&needed::ASSOCIATED, Some(bytes)));
        let evm = evm.transpose()?.flatten().map(|(address, block)| (Account(address), block));
        let place = usize::from(uid);
        let (permit, updated_at) = (permits.get(place).copied(), updated.get(place).copied());
        let (permit, updated_at) = (permit.unwrap_or(false), updated_at.unwrap_or(0));
        Ok(Neuron { uid, hotkey, evm, permit, updated_at, voting_power })
    });
    neurons.collect()
}

/// The smoothed price of a subnet's alpha at a block: TAO for one alpha, times 2^32.
///
/// # Errors
/// The nodes', or that the runtime lacks [`needed::MOVING_PRICE`].
pub async fn moving_price_of(nodes: &Nodes, runtime: &Runtime, at: Head, netuid: u16) -> Result<u64, SubnetError> {
    let key = runtime.key(&needed::MOVING_PRICE, &[Part::Number(netuid.into())])?;
    let stored = nodes.storage(at.hash, &[key]).await?.into_iter().next().flatten();
    Ok(runtime.value::<Bits>(&needed::MOVING_PRICE, stored.as_deref())?.map_or(0, |price| price.q32()))
}

/// The coldkeys that own hotkeys at a block. A hotkey that nobody owns is left out: the chain's default for it is zero.
///
/// # Errors
/// The nodes', or that the runtime lacks [`needed::OWNER`].
pub async fn coldkeys_of(
    nodes: &Nodes,
    runtime: &Runtime,
    at: Head,
    hotkeys: impl IntoIterator<Item = Hotkey>,
) -> Result<BTreeMap<Hotkey, Coldkey>, SubnetError> {
    let hotkeys: Vec<Hotkey> = hotkeys.into_iter().collect();
    let keys = hotkeys.iter().map(|hotkey| runtime.key(&needed::OWNER, &[Part::Id(hotkey.0)]));
    let stored = nodes.storage(at.hash, &keys.collect::<Result<Vec<_>, _>>()?).await?;
    let owners = stored.iter().map(|bytes| runtime.value::<[u8; 32]>(&needed::OWNER, bytes.as_deref()));
    let owners: Vec<Option<[u8; 32]>> = owners.collect::<Result<_, CodecError>>()?;
    let owned = hotkeys.into_iter().zip(owners).map(|(hotkey, owner)| (hotkey, Coldkey(owner.unwrap_or_default())));
    Ok(owned.filter(|(_, coldkey)| *coldkey != Coldkey::default()).collect())
}

async fn voting_powers(
    nodes: &Nodes,
    runtime: &Runtime,
    (at, netuid): (Head, u16),
    hotkeys: &[AccountId],
) -> Result<Vec<Option<u64>>, SubnetError> {
    if runtime.need(Feature::VotingPower).is_err() {
        return Ok(vec![None; hotkeys.len()]);
    }
    let item = &needed::VOTING_POWER;
    let keys = hotkeys.iter().map(|hotkey| runtime.key(item, &[Part::Number(netuid.into()), (*hotkey).into()]));
    let stored = nodes.storage(at.hash, &keys.collect::<Result<Vec<_>, _>>()?).await?;
    let powers = stored.iter().map(|bytes| runtime.value::<u64>(item, bytes.as_deref()));
    Ok(powers.collect::<Result<_, CodecError>>()?)
}
