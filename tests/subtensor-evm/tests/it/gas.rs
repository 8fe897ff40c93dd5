//! The table in `precompiles::gas`, line by line, measured from a contract.

use crate::{
    kit::{NETUID, TAO, addr, at, chain, deploy, native, ok, send, wei},
    naive,
    naive_abi::{Chain as Sub, WriteGauge},
};
use alloy_primitives::{Address, U256, hex};
use alloy_sol_types::{SolCall, SolValue};
use surety_subtensor_evm::{Chain, Precompile};

/// What a call costs the contract that makes it, besides the callee: STATICCALL or CALL of a warm address.
const WARM_CALL: u64 = 100;
/// What a Solidity caller spends on encoding and decoding: seen alike over nine precompiles on the chain.
const CALLER_SHARE: u64 = 280;
const PER_ARGUMENT: u64 = 6;
/// Gas the gauge's own instructions between its two readings take.
const GAUGE_SHARE: u64 = 30;

struct Bench {
    chain: Chain,
    me: Address,
    gauge: Address,
}

impl Bench {
    fn new() -> Self {
        let me = addr("measurer");
        let mut chain = chain(&[me]);
        let gauge = deploy(&mut chain, me, naive::code("Gauge"), 0);
        chain.fund(gauge, 100 * TAO).unwrap();
        Self { chain, me, gauge }
    }

    fn measure(&mut self, target: Address, rao: u64, gas: u64, data: Vec<u8>) -> (bool, u64) {
        let head = (target, wei(rao), U256::from(gas)).abi_encode();
        let outcome = self.chain.transact(self.me, self.gauge, [head, data].concat(), U256::ZERO).unwrap();
        assert!(outcome.succeeded(), "{outcome:?}");
        let (ok, used) = <(bool, U256)>::abi_decode(&outcome.output).unwrap();
        (ok, used.to::<u64>() - GAUGE_SHARE)
    }

    /// What the same call would have been measured as on the chain, from a Solidity contract.
    fn like_the_chain(&mut self, precompile: Precompile, rao: u64, arguments: u64, data: Vec<u8>) -> u64 {
        let (ok, used) = self.measure(at(precompile), rao, 0, data);
        assert!(ok, "{precompile:?} failed");
        used + CALLER_SHARE + PER_ARGUMENT * arguments
    }
}

#[test]
fn plain_gas_is_the_chains() {
    let mut bench = Bench::new();
    // Measured on the chain: inner SSTORE 22,119 and 5,019; inner CALL with value 34,422 to a fresh account, 9,422 to
    // one that exists (122 of each are the caller's own).
    let (me, writer) = (bench.me, deploy(&mut bench.chain, bench.me, naive::code("WriteGauge"), 0));
    let mut write = |value: u64| {
        let call = WriteGauge::writeCall { value: U256::from(value) };
        ok(&mut bench.chain, me, writer, call, 0).to::<u64>()
    };
    assert!(write(1).abs_diff(22_119) < 20);
    assert!(write(2).abs_diff(5_019) < 20);
    assert_eq!(bench.measure(addr("fresh"), 1_000, 0, Vec::new()), (true, 34_300));
    assert_eq!(bench.measure(addr("fresh"), 1_000, 0, Vec::new()), (true, 9_300));
}

#[test]
fn reads_and_signatures_cost_what_the_chain_charges() {
    let mut bench = Bench::new();
    let (hotkey, coldkey) = (native("hotkey").to_b256(), native("coldkey").to_b256());
    bench.chain.register_hotkey(NETUID, 0, native("hotkey"), native("coldkey"));
    let verify = || Sub::verifyCall { message: hotkey, key: Default::default(), r: hotkey, s: hotkey }.abi_encode();
    let raw = [&hex!("658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2")[..], &[0; 20]].concat();
    let hotkey_at = Sub::getHotkeyCall { netuid: NETUID, uid: 0 }.abi_encode();
    let stake = Sub::getStakeCall { hotkey, coldkey, netuid: U256::from(NETUID) }.abi_encode();
    let lookup = Sub::uidLookupCall { netuid: NETUID, evm: bench.me, limit: 256 }.abi_encode();
    let mapping = Sub::addressMappingCall { target: bench.me }.abi_encode();
    // (precompile, arguments, input, measured on the chain)
    let lines = [
        (Precompile::Ed25519Verify, 4, verify(), 6_404),
        (Precompile::Sr25519Verify, 4, verify(), 6_404),
        (Precompile::Metagraph, 2, hotkey_at, 1_017),
        (Precompile::Staking, 3, stake, 1_648),
        (Precompile::UidLookup, 3, lookup, 160_407),
        (Precompile::StorageQuery, 1, raw, 1_011),
        (Precompile::AddressMapping, 1, mapping, 386),
    ];
    for (precompile, arguments, input, on_chain) in lines {
        let here = bench.like_the_chain(precompile, 0, arguments, input);
        assert!(here.abs_diff(on_chain) <= 10, "{precompile:?}: {here} here, {on_chain} on the chain");
    }
}

