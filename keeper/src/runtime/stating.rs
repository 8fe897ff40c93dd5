//! Says what this keeper states of bonds of alpha (SPEC 19, 20). Nothing is kept: each answer is read anew, from the
//! final blocks of both sides, decided by core's pure functions, and signed.

use crate::adapters::evm::{CaseFacts, FollowError, MachineFacts, StatedReader};
use crate::ports::{Answering, Archive, Stating, StatingError};
use std::collections::BTreeSet;
use std::sync::Arc;
use surety_client::digest::Domains;
use surety_client::keys::Key;
use surety_client::reader::FarTerms;
use surety_core::alpha::{
    AlphaRules, AlphaStatement, AlphaVerdict, Behind, BondFacts, BondStatement, Claimed, MovingPrice, NotStated,
    Shares, roll_fits, state_backing, state_bond, state_shortfall, state_verdict,
};
use surety_core::statement::{Signed, Spoof};
use surety_core::types::{Account, CaseId, Hash32, Kind, MachineId, UnixSecs};
use surety_core::view::BlockRef;
use surety_substrate::alpha::AlphaVault;
use surety_substrate::alpha::types::Config as VaultConfig;
use surety_substrate::node::Head;
use surety_substrate::nodes::Nodes;
use surety_substrate::runtime::Runtime;
use surety_substrate::ss58::AccountId;
use surety_substrate::subnet::{coldkeys_of, moving_price_of};
use tokio::sync::{Semaphore, watch};

/// Statements made at once; each asks both sides a dozen questions.
const AT_ONCE: usize = 4;

/// How far the newest final blocks of both sides may be apart, seconds: ten blocks.
pub(super) const APART_MAX_SECS: u64 = 120;

/// The newest final block of the Substrate side that is known to be of the contracts' chain, with its runtime.
pub(super) type Newest = watch::Receiver<Option<(Arc<Runtime>, Head)>>;

/// Makes statements.
pub(super) struct Notary {
    pub(super) nodes: Nodes,
    pub(super) newest: Newest,
    pub(super) contracts: StatedReader,
    pub(super) vault: AccountId,
    pub(super) netuid: u16,
    pub(super) rules: AlphaRules,
    pub(super) key: Key,
    pub(super) domains: Domains,
    pub(super) collateral_vault: Account,
    pub(super) archive: Arc<dyn Archive>,
    /// How old a spoof may be when a case is filed by it, seconds.
    pub(super) spoof_life_secs: u64,
    /// How far the newest final blocks of both sides may be apart, seconds.
    pub(super) apart_max_secs: u64,
    pub(super) lane: Semaphore,
}

/// One look at the Substrate side.
struct Native<'a> {
    notary: &'a Notary,
    runtime: Arc<Runtime>,
    at: Head,
}

impl Notary {
    /// Statements are made a few at once.
    pub(super) fn lane() -> Semaphore {
        Semaphore::new(AT_ONCE)
    }

