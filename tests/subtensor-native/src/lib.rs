//! A Subtensor node's Substrate side in memory: storage by the recorded metadata of spec 425, blocks on command, signed
//! calls about weights and to a vault checked and carried out as the chain does, and a JSON-RPC server that fails on
//! command.
//!
//! It is a model, written from what is known of the chain, and no node. What it was compared with: the layout of calls
//! that a real node took, that node's answers to submissions, its keys of storage.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod contracts;
mod extrinsic;
mod rpc;
mod rules;
mod vault;

pub use contracts::FEE_RAO;
pub use rpc::{Knobs, Server};
pub use vault::{LEAST_TRANSFER_RAO, RECORD_DEPOSIT_RAO, Told, Trouble, Vault};

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use subxt::ext::codec::{Compact, Decode, Encode};
use subxt::metadata::{ArcMetadata, Metadata};
use surety_core::types::Hash32;
use surety_substrate::needed::{self, Happening, Item};
use surety_substrate::node::Head;
use surety_substrate::runtime::{Part, Runtime, Versions};
use surety_substrate::ss58::AccountId;

/// The metadata of spec 425, version 15.
pub const METADATA: &[u8] = include_bytes!("../../vectors/subtensor-native/metadata-spec425-v15.scale");

/// The versions that go with it.
pub const VERSIONS: Versions = Versions { spec: 425, transaction: 1 };

/// Hash of the first block.
pub const GENESIS: Hash32 = Hash32([7; 32]);

/// Seconds between blocks.
pub const BLOCK_SECS: u64 = 12;

/// Time of the first block, Unix seconds.
const STARTED_SECS: u64 = 1_760_000_000;

type Storage = BTreeMap<Vec<u8>, Vec<u8>>;

/// The chain.
pub struct Chain {
    runtime: Runtime,
    metadata: ArcMetadata,
    state: Mutex<State>,
}

struct State {
    blocks: Vec<Block>,
    final_number: u64,
    /// Storage as the next block will have it.
    next: Storage,
    events: Vec<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    /// Hashes of bytes that the pool has seen.
    seen: Vec<Hash32>,
    /// Signatures of rounds of the beacon.
    rounds: BTreeMap<u64, Vec<u8>>,
    /// Why calls that were in a block did nothing.
    failures: Vec<&'static str>,
    /// The vault as the next block will have it.
    vault: Option<Vault>,
}

struct Block {
    head: Head,
    storage: Arc<Storage>,
    vault: Option<Vault>,
    /// Extrinsics; the first is the block's time, which nobody signs.
    body: Vec<Vec<u8>>,
}

