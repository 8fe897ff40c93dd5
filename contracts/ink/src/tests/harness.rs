//! A vault, a chain, five keepers, and hands to call with.

use crate::docket::Host;
use crate::eip712::{self, Claim};
use crate::error::Error;
use crate::extension::SubtensorEnvironment;
use crate::types::*;
use crate::AlphaVault;
use alpha_model::{Account, Chain};
use ink::env::test as env;
use ink::scale::Decode;
use k256::ecdsa::SigningKey;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

pub(super) type E = SubtensorEnvironment;

pub(super) const NETUID: u16 = 51;
pub(super) const OPERATOR: Account = [0x11; 32];
pub(super) const OTHER_HOTKEY: Account = [0x12; 32];
pub(super) const NEW_HOTKEY: Account = [0x13; 32];
pub(super) const ALICE: Account = [0xa1; 32];
pub(super) const BOB: Account = [0xb0; 32];
pub(super) const CAROL: Account = [0xca; 32];
pub(super) const JUDGE: Account = [0x77; 32];
pub(super) const ANYBODY: Account = [0x99; 32];
pub(super) const MACHINE: [u8; 32] = [0x3c; 32];
pub(super) const ARBITER: Address = [0xa7; 20];
pub(super) const START: u64 = 1_800_000_000;
pub(super) const DAY: u64 = 86_400;
/// One whole alpha or TAO, in rao.
pub(super) const COIN: u64 = 1_000_000_000;

pub(super) fn id(account: Account) -> AccountId {
    AccountId::from(account)
}

pub(super) fn config() -> Config {
    Config {
        netuid: NETUID,
        chain_id: 964,
        arbiter: ARBITER,
        judge: id(JUDGE),
        exit_delay_secs: 14 * DAY,
        exit_window_secs: 3 * DAY,
        filing_life_secs: 3 * DAY,
        appeal_window_secs: DAY,
        ruling_window_secs: 2 * DAY,
        not_delivered_bps: 200,
        offline_bps: 1_000,
    }
}

/// Five keys whose addresses ascend.
pub(super) fn keys() -> Vec<SigningKey> {
    let mut keys: Vec<_> = (1..=5u8).map(|n| SigningKey::from_slice(&[n; 32]).unwrap()).collect();
    keys.sort_by_key(address);
    keys
}

pub(super) fn address(key: &SigningKey) -> Address {
    let point = key.verifying_key().to_encoded_point(false);
    let hash = eip712::Crypto::keccak(&Host, &point.as_bytes()[1..]);
    hash[12..].try_into().unwrap()
}

pub(super) fn roll_of(keys: &[SigningKey], number: u64) -> Roll {
    Roll { number, keepers: keys.iter().map(address).collect(), weights: vec![10; keys.len()] }
}

/// The compact signature of a digest.
pub(super) fn sign_digest(key: &SigningKey, digest: &[u8; 32]) -> Signature {
    let (signature, parity) = key.sign_prehash_recoverable(digest).unwrap();
    let r: [u8; 32] = signature.r().to_bytes().into();
    let mut vs: [u8; 32] = signature.s().to_bytes().into();
    vs[0] |= u8::from(parity.is_y_odd()) << 7;
    Signature { r, vs }
}

struct Extension(Rc<RefCell<Chain>>);

impl env::ChainExtension for Extension {
    fn ext_id(&self) -> u16 {
        0x1000
    }

    fn call(&mut self, function: u16, input: &[u8], output: &mut Vec<u8>) -> u32 {
        // The off-chain engine hands the arguments on as an encoded vector.
        let input = Vec::<u8>::decode(&mut &*input).unwrap();
        let (code, answer) = self.0.borrow_mut().call(function, &input);
        output.extend(answer);
        code
    }
}

pub(super) struct World {
    pub(super) vault: AlphaVault,
    pub(super) account: Account,
    pub(super) chain: Rc<RefCell<Chain>>,
    pub(super) now: u64,
    pub(super) keys: Vec<SigningKey>,
    /// The Arbiter's cases that were filed or tried: what was judged is looked up for each.
    pub(super) case_ids: BTreeSet<u64>,
}

thread_local!(static WORLDS: Cell<u32> = const { Cell::new(0) });

