//! The shipped Wasm lives its life in pallet-contracts: made, deposited into, judged, appealed, burned, left, swapped,
//! dissolved. Prints size, weight and storage deposit of each call (`-- --nocapture`).
#![allow(clippy::unwrap_used)]

use alpha_chain::*;
use alpha_model::{Account, Chain};
use alpha_vault::eip712::{self, Crypto};
use alpha_vault::error::Error;
use alpha_vault::types::*;
use k256::ecdsa::{RecoveryId, SigningKey, VerifyingKey};
use pallet_contracts::{Code, CollectEvents, DebugInfo, Determinism, ExecReturnValue};
use parity_scale_codec::{Decode, Encode};
use sha3::{Digest, Keccak256};
use sp_runtime::{AccountId32, BuildStorage, Weight};

const COIN: u64 = 1_000_000_000;
const DAY: u64 = 86_400;
const START: u64 = 1_800_000_000;
const NETUID: u16 = 51;
const HOTKEY: Account = [0x11; 32];
const NEW_HOTKEY: Account = [0x13; 32];
const ALICE: Account = [0xa1; 32];
const BOB: Account = [0xb0; 32];
const JUDGE: Account = [0x77; 32];
const ANYBODY: Account = [0x99; 32];
const MACHINE: [u8; 32] = [0x3c; 32];
const ARBITER: Address = [0xa7; 20];
const WASM: &[u8] = include_bytes!("../../artifacts/alpha_vault.wasm");
const GAS: Weight = Weight::from_parts(1_000_000_000_000, 10_000_000);

/// Hashing and recovery, written apart from the vault's.
struct Soft;

impl Crypto for Soft {
    fn keccak(&self, bytes: &[u8]) -> [u8; 32] {
        Keccak256::digest(bytes).into()
    }

    fn recover(&self, digest: &[u8; 32], signature: &[u8; 65]) -> Option<Address> {
        let id = RecoveryId::from_byte(signature[64])?;
        let sig = k256::ecdsa::Signature::from_slice(&signature[..64]).ok()?;
        VerifyingKey::recover_from_prehash(digest, &sig, id).ok().map(|key| address(&key))
    }
}

fn address(key: &VerifyingKey) -> Address {
    Soft.keccak(&key.to_encoded_point(false).as_bytes()[1..])[12..].try_into().unwrap()
}

fn keys(count: u8) -> Vec<SigningKey> {
    let mut keys: Vec<_> = (1..=count).map(|n| SigningKey::from_slice(&[n; 32]).unwrap()).collect();
    keys.sort_by_key(|key| address(key.verifying_key()));
    keys
}

fn config() -> Config {
    Config {
        netuid: NETUID,
        chain_id: 964,
        arbiter: ARBITER,
        judge: JUDGE.into(),
        exit_delay_secs: 14 * DAY,
        exit_window_secs: 3 * DAY,
        filing_life_secs: 3 * DAY,
        appeal_window_secs: DAY,
        ruling_window_secs: 2 * DAY,
        not_delivered_bps: 200,
        offline_bps: 1_000,
    }
}

struct Vault {
    account: AccountId32,
    keepers: u8,
}

type Answer<T> = Result<Result<T, Error>, ink::LangError>;

/// Runs on a fresh chain with the vault made and stake for Alice and Bob.
fn on_chain(test: impl FnOnce(Vault)) {
    on_chain_with(4, test);
}

/// The same with another number of keepers.
fn on_chain_with(keepers: u8, test: impl FnOnce(Vault)) {
    let storage = frame_system::GenesisConfig::<Runtime>::default().build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| {
        set_time(START);
        for account in [ALICE, BOB, JUDGE, ANYBODY] {
            give_tao(account, 1_000 * COIN);
        }
        frame_support::storage::unhashed::put(b":alpha-model:", &Chain::new(NETUID, [0; 32], &[HOTKEY]));
        change_model(|chain| {
            chain.arrive(HOTKEY, ALICE, 1_000 * COIN);
            chain.arrive(HOTKEY, BOB, 1_000 * COIN);
        });
        test(make(config(), keepers).unwrap());
    });
}

fn set_time(secs: u64) {
    pallet_timestamp::Now::<Runtime>::put(secs * 1_000);
}

fn give_tao(account: Account, rao: u64) {
    use frame_support::traits::fungible::Mutate;
    Balances::mint_into(&account.into(), rao).unwrap();
}

fn tao(account: Account) -> u64 {
    use frame_support::traits::fungible::Inspect;
    <Balances as Inspect<_>>::balance(&account.into())
}

