//! `surety case ...`: cases against machines: which there are, what is behind one, and objecting to it.

mod appeal;
mod execute;
mod filing;
mod list;
mod proof;
mod show;
mod words;

use super::kit::out::Out;
use anyhow::Result;
use clap::Subcommand;

/// What is done with cases.
#[derive(Debug, Subcommand)]
pub(super) enum CaseCommand {
    /// Cases, the newest first, as a keeper shows them.
    /// Example: surety case list --miner 0x12... --network mainnet --rpc URL
    List(list::List),
    /// Everything about one case: the chain's record, and the evidence behind it, fetched from the keepers and checked
    /// here.
    /// Example: surety case show 7 --network mainnet --rpc URL
    Show(show::Show),
    /// Object to a case against your machine, before its window closes. The judge rules, or the case stands.
    /// Example: surety case appeal 7 --evidence what-happened.txt --network mainnet --rpc URL --key-file miner.key
    Appeal(appeal::AppealArguments),
    /// Carry a case out once its windows have closed: pay to the renter, penalty burned. Keepers do it; anybody may.
    /// Example: surety case execute 7 --network mainnet --rpc URL --key-file my.key
    Execute(execute::ExecuteArguments),
}

impl CaseCommand {
    /// Does what was asked.
    pub(super) async fn run(self, out: Out) -> Result<()> {
        match self {
            Self::List(arguments) => list::run(&arguments, out).await,
            Self::Show(arguments) => show::run(&arguments, out).await,
            Self::Appeal(arguments) => appeal::run(&arguments, out).await,
            Self::Execute(arguments) => execute::run(&arguments, out).await,
        }
    }
}
