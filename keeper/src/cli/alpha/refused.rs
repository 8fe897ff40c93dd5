//! Why nothing is sent: what was found, what was expected, what to do.

use super::words;
use surety_core::types::MachineId;
use surety_deploy::network::Network;
use surety_substrate::amount::Amount;
use surety_substrate::contracts::Gas;
use surety_substrate::ss58::AccountId;

/// Why nothing is sent. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// A node of another kind of chain.
    #[error("the node is not Subtensor, or one whose runtime this program does not know: {lack}. Check --rpc")]
    NotSubtensor {
        /// What is missing first.
        lack: String,
    },
    /// Addresses of another form.
    #[error("the chain writes addresses with prefix {found}, want 42 as Bittensor does: check --rpc")]
    Prefix {
        /// The chain's.
        found: u16,
    },
    /// Another chain than named.
    #[error("the chain has EVM id {found}, want {} for {network}: check --rpc and --network", network.chain_id())]
    OtherNetwork {
        /// What was named.
        network: Network,
        /// What the chain says.
        found: u64,
    },
    /// The vault was made for another chain.
    #[error("the vault was made for the chain with EVM id {vault}, this one has {chain}: it is not to be used here")]
    OtherChain {
        /// The vault's.
        vault: u64,
        /// The chain's.
        chain: u64,
    },
    /// The vault is of another subnet.
    #[error("wrong netuid: the vault takes alpha of subnet {vault}, want {asked}. Check --vault and --netuid")]
    OtherSubnet {
        /// The vault's.
        vault: u16,
        /// What was named.
        asked: u16,
    },
    /// Nothing asked for.
    #[error("zero: want more than 0 alpha")]
    Zero,
    /// Nothing is staked there.
    #[error("{owner} has no stake under hotkey {hotkey} on subnet {netuid}; {}", elsewhere(others))]
    NoStake {
        /// Whose.
        owner: AccountId,
        /// Where it was looked for.
        hotkey: AccountId,
        /// On which subnet.
        netuid: u16,
        /// Where there is some.
        others: Vec<(AccountId, u64)>,
    },
    /// Less is staked there.
    #[error(
        "{} alpha was asked for, {} is under hotkey {hotkey}: ask for that at most",
        Amount(*asked), Amount(*staked)
    )]
    MoreThanStaked {
        /// Asked for, in rao.
        asked: u64,
        /// What there is, in rao.
        staked: u64,
        /// Where.
        hotkey: AccountId,
    },
    /// The alpha is locked.
    #[error(
        "locked alpha: {} was asked for, {} of the coldkey's can be moved and {} is locked. The vault takes none that \
         is: deposit less, or wait until the lock has run out",
        Amount(*asked), Amount(*available), Amount(*locked)
    )]
    Locked {
        /// Asked for, in rao.
        asked: u64,
        /// What can be moved, in rao.
        available: u64,
        /// What cannot, in rao.
        locked: u64,
    },
    /// No bond.
    #[error("{owner} has no bond for machine {machine} here: surety alpha status --owner {owner} shows what there is")]
    NoBond {
        /// Whose.
        owner: AccountId,
        /// For which machine.
        machine: MachineId,
    },
    /// More than there is.
    #[error("{} was asked for, {} is free or on its way out: ask for that at most, or for --all",
        Amount(*asked), Amount(*available))]
    MoreThanBonded {
        /// Asked for, in rao.
        asked: u64,
        /// What there is, in rao.
        available: u64,
    },
    /// Nothing is on its way out.
    #[error(
        "nothing of this bond is on its way out (an exit that is not withdrawn in its window lapses). Ask for it first: \
         surety alpha exit"
    )]
    NoExit,
    /// Not ready yet.
    #[error("too early: it can be withdrawn in {}, from {} on", words::span(ready_at.saturating_sub(*now)),
        words::date(*ready_at))]
    TooEarly {
        /// First second.
        ready_at: u64,
        /// The chain's time.
        now: u64,
    },
    /// Worth less than wanted.
    #[error("it is worth {} now, less than the {} of --at-least", Amount(*worth), Amount(*least))]
    WorthLess {
        /// What it is worth, in rao.
        worth: u64,
        /// What was wanted, in rao.
        least: u64,
    },
    /// The coldkey cannot pay.
    #[error("{owner} has {} TAO to spend, this takes up to {}: send it some", Amount(*free), Amount(*need))]
    TooLittleTao {
        /// Whose.
        owner: AccountId,
        /// What it has, in rao.
        free: u64,
        /// What it takes, in rao.
        need: u64,
    },
    /// More computing than any message of the vault takes.
    #[error(
        "the nodes say that this takes {} ps and {} bytes of proof, want at most {} and {}: no message of the vault \
         does. Nothing is signed", found.ref_time, found.proof_size, most.ref_time, most.proof_size
    )]
    TooMuchGas {
        /// What they say.
        found: Gas,
        /// What is accepted.
        most: Gas,
    },
    /// More held than any record of the vault takes.
    #[error(
        "the nodes say that the chain would hold {} TAO for storage, want at most {}: no record of the vault takes \
         that. Nothing is signed", Amount(*found), Amount(*most)
    )]
    TooMuchDeposit {
        /// What they say, in rao.
        found: u64,
        /// What is accepted, in rao.
        most: u64,
    },
    /// No key, so no signature.
    #[error(
        "no signature is possible: whose coldkey? Name it with --coldkey-file wallets/NAME/coldkey (or --dev //Alice \
         on a local chain); with --dry-run its address is enough: --owner"
    )]
    NoKey,
    /// Another key than named.
    #[error("the coldkey is {key}, want {owner} of --owner: it is another wallet's")]
    OtherKey {
        /// The key's account.
        key: AccountId,
        /// What was named.
        owner: AccountId,
    },
    /// The file can be read by others.
    #[error("the coldkey file {path} has mode {mode:o}, others can read it; run: chmod 600 {path}")]
    Exposed {
        /// Which file.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// In a block, and refused there.
    #[error(
        "in block {block} the chain refused it: {why}. Nothing was changed but the fee. Try it again with --dry-run"
    )]
    InBlock {
        /// The block.
        block: u64,
        /// The chain's name for it.
        why: String,
    },
    /// In a block, and silent.
    #[error("block {block} has the call, and the vault did not say that it was done: look with surety alpha status")]
    Silent {
        /// The block.
        block: u64,
    },
}

/// Where else there is stake.
fn elsewhere(others: &[(AccountId, u64)]) -> String {
    if others.is_empty() {
        return "it has none under any other either: check the coldkey and the subnet".into();
    }
    let each = others.iter().take(5).map(|(hotkey, rao)| format!("{} under {hotkey}", Amount(*rao)));
    format!("it has {}: name one with --hotkey", each.collect::<Vec<_>>().join(", "))
}