#[test]
fn dispatching_calls_cost_what_the_chain_charges() {
    let mut bench = Bench::new();
    let (hk, ck) = (native("hotkey"), native("coldkey"));
    bench.chain.register_hotkey(NETUID, 0, hk, ck);
    bench.chain.set_alpha(NETUID, hk, bench.gauge, 10 * TAO);
    let owner = addr("staker");
    bench.chain.fund(owner, 10 * TAO).unwrap();
    bench.chain.set_alpha(NETUID, hk, owner, 10 * TAO);
    let approve = Sub::approveCall { spender: bench.gauge, netuid: U256::from(NETUID), amount: U256::MAX };
    assert!(send(&mut bench.chain, owner, at(Precompile::Staking), approve, 0).succeeded());

    let (hotkey, coldkey, net, amount) = (hk.to_b256(), ck.to_b256(), U256::from(NETUID), U256::from(TAO));
    let gauge = bench.gauge;
    let from =
        Sub::transferStakeFromCall { source: owner, destination: gauge, hotkey, fromNet: net, toNet: net, amount };
    let transfer = Sub::transferStakeCall { coldkey, hotkey, fromNet: net, toNet: net, amount };
    let lines = [
        (Precompile::BalanceTransfer, TAO, 1, Sub::transferCall { destination: coldkey }.abi_encode(), 38_205),
        (Precompile::Staking, 0, 3, Sub::addStakeCall { hotkey, amount, netuid: net }.abi_encode(), 78_631),
        (Precompile::Staking, 0, 3, Sub::removeStakeCall { hotkey, amount, netuid: net }.abi_encode(), 66_259),
        (Precompile::Staking, 0, 5, transfer.abi_encode(), 35_380),
        (Precompile::Staking, 0, 6, from.abi_encode(), 39_136),
        (Precompile::Staking, 0, 3, Sub::burnAlphaCall { hotkey, amount, netuid: net }.abi_encode(), 23_753),
        (Precompile::Proxy, 0, 3, Sub::addProxyCall { delegate: coldkey, proxyType: 8, delay: 0 }.abi_encode(), 5_839),
    ];
    for (precompile, rao, arguments, input, on_chain) in lines {
        let here = bench.like_the_chain(precompile, rao, arguments, input);
        assert!(here.abs_diff(on_chain) <= 10, "{precompile:?}: {here} here, {on_chain} on the chain");
    }
}

#[test]
fn a_payout_is_cheaper_while_0x800_owns_something() {
    let mut bench = Bench::new();
    bench.chain.fund(at(Precompile::BalanceTransfer), TAO).unwrap();
    let input = Sub::transferCall { destination: native("payee").to_b256() }.abi_encode();
    let here = bench.like_the_chain(Precompile::BalanceTransfer, TAO, 1, input);
    assert!(here.abs_diff(13_205) <= 10, "{here}");
}

#[test]
fn transfer_stake_needs_36_000_forwarded() {
    let mut bench = Bench::new();
    let hk = native("hotkey");
    bench.chain.register_hotkey(NETUID, 0, hk, native("coldkey"));
    bench.chain.set_alpha(NETUID, hk, bench.gauge, 10 * TAO);
    let (net, hotkey, coldkey) = (U256::from(NETUID), hk.to_b256(), native("payee").to_b256());
    let call = Sub::transferStakeCall { coldkey, hotkey, fromNet: net, toNet: net, amount: U256::from(TAO) };
    let (ok, used) = bench.measure(at(Precompile::Staking), 0, 35_999, call.abi_encode());
    assert_eq!((ok, used), (false, 35_999 + WARM_CALL), "all that was forwarded is gone");
    assert!(bench.measure(at(Precompile::Staking), 0, 36_000, call.abi_encode()).0);
}

#[test]
fn d22_calldata_has_no_floor() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let outcome = chain.transact(me, addr("anybody"), [1u8; 1_000], U256::ZERO).unwrap();
    assert_eq!(outcome.gas_used, 21_000 + 16 * 1_000, "since EIP-7623 Ethereum takes 61,000");
}
