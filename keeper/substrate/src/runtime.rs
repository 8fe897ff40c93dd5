//! One version of the chain's runtime, by the metadata it shows: how keys of storage are made, how values are read, how
//! calls are signed. Pure: bytes in, bytes out.

use crate::depth;
use crate::needed::{Api, Call, Feature, Item, Lack, lacks};
use crate::ss58::AccountId;
use std::collections::BTreeSet;
use subxt::SubstrateConfig;
use subxt::client::{OfflineClient, OfflineClientAtBlock};
use subxt::config::substrate::{SpecVersionForRange, SubstrateConfigBuilder};
use subxt::dynamic::Value;
use subxt::ext::scale_decode::DecodeAsType;
use subxt::ext::scale_value::Composite;
use subxt::metadata::Metadata;
use subxt::tx::Signer;
use surety_core::types::Hash32;

/// Most bytes of metadata that are looked at. Spec 425's are 334,000.
pub const METADATA_BYTES_MAX: usize = 8 << 20;

/// Blocks for which a signed call is good: at 12 s each, 12 minutes 48 seconds. Long enough for a full pool, short
/// enough that bytes which were not seen in a block are known to be dead within a fraction of an epoch (72 minutes).
pub const MORTAL_BLOCKS: u64 = 64;

/// Why something could not be encoded or decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The metadata are none.
    #[error("the node's metadata cannot be read: {0}")]
    Metadata(String),
    /// The runtime lacks what this needs.
    #[error("{0}")]
    Lacks(#[from] Lack),
    /// A key could not be made.
    #[error("no key of {item} from these parts: {why}")]
    Key {
        /// Which storage.
        item: &'static str,
        /// What the encoder said.
        why: String,
    },
    /// A value is not what the metadata say.
    #[error("the node's {item} cannot be read: {why}")]
    Value {
        /// Which storage.
        item: &'static str,
        /// What the decoder said.
        why: String,
    },
    /// A call could not be encoded or signed.
    #[error("{call} cannot be encoded: {why}")]
    Call {
        /// Which call.
        call: &'static str,
        /// What the encoder said.
        why: String,
    },
}

/// A runtime.
#[derive(Clone)]
pub struct Runtime {
    at: OfflineClientAtBlock<SubstrateConfig>,
    lacks: Vec<Lack>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("spec", &self.spec_version()).field("lacks", &self.lacks).finish()
    }
}

/// Which runtime a block has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Changes with every upgrade.
    pub spec: u32,
    /// Changes when signed calls are encoded otherwise.
    pub transaction: u32,
}

/// Where a signed call stands: who signs, how often it did before, and since when the call is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Signed calls of this account before this one.
    pub nonce: u64,
    /// Number of the block from which it is good, for [`MORTAL_BLOCKS`].
    pub block: u64,
    /// Hash of that block.
    pub block_hash: Hash32,
}

impl Runtime {
    /// Reads metadata of version 14 to 16.
    pub fn new(genesis: Hash32, versions: Versions, metadata: &[u8]) -> Result<Self, CodecError> {
        if metadata.len() > METADATA_BYTES_MAX {
            return Err(CodecError::Metadata(format!("{} bytes, want at most {METADATA_BYTES_MAX}", metadata.len())));
        }
        let metadata = Metadata::decode_from(metadata).map_err(|error| CodecError::Metadata(error.to_string()))?;
        if let Some(why) = depth::bottomless(metadata.types()) {
            return Err(CodecError::Metadata(why));
        }
        let lacks = lacks(&metadata);
        let range = SpecVersionForRange {
            block_range: 0..u64::MAX,
            spec_version: versions.spec,
            transaction_version: versions.transaction,
        };
        let config = SubstrateConfigBuilder::new()
            .set_genesis_hash(genesis.0.into())
            .set_spec_version_for_block_ranges([range])
            .set_metadata_for_spec_versions([(versions.spec, metadata.arc())])
            .build();
        let at = OfflineClient::new_with_config(config).at_block(0u64);
        Ok(Self { at: at.map_err(|error| CodecError::Metadata(error.to_string()))?, lacks })
    }

