//! `VotingPowerKeepers` in the small chain: one account's seat, by SPEC's KT1 to KT3.

use crate::sim::{UNIX0, account, ssh_key};
use surety_core::effect::Intent;
use surety_core::seat::{Claim, Contact, Seat, SeatRules, SeatView, Standing};
use surety_core::types::Hash32;

/// A set with seats that last so long; this keeper was never in it.
pub(crate) fn set(check_in_secs: u64) -> SeatView {
    SeatView { set: account("keepers"), check_in_secs, contact: None, seat: None, tracked: true, claim: None }
}

/// What an operator configures there.
pub(crate) fn rules() -> SeatRules {
    let contact = Some(Contact { ssh_key: ssh_key("me"), url: "http://me.example".to_owned() });
    SeatRules { contact, ..SeatRules::default() }
}

pub(crate) fn claim(uid: u16, hotkey: u8, power_rao: u64) -> Claim {
    Claim { uid, hotkey: Hash32([hotkey; 32]), power_rao }
}

/// A join or check-in at a block's time.
pub(crate) fn perform(view: &mut SeatView, intent: &Intent, now_secs: u64) -> Result<(), String> {
    let standing = view.standing(now_secs);
    let claim = view.claim.ok_or("VotingPowerKeepers_NotAssociated")?;
    match intent {
        Intent::Join { .. } if view.seat.is_some() => return Err("VotingPowerKeepers_AlreadySeated".to_owned()),
        Intent::Join { .. } if !view.tracked => return Err("VotingPowerKeepers_NotTracked".to_owned()),
        Intent::Join { ssh_key, url, .. } => view.contact = Some(Contact { ssh_key: *ssh_key, url: url.clone() }),
        _ if view.contact.is_none() => return Err("VotingPowerKeepers_NotAKeeper".to_owned()),
        _ => {}
    }
    if view.tracked && claim.power_rao == 0 {
        return Err("VotingPowerKeepers_NoPower".to_owned());
    }
    if !view.tracked && standing != Standing::Active {
        return Err("VotingPowerKeepers_NotTracked".to_owned());
    }
    let moved = view.seat.is_some_and(|seat| seat.hotkey != claim.hotkey);
    if !view.tracked && moved {
        return Err("VotingPowerKeepers_HotkeyMoved".to_owned());
    }
    let weight_rao = if view.tracked { claim.power_rao } else { view.seat.map_or(0, |seat| seat.weight_rao) };
    let active_until_secs = now_secs + view.check_in_secs;
    view.seat = Some(Seat { weight_rao, active_until_secs, uid: claim.uid, hotkey: claim.hotkey });
    Ok(())
}

/// In a few words, in seconds of the world.
pub(crate) fn summary(view: &SeatView, now_secs: u64) -> String {
    let until = view.seat.map_or("no seat".to_owned(), |seat| format!("until {}", seat.active_until_secs - UNIX0));
    format!("; {} {until}", view.standing(now_secs).word())
}
