//! What statements about alpha need of the contracts, read at one final block and by majority: a machine with its
//! newest rental and the cases of late, or one case with what stood behind its rental.

use super::touched::IDS_MAX;
use super::{Endpoints, FollowError, Member};
use surety_client::provider::{Each, NodeError, Tag};
use surety_client::reader::FarTerms;
use surety_core::alpha::Behind;
use surety_core::types::{CaseId, Hotkey, Kind, MachineId, Rao, RentalId, UnixSecs};
use surety_core::view::{BlockRef, CaseView, KeeperView, RentalView};

/// Cases asked for together.
const SLICE: usize = 100;

/// A case, with what it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFacts {
    /// The case.
    pub case: CaseView,
    /// Its rental; `None`: it has none.
    pub rental: Option<RentalView>,
    /// What covered the rental beside TAO.
    pub behind: Option<Behind>,
    /// The machine of its registration.
    pub machine: MachineId,
}

/// A machine as the contracts know it.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineFacts {
    /// The final block all of it is read at.
    pub block: BlockRef,
    /// The machine.
    pub machine: MachineId,
    /// Its current registration and that one's hotkey; `None`: it has none.
    pub registered: Option<(u32, Hotkey)>,
    /// The registration's newest rental and its end.
    pub newest: Option<(RentalId, UnixSecs)>,
    /// Cases of any registration of the machine that take bond, filed in the time asked for, oldest first.
    pub cases: Vec<CaseFacts>,
    /// The electorate.
    pub keepers: Vec<KeeperView>,
    /// Whether the keeper set may have penalties set aside at present.
    pub may_punish: bool,
    /// What the other vault has to share with these contracts.
    pub terms: FarTerms,
}

/// Reads them.
#[derive(Debug, Clone)]
pub struct StatedReader {
    endpoints: Endpoints,
}

impl StatedReader {
    /// Reads through these.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints }
    }

    /// A machine, with the cases of the last `since_secs` seconds.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn machine(&self, machine: MachineId, since_secs: u64) -> Result<MachineFacts, FollowError> {
        self.agreed(|member, block| machine_facts(member, block, machine, since_secs)).await
    }

    /// A case, the block it is read at, and whether the keeper set may have penalties set aside then; `None`: there is
    /// none of that number.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn case(&self, case: CaseId) -> Result<(BlockRef, bool, Option<CaseFacts>), FollowError> {
        self.agreed(|member, block| async move {
            let may_punish = member.reader.may_punish(block.number).await?;
            Ok((block, may_punish, case_facts(member, block.number, case).await?))
        })
        .await
    }

    /// What the class asks for one card, now.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn class_bond(&self, class: u16) -> Result<Rao, FollowError> {
        let ask = |member: &Member, block: BlockRef| {
            let reader = member.reader.clone();
            async move { Ok(first(reader.class_bonds_at(&[class], block.number).await?)?) }
        };
        self.agreed(ask).await
    }

    /// Asks every member of a majority at its final block; as many must say the same, of a block that is still there.
    async fn agreed<'a, T, F>(&'a self, ask: impl Fn(&'a Member, BlockRef) -> F) -> Result<T, FollowError>
    where
        T: PartialEq,
        F: Future<Output = Result<T, FollowError>>,
    {
        let agreed = self.endpoints.agree(Tag::Finalized).await?;
        let block = agreed.block;
        let still = |member: &'a Member| {
            let said = ask(member, block);
            async move {
                let said = said.await?;
                let again = member.node().header(Tag::Number(block.number)).await?.and_then(|header| header.to_ref());
                if again == Some(block) { Ok(said) } else { Err(FollowError::Replaced(block.number)) }
            }
        };
        let said = self.endpoints.same(&agreed.members, still, |a, b| a == b).await?;
        said.into_iter().next().ok_or(FollowError::Replaced(block.number))
    }
}

