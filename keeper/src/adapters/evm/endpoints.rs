//! Several RPC endpoints, believed by majority.
//!
//! A majority is more than half of the endpoints *configured*: whoever silences some of them must not gain weight. Its
//! members agree on a block's number, hash, parent and time; views, counts of nonces and receipts are then believed
//! when as many members say the same. An endpoint that is silent, behind, on another chain or of another opinion is
//! outvoted, and named once in the log when that begins and once when it ends.

use super::FollowError;
use crate::ports::EndpointStanding;
use alloy::primitives::U256;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt, future};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use surety_client::block::Header;
use surety_client::deployment::Deployment;
use surety_client::provider::{Node, NodeError, Tag};
use surety_client::reader::Reader;
use surety_core::types::{Account, Hash32};
use surety_core::view::BlockRef;

/// What the others may take longer than the majority before they are left out of a question.
const GRACE: Duration = Duration::from_secs(1);

/// Blocks that an endpoint may be behind or ahead of the majority before it is named: a minute.
const APART_MAX: u64 = 5;

/// Blocks that are gone back when the endpoints differ at the tip. Subtensor finalizes within two or three.
const FORK_DEPTH_MAX: u64 = 8;

/// What is thought of an endpoint since it was last asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nothing was asked yet.
    Unknown,
    /// It is of the majority's opinion.
    Well,
    /// It did not answer, or not sensibly.
    Silent,
    /// It is on another chain.
    WrongChain {
        /// The chain it is on.
        found: u64,
    },
    /// It is many blocks behind the majority.
    Behind,
    /// It says it is many blocks ahead of the majority.
    Ahead,
    /// It has another block at a height that the majority agrees on, or other views of the same block.
    Differs,
}

impl Standing {
    /// The same in fewer words.
    pub fn in_short(&self) -> EndpointStanding {
        match self {
            Self::Unknown => EndpointStanding::Unknown,
            Self::Well => EndpointStanding::Agreeing,
            Self::Silent => EndpointStanding::Unreachable,
            Self::Behind => EndpointStanding::Behind,
            Self::WrongChain { .. } | Self::Ahead | Self::Differs => EndpointStanding::Outvoted,
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not asked yet"),
            Self::Well => f.write_str("of the majority's opinion"),
            Self::Silent => f.write_str("silent"),
            Self::WrongChain { found } => write!(f, "on chain {found}"),
            Self::Behind => f.write_str("behind the majority"),
            Self::Ahead => f.write_str("ahead of the majority"),
            Self::Differs => f.write_str("of another opinion than the majority"),
        }
    }
}

/// What an endpoint was asked about: it may be of the majority's opinion on one and not on another.
#[derive(Debug, Clone, Copy)]
enum About {
    Best,
    Finalized,
    Views,
}

impl About {
    fn tag(tag: Tag) -> Self {
        if tag == Tag::Finalized { Self::Finalized } else { Self::Best }
    }
}

/// One endpoint.
#[derive(Debug)]
pub(super) struct Member {
    index: usize,
    pub(super) reader: Reader,
    /// By [`About`].
    standings: Mutex<[Standing; 3]>,
}

impl Member {
    pub(super) fn node(&self) -> &Node {
        self.reader.node()
    }

