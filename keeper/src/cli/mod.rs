//! The command line: `surety keeper ...`, `surety evidence ...`, `surety verifier ...`, `surety complain ...`,
//! `surety weights ...`, `surety alpha ...`, `surety deploy ...`, `surety audit ...`.

mod alpha;
mod audit;
mod complain;
mod deploy;
pub mod evidence;
pub mod keeper;
mod verifier;
mod weights;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use surety_client::deployment::Deployment;
use surety_client::provider::Node;
use surety_client::reader::Reader;

/// Rent GPU machines from strangers, with a bond, an escrow and a court.
#[derive(Debug, Parser)]
#[command(name = "surety", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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

impl Cli {
    /// Does what was asked.
    pub fn run(self) -> Result<()> {
        match self.command {
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
        }
    }
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
