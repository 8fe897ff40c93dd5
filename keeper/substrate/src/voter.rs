//! Sets weights: carries out what [`surety_core::ballot`] wants, and stores every step before the next is taken.

use crate::calls::WeightCall;
use crate::needed::{self, Feature, HashCommit, TimelockedCommit};
use crate::node::Head;
use crate::nodes::{Nodes, NodesError};
use crate::runtime::{CodecError, MORTAL_BLOCKS, Part, Place, Runtime};
use crate::ss58::AccountId;
use crate::stake::stake_of;
use crate::subnet::{self, Subnet};
use crate::timelock::{self, COMMIT_REVEAL_VERSION, Payload, TimelockError};
use crate::wallet::Hotkey;
use std::sync::Arc;
use surety_core::ballot::{Action, Ballot, Choice, Openness, Refusal, Seat, Seen, Stage, Tx, Way, next_action};
use surety_core::types::Hash32;

mod aftermath;

/// Milliseconds between blocks of Subtensor.
pub const BLOCK_TIME_MS: u64 = 12_000;

/// Steps taken at one block at most: choose, sign, send, and what a record leads to.
const STEPS_MAX: usize = 8;

/// How many numbers a salt has: 128 bits, which nobody tries out.
const SALT_NUMBERS: usize = 8;

/// Where ballots are kept.
///
/// Obligations: what `put` took is there after a crash; `newest` is that of the newest subnet and epoch. Calls block.
pub trait BallotBox: Send + Sync + 'static {
    /// The newest ballot.
    fn newest(&self) -> Result<Option<Ballot>, BoxError>;
    /// Those that are [`Stage::Sealed`], oldest first; very old ones may be left out.
    fn sealed(&self) -> Result<Vec<Ballot>, BoxError>;
    /// Stores a ballot in place of the one of its epoch.
    fn put(&self, ballot: &Ballot) -> Result<(), BoxError>;
}

/// The box could not read or write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ballots cannot be stored: {why}")]
pub struct BoxError {
    /// What it said.
    pub why: String,
}

/// Why a look ended early. What was stored stays; the next look goes on from there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VoteError {
    /// The nodes.
    #[error(transparent)]
    Nodes(#[from] NodesError),
    /// The box.
    #[error(transparent)]
    Box(#[from] BoxError),
    /// Weights could not be sealed.
    #[error(transparent)]
    Timelock(#[from] TimelockError),
    /// Weights could not be chosen.
    #[error("no weights were chosen: {0}")]
    NotChosen(String),
    /// No randomness.
    #[error("no randomness: {0}")]
    Random(String),
    /// The runtime lacks what setting weights takes.
    #[error("{0}")]
    Codec(#[from] CodecError),
    /// The chain takes timelocked commits that this keeper cannot make.
    #[error(
        "the chain takes timelocked weights of version {found}, this keeper makes version {COMMIT_REVEAL_VERSION}: update it"
    )]
    CommitVersion {
        /// The chain's.
        found: u16,
    },
    /// The runtime does not say how weights are set.
    #[error("the runtime does not say how weights are set on subnet {netuid}")]
    NoSettings {
        /// The subnet.
        netuid: u16,
    },
}

/// What a look did, for logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// Weights were chosen.
    Chose,
    /// They, or their reveal, were signed.
    Signed,
    /// Bytes were sent: so many nodes took them; what the others said.
    Sent {
        /// Nodes that took them or had them.
        taken: usize,
        /// What the others said, each once.
        refusals: Vec<String>,
    },
    /// A commit is on chain, to be revealed in this epoch.
    Committed {
        /// The epoch.
        reveal_epoch: u64,
    },
    /// It is over, or no longer alive.
    Recorded(Stage),
    /// What became of an earlier epoch's timelocked weights.
    Found {
        /// The epoch they were chosen in.
        epoch: u64,
        /// Done, lost, or unknown.
        stage: Stage,
    },
    /// Nothing is set now, for this reason.
    Refused(Refusal),
}

/// Who sets weights, where, and on whose record.
pub struct Voter {
    /// The nodes.
    pub nodes: Nodes,
    /// Signs.
    pub hotkey: Arc<Hotkey>,
    /// The subnet.
    pub netuid: u16,
    /// The record.
    pub ballots: Arc<dyn BallotBox>,
    /// Milliseconds between blocks.
    pub block_time_ms: u64,
}

