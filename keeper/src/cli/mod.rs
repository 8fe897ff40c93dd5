//! The command line `surety`. `keeper/CLI.md` is its reference, written by `surety reference`.
//!
//! - for miners: [`node`], [`case`], [`earnings`], [`alpha`];
//! - for renters: [`market`], [`rent`], [`bid`], [`credit`], [`complain`];
//! - for keeper operators: [`keeper`], [`weights`];
//! - for whoever deploys or doubts: [`deploy`], [`audit`], [`evidence`], [`verifier`], [`case`];
//! - [`kit`] is what they are built from, [`scan`] looks through what the contracts number.

mod alpha;
mod audit;
mod bid;
mod case;
mod complain;
mod credit;
mod deploy;
mod earnings;
pub mod evidence;
pub mod keeper;
mod kit;
mod market;
mod node;
mod reference;
mod rent;
mod scan;
mod verifier;
mod weights;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use kit::{exit, out};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use surety_client::deployment::Deployment;
use surety_client::provider::Node;
use surety_client::reader::Reader;

/// Rent GPU machines from strangers, with a bond, an escrow and a court.
#[derive(Debug, Parser)]
#[command(name = "surety", version, about, after_help = exit::HELP)]
pub struct Cli {
    /// Answer as one JSON document; amounts in rao, as decimal text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What can be rented, as a keeper shows it.
    /// Example: surety market --class "H100 SXM" --min-gpus 8 --max-price 20/h --network mainnet --rpc URL
    Market(market::MarketArguments),
    /// Rent a machine: collects keepers' certificates, pays exactly what it costs, and says how to log in.
    /// Example: surety rent 0x12... --for 2h30m --ssh-key ~/.ssh/id_ed25519.pub --network mainnet --rpc URL
    /// --key-file renter.key
    Rent(rent::RentArguments),
    /// What an account rents and has rented.
    /// Example: surety rentals --of 0x12... --network mainnet --rpc URL
    Rentals(rent::RentalsArguments),
    /// Log in to the machine you rent, with exactly the host key that the chain names.
    /// Example: surety ssh 7 --network mainnet --rpc URL -- nvidia-smi
    Ssh(rent::SshArguments),
    /// Make a running rental longer, at its own price.
    /// Example: surety extend 7 --for 1h --network mainnet --rpc URL --key-file renter.key
    Extend(rent::ExtendArguments),
    /// End a rental early: unused time is your credit at once.
    /// Example: surety end 7 --network mainnet --rpc URL --key-file renter.key
    End(rent::EndArguments),
    /// Wishes for machines that are not there yet, or not so cheap.
    Bid {
        #[command(subcommand)]
        command: bid::BidCommand,
    },
    /// What the contracts owe an account, and paying it out.
    /// Example: surety credit --of 0x12... --network mainnet --rpc URL
    Credit(credit::CreditArguments),
    /// A miner's machine, from its host key to its bond back out.
    Node {
        #[command(subcommand)]
        command: node::NodeCommand,
    },
    /// What a miner's rentals have earned, what can be claimed, and what is credit.
    /// Example: surety earnings --claim --network mainnet --rpc URL --key-file miner.key
    Earnings(earnings::EarningsArguments),
    /// Cases against machines: which there are, what is behind one, and objecting to it.
    Case {
        #[command(subcommand)]
        command: case::CaseCommand,
    },
    /// The service a validator runs, and what it keeps.
    Keeper {
        #[command(subcommand)]
        command: keeper::KeeperCommand,
    },
    /// Look at evidence.
    Evidence {
        #[command(subcommand)]
        command: EvidenceCommand,
    },
    /// Check a measurement again, or a machine's fraud.
    Verifier {
        #[command(subcommand)]
        command: verifier::VerifierCommand,
    },
    /// Tell the keepers that something is wrong with the machine you rent: they look at it more closely for a while.
    /// Example: surety complain --rental 7 --code too-slow --deployment deployments/964.json --rpc URL
    Complain(complain::ComplainArguments),
    /// What miners earn on the subnet, and why.
    Weights {
        #[command(subcommand)]
        command: weights::WeightsCommand,
    },
    /// Bond the subnet's alpha for a machine with a native coldkey, and take it out again.
    Alpha {
        #[command(subcommand)]
        command: alpha::AlphaCommand,
    },
    /// Put the contracts on a chain. Run again, it goes on where it was interrupted.
    /// Example: surety deploy --network testnet --params mine.toml --rpc http://127.0.0.1:9944 --key-file deployer.key
    Deploy(deploy::DeployArguments),
    /// Prove from chain what is deployed: code, parameters, owners, every ledger. Exit status 0: everything holds.
    /// Example: surety audit --network testnet --rpc http://127.0.0.1:9944
    Audit(audit::AuditArguments),
    /// A completion script for your shell.
    /// Example: surety completions bash > /etc/bash_completion.d/surety
    Completions {
        /// Which.
        shell: clap_complete::Shell,
    },
    /// Every command, as Markdown.
    #[command(hide = true)]
    Reference,
}