/// An account that no earlier world of this thread had: the engine's storage outlives a world.
fn fresh_account() -> Account {
    WORLDS.with(|worlds| {
        worlds.set(worlds.get() + 1);
        let mut account = [0xee; 32];
        account[..4].copy_from_slice(&worlds.get().to_be_bytes());
        account
    })
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(config()).unwrap()
    }

    pub(super) fn with(config: Config) -> Result<Self, Error> {
        let keys = keys();
        let roll = roll_of(&keys, 0);
        Self::made(config, roll.keepers, roll.weights)
    }

    pub(super) fn made(config: Config, keepers: Vec<Address>, weights: Vec<u64>) -> Result<Self, Error> {
        let account = fresh_account();
        let chain = Rc::new(RefCell::new(Chain::new(NETUID, account, &[OPERATOR, OTHER_HOTKEY])));
        env::register_chain_extension(Extension(chain.clone()));
        env::set_callee::<E>(id(account));
        // The pallet tells a contract what it can spend, the existential deposit left out (`reducible_balance`, with
        // `Preserve`); the engine tells what is set here.
        env::set_account_balance::<E>(id(account), 0);
        env::set_block_timestamp::<E>(START * 1_000);
        let vault = AlphaVault::new(config, id(OPERATOR), keepers, weights)?;
        let world = Self { vault, account, chain, now: START, keys: keys(), case_ids: BTreeSet::from([70]) };
        for coldkey in [ALICE, BOB, CAROL] {
            world.chain.borrow_mut().arrive(OPERATOR, coldkey, 1_000 * COIN);
            env::set_account_balance::<E>(id(coldkey), (100 * COIN).into());
        }
        Ok(world)
    }

    /* CALLING */

    /// Calls as `caller`. A refusal must have left the vault as it was; the chain is rolled back.
    pub(super) fn call<T>(
        &mut self,
        caller: Account,
        message: impl FnOnce(&mut AlphaVault) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.pay(caller, 0, message)
    }

    /// The same with TAO.
    pub(super) fn pay<T>(
        &mut self,
        caller: Account,
        rao: u64,
        message: impl FnOnce(&mut AlphaVault) -> Result<T, Error>,
    ) -> Result<T, Error> {
        env::set_caller::<E>(id(caller));
        env::set_callee::<E>(id(self.account));
        env::set_value_transferred::<E>(rao.into());
        self.move_tao(caller, self.account, rao);
        self.chain.borrow_mut().caller = caller;
        let chain = self.chain.borrow().clone();
        let vault = self.everything();
        let result = message(&mut self.vault);
        if result.is_err() {
            *self.chain.borrow_mut() = chain;
            assert_eq!(self.everything(), vault, "a refused message wrote something");
            self.move_tao(self.account, caller, rao);
        }
        result
    }

    fn move_tao(&self, from: Account, to: Account, rao: u64) {
        if rao > 0 {
            env::set_account_balance::<E>(id(from), (self.tao(from) - rao).into());
            env::set_account_balance::<E>(id(to), (self.tao(to) + rao).into());
        }
    }

    pub(super) fn tao(&self, account: Account) -> u64 {
        env::get_account_balance::<E>(id(account)).map_or(0, |balance| balance.try_into().unwrap())
    }

    pub(super) fn give_tao(&self, account: Account, rao: u64) {
        env::set_account_balance::<E>(id(account), (self.tao(account) + rao).into());
    }

    /// All that views tell, but for what the chain says.
    pub(super) fn everything(&self) -> String {
        let mut books = self.vault.books();
        books.stake = 0;
        let bonds: Vec<_> = (1..=books.bonds).map(|n| self.vault.bond_at(n).map(|view| view.bond)).collect();
        let cases: Vec<_> = (1..=books.cases).map(|n| self.vault.case_at(n)).collect();
        let credit: Vec<_> = [ALICE, BOB, CAROL].map(|account| self.vault.credit_of(id(account))).into();
        let bonds_and_ids = (1..=books.bonds).flat_map(|bond| self.case_ids.iter().map(move |id| (*id, bond)));
        let judged: Vec<_> = bonds_and_ids.map(|(id, bond)| (id, bond, self.vault.judged_by(id, bond))).collect();
        format!("{books:?} {bonds:?} {cases:?} {judged:?} {credit:?} {:?}", self.vault.roll())
    }

    pub(super) fn wait(&mut self, secs: u64) {
        self.now += secs;
        env::set_block_timestamp::<E>(self.now * 1_000);
    }

    /* COMMON THINGS */

    pub(super) fn deposit(&mut self, owner: Account, alpha: u64) -> Result<u64, Error> {
        self.call(owner, |vault| vault.deposit(MACHINE, id(OPERATOR), alpha))
    }

    pub(super) fn bond(&self, owner: Account) -> BondView {
        let number = self.vault.bond_number(id(owner), MACHINE).unwrap();
        self.vault.bond_at(number).unwrap()
    }

    pub(super) fn case(&self, number: u32) -> Case {
        self.vault.case_at(number).unwrap()
    }

    pub(super) fn dividends(&self, rao: u64) {
        self.chain.borrow_mut().arrive(OPERATOR, self.account, rao);
    }

    pub(super) fn stake_of(&self, coldkey: Account) -> u64 {
        self.chain.borrow().stake(OPERATOR, coldkey)
    }

    /* SIGNING */

    pub(super) fn sign(&self, key: usize, hash: [u8; 32]) -> Signature {
        self.sign_for(&self.vault.config(), key, hash)
    }

    pub(super) fn sign_for(&self, config: &Config, key: usize, hash: [u8; 32]) -> Signature {
        sign_digest(&self.keys[key], &eip712::digest(&Host, &eip712::domain(&Host, config), &hash))
    }

    /// Alice's bond behind rental 7, in the Arbiter's case 70: 20 TAO and 30 alpha that counted for 15 TAO; it earned
    /// 100 TAO.
    pub(super) fn backing(&self) -> Backing {
        Backing {
            owner: id(ALICE),
            machine: MACHINE,
            registration: 5,
            case_id: 70,
            kind: Kind::Offline,
            rental: 7,
            tao_reserve: 20 * COIN,
            alpha: 30 * COIN,
            alpha_value: 15 * COIN,
            earned: 100 * COIN,
        }
    }

    pub(super) fn stated(&self, keys: &[usize], backing: &Backing) -> Vec<Stated> {
        let at = self.now as u32;
        keys.iter()
            .map(|key| {
                let hash = eip712::backing(&Host, &self.account, backing, at);
                Stated { stated_at: at, signature: self.sign(*key, hash) }
            })
            .collect()
    }

    pub(super) fn attested(&self, keys: &[usize], kind: Kind, rental: u64) -> Vec<Attestation> {
        keys.iter().map(|key| self.attestation(*key, kind, rental, self.now - 1_200, self.now - 60)).collect()
    }

    pub(super) fn attestation(&self, key: usize, kind: Kind, rental: u64, from: u64, until: u64) -> Attestation {
        let signature = Signature { r: [0; 32], vs: [0; 32] };
        let mut one =
            Attestation { cause: 1, from: from as u32, until: until as u32, evidence: [key as u8; 32], signature };
        one.signature = self.sign(key, eip712::attestation(&Host, kind, rental, &one));
        one
    }

    /// Files against Alice's bond with four of five keepers each.
    pub(super) fn file(&mut self, kind: Kind, backing: &Backing) -> Result<u32, Error> {
        let backing = Backing { kind, ..backing.clone() };
        let stated = self.stated(&[0, 1, 2, 3], &backing);
        let attested = self.attested(&[1, 2, 3, 4], kind, backing.rental);
        self.case_ids.insert(backing.case_id);
        self.call(ANYBODY, |vault| vault.set_aside(backing, stated, attested))
    }

    pub(super) fn shortfall(&self) -> Shortfall {
        Shortfall {
            owner: id(ALICE),
            machine: MACHINE,
            registration: 5,
            case_id: 70,
            alpha: 30 * COIN,
            alpha_value: 15 * COIN,
            shortfall: 5 * COIN,
        }
    }

    pub(super) fn file_spoofed(&mut self, shortfall: &Shortfall, proved_at: u64) -> Result<u32, Error> {
        let at = self.now as u32;
        let keys = [0, 1, 2, 3];
        let hash = eip712::shortfall(&Host, &self.account, shortfall, at);
        let stated = keys.map(|key| Stated { stated_at: at, signature: self.sign(key, hash) }).to_vec();
        let spoofs = keys.map(|key| self.spoof(key, shortfall, proved_at)).to_vec();
        self.case_ids.insert(shortfall.case_id);
        self.call(ANYBODY, |vault| vault.set_aside_spoofed(shortfall.clone(), 3, 8, stated, spoofs))
    }

    pub(super) fn spoof(&self, key: usize, shortfall: &Shortfall, proved_at: u64) -> Spoof {
        let claim =
            Claim { machine: shortfall.machine, registration: shortfall.registration, gpu_class: 3, gpu_count: 8 };
        let signature = Signature { r: [0; 32], vs: [0; 32] };
        let mut spoof = Spoof { proved_at: proved_at as u32, evidence: [9; 32], signature };
        spoof.signature = self.sign(key, eip712::spoof(&Host, &claim, &spoof));
        spoof
    }

    /// Four keepers tell what became of the Arbiter's case.
    pub(super) fn amend(&mut self, case: u32, dismissed: bool, earned: u64) -> Result<(), Error> {
        let (at, verdict) = (self.now as u32, Verdict { dismissed, earned });
        let case_id = self.vault.case_at(case).map_or(0, |case| case.case_id);
        let hash = eip712::verdict(&Host, &self.account, case_id, &verdict, at);
        let stated = [0, 1, 2, 3].map(|key| Stated { stated_at: at, signature: self.sign(key, hash) }).to_vec();
        self.call(ANYBODY, |vault| vault.amend(case, verdict, stated))
    }

    pub(super) fn appeal(&mut self, case: u32) -> Result<(), Error> {
        let price = self.vault.appeal_price(case).unwrap();
        self.pay(ALICE, price, |vault| vault.appeal(case, [1; 32]))
    }

    pub(super) fn execute(&mut self, case: u32) -> Result<(), Error> {
        self.call(ANYBODY, |vault| vault.execute(case))
    }
}

/// A world in which Alice has a bond of `alpha` rao.
pub(super) fn bonded(alpha: u64) -> World {
    let mut world = World::new();
    world.deposit(ALICE, alpha).unwrap();
    world
}