impl Voter {
    /// One look at a final block: what became of earlier ballots, and what is to be done with the newest. `choose` is
    /// asked when an epoch's weights are due. Gives what was done, and what stood in the way of more.
    pub async fn look<C: Future<Output = Result<Choice, String>>>(
        &self,
        runtime: &Runtime,
        subnet: &Subnet,
        choose: impl Fn() -> C,
    ) -> (Vec<Did>, Result<(), VoteError>) {
        let mut did = Vec::new();
        let back = self.look_back(runtime, subnet, &mut did).await;
        let on = self.go_on(runtime, subnet, choose, &mut did).await;
        (did, on.and(back))
    }

    async fn go_on<C: Future<Output = Result<Choice, String>>>(
        &self,
        runtime: &Runtime,
        subnet: &Subnet,
        choose: impl Fn() -> C,
        did: &mut Vec<Did>,
    ) -> Result<(), VoteError> {
        for _ in 0..STEPS_MAX {
            let ballot = self.newest().await?;
            let seen = self.seen(runtime, subnet, ballot.as_ref()).await?;
            let (ballot, done) = match (next_action(ballot.as_ref(), &seen), ballot) {
                (Action::Wait, _) => return Ok(()),
                (Action::Refuse(refusal), _) => {
                    did.push(Did::Refused(refusal));
                    return Ok(());
                }
                (Action::Choose, _) => {
                    let choice = choose().await.map_err(VoteError::NotChosen)?;
                    let way = self.way(subnet, &choice)?;
                    (Ballot::new(&seen, choice, way), Did::Chose)
                }
                (Action::Sign, Some(ballot)) => (self.sign(runtime, subnet.at, ballot).await?, Did::Signed),
                (Action::Send, Some(ballot)) => self.send(ballot, seen.block).await,
                (Action::Record(stage), Some(ballot)) => (ballot.at(stage.clone()), Did::Recorded(stage)),
                (Action::Commit { reveal_epoch }, Some(ballot)) => {
                    (ballot.committed_until(reveal_epoch), Did::Committed { reveal_epoch })
                }
                (_, None) => return Ok(()),
            };
            self.put(ballot).await?;
            did.push(done);
        }
        Ok(())
    }

    async fn newest(&self) -> Result<Option<Ballot>, VoteError> {
        let ballots = self.ballots.clone();
        let newest = tokio::task::spawn_blocking(move || ballots.newest()).await;
        Ok(newest.map_err(|error| BoxError { why: error.to_string() })??)
    }

    async fn sealed(&self) -> Result<Vec<Ballot>, VoteError> {
        let ballots = self.ballots.clone();
        let sealed = tokio::task::spawn_blocking(move || ballots.sealed()).await;
        Ok(sealed.map_err(|error| BoxError { why: error.to_string() })??)
    }

    async fn put(&self, ballot: Ballot) -> Result<(), VoteError> {
        let ballots = self.ballots.clone();
        let put = tokio::task::spawn_blocking(move || ballots.put(&ballot)).await;
        Ok(put.map_err(|error| BoxError { why: error.to_string() })??)
    }

    /// What the block shows, as the pure function wants it.
    async fn seen(&self, runtime: &Runtime, subnet: &Subnet, ballot: Option<&Ballot>) -> Result<Seen, VoteError> {
        // What is missing is named.
        runtime.need(Feature::Weights)?;
        let settings = subnet.weights.ok_or(VoteError::NoSettings { netuid: self.netuid })?;
        let openness = match settings.openness {
            subnet::Openness::Open => Openness::Open,
            subnet::Openness::Hashed { period_epochs } => Openness::Hashed { period_epochs },
            subnet::Openness::Timelocked { period_epochs, .. } => Openness::Timelocked { period_epochs },
        };
        Ok(Seen {
            netuid: subnet.netuid,
            hotkey: Hash32(self.hotkey.account().0),
            block: subnet.at.number,
            registered_counter: subnet.registered_counter,
            epoch: subnet.epoch,
            next_epoch_block: subnet.schedule.next_epoch_block(subnet.at.number)?,
            openness,
            seat: self.seat(runtime, subnet, settings.stake_threshold_rao).await?,
            rate_limit_blocks: settings.rate_limit_blocks,
            version_key: settings.version_key,
            weights_are_there: match signed(ballot).filter(|ballot| ballot.way == Way::Open) {
                Some(ballot) => self.weights_stand(runtime, subnet, ballot).await?,
                None => false,
            },
            hash_committed_in: self.hash_committed_in(runtime, subnet.at, ballot).await?,
            ciphertext_committed_in: match signed(ballot) {
                Some(ballot) => self.ciphertext_committed_in(runtime, subnet.at, ballot).await?,
                None => None,
            },
        })
    }