    fn native(&self) -> Result<Native<'_>, StatingError> {
        let newest = self.newest.borrow().clone();
        let (runtime, at) = newest.ok_or_else(|| not_now("the Substrate side is not followed yet"))?;
        Ok(Native { notary: self, runtime, at })
    }

    /// A place in the lane, or the word that there is none.
    fn place(&self) -> Result<tokio::sync::SemaphorePermit<'_>, StatingError> {
        self.lane.try_acquire().map_err(|_| not_now("too many statements are being made: ask again in a few seconds"))
    }

    /// Signs, and leaves in the log what, and by which two blocks: nothing else is kept of it.
    fn sign<T: Copy + Into<AlphaStatement>>(
        &self,
        statement: T,
        native: &Native<'_>,
        block: BlockRef,
    ) -> Result<Signed<T>, StatingError> {
        let said: AlphaStatement = statement.into();
        let digest = self.domains.alpha(self.collateral_vault, &said).map_err(not_now)?;
        let signature = self.key.sign(digest).map_err(not_now)?;
        let (evm, substrate) = (block.number, native.at.number);
        tracing::info!(%digest, evm, substrate, statement = ?said, "a statement about alpha is signed");
        Ok(Signed { statement, signer: self.key.account(), signature })
    }

    async fn state_bond(&self, machine: MachineId) -> Result<Signed<BondStatement>, StatingError> {
        let _place = self.place()?;
        let native = self.native()?;
        let vault = native.vault().await?;
        let config = native.config(&vault).await?;
        let facts = self.contracts.machine(machine, config.filing_life_secs).await.map_err(unread)?;
        shared(&config, &facts.terms)?;
        let Some((registration, hotkey)) = facts.registered else { return Err(NotStated::NotRegistered.into()) };
        let owners = coldkeys_of(&self.nodes, &native.runtime, native.at, [hotkey]).await.map_err(not_now)?;
        let owner = owners.get(&hotkey).map(|owner| Hash32(owner.0)).ok_or(NotStated::NoOwner)?;
        let stateable = vault.stateable(AccountId(owner.0), machine.0).await.map_err(not_now)?;
        self.check_clocks(facts.block.timestamp_secs, stateable.until.saturating_sub(config.exit_delay_secs))?;
        let roll = vault.roll().await.map_err(not_now)?;
        let roll: Vec<(Account, u64)> = roll.keepers.into_iter().map(Account).zip(roll.weights).collect();
        let statement = state_bond(
            &BondFacts {
                now_secs: facts.block.timestamp_secs,
                vault: Hash32(self.vault.0),
                machine,
                registration: Some(registration),
                owner: Some(owner),
                free: stateable.alpha,
                until_secs: stateable.until,
                price: native.price().await?,
                newest: facts.newest,
                waiting: self.waiting(&vault, owner, &facts, &shares(&config)).await?,
                roll_fits: facts.may_punish && roll_fits(&facts.keepers, &roll),
            },
            &self.rules,
        )?;
        self.sign(statement, &native, facts.block)
    }

    /// Both sides are read at blocks of about the same time: a side that stands still must not pass for fresh.
    fn check_clocks(&self, evm_secs: UnixSecs, native_secs: UnixSecs) -> Result<(), StatingError> {
        let apart = evm_secs.abs_diff(native_secs);
        match apart <= self.apart_max_secs {
            true => Ok(()),
            false => Err(not_now(format!("the newest final blocks of both sides are {apart} s apart"))),
        }
    }

    /// The first case of the machine of which something falls on this bond and is not set aside yet, or may: what this
    /// keeper cannot tell for want of a spoof of its own counts as waiting.
    async fn waiting(
        &self,
        vault: &AlphaVault<'_>,
        owner: Hash32,
        facts: &MachineFacts,
        shares: &Shares,
    ) -> Result<Option<CaseId>, StatingError> {
        let Some((number, _)) = vault.bond(AccountId(owner.0), facts.machine.0).await.map_err(not_now)? else {
            return Ok(None);
        };
        for case in &facts.cases {
            let on_this = case.behind.is_some_and(|behind| behind.vault.0 == self.vault.0 && behind.owner == owner);
            if !on_this {
                continue;
            }
            match self.statement_of(case, shares, facts.block.timestamp_secs).await {
                Err(StatingError::Not(_)) => continue,
                Err(error @ StatingError::NotNow(_)) => return Err(error),
                Err(StatingError::Nothing(_)) | Ok(_) => {}
            }
            if vault.judged_by(case.case.id, number).await.map_err(not_now)?.is_none() {
                return Ok(Some(case.case.id));
            }
        }
        Ok(None)
    }

    async fn state_case(&self, case: CaseId) -> Result<Signed<AlphaStatement>, StatingError> {
        let _place = self.place()?;
        let native = self.native()?;
        let vault = native.vault().await?;
        let shares = shares(&native.config(&vault).await?);
        let (block, may_punish, facts) = self.contracts.case(case).await.map_err(unread)?;
        let facts = facts.ok_or_else(|| StatingError::Nothing(format!("there is no case {case}")))?;
        if !may_punish {
            return Err(NotStated::NotPunished { case }.into());
        }
        let statement = self.statement_of(&facts, &shares, block.timestamp_secs).await?;
        self.sign(statement, &native, block)
    }

    /// What of the case's penalty falls on our vault.
    async fn statement_of(
        &self,
        facts: &CaseFacts,
        shares: &Shares,
        now_secs: UnixSecs,
    ) -> Result<AlphaStatement, StatingError> {
        let CaseFacts { case, rental, behind, machine } = facts;
        let nothing = |why: &str| StatingError::Nothing(format!("case {}: {why}", case.id));
        let behind: &Behind = behind.as_ref().ok_or_else(|| nothing("nothing but TAO was behind its rental"))?;
        if behind.vault.0 != self.vault.0 {
            return Err(nothing("another vault's bond was behind its rental"));
        }
        if case.kind == Kind::Spoofed {
            let claimed = self.claimed(case.registration, case.filed_at_secs).await?;
            let claimed = claimed.ok_or_else(|| nothing("this keeper has signed no spoof that it was filed by"))?;
            return Ok(state_shortfall(case, *machine, claimed, behind, shares, now_secs)?.into());
        }
        let rental = rental.as_ref().ok_or_else(|| nothing("it has no rental"))?;
        Ok(state_backing(case, rental, behind, shares, now_secs)?.into())
    }

    /// What the machine claimed, by the spoofs that this keeper had signed of it in the day before the case was filed:
    /// the contracts take none that is older. Where they claim different things it is not known by which of them the
    /// case was filed.
    async fn claimed(&self, registration: u32, filed_at_secs: UnixSecs) -> Result<Option<Claimed>, StatingError> {
        let archive = self.archive.clone();
        let own = tokio::task::spawn_blocking(move || archive.own_spoofs()).await.map_err(not_now)?.map_err(not_now)?;
        let young = filed_at_secs.saturating_sub(self.spoof_life_secs)..=filed_at_secs;
        let of_it = |spoof: &Spoof| spoof.registration == registration && young.contains(&spoof.proved_at_secs);
        let claims = own.iter().map(|signed| signed.statement).filter(of_it);
        let claims: BTreeSet<(u16, u16)> = claims.map(|spoof| (spoof.gpu_class, spoof.gpu_count)).collect();
        let mut claims = claims.into_iter();
        let (Some((class, gpu_count)), None) = (claims.next(), claims.next()) else { return Ok(None) };
        let class_bond_rao = self.contracts.class_bond(class).await.map_err(unread)?;
        Ok(Some(Claimed { class_bond_rao, gpu_count }))
    }

    async fn state_verdict(&self, case: CaseId) -> Result<Signed<AlphaVerdict>, StatingError> {
        let _place = self.place()?;
        let native = self.native()?;
        native.config(&native.vault().await?).await?;
        let (block, _, facts) = self.contracts.case(case).await.map_err(unread)?;
        let facts = facts.ok_or_else(|| StatingError::Nothing(format!("there is no case {case}")))?;
        let vault = Hash32(self.vault.0);
        if facts.behind.is_none_or(|behind| behind.vault != vault) {
            return Err(StatingError::Nothing(format!("nothing in this vault was behind the rental of case {case}")));
        }
        let statement = state_verdict(vault, &facts.case, facts.rental.as_ref(), block.timestamp_secs)?;
        self.sign(statement, &native, block)
    }
}

