//! What the precompiles answer, where no other test shows it.

use crate::{
    kit::{NETUID, TAO, addr, at, chain, native, send, view, wei, word},
    naive_abi::Chain as Sub,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, keccak256};
use alloy_sol_types::SolCall;
use ed25519_dalek::Signer;
use surety_subtensor_evm::{
    AccountId, BURN_ACCOUNT, Chain, Precompile, RuntimeCall, Status,
    chain::{BLOCK_SECS, EPOCH_BLOCKS},
    staking::MIN_STAKE_RAO,
};

fn answer(chain: &Chain, precompile: Precompile, input: impl Into<Bytes>) -> Bytes {
    let outcome = chain.call(addr("anybody"), at(precompile), input);
    assert!(outcome.succeeded(), "{precompile:?}: {outcome:?}");
    outcome.output
}

/* ETHEREUM'S */

#[test]
fn ethereums_precompiles_answer_as_on_ethereum() {
    let chain = chain(&[]);
    let sha = hex!("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(answer(&chain, Precompile::Sha256, *b"abc")[..], sha);
    let ripemd = hex!("0000000000000000000000008eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    assert_eq!(answer(&chain, Precompile::Ripemd160, *b"abc")[..], ripemd);
    assert_eq!(answer(&chain, Precompile::Identity, *b"abc")[..], *b"abc");
    // EIP-198's example: 3 ** (p - 1) % p == 1 for secp256k1's p.
    let p = hex!("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f");
    let lengths = [1u64, 32, 32].map(|n| U256::from(n).to_be_bytes::<32>()).concat();
    let exponent = (U256::from_be_bytes(p) - U256::from(1)).to_be_bytes::<32>();
    let input = [&lengths[..], &[3], &exponent, &p].concat();
    assert_eq!(U256::from_be_slice(&answer(&chain, Precompile::Modexp, input)), U256::from(1));
}

#[test]
fn ecrecover_finds_the_signer_and_nobody_for_nonsense() {
    let chain = chain(&[]);
    let key = k256::ecdsa::SigningKey::from_slice(&[9; 32]).unwrap();
    let hash = word("message");
    let (signature, recovery) = key.sign_prehash_recoverable(hash.as_slice()).unwrap();
    let v = U256::from(27 + u64::from(recovery.is_y_odd())).to_be_bytes::<32>();
    let input = [hash.as_slice(), &v, &signature.to_bytes()[..]].concat();
    let signer = Address::from_public_key(key.verifying_key());
    assert_eq!(Address::from_slice(&answer(&chain, Precompile::EcRecover, input)[12..]), signer);
    assert!(answer(&chain, Precompile::EcRecover, [0xff; 128]).is_empty());
}

#[test]
fn points_are_added_multiplied_and_paired() {
    let chain = chain(&[]);
    let generator = [U256::from(1), U256::from(2)].map(|n| n.to_be_bytes::<32>()).concat();
    let twice = answer(&chain, Precompile::Bn128Add, [&generator[..], &generator].concat());
    let scalar = U256::from(2).to_be_bytes::<32>();
    assert_eq!(twice, answer(&chain, Precompile::Bn128Mul, [&generator[..], &scalar].concat()));
    assert_eq!(twice.len(), 64);
    let empty = answer(&chain, Precompile::Bn128Pairing, Bytes::new());
    assert_eq!(U256::from_be_slice(&empty), U256::from(1), "the empty product");
    assert!(!chain.call(addr("anybody"), at(Precompile::Bn128Add), [1u8; 128]).succeeded(), "no curve point");
}

/* SIGNATURES */

#[test]
fn ed25519_signatures_are_checked_for_real() {
    let chain = chain(&[]);
    let key = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let message = word("message");
    let signature = key.sign(message.as_slice());
    let (r, s) = (B256::from(*signature.r_bytes()), B256::from(*signature.s_bytes()));
    let call = Sub::verifyCall { message, key: B256::from(key.verifying_key().to_bytes()), r, s };
    assert!(view(&chain, at(Precompile::Ed25519Verify), call.clone()));
    let other = Sub::verifyCall { message: word("other"), ..call.clone() };
    assert!(!view(&chain, at(Precompile::Ed25519Verify), other));
    let short = chain.call(addr("anybody"), at(Precompile::Ed25519Verify), call.abi_encode()[..131].to_vec());
    assert!(matches!(short.status, Status::Failed(_)), "131 bytes");
    // The curve has a bit less than 2 ** 255 / 2 points.
    let keys = (0u8..=255).map(B256::repeat_byte);
    let bad = keys.into_iter().find(|k| ed25519_dalek::VerifyingKey::from_bytes(&k.0).is_err()).unwrap();
    let undecodable = Sub::verifyCall { key: bad, ..call }.abi_encode();
    assert!(!chain.call(addr("anybody"), at(Precompile::Ed25519Verify), undecodable.clone()).succeeded());
    let sr = answer(&chain, Precompile::Sr25519Verify, undecodable);
    assert_eq!(U256::from_be_slice(&sr), U256::ZERO, "0x403 merely says no");
}

#[test]
fn sr25519_signatures_are_checked_over_the_raw_32_bytes() {
    let chain = chain(&[]);
    let secret = schnorrkel::MiniSecretKey::from_bytes(&[5; 32]).unwrap();
    let pair = secret.expand_to_keypair(schnorrkel::ExpansionMode::Ed25519);
    let message = word("message");
    let verify = |signed: &[u8]| {
        let signature = pair.sign_simple(b"substrate", signed).to_bytes();
        let (r, s) = (B256::from_slice(&signature[..32]), B256::from_slice(&signature[32..]));
        let call = Sub::verifyCall { message, key: B256::from(pair.public.to_bytes()), r, s };
        view(&chain, at(Precompile::Sr25519Verify), call)
    };
    assert!(verify(message.as_slice()));
    assert!(!verify(&[b"<Bytes>", message.as_slice(), b"</Bytes>"].concat()), "as browser wallets wrap it");
}

/* THE CHAIN'S OWN */

#[test]
fn account_ids_are_the_chains() {
    // 0x800's own account, as the chain's source asserts for index 2051.
    let subnet = Address::with_last_byte(3).0.0;
    let mut address = subnet;
    address[18] = 0x08;
    let id = AccountId::of(Address::from(address));
    assert_eq!(id.0, hex!("3a8618fbbb1bbc478664ff5346180c35d09fac26f2027085b31c56c1063c1cd3"));
    let zero = AccountId::of(Address::ZERO);
    assert!(zero.0.starts_with(&hex!("c2cdcf01")), "{zero:?}");
    assert_eq!(BURN_ACCOUNT.0, hex!("6d6f646c6275726e746e73720000000000000000000000000000000000000000"));
    let chain = chain(&[]);
    let seen = view(&chain, at(Precompile::AddressMapping), Sub::addressMappingCall { target: Address::ZERO });
    assert_eq!(seen, zero.to_b256());
}

#[test]
fn an_absent_uid_eats_the_gas_and_an_unknown_function_does_not() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let hotkey = chain.call(me, at(Precompile::Metagraph), Sub::getHotkeyCall { netuid: NETUID, uid: 7 }.abi_encode());
    assert!(matches!(hotkey.status, Status::Failed(_)));
    let unknown = chain.call(me, at(Precompile::Metagraph), [1, 2, 3, 4]);
    assert_eq!(unknown.status, Status::Reverted);
    let mapping = Sub::addressMappingCall { target: me };
    let paid = send(&mut chain, me, at(Precompile::AddressMapping), mapping, TAO);
    assert_eq!(paid.status, Status::Reverted, "not payable");
    assert_eq!(view(&chain, at(Precompile::Metagraph), Sub::getUidCountCall { netuid: NETUID }), 0);
}

#[test]
fn an_association_is_found_by_key_and_by_scan_and_goes_with_its_uid() {
    let (me, other) = (addr("me"), addr("other"));
    let mut chain = chain(&[]);
    for uid in 0..20 {
        chain.register_hotkey(NETUID, uid, AccountId(keccak256([uid as u8]).0), native("coldkey"));
        chain.associate(NETUID, uid, if uid % 5 == 0 { me } else { other }).unwrap();
    }
    let lookup = |chain: &Chain, limit: u16| {
        let call = Sub::uidLookupCall { netuid: NETUID, evm: me, limit };
        let mut uids: Vec<u16> = view(chain, at(Precompile::UidLookup), call).iter().map(|found| found.uid).collect();
        uids.sort_unstable();
        uids
    };
    assert_eq!(lookup(&chain, 256), [0, 5, 10, 15]);
    assert!(lookup(&chain, 3).len() < 4, "the limit bounds what is scanned, not what is found");
    let key = |uid: u16| {
        let prefix = hex!("658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2");
        let [net, uid] = [NETUID, uid].map(|id| surety_subtensor_evm::precompiles::twox64_concat(&id.to_le_bytes()));
        [&prefix[..], &net, &uid].concat()
    };
    let stored = answer(&chain, Precompile::StorageQuery, key(5));
    assert_eq!((stored.len(), &stored[..20]), (28, me.as_slice()));
    let mut wrong = key(5);
    wrong[45] ^= 1;
    assert!(answer(&chain, Precompile::StorageQuery, wrong).is_empty(), "a wrong hash names nothing");
    let foreign = chain.call(me, at(Precompile::StorageQuery), [0u8; 32]);
    assert!(matches!(foreign.status, Status::Failed(_)), "a pallet that is not on the list");

    assert!(chain.associate(NETUID, 5, other).is_err(), "not again within 7200 blocks");
    chain.swap_hotkey(AccountId(keccak256([5u8]).0), native("swapped"));
    assert_eq!(lookup(&chain, 256), [0, 5, 10, 15], "an association survives a swap");
    chain.register_hotkey(NETUID, 5, native("newcomer"), native("coldkey"));
    assert_eq!(lookup(&chain, 256), [0, 10, 15], "and not a new registration");
}

#[test]
fn voting_power_follows_its_hotkey_and_ends_when_it_is_switched_off() {
    let mut chain = chain(&[]);
    let (alice, bob) = (native("alice"), native("bob"));
    let power = |chain: &Chain, hotkey: AccountId| {
        let call = Sub::getVotingPowerCall { netuid: NETUID, hotkey: hotkey.to_b256() };
        view(chain, at(Precompile::VotingPower), call).to::<u64>()
    };
    let total = |chain: &Chain| {
        view(chain, at(Precompile::VotingPower), Sub::getTotalVotingPowerCall { netuid: NETUID }).to::<u64>()
    };
    let tracked = |chain: &Chain| {
        view(chain, at(Precompile::VotingPower), Sub::isVotingPowerTrackingEnabledCall { netuid: NETUID })
    };
    assert_eq!((power(&chain, alice), total(&chain), tracked(&chain)), (0, 0, false));
    chain.register_hotkey(NETUID, 0, alice, native("coldkey"));
    chain.register_hotkey(NETUID, 1, native("other"), native("coldkey"));
    chain.set_voting_power(NETUID, alice, 70);
    chain.set_voting_power(NETUID, native("other"), 30);
    assert_eq!((power(&chain, alice), total(&chain), tracked(&chain)), (70, 100, true));
    chain.swap_hotkey(alice, bob);
    assert_eq!((power(&chain, alice), power(&chain, bob), total(&chain)), (0, 70, 100));
    chain.register_hotkey(NETUID, 0, native("newcomer"), native("coldkey"));
    assert_eq!((power(&chain, bob), total(&chain)), (70, 100), "recycled, and the epoch has not ended");
    chain.pass(EPOCH_BLOCKS * BLOCK_SECS);
    assert_eq!((power(&chain, bob), total(&chain)), (0, 30), "the epoch has ended");
    chain.set_voting_power(NETUID, native("newcomer"), 5);
    chain.swap_hotkey(native("other"), native("newcomer"));
    assert_eq!(power(&chain, native("newcomer")), 35, "power is added to power");
    let off = (chain.block().number / EPOCH_BLOCKS + 1) * EPOCH_BLOCKS;
    chain.subnet_mut(NETUID).voting.disable_at_block = off;
    let scheduled = Sub::getVotingPowerDisableAtBlockCall { netuid: NETUID };
    assert_eq!(view(&chain, at(Precompile::VotingPower), scheduled), off);
    chain.pass((off - chain.block().number - 1) * BLOCK_SECS);
    assert!(tracked(&chain));
    chain.pass(BLOCK_SECS);
    assert_eq!((tracked(&chain), total(&chain)), (false, 0));
}

#[test]
fn a_contract_or_account_acts_for_whoever_made_it_a_proxy() {
    let (me, real) = (addr("me"), addr("real"));
    let mut chain = chain(&[me, real]);
    let delegate = AccountId::of(me).to_b256();
    let add = Sub::addProxyCall { delegate, proxyType: 10, delay: 0 };
    assert!(send(&mut chain, real, at(Precompile::Proxy), add, 0).succeeded());
    assert_eq!(chain.account(real).reserved_rao, 93_000_000, "0.06 TAO for the first, 0.033 for each");
    let proxied = |call: RuntimeCall| Sub::proxyCallCall {
        real: AccountId::of(real).to_b256(),
        forceProxyType: Vec::new(),
        call: call.encode(),
    };
    let transfer = proxied(RuntimeCall::Transfer { dest: native("payee"), rao: TAO });
    assert!(send(&mut chain, me, at(Precompile::Proxy), transfer.clone(), 0).succeeded());
    assert_eq!(chain.free_rao(native("payee")), TAO);
    let stake = proxied(RuntimeCall::AddStake { hotkey: native("hotkey"), netuid: NETUID, rao: TAO });
    let refused = send(&mut chain, me, at(Precompile::Proxy), stake, 0);
    assert!(matches!(refused.status, Status::Failed(_)), "a transfer proxy cannot stake");
    assert_eq!(refused.gas_used, 30_000_000, "and all gas is gone");
    assert!(!send(&mut chain, addr("real"), at(Precompile::Proxy), transfer, 0).succeeded(), "nobody is their own");
}

/* STAKE */

struct Staker {
    chain: Chain,
    me: Address,
    hotkey: B256,
    net: U256,
}

fn staker() -> Staker {
    let me = addr("staker");
    let mut chain = chain(&[me]);
    chain.register_hotkey(NETUID, 0, native("hotkey"), native("coldkey"));
    Staker { chain, me, hotkey: native("hotkey").to_b256(), net: U256::from(NETUID) }
}

impl Staker {
    fn stake(&mut self, call: impl SolCall, rao: u64) -> bool {
        send(&mut self.chain, self.me, at(Precompile::Staking), call, rao).succeeded()
    }

    fn alpha(&self, of: impl Into<AccountId>) -> u64 {
        self.chain.alpha(NETUID, native("hotkey"), of)
    }

    fn transfer(&mut self, to: Address, alpha: u64) -> bool {
        let (hotkey, net) = (self.hotkey, self.net);
        let coldkey = AccountId::of(to).to_b256();
        self.stake(Sub::transferStakeCall { coldkey, hotkey, fromNet: net, toNet: net, amount: U256::from(alpha) }, 0)
    }
}

#[test]
fn stake_is_bought_with_the_callers_own_balance_and_value_is_stranded() {
    let mut s = staker();
    let (hotkey, netuid) = (s.hotkey, s.net);
    let add = |rao: u64| Sub::addStakeCall { hotkey, amount: U256::from(rao), netuid };
    assert!(s.stake(add(10 * TAO), 3 * TAO));
    assert_eq!(s.alpha(s.me), 10 * TAO, "not 3: the value is ignored");
    assert_eq!(s.chain.free_rao(at(Precompile::Staking)), 3 * TAO, "and nobody's");
    assert!(!s.stake(add(MIN_STAKE_RAO - 1), 0), "below the minimum");
    let unknown = Sub::addStakeCall { hotkey: word("unknown"), amount: U256::from(TAO), netuid };
    assert!(!s.stake(unknown, 0), "a hotkey nobody owns");
    let nowhere = Sub::addStakeCall { hotkey, amount: U256::from(TAO), netuid: U256::from(77) };
    assert!(!s.stake(nowhere, 0), "no such subnet");
}

#[test]
fn wanting_more_stake_than_there_is_takes_all_and_succeeds() {
    let mut s = staker();
    s.chain.set_alpha(NETUID, native("hotkey"), s.me, 5 * TAO);
    assert!(s.transfer(addr("payee"), 50 * TAO), "succeeds");
    assert_eq!((s.alpha(s.me), s.alpha(addr("payee"))), (0, 5 * TAO), "and moves what there is");
    assert!(!s.transfer(addr("payee"), 1), "from nothing, nothing");

    s.chain.set_alpha(NETUID, native("hotkey"), s.me, MIN_STAKE_RAO - 1);
    assert!(!s.transfer(addr("payee"), u64::MAX), "less than the minimum cannot be moved");
    s.chain.set_alpha(NETUID, native("hotkey"), s.me, TAO);
    s.chain.subnet_mut(NETUID).transfers_on = false;
    assert!(!s.transfer(addr("payee"), TAO), "TransferToggle");
}

#[test]
fn selling_nearly_all_stake_sells_the_rest_too() {
    let mut s = staker();
    s.chain.set_alpha(NETUID, native("hotkey"), s.me, 5 * TAO);
    let (hotkey, netuid, before) = (s.hotkey, s.net, s.chain.free_rao(s.me));
    let call = Sub::removeStakeCall { hotkey, amount: U256::from(5 * TAO - 19_999), netuid };
    let outcome = send(&mut s.chain, s.me, at(Precompile::Staking), call, 0);
    assert!(outcome.succeeded());
    assert_eq!(s.alpha(s.me), 0, "the remainder was below the nominators' minimum");
    assert_eq!(s.chain.free_rao(s.me) + outcome.fee_rao - before, 5 * TAO);
}

#[test]
fn an_allowance_is_consumed_whole_and_dies_with_its_subnet() {
    let mut s = staker();
    let (owner, spender) = (addr("owner"), s.me);
    s.chain.fund(owner, TAO).unwrap();
    s.chain.set_alpha(NETUID, native("hotkey"), owner, 2 * TAO);
    let (hotkey, net) = (s.hotkey, s.net);
    let approve = |amount: u64| Sub::approveCall { spender, netuid: net, amount: U256::from(amount) };
    assert!(send(&mut s.chain, owner, at(Precompile::Staking), approve(10 * TAO), 0).succeeded());
    let pull = |amount: u64| Sub::transferStakeFromCall {
        source: owner,
        destination: spender,
        hotkey,
        fromNet: net,
        toNet: net,
        amount: U256::from(amount),
    };
    assert!(!s.stake(pull(11 * TAO), 0), "more than allowed");
    assert!(s.stake(pull(9 * TAO), 0));
    assert_eq!(s.alpha(spender), 2 * TAO);
    let allowed = |s: &Staker| {
        view(&s.chain, at(Precompile::Staking), Sub::allowanceCall { owner, spender, netuid: net }).to::<u64>()
    };
    assert_eq!(allowed(&s), TAO, "all nine are gone, although two moved");
    s.chain.register_subnet(NETUID);
    assert_eq!(allowed(&s), 0);
}

#[test]
fn whoever_owns_a_hotkey_moves_everybodys_stake() {
    let mut s = staker();
    s.chain.set_alpha(NETUID, native("hotkey"), s.me, 5 * TAO);
    s.chain.swap_hotkey(native("hotkey"), native("swapped"));
    assert_eq!(s.alpha(s.me), 0);
    assert_eq!(s.chain.alpha(NETUID, native("swapped"), s.me), 5 * TAO);
}

#[test]
fn a_payout_that_fails_moves_nothing() {
    let mut s = staker();
    let before = s.chain.free_rao(s.me);
    let transfer = Sub::transferCall { destination: native("payee").to_b256() };
    let sub_rao =
        s.chain.transact(s.me, at(Precompile::BalanceTransfer), transfer.abi_encode(), U256::from(999)).unwrap();
    assert!(sub_rao.succeeded(), "less than a rao is nothing, successfully");
    let small = send(&mut s.chain, s.me, at(Precompile::BalanceTransfer), transfer.clone(), 499);
    assert!(!small.succeeded());
    s.chain.enable_precompile(Precompile::BalanceTransfer, false);
    let off = send(&mut s.chain, s.me, at(Precompile::BalanceTransfer), transfer, 5 * TAO);
    assert!(matches!(off.status, Status::Failed(_)));
    let fees = sub_rao.fee_rao + small.fee_rao + off.fee_rao;
    assert_eq!(before - s.chain.free_rao(s.me), fees, "the value has come back");
    assert_eq!(s.chain.visible_wei(s.me), wei(s.chain.free_rao(s.me) - 500));
}
