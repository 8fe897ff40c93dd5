//! The story, in seven steps. Each has a deadline; a failure names the step, the last thing seen, and the logs.
//!
//! | module | steps |
//! |---|---|
//! | [`stage`], [`surety`] | what the steps share |
//! | [`opening`] | 1 chain, contracts, keepers; 2 machines; 3 bonds, offers, certificates |
//! | [`measured`] | 3 what stands behind certificates, run again |
//! | [`rentals`] | 4 two rentals, and a wish |
//! | [`outage`] | 5 one machine is killed; an audit in the middle of it |
//! | [`complaint`] | 5 what its renter does about it |
//! | [`closing`] | 6 claims, closings, exits; 7 an audit, and where every rao went |
//! | [`reopened`] | after the end, with `--keep`: a market to be used |

mod closing;
mod complaint;
mod measured;
mod opening;
mod outage;
mod rentals;
mod reopened;
mod stage;
mod surety;

use crate::chaos;
use crate::process::Processes;
use crate::seed::Seed;
use crate::show::Show;
use crate::wait::Seer;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use stage::Stage;
use std::path::{Path, PathBuf};
use std::time::Duration;
use surety_core::types::Rao;

/// Certificates of three machines take the longest.
const REOPEN_LIMIT: Duration = Duration::from_secs(180);

/// What to tell, and with what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Keys and choices.
    pub seed: Seed,
    /// OpenSSH's sshd instead of the embedded server.
    pub sshd: bool,
    /// Keepers to kill at random moments.
    pub kill_keepers: u32,
    /// Everything is to be used after the end: cases can be appealed for longer.
    pub keep: bool,
    /// Where the deployment file goes; the run's own directory if none is given.
    pub deployments: Option<PathBuf>,
    /// The programs.
    pub programs: Programs,
}

/// The programs that play parts.
#[derive(Debug, Clone)]
pub struct Programs {
    /// This one: the reaper.
    pub demo: PathBuf,
    /// Keepers, and the evidence check.
    pub surety: PathBuf,
    /// Machines.
    pub surety_node: PathBuf,
    /// The chain.
    pub anvil: PathBuf,
}

impl Programs {
    /// The workspace's programs next to `demo`; anvil as npm installs it in this repository.
    pub fn beside(demo: &Path) -> Self {
        let anvil = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/node_modules/.bin/anvil");
        Self {
            surety: demo.with_file_name("surety"),
            surety_node: demo.with_file_name("surety-node"),
            anvil,
            demo: demo.to_owned(),
        }
    }

    fn check(&self) -> Result<()> {
        let wanted = [
            (&self.surety, "cargo build -p surety"),
            (&self.surety_node, "cargo build -p surety-node"),
            (&self.anvil, "npm install --ignore-scripts in contracts/"),
        ];
        for (program, how) in wanted {
            ensure!(program.is_file(), "{} is not there: run {how} (scripts/demo does)", program.display());
        }
        Ok(())
    }
}

/// What came of it, as far as it must be the same each time.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Cases filed.
    pub cases: u64,
    /// Rentals closed.
    pub rentals_closed: u64,
    /// Wishes that went back to their renters.
    pub wishes_returned: u64,
    /// Rao burned: the penalty.
    pub burned_rao: Rao,
    /// Rao that the contracts still owe anybody.
    pub liabilities_rao: Rao,
    /// Keepers killed.
    pub keepers_killed: u32,
}

/// A story that is over; what it ran on runs until this is dropped.
pub struct Told {
    /// What came of it.
    pub outcome: Outcome,
    stage: Stage,
}

impl Told {
    /// Opens the market again, for whoever wants to use it. Facts for programs, and lines for people.
    ///
    /// # Errors
    /// A miner could not come back.
    pub async fn reopen(&mut self) -> Result<(Value, Vec<String>)> {
        let reopened = tokio::time::timeout(REOPEN_LIMIT, reopened::reopen(&mut self.stage)).await;
        reopened.context("the market did not open again in time")??;
        let (facts, more) = reopened::house(&self.stage)?;
        Ok((facts, [self.stage.addresses(), more].concat()))
    }
}

/// Tells the story in `dir`.
///
/// # Errors
/// Anything that did not come true. Every process is gone when the error arrives.
pub async fn tell(options: &Options, dir: &Path, show: &Show) -> Result<Told> {
    options.programs.check()?;
    let processes = Processes::new(&options.programs.demo, dir)?;
    let seer = Seer::default();
    let teller = Teller { show: show.clone(), seer: seer.clone(), logs: processes.logs().to_owned() };
    let title = "a local chain, the contracts, three keepers";
    let mut stage = teller.step(1, title, 40, opening::set_up(options, dir, &processes, &seer, show)).await?;
    let keepers = stage.keepers.clone();
    let blows = chaos::plan(options.seed, options.kill_keepers, keepers.len());
    let mut blows = Aborting(chaos::start(blows, keepers, show.clone()));
    let told = tell_on(&teller, &mut stage, &mut blows).await;
    if told.is_err() {
        for death in stage.deaths() {
            show.plain("death", &death, json!({ "death": death }));
        }
    }
    let outcome = Outcome { keepers_killed: options.kill_keepers, ..told? };
    Ok(Told { outcome, stage })
}

async fn tell_on(teller: &Teller, stage: &mut Stage, blows: &mut Aborting) -> Result<Outcome> {
    teller.step(2, "three machines, each with its own host key and SSH endpoint", 40, opening::machines(stage)).await?;
    let title = "miners register, bond and offer; keepers measure and certify";
    teller.step(3, title, 60, opening::bonds(stage)).await?;
    let title = "two renters rent with a quorum of certificates, and log in";
    let [lost, kept] = teller.step(4, title, 40, rentals::rent_two(stage)).await?;
    let title = "one machine is killed: case, refund, penalty";
    teller.step(5, title, 80 + stage.patience_secs(), outage::outage(stage, &lost, &kept)).await?;
    let title = "the other rental runs out; claims, closings, exits";
    teller.step(6, title, 80, closing::close_all(stage, &lost, &kept)).await?;
    let killed = tokio::time::timeout(Duration::from_secs(60), &mut blows.0);
    killed.await.context("keepers were still to be killed")???;
    teller.step(7, "where every rao went", 20, closing::account(stage, &lost, &kept)).await
}

/// Runs steps, and says what is needed when one fails.
struct Teller {
    show: Show,
    seer: Seer,
    logs: PathBuf,
}

impl Teller {
    async fn step<T>(
        &self,
        number: u8,
        title: &str,
        limit_secs: u64,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        self.show.step(number, title);
        self.seer.note("nothing yet");
        let limit = Duration::from_secs(limit_secs);
        let done = match tokio::time::timeout(limit, work).await {
            Ok(done) => done,
            Err(_) => Err(anyhow::anyhow!("it took more than {limit_secs} s")),
        };
        done.with_context(|| {
            format!(
                "step {number} ({title}) failed; last seen: {}; logs are in {}",
                self.seer.last(),
                self.logs.display()
            )
        })
    }
}

/// A task that ends with its owner.
struct Aborting(tokio::task::JoinHandle<Result<()>>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}
