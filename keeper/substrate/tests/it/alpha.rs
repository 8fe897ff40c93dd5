//! AlphaVault read through nodes: by a majority, at a final block, and only where the code is ours.

use super::nodes::{World, world};
use std::sync::atomic::Ordering::Relaxed;
use surety_core::types::Hash32;
use surety_substrate::alpha::message::{Deposit, RequestExit, Withdraw};
use surety_substrate::alpha::refusal::Refusal;
use surety_substrate::alpha::{AlphaError, AlphaVault, CODE_HASH};
use surety_substrate::contracts::{self, ContractError, Gas, Limits, Message};
use surety_substrate::node::Head;
use surety_substrate::nodes::NodesError;
use surety_substrate::runtime::CodecError;
use surety_substrate::ss58::AccountId;
use surety_subtensor_native::{Chain, LEAST_TRANSFER_RAO, RECORD_DEPOSIT_RAO, Trouble, Vault};

const VAULT: AccountId = AccountId([0x77; 32]);
const OPERATOR: AccountId = AccountId([0x66; 32]);
const OWNER: AccountId = AccountId([0x11; 32]);
const HOTKEY: AccountId = AccountId([0x22; 32]);
const MACHINE: [u8; 32] = [0x33; 32];
const ALPHA: u64 = 1_000_000_000;

/// A vault with 100 alpha of the owner's beside it.
fn put_vault(chain: &Chain) -> Head {
    let mut vault = Vault::new(VAULT, 51, OPERATOR);
    vault.stakes.insert((OWNER, HOTKEY), 100 * ALPHA);
    chain.set_vault(vault);
    chain.run(1)
}

async fn open(world: &World, at: Head) -> Result<AlphaVault<'_>, ContractError> {
    AlphaVault::open(&world.nodes, world.chain.runtime(), at, VAULT).await
}

fn deposit(amount: u64) -> Deposit {
    Deposit { machine: MACHINE, from_hotkey: HOTKEY, amount }
}

fn refusal<T: std::fmt::Debug>(tried: Result<T, AlphaError>) -> Refusal {
    match tried {
        Err(AlphaError::Refused(refusal)) => refusal,
        other => panic!("a refusal, not {other:?}"),
    }
}

#[tokio::test]
async fn every_view_is_read_and_what_is_not_there_is_none() {
    let world = world(3).await;
    let at = put_vault(&world.chain);
    let vault = open(&world, at).await.unwrap();
    assert_eq!(vault.config().await.unwrap(), world.chain.vault().config);
    assert_eq!(vault.roll().await.unwrap(), world.chain.vault().roll);
    let books = vault.books().await.unwrap();
    assert_eq!((books.hotkey, books.bonds, books.wound_up), (OPERATOR, 0, false));
    assert_eq!(vault.bond(OWNER, MACHINE).await.unwrap(), None);
    assert_eq!(vault.cases(1..=9).await.unwrap(), []);
    assert_eq!(vault.credit_of(OWNER).await.unwrap(), 0);
    let stateable = vault.stateable(OWNER, MACHINE).await.unwrap();
    assert_eq!((stateable.alpha, stateable.until), (0, Chain::time_of(at.number) + 14 * 86_400));
}

#[tokio::test]
async fn a_bond_is_read_as_it_stood_at_the_block_asked_for() {
    let world = world(1).await;
    let before = put_vault(&world.chain);
    world.chain.with_vault(|vault| {
        let bond = |free, exiting| surety_substrate::alpha::types::BondRecord {
            owner: OWNER,
            machine: MACHINE,
            free,
            exiting,
            held: 0,
            ready_at: 0,
        };
        vault.bonds.push(surety_substrate::alpha::types::BondRecord { machine: [9; 32], ..bond(1, 0) });
        vault.bonds.push(bond(5, 0));
    });
    let after = world.chain.run(1);
    assert_eq!(open(&world, before).await.unwrap().bond(OWNER, MACHINE).await.unwrap(), None);
    let (number, bond) = open(&world, after).await.unwrap().bond(OWNER, MACHINE).await.unwrap().unwrap();
    assert_eq!((number, bond.free_rao, bond.exiting_rao, bond.held_rao), (2, 5, 0, 0));
}

#[tokio::test]
async fn a_message_is_tried_without_changing_anything_and_tells_what_it_takes() {
    let world = world(3).await;
    let at = put_vault(&world.chain);
    let vault = open(&world, at).await.unwrap();
    let would = vault.try_deed(OWNER, &deposit(12 * ALPHA)).await.unwrap();
    assert_eq!((would.answer, would.tried.deposit_rao), (12 * ALPHA, RECORD_DEPOSIT_RAO));
    assert!(would.tried.gas.ref_time > 0 && would.tried.gas.proof_size > 0);
    assert_eq!(vault.books().await.unwrap().bonds, 0);
}

#[tokio::test]
async fn the_vaults_refusals_come_with_their_names_and_numbers() {
    let world = world(1).await;
    put_vault(&world.chain);
    world.chain.with_vault(|vault| {
        vault.locked.insert(OWNER, 90 * ALPHA);
    });
    let at = world.chain.run(1);
    let vault = open(&world, at).await.unwrap();
    assert_eq!(refusal(vault.try_deed(OWNER, &deposit(0)).await), Refusal::ZeroAmount);
    assert_eq!(
        refusal(vault.try_deed(OWNER, &deposit(11 * ALPHA)).await),
        Refusal::LockedAlpha { available: 10 * ALPHA, asked: 11 * ALPHA }
    );
    let dust = refusal(vault.try_deed(OWNER, &deposit(LEAST_TRANSFER_RAO - 1)).await);
    assert!(dust.to_string().starts_with("AmountTooLow from the chain"), "{dust}");
    let nobody = refusal(vault.try_deed(AccountId([8; 32]), &deposit(ALPHA)).await);
    assert_eq!(nobody, Refusal::NoStake { hotkey: HOTKEY });
    let exit = RequestExit { machine: MACHINE, amount: None };
    assert_eq!(refusal(vault.try_deed(OWNER, &exit).await), Refusal::NoBond);
    let withdraw = Withdraw { machine: MACHINE, min_rao: 0 };
    assert_eq!(refusal(vault.try_deed(OWNER, &withdraw).await), Refusal::NoBond);
}

