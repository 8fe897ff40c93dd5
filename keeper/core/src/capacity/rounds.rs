//! Rounds: machines of one class, measured at one moment that none of them can know beforehand.
//!
//! A card that stands behind two listings, of one owner or of two, proves each of them if it may do so one after the
//! other. In a round it would have to do the work of both in the time of one. So what is measured by lot is not one
//! machine but its class: all that are idle, or as many as a round can hold, chosen anew each time. Two listings of one
//! card come into the same round sooner or later; the one that is late, or says that it is busy, has to pass one
//! together with those that passed this one (`debts.rs`).

use super::{ask, contact, debts, may_be_measured};
use crate::effect::{Effect, Round};
use crate::ids::{scatter, tagged};
use crate::limits::{ROUND_MAX, ROUND_PER_ADDRESS_MAX};
use crate::state::State;
use crate::types::{Hash32, MachineId};
use crate::view::{NodeView, OfferView};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// So many times as often where a machine owes a round with others: it was busy with another keeper, most likely, and
/// has no certificate before.
const SOONER_WHERE_OWED: u64 = 4;

/// One draw a minute for each class, with the newest block's hash in the hat: machines learn the time when it comes.
/// The hash is what nobody can choose; for any class every hat is as likely to say yes as another.
pub(super) fn draw(state: &mut State, minute: u64, idle: &[(NodeView, OfferView)], effects: &mut Vec<Effect>) {
    let hat = hat(state, minute);
    let classes: BTreeSet<u16> = idle.iter().map(|(_, offer)| offer.gpu_class).collect();
    for class in classes {
        let of_class = || idle.iter().filter(|(_, offer)| offer.gpu_class == class);
        let debtors = of_class().map(|(node, _)| node.machine);
        let debtors = debtors.filter(|machine| may_be_measured(state, *machine) && debts::is_debtor(state, *machine));
        let debtor = debtors.min_by_key(|machine| scatter(&[&hat.0, &machine.0], u64::MAX));
        let sooner = if debtor.is_some() { SOONER_WHERE_OWED } else { 1 };
        let mean_mins = state.config.rules.random_measure_mean_mins / sooner;
        if scatter(&[&hat.0, &class.to_be_bytes()], mean_mins.saturating_sub(1)) == 0 {
            begin(state, &hat, (class, debtor), of_class().copied().collect(), effects);
        }
    }
}

fn begin(
    state: &mut State,
    hat: &Hash32,
    (class, debtor): (u16, Option<MachineId>),
    mut of_class: Vec<(NodeView, OfferView)>,
    effects: &mut Vec<Effect>,
) {
    of_class.retain(|(node, _)| may_be_measured(state, node.machine));
    // Who comes in where there are too many, and whom the bounds on contacts leave out, is left to the hat as well, but
    // for half of the places: those are for one that owes, and for some that it owes.
    of_class.sort_by_cached_key(|(node, _)| scatter(&[&hat.0, &node.machine.0], u64::MAX));
    let owed = debtor.map(|debtor| debts::left(state, debtor, None)).unwrap_or_default();
    let first: BTreeSet<MachineId> = of_class
        .iter()
        .map(|(node, _)| node.machine)
        .filter(|one| owed.contains(one))
        .take(ROUND_MAX / 2 - 1)
        .chain(debtor)
        .collect();
    of_class.sort_by_key(|(node, _)| !first.contains(&node.machine));
    // Two machines at one endpoint cannot be looked at at once: only one of them is there.
    let mut endpoints = BTreeSet::new();
    let (mut of_class, doubled): (Vec<_>, Vec<_>) =
        of_class.into_iter().partition(|(node, _)| node.endpoint.is_none_or(|endpoint| endpoints.insert(endpoint)));
    let mut at_address: BTreeMap<IpAddr, u32> = BTreeMap::new();
    of_class.retain(|(node, _)| {
        let here = node.endpoint.map(|endpoint| at_address.entry(endpoint.ip).or_default());
        here.is_some_and(|here| {
            *here += 1;
            *here <= ROUND_PER_ADDRESS_MAX
        })
    });
    of_class.truncate(ROUND_MAX);
    of_class.retain(|(node, _)| contact(state, node));
    let id = tagged("surety/round", &[&hat.0, &class.to_be_bytes()]);
    let members = u32::try_from(of_class.len()).unwrap_or(u32::MAX);
    let round = (members > 1 || members == 1 && !doubled.is_empty()).then_some(Round { id, members });
    for (node, offer) in of_class {
        ask(state, &node, &offer, round, effects);
    }
    for (node, _) in doubled {
        debts::note(state, round.map(|round| round.id), node.machine, false);
    }
}

fn hat(state: &State, minute: u64) -> Hash32 {
    tagged("surety/draw", &[&state.world.best.block.hash.0, &state.config.me.0, &minute.to_be_bytes()])
}
