//! Keeping this keeper's own seat among `VotingPowerKeepers` (`contracts/SPEC.md` section 18): joining, checking in
//! before the seat falls silent, coming back after it did. Where an owner appoints the keepers there is none to keep.
//!
//! Nothing is sent that the contract would refuse at the block read: what stands in the way is told to the operator
//! while there is still time. Silent others are not expired: their weight can only raise the bar, and whoever needs it
//! gone may call `expire` in one transaction.

use crate::court::backoff_secs;
use crate::effect::{Effect, EffectId, Intent};
use crate::health::Blind;
use crate::ids::effect_id;
use crate::input::{TxOutcome, TxResult};
use crate::limits::clip_text;
use crate::state::State;
use crate::types::{Account, Hash32, Rao, SshKey, UnixSecs};
use serde::{Deserialize, Serialize};
use std::cmp::{max, min};

/// Longest wait between two attempts, seconds: with the shortest check-in there is, an hour, that is one more in time.
const RETRY_MAX_SECS: u64 = 1_200;

/// Share of `checkInSecs` before the end of a seat at which it is prolonged, per cent, that may be configured.
pub const LEAD_PERCENT_BOUNDS: std::ops::RangeInclusive<u64> = 10..=80;

/// What the operator wants done about the seat.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatRules {
    /// Whether this keeper joins and checks in by itself.
    pub enabled: bool,
    /// Time left, as a share of `checkInSecs`, at which it checks in: 33 leaves eight hours of a day for trouble.
    pub lead_percent: u64,
    /// How others reach it; without it this keeper does not join.
    pub contact: Option<Contact>,
}

impl Default for SeatRules {
    fn default() -> Self {
        Self { enabled: true, lead_percent: 33, contact: None }
    }
}

impl SeatRules {
    /// Whether nothing was configured: states of before there was anything to configure have the same bytes then.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How a keeper is reached.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Contact {
    /// The key it opens SSH sessions with.
    pub ssh_key: SshKey,
    /// Base URL of its HTTP API.
    pub url: String,
}

/// What `VotingPowerKeepers` and the chain say about one account, at one block.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SeatView {
    /// The set.
    pub set: Account,
    /// Its `CHECK_IN_SECS`.
    pub check_in_secs: u64,
    /// As it is recorded, seated or not; `None`: it never joined, or left.
    pub contact: Option<Contact>,
    /// The seat, if it has one.
    pub seat: Option<Seat>,
    /// Whether the chain keeps voting power up to date on the subnet (precompile 0x80d).
    pub tracked: bool,
    /// The hotkey that the chain associates with the account, if any.
    pub claim: Option<Claim>,
}

/// A seat as recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seat {
    /// Voting power in rao when last written down.
    pub weight_rao: Rao,
    /// Last second at which it is active.
    pub active_until_secs: UnixSecs,
    /// Where the hotkey was found at the last check-in.
    pub uid: u16,
    /// The validator it stands for.
    pub hotkey: Hash32,
}

/// What gives an account a right to a seat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claim {
    /// The uid whose associated address the account is.
    pub uid: u16,
    /// The hotkey there.
    pub hotkey: Hash32,
    /// Its voting power now, rao.
    pub power_rao: Rao,
}

/// Where an account stands with the set (SPEC's K1 to K4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// K1: it never joined, or left.
    Unknown,
    /// K2: it counts.
    Active,
    /// K3: seated, and its time is over: it signs nothing.
    Silent,
    /// K4: unseated; a check-in brings it back.
    Unseated,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Active, Self::Silent, Self::Unseated];

    /// One word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Active => "active",
            Self::Silent => "silent",
            Self::Unseated => "unseated",
        }
    }
}

impl SeatView {
    /// Where the account stands at this time.
    pub fn standing(&self, now_secs: UnixSecs) -> Standing {
        match (&self.seat, &self.contact) {
            (Some(seat), _) if now_secs <= seat.active_until_secs => Standing::Active,
            (Some(_), _) => Standing::Silent,
            (None, Some(_)) => Standing::Unseated,
            (None, None) => Standing::Unknown,
        }
    }

    /// Last second at which it is active, 0 without a seat.
    pub fn active_until_secs(&self) -> UnixSecs {
        self.seat.map_or(0, |seat| seat.active_until_secs)
    }
}

