//! Deploys a plan, one contract after the other, and can be interrupted anywhere.
//!
//! The addresses follow from the deployer's nonces and are named in the contracts, so each contract has one nonce and
//! each nonce one transaction: signed once, kept in the journal before it is sent, and sent again unchanged when a run
//! is resumed. A nonce that something else took ends the deployment for good, because the address it stood for can
//! never have the contract; that is detected and said.

mod error;

use crate::artifacts::{Compiler, Kind};
use crate::chain::{self, Terms};
use crate::journal::{Journal, Sent};
use crate::network::Network;
use crate::params::Params;
use crate::plan::{Plan, Step};
use crate::record::{DeploymentFile, FileError, Made, Record};
pub use error::{DeployError, Interrupted};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use surety_client::deployment::{Contract, Deployment};
use surety_client::intent::revert_name;
use surety_client::keys::Key;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::units::wei;
use surety_core::types::{Account, Hash32};

/// How often a nonce must be seen used, and no receipt, before that is believed: receipts can be late (SPEC D13).
const NO_RECEIPT_TRIES: u32 = 5;

/// What a deployment goes by.
#[derive(Debug, Clone)]
pub struct Options {
    /// The chain.
    pub network: Network,
    /// Where journal and deployment file are.
    pub dir: PathBuf,
    /// Between two looks at the chain.
    pub poll: Duration,
    /// From sending a transaction to giving up for now.
    pub mined_within: Duration,
    /// Whether the end is waited for until it is final: always, but on a local chain, which may have no finality.
    pub until_final: bool,
}

impl Options {
    /// The usual ones.
    pub fn new(network: Network, dir: &Path) -> Self {
        let local = network == Network::Local;
        Self {
            network,
            dir: dir.to_path_buf(),
            poll: Duration::from_millis(if local { 100 } else { 3_000 }),
            mined_within: Duration::from_secs(if local { 30 } else { 600 }),
            until_final: !local,
        }
    }
}