    /// The first thing that is wrong with it, if any.
    fn stands(&self) -> Standing {
        overall(&self.standings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes a standing; says so when it is another than before. The URL may hold a secret: its place says which.
    fn note(&self, about: About, now: Standing) {
        let mut standings = self.standings.lock().unwrap_or_else(PoisonError::into_inner);
        let before = overall(&standings);
        standings[about as usize] = now;
        let after = overall(&standings);
        if before == after {
            return;
        }
        let endpoint = format!("chain.rpc[{}]", self.index);
        match (before, after) {
            (Standing::Unknown, Standing::Well) => {}
            (_, Standing::Well) => tracing::info!(%endpoint, "an RPC endpoint is of the majority's opinion again"),
            (_, odd) => tracing::warn!(%endpoint, is = %odd, "an RPC endpoint is outvoted"),
        }
    }

    /// The block under `tag`, from a node on the right chain.
    async fn head(&self, tag: Tag, chain_id: u64) -> Result<Head, FollowError> {
        let (found, header) = future::join(self.node().chain_id(), self.node().header(tag)).await;
        let found = found?;
        if found != chain_id {
            return Err(FollowError::WrongChain { found, wanted: chain_id });
        }
        header?.and_then(|header| Head::of(&header)).ok_or(FollowError::NoBlock(tag))
    }

    async fn at(&self, height: u64) -> Option<Head> {
        let header = self.node().header(Tag::Number(height)).await.ok().flatten()?;
        Head::of(&header).filter(|head| head.block.number == height)
    }
}

fn overall(standings: &[Standing; 3]) -> Standing {
    let odd = standings.iter().find(|standing| !matches!(standing, Standing::Unknown | Standing::Well));
    let well = standings.iter().find(|standing| **standing == Standing::Well);
    odd.or(well).cloned().unwrap_or(Standing::Unknown)
}

/// A block and its parent: what is voted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    block: BlockRef,
    parent: Hash32,
}

impl Head {
    fn of(header: &Header) -> Option<Self> {
        Some(Self { block: header.to_ref()?, parent: Hash32(header.parent_hash.0) })
    }
}

/// A block that a majority has.
#[derive(Debug, Clone)]
pub(super) struct Agreed {
    pub(super) block: BlockRef,
    pub(super) parent: Hash32,
    /// Who has it.
    pub(super) members: Vec<usize>,
}

/// All endpoints of `chain.rpc`.
#[derive(Debug, Clone)]
pub struct Endpoints {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    members: Vec<Member>,
    chain_id: u64,
    /// Where asking begins; moves on from a member that fails.
    first: AtomicUsize,
}

impl Endpoints {
    /// Endpoints for `deployment`; nothing is sent yet. Of none, nothing is ever believed.
    pub fn new(nodes: Vec<Node>, deployment: &Deployment) -> Self {
        let member = |(index, node): (usize, Node)| Member {
            index,
            reader: Reader::new(node, deployment),
            standings: Mutex::new([const { Standing::Unknown }; 3]),
        };
        let members = nodes.into_iter().enumerate().map(member).collect();
        Self { inner: Arc::new(Inner { members, chain_id: deployment.chain_id, first: AtomicUsize::new(0) }) }
    }

    /// What is thought of each endpoint, in the order of `chain.rpc`.
    pub fn standings(&self) -> Vec<Standing> {
        self.inner.members.iter().map(Member::stands).collect()
    }

    /// Endpoints that must agree: more than half.
    pub fn need(&self) -> usize {
        self.inner.members.len() / 2 + 1
    }

    /// The newest block that a majority has.
    ///
    /// # Errors
    /// There is no majority, or the only endpoint's own reason.
    pub async fn newest(&self) -> Result<BlockRef, FollowError> {
        self.agree(Tag::Latest).await.map(|agreed| agreed.block)
    }

    /// A block that a majority has, and the hash of the one before it.
    ///
    /// # Errors
    /// There is no majority, or the only endpoint's own reason.
    pub async fn block_at(&self, tag: Tag) -> Result<(BlockRef, Hash32), FollowError> {
        self.agree(tag).await.map(|agreed| (agreed.block, agreed.parent))
    }

    /// All of them, whatever they answer: for questions that are put to each.
    pub fn nodes(&self) -> Vec<Node> {
        (0..).map_while(|index| self.member(index)).map(|member| member.node().clone()).collect()
    }

    /// An account's balance in wei: the highest value that a majority says or exceeds; `None` without a majority.
    pub async fn balance_wei(&self, account: Account) -> Option<U256> {
        let said = self.all(|member| member.node().balance_wei(account)).await;
        at_least(said.into_iter().flatten().collect(), self.need())
    }

    pub(super) fn member(&self, index: usize) -> Option<&Member> {
        self.inner.members.get(index)
    }

    /// Those that are not known to be on another chain.
    fn ours(&self) -> Vec<&Member> {
        let members = self.inner.members.iter();
        members.filter(|member| !matches!(member.stands(), Standing::WrongChain { .. })).collect()
    }

    /// Those that a question is best put to: the ones of the majority's opinion, when they are one.
    fn trusted(&self) -> Vec<&Member> {
        let ours = self.ours();
        let fine = |member: &&Member| matches!(member.stands(), Standing::Well | Standing::Unknown);
        let well: Vec<&Member> = ours.iter().copied().filter(fine).collect();
        if well.len() >= self.need() { well } else { ours }
    }

