//! What renters say about their machines. A complaint is one party's word: it never makes this keeper suspect, sign or
//! file. It makes it look harder for a while: at the suspect pace, and by asking at once which cards are there, so that
//! whatever is wrong is seen sooner by somebody who has nothing to gain from it.

use crate::cards;
use crate::ids::tagged;
use crate::limits::{
    COMPLAINT_AGE_MAX_SECS, COMPLAINT_OPEN_SECS, COMPLAINT_TEXT_BYTES_MAX, COMPLAINTS_OPEN_MAX, SAFE_INTEGER_MAX,
    TIME_MAX_SECS,
};
use crate::state::State;
use crate::statement::Signed;
use crate::types::{Hash32, MachineId, RentalId, UnixSecs};
use crate::watch::{self, Watch};
use crate::world::is_running;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is wrong, as the renter sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum ComplaintCode {
    /// No connection to the machine.
    CannotConnect = 1,
    /// It does not let the renter's key in.
    KeyRefused = 2,
    /// Fewer cards than rented, or none that work.
    CardsMissing = 3,
    /// It is there, and too slow to be what was rented.
    TooSlow = 4,
    /// Anything else; the text says what.
    Other = 5,
}

/// "Something is wrong with the machine I rent." Signed by the rental's renter (EIP-712, `surety-client`).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// The rental.
    pub rental: RentalId,
    /// What is wrong.
    pub code: ComplaintCode,
    /// In the renter's words: at most [`COMPLAINT_TEXT_BYTES_MAX`] bytes, no control characters; may be empty.
    pub text: String,
    /// When it was signed, Unix seconds. It serves for [`COMPLAINT_AGE_MAX_SECS`].
    pub issued_at_secs: UnixSecs,
}

/// Why a complaint is none, whoever signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ComplaintError {
    /// Ids and times that cannot be.
    #[error("rental wants an id from 1, issued_at_secs a time in seconds since 1970")]
    Numbers,
    /// Too long.
    #[error("text has more than {COMPLAINT_TEXT_BYTES_MAX} bytes: say it shorter")]
    TooLong,
    /// Unprintable.
    #[error("text holds control characters: want one line of plain text")]
    Unprintable,
}

impl Complaint {
    /// Whether it is within its bounds.
    ///
    /// # Errors
    /// The first bound that does not hold.
    pub fn check(&self) -> Result<(), ComplaintError> {
        let numbers = (1..=SAFE_INTEGER_MAX).contains(&self.rental) && self.issued_at_secs <= TIME_MAX_SECS;
        if !numbers {
            return Err(ComplaintError::Numbers);
        }
        if self.text.len() > COMPLAINT_TEXT_BYTES_MAX {
            return Err(ComplaintError::TooLong);
        }
        if self.text.chars().any(char::is_control) {
            return Err(ComplaintError::Unprintable);
        }
        Ok(())
    }

    /// Up to when it is looked into by who took it at this time, Unix seconds.
    pub fn open_until(&self, taken_at_secs: UnixSecs) -> UnixSecs {
        std::cmp::min(self.issued_at_secs, taken_at_secs).saturating_add(COMPLAINT_OPEN_SECS)
    }

    /// One complaint has one id, whatever signature it comes with (a key can make many): what is known is not taken
    /// twice.
    pub fn id(&self) -> Hash32 {
        let (rental, issued) = (self.rental.to_be_bytes(), self.issued_at_secs.to_be_bytes());
        tagged("surety/complaint", &[&rental, &[self.code as u8], self.text.as_bytes(), &issued])
    }
}

/// A complaint that is being looked into.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Open {
    /// Since when, Unix seconds.
    pub since_secs: UnixSecs,
    /// Up to when, Unix seconds.
    pub until_secs: UnixSecs,
}

impl Open {
    /// A clock that was set back ends it too: looking harder must not last longer than it was meant to.
    fn lasts(&self, now_secs: UnixSecs) -> bool {
        self.since_secs <= now_secs && now_secs < self.until_secs
    }
}

/// At most one for each rental.
pub type Complaints = BTreeMap<RentalId, Open>;

/// A complaint arrived; the adapter has recovered the signer from the signature. Only the renter of a rental that runs
/// is heard, with one complaint at a time, that was made just now.
pub(crate) fn on_complaint(state: &mut State, signed: &Signed<Complaint>) {
    let complaint = &signed.statement;
    let now_secs = state.clock.now_secs();
    let best = &state.world.best;
    let rental = best.rentals.get(&complaint.rental);
    let Some(rental) = rental.filter(|rental| is_running(rental, best.block.timestamp_secs)) else { return };
    let skew_secs = state.config.rules.clock_skew_max_secs;
    let timely = now_secs <= complaint.issued_at_secs.saturating_add(COMPLAINT_AGE_MAX_SECS)
        && complaint.issued_at_secs <= now_secs.saturating_add(skew_secs);
    let full = state.complaints.len() >= COMPLAINTS_OPEN_MAX;
    let known = state.complaints.get(&complaint.rental).is_some_and(|open| open.lasts(now_secs));
    if rental.renter != signed.signer || complaint.check().is_err() || !timely || full || known {
        return;
    }
    let machine = rental.machine;
    state
        .complaints
        .insert(complaint.rental, Open { since_secs: now_secs, until_secs: complaint.open_until(now_secs) });
    watch::poke(state, &machine);
    cards::poke(state, &machine);
}

/// Lets go of complaints whose time is over, or whose rental is.
pub(crate) fn sync(state: &mut State) {
    let State { clock, world, complaints, .. } = state;
    let (best, now_secs) = (&world.best, clock.now_secs());
    complaints.retain(|rental, open| {
        let runs = best.rentals.get(rental).is_some_and(|rental| is_running(rental, best.block.timestamp_secs));
        runs && open.lasts(now_secs)
    });
}

/// Time to the next look while a complaint about this machine's rental is open; `None` when there is none. The suspect
/// pace, but for one longer gap when the question about cards is due: no host is contacted twice within
/// `host_gap_min_ms`, and a look every time it may be contacted would leave no room for the question.
pub(crate) fn pace_ms(state: &State, machine: &MachineId) -> Option<u64> {
    if state.complaints.is_empty() {
        return None;
    }
    let tenancy = state.watches.get(machine).and_then(|watch| watch.tenancy.as_ref())?;
    state.complaints.get(&tenancy.rental)?;
    let (rules, now_ms) = (&state.config.rules, state.clock.now_ms);
    let pace_ms = rules.suspect_every_ms;
    let due = |record: &Watch| record.tenancy.is_some() && record.next_look_ms <= now_ms.saturating_add(pace_ms);
    let asks = state.health.blind.is_none() && state.cards.get(machine).is_some_and(due);
    // The question comes one gap after the look, and a tick or two later; then the host is left alone for another gap.
    let room_ms = if asks { rules.host_gap_min_ms.saturating_mul(2).saturating_add(pace_ms / 2) } else { pace_ms };
    Some(std::cmp::min(room_ms, rules.look_every_ms))
}

#[cfg(test)]
mod tests;
