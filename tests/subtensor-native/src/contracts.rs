//! pallet-contracts with one contract in it, the model of AlphaVault: tried by the runtime's API, and called by signed
//! extrinsics. What a message costs is fixed: the model has no gas.

use super::vault::{Done, Trouble, Vault};
use super::{Chain, State};
use crate::extrinsic::{Refused, Sent, invalid};
use subxt::ext::codec::{Compact, Decode, Encode};
use surety_core::types::Hash32;
use surety_substrate::needed;
use surety_substrate::runtime::Part;
use surety_substrate::ss58::AccountId;

/// What every message takes: picoseconds, and bytes of proof.
const GAS: (u64, u64) = (3_000_000_000, 134_000);

/// What every signed call costs, in rao of TAO, whatever it does.
pub const FEE_RAO: u64 = 150_000;

/// `REVERT` of the answer's flags.
const REVERTED: u32 = 1;

/// What a block's storage has for a contract: only the code's hash means something here.
fn contract_info(code_hash: Hash32) -> Vec<u8> {
    let (trie, numbers, deposits, dependencies) = (vec![0u8; 4], (0u32, 0u32), (0u64, 0u64, 0u64), Vec::<u8>::new());
    (trie, code_hash.0, numbers, deposits, dependencies).encode()
}

/// The arguments of `Contracts.call`.
#[derive(Debug)]
struct Called {
    contract: AccountId,
    gas: (u64, u64),
    deposit_rao: Option<u64>,
    data: Vec<u8>,
}

impl Called {
    fn read(mut args: &[u8]) -> Option<Self> {
        let rest = &mut args;
        let (kind, contract) = <(u8, AccountId)>::decode(rest).ok()?;
        let (_value, ref_time, proof) = <(Compact<u64>, Compact<u64>, Compact<u64>)>::decode(rest).ok()?;
        let (deposit, data) = <(Option<Compact<u64>>, Vec<u8>)>::decode(rest).ok()?;
        let whole = kind == 0 && rest.is_empty();
        let deposit_rao = deposit.map(|rao| rao.0);
        whole.then_some(Self { contract, gas: (ref_time.0, proof.0), deposit_rao, data })
    }
}

impl Chain {
    /// Puts a vault on the chain, from the next block on.
    pub fn set_vault(&self, vault: Vault) {
        let key = self.key(&needed::CONTRACT, &[vault.account.into()]);
        let mut state = self.state();
        state.next.insert(key, contract_info(vault.code_hash));
        state.vault = Some(vault);
    }

    /// Changes the vault, from the next block on.
    pub fn with_vault(&self, change: impl FnOnce(&mut Vault)) {
        let mut vault = self.state().vault.clone().unwrap();
        change(&mut vault);
        self.set_vault(vault);
    }

    /// The vault as the next block will have it.
    pub fn vault(&self) -> Vault {
        self.state().vault.clone().unwrap()
    }

    /// Gives an account so much free TAO, in rao.
    pub fn set_balance(&self, account: AccountId, rao: u64) {
        let mut info: (u32, u32, u32, u32, (u64, u64, u64, u128)) = self.get(&needed::ACCOUNT, &[account.into()]);
        info.4.0 = rao;
        self.set(&needed::ACCOUNT, &[Part::from(account)], info);
    }

    /// Free TAO of an account, in rao.
    pub fn balance(&self, account: AccountId) -> u64 {
        let info: (u32, u32, u32, u32, (u64, u64, u64, u128)) = self.get(&needed::ACCOUNT, &[account.into()]);
        info.4.0
    }

    /// Whoever calls a contract pays for it.
    pub(crate) fn can_pay(&self, sent: &Sent) -> Result<(), Refused> {
        let free = sent.call != &needed::CALL_CONTRACT || self.balance(sent.signer) >= FEE_RAO;
        if free { Ok(()) } else { Err(invalid("Inability to pay some fees (e.g. account balance too low)")) }
    }