/// Blake2b of 32 bytes, as the chain hashes.
pub fn blake2_256(bytes: &[u8]) -> Hash32 {
    Hash32(Blake2b::<U32>::digest(bytes).into())
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// A chain of one block, with nothing in storage but its time.
    pub fn new() -> Self {
        let runtime = Runtime::new(GENESIS, VERSIONS, METADATA).unwrap();
        let metadata = Metadata::decode_from(METADATA).unwrap().arc();
        let head = Head { number: 0, hash: GENESIS, parent: Hash32::default() };
        let state = State {
            blocks: vec![Block { head, storage: Arc::default(), vault: None, body: vec![] }],
            final_number: 0,
            next: Storage::new(),
            events: Vec::new(),
            pool: Vec::new(),
            seen: Vec::new(),
            rounds: BTreeMap::new(),
            failures: Vec::new(),
            vault: None,
        };
        Self { runtime, metadata, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The runtime, for keys.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    fn key(&self, item: &Item, parts: &[Part]) -> Vec<u8> {
        self.runtime.key(item, parts).unwrap()
    }

    /// Stores a value, from the next block on.
    pub fn set(&self, item: &Item, parts: &[Part], value: impl Encode) {
        let key = self.key(item, parts);
        self.state().next.insert(key, value.encode());
    }

    /// Takes a value away, from the next block on.
    pub fn clear(&self, item: &Item, parts: &[Part]) {
        let key = self.key(item, parts);
        self.state().next.remove(&key);
    }

    /// A value as the next block will have it, or the runtime's default, or ours where it has none.
    pub fn get<T: Decode + Default>(&self, item: &Item, parts: &[Part]) -> T {
        let key = self.key(item, parts);
        let pallet = self.metadata.pallet_by_name(item.pallet).unwrap();
        let entry = pallet.storage().unwrap().entry_by_name(item.name).unwrap();
        let state = self.state();
        let bytes = state.next.get(&key).map(Vec::as_slice).or(entry.default_value());
        bytes.map_or_else(T::default, |mut bytes| T::decode(&mut bytes).unwrap())
    }

    /// Something that happens in the next block, in an extrinsic or beside all. `fields` are encoded one after another.
    pub fn event(&self, extrinsic: Option<u32>, event: &Happening, fields: &[u8]) {
        self.event_with(extrinsic, event, fields, &[]);
    }

    fn event_with(&self, extrinsic: Option<u32>, event: &Happening, fields: &[u8], topics: &[[u8; 32]]) {
        let pallet = self.metadata.pallet_by_name(event.pallet).unwrap();
        let variant = pallet.event_variants().unwrap().iter().find(|variant| variant.name == event.name).unwrap();
        let phase = extrinsic.map_or_else(|| vec![1], |index| [vec![0], index.encode()].concat());
        let record =
            [phase, vec![pallet.event_index(), variant.index], fields.to_vec(), topics.to_vec().encode()].concat();
        self.state().events.push(record);
    }

    /// Makes a block of what is in the pool.
    pub fn seal(&self) -> Head {
        let number = self.best().number + 1;
        self.set(&needed::NOW, &[], (STARTED_SECS + number * BLOCK_SECS) * 1_000);
        self.turn_epochs(number);
        let mut body = vec![b"time".to_vec()];
        let calls = std::mem::take(&mut self.state().pool);
        for bytes in calls {
            if let Ok(call) = self.read(&bytes)
                && self.is_valid_at(&call, number).is_ok()
            {
                self.carry_out(&call, u32::try_from(body.len()).unwrap(), number);
                body.push(bytes);
            }
        }
        let mut state = self.state();
        let records = std::mem::take(&mut state.events);
        let count = Compact(u32::try_from(records.len()).unwrap()).encode();
        state.next.insert(self.key(&needed::EVENTS, &[]), [count, records.concat()].concat());
        let parent = state.blocks.last().unwrap().head.hash;
        let hash = blake2_256(&[&parent.0[..], &number.to_be_bytes()].concat());
        let head = Head { number, hash, parent };
        let storage = Arc::new(state.next.clone());
        let vault = state.vault.clone();
        state.blocks.push(Block { head, storage, vault, body });
        head
    }

    /// Makes so many blocks, and the last of them final.
    pub fn run(&self, blocks: u64) -> Head {
        for _ in 0..blocks {
            self.seal();
        }
        self.finalize(self.best().number);
        self.best()
    }

    /// Makes a block final, and all before it.
    pub fn finalize(&self, number: u64) {
        self.state().final_number = number;
    }

    /// The newest block.
    pub fn best(&self) -> Head {
        self.state().blocks.last().unwrap().head
    }

    /// The time of a block, Unix seconds.
    pub fn time_of(number: u64) -> u64 {
        STARTED_SECS + number * BLOCK_SECS
    }

    /// Forgets what is in the pool.
    pub fn forget_pool(&self) {
        self.state().pool.clear();
    }

    /// How many calls are in the pool.
    pub fn pool_size(&self) -> usize {
        self.state().pool.len()
    }

    /// Why calls that were in a block did nothing, so far.
    pub fn failures(&self) -> Vec<&'static str> {
        self.state().failures.clone()
    }

    /// A round of the beacon with its signature, from now on.
    pub fn add_round(&self, round: u64, signature: Vec<u8>) {
        self.state().rounds.insert(round, signature);
        self.set(&needed::LAST_ROUND, &[], round);
    }

    /// A subnet with these hotkeys at uids 0, 1, …, all with a validator permit, where weights are set in the open.
    pub fn add_subnet(&self, netuid: u16, tempo: u16, hotkeys: &[AccountId]) {
        let net = Part::Number(netuid.into());
        let size = u16::try_from(hotkeys.len()).unwrap();
        self.set(&needed::NETWORK_ADDED, &[net], true);
        self.set(&needed::REGISTERED_COUNTER, &[net], 1u64);
        self.set(&needed::SIZE, &[net], size);
        self.set(&needed::TEMPO, &[net], tempo);
        self.set(&needed::PERMITS, &[net], vec![true; hotkeys.len()]);
        self.set(&needed::LAST_UPDATE, &[net], vec![0u64; hotkeys.len()]);
        self.set(&needed::RATE_LIMIT, &[net], 100u64);
        // On is the runtime's default.
        self.set(&needed::HIDDEN, &[net], false);
        self.set(&needed::LARGEST_SHARE, &[net], u16::MAX);
        for (uid, hotkey) in (0u16..).zip(hotkeys) {
            self.set(&needed::KEYS, &[net, Part::Number(uid.into())], hotkey.0);
            self.set(&needed::UID, &[net, (*hotkey).into()], uid);
        }
    }

    /// The weights of a uid as they count now.
    pub fn weights_of(&self, netuid: u16, uid: u16) -> Vec<(u16, u16)> {
        self.get(&needed::WEIGHTS, &[Part::Number(netuid.into()), Part::Number(uid.into())])
    }
}
