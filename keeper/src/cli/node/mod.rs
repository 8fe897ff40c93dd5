//! `surety node ...`: a miner's machine, from its host key to its bond back out.

mod abandon;
mod bond;
mod init;
mod migrate;
mod offer;
mod register;
mod state;
mod status;

pub(in crate::cli) use state::{NodeState, mine};

use super::kit::exit::Stop;
use super::kit::out::Out;
use super::kit::sshkey::HostKey;
use super::kit::{parse, place::Where, who::Signing};
use anyhow::Result;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use surety_core::types::MachineId;

/// What a miner does with a machine.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum NodeCommand {
    /// Make what a machine needs to start: host key, node.toml; and check hotkey and association on chain.
    /// Example: surety node init --dir /etc/surety --endpoint 203.0.113.7:22 --class "RTX 4090" --count 8
    /// --hotkey 5... --uid 17 --network mainnet --rpc URL --key-file miner.key
    Init(init::Init),
    /// Register the machine for your account and hotkey.
    /// Example: surety node register --host-key /etc/surety/host_key --hotkey 5... --uid 17
    /// --endpoint 203.0.113.7:22 --network mainnet --rpc URL --key-file miner.key
    Register(register::Register),
    /// Add to the machine's bond.
    /// Example: surety node deposit --machine 0x12... --amount 2.5 --network mainnet --rpc URL --key-file miner.key
    Deposit(bond::Deposit),
    /// Offer the machine for rent, or take the offer back.
    /// Example: surety node offer --machine 0x12... --class "RTX 4090" --count 8 --price 0.9/h --max 30d --expires 7d
    /// --network mainnet --rpc URL --key-file miner.key
    Offer(offer::OfferArguments),
    /// Give a running rental up, at half of what an outage costs: for a machine that will not come back.
    /// Example: surety node abandon 12 --network mainnet --rpc URL --key-file miner.key
    Abandon(abandon::Abandon),
    /// Start taking bond out; after the exit delay, withdraw it.
    /// Example: surety node exit --machine 0x12... --all --network mainnet --rpc URL --key-file miner.key
    Exit(bond::Exit),
    /// Turn a matured exit into credit, which `surety credit withdraw` pays out.
    /// Example: surety node withdraw --machine 0x12... --network mainnet --rpc URL --key-file miner.key
    Withdraw(bond::Withdraw),
    /// Move: another address, another uid or hotkey, or out of this registration for good.
    /// Example: surety node migrate --machine 0x12... --endpoint 198.51.100.9:22 --network mainnet --rpc URL
    /// --key-file miner.key
    Migrate(migrate::Migrate),
    /// What the chain says of a machine, or of all of an account's.
    /// Example: surety node status --machine 0x12... --network mainnet --rpc URL
    Status(status::Status),
}

impl NodeCommand {
    /// Does what was asked.
    pub(in crate::cli) async fn run(self, out: Out) -> Result<()> {
        match self {
            Self::Init(arguments) => init::run(&arguments, out).await,
            Self::Register(arguments) => register::run(&arguments, out).await,
            Self::Deposit(arguments) => bond::deposit(&arguments, out).await,
            Self::Offer(arguments) => offer::run(&arguments, out).await,
            Self::Abandon(arguments) => abandon::run(&arguments, out).await,
            Self::Exit(arguments) => bond::exit(&arguments, out).await,
            Self::Withdraw(arguments) => bond::withdraw(&arguments, out).await,
            Self::Migrate(arguments) => migrate::run(&arguments, out).await,
            Self::Status(arguments) => status::run(&arguments, out).await,
        }
    }
}

/// Which machine.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Which {
    /// The machine: its host key's 64 hex digits.
    #[arg(long, value_name = "MACHINE", value_parser = parse::machine, required_unless_present = "host_key")]
    machine: Option<MachineId>,
    /// The machine's host key file instead.
    #[arg(long, value_name = "FILE", conflicts_with = "machine")]
    host_key: Option<PathBuf>,
}

impl Which {
    fn machine(&self) -> Result<MachineId> {
        match (self.machine, &self.host_key) {
            (Some(machine), _) => Ok(machine),
            (None, Some(path)) => Ok(HostKey::read(path)?.machine()),
            (None, None) => Err(Stop::usage("which machine? Name it with --machine, or its key with --host-key")),
        }
    }
}

/// Where a transaction goes, and who signs it.
#[derive(Debug, Clone, Args)]
pub(in crate::cli) struct Acting {
    #[command(flatten)]
    at: Where,
    #[command(flatten)]
    signing: Signing,
}
