//! What weights need of the contracts, read whole at one final block and by majority: every registration, the rentals
//! of a window, all cases, the bonds that classes ask for. Once an epoch, so it may take a while; rentals that are
//! closed do not change any more and are read once.

use super::touched::IDS_MAX;
use super::{Endpoints, FollowError, Member};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use surety_client::provider::{NodeError, Tag};
use surety_core::types::{Rao, RentalId, UnixSecs};
use surety_core::view::{BlockRef, CaseView, RentalView};
use surety_core::weights::{OnChain, Registered};

/// Entries asked for together. A rental takes four calls, so 800 calls, 16 batches.
const SLICE: usize = 200;

/// A rental and the registration it is of.
type OfRegistration = (u32, RentalView);

/// Reads fleets, one after another.
#[derive(Debug)]
pub struct FleetReader {
    endpoints: Endpoints,
    /// Closed ones that touch the window.
    closed: BTreeMap<RentalId, OfRegistration>,
    /// All up to this one are closed and were over before the window.
    floor: RentalId,
}

/// What one endpoint says.
#[derive(Debug, PartialEq)]
struct Said {
    registered: Vec<Registered>,
    rentals: Vec<OfRegistration>,
    cases: Vec<CaseView>,
    bonds: Vec<(u16, Rao)>,
}

impl FleetReader {
    /// Reads through these.
    pub fn new(endpoints: Endpoints) -> Self {
        Self { endpoints, closed: BTreeMap::new(), floor: 0 }
    }

    /// Everything at the final block; of rentals those that ended at most `window_secs` before it, or have not ended.
    ///
    /// # Errors
    /// There is no majority for it, or the only endpoint's own reason.
    pub async fn read(&mut self, classes: &[u16], window_secs: u64) -> Result<OnChain, FollowError> {
        let agreed = self.endpoints.agree(Tag::Finalized).await?;
        let block = agreed.block;
        let ask = |member| self.said(member, block, classes);
        let said = self.endpoints.same(&agreed.members, ask, |a, b| a == b).await?;
        let Some(said) = said.into_iter().next() else { return Err(FollowError::Replaced(block.number)) };
        let since_secs = block.timestamp_secs.saturating_sub(window_secs);
        let open = self.keep(said.rentals, since_secs);
        let closed = self.closed.values().filter(|(_, rental)| rental.end_secs > since_secs).cloned();
        Ok(OnChain {
            at_secs: block.timestamp_secs,
            registered: said.registered,
            rentals: closed.chain(open).collect(),
            cases: said.cases,
            class_bonds: said.bonds.into_iter().filter(|(_, rao)| *rao != 0).collect(),
        })
    }

    /// Remembers those that are closed; gives back the others.
    fn keep(&mut self, rentals: Vec<OfRegistration>, since_secs: UnixSecs) -> Vec<OfRegistration> {
        let (closed, open): (Vec<_>, Vec<_>) = rentals.into_iter().partition(|(_, rental)| rental.closed);
        self.closed.extend(closed.into_iter().map(|one| (one.1.id, one)));
        let is_past = |id: &RentalId| self.closed.get(id).is_some_and(|(_, rental)| rental.end_secs <= since_secs);
        let past = (self.floor + 1..).take_while(|id| is_past(id)).last();
        if let Some(past) = past {
            self.floor = past;
            self.closed = self.closed.split_off(&(past + 1));
        }
        open
    }

    async fn said(&self, member: &Member, block: BlockRef, classes: &[u16]) -> Result<Said, FollowError> {
        let (reader, at) = (&member.reader, block.number);
        let counts = reader.counts(at).await?;
        let mut said = Said { registered: vec![], rentals: vec![], cases: vec![], bonds: vec![] };
        let registrations: Vec<u32> = (1..=counts.registrations).collect();
        for some in registrations.chunks(SLICE) {
            said.registered.extend(sound(reader.registered_at(some, at).await?)?);
        }
        let newest = newest(self.floor, counts.rentals);
        let rentals: Vec<RentalId> = newest.filter(|id| !self.closed.contains_key(id)).collect();
        for some in rentals.chunks(SLICE) {
            said.rentals.extend(sound(reader.rentals_of(some, at).await?)?);
        }
        let cases: Vec<u64> = newest_of(counts.cases).collect();
        for some in cases.chunks(SLICE) {
            said.cases.extend(sound(reader.cases_at(some, at).await?)?);
        }
        let bonds = sound(reader.class_bonds_at(classes, at).await?)?;
        said.bonds = classes.iter().copied().zip(bonds).collect();
        let again = member.node().header(Tag::Number(at)).await?.and_then(|header| header.to_ref());
        if again == Some(block) { Ok(said) } else { Err(FollowError::Replaced(at)) }
    }
}

fn newest(floor: RentalId, count: u64) -> RangeInclusive<RentalId> {
    floor.max(count.saturating_sub(IDS_MAX)) + 1..=count
}

fn newest_of(count: u64) -> RangeInclusive<u64> {
    newest(0, count)
}

/// One that cannot be decoded is a reason to set no weights: somebody would be left out.
fn sound<T>(each: Vec<Result<T, NodeError>>) -> Result<Vec<T>, NodeError> {
    each.into_iter().collect()
}