    /// The highest block under `tag` that a majority has.
    pub(super) async fn agree(&self, tag: Tag) -> Result<Agreed, FollowError> {
        let mut asked: FuturesUnordered<_> =
            self.inner.members.iter().map(|m| m.head(tag, self.inner.chain_id).map(|head| (m.index, head))).collect();
        let mut heads = Heads::default();
        // The majority does not wait long for the rest, unless it is not one without them.
        while let Some((index, head)) = asked.next().await {
            heads.take(self, tag, index, head);
            if heads.answered.len() >= self.need() {
                break;
            }
        }
        let _ = tokio::time::timeout(GRACE, heads.take_all(self, tag, &mut asked)).await;
        let mut agreed = self.vote(&heads.answered).await;
        if agreed.is_none() && !asked.is_empty() {
            heads.take_all(self, tag, &mut asked).await;
            agreed = self.vote(&heads.answered).await;
        }
        for member in self.inner.members.iter().filter(|member| !heads.heard(member.index)) {
            member.note(About::tag(tag), Standing::Silent);
        }
        match agreed {
            Some(agreed) => {
                self.judge(About::tag(tag), &heads.answered, &agreed);
                Ok(agreed)
            }
            None => Err(heads.failure(tag, self.inner.members.len(), self.need())),
        }
    }

    /// The highest block that at least a majority of all endpoints has, a few blocks below the tip if need be.
    async fn vote(&self, heads: &BTreeMap<usize, Head>) -> Option<Agreed> {
        let mut heights: Vec<u64> = heads.values().map(|head| head.block.number).collect();
        heights.sort_unstable_by(|a, b| b.cmp(a));
        let top = *heights.get(self.need() - 1)?;
        for height in (top.saturating_sub(FORK_DEPTH_MAX)..=top).rev() {
            let mut tally: Vec<(Head, Vec<usize>)> = Vec::new();
            for (index, head) in self.all_at(heads, height).await {
                match tally.iter_mut().find(|(other, _)| *other == head) {
                    Some((_, members)) => members.push(index),
                    None => tally.push((head, vec![index])),
                }
            }
            if let Some((head, members)) = tally.into_iter().find(|(_, members)| members.len() >= self.need()) {
                return Some(Agreed { block: head.block, parent: head.parent, members });
            }
        }
        None
    }

    /// What those that have reached a height have there.
    async fn all_at(&self, heads: &BTreeMap<usize, Head>, height: u64) -> Vec<(usize, Head)> {
        let reached = heads.iter().filter(|(_, head)| head.block.number >= height);
        let one = |(index, head): (&usize, &Head)| {
            let (index, head, member) = (*index, *head, self.member(*index));
            async move {
                if head.block.number == height {
                    return Some((index, head));
                }
                Some((index, member?.at(height).await?))
            }
        };
        future::join_all(reached.map(one)).await.into_iter().flatten().collect()
    }

    /// Says what each is that answered.
    fn judge(&self, about: About, heads: &BTreeMap<usize, Head>, agreed: &Agreed) {
        for (index, head) in heads {
            let Some(member) = self.member(*index) else { continue };
            let (number, agreed_number) = (head.block.number, agreed.block.number);
            let standing = if agreed.members.contains(index) {
                if number > agreed_number + APART_MAX { Standing::Ahead } else { Standing::Well }
            } else if number >= agreed_number {
                Standing::Differs
            } else if agreed_number - number > APART_MAX {
                Standing::Behind
            } else {
                Standing::Well
            };
            member.note(about, standing);
        }
    }

