//! The whole state of the chain, with checkpoints: a frame that reverts takes everything back, as Substrate's storage
//! layers do, precompiles' effects included.

use crate::{
    account::{AccountId, mapped},
    ledger::Ledger,
    precompiles::Precompile,
    staking::{Market, Stakes},
    subnet::Subnet,
};
use primitive_types::{H160, H256, U256};
use sha2::digest::Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// Code and storage of a contract.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contract {
    pub(crate) code: Rc<Vec<u8>>,
    pub(crate) storage: BTreeMap<H256, H256>,
}

/// A right to act for another account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProxyRight {
    /// Who may act.
    pub delegate: AccountId,
    /// What for: 0 is anything.
    pub proxy_type: u8,
    /// Blocks between announcement and execution.
    pub delay: u32,
}

/// Everything a revert takes back. Parts are shared between checkpoints until they are written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storage {
    pub(crate) ledger: Rc<Ledger>,
    pub(crate) contracts: Rc<BTreeMap<H160, Rc<Contract>>>,
    pub(crate) subnets: Rc<BTreeMap<u16, Subnet>>,
    pub(crate) owners: Rc<BTreeMap<AccountId, AccountId>>,
    pub(crate) stakes: Rc<Stakes>,
    pub(crate) proxies: Rc<BTreeMap<AccountId, Vec<ProxyRight>>>,
}

/// The block that transactions run in.
#[derive(Debug, Clone)]
pub struct Block {
    /// Substrate's block number, which is the EVM's.
    pub number: u64,
    /// The author's clock, in seconds.
    pub timestamp_secs: u64,
    /// Chain id. sudo can change it at any time (D18).
    pub chain_id: u64,
    /// Price of gas in wei: what everybody pays, whatever they offer. 10 gwei is the floor.
    pub base_fee_wei: u64,
    /// The block's author: the first bytes of its aura key, no account anybody has.
    pub coinbase: H160,
}

/// A call frame as it was entered: who called which code in whose name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// The caller the callee sees.
    pub caller: alloy_primitives::Address,
    /// The account the code runs as.
    pub context: alloy_primitives::Address,
    /// Where the code is. Other than `context` in a DELEGATECALL or CALLCODE.
    pub code: alloy_primitives::Address,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Storage,
    saved: Vec<Storage>,
    pub(crate) block: Block,
    /// Before PR #3130 a DELEGATECALL reaches precompiles that sign (D1).
    pub(crate) delegatecall_open: bool,
    pub(crate) disabled: BTreeSet<Precompile>,
    pub(crate) frames: Vec<Frame>,
}

impl World {
    pub(crate) fn new(block: Block) -> Self {
        Self {
            now: Storage::default(),
            saved: Vec::new(),
            block,
            delegatecall_open: true,
            disabled: BTreeSet::new(),
            frames: Vec::new(),
        }
    }

    /* CHECKPOINTS */

    pub(crate) fn save(&mut self) {
        self.saved.push(self.now.clone());
    }

    pub(crate) fn commit(&mut self) {
        self.saved.pop();
    }

    pub(crate) fn restore(&mut self) {
        if let Some(storage) = self.saved.pop() {
            self.now = storage;
        }
    }

    /* PARTS */

    pub(crate) fn ledger(&mut self) -> &mut Ledger {
        Rc::make_mut(&mut self.now.ledger)
    }

    pub(crate) fn subnets(&mut self) -> &mut BTreeMap<u16, Subnet> {
        Rc::make_mut(&mut self.now.subnets)
    }

    pub(crate) fn stakes(&mut self) -> &mut Stakes {
        Rc::make_mut(&mut self.now.stakes)
    }

    pub(crate) fn proxies(&mut self) -> &mut BTreeMap<AccountId, Vec<ProxyRight>> {
        Rc::make_mut(&mut self.now.proxies)
    }

    pub(crate) fn market(&mut self) -> Market<'_> {
        Market {
            stakes: Rc::make_mut(&mut self.now.stakes),
            ledger: Rc::make_mut(&mut self.now.ledger),
            subnets: &self.now.subnets,
        }
    }

    /* CONTRACTS */

    pub(crate) fn contract(&self, address: H160) -> Option<&Contract> {
        self.now.contracts.get(&address).map(Rc::as_ref)
    }

    pub(crate) fn contract_mut(&mut self, address: H160) -> &mut Contract {
        Rc::make_mut(Rc::make_mut(&mut self.now.contracts).entry(address).or_default())
    }

    pub(crate) fn code(&self, address: H160) -> Rc<Vec<u8>> {
        self.contract(address).map(|contract| contract.code.clone()).unwrap_or_default()
    }

    /// Code keeps the account alive without money (sufficients).
    pub(crate) fn set_code(&mut self, address: H160, code: Vec<u8>) {
        let had_code = !self.code(address).is_empty();
        let has_code = !code.is_empty();
        self.contract_mut(address).code = Rc::new(code);
        match (had_code, has_code) {
            (false, true) => self.ledger().inc_sufficients(mapped(address)),
            (true, false) => self.ledger().dec_sufficients(mapped(address)),
            _ => {}
        }
    }

    pub(crate) fn remove_contract(&mut self, address: H160) {
        if Rc::make_mut(&mut self.now.contracts).remove(&address).is_some_and(|contract| !contract.code.is_empty()) {
            self.ledger().dec_sufficients(mapped(address));
        }
    }

    /* BLOCK */

    /// Only the last 256 blocks have a hash the EVM can see (D16).
    pub(crate) fn block_hash(&self, number: U256) -> H256 {
        let current = U256::from(self.block.number);
        if current <= number || number + 256 < current {
            return H256::zero();
        }
        H256::from_slice(&sha2::Sha256::digest(number.low_u64().to_le_bytes()))
    }
}
