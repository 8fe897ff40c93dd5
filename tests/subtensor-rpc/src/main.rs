//! `surety-subtensor-rpc`: the stand-in as a process.

use clap::Parser;
use std::net::SocketAddr;
use surety_subtensor_rpc::{Control, Mild, StandIn};

/// A Subtensor node's JSON-RPC before an anvil.
#[derive(Debug, Parser)]
#[command(name = "surety-subtensor-rpc", version)]
struct Cli {
    /// anvil's URL.
    #[arg(long)]
    upstream: String,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Fail now and then, as this seed says; without it the node is well.
    #[arg(long)]
    seed: Option<u64>,
    /// Blocks between the best and the finalized one.
    #[arg(long, default_value_t = 2)]
    finality_lag: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    let control = Control::default();
    control.faults().mild = cli.seed.map(Mild::new);
    control.faults().finality_lag = cli.finality_lag;
    let stand_in = StandIn::start(&cli.upstream, cli.listen, control).await?;
    println!("{}", stand_in.url());
    tokio::signal::ctrl_c().await?;
    Ok(())
}
