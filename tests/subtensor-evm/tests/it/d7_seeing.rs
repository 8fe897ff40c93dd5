//! D7: calls without an Ethereum transaction. D8: money without a call. D15 to D18: what contracts see of the chain.

use crate::{
    kit::{NETUID, TAO, addr, at, chain, deploy, native, ok, send, view, wei},
    naive,
    naive_abi::Naive,
    surety::{DAY, PRICE_RAO, Surety, escrow, vault},
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolError, SolValue};
use surety_subtensor_evm::{AccountId, BURN_ACCOUNT, Precompile, Refused, RuntimeCall, Tx, transaction::Authorization};

#[test]
fn d7_a_deposit_without_an_ethereum_transaction_is_in_no_ethereum_log() {
    let (me, other) = (addr("me"), addr("other"));
    let mut chain = chain(&[me, other]);
    let purse = deploy(&mut chain, me, naive::code("EventPurse"), 0);
    assert!(chain.transact(me, purse, Bytes::new(), wei(TAO)).unwrap().succeeded());
    assert!(chain.extrinsic_call(other, purse, Bytes::new(), wei(TAO)).succeeded());
    let indexed: U256 = chain.ethereum_logs().map(|seen| U256::from_be_slice(&seen.log.data.data)).sum();
    assert_eq!(indexed, wei(TAO), "what an indexer of logs believes is in there");
    assert_eq!(chain.free_rao(purse), 2 * TAO, "what is in there");
    assert_eq!(chain.event_logs().len(), 2, "Substrate's events show both");
}

#[test]
fn d7_surety_can_be_read_without_any_log() {
    let mut s = Surety::new();
    let (machine, before) = (s.machine(), s.chain.ethereum_logs().count());
    let register = s.registration(0).abi_encode();
    assert!(s.chain.extrinsic_call(s.miner, s.vault, register, U256::ZERO).succeeded());
    let deposit = vault::depositCall { machine }.abi_encode();
    assert!(s.chain.extrinsic_call(s.miner, s.vault, deposit, wei(TAO)).succeeded());
    let hash = s.offer();
    let rent = s.rent_call(hash, DAY).abi_encode();
    let cost = wei(PRICE_RAO * u64::from(DAY));
    assert!(s.chain.extrinsic_call(s.renter, s.escrow, rent, cost).succeeded());

    assert_eq!(s.chain.ethereum_logs().count() - before, 1, "the offer alone");
    assert_eq!(view(&s.chain, s.vault, vault::registrationCountCall {}), 1);
    let node = view(&s.chain, s.vault, vault::nodeAtCall { registration: 1 });
    assert_eq!((node.machine, node.miner), (machine, s.miner));
    assert_eq!(view(&s.chain, s.escrow, escrow::rentalCountCall {}), 1);
    assert_eq!(view(&s.chain, s.escrow, escrow::rentalAtCall { rental: 1 }).r.renter, s.renter);
    s.assert_solvent();
}

#[test]
fn d8_native_money_arrives_without_receive() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let purse = deploy(&mut chain, me, naive::code("EventPurse"), 0);
    let gift = RuntimeCall::Transfer { dest: AccountId::of(purse), rao: TAO };
    chain.dispatch(AccountId::of(me), &gift).unwrap();
    assert_eq!(chain.free_rao(purse), TAO);
    assert_eq!(view(&chain, purse, Naive::balanceOfCall { account: me }), U256::ZERO, "nobody's, for ever");
    assert_eq!(chain.event_logs().len(), 0);
}

