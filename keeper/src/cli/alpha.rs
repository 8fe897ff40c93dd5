//! `surety alpha ...`: a native coldkey bonds the subnet's alpha for a machine in AlphaVault (`contracts/SPEC.md`,
//! section 19), and takes it out again.
//!
//! - [`place`]: the chain, its final block and the vault, each checked before anything is said about it;
//! - [`key`]: whose coldkey;
//! - [`deed`]: what is asked for: looked at, tried, and put into words before anything is signed;
//! - [`errand`]: signed, sent, waited for, told;
//! - [`status`]: what stands; [`words`]: times and tables; [`refused`]: why not.
//!
//! What keepers sign about bonds and cases is brought to whoever takes it, by anybody:
//! - [`court`]: the contracts' keepers, all asked at once; [`agreed`]: what their answers come to;
//! - [`state`]: a bond, for the contracts;
//! - [`case`]: a case of the Arbiter, for the vault; [`filing`]: as its messages; [`filed`]: those in words.

mod agreed;
mod case;
mod court;
mod deed;
mod errand;
mod filed;
mod filing;
mod key;
mod place;
mod refused;
mod state;
mod status;
#[cfg(test)]
mod tests;
mod words;

use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use surety_core::types::MachineId;
use surety_deploy::network::Network;
use surety_substrate::amount::Amount;
use surety_substrate::ss58::AccountId;

/// Which vault, on which chain.
#[derive(Debug, Clone, Args)]
pub(super) struct Where {
    /// The vault's address.
    #[arg(long, env = "SURETY_ALPHA_VAULT")]
    vault: AccountId,
    /// JSON-RPC URL (http) of a Subtensor node. Several, by commas or by repeating it, have to agree by majority.
    #[arg(long, env = "SURETY_SUBTENSOR_RPC", hide_env_values = true, value_delimiter = ',', required = true)]
    rpc: Vec<String>,
    /// Go on only if it is this chain: localnet, testnet or mainnet.
    #[arg(long)]
    network: Option<Network>,
    /// Go on only if the vault is of this subnet.
    #[arg(long)]
    netuid: Option<u16>,
    /// Answer as one JSON object.
    #[arg(long)]
    json: bool,
}

/// Whose coldkey signs, and what is asked before it does.
#[derive(Debug, Clone, Args)]
pub(super) struct Signing {
    /// The coldkey file as btcli writes it, wallets/NAME/coldkey, mode 0600. An encrypted one is opened with the
    /// password in SURETY_COLDKEY_PASSWORD, or with the one you are asked for.
    #[arg(long, conflicts_with = "dev")]
    coldkey_file: Option<PathBuf>,
    /// A development key such as //Alice, on a local chain only.
    #[arg(long)]
    dev: Option<String>,
    /// The coldkey's address: alone with --dry-run no key is needed; with a key, go on only if it is that one.
    #[arg(long)]
    owner: Option<AccountId>,
    /// Check everything, try it, show what would be sent, and send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask before it is signed.
    #[arg(long)]
    yes: bool,
}

