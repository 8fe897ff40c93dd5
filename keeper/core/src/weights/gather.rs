//! A fleet put together: what the contracts say of every registration, and what this keeper has measured itself.

use super::fleet::{Certified, Fleet, MachineFacts, PastSpoof, SubnetTerms};
use crate::input::Observation;
use crate::state::State;
use crate::types::{Account, Coldkey, Hotkey, Kind, MachineId, Rao, UnixSecs};
use crate::view::{CaseView, NodeView, RentalView};
use crate::world::is_running;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One registration, current or over.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Registered {
    /// The node, with its offer.
    pub node: NodeView,
    /// Whether it is its machine's newest and not retired.
    pub current: bool,
    /// The hotkey it is bound to.
    pub hotkey: Hotkey,
    /// Its owner, of a retired one too.
    pub miner: Account,
    /// The newest statement of a bond elsewhere.
    #[serde(default)]
    pub stated: Option<StatedBond>,
}

/// A bond elsewhere, as a quorum of keepers stated it (SPEC 20).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatedBond {
    /// What it counts for, in rao of TAO.
    pub value_rao: Rao,
    /// When it was so, Unix seconds.
    pub stated_at_secs: UnixSecs,
    /// Nothing of it leaves before, Unix seconds.
    pub until_secs: UnixSecs,
}

/// What the contracts say at one block.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OnChain {
    /// The block's time, Unix seconds.
    pub at_secs: UnixSecs,
    /// Every registration there is.
    pub registered: Vec<Registered>,
    /// Rentals that touch the window, each with its registration.
    pub rentals: Vec<(u32, RentalView)>,
    /// All cases.
    pub cases: Vec<CaseView>,
    /// Bond that one card of a class asks for, in rao. A class that is not here is not on the market.
    pub class_bonds: BTreeMap<u16, Rao>,
}

impl OnChain {
    /// The hotkeys whose owners matter: of machines that are there, and of those that were caught.
    pub fn hotkeys(&self) -> BTreeSet<Hotkey> {
        let spoofs = self.cases.iter().filter(|case| case.kind == Kind::Spoofed);
        let caught: BTreeSet<u32> = spoofs.map(|case| case.registration).collect();
        let matters = |one: &&Registered| one.current || caught.contains(&one.node.registration);
        self.registered.iter().filter(matters).map(|one| one.hotkey).collect()
    }
}

/// What the subnet says, where the chain keeps it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OnSubnet {
    /// Which hotkey sits at which uid.
    pub seats: BTreeMap<Hotkey, u16>,
    /// Whose hotkeys are, at least of [`OnChain::hotkeys`].
    pub coldkeys: BTreeMap<Hotkey, Coldkey>,
    /// What a vector may be.
    pub terms: SubnetTerms,
}

/// What this keeper knows of a machine by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// The registration it knows it of.
    pub registration: u32,
    /// The last measurement that passed.
    pub certified: Option<Certified>,
    /// Parts per million of the last rounds that it passed.
    pub round_share_ppm: Option<u32>,
    /// Cards that its agent says are gone of those rented, as it says now; none where it says nothing like it.
    pub cards_missing: Option<u16>,
}

/// How many registrations there had been at a time: later ones were made after it. Contracts keep no date of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// So many.
    pub registrations: u32,
    /// The last final block seen with no more of them, Unix seconds.
    pub last_secs: UnixSecs,
}

/// What this keeper knows by itself, and the chain does not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct OwnRecord {
    /// By machine.
    pub measured: BTreeMap<MachineId, Measured>,
    /// In any order.
    pub counted: Vec<Counted>,
}

impl OwnRecord {
    /// A time after which a registration was made, the latest known; 0 for one that was there before this keeper
    /// counted any. Never too late: what is said of a machine before its registration is another one's.
    fn since_secs(&self, registration: u32) -> UnixSecs {
        let before = self.counted.iter().filter(|count| count.registrations < registration);
        before.map(|count| count.last_secs).max().unwrap_or(0)
    }
}

/// Everything that a keeper has measured, by machine.
pub fn measured(state: &State) -> BTreeMap<MachineId, Measured> {
    let known = state.capacity.iter().map(|(machine, capacity)| {
        let certified = capacity.passed.map(|passed| Certified {
            gpu_class: passed.gpu_class,
            gpu_count: passed.gpu_count,
            measured_at_secs: passed.at_secs,
        });
        let (registration, round_share_ppm) = (capacity.registration, capacity.rounds.share_ppm());
        let cards_missing = cards_missing(state, machine, registration);
        (*machine, Measured { registration, certified, round_share_ppm, cards_missing })
    });
    known.collect()
}