#[test]
fn d8_surety_sweeps_what_is_nobodys_to_the_burn_account_and_no_more() {
    let mut s = Surety::new();
    s.rented();
    let gift = RuntimeCall::Transfer { dest: AccountId::of(s.escrow), rao: 3 * TAO };
    s.chain.dispatch(AccountId::of(s.stranger), &gift).unwrap();
    let owed = s.liabilities(s.escrow);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::sweepCall {}, 0);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::flushBurnCall {}, 0);
    let burned = s.chain.free_rao(BURN_ACCOUNT);
    assert!((3 * TAO - 1_000..=3 * TAO).contains(&burned), "{burned}");
    assert_eq!(s.liabilities(s.escrow), owed);
    s.assert_solvent();
    let again = send(&mut s.chain, s.stranger, s.escrow, escrow::sweepCall {}, 0);
    assert!(again.reverted_with(escrow::RaoLedger_NothingToBurn::SELECTOR), "{again:?}");
}

#[test]
fn d15_a_precompile_has_size_one_and_no_code() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let gate = deploy(&mut chain, me, naive::code("EoaGate"), 0);
    for precompile in Precompile::ALL {
        let account = at(precompile);
        let seen = view(&chain, gate, Naive::sizeAndHashCall { account });
        assert_eq!((seen.size, seen.hash), (U256::from(1), B256::ZERO), "{precompile:?}, unfunded");
        assert!(chain.code(account).is_empty());
    }
    chain.fund(at(Precompile::BalanceTransfer), TAO).unwrap();
    let seen = view(&chain, gate, Naive::sizeAndHashCall { account: at(Precompile::BalanceTransfer) });
    assert_eq!(seen.hash, keccak256([]), "funded");
    let absent = view(&chain, gate, Naive::sizeAndHashCall { account: Address::with_last_byte(0x0a) });
    assert_eq!(absent.size, U256::ZERO, "there is no 0x0a");
}

#[test]
fn d15_surety_finds_its_precompiles_when_it_is_created() {
    let s = Surety::new();
    assert!(s.contracts().iter().all(|contract| !s.chain.code(*contract).is_empty()));
}

#[test]
fn d16_there_is_no_randomness_and_time_comes_in_blocks() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let lottery = deploy(&mut chain, me, naive::code("Lottery"), 0);
    let winner =
        |chain: &surety_subtensor_evm::Chain| view(chain, lottery, Naive::winnerCall { players: U256::from(97) });
    let first = winner(&chain);
    for _ in 0..5 {
        chain.pass(12);
        assert_eq!(winner(&chain), first, "anybody can tell beforehand");
    }
    let now = view(&chain, lottery, Naive::clockCall {});
    let block = chain.block();
    assert_eq!((now.randao, now.old), (U256::ZERO, B256::ZERO));
    assert_eq!((now.time, now.number), (U256::from(block.timestamp_secs), U256::from(block.number)));
    assert_ne!(now.last, B256::ZERO);
    chain.pass(86_400);
    assert_eq!(chain.block().number, block.number + 7_200);
}

#[test]
fn d17_an_account_with_delegated_code_cannot_send_and_is_no_contract() {
    let (me, sponsor) = (addr("me"), addr("sponsor"));
    let mut chain = chain(&[me, sponsor]);
    let gate = deploy(&mut chain, sponsor, naive::code("EoaGate"), 0);
    ok(&mut chain, me, gate, Naive::enterCall {}, 0);
    delegate(&mut chain, sponsor, me, gate);
    let refused = chain.send(&Tx::call(me, gate, Naive::enterCall {}.abi_encode()));
    assert_eq!(refused, Err(Refused::SenderHasCode), "it can send nothing at all");
    let seen = view(&chain, gate, Naive::sizeAndHashCall { account: me });
    assert_eq!(seen.size, U256::from(23), "and has code, although its key is a person's");
}

fn delegate(chain: &mut surety_subtensor_evm::Chain, sponsor: Address, authority: Address, to: Address) {
    let authorization = Authorization { authority, delegate: to, nonce: chain.nonce(authority) };
    let tx = Tx { authorizations: vec![authorization], ..Tx::call(sponsor, addr("nobody"), Bytes::new()) };
    assert!(chain.send(&tx).unwrap().succeeded());
}

