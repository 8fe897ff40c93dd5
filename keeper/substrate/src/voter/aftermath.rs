//! Looks back at timelocked commits: whether the chain has opened them, and whether what it opened counts.

use super::{Did, VoteError, Voter};
use crate::runtime::Runtime;
use crate::subnet::{Openness, Subnet};
use std::cmp::Ordering;
use surety_core::ballot::{Aftermath, Ballot, Later, Stage};

/// A ballot, and whether its ciphertext is on chain.
type Beside = (Ballot, bool);

impl Voter {
    /// What became of every ballot that is on chain and not opened, as far as this block shows.
    pub(super) async fn look_back(
        &self,
        runtime: &Runtime,
        subnet: &Subnet,
        did: &mut Vec<Did>,
    ) -> Result<(), VoteError> {
        let mut all: Vec<Beside> = Vec::new();
        for ballot in self.sealed().await? {
            // Lists of commits are long: they are read when a ballot's turn may have come.
            let there = !may_be_open(&ballot, subnet)
                || self.ciphertext_committed_in(runtime, subnet.at, &ballot).await?.is_some();
            all.push((ballot, there));
        }
        if all.iter().all(|(_, there)| *there) {
            return Ok(());
        }
        let seen = self.seen(runtime, subnet, None).await?;
        let newest = self.newest().await?.filter(|newest| !matches!(newest.stage, Stage::Sealed { .. }));
        all.extend(newest.map(|newest| (newest, false)));
        for (ballot, ciphertext_is_there) in &all {
            let after = |(other, _): &&Beside| order(other).cmp(&order(ballot)) == Ordering::Greater;
            let later = Later::of(all.iter().filter(after).map(|(other, there)| (other, *there)));
            let aftermath = self.after(runtime, subnet, (ballot, *ciphertext_is_there), later).await?;
            if let Some(stage) = ballot.aftermath(&seen, &aftermath) {
                self.put(ballot.clone().at(stage.clone())).await?;
                did.push(Did::Found { epoch: ballot.epoch, stage });
            }
        }
        Ok(())
    }

    async fn after(
        &self,
        runtime: &Runtime,
        subnet: &Subnet,
        (ballot, ciphertext_is_there): (&Ballot, bool),
        later: Later,
    ) -> Result<Aftermath, VoteError> {
        let settings = subnet.weights.ok_or(VoteError::NoSettings { netuid: self.netuid })?;
        let last_round = match settings.openness {
            Openness::Timelocked { last_round, .. } => last_round,
            Openness::Open | Openness::Hashed { .. } => u64::MAX,
        };
        Ok(Aftermath {
            ciphertext_is_there,
            weights_are_there: !ciphertext_is_there && self.weights_stand(runtime, subnet, ballot).await?,
            later,
            least_uids: settings.least_uids,
            seats: u16::try_from(subnet.neurons.len()).unwrap_or(u16::MAX),
            last_round,
        })
    }
}

/// Not before its epoch, by the rule of the commit's day or by today's.
fn may_be_open(ballot: &Ballot, subnet: &Subnet) -> bool {
    let Stage::Sealed { reveal_epoch, .. } = ballot.stage else { return false };
    let today = match subnet.weights.map(|settings| settings.openness) {
        Some(Openness::Timelocked { period_epochs, .. }) => ballot.epoch.saturating_add(period_epochs),
        _ => reveal_epoch,
    };
    ballot.registered_counter != subnet.registered_counter || subnet.epoch >= reveal_epoch.min(today)
}

/// A subnet that took over the number counts its epochs anew.
fn order(ballot: &Ballot) -> (u64, u64) {
    (ballot.registered_counter, ballot.epoch)
}