impl Stating for Notary {
    fn bond(&self, machine: MachineId) -> Answering<'_, Signed<BondStatement>> {
        Box::pin(self.state_bond(machine))
    }

    fn case(&self, case: CaseId) -> Answering<'_, Signed<AlphaStatement>> {
        Box::pin(self.state_case(case))
    }

    fn verdict(&self, case: CaseId) -> Answering<'_, Signed<AlphaVerdict>> {
        Box::pin(self.state_verdict(case))
    }
}

impl Native<'_> {
    async fn vault(&self) -> Result<AlphaVault<'_>, StatingError> {
        AlphaVault::open(&self.notary.nodes, &self.runtime, self.at, self.notary.vault).await.map_err(not_now)
    }

    /// The vault's own constants, once it is known to be for these contracts.
    async fn config(&self, vault: &AlphaVault<'_>) -> Result<VaultConfig, StatingError> {
        let config = vault.config().await.map_err(not_now)?;
        let domains = &self.notary.domains;
        let ours = (domains.chain_id, domains.arbiter.0, self.notary.netuid);
        let its = (config.chain_id, config.arbiter, config.netuid);
        if ours != its {
            return Err(not_now("alpha.vault is for another Arbiter, chain or subnet: its operator has to correct it"));
        }
        Ok(config)
    }

    async fn price(&self) -> Result<MovingPrice, StatingError> {
        let (nodes, netuid) = (&self.notary.nodes, self.notary.netuid);
        moving_price_of(nodes, &self.runtime, self.at, netuid).await.map(MovingPrice).map_err(not_now)
    }
}

/// That the vault was made for these contracts' numbers: nothing but its maker has checked it before.
fn shared(config: &VaultConfig, terms: &FarTerms) -> Result<(), StatingError> {
    let same = config.not_delivered_bps == terms.not_delivered_bps && config.offline_bps == terms.offline_bps;
    match same && config.filing_life_secs <= terms.stated_filing_secs {
        true => Ok(()),
        false => Err(not_now(
            "the vault has other penalties than the Arbiter, or takes cases for longer than the contracts count on: no \
             bond of it may be stated",
        )),
    }
}

fn shares(config: &VaultConfig) -> Shares {
    let (not_delivered_bps, offline_bps) = (config.not_delivered_bps, config.offline_bps);
    Shares { not_delivered_bps, offline_bps, filing_life_secs: config.filing_life_secs }
}

fn not_now(why: impl std::fmt::Display) -> StatingError {
    StatingError::NotNow(why.to_string().chars().take(300).collect())
}

fn unread(error: FollowError) -> StatingError {
    not_now(format!("the contracts were not read: {error}"))
}

#[cfg(test)]
mod tests;