    /// Asks `members`, as many as it takes, until a majority says what is `alike`; that is what it said.
    pub(super) async fn same<'a, T, W>(
        &'a self,
        members: &[usize],
        ask: impl Fn(&'a Member) -> W,
        alike: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<T>, FollowError>
    where
        W: Future<Output = Result<T, FollowError>>,
    {
        let first = self.inner.first.load(Relaxed);
        let mut order: Vec<&Member> = members.iter().filter_map(|index| self.member(*index)).collect();
        let turn = first % order.len().max(1);
        order.rotate_left(turn);
        let spare = order.split_off(self.need().min(order.len()));
        let mut groups: Vec<Vec<(&Member, T)>> = Vec::new();
        let mut failed = None;
        let mut answers = future::join_all(order.into_iter().map(|m| ask(m).map(move |said| (m, said)))).await;
        let mut spare = spare.into_iter();
        loop {
            for (member, said) in answers.drain(..) {
                match said {
                    Err(error) => {
                        self.inner.first.store(first.wrapping_add(1), Relaxed);
                        failed.get_or_insert(error);
                    }
                    Ok(said) => match groups.iter_mut().find(|group| alike(&group[0].1, &said)) {
                        Some(group) => group.push((member, said)),
                        None => groups.push(vec![(member, said)]),
                    },
                }
            }
            if let Some(won) = groups.iter().position(|group| group.len() >= self.need()) {
                let won = groups.swap_remove(won);
                for (member, _) in groups.iter().flatten() {
                    member.note(About::Views, Standing::Differs);
                }
                won.iter().for_each(|(member, _)| member.note(About::Views, Standing::Well));
                return Ok(won.into_iter().map(|(_, said)| said).collect());
            }
            let Some(member) = spare.next() else { break };
            answers.push((member, ask(member).await));
        }
        Err(failed.unwrap_or(FollowError::NoMajority { what: "views".into(), need: self.need() }))
    }

    /// What those of the majority's opinion answer; once a majority has, the rest is not waited for long.
    pub(super) async fn all<'a, T, W>(&'a self, ask: impl Fn(&'a Member) -> W) -> Vec<Result<T, NodeError>>
    where
        W: Future<Output = Result<T, NodeError>>,
    {
        self.of(self.trusted(), ask).await
    }

    /// What everybody on our chain answers.
    pub(super) async fn everywhere<'a, T, W>(&'a self, ask: impl Fn(&'a Member) -> W) -> Vec<Result<T, NodeError>>
    where
        W: Future<Output = Result<T, NodeError>>,
    {
        self.of(self.ours(), ask).await
    }

    async fn of<'a, T, W>(
        &'a self,
        members: Vec<&'a Member>,
        ask: impl Fn(&'a Member) -> W,
    ) -> Vec<Result<T, NodeError>>
    where
        W: Future<Output = Result<T, NodeError>>,
    {
        let mut asked: FuturesUnordered<W> = members.into_iter().map(ask).collect();
        let mut answers = Vec::new();
        while answers.iter().filter(|a: &&Result<T, NodeError>| a.is_ok()).count() < self.need() {
            match asked.next().await {
                Some(answer) => answers.push(answer),
                None => return answers,
            }
        }
        let rest = async {
            while let Some(answer) = asked.next().await {
                answers.push(answer);
            }
        };
        let _ = tokio::time::timeout(GRACE, rest).await;
        answers
    }
}

#[derive(Default)]
struct Heads {
    answered: BTreeMap<usize, Head>,
    failed: BTreeMap<usize, FollowError>,
}

impl Heads {
    fn take(&mut self, endpoints: &Endpoints, tag: Tag, index: usize, head: Result<Head, FollowError>) {
        match head {
            Ok(head) => drop(self.answered.insert(index, head)),
            Err(error) => {
                let standing = match error {
                    FollowError::WrongChain { found, .. } => Standing::WrongChain { found },
                    _ => Standing::Silent,
                };
                if let Some(member) = endpoints.member(index) {
                    member.note(About::tag(tag), standing);
                }
                self.failed.insert(index, error);
            }
        }
    }

    async fn take_all<F: Future<Output = (usize, Result<Head, FollowError>)>>(
        &mut self,
        endpoints: &Endpoints,
        tag: Tag,
        asked: &mut FuturesUnordered<F>,
    ) {
        while let Some((index, head)) = asked.next().await {
            self.take(endpoints, tag, index, head);
        }
    }

    fn heard(&self, index: usize) -> bool {
        self.answered.contains_key(&index) || self.failed.contains_key(&index)
    }

    /// Why nothing is believed: the only endpoint's own reason, or that there is no majority.
    fn failure(self, tag: Tag, of: usize, need: usize) -> FollowError {
        let answered = self.answered.len();
        let alone = if of == 1 { self.failed.into_values().next() } else { None };
        let what = format!("the {tag:?} block ({answered} of {of} endpoints answered)");
        alone.unwrap_or(FollowError::NoMajority { what, need })
    }
}

/// The highest value that at least `need` say or exceed: neither a liar's height nor a laggard's depth counts.
pub(super) fn at_least<T: Ord>(mut said: Vec<T>, need: usize) -> Option<T> {
    said.sort_unstable_by(|a, b| b.cmp(a));
    said.into_iter().nth(need.checked_sub(1)?)
}

/// What at least `need` say alike.
pub(super) fn alike<T: PartialEq>(said: &[T], need: usize) -> Option<&T> {
    said.iter().find(|one| said.iter().filter(|other| other == one).count() >= need)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_liars_height_nor_a_laggards_depth_counts() {
        assert_eq!(at_least(vec![4, 900, 5], 2), Some(5));
        assert_eq!(at_least(vec![5, 0, 5], 2), Some(5));
        assert_eq!(at_least(vec![5, 4], 3), None);
        assert_eq!(alike(&[7, 8, 7], 2), Some(&7));
        assert_eq!(alike(&[7, 8, 9], 2), None);
    }
}
