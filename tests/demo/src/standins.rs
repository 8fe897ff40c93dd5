//! Stand-ins for what anvil has not: Subtensor's precompiles, and the facts they answer from.

use crate::actor::Tx;
use crate::anvil::Anvil;
use alloy::primitives::{Address, B256, Bytes, U256};
use anyhow::{Context, Result, ensure};
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use surety_client::bindings::standins::{
    AddressMappingStandIn, BalanceTransferStandIn, Ed25519VerifyStandIn, MetagraphStandIn, StorageQueryStandIn,
};
use surety_client::subtensor::{
    ADDRESS_MAPPING, BALANCE_TRANSFER, ED25519_VERIFY, METAGRAPH, STORAGE_QUERY, account_id, association_key,
    association_value,
};
use surety_core::types::{Account, Hash32, MachineId};

/// More than any setter takes.
const SETTER_GAS: u64 = 300_000;

/// Puts the stand-ins at Subtensor's addresses.
pub async fn place(anvil: &Anvil) -> Result<()> {
    let codes: [(Address, &Bytes); 5] = [
        (ED25519_VERIFY, &Ed25519VerifyStandIn::DEPLOYED_BYTECODE),
        (BALANCE_TRANSFER, &BalanceTransferStandIn::DEPLOYED_BYTECODE),
        (METAGRAPH, &MetagraphStandIn::DEPLOYED_BYTECODE),
        (STORAGE_QUERY, &StorageQueryStandIn::DEPLOYED_BYTECODE),
        (ADDRESS_MAPPING, &AddressMappingStandIn::DEPLOYED_BYTECODE),
    ];
    for (at, code) in codes {
        anvil.set_code(at, code).await.with_context(|| format!("placing the stand-in at {at}"))?;
    }
    Ok(())
}

/// What the chain knows of a miner: the hotkey at a uid, and the address associated with it.
#[derive(Debug, Clone, Copy)]
pub struct Neuron {
    /// The subnet.
    pub netuid: u16,
    /// Place in it.
    pub uid: u16,
    /// The hotkey there.
    pub hotkey: Hash32,
    /// The address that proved to belong to the hotkey.
    pub account: Account,
}

impl Neuron {
    /// The transactions that make the stand-ins know it.
    pub fn facts(&self) -> [Tx; 2] {
        let hotkey =
            MetagraphStandIn::setHotkeyCall { netuid: self.netuid, uid: self.uid, hotkey: B256::from(self.hotkey.0) };
        let associated_in_block = 1;
        let association = StorageQueryStandIn::setValueCall {
            key: association_key(self.netuid, self.uid).into(),
            value: association_value(self.account, associated_in_block).into(),
        };
        [setter(METAGRAPH, &hotkey), setter(STORAGE_QUERY, &association)]
    }
}

/// Code that stands in for 0x806 and knows one account: whatever it is asked, it answers these uids, associated in
/// block 7, in the shape recorded from a node at spec 425.
///
/// # Errors
/// More than two uids: the answer's length is one byte here.
pub fn uid_lookup(uids: &[u16]) -> Result<Bytes> {
    let head = [32, u64::try_from(uids.len())?];
    let items = uids.iter().flat_map(|uid| [u64::from(*uid), 7]);
    let answer: Vec<u8> = head.into_iter().chain(items).flat_map(|n| U256::from(n).to_be_bytes::<32>()).collect();
    let length = u8::try_from(answer.len()).context("more uids than this stand-in can answer")?;
    // codecopy(0, 12, length), return it; the answer follows these twelve bytes.
    let mut code = vec![0x60, length, 0x60, 12, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3];
    code.extend(answer);
    Ok(code.into())
}

/// Lets the transfer stand-in pay an account's mapped account id out as EVM balance, as Subtensor does.
pub fn introduction(account: Account) -> Tx {
    let call = BalanceTransferStandIn::introduceCall {
        accountId: B256::from(account_id(account).0),
        account: Address::from(account.0),
    };
    setter(BALANCE_TRANSFER, &call)
}

/// The transaction that makes the stand-in at 0x402 know a signature, once a real ed25519 implementation has verified
/// it here.
///
/// # Errors
/// When it does not verify: the stand-in then never hears of it.
pub fn verified(digest: Hash32, machine: MachineId, signature: [u8; 64]) -> Result<Tx> {
    let key = VerifyingKey::from_bytes(&machine.0).with_context(|| format!("{machine} is no ed25519 key"))?;
    let verified = key.verify(&digest.0, &Signature::from_bytes(&signature));
    ensure!(verified.is_ok(), "the signature of {machine} over {digest} does not verify: not recorded");
    let [r, s] = halves(signature);
    let call = Ed25519VerifyStandIn::recordVerifiedCall {
        message: B256::from(digest.0),
        publicKey: B256::from(machine.0),
        r,
        s,
    };
    Ok(setter(ED25519_VERIFY, &call))
}

/// A signature as the contracts take it.
pub fn halves(signature: [u8; 64]) -> [B256; 2] {
    let (r, s) = signature.split_at(32);
    [B256::from_slice(r), B256::from_slice(s)]
}

fn setter(at: Address, call: &impl alloy::sol_types::SolCall) -> Tx {
    Tx::call(at, call).with_gas(SETTER_GAS)
}