/// Why the set would refuse, or the seat does not last: what only an operator can mend.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The chain associates no hotkey of the subnet with this account.
    NotAssociated,
    /// It associates one that has no voting power.
    NoPower,
    /// Tracking is off and this keeper is not active: nobody comes in before it is on again.
    TrackingOff,
    /// Tracking is off, and the chain associates another hotkey than the one on record.
    HotkeyMoved,
    /// There is no URL to join with.
    NoContact,
    /// The operator has switched it off.
    SwitchedOff,
}

impl Trouble {
    /// One sentence: what is wrong and what to do.
    pub const fn message(self) -> &'static str {
        match self {
            Self::NotAssociated => {
                "the chain associates no hotkey of the subnet with this keeper's account: have the hotkey sign \
                 associate_evm_key for it"
            }
            Self::NoPower => {
                "the hotkey associated with this keeper's account has no voting power: it needs stake and a permit"
            }
            Self::TrackingOff => {
                "the subnet does not track voting power, so nobody takes a seat: ask its owner to switch it on"
            }
            Self::HotkeyMoved => {
                "tracking is off, and the chain associates another hotkey than the seat's: associate the old one again"
            }
            Self::NoContact => {
                "this keeper has never joined and seat.url is not set: set it to the base URL of this keeper's API"
            }
            Self::SwitchedOff => "seat.enabled is false: call checkIn yourself, or switch it on",
        }
    }
}

/// What is to be done at a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Nothing now.
    Rest,
    /// Take a seat for the first time, for the hotkey at this uid.
    Join {
        /// The uid.
        uid: u16,
    },
    /// Keep the seat, or take it again.
    CheckIn {
        /// The uid.
        uid: u16,
    },
}

/// What is to be done about a seat at a block's time, and what stands in the way now or the next time.
pub fn weigh(view: &SeatView, rules: &SeatRules, now_secs: UnixSecs) -> (Deed, Option<Trouble>) {
    let (deed, trouble) = match allowed(view, rules, now_secs) {
        Ok(deed) => (deed, None),
        Err(trouble) => (Deed::Rest, Some(trouble)),
    };
    if is_due(view, rules, now_secs) { (deed, trouble) } else { (Deed::Rest, trouble) }
}

/// Time left at which a seat is prolonged.
fn lead_secs(view: &SeatView, rules: &SeatRules) -> u64 {
    view.check_in_secs.saturating_mul(rules.lead_percent) / 100
}

/// Whether it is time: the seat ends soon or has ended, there is none, or it stands for a hotkey that lost its power to
/// another (`swap_hotkey`).
fn is_due(view: &SeatView, rules: &SeatRules, now_secs: UnixSecs) -> bool {
    let Some(seat) = view.seat else { return true };
    let left_secs = seat.active_until_secs.saturating_sub(now_secs);
    let moved = view.tracked && view.claim.is_some_and(|claim| claim.hotkey != seat.hotkey);
    left_secs <= lead_secs(view, rules) || moved
}

/// What the contract would take now, by SPEC's KT1 to KT3.
fn allowed(view: &SeatView, rules: &SeatRules, now_secs: UnixSecs) -> Result<Deed, Trouble> {
    let claim = view.claim.ok_or(Trouble::NotAssociated)?;
    let standing = view.standing(now_secs);
    if view.tracked && claim.power_rao == 0 {
        return Err(Trouble::NoPower);
    }
    if !view.tracked && standing != Standing::Active {
        return Err(Trouble::TrackingOff);
    }
    if !view.tracked && view.seat.is_some_and(|seat| seat.hotkey != claim.hotkey) {
        return Err(Trouble::HotkeyMoved);
    }
    if !rules.enabled {
        return Err(Trouble::SwitchedOff);
    }
    match standing {
        Standing::Unknown if rules.contact.is_none() => Err(Trouble::NoContact),
        Standing::Unknown => Ok(Deed::Join { uid: claim.uid }),
        _ => Ok(Deed::CheckIn { uid: claim.uid }),
    }
}

/// What this keeper does about its seat.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SeatWork {
    /// The transaction under way.
    pub in_flight: Option<EffectId>,
    /// Transactions so far.
    pub attempts: u64,
    /// Failures since the last success.
    pub failures: u32,
    /// Not before this time again.
    pub retry_at_secs: UnixSecs,
    /// What the operator was told.
    pub told: Option<Trouble>,
    /// End of the seat that the operator was told will lapse.
    pub told_lapse_secs: UnixSecs,
    /// End of the seat as last seen; 0 while there was none.
    pub held_until_secs: UnixSecs,
    /// Alerts so far.
    pub alerts: u64,
}