#[derive(Debug, Subcommand)]
enum EvidenceCommand {
    /// Check a bundle: digest, signature, and that it supports what was signed.
    /// Example: surety evidence verify bundle.json --deployment deployments/964.json
    Verify {
        /// The bundle, as served at /evidence/DIGEST.
        file: PathBuf,
        /// Also check that it is for this deployment.
        #[arg(long)]
        deployment: Option<PathBuf>,
        /// Also look at the chain: an RPC URL; needs --deployment.
        #[arg(long, requires = "deployment")]
        rpc: Option<String>,
    },
}

/// Reads the command line, does what it says, and ends with the status that [`exit::HELP`] lists.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let json = cli.json;
    match cli.run() {
        Ok(status) => status,
        Err(error) => {
            let status = exit::of(&error);
            out::failed(&error, status, json);
            ExitCode::from(status)
        }
    }
}

impl Cli {
    /// Does what was asked.
    fn run(self) -> Result<ExitCode> {
        let out = out::Out { json: self.json };
        let done = match self.command {
            Command::Market(arguments) => wait(market::run(&arguments, out)),
            Command::Rent(arguments) => wait(rent::run(&arguments, out)),
            Command::Rentals(arguments) => wait(rent::rentals(&arguments, out)),
            Command::Ssh(arguments) => return wait(rent::ssh(&arguments)),
            Command::Extend(arguments) => wait(rent::extend(&arguments, out)),
            Command::End(arguments) => wait(rent::end(&arguments, out)),
            Command::Bid { command } => wait(command.run(out)),
            Command::Credit(arguments) => wait(credit::run(arguments, out)),
            Command::Node { command } => wait(command.run(out)),
            Command::Earnings(arguments) => wait(earnings::run(&arguments, out)),
            Command::Case { command } => wait(command.run(out)),
            Command::Keeper { command } => command.run(),
            Command::Evidence { command: EvidenceCommand::Verify { file, deployment, rpc } } => {
                verify_evidence(&file, deployment.as_deref(), rpc.as_deref())
            }
            Command::Verifier { command } => command.run(),
            Command::Weights { command } => command.run(),
            Command::Alpha { command } => command.run(),
            Command::Complain(arguments) => complain::run(&arguments),
            Command::Deploy(arguments) => deploy::run(&arguments),
            Command::Audit(arguments) => audit::run(&arguments),
            Command::Completions { shell } => {
                out::print(&String::from_utf8_lossy(&reference::completions(shell, Self::command())));
                Ok(())
            }
            Command::Reference => {
                out::print(&reference::page(Self::command()));
                Ok(())
            }
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// Runs one command to its end.
fn wait<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn verify_evidence(file: &Path, deployment: Option<&Path>, rpc: Option<&str>) -> Result<()> {
    let deployment = deployment.map(Deployment::read).transpose()?;
    match evidence::verify(file, deployment.as_ref()) {
        Ok(report) => println!("{report}"),
        Err(error) => {
            if let evidence::VerifyError::Failed { passed, .. } = &error {
                passed.iter().for_each(|line| println!("{line}"));
            }
            return Err(error.into());
        }
    }
    if let (Some(deployment), Some(rpc)) = (&deployment, rpc) {
        let reader = Reader::new(Node::new(rpc)?, deployment);
        let bundle = evidence::read_bundle(file)?;
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        println!("{}", tokio.block_on(evidence::verify_on_chain(&reader, &bundle))?);
    }
    Ok(())
}