#[test]
fn d17_surety_pays_an_account_that_cannot_send() {
    let mut s = Surety::new();
    let rental = s.rented();
    s.chain.pass(7_200);
    let (stranger, renter, vault_at) = (s.stranger, s.renter, s.vault);
    ok(&mut s.chain, renter, s.escrow, escrow::endCall { rental }, 0);
    delegate(&mut s.chain, stranger, renter, vault_at);
    assert_eq!(s.chain.transact(renter, vault_at, Bytes::new(), U256::ZERO), Err(Refused::SenderHasCode));
    let (before, owed) = (s.chain.free_rao(renter), s.credit(s.escrow, renter));
    assert!(s.withdraw_credit(s.escrow, renter).succeeded());
    assert_eq!(s.chain.free_rao(renter) - before, owed);
}

#[test]
fn d18_a_cached_chain_id_outlives_the_chains() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    let contract = deploy(&mut chain, me, naive::code("CachedDomain"), 0);
    let domain = view(&chain, contract, Naive::DOMAINCall {});
    chain.set_chain_id(945);
    assert_eq!(view(&chain, contract, Naive::chainIdNowCall {}), U256::from(945));
    assert_eq!(view(&chain, contract, Naive::DOMAINCall {}), domain, "still takes the old chain's signatures");
    assert_eq!(domain, keccak256((U256::from(964), contract).abi_encode()));
}

#[test]
fn d18_surety_reads_the_chain_id_when_it_checks() {
    let mut s = Surety::new();
    let hash = s.ready(TAO);
    let old = s.rent_call(hash, DAY);
    s.chain.set_chain_id(965);
    let cost = PRICE_RAO * u64::from(DAY);
    let refused = send(&mut s.chain, s.renter, s.escrow, old, cost);
    assert!(!refused.succeeded(), "certificates of the chain's old id");
    let new = s.rent_call(hash, DAY);
    ok(&mut s.chain, s.renter, s.escrow, new, cost);
}

#[test]
fn d18_the_deploy_whitelist_binds_the_extrinsic_and_not_ethereum_transactions() {
    let me = addr("me");
    let mut chain = chain(&[me]);
    chain.set_deploy_whitelist(Some(vec![addr("somebody else")]));
    assert_eq!(chain.extrinsic_create(me, naive::code("EoaGate")), Err(Refused::NotWhitelisted));
    assert!(chain.deploy(me, naive::code("EoaGate"), U256::ZERO).unwrap().succeeded());
    chain.set_deploy_whitelist(None);
    assert!(chain.extrinsic_create(me, naive::code("EoaGate")).unwrap().succeeded());
}

#[test]
fn a_swapped_or_recycled_hotkey_stops_new_business_and_no_payment() {
    let mut s = Surety::new();
    let hash = s.ready(TAO);
    s.chain.swap_hotkey(s.hotkey, native("swapped"));
    let cost = PRICE_RAO * u64::from(DAY);
    let rent = s.rent_call(hash, DAY);
    assert!(!send(&mut s.chain, s.renter, s.escrow, rent.clone(), cost).succeeded(), "the uid is another hotkey's");
    s.chain.swap_hotkey(native("swapped"), s.hotkey);
    let rental = ok(&mut s.chain, s.renter, s.escrow, rent, cost);

    s.chain.register_hotkey(NETUID, 0, native("newcomer"), native("other coldkey"));
    s.chain.pass(7_200);
    ok(&mut s.chain, s.stranger, s.escrow, escrow::claimCall { rental }, 0);
    assert!(s.withdraw_credit(s.escrow, s.miner).succeeded(), "what is earned is paid");
    let extend = send(&mut s.chain, s.renter, s.escrow, escrow::extendCall { rental, secs: 3_600 }, PRICE_RAO * 3_600);
    assert!(!extend.succeeded(), "nothing new is sold");
    s.assert_solvent();
}
