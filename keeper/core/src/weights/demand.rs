//! How much a class is wanted: the share of its time in which it was rented, as others than the owner in question show
//! it.
//!
//! An owner's own machines say nothing about the demand for them: renting from oneself costs gas and no more. So each
//! owner's factor is made from the other owners' machines, each of whom counts for a bounded number of cards, together
//! with some cards of nobody. Somebody with two names can still raise one by renting the other's machines; the bounds
//! of the factor are what that can bring.

use super::fleet::MachineFacts;
use super::owners::Owner;
use super::ppm::{ONE_PPM, between, scaled, share_ppm};
use super::record::use_secs;
use super::rules::WeightRules;
use super::standing::Standing;
use crate::types::UnixSecs;
use std::collections::BTreeMap;

/// Card-seconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Use {
    /// In which cards were rented.
    pub(super) rented: u64,
    /// In which they could have been.
    pub(super) offered: u64,
}

impl Use {
    fn add(&mut self, other: Self) {
        self.rented = self.rented.saturating_add(other.rented);
        self.offered = self.offered.saturating_add(other.offered);
    }

    fn less(self, part: Self) -> Self {
        let rented = self.rented.saturating_sub(part.rented);
        Self { rented, offered: self.offered.saturating_sub(part.offered) }
    }

    /// The same share of use, of no more card-seconds than these.
    fn at_most(self, offered: u64) -> Self {
        if self.offered <= offered {
            return self;
        }
        Self { rented: scaled(offered, self.rented, self.offered), offered }
    }
}

/// Use of one class.
#[derive(Default)]
struct Class {
    of_owner: BTreeMap<Owner, Use>,
    all: Use,
    machines: u64,
}

/// Use of each class, by owner.
#[derive(Default)]
pub(super) struct Market {
    classes: BTreeMap<u16, Class>,
}

impl Market {
    /// Counts a machine that stands for something. What earns nothing says nothing either: to sway a class's demand
    /// takes cards that were measured, and bond behind them.
    pub(super) fn note(&mut self, facts: &MachineFacts, standing: &Standing, at_secs: UnixSecs, rules: &WeightRules) {
        let Some(promise) = standing.promise.filter(|_| standing.none.is_empty()) else { return };
        let (rented_secs, offered_secs) = use_secs(facts, promise.gpu_class, at_secs, rules);
        let cards = u64::from(standing.cards);
        let used = Use { rented: rented_secs.saturating_mul(cards), offered: offered_secs.saturating_mul(cards) };
        let class = self.classes.entry(promise.gpu_class).or_default();
        class.of_owner.entry(standing.owner).or_default().add(used);
        class.machines = class.machines.saturating_add(1);
    }

    /// When all machines are noted: no owner counts for more than so many cards.
    pub(super) fn close(&mut self, rules: &WeightRules) {
        let most = u64::from(rules.demand_owner_cards_max).saturating_mul(rules.demand_window_secs);
        for class in self.classes.values_mut() {
            for used in class.of_owner.values_mut() {
                *used = used.at_most(most);
                class.all.add(*used);
            }
        }
    }

    /// Machines of a class that stand for something.
    pub(super) fn machines(&self, gpu_class: u16) -> u64 {
        self.classes.get(&gpu_class).map_or(0, |class| class.machines)
    }

    /// Use of a class by others than this owner, cards of nobody among them.
    pub(super) fn others(&self, gpu_class: u16, owner: Owner, rules: &WeightRules) -> Use {
        let offered = u64::from(rules.demand_prior_cards).saturating_mul(rules.demand_window_secs);
        let rented = scaled(offered, rules.demand_prior_ppm.into(), ONE_PPM);
        let mut used = Use { rented, offered };
        if let Some(class) = self.classes.get(&gpu_class) {
            let own = class.of_owner.get(&owner).copied().unwrap_or_default();
            used.add(class.all.less(own));
        }
        used
    }
}

/// What a class used so much is worth, parts per million.
pub(super) fn factor_ppm(used: Use, rules: &WeightRules) -> u64 {
    let share_ppm = share_ppm(used.rented, used.offered, rules.demand_prior_ppm.into());
    between(rules.demand_min_ppm.into(), rules.demand_max_ppm.into(), share_ppm)
}
