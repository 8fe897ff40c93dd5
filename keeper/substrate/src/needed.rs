//! Everything of a runtime that we use, by what for: names and structures, checked against the node's own metadata when
//! a connection begins. What is missing or built otherwise is named, and switches off what needs it; the rest works.
//!
//! Read off spec 425's metadata (`tests/vectors/subtensor-native`), where a test finds every row of it.

use crate::shape::Shape::{self, Any, Bool, Bytes, Compact, Fields, List, Row, Uint, Variants};
use std::fmt;
use subxt::metadata::Metadata;

/// What the subnet's side is asked for. Each can be missing by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Feature {
    /// That the node is Subtensor, which block it has, and that it is the EVM's chain.
    Chain,
    /// Events that made no Ethereum receipt, and what arrives at our accounts.
    Events,
    /// Who is on the subnet, with which permits and settings.
    Subnet,
    /// Which EVM addresses hotkeys are associated with.
    Association,
    /// Stake averaged over time, and whether the subnet keeps count of it.
    VotingPower,
    /// Setting weights in the open.
    Weights,
    /// Setting weights by a hash that is revealed later.
    HashedWeights,
    /// Setting weights that a beacon opens.
    TimelockedWeights,
    /// What the subnet's alpha costs.
    Price,
    /// Calling ink! contracts, and what they would answer.
    Contracts,
    /// What a coldkey has staked, and how much of it can be moved.
    Stakes,
    /// What a call costs.
    Fees,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Chain,
        Self::Events,
        Self::Subnet,
        Self::Association,
        Self::VotingPower,
        Self::Weights,
        Self::HashedWeights,
        Self::TimelockedWeights,
        Self::Price,
        Self::Contracts,
        Self::Stakes,
        Self::Fees,
    ];
}

/// A value or map in storage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Item {
    /// What needs it.
    pub feature: Feature,
    /// The pallet.
    pub pallet: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What its keys are made of; none for a single value.
    pub keys: &'static [Shape],
    /// What it holds.
    pub value: Shape,
}

/// Something that can be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call {
    /// What needs it.
    pub feature: Feature,
    /// The pallet.
    pub pallet: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// Arguments in order.
    pub args: &'static [(&'static str, Shape)],
}

/// A question that the runtime itself answers, at a block and without changing anything (`state_call`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Api {
    /// What needs it.
    pub feature: Feature,
    /// The trait.
    pub name: &'static str,
    /// Its method.
    pub method: &'static str,
    /// Arguments in order.
    pub args: &'static [(&'static str, Shape)],
    /// What it answers.
    pub answer: Shape,
}

/// Something that happens. Fields without a name go by their place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Happening {
    /// What needs it.
    pub feature: Feature,
    /// The pallet.
    pub pallet: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it says, in order.
    pub fields: &'static [Shape],
}

/// 32 bytes: an account, a hotkey, a hash.
const ID: Shape = Bytes(32);
const NETUID: Shape = Uint(16);
const UIDS: Shape = List(&Uint(16));
const DATA: Shape = List(&Uint(8));
/// Time of computing in picoseconds, and bytes of proof.
const WEIGHT: Shape = Fields(&[("ref_time", Compact), ("proof_size", Compact)]);