fn make(config: Config, count: u8) -> Result<Vault, Error> {
    let keepers: Vec<Address> = keys(count).iter().map(|key| address(key.verifying_key())).collect();
    let data = message("new", &(config, HOTKEY, keepers, vec![10u64; count.into()]));
    let made = Contracts::bare_instantiate(
        ANYBODY.into(),
        0,
        GAS,
        None,
        Code::Upload(WASM.to_vec()),
        data,
        Vec::new(),
        DebugInfo::Skip,
        CollectEvents::Skip,
    );
    report("new", made.gas_consumed, made.storage_deposit.charge_or_zero());
    let made = made.result.unwrap();
    Answer::<()>::decode(&mut &made.result.data[..]).unwrap().unwrap()?;
    Ok(Vault { account: made.account_id, keepers: count })
}

fn report(name: &str, gas: Weight, deposit: u64) {
    println!(
        "{name:<20} {:>6} us {:>6} proof bytes {deposit:>12} rao deposit",
        gas.ref_time() / 1_000_000,
        gas.proof_size()
    );
}

impl Vault {
    /// The call's value, and what it took. A refused call is rolled back by the pallet.
    fn raw(&self, caller: Account, rao: u64, name: &str, arguments: impl Encode) -> (ExecReturnValue, Weight, u64) {
        let done = Contracts::bare_call(
            caller.into(),
            self.account.clone(),
            rao,
            GAS,
            None,
            message(name, &arguments),
            DebugInfo::Skip,
            CollectEvents::Skip,
            Determinism::Enforced,
        );
        (done.result.unwrap(), done.gas_consumed, done.storage_deposit.charge_or_zero())
    }

    fn call<T: Decode>(&self, caller: Account, name: &str, arguments: impl Encode) -> Result<T, Error> {
        self.pay(caller, 0, name, arguments)
    }

    fn pay<T: Decode>(&self, caller: Account, rao: u64, name: &str, arguments: impl Encode) -> Result<T, Error> {
        let (value, weight, deposit) = self.raw(caller, rao, name, arguments);
        report(name, weight, deposit);
        let answer = Answer::<T>::decode(&mut &value.data[..]).unwrap().unwrap();
        assert_eq!(answer.is_err(), value.did_revert(), "a refusal reverts the call");
        answer
    }

    fn view<T: Decode>(&self, name: &str, arguments: impl Encode) -> T {
        let (value, _, _) = self.raw(ANYBODY, 0, name, arguments);
        Result::<T, ink::LangError>::decode(&mut &value.data[..]).unwrap().unwrap()
    }

    fn touch(&self) -> u64 {
        let (value, weight, deposit) = self.raw(ANYBODY, 0, "touch", ());
        report("touch", weight, deposit);
        Result::<u64, ink::LangError>::decode(&mut &value.data[..]).unwrap().unwrap()
    }

    fn id(&self) -> Account {
        self.account.clone().into()
    }

    fn deposit(&self, who: Account, alpha: u64) -> Result<u64, Error> {
        self.call(who, "deposit", (MACHINE, HOTKEY, alpha))
    }

    fn bond(&self, number: u32) -> BondView {
        self.view::<Option<BondView>>("bond_at", number).unwrap()
    }

    fn sign(&self, key: &SigningKey, hash: [u8; 32]) -> Signature {
        let digest = eip712::digest(&Soft, &eip712::domain(&Soft, &config()), &hash);
        let (signature, parity) = key.sign_prehash_recoverable(&digest).unwrap();
        let mut vs: [u8; 32] = signature.s().to_bytes().into();
        vs[0] |= u8::from(parity.is_y_odd()) << 7;
        Signature { r: signature.r().to_bytes().into(), vs }
    }

    /// Files an outage of rental 7 by the first `count` keepers: 3 of 30 alpha.
    fn file(&self, now: u64, rental: u64, count: usize) -> Result<u32, Error> {
        let backing = Backing {
            owner: ALICE.into(),
            machine: MACHINE,
            registration: 5,
            case_id: rental,
            kind: Kind::Offline,
            rental,
            tao_reserve: 20 * COIN,
            alpha: 30 * COIN,
            alpha_value: 15 * COIN,
            earned: 100 * COIN,
        };
        let at = u32::try_from(now).unwrap();
        let zero = Signature { r: [0; 32], vs: [0; 32] };
        let mut one = Attestation { cause: 1, from: at - 1_200, until: at - 60, evidence: [7; 32], signature: zero };
        let (mut stated, mut attested) = (Vec::new(), Vec::new());
        for key in keys(self.keepers).iter().take(count) {
            one.signature = self.sign(key, eip712::attestation(&Soft, Kind::Offline, rental, &one));
            attested.push(one);
            let signature = self.sign(key, eip712::backing(&Soft, &self.id(), &backing, at));
            stated.push(Stated { stated_at: at, signature });
        }
        self.call(ANYBODY, "set_aside", (backing, stated, attested))
    }
}

