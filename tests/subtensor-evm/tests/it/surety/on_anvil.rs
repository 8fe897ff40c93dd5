//! The same system on anvil, where stand-ins are the precompiles.

use super::{KeeperSet, Machine, Surety, deploy::appointments};
use crate::{
    kit::{NETUID, TAO, at, view},
    node::{Anvil, Node},
};
use alloy_primitives::{Address, hex};
use alloy_sol_types::SolCall;
use surety_subtensor_evm::{AccountId, Precompile, ledger::EXISTENTIAL_DEPOSIT_RAO, precompiles::twox64_concat};

contract!(transfers, BalanceTransferStandIn, "../../contracts/artifacts/BalanceTransferStandIn.json");
contract!(metagraph, MetagraphStandIn, "../../contracts/artifacts/MetagraphStandIn.json");
contract!(storage, StorageQueryStandIn, "../../contracts/artifacts/StorageQueryStandIn.json");
contract!(mapping, AddressMappingStandIn, "../../contracts/artifacts/AddressMappingStandIn.json");
contract!(ed25519, Ed25519VerifyStandIn, "../../contracts/artifacts/Ed25519VerifyStandIn.json");

/// Deploys on anvil what `s` has, for the same people with the same keys at the same addresses.
pub fn deploy(anvil: &mut Anvil, s: &Surety) {
    assert_eq!(s.set, KeeperSet::Appointed, "there is no stand-in for 0x80d among the artifacts");
    for who in [s.miner, s.renter, s.stranger, s.owner, s.judge, s.guardian] {
        anvil.set_balance(who, 1_000 * TAO);
    }
    anvil.set_code(at(Precompile::BalanceTransfer), &transfers::DEPLOYED_BYTECODE);
    anvil.set_code(at(Precompile::Metagraph), &metagraph::DEPLOYED_BYTECODE);
    anvil.set_code(at(Precompile::StorageQuery), &storage::DEPLOYED_BYTECODE);
    anvil.set_code(at(Precompile::AddressMapping), &mapping::DEPLOYED_BYTECODE);
    anvil.set_code(at(Precompile::Ed25519Verify), &ed25519::DEPLOYED_BYTECODE);
    for ((code, seed), address) in s.set.creations(s.owner, s.judge).into_iter().zip(s.contracts()) {
        let answer = anvil.send(s.owner, None, code, seed);
        assert!(answer.succeeded && answer.created == Some(address), "{answer:?}");
        // What the chain shows of an account leaves out the existential deposit (D4): here nobody else does that.
        anvil.set_balance(address, seed.saturating_sub(EXISTENTIAL_DEPOSIT_RAO));
    }
    for call in appointments(&s.keeper_keys) {
        done(anvil, s.owner, s.keepers, call);
    }
    s.machines.iter().for_each(|machine| associate(anvil, s, machine));
    for account in [s.miner, s.renter, s.stranger] {
        let known = transfers::introduceCall { accountId: AccountId::of(account).to_b256(), account };
        done(anvil, s.stranger, at(Precompile::BalanceTransfer), known);
    }
}

/// The stand-in for 0x402 believes what it is told: that the machine signed what the vault asks for now.
pub fn introduce(anvil: &mut Anvil, s: &Surety, machine: &Machine) {
    let message = view(&s.chain, s.vault, s.digest_call(machine));
    let [r, signed] = s.possession(machine);
    let verified = ed25519::recordVerifiedCall { message, publicKey: machine.id(), r, s: signed };
    done(anvil, s.stranger, at(Precompile::Ed25519Verify), verified);
}

/// The machine's hotkey sits at its uid.
pub fn seat(anvil: &mut Anvil, from: Address, machine: &Machine) {
    let (hotkey, uid) = (machine.hotkey.to_b256(), machine.uid);
    let call = metagraph::setHotkeyCall { netuid: NETUID, uid, hotkey };
    done(anvil, from, at(Precompile::Metagraph), call);
}

fn associate(anvil: &mut Anvil, s: &Surety, machine: &Machine) {
    seat(anvil, s.stranger, machine);
    let prefix = hex!("658faa385070e074c85bf6b568cf05552ee3ea5cc28fb0bcd7e9c900544e35b2");
    let [net, uid] = [NETUID, machine.uid].map(|id: u16| twox64_concat(&id.to_le_bytes()));
    let key = [&prefix[..], &net, &uid].concat().into();
    let value = [s.miner.as_slice(), &10_000u64.to_le_bytes()].concat().into();
    done(anvil, s.stranger, at(Precompile::StorageQuery), storage::setValueCall { key, value });
}

fn done(anvil: &mut Anvil, from: Address, to: Address, call: impl SolCall) {
    let answer = anvil.send(from, Some(to), call.abi_encode(), 0);
    assert!(answer.succeeded, "{answer:?}");
}