/// What the newest admission says that a full count has not ended. The machine signed it under this registration, so
/// whether our own side was well meanwhile does not matter here; it accuses nobody.
fn cards_missing(state: &State, machine: &MachineId, registration: u32) -> Option<u16> {
    let record = state.cards.get(machine)?;
    let rental = record.tenancy.as_ref().and_then(|tenancy| state.world.best.rentals.get(&tenancy.rental))?;
    if !is_running(rental, state.world.best.block.timestamp_secs) {
        return None;
    }
    let waiting = record.provisional.iter().rev();
    let confirmed = record.streak.iter().flat_map(|streak| streak.looks().iter().rev());
    let admitted = waiting.chain(confirmed).find(|look| look.fault().is_some())?;
    match &admitted.seen {
        Observation::CardsStated { rented, statement } if statement.registration == registration => {
            let there = u16::try_from(statement.cards.len()).unwrap_or(u16::MAX);
            Some(rented.saturating_sub(there))
        }
        _ => None,
    }
}

/// The fleet. What was measured of another registration than the current one is not this one's.
pub fn gather(chain: &OnChain, own: &OwnRecord, subnet: OnSubnet) -> Fleet {
    let mut rentals: BTreeMap<u32, Vec<RentalView>> = BTreeMap::new();
    for (registration, rental) in &chain.rentals {
        rentals.entry(*registration).or_default().push(rental.clone());
    }
    let mut cases: BTreeMap<u32, Vec<CaseView>> = BTreeMap::new();
    for case in &chain.cases {
        cases.entry(case.registration).or_default().push(case.clone());
    }
    let (mut machines, mut past_spoofs) = (Vec::new(), Vec::new());
    for one in &chain.registered {
        let of_it = cases.remove(&one.node.registration).unwrap_or_default();
        if !one.current {
            let spoofs = of_it.into_iter().filter(|case| case.kind == Kind::Spoofed);
            past_spoofs.extend(spoofs.map(|case| PastSpoof { hotkey: one.hotkey, miner: one.miner, case }));
            continue;
        }
        let rentals = rentals.remove(&one.node.registration).unwrap_or_default();
        let known = own.measured.get(&one.node.machine).filter(|known| known.registration == one.node.registration);
        let since_secs = own.since_secs(one.node.registration);
        let stated = stated_rao(one.stated, &of_it, chain.at_secs);
        let mut facts = facts(one, (rentals, of_it), known, &chain.class_bonds);
        facts.bonded_rao = facts.bonded_rao.saturating_add(stated);
        machines.push(MachineFacts { since_secs, ..facts });
    }
    let OnSubnet { seats, coldkeys, terms } = subnet;
    Fleet { at_secs: chain.at_secs, subnet: terms, seats, machines, past_spoofs, coldkeys }
}

/// What a quorum stated counts for as long as it cannot have left, and no case that takes bond was filed since.
fn stated_rao(stated: Option<StatedBond>, cases: &[CaseView], at_secs: UnixSecs) -> Rao {
    let taken_since = |stated: &StatedBond| {
        let since = cases.iter().filter(|case| case.filed_at_secs >= stated.stated_at_secs);
        since.into_iter().any(|case| case.kind != Kind::Interrupted)
    };
    let counts = |stated: &StatedBond| at_secs < stated.until_secs && !taken_since(stated);
    stated.filter(counts).map_or(0, |stated| stated.value_rao)
}

fn facts(
    one: &Registered,
    (rentals, cases): (Vec<RentalView>, Vec<CaseView>),
    known: Option<&Measured>,
    bonds: &BTreeMap<u16, Rao>,
) -> MachineFacts {
    let node = one.node;
    let bonded_rao = node.free_rao.saturating_add(node.reserved_rao).saturating_add(node.held_rao);
    MachineFacts {
        machine: node.machine,
        registration: node.registration,
        since_secs: 0,
        hotkey: one.hotkey,
        miner: one.miner,
        bonded_rao,
        required_bond_rao: required_rao(&node, &rentals, bonds),
        offer: node.offer,
        certified: known.and_then(|known| known.certified),
        round_share_ppm: known.and_then(|known| known.round_share_ppm),
        rentals,
        cases,
        cards_missing: known.and_then(|known| known.cards_missing),
    }
}

/// Bond for what it offers or was last rented as, whichever asks for more: the offer can be changed while it is rented.
/// 0, which backs nothing, where neither is known or one of them is of a class without a bond.
fn required_rao(node: &NodeView, rentals: &[RentalView], bonds: &BTreeMap<u16, Rao>) -> Rao {
    let offered = node.offer.map(|offer| (offer.gpu_class, offer.gpu_count));
    let rented = rentals.iter().max_by_key(|rental| rental.id).map(|rental| (rental.gpu_class, rental.gpu_count));
    let asked = [offered, rented].into_iter().flatten();
    let each = asked.map(|(class, count)| bonds.get(&class).map(|bond| bond.saturating_mul(count.into())));
    each.collect::<Option<Vec<Rao>>>().and_then(|asked| asked.into_iter().max()).unwrap_or(0)
}