async fn machine_facts(
    member: &Member,
    block: BlockRef,
    machine: MachineId,
    since_secs: u64,
) -> Result<MachineFacts, FollowError> {
    let (reader, at) = (&member.reader, block.number);
    let registration = reader.registration_of(machine, at).await?;
    let (mut registered, mut newest) = (None, None);
    if let Some(registration) = registration {
        let found = first(reader.registered_at(&[registration], at).await?)?;
        registered = Some((registration, found.hotkey));
        let last = found.node.last_rental;
        if last != 0 {
            newest = Some((last, reader.rental_at(last, at).await?.end_secs));
        }
    }
    let cases = cases_since(member, at, machine, block.timestamp_secs.saturating_sub(since_secs)).await?;
    let (keepers, may_punish, terms) =
        (reader.keepers(at).await?, reader.may_punish(at).await?, reader.far_terms(at).await?);
    Ok(MachineFacts { block, machine, registered, newest, cases, keepers, may_punish, terms })
}

/// Cases of any registration of the machine: a bond elsewhere is for the machine, and answers for what an earlier
/// registration did. From the newest backwards, since cases are numbered in the order they are filed in; only of kinds
/// that take bond.
async fn cases_since(
    member: &Member,
    at: u64,
    machine: MachineId,
    since_secs: UnixSecs,
) -> Result<Vec<CaseFacts>, FollowError> {
    let newest = member.reader.counts(at).await?.cases;
    let ids: Vec<CaseId> = (newest.saturating_sub(IDS_MAX) + 1..=newest).rev().collect();
    let mut found = vec![];
    for some in ids.chunks(SLICE) {
        let cases: Vec<CaseView> = sound(member.reader.cases_at(some, at).await?)?;
        let young: Vec<CaseView> = cases.into_iter().take_while(|case| case.filed_at_secs >= since_secs).collect();
        let over = young.len() < some.len();
        let taking: Vec<CaseView> = young.into_iter().filter(|case| case.kind != Kind::Interrupted).collect();
        for case in of_machine(member, at, machine, taking).await? {
            found.push(facts_of(member, at, machine, case).await?);
        }
        if over {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

async fn of_machine(
    member: &Member,
    at: u64,
    machine: MachineId,
    cases: Vec<CaseView>,
) -> Result<Vec<CaseView>, FollowError> {
    let registrations: Vec<u32> = cases.iter().map(|case| case.registration).collect();
    let registered = sound(member.reader.registered_at(&registrations, at).await?)?;
    let ours = cases.into_iter().zip(registered).filter(|(_, one)| one.node.machine == machine);
    Ok(ours.map(|(case, _)| case).collect())
}

async fn case_facts(member: &Member, at: u64, id: CaseId) -> Result<Option<CaseFacts>, FollowError> {
    let reader = &member.reader;
    if id == 0 || id > reader.counts(at).await?.cases {
        return Ok(None);
    }
    let case = reader.case_at(id, at).await?;
    let registered = first(reader.registered_at(&[case.registration], at).await?)?;
    facts_of(member, at, registered.node.machine, case).await.map(Some)
}

async fn facts_of(member: &Member, at: u64, machine: MachineId, case: CaseView) -> Result<CaseFacts, FollowError> {
    let (mut rental, mut behind) = (None, None);
    if case.rental != 0 {
        rental = Some(member.reader.rental_at(case.rental, at).await?);
        behind = first(member.reader.covers_at(&[case.rental], at).await?)?;
    }
    Ok(CaseFacts { case, rental, behind, machine })
}

/// One that cannot be decoded is a reason to state nothing.
fn sound<T>(each: Each<T>) -> Result<Vec<T>, NodeError> {
    each.into_iter().collect()
}

fn first<T>(each: Each<T>) -> Result<T, NodeError> {
    let none = || NodeError::Odd { method: "eth_call", what: "no answer to the only question".into() };
    each.into_iter().next().unwrap_or_else(|| Err(none()))
}