#[test]
fn the_chain_takes_the_module_and_a_whole_life_runs_on_it() {
    on_chain(|vault| {
        assert_eq!(vault.deposit(ALICE, 100 * COIN), Ok(100 * COIN));
        assert_eq!(vault.deposit(BOB, 300 * COIN), Ok(300 * COIN));
        assert_eq!(model().stake(HOTKEY, vault.id()), 400 * COIN);
        let case = vault.file(START, 7, 3).unwrap();
        assert_eq!(vault.bond(1).held_rao, 3 * COIN);
        set_time(START + DAY);
        vault.call::<()>(ANYBODY, "execute", case).unwrap();
        assert_eq!(model().burned, 3 * COIN);
        let ready_at: u64 = vault.call(ALICE, "request_exit", (MACHINE, Option::<u64>::None)).unwrap();
        assert_eq!(ready_at, START + 15 * DAY);
        set_time(ready_at);
        assert_eq!(vault.call::<u64>(ALICE, "withdraw", (MACHINE, 0u64)), Ok(97 * COIN));
        assert_eq!(model().stake(HOTKEY, ALICE), 997 * COIN);
        let books: BooksView = vault.view("books", ());
        assert_eq!((books.stake, books.bonds, books.cases, books.wound_up), (300 * COIN, 2, 1, false));
        assert_eq!(vault.view::<Config>("config", ()), config());
    });
}

#[test]
fn an_appeal_is_paid_in_tao_and_comes_back_or_burns() {
    on_chain(|vault| {
        vault.deposit(ALICE, 100 * COIN).unwrap();
        let (first, second) = (vault.file(START, 7, 4).unwrap(), vault.file(START, 8, 4).unwrap());
        let price: Option<u64> = vault.view("appeal_price", first);
        assert_eq!(price, Some(150_000_000));
        let wrong = vault.pay::<()>(ALICE, 1, "appeal", (first, [0u8; 32]));
        assert_eq!(wrong, Err(Error::WrongAppealBond { want: 150_000_000 }));
        for case in [first, second] {
            vault.pay::<()>(ALICE, 150_000_000, "appeal", (case, [0u8; 32])).unwrap();
        }
        assert_eq!(vault.call::<()>(BOB, "rule", (first, false)), Err(Error::OnlyJudge(JUDGE.into())));
        vault.call::<()>(JUDGE, "rule", (first, false)).unwrap();
        vault.call::<()>(JUDGE, "rule", (second, true)).unwrap();
        let before = tao(ALICE);
        assert_eq!(vault.call::<u64>(ANYBODY, "withdraw_credit", ALICE), Ok(150_000_000));
        assert_eq!(tao(ALICE), before + 150_000_000);
        assert_eq!(vault.call::<u64>(ANYBODY, "flush_appeal_bonds", ()), Ok(150_000_000));
        assert_eq!(tao(BURN_ACCOUNT), 150_000_000);
        assert_eq!(vault.bond(1).free_rao, 97 * COIN);
    });
}

#[test]
fn refusals_carry_their_names_through_the_wasm_and_change_nothing() {
    on_chain(|vault| {
        vault.deposit(ALICE, 100 * COIN).unwrap();
        let before = model().stakes;
        assert_eq!(vault.file(START, 7, 2), Err(Error::NoQuorum { signers: 2 }));
        assert_eq!(vault.deposit(ANYBODY, COIN), Err(Error::NoStake { hotkey: HOTKEY.into() }));
        change_model(|chain| chain.locks.insert(BOB, 999 * COIN));
        let locked = Error::LockedAlpha { available: COIN, asked: 2 * COIN };
        assert_eq!(vault.deposit(BOB, 2 * COIN), Err(locked));
        // The transfer before a move that fails is undone by the chain itself.
        change_model(|chain| {
            chain.hotkeys.insert(NEW_HOTKEY);
            chain.arrive(NEW_HOTKEY, ALICE, COIN);
            chain.hotkeys.remove(&HOTKEY);
        });
        assert!(vault.call::<u64>(ALICE, "deposit", (MACHINE, NEW_HOTKEY, COIN)).is_err());
        assert_eq!(model().stake(NEW_HOTKEY, ALICE), COIN);
        change_model(|chain| chain.stakes.remove(&(NEW_HOTKEY, ALICE)));
        assert_eq!(model().stakes, before);
        assert_eq!(make(Config { netuid: 52, ..config() }, 4).err(), Some(Error::NoSubnet(52)));
    });
}