    async fn seat(&self, runtime: &Runtime, subnet: &Subnet, threshold_rao: u64) -> Result<Option<Seat>, VoteError> {
        let hotkey = self.hotkey.account();
        let Some(neuron) = subnet.find(hotkey) else { return Ok(None) };
        let owner = subnet.owner_hotkey == hotkey;
        let stake_needed_rao = if owner { 0 } else { threshold_rao };
        let stake_rao = match stake_needed_rao {
            0 => 0,
            _ => stake_of(&self.nodes, runtime, subnet.at, self.netuid, hotkey).await?,
        };
        // The subnet's owner needs neither stake nor a permit.
        let (uid, permit, updated_at) = (neuron.uid, neuron.permit || owner, neuron.updated_at);
        Ok(Some(Seat { uid, permit, updated_at, stake_rao, stake_needed_rao }))
    }

    /// Whether the subnet has a ballot's weights for our uid. The chain stores values scaled so that the largest is
    /// 65,535.
    async fn weights_stand(&self, runtime: &Runtime, subnet: &Subnet, ballot: &Ballot) -> Result<bool, VoteError> {
        let Some(neuron) = subnet.find(self.hotkey.account()) else { return Ok(false) };
        let parts = [Part::Number(self.netuid.into()), Part::Number(neuron.uid.into())];
        let stored: Option<Vec<(u16, u16)>> =
            self.nodes.value(runtime, subnet.at.hash, &needed::WEIGHTS, &parts).await?;
        Ok(is_scaled(&ballot.choice, &stored.unwrap_or_default()))
    }

    async fn hash_committed_in(
        &self,
        runtime: &Runtime,
        at: Head,
        ballot: Option<&Ballot>,
    ) -> Result<Option<u64>, VoteError> {
        let Some(Ballot { way: Way::Hashed { hash, .. }, .. }) = ballot.filter(|ballot| !ballot.is_over()) else {
            return Ok(None);
        };
        let parts = [Part::Number(self.netuid.into()), self.hotkey.account().into()];
        let commits: Option<Vec<HashCommit>> =
            self.nodes.value(runtime, at.hash, &needed::HASH_COMMITS, &parts).await?;
        let found = commits.unwrap_or_default().into_iter().find(|commit| Hash32(commit.0) == *hash);
        Ok(found.map(|(_, epoch, ..)| epoch))
    }

    /// The epoch of a ballot's ciphertext: a commit that was sent late in an epoch may be in a block of the next one.
    async fn ciphertext_committed_in(
        &self,
        runtime: &Runtime,
        at: Head,
        ballot: &Ballot,
    ) -> Result<Option<u64>, VoteError> {
        let Way::Timelocked { ciphertext, .. } = &ballot.way else { return Ok(None) };
        for epoch in [ballot.epoch, ballot.epoch.saturating_add(1)] {
            let parts = [Part::Number(self.netuid.into()), Part::Number(epoch)];
            let commits: Option<Vec<TimelockedCommit>> =
                self.nodes.value(runtime, at.hash, &needed::TIMELOCKED, &parts).await?;
            let ours = self.hotkey.account();
            let is_ours = |(hotkey, _, text, _): &TimelockedCommit| {
                AccountId(*hotkey) == ours && hex::encode(text) == *ciphertext
            };
            if commits.unwrap_or_default().iter().any(is_ours) {
                return Ok(Some(epoch));
            }
        }
        Ok(None)
    }

    fn way(&self, subnet: &Subnet, choice: &Choice) -> Result<Way, VoteError> {
        let settings = subnet.weights.ok_or(VoteError::NoSettings { netuid: self.netuid })?;
        match settings.openness {
            subnet::Openness::Open => Ok(Way::Open),
            subnet::Openness::Hashed { .. } => {
                let salt = salt()?;
                let Choice { uids, values, version_key } = choice;
                let hotkey = self.hotkey.account();
                let hash = timelock::commit_hash(hotkey, self.netuid, uids, values, &salt, *version_key);
                Ok(Way::Hashed { salt, hash: Hash32(hash), reveal_epoch: None })
            }
            subnet::Openness::Timelocked { period_epochs, version, last_round } => {
                // What the chain cannot open it throws away, and nobody is told.
                if version != COMMIT_REVEAL_VERSION {
                    return Err(VoteError::CommitVersion { found: version });
                }
                let head = subnet.at.number;
                let first = subnet.schedule.first_block_of_reveal_epoch(head, period_epochs)?;
                let round = timelock::reveal_round(last_round, first.saturating_sub(head), self.block_time_ms)?;
                let ciphertext = hex::encode(self.payload(choice).seal(round, &random()?)?);
                Ok(Way::Timelocked { ciphertext, round, version })
            }
        }
    }

    fn payload(&self, choice: &Choice) -> Payload {
        let Choice { uids, values, version_key } = choice.clone();
        Payload { hotkey: self.hotkey.account(), uids, values, version_key }
    }