#[tokio::test]
async fn a_contract_with_other_code_and_no_contract_are_refused_before_anything_is_asked_of_them() {
    let world = world(1).await;
    let at = world.chain.run(1);
    assert_eq!(open(&world, at).await.unwrap_err(), ContractError::NoContract { account: VAULT });
    put_vault(&world.chain);
    world.chain.with_vault(|vault| vault.code_hash = Hash32([5; 32]));
    let at = world.chain.run(1);
    let other = open(&world, at).await.unwrap_err();
    assert_eq!(other, ContractError::OtherCode { account: VAULT, found: Hash32([5; 32]), want: CODE_HASH });
    assert!(other.to_string().starts_with("contract code hash not as deployed"), "{other}");
}

#[tokio::test]
async fn what_breaks_off_computes_for_ever_or_babbles_is_named() {
    let world = world(1).await;
    put_vault(&world.chain);
    let mut met = Vec::new();
    for trouble in [Trouble::Traps, Trouble::Loops, Trouble::Babbles, Trouble::Rambles, Trouble::Flips] {
        world.chain.with_vault(|vault| vault.trouble = Some(trouble));
        let at = world.chain.run(1);
        met.push(open(&world, at).await.unwrap().config().await.unwrap_err());
    }
    assert_eq!(met[0], ContractError::Trapped { words: "panicked: it was told to".into() });
    assert_eq!(met[1], ContractError::OutOfGas);
    for odd in &met[2..] {
        assert!(matches!(odd, ContractError::Odd { .. }), "{odd:?}");
    }
    // The last of them: a deed that is done and says that it is undone, and one that is refused and says it is not.
    let at = world.chain.best();
    for amount in [ALPHA, 0] {
        let flipped = open(&world, at).await.unwrap().try_deed(OWNER, &deposit(amount)).await.unwrap_err();
        assert!(matches!(flipped, AlphaError::Contract(ContractError::Odd { .. })), "{flipped}");
    }
}

#[tokio::test]
async fn a_message_to_an_account_without_a_contract_is_named_as_that() {
    let world = world(1).await;
    let at = put_vault(&world.chain);
    let message = Message { origin: OWNER, contract: HOTKEY, value_rao: 0, input: vec![0; 4] };
    let met = contracts::try_message(&world.nodes, world.chain.runtime(), at, &message).await.unwrap_err();
    assert_eq!(met, ContractError::NoContract { account: HOTKEY });
}

#[tokio::test]
async fn one_node_of_three_that_lies_about_an_answer_is_outvoted_and_two_are_an_error() {
    let world = world(3).await;
    let at = put_vault(&world.chain);
    let vault = open(&world, at).await.unwrap();
    world.servers[0].knobs.lies.store(true, Relaxed);
    assert_eq!(vault.config().await.unwrap().netuid, 51);
    world.servers[1].knobs.broken.store(true, Relaxed);
    let met = vault.config().await.unwrap_err();
    assert!(matches!(met, ContractError::Nodes(NodesError::NoMajority { .. })), "{met}");
}

#[tokio::test]
async fn a_chain_without_contracts_says_so_and_nothing_is_asked() {
    let world = world(1).await;
    let at = put_vault(&world.chain);
    let runtime = super::metadata::without_contracts();
    let met = AlphaVault::open(&world.nodes, &runtime, at, VAULT).await.unwrap_err();
    assert!(matches!(met, ContractError::Nodes(NodesError::Codec(CodecError::Lacks(_)))), "{met}");
    assert!(met.to_string().contains("Contracts is off"), "{met}");
}

#[test]
fn a_message_stands_on_the_wire_as_written_down_by_hand_and_decodes_back() {
    use subxt::ext::codec::{Compact, Encode};
    use surety_substrate::alpha::message::Deed;
    let message = Message { origin: OWNER, contract: VAULT, value_rao: 7, input: deposit(ALPHA).input() };
    let limits = Limits { gas: Gas { ref_time: 3_000_000_000, proof_size: 134_000 }, deposit_rao: 4_000 };
    let (call, args) = contracts::call(&message, limits);
    let runtime = super::runtime();
    let bytes = runtime.call(call, args).unwrap();
    let metadata = subxt::metadata::Metadata::decode_from(super::METADATA).unwrap();
    let pallet = metadata.pallet_by_name("Contracts").unwrap().call_index();
    let input = [vec![0x2d, 0x10, 0xc9, 0xbd], MACHINE.to_vec(), HOTKEY.0.to_vec(), ALPHA.to_le_bytes().to_vec()];
    let gas = (Compact(3_000_000_000u64), Compact(134_000u64));
    let by_hand = (pallet, 6u8, 0u8, VAULT.0, Compact(7u64), gas, Some(Compact(4_000u64)), input.concat()).encode();
    assert_eq!(bytes, by_hand);
    // And back through the recorded metadata, to the last byte.
    let id = metadata.outer_enums().call_enum_ty();
    let mut rest = &bytes[..];
    let value = subxt::ext::scale_value::scale::decode_as_type(&mut rest, id, metadata.types()).unwrap();
    assert!(rest.is_empty());
    let words = value.to_string();
    assert!(words.contains("Contracts") && words.contains("gas_limit") && words.contains("3000000000"), "{words}");
}