/// What `surety alpha` does.
#[derive(Debug, Subcommand)]
pub(super) enum AlphaCommand {
    /// Put staked alpha into the bond of a machine. It stays staked and goes on earning, under the vault's hotkey.
    /// Example: surety alpha deposit --machine 0x12... --hotkey 5... --amount 12.5 --vault 5... --rpc
    /// http://127.0.0.1:9944 --coldkey-file ~/.bittensor/wallets/me/coldkey
    Deposit {
        /// The machine's host key: 64 hex digits.
        #[arg(long)]
        machine: MachineId,
        /// The hotkey that the stake is under now.
        #[arg(long)]
        hotkey: AccountId,
        /// How much alpha, with at most nine decimals: 12.5
        #[arg(long)]
        amount: Amount,
        #[command(flatten)]
        at: Where,
        #[command(flatten)]
        signing: Signing,
    },
    /// Ask for alpha out of a bond. It can be withdrawn after the vault's delay, for as long as its window is open; a
    /// new request replaces an earlier one and starts the delay again.
    /// Example: surety alpha exit --machine 0x12... --all --vault 5... --rpc http://127.0.0.1:9944 --coldkey-file
    /// ~/.bittensor/wallets/me/coldkey
    Exit {
        /// The machine's host key: 64 hex digits.
        #[arg(long)]
        machine: MachineId,
        /// How much, with at most nine decimals.
        #[arg(long, required_unless_present = "all", conflicts_with = "all")]
        amount: Option<Amount>,
        /// All that is free or on its way out already.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        at: Where,
        #[command(flatten)]
        signing: Signing,
    },
    /// Call an exit off: what was on its way out is free bond again.
    /// Example: surety alpha cancel --machine 0x12... --vault 5... --rpc http://127.0.0.1:9944 --coldkey-file
    /// ~/.bittensor/wallets/me/coldkey
    Cancel {
        /// The machine's host key: 64 hex digits.
        #[arg(long)]
        machine: MachineId,
        #[command(flatten)]
        at: Where,
        #[command(flatten)]
        signing: Signing,
    },
    /// Take out what an exit made ready, inside its window, as stake under the vault's hotkey.
    /// Example: surety alpha withdraw --machine 0x12... --vault 5... --rpc http://127.0.0.1:9944 --coldkey-file
    /// ~/.bittensor/wallets/me/coldkey
    Withdraw {
        /// The machine's host key: 64 hex digits.
        #[arg(long)]
        machine: MachineId,
        /// Refuse less than this. Without it: a thousandth less than what it is worth when it is tried.
        #[arg(long)]
        at_least: Option<Amount>,
        #[command(flatten)]
        at: Where,
        #[command(flatten)]
        signing: Signing,
    },
    /// Ask the keepers what bond of alpha stands for a machine, and bring their word to the contracts, so that a rental
    /// can begin on it or be extended. Anybody may; it serves for a day.
    /// Example: surety alpha state --machine 0x12... --deployment deployments/964.json --evm-rpc
    /// http://127.0.0.1:9944 --key-file evm.key
    State(state::StateArguments),
    /// Ask the keepers what of a case of the Arbiter falls on a bond of alpha, and bring their word to the vault, which
    /// sets it aside; with --verdict, what became of the case. Anybody may, with any coldkey, for the fee.
    /// Example: surety alpha case --case 7 --deployment deployments/964.json --evm-rpc http://127.0.0.1:9944 --vault
    /// 5... --rpc http://127.0.0.1:9944 --coldkey-file ~/.bittensor/wallets/me/coldkey
    Case(case::CaseArguments),
    /// What stands: the vault, and a coldkey's stake, bonds and cases. Needs no key.
    /// Example: surety alpha status --owner 5... --vault 5... --rpc http://127.0.0.1:9944
    Status {
        /// The coldkey's address. Without it, the vault alone.
        #[arg(long)]
        owner: Option<AccountId>,
        /// Only the bond for this machine: its host key, 64 hex digits.
        #[arg(long, requires = "owner")]
        machine: Option<MachineId>,
        #[command(flatten)]
        at: Where,
    },
}

impl AlphaCommand {
    pub(super) fn run(self) -> Result<()> {
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (wanted, at, signing) = match self {
            Self::Status { owner, machine, at } => return tokio.block_on(status::run(&at, owner, machine)),
            Self::Case(arguments) => return tokio.block_on(case::run(&arguments)),
            Self::State(arguments) => return tokio.block_on(state::run(&arguments)),
            Self::Deposit { machine, hotkey, amount, at, signing } => {
                (deed::Wanted::Deposit { machine, hotkey, rao: amount.0 }, at, signing)
            }
            Self::Exit { machine, amount, all: _, at, signing } => {
                (deed::Wanted::Exit { machine, rao: amount.map(|amount| amount.0) }, at, signing)
            }
            Self::Cancel { machine, at, signing } => (deed::Wanted::Cancel { machine }, at, signing),
            Self::Withdraw { machine, at_least, at, signing } => {
                (deed::Wanted::Withdraw { machine, least_rao: at_least.map(|amount| amount.0) }, at, signing)
            }
        };
        tokio.block_on(errand::run(&wanted, &at, &signing))
    }
}