/// What has just happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A journal was there: so many of its transactions are known.
    Resumed(usize),
    /// A transaction is signed and in the journal, not yet sent.
    Journaled(&'a Step, Hash32),
    /// The node has it.
    Sent(&'a Step, Hash32),
    /// It is in a block, and the code is what it should be.
    Mined(&'a Step, u64),
    /// All are; waiting for this block to be final.
    Finalizing(u64),
}

/// What whoever watches answers to an event: to stop here is safe at every one of them.
pub type Watching<'a> = &'a mut dyn FnMut(&Event<'_>) -> Result<(), Interrupted>;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is there, by this run or one before.
    Deployed(Box<DeploymentFile>),
    /// It was there before: nothing was sent.
    AlreadyThere(Box<DeploymentFile>),
}

/// Where a deployment stands: its journal, if one is under way, and its plan.
///
/// # Errors
/// The journal is of another deployment, or the node does not answer.
pub async fn stand(
    node: &Node,
    deployer: Account,
    params: &Params,
    options: &Options,
) -> Result<(Option<Journal>, Plan), DeployError> {
    let network = options.network;
    let found = node.chain_id().await?;
    if found != network.chain_id() {
        return Err(DeployError::WrongChain { network, found });
    }
    let path = Journal::path(&options.dir, network);
    let Some(journal) = Journal::read(&path)? else {
        let first = node.nonce(deployer, Tag::Latest).await?;
        return Ok((None, Plan::new(params, deployer, first)?));
    };
    let other = |why| DeployError::OtherJournal { path: path.clone(), why };
    if journal.chain_id != found {
        return Err(other("another chain"));
    }
    if journal.deployer != deployer {
        return Err(other("another deployer"));
    }
    if journal.parameters != *params {
        return Err(other("other parameters"));
    }
    let plan = Plan::new(params, deployer, journal.first_nonce)?;
    let fits = |(sent, step): (&Sent, &Step)| (sent.nonce, sent.address) == (step.nonce, step.address);
    if journal.sent.len() > plan.steps.len() || !journal.sent.iter().zip(&plan.steps).all(fits) {
        return Err(other("other contracts"));
    }
    Ok((Some(journal), plan))
}

/// Deploys, or goes on deploying, and writes `<chainId>.json`.
///
/// # Errors
/// See [`DeployError`]: each says what to do.
pub async fn deploy(
    node: &Node,
    key: &Key,
    params: &Params,
    options: &Options,
    watching: Watching<'_>,
) -> Result<Outcome, DeployError> {
    let _lock = lock(&options.dir)?;
    let path = DeploymentFile::path(&options.dir, options.network);
    let (journal, plan) = stand(node, key.account(), params, options).await?;
    if journal.is_none()
        && let Some(file) = DeploymentFile::read(&path)?
    {
        return already(node, &path, file, params, key.account()).await;
    }
    if let Some(journal) = &journal {
        watching(&Event::Resumed(journal.sent.len()))?;
    }
    let journal = journal.unwrap_or_else(|| Journal::new(&plan, options.network.chain_id()));
    let mut run = Run { node, key, options, plan: &plan, journal, path: Journal::path(&options.dir, options.network) };
    for step in &plan.steps {
        run.ensure(step, watching).await?;
    }
    run.finalize(watching).await?;
    let file = run.file();
    file.write(&path)?;
    let gone = std::fs::remove_file(&run.path);
    gone.map_err(|source| FileError::Io { doing: "remove", path: run.path.clone(), source })?;
    Ok(Outcome::Deployed(Box::new(file)))
}

/// One deployment at a time in a folder.
struct Lock(File);

impl Drop for Lock {
    /// Closing alone would not do while a process just forked elsewhere has the file open too.
    fn drop(&mut self) {
        self.0.unlock().ok();
    }
}

fn lock(dir: &Path) -> Result<Lock, DeployError> {
    let io = |source| FileError::Io { doing: "open", path: dir.to_path_buf(), source };
    std::fs::create_dir_all(dir).map_err(io)?;
    let folder = File::open(dir).map_err(io)?;
    match folder.try_lock() {
        Ok(()) => Ok(Lock(folder)),
        Err(std::fs::TryLockError::WouldBlock) => Err(DeployError::Locked(dir.to_path_buf())),
        Err(std::fs::TryLockError::Error(source)) => Err(io(source).into()),
    }
}

async fn already(
    node: &Node,
    path: &Path,
    file: DeploymentFile,
    params: &Params,
    deployer: Account,
) -> Result<Outcome, DeployError> {
    let other = |why| DeployError::OtherDeployment { path: path.to_path_buf(), why };
    if file.record.parameters != *params {
        return Err(other("with other parameters"));
    }
    if file.record.deployer != deployer {
        return Err(other("by another deployer"));
    }
    for made in &file.record.contracts {
        if node.code_hash(made.address).await? != Some(made.code_hash) {
            return Err(other("whose contracts are not on this chain: was it reset?"));
        }
    }
    Ok(Outcome::AlreadyThere(Box::new(file)))
}

struct Run<'a> {
    node: &'a Node,
    key: &'a Key,
    options: &'a Options,
    plan: &'a Plan,
    journal: Journal,
    path: PathBuf,
}

impl Run<'_> {
    /// Afterwards the contract is in a block, and its code is right.
    async fn ensure(&mut self, step: &Step, watching: Watching<'_>) -> Result<(), DeployError> {
        let sent = match self.journal.sent_for(step) {
            Some(sent) => sent.clone(),
            None => {
                let sent = self.sign(step).await?;
                self.journal.sent.push(sent.clone());
                self.journal.write(&self.path)?;
                watching(&Event::Journaled(step, sent.transaction))?;
                sent
            }
        };
        if self.is_to_be_sent(step, &sent).await? {
            self.send(&sent).await?;
            watching(&Event::Sent(step, sent.transaction))?;
        }
        let block = self.mined(step, &sent).await?;
        self.journal.settle(step.nonce, block);
        self.journal.write(&self.path)?;
        Ok(watching(&Event::Mined(step, block))?)
    }

    /// The one transaction of a step. Its nonce must be the deployer's next.
    async fn sign(&self, step: &Step) -> Result<Sent, DeployError> {
        self.check_next(step).await?;
        let value_wei = wei(step.arguments.seed_rao());
        let request = chain::creation(self.plan.deployer, &step.initcode, value_wei);
        let gas = self.node.estimate_gas(request).await.map_err(|error| would_revert(step.kind, error))?;
        let terms = Terms {
            chain_id: self.options.network.chain_id(),
            nonce: step.nonce,
            gas_limit: gas.saturating_add(gas / 4),
            // A transaction cannot be replaced by a dearer one (SPEC D11): room for the base fee to double.
            max_fee_wei: self.node.gas_price_wei().await?.saturating_mul(2),
            value_wei,
        };
        let signed = chain::sign(self.key, terms, step.initcode.clone())?;
        Ok(Sent {
            contract: step.kind,
            address: step.address,
            nonce: step.nonce,
            transaction: signed.hash,
            block: None,
            raw: signed.raw,
        })
    }

    async fn check_next(&self, step: &Step) -> Result<(), DeployError> {
        let deployer = self.plan.deployer;
        let next = self.node.nonce(deployer, Tag::Latest).await?;
        if next > step.nonce {
            return Err(self.foreign(step));
        }
        if next < step.nonce {
            return Err(self.behind(step, next));
        }
        let pending = self.node.pending_nonce(deployer).await?;
        match pending.saturating_sub(next) {
            0 => Ok(()),
            count => Err(DeployError::ForeignPending { count, deployer }),
        }
    }

    /// Whether a signed transaction is in no block as far as one can tell. It may be in the pool: sending it again does
    /// no harm.
    async fn is_to_be_sent(&self, step: &Step, sent: &Sent) -> Result<bool, DeployError> {
        if self.node.receipt(sent.transaction).await?.is_some() {
            return Ok(false);
        }
        let next = self.node.nonce(self.plan.deployer, Tag::Latest).await?;
        if next < step.nonce {
            return Err(self.behind(step, next));
        }
        Ok(next == step.nonce)
    }

    /// An error of the node's does not mean that it has not got it.
    async fn send(&self, sent: &Sent) -> Result<(), DeployError> {
        let Err(error) = self.node.send_raw(&sent.raw).await else { return Ok(()) };
        let deployer = self.plan.deployer;
        let pooled = self.node.pending_nonce(deployer).await? > sent.nonce;
        if pooled || self.node.nonce(deployer, Tag::Latest).await? > sent.nonce { Ok(()) } else { Err(error.into()) }
    }

    /// Waits for the receipt, and checks status, address and code. The block it is in.
    async fn mined(&self, step: &Step, sent: &Sent) -> Result<u64, DeployError> {
        let deadline = Instant::now() + self.options.mined_within;
        let mut without_receipt = 0;
        loop {
            if let Some(receipt) = self.node.receipt(sent.transaction).await?
                && let Some(block) = receipt.block_number
            {
                if !receipt.succeeded() {
                    let (kind, transaction, journal) = (step.kind, sent.transaction, self.path.clone());
                    return Err(DeployError::Reverted { kind, transaction, journal });
                }
                self.check_code(step, Tag::Latest).await?;
                return Ok(block.to());
            }
            if self.node.nonce(self.plan.deployer, Tag::Latest).await? > step.nonce {
                without_receipt += 1;
                if without_receipt >= NO_RECEIPT_TRIES {
                    self.check_code(step, Tag::Latest).await.map_err(|_| self.foreign(step))?;
                    return Err(DeployError::NoReceipt { kind: step.kind, address: step.address });
                }
            }
            self.wait_until(deadline, || format!("the creation of {}", step.kind)).await?;
        }
    }

    async fn check_code(&self, step: &Step, at: Tag) -> Result<(), DeployError> {
        let found = crate::artifacts::hash(&chain::code(self.node, step.address, at).await?);
        let wanted = step.code_hash();
        let (kind, address) = (step.kind, step.address);
        if found == wanted { Ok(()) } else { Err(DeployError::OtherCode { kind, address, found, wanted }) }
    }

    /// Until the last block is final: a reorganisation before may have thrown a creation out again.
    async fn finalize(&self, watching: Watching<'_>) -> Result<(), DeployError> {
        let mut at = Tag::Latest;
        if self.options.until_final {
            let last = self.journal.sent.iter().filter_map(|sent| sent.block).max().unwrap_or_default();
            watching(&Event::Finalizing(last))?;
            let deadline = Instant::now() + self.options.mined_within;
            while chain::block_number(self.node, Tag::Finalized).await? < last {
                self.wait_until(deadline, || format!("the finality of block {last}")).await?;
            }
            at = Tag::Number(last);
        }
        for step in &self.plan.steps {
            self.check_code(step, at).await?;
        }
        Ok(())
    }

    async fn wait_until(&self, deadline: Instant, what: impl Fn() -> String) -> Result<(), DeployError> {
        if Instant::now() >= deadline {
            return Err(DeployError::NotYet { what: what(), secs: self.options.mined_within.as_secs() });
        }
        tokio::time::sleep(self.options.poll).await;
        Ok(())
    }

    fn foreign(&self, step: &Step) -> DeployError {
        let (nonce, kind, deployer) = (step.nonce, step.kind, self.plan.deployer);
        DeployError::ForeignNonce { nonce, deployer, kind, journal: self.path.clone() }
    }

    fn behind(&self, step: &Step, found: u64) -> DeployError {
        let (deployer, wanted) = (self.plan.deployer, step.nonce);
        DeployError::ChainBehind { deployer, found, wanted, journal: self.path.clone() }
    }

    fn file(&self) -> DeploymentFile {
        let contracts: Vec<Made> = self.plan.steps.iter().zip(&self.journal.sent).map(made).collect();
        let of = |kinds: &[Kind]| {
            let found = contracts.iter().find(|made| kinds.contains(&made.arguments.kind()));
            found.map_or(Contract { address: Account::default(), code_hash: Hash32::default() }, |made| Contract {
                address: made.address,
                code_hash: made.code_hash,
            })
        };
        let deployment = Deployment {
            chain_id: self.journal.chain_id,
            netuid: self.plan.params.netuid,
            block: contracts.iter().map(|made| made.block).max().unwrap_or_default(),
            keepers: of(&[Kind::AppointedKeepers, Kind::VotingPowerKeepers]),
            vault: of(&[Kind::CollateralVault]),
            escrow: of(&[Kind::RentalEscrow]),
            arbiter: of(&[Kind::Arbiter]),
            bids: of(&[Kind::RentalBids]),
            times: self.plan.params.windows.times(),
        };
        let record = Record {
            network: self.options.network,
            deployer: self.plan.deployer,
            owner: self.plan.owner,
            compiler: Compiler::shipped(),
            contracts,
            parameters: self.plan.params.clone(),
        };
        DeploymentFile { deployment, record }
    }
}

fn made((step, sent): (&Step, &Sent)) -> Made {
    Made {
        address: step.address,
        nonce: step.nonce,
        transaction: sent.transaction,
        block: sent.block.unwrap_or_default(),
        initcode_hash: step.initcode_hash(),
        code_hash: step.code_hash(),
        arguments: step.arguments.clone(),
    }
}

fn would_revert(kind: Kind, error: NodeError) -> DeployError {
    match error {
        NodeError::Refused { message, data, .. } => {
            let why = data.as_ref().and_then(|data| revert_name(data)).unwrap_or(message);
            DeployError::WouldRevert { kind, why }
        }
        other => other.into(),
    }
}