macro_rules! items {
    ($(
        $(#[$doc:meta])* $constant:ident: $feature:ident $pallet:literal $name:literal [$($key:expr),*] $value:expr;
    )*) => {
        $($(#[$doc])* pub const $constant: Item = Item {
            feature: Feature::$feature, pallet: $pallet, name: $name, keys: &[$($key),*], value: $value,
        };)*
        /// All that is read from storage.
        pub const ITEMS: &[Item] = &[$($constant),*];
    };
}

items! {
    /// Milliseconds since 1970, of the block.
    NOW: Chain "Timestamp" "Now" [] Uint(64);
    /// What `eth_chainId` answers.
    EVM_CHAIN_ID: Chain "EVMChainId" "ChainId" [] Uint(64);
    /// The Ethereum hash of a block by number.
    ETHEREUM_HASH: Chain "Ethereum" "BlockHash" [Any] ID;
    /// Nonce and balance of an account.
    ACCOUNT: Chain "System" "Account" [ID] Fields(&[
        ("nonce", Uint(32)),
        ("data", Fields(&[("free", Uint(64)), ("reserved", Uint(64)), ("frozen", Uint(64))])),
    ]);
    /// What happened in the block.
    EVENTS: Events "System" "Events" [] List(&Any);

    /// Whether there is such a subnet.
    NETWORK_ADDED: Subnet "SubtensorModule" "NetworksAdded" [NETUID] Bool;
    /// Counts the subnets that had this number.
    REGISTERED_COUNTER: Subnet "SubtensorModule" "RegisteredSubnetCounter" [NETUID] Uint(64);
    /// How many uids are taken.
    SIZE: Subnet "SubtensorModule" "SubnetworkN" [NETUID] Uint(16);
    /// The hotkey at a uid.
    KEYS: Subnet "SubtensorModule" "Keys" [NETUID, Uint(16)] ID;
    /// The uid of a hotkey.
    UID: Subnet "SubtensorModule" "Uids" [NETUID, ID] Uint(16);
    /// The coldkey of a hotkey.
    OWNER: Subnet "SubtensorModule" "Owner" [ID] ID;
    /// Who may set weights for others, by uid.
    PERMITS: Subnet "SubtensorModule" "ValidatorPermit" [NETUID] List(&Bool);
    /// The block of each uid's newest weights.
    LAST_UPDATE: Subnet "SubtensorModule" "LastUpdate" [NETUID] List(&Uint(64));
    /// Blocks between epochs.
    TEMPO: Subnet "SubtensorModule" "Tempo" [NETUID] Uint(16);
    /// The block of the last epoch.
    LAST_EPOCH_BLOCK: Subnet "SubtensorModule" "LastEpochBlock" [NETUID] Uint(64);
    /// The block of an epoch that the owner called for; 0 for none.
    PENDING_EPOCH: Subnet "SubtensorModule" "PendingEpochAt" [NETUID] Uint(64);
    /// Counts the subnet's epochs.
    EPOCH: Subnet "SubtensorModule" "SubnetEpochIndex" [NETUID] Uint(64);
    /// The hotkey of the subnet's owner, from whom no stake is asked.
    OWNER_HOTKEY: Subnet "SubtensorModule" "SubnetOwnerHotkey" [NETUID] ID;

    /// The EVM address of a uid, and since which block.
    ASSOCIATED: Association "SubtensorModule" "AssociatedEvmAddress" [NETUID, Uint(16)] Row(&[Bytes(20), Uint(64)]);

    /// A hotkey's stake on the subnet, averaged over time.
    VOTING_POWER: VotingPower "SubtensorModule" "VotingPower" [NETUID, ID] Uint(64);
    /// Whether the subnet keeps count of it.
    VOTING_POWER_TRACKED: VotingPower "SubtensorModule" "VotingPowerTrackingEnabled" [NETUID] Bool;
    /// The block at which it stops; 0 for none.
    VOTING_POWER_ENDS: VotingPower "SubtensorModule" "VotingPowerDisableAtBlock" [NETUID] Uint(64);

    /// Whether weights are hidden first.
    HIDDEN: Weights "SubtensorModule" "CommitRevealWeightsEnabled" [NETUID] Bool;
    /// Weights of another version are refused.
    VERSION_KEY: Weights "SubtensorModule" "WeightsVersionKey" [NETUID] Uint(64);
    /// Blocks between two weights of one uid.
    RATE_LIMIT: Weights "SubtensorModule" "WeightsSetRateLimit" [NETUID] Uint(64);
    /// Fewer uids than this are refused.
    LEAST_UIDS: Weights "SubtensorModule" "MinAllowedWeights" [NETUID] Uint(16);
    /// No weight may be a larger share than this of 65,535.
    LARGEST_SHARE: Weights "SubtensorModule" "MaxWeightsLimit" [NETUID] Uint(16);
    /// Least stake of whoever sets weights.
    STAKE_THRESHOLD: Weights "SubtensorModule" "StakeThreshold" [] Uint(64);
    /// All stake under a hotkey on a subnet, in alpha; on the root network, in rao.
    HOTKEY_ALPHA: Weights "SubtensorModule" "TotalHotkeyAlpha" [ID, NETUID] Uint(64);
    /// What a rao on the root network counts beside an alpha, of 2^64 - 1.
    TAO_WEIGHT: Weights "SubtensorModule" "TaoWeight" [] Uint(64);
    /// Hotkeys whose stake counts for this one on a subnet, each with a share of 2^64 - 1.
    PARENTS: Weights "SubtensorModule" "ParentKeys" [ID, NETUID] List(&Row(&[Uint(64), ID]));
    /// Hotkeys that this one's stake counts for.
    CHILDREN: Weights "SubtensorModule" "ChildKeys" [ID, NETUID] List(&Row(&[Uint(64), ID]));
    /// Weights of a uid as they are.
    WEIGHTS: Weights "SubtensorModule" "Weights" [NETUID, Uint(16)] List(&Row(&[Uint(16), Uint(16)]));

    /// Epochs from a commit to its reveal.
    REVEAL_PERIOD: Weights "SubtensorModule" "RevealPeriodEpochs" [NETUID] Uint(64);
    /// Hashes a hotkey has committed to.
    HASH_COMMITS: HashedWeights "SubtensorModule" "WeightCommits" [NETUID, ID]
        List(&Row(&[ID, Uint(64), Uint(64), Uint(64)]));

    /// Commits of an epoch: hotkey, block, ciphertext, round.
    TIMELOCKED: TimelockedWeights "SubtensorModule" "TimelockedWeightCommits" [NETUID, Uint(64)]
        List(&Row(&[ID, Uint(64), List(&Uint(8)), Uint(64)]));
    /// Which version of timelocked commits the chain takes.
    COMMIT_VERSION: TimelockedWeights "SubtensorModule" "CommitRevealWeightsVersion" [] Uint(16);
    /// The newest round of the beacon that the chain has.
    LAST_ROUND: TimelockedWeights "Drand" "LastStoredRound" [] Uint(64);

    /// The smoothed price of alpha in TAO, 32 of its 128 bits after the point.
    MOVING_PRICE: Price "SubtensorModule" "SubnetMovingPrice" [NETUID] Shape::Int(128);

    /// What a contract is: its code's hash among others.
    CONTRACT: Contracts "Contracts" "ContractInfoOf" [ID] Fields(&[("code_hash", ID)]);
}

macro_rules! calls {
    ($(
        $(#[$doc:meta])* $constant:ident: $feature:ident $pallet:literal $name:literal { $($arg:ident: $shape:expr),* };
    )*) => {
        $($(#[$doc])* pub const $constant: Call = Call {
            feature: Feature::$feature, pallet: $pallet, name: $name, args: &[$((stringify!($arg), $shape)),*],
        };)*
        /// All that is called.
        pub const CALLS: &[Call] = &[$($constant),*];
    };
}

calls! {
    /// Weights in the open.
    SET_WEIGHTS: Weights "SubtensorModule" "set_weights"
        { netuid: NETUID, dests: UIDS, weights: UIDS, version_key: Uint(64) };
    /// A hash of weights.
    COMMIT_WEIGHTS: HashedWeights "SubtensorModule" "commit_weights" { netuid: NETUID, commit_hash: ID };
    /// The weights behind a hash.
    REVEAL_WEIGHTS: HashedWeights "SubtensorModule" "reveal_weights"
        { netuid: NETUID, uids: UIDS, values: UIDS, salt: UIDS, version_key: Uint(64) };
    /// Weights that a round of the beacon opens.
    COMMIT_TIMELOCKED: TimelockedWeights "SubtensorModule" "commit_timelocked_weights"
        { netuid: NETUID, commit: List(&Uint(8)), reveal_round: Uint(64), commit_reveal_version: Uint(16) };
    /// An EVM address for a hotkey.
    ASSOCIATE: Association "SubtensorModule" "associate_evm_key"
        { netuid: NETUID, evm_key: Bytes(20), block_number: Uint(64), signature: Bytes(65) };
    /// A message to an ink! contract.
    CALL_CONTRACT: Contracts "Contracts" "call" {
        dest: Variants(&[("Id", &[ID])]), value: Compact, gas_limit: WEIGHT,
        storage_deposit_limit: Variants(&[("None", &[]), ("Some", &[Compact])]), data: DATA
    };
}

macro_rules! apis {
    ($(
        $(#[$doc:meta])* $constant:ident: $feature:ident $name:literal $method:literal
            { $($arg:ident: $shape:expr),* } $answer:expr;
    )*) => {
        $($(#[$doc])* pub const $constant: Api = Api {
            feature: Feature::$feature, name: $name, method: $method,
            args: &[$((stringify!($arg), $shape)),*], answer: $answer,
        };)*
        /// All that the runtime is asked.
        pub const APIS: &[Api] = &[$($constant),*];
    };
}

apis! {
    /// What a message to a contract would do, if it were in the next block.
    TRY_CONTRACT: Contracts "ContractsApi" "call" {
        origin: ID, dest: ID, value: Uint(64), gas_limit: Variants(&[("None", &[]), ("Some", &[WEIGHT])]),
        storage_deposit_limit: Variants(&[("None", &[]), ("Some", &[Uint(64)])]), input_data: DATA
    } Fields(&[
        ("gas_required", WEIGHT),
        ("storage_deposit", Variants(&[("Refund", &[Uint(64)]), ("Charge", &[Uint(64)])])),
        ("debug_message", DATA),
        ("result", Variants(&[("Ok", &[Fields(&[("flags", Uint(32)), ("data", DATA)])]), ("Err", &[Any])])),
    ]);
    /// What a call would cost, at most, in an extrinsic of so many bytes.
    CALL_FEE: Fees "TransactionPaymentCallApi" "query_call_info" { call: Any, len: Uint(32) }
        Fields(&[("partial_fee", Uint(64))]);
    /// A coldkey's positions on all subnets.
    STAKES: Stakes "StakeInfoRuntimeApi" "get_stake_info_for_coldkey" { coldkey_account: ID }
        List(&Fields(&[("hotkey", ID), ("netuid", Compact), ("stake", Compact)]));
    /// How much of what coldkeys have on subnets is bound by locks.
    AVAILABLE: Stakes "StakeInfoRuntimeApi" "get_stake_availability_for_coldkeys"
        { coldkey_accounts: List(&ID), netuids: Variants(&[("None", &[]), ("Some", &[List(&NETUID)])]) }
        List(&Row(&[ID, List(&Row(&[NETUID, Fields(&[
            ("total", Compact), ("locked", Compact), ("available", Compact),
        ])]))]));
}

macro_rules! happenings {
    ($($(#[$doc:meta])* $constant:ident: $feature:ident $pallet:literal $name:literal [$($field:expr),*];)*) => {
        $($(#[$doc])* pub const $constant: Happening = Happening {
            feature: Feature::$feature, pallet: $pallet, name: $name, fields: &[$($field),*],
        };)*
        /// All that is heard.
        pub const HAPPENINGS: &[Happening] = &[$($constant),*];
    };
}

happenings! {
    /// A log of a contract.
    EVM_LOG: Events "EVM" "Log" [Fields(&[("address", Bytes(20)), ("topics", List(&ID)), ("data", List(&Uint(8)))])];
    /// An Ethereum transaction ran: it has a receipt.
    ETHEREUM_EXECUTED: Events "Ethereum" "Executed" [Bytes(20), Bytes(20), ID, Any, Any];
    /// A call to a contract came to its end, with or without an Ethereum transaction.
    EVM_EXECUTED: Events "EVM" "Executed" [Bytes(20)];
    /// TAO moved: from, to, rao.
    TRANSFER: Events "Balances" "Transfer" [ID, ID, Uint(64)];
    /// Stake was handed over: from coldkey, to coldkey, hotkey, from netuid, to netuid, rao.
    STAKE_TRANSFERRED: Events "SubtensorModule" "StakeTransferred" [ID, ID, ID, Uint(16), Uint(16), Uint(64)];
    /// Stake was bought: coldkey, hotkey, rao, alpha, netuid, fee.
    STAKE_ADDED: Events "SubtensorModule" "StakeAdded" [ID, ID, Uint(64), Uint(64), Uint(16), Uint(64)];
    /// A hotkey was replaced: coldkey, old, new.
    HOTKEY_SWAPPED: Events "SubtensorModule" "HotkeySwapped" [ID, ID, ID];
    /// A subnet was dissolved.
    NETWORK_REMOVED: Events "SubtensorModule" "NetworkRemoved" [Uint(16)];
    /// A contract says something: which, what.
    CONTRACT_EMITTED: Contracts "Contracts" "ContractEmitted" [ID, DATA];
    /// An extrinsic did what it was to do.
    SUCCESS: Contracts "System" "ExtrinsicSuccess" [Fields(&[("weight", WEIGHT)])];
    /// An extrinsic changed nothing: why.
    FAILED: Contracts "System" "ExtrinsicFailed"
        [Variants(&[("Module", &[Fields(&[("index", Uint(8)), ("error", Bytes(4))])])]), Any];
}

/// One of [`HASH_COMMITS`]: hash, epoch and block of the commit, and a number that is not used any more (the pallet's
/// own words of spec 425; before epochs were counted it was block, first and last block of the reveal).
pub type HashCommit = ([u8; 32], u64, u64, u64);

/// One of [`TIMELOCKED`]: hotkey, block of the commit, ciphertext, round.
pub type TimelockedCommit = ([u8; 32], u64, Vec<u8>, u64);

/// Something that a runtime does not have as we need it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub struct Lack {
    /// What cannot be done without it.
    pub feature: Feature,
    /// Storage, call, event or API.
    pub kind: &'static str,
    /// `Pallet.name`.
    pub name: String,
    /// What is the matter with it.
    pub why: String,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is off: the runtime's {} {} {}", self.feature, self.kind, self.name, self.why)
    }
}

/// All that a runtime lacks, in the order of the tables.
pub fn lacks(metadata: &Metadata) -> Vec<Lack> {
    let items = ITEMS.iter().filter_map(|item| {
        let why = item_fault(metadata, item)?;
        Some(Lack { feature: item.feature, kind: "storage", name: format!("{}.{}", item.pallet, item.name), why })
    });
    let calls = CALLS.iter().filter_map(|call| {
        let why = call_fault(metadata, call)?;
        Some(Lack { feature: call.feature, kind: "call", name: format!("{}.{}", call.pallet, call.name), why })
    });
    let events = HAPPENINGS.iter().filter_map(|event| {
        let why = event_fault(metadata, event)?;
        Some(Lack { feature: event.feature, kind: "event", name: format!("{}.{}", event.pallet, event.name), why })
    });
    let apis = APIS.iter().filter_map(|api| {
        let why = api_fault(metadata, api)?;
        Some(Lack { feature: api.feature, kind: "API", name: format!("{}.{}", api.name, api.method), why })
    });
    items.chain(calls).chain(events).chain(apis).collect()
}

const MISSING: &str = "does not exist";

fn item_fault(metadata: &Metadata, item: &Item) -> Option<String> {
    let pallet = metadata.pallet_by_name(item.pallet);
    let entry = pallet.as_ref().and_then(|pallet| pallet.storage()).and_then(|all| all.entry_by_name(item.name));
    let Some(entry) = entry else { return Some(MISSING.into()) };
    let types = metadata.types();
    let keys: Vec<u32> = entry.keys().map(|key| key.key_id).collect();
    let fits = keys.len() == item.keys.len() && item.keys.iter().zip(&keys).all(|(key, id)| key.fits(types, *id));
    if !fits {
        return Some(format!("has other keys than {}", Shape::Row(item.keys)));
    }
    (!item.value.fits(types, entry.value_ty())).then(|| format!("does not hold {}", item.value))
}

fn call_fault(metadata: &Metadata, call: &Call) -> Option<String> {
    let pallet = metadata.pallet_by_name(call.pallet);
    let Some(found) = pallet.as_ref().and_then(|pallet| pallet.call_variant_by_name(call.name)) else {
        return Some(MISSING.into());
    };
    let names = found.fields.iter().map(|field| field.name.as_deref().unwrap_or(""));
    if !names.eq(call.args.iter().map(|(name, _)| *name)) {
        return Some(format!("takes other arguments than {}", Shape::Fields(call.args)));
    }
    let mut pairs = call.args.iter().zip(&found.fields);
    let odd = pairs.find(|((_, shape), field)| !shape.fits(metadata.types(), field.ty.id));
    odd.map(|((name, shape), _)| format!("takes something else than {shape} as {name}"))
}

fn event_fault(metadata: &Metadata, event: &Happening) -> Option<String> {
    let pallet = metadata.pallet_by_name(event.pallet);
    let mut variants = pallet.as_ref().and_then(|pallet| pallet.event_variants()).unwrap_or_default().iter();
    let Some(found) = variants.find(|variant| variant.name == event.name) else { return Some(MISSING.into()) };
    let ids = found.fields.iter().map(|field| field.ty.id);
    let fits = ids.len() == event.fields.len()
        && event.fields.iter().zip(ids).all(|(shape, id)| shape.fits(metadata.types(), id));
    (!fits).then(|| format!("does not say {}", Shape::Row(event.fields)))
}

fn api_fault(metadata: &Metadata, api: &Api) -> Option<String> {
    let group = metadata.runtime_api_trait_by_name(api.name);
    let Some(found) = group.and_then(|group| group.method_by_name(api.method)) else { return Some(MISSING.into()) };
    let names = found.inputs().map(|input| input.name.as_ref().to_owned());
    if !names.eq(api.args.iter().map(|(name, _)| (*name).to_owned())) {
        return Some(format!("takes other arguments than {}", Shape::Fields(api.args)));
    }
    let odd = api.args.iter().zip(found.inputs()).find(|((_, shape), input)| !shape.fits(metadata.types(), input.id));
    if let Some(((name, shape), _)) = odd {
        return Some(format!("takes something else than {shape} as {name}"));
    }
    (!api.answer.fits(metadata.types(), found.output_ty())).then(|| format!("does not answer {}", api.answer))
}