    /// A signed call in a block. Err: the chain's name for what it met; then nothing was changed.
    pub(crate) fn call_contract(&self, sent: &Sent, extrinsic: u32, block: u64) -> Result<(), &'static str> {
        let balance = self.balance(sent.signer) - FEE_RAO;
        self.set_balance(sent.signer, balance);
        let called = Called::read(&sent.args).ok_or("DecodingFailed")?;
        let mut vault =
            self.state().vault.clone().filter(|v| v.account == called.contract).ok_or("ContractNotFound")?;
        let required = required(&vault);
        if called.gas.0 < required.0 || called.gas.1 < required.1 {
            return Err("OutOfGas");
        }
        let done = vault.run(sent.signer, &called.data, Self::time_of(block))?;
        if done.reverted {
            return Err("ContractReverted");
        }
        if called.deposit_rao.is_some_and(|most| most < done.deposit_rao) {
            return Err("StorageDepositLimitExhausted");
        }
        self.set_balance(sent.signer, balance.checked_sub(done.deposit_rao).ok_or("StorageDepositNotEnoughFunds")?);
        for (topics, data) in done.events {
            self.event_with(Some(extrinsic), &needed::CONTRACT_EMITTED, &(called.contract, data).encode(), &topics);
        }
        self.set_vault(vault);
        Ok(())
    }

    /// A dispatch error of pallet-contracts.
    pub(crate) fn contracts_error(&self, name: &str) -> Vec<u8> {
        let pallet = self.metadata.pallet_by_name("Contracts").unwrap();
        let variant = pallet.error_variants().unwrap().iter().find(|variant| variant.name == name);
        // `Module` is the fourth kind of dispatch error.
        vec![3, pallet.error_index(), variant.map_or(0xff, |variant| variant.index), 0, 0, 0]
    }

    /// `ContractsApi.call`.
    pub(crate) fn try_contract(&self, state: Hash32, question: &[u8]) -> Option<Vec<u8>> {
        type Asked = (AccountId, AccountId, u64, Option<(Compact<u64>, Compact<u64>)>, Option<u64>, Vec<u8>);
        let (origin, dest, _, _, _, data) = Asked::decode(&mut &question[..]).ok()?;
        let (vault, now) = self.state().vault_at(state)?;
        let mut vault = vault.filter(|vault| vault.account == dest);
        let gas = vault.as_ref().map_or(GAS, required);
        let done = vault.as_mut().map_or(Err("ContractNotFound"), |vault| vault.run(origin, &data, now));
        let gas = (Compact(gas.0), Compact(gas.1));
        let words = if done.as_ref().err() == Some(&"ContractTrapped") { "panicked: it was told to" } else { "" };
        let (deposit, result) = match done {
            Ok(Done { data, reverted, deposit_rao, .. }) => {
                (deposit_rao, [vec![0], (u32::from(reverted) * REVERTED, data).encode()].concat())
            }
            Err(name) => (0, [vec![1], self.contracts_error(name)].concat()),
        };
        Some([(gas, gas, 1u8, deposit, words).encode(), result, vec![0]].concat())
    }

    /// `StakeInfoRuntimeApi.get_stake_info_for_coldkey`.
    pub(crate) fn stakes_of(&self, state: Hash32, question: &[u8]) -> Option<Vec<u8>> {
        let coldkey = AccountId::decode(&mut &question[..]).ok()?;
        let (vault, _) = self.state().vault_at(state)?;
        let vault = vault?;
        let info = |((cold, hot), rao): (&(AccountId, AccountId), &u64)| {
            let (none, netuid) = (Compact(0u64), Compact(vault.config.netuid));
            (*hot, *cold, netuid, Compact(*rao), (none, none, none, none), true)
        };
        let own = vault.stakes.iter().filter(|((cold, _), rao)| *cold == coldkey && **rao > 0).map(info);
        Some(own.collect::<Vec<_>>().encode())
    }

    /// `StakeInfoRuntimeApi.get_stake_availability_for_coldkeys`.
    pub(crate) fn available_of(&self, state: Hash32, question: &[u8]) -> Option<Vec<u8>> {
        let (coldkeys, _) = <(Vec<AccountId>, Option<Vec<u16>>)>::decode(&mut &question[..]).ok()?;
        let (vault, _) = self.state().vault_at(state)?;
        let vault = vault?;
        let row = |coldkey: AccountId| {
            let (total, locked, available) = vault.availability(coldkey);
            (coldkey, vec![(vault.config.netuid, Compact(total), Compact(locked), Compact(available))])
        };
        Some(coldkeys.into_iter().map(row).collect::<Vec<_>>().encode())
    }
}

fn required(vault: &Vault) -> (u64, u64) {
    let times = if vault.trouble == Some(Trouble::Greedy) { 1_000 } else { 1 };
    (GAS.0 * times, GAS.1 * times)
}

impl State {
    /// The vault as a block has it, and the block's time.
    fn vault_at(&self, hash: Hash32) -> Option<(Option<Vault>, u64)> {
        let block = self.blocks.iter().find(|block| block.head.hash == hash)?;
        Some((block.vault.clone(), Chain::time_of(block.head.number)))
    }
}