    /// Which runtime this is.
    pub fn spec_version(&self) -> u32 {
        self.at.spec_version()
    }

    /// The prefix of the chain's addresses, where the runtime says it.
    pub fn ss58_prefix(&self) -> Option<u16> {
        let pallet = self.at.metadata_ref().pallet_by_name("System")?;
        let bytes = pallet.constant_by_name("SS58Prefix")?.value();
        bytes.try_into().ok().map(u16::from_le_bytes)
    }

    /// What it lacks, each with the feature that is off for it.
    pub fn lacks(&self) -> &[Lack] {
        &self.lacks
    }

    /// The features for which nothing is missing.
    pub fn features(&self) -> BTreeSet<Feature> {
        let off: BTreeSet<Feature> = self.lacks.iter().map(|lack| lack.feature).collect();
        Feature::ALL.into_iter().filter(|feature| !off.contains(feature)).collect()
    }

    /// An error that names the first thing missing for a feature.
    pub fn need(&self, feature: Feature) -> Result<(), CodecError> {
        match self.lacks.iter().find(|lack| lack.feature == feature) {
            Some(lack) => Err(CodecError::Lacks(lack.clone())),
            None => Ok(()),
        }
    }

    /// subxt's view of it, for events.
    pub(crate) fn client(&self) -> &OfflineClientAtBlock<SubstrateConfig> {
        &self.at
    }

    /// The key of a value, or of an entry of a map.
    pub fn key(&self, item: &Item, parts: &[Part]) -> Result<Vec<u8>, CodecError> {
        self.need(item.feature)?;
        let fault = |why: String| CodecError::Key { item: item.name, why };
        let address = subxt::dynamic::storage::<Vec<Value>, Value>(item.pallet, item.name);
        let storage = self.at.storage();
        let entry = storage.entry(address).map_err(|error| fault(error.to_string()))?;
        entry.fetch_key(parts.iter().map(Part::value).collect()).map_err(|error| fault(error.to_string()))
    }

    /// What a node answered for a key: None where nothing is stored and the runtime has no default for it.
    pub fn value<T: DecodeAsType>(&self, item: &Item, stored: Option<&[u8]>) -> Result<Option<T>, CodecError> {
        self.need(item.feature)?;
        let fault = |why: String| CodecError::Value { item: item.name, why };
        let metadata = self.at.metadata_ref();
        let pallet = metadata.pallet_by_name(item.pallet);
        let entry = pallet.as_ref().and_then(|pallet| pallet.storage()).and_then(|all| all.entry_by_name(item.name));
        let entry = entry.ok_or_else(|| fault("it does not exist".into()))?;
        let Some(bytes) = stored.or_else(|| entry.default_value()) else { return Ok(None) };
        self.whole(entry.value_ty(), bytes).map(Some).map_err(fault)
    }

    /// All of `bytes` as a value of one of the metadata's types, which is gone through first: a value nested deeper
    /// than the stack is would be the end of the process.
    fn whole<T: DecodeAsType>(&self, ty: u32, mut bytes: &[u8]) -> Result<T, String> {
        let types = self.at.metadata_ref().types();
        depth::skip(types, ty, bytes)?;
        let value = T::decode_as_type(&mut bytes, ty, types);
        let value = value.map_err(|error| error.to_string().chars().take(200).collect::<String>())?;
        match bytes.is_empty() {
            true => Ok(value),
            false => Err(format!("{} bytes too many", bytes.len())),
        }
    }

    /// A call with its arguments in order, as it stands in an extrinsic.
    pub fn call(&self, call: &Call, args: Vec<Value>) -> Result<Vec<u8>, CodecError> {
        self.need(call.feature)?;
        let payload = payload(call, args);
        let fault = |why: String| CodecError::Call { call: call.name, why };
        self.at.transactions().call_data(&payload).map_err(|error| fault(error.to_string()))
    }

    /// What a question to the runtime carries, its arguments in order.
    pub fn question(&self, api: &Api, args: Vec<Value>) -> Result<Vec<u8>, CodecError> {
        self.need(api.feature)?;
        let payload = subxt::runtime_apis::dynamic::<Vec<Value>, Value>(api.name, api.method, args);
        let fault =
            |error: subxt::error::RuntimeApiError| CodecError::Call { call: api.method, why: error.to_string() };
        self.at.runtime_apis().encode_args(payload).map_err(fault)
    }