impl SeatWork {
    /// Whether nothing ever happened.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn alert(&mut self, message: String, effects: &mut Vec<Effect>) {
        self.alerts = self.alerts.saturating_add(1);
        let id = effect_id("alert/seat", &[&self.alerts.to_be_bytes()]);
        effects.push(Effect::Alert { id, message });
    }
}

/// Submits what keeps the seat, one transaction at a time, and says what endangers it. Like paying out, this needs no
/// eyes, only a known chain.
pub(crate) fn keep(state: &mut State, effects: &mut Vec<Effect>) {
    let Some(view) = state.world.best.seat.clone() else { return };
    if matches!(state.health.blind, Some(Blind::Rpc | Blind::NoChain | Blind::Starting)) {
        return;
    }
    let now_secs = state.world.best.block.timestamp_secs;
    let (deed, trouble) = weigh(&view, &state.config.seat, now_secs);
    warn(state, &view, trouble, effects);
    let waits = state.seat.in_flight.is_some() || state.clock.now_secs() < state.seat.retry_at_secs;
    let Some(intent) = intent(state, &view, deed).filter(|_| !waits) else { return };
    let work = &mut state.seat;
    work.attempts = work.attempts.saturating_add(1);
    let period = view.active_until_secs().to_be_bytes();
    let id = effect_id("seat", &[&period, &work.attempts.to_be_bytes()]);
    work.in_flight = Some(id);
    effects.push(Effect::Submit { id, intent });
}

fn intent(state: &State, view: &SeatView, deed: Deed) -> Option<Intent> {
    let set = view.set;
    // Finality may still show a seat that the newest block has not any more: its end must not look like ours.
    let at_finality = state.world.finalized.seat.as_ref().map_or(0, SeatView::active_until_secs);
    let past_secs = max(view.active_until_secs(), at_finality);
    match deed {
        Deed::Rest => None,
        Deed::Join { uid } => {
            let Contact { ssh_key, url } = state.config.seat.contact.clone()?;
            Some(Intent::Join { set, uid, ssh_key, url, past_secs })
        }
        Deed::CheckIn { uid } => Some(Intent::CheckIn { set, uid, past_secs }),
    }
}

/// Says what endangers the seat, once for each.
fn warn(state: &mut State, view: &SeatView, trouble: Option<Trouble>, effects: &mut Vec<Effect>) {
    let now_secs = state.world.best.block.timestamp_secs;
    let half_lead_secs = lead_secs(view, &state.config.seat) / 2;
    let work = &mut state.seat;
    if let Some(trouble) = trouble.filter(|trouble| work.told != Some(*trouble)) {
        work.alert(format!("this keeper's seat is in danger: {}", trouble.message()), effects);
    }
    work.told = trouble;
    let until_secs = view.active_until_secs();
    let lost_secs = std::mem::replace(&mut work.held_until_secs, until_secs);
    if until_secs == 0 && lost_secs != 0 {
        let why = "another account of the same hotkey, a heavier keeper, or somebody who called expire";
        work.alert(format!("this keeper has lost its seat, which lasted until {lost_secs}: {why}"), effects);
    }
    let lapses = until_secs != 0 && until_secs.saturating_sub(now_secs) < half_lead_secs;
    if lapses && work.told_lapse_secs != until_secs {
        work.told_lapse_secs = until_secs;
        let what = "and no check-in is on chain yet: look at this account's gas and at the transaction lane";
        work.alert(
            format!("this keeper's seat ends at {until_secs}, in {} s, {what}", until_secs.saturating_sub(now_secs)),
            effects,
        );
    }
}

/// A transaction about the seat reached its end.
pub(crate) fn on_tx(state: &mut State, result: &TxResult, effects: &mut Vec<Effect>) {
    let now_secs = state.clock.now_secs();
    let work = &mut state.seat;
    if work.in_flight != Some(result.id) {
        return;
    }
    work.in_flight = None;
    match &result.outcome {
        TxOutcome::Settled => work.failures = 0,
        TxOutcome::Failed { why } => {
            let wait_secs = min(backoff_secs(state.config.rules.submit_retry_secs, work.failures), RETRY_MAX_SECS);
            work.retry_at_secs = now_secs.saturating_add(wait_secs);
            work.failures = work.failures.saturating_add(1);
            work.alert(format!("taking or keeping the seat failed: {}; it is tried again", clip_text(why)), effects);
        }
    }
}

#[cfg(test)]
mod tests;