#[test]
fn a_swapped_hotkey_is_followed_and_a_dissolved_subnet_pays_tao() {
    on_chain(|vault| {
        vault.deposit(ALICE, 100 * COIN).unwrap();
        vault.deposit(BOB, 300 * COIN).unwrap();
        change_model(|chain| chain.swap_hotkey(HOTKEY, NEW_HOTKEY));
        let moved = Error::StakeMoved { stake: 0, seen: 400 * COIN };
        assert_eq!(vault.call::<u64>(BOB, "deposit", (MACHINE, NEW_HOTKEY, COIN)), Err(moved));
        vault.call::<()>(ANYBODY, "follow_swap", NEW_HOTKEY).unwrap();
        let paused = Error::DepositsPaused { until: START + DAY };
        assert_eq!(vault.call::<u64>(BOB, "deposit", (MACHINE, NEW_HOTKEY, COIN)), Err(paused));
        set_time(START + DAY);
        vault.call::<u64>(BOB, "deposit", (MACHINE, NEW_HOTKEY, 100 * COIN)).unwrap();
        assert_eq!(vault.touch(), 500 * COIN);
        for owner in [ALICE, BOB] {
            vault.call::<u64>(owner, "request_exit", (MACHINE, Option::<u64>::None)).unwrap();
        }
        change_model(|chain| chain.dissolve());
        give_tao(vault.id(), 50 * COIN);
        set_time(START + 15 * DAY);
        let payable_at = START + 22 * DAY;
        assert_eq!(vault.call::<u64>(ALICE, "withdraw", (MACHINE, 0u64)), Err(Error::WindingUp { payable_at }));
        assert_eq!(vault.call::<u64>(ANYBODY, "wind_up", ()), Ok(payable_at));
        set_time(payable_at);
        let (alice, bob) = (tao(ALICE), tao(BOB));
        let little = vault.call::<u64>(ALICE, "withdraw", (MACHINE, 11 * COIN));
        assert!(matches!(little, Err(Error::TooLittle { .. })), "{little:?}");
        let paid: u64 = vault.call(ALICE, "withdraw", (MACHINE, 10 * COIN - 10)).unwrap();
        assert!(paid.abs_diff(10 * COIN) <= 10 && tao(ALICE) == alice + paid);
        let rest: u64 = vault.call(BOB, "withdraw", (MACHINE, 0u64)).unwrap();
        assert!(rest.abs_diff(40 * COIN) <= 10 && tao(BOB) == bob + rest);
        // What the pallet keeps for the account, and nothing that could have been paid.
        assert!(tao(vault.id()).abs_diff(EXISTENTIAL) <= 10, "{} left", tao(vault.id()));
    });
}

/// The most that anybody can send: a roll of 64, and all of them under both statements, a verdict, the next roll.
#[test]
fn sixty_four_keepers_and_as_many_signatures_fit_into_a_block() {
    on_chain_with(64, |vault| {
        vault.deposit(ALICE, 100 * COIN).unwrap();
        let case = vault.file(START, 7, 64).unwrap();
        assert_eq!(vault.bond(1).held_rao, 3 * COIN);
        let (verdict, at) = (Verdict { dismissed: false, earned: 5 * COIN / 2 }, u32::try_from(START).unwrap());
        let hash = eip712::verdict(&Soft, &vault.id(), 7, &verdict, at);
        let sign = |key: &SigningKey| Stated { stated_at: at, signature: vault.sign(key, hash) };
        let stated: Vec<_> = keys(64).iter().map(sign).collect();
        vault.call::<()>(ANYBODY, "amend", (case, verdict, stated)).unwrap();
        assert_eq!(vault.bond(1).held_rao, COIN);
        let roll: Roll = vault.view("roll", ());
        let (next, until) = (Roll { number: 1, ..roll }, at + 86_400);
        let hash = eip712::roll(&Soft, &vault.id(), &next, until);
        let signatures: Vec<_> = keys(64).iter().map(|key| vault.sign(key, hash)).collect();
        vault.call::<()>(ANYBODY, "hand_over", (next.clone(), until, signatures)).unwrap();
        assert_eq!(vault.view::<Roll>("roll", ()), next);
    });
}