    async fn sign(&self, runtime: &Runtime, at: Head, ballot: Ballot) -> Result<Ballot, VoteError> {
        let nonce = self.nodes.next_nonce(self.hotkey.account()).await?;
        let place = Place { nonce, block: at.number, block_hash: at.hash };
        let (call, args) = call_of(&ballot)?.parts();
        let signed = runtime.signed(call, args, &*self.hotkey, place)?;
        let last_block = at.number.saturating_add(MORTAL_BLOCKS - 1);
        let (raw, hash, from_block) = (hex::encode(&signed.bytes), signed.hash, at.number);
        Ok(ballot.signed(Tx { nonce, raw, hash, from_block, last_block, sent_at: None }))
    }

    /// A refusal changes nothing: it may be one node's, and the bytes are dead after their last block anyway.
    async fn send(&self, ballot: Ballot, block: u64) -> (Ballot, Did) {
        let bytes = ballot.tx().and_then(|tx| hex::decode(&tx.raw).ok()).unwrap_or_default();
        let sent = self.nodes.submit(&bytes).await;
        let mut refusals = sent.refusals;
        if sent.outdated {
            refusals.push("its nonce is used, or its blocks are over".into());
        }
        (ballot.sent(block), Did::Sent { taken: sent.taken, refusals })
    }
}

/// A ballot whose first half may be in a block, unknown to us.
fn signed(ballot: Option<&Ballot>) -> Option<&Ballot> {
    ballot.filter(|ballot| matches!(ballot.stage, Stage::Signed(_)))
}

/// Whether stored weights are these: as they were sent, or each scaled by 65,535 over the largest and rounded in
/// whatever way, as the pallet's source does.
fn is_scaled(choice: &Choice, stored: &[(u16, u16)]) -> bool {
    let largest = u64::from(choice.values.iter().copied().max().unwrap_or(0));
    let alike = |(value, stored): (u16, u16)| {
        let exact = u64::from(value) * u64::from(u16::MAX);
        value == stored || exact.abs_diff(u64::from(stored) * largest) <= largest
    };
    let wanted = choice.uids.iter().zip(&choice.values).map(|(uid, value)| (*uid, *value));
    stored.len() == choice.uids.len()
        && wanted.zip(stored).all(|(wanted, stored)| wanted.0 == stored.0 && alike((wanted.1, stored.1)))
}

/// The call of a ballot's half at hand.
fn call_of(ballot: &Ballot) -> Result<WeightCall, VoteError> {
    let (netuid, choice) = (ballot.netuid, ballot.choice.clone());
    let Choice { uids, values, version_key } = choice;
    Ok(match &ballot.way {
        Way::Open => WeightCall::Set { netuid, uids, values, version_key },
        Way::Hashed { salt, reveal_epoch: Some(_), .. } => {
            WeightCall::Reveal { netuid, uids, values, salt: salt.clone(), version_key }
        }
        Way::Hashed { hash, .. } => WeightCall::CommitHash { netuid, hash: *hash },
        Way::Timelocked { ciphertext, round, version } => {
            let ciphertext =
                hex::decode(ciphertext).map_err(|_| BoxError { why: "a ciphertext that is no hex".into() })?;
            WeightCall::CommitTimelocked { netuid, ciphertext, round: *round, version: *version }
        }
    })
}

fn random() -> Result<[u8; 32], VoteError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| VoteError::Random(error.to_string()))?;
    Ok(bytes)
}

fn salt() -> Result<Vec<u16>, VoteError> {
    let bytes = random()?;
    Ok(bytes.chunks_exact(2).take(SALT_NUMBERS).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(values: &[u16]) -> Choice {
        Choice { uids: (0..).zip(values).map(|(uid, _)| uid).collect(), values: values.to_vec(), version_key: 0 }
    }

    #[test]
    fn weights_are_known_again_as_sent_and_as_the_chain_scales_them_and_no_others_are() {
        let sent = choice(&[60_000, 5_535, 1]);
        for stored in
            [[(0, 60_000), (1, 5_535), (2, 1)], [(0, 65_535), (1, 6_045), (2, 1)], [(0, 65_535), (1, 6_046), (2, 1)]]
        {
            assert!(is_scaled(&sent, &stored), "{stored:?}");
        }
        for other in [
            &[][..],
            &[(0, 65_535), (1, 6_045)],
            &[(0, 65_535), (1, 6_100), (2, 1)],
            &[(1, 65_535), (0, 6_045), (2, 1)],
        ] {
            assert!(!is_scaled(&sent, other), "{other:?}");
        }
        assert!(is_scaled(&choice(&[]), &[]));
    }
}