    /// What a node answered to a question.
    pub fn answer<T: DecodeAsType>(&self, api: &Api, bytes: &[u8]) -> Result<T, CodecError> {
        self.need(api.feature)?;
        let fault = |why: String| CodecError::Value { item: api.method, why };
        let metadata = self.at.metadata_ref();
        let found = metadata.runtime_api_trait_by_name(api.name).and_then(|group| group.method_by_name(api.method));
        let found = found.ok_or_else(|| fault("it does not exist".into()))?;
        self.whole(found.output_ty(), bytes).map_err(fault)
    }

    /// The name of an error of a pallet, as `Pallet.Error`: what a dispatch error says by two numbers.
    pub fn error_name(&self, pallet: u8, error: u8) -> Option<String> {
        let pallet = self.at.metadata_ref().pallet_by_error_index(pallet)?;
        Some(format!("{}.{}", pallet.name(), pallet.error_variant_by_index(error)?.name))
    }

    /// A call signed by a key, ready to be sent, and its hash. Without a tip: the pool's order does not depend on it.
    pub fn signed(
        &self,
        call: &Call,
        args: Vec<Value>,
        key: &impl Signer<SubstrateConfig>,
        place: Place,
    ) -> Result<Signed, CodecError> {
        self.need(call.feature)?;
        let fault = |why: String| CodecError::Call { call: call.name, why };
        let payload = payload(call, args);
        let params = subxt::config::DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
            .nonce(place.nonce)
            .mortal_from_unchecked(MORTAL_BLOCKS, place.block, place.block_hash.0.into())
            .build();
        let transactions = self.at.transactions();
        let signable = transactions.create_v4_signable_offline(&payload, params);
        let mut signable = signable.map_err(|error| fault(error.to_string()))?;
        let signed = signable.sign(key).map_err(|error| fault(error.to_string()))?;
        Ok(Signed { hash: Hash32(signed.hash().0), bytes: signed.into_encoded() })
    }
}

/// A signed call as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// blake2-256 of the bytes, by which blocks and the pool know it.
    pub hash: Hash32,
    /// The bytes.
    pub bytes: Vec<u8>,
}

fn payload(call: &Call, args: Vec<Value>) -> subxt::tx::DynamicPayload<Composite<()>> {
    let names = call.args.iter().map(|(name, _)| (*name).to_owned());
    subxt::dynamic::tx(call.pallet, call.name, Composite::Named(names.zip(args).collect()))
}

/// A part of a storage key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A number: netuid, uid, epoch.
    Number(u64),
    /// A number of 256 bits: a block as Ethereum counts.
    Wide(u64),
    /// An account, hotkey or hash.
    Id([u8; 32]),
}

impl Part {
    fn value(&self) -> Value {
        match self {
            Self::Number(number) => Value::u128((*number).into()),
            Self::Wide(number) => Value::unnamed_composite([*number, 0, 0, 0].map(|limb| Value::u128(limb.into()))),
            Self::Id(bytes) => Value::from_bytes(bytes),
        }
    }
}

impl From<AccountId> for Part {
    fn from(account: AccountId) -> Self {
        Self::Id(account.0)
    }
}

/// Arguments of calls.
pub mod arg {
    use subxt::dynamic::Value;

    /// An integer.
    pub fn number(number: impl Into<u128>) -> Value {
        Value::u128(number.into())
    }

    /// Bytes, with or without a length before them as the runtime has it.
    pub fn bytes(bytes: &[u8]) -> Value {
        Value::from_bytes(bytes)
    }

    /// A value that may be left out.
    pub fn optional(value: Option<Value>) -> Value {
        match value {
            Some(value) => Value::unnamed_variant("Some", [value]),
            None => Value::unnamed_variant("None", []),
        }
    }

    /// A list of small integers.
    pub fn numbers(numbers: &[u16]) -> Value {
        Value::unnamed_composite(numbers.iter().map(|number| Value::u128((*number).into())))
    }
}
