//! Every number that weights depend on, in one place, with bounds. None of them accuses anybody: who is at fault is
//! judged by [`crate::rules`] and the contracts; here it is only counted.

use super::ppm::ONE_PPM;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

const DAY_SECS: u64 = 86_400;

/// Whose points machines are weighed by. Named by whose formula it is, since both give points and both are public.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemeName {
    /// This project's own: points of a class, times cards. Nothing in it that was not proven.
    #[default]
    Surety,
    /// Subnet 27's published formula over soft figures, made for each machine. Processors, memory and disk in it are
    /// measured on a machine that nobody trusts, so it can be gamed where the other cannot; it is for a subnet whose
    /// miners were promised it.
    Sn27,
}

/// The numbers. All are the validator's own choice; validators that choose alike agree.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WeightRules {
    /// Whose points: `surety` or `sn27`.
    pub scheme: SchemeName,
    /// How far back rentals and cases count, in seconds (30 days). Shorter, and a bad week is forgotten while its
    /// renters still wait for their money; longer, and a machine that was repaired pays for years.
    pub window_secs: u64,
    /// How old the certificate of an idle machine may be, in seconds (a day: what the contracts take).
    pub certificate_life_secs: u64,
    /// How long after a tenant the certificate from before still serves, in seconds (an hour: keepers report a machine
    /// that they could not measure for so long).
    pub remeasure_grace_secs: u64,
    /// Age from which the certificate of a rented machine counts less, in seconds (7 days: most tenants have gone by
    /// then, and it was measured again).
    pub stale_from_secs: u64,
    /// Age at which it has lost all that it can lose, in seconds (30 days). Between the two it falls along a line.
    pub stale_at_secs: u64,
    /// What is left of it then, parts per million (a half): the machine still answers from outside, and what its cards
    /// are was not seen for a month.
    pub stale_ppm: u32,
    /// What a machine counts that was in no round yet, parts per million (a half: two listings of one card are then
    /// worth one card). One that is alone in its class counts in full.
    pub newcomer_rounds_ppm: u32,
    /// Promised seconds that everybody begins with (a day): one bad minute of a first hour is nothing.
    pub prior_promised_secs: u64,
    /// Share of them that counts as served, parts per million (99 %: better than a day out in a month).
    pub prior_served_ppm: u32,
    /// Share of promised seconds served at which nothing is paid, parts per million (80 %: nobody rents that). From
    /// there to everything served it is a line, so a percent out costs five.
    pub reliability_floor_ppm: u32,
    /// What is left after each case that ended a rental, parts per million (three quarters). Such a case shortens the
    /// rental, so its seconds alone say little about it.
    pub case_ppm: u32,
    /// The least that is left, however many cases, parts per million (a quarter): reliability does the rest.
    pub cases_floor_ppm: u32,
    /// How far back use counts, in seconds (7 days: every day of the week once).
    pub demand_window_secs: u64,
    /// Factor of a class that nobody rents, parts per million (a half).
    pub demand_min_ppm: u32,
    /// Factor of a class that is always rented, parts per million (one and a half). The bounds are what feigned demand
    /// can bring at most.
    pub demand_max_ppm: u32,
    /// Cards of nobody that are in every class (64, as many as one owner's use counts for): a class with few others in
    /// it says little about demand, and a single other owner moves the factor by a quarter at most.
    pub demand_prior_cards: u32,
    /// How much of the time those are rented, parts per million (a half: the middle of the line).
    pub demand_prior_ppm: u32,
    /// Cards of one class that one owner's use counts for at most (64): the largest fleet is not the market.
    pub demand_owner_cards_max: u32,
    /// Prices above which an idle machine earns nothing. None by default: only a validator can know the market.
    pub price_caps: Vec<PriceCap>,
    /// Share of everything that goes to `burn_uid`, parts per million (0: what the subnet burns is its own choice).
    pub burn_ppm: u32,
    /// Who gets that share, and everything where nobody earned anything. What the subnet's owner gets is burned.
    pub burn_uid: Option<u16>,
}

/// The most that an idle card of a class may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceCap {
    /// The class.
    pub gpu_class: u16,
    /// Rao per second and card.
    pub rao_per_card_sec: u64,
}

impl Default for WeightRules {
    fn default() -> Self {
        Self {
            scheme: SchemeName::Surety,
            window_secs: 30 * DAY_SECS,
            certificate_life_secs: DAY_SECS,
            remeasure_grace_secs: 3_600,
            stale_from_secs: 7 * DAY_SECS,
            stale_at_secs: 30 * DAY_SECS,
            stale_ppm: 500_000,
            newcomer_rounds_ppm: 500_000,
            prior_promised_secs: DAY_SECS,
            prior_served_ppm: 990_000,
            reliability_floor_ppm: 800_000,
            case_ppm: 750_000,
            cases_floor_ppm: 250_000,
            demand_window_secs: 7 * DAY_SECS,
            demand_min_ppm: 500_000,
            demand_max_ppm: 1_500_000,
            demand_prior_cards: 64,
            demand_prior_ppm: 500_000,
            demand_owner_cards_max: 64,
            price_caps: Vec::new(),
            burn_ppm: 0,
            burn_uid: None,
        }
    }
}

/// Why a set of rules is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeightRulesError {
    /// A number outside its bounds.
    #[error("weights.{name} is {value}, expected {min}..={max}")]
    OutOfBounds {
        /// Field.
        name: &'static str,
        /// Its value.
        value: u64,
        /// Least allowed.
        min: u64,
        /// Most allowed.
        max: u64,
    },
    /// Two numbers that contradict each other.
    #[error("weights.{low} must not be more than weights.{high}")]
    Order {
        /// The one that must not be more.
        low: &'static str,
        /// Than this one.
        high: &'static str,
    },
    /// A share to burn, and nobody to give it to.
    #[error("weights.burn_ppm is {burn_ppm}, but weights.burn_uid is not set: name the uid that takes it")]
    BurnWithoutUid {
        /// The share.
        burn_ppm: u32,
    },
    /// Two prices for one class.
    #[error("weights.price_caps names class {gpu_class} twice: leave one of them out")]
    CapTwice {
        /// The class.
        gpu_class: u16,
    },
}

/// Field, value, least, most.
type Bound = (&'static str, u64, u64, u64);

impl WeightRules {
    /// Checks every bound and relation.
    ///
    /// # Errors
    /// The first bound or relation that does not hold.
    pub fn check(&self) -> Result<(), WeightRulesError> {
        for (name, value, min, max) in self.bounds() {
            if value < min || value > max {
                return Err(WeightRulesError::OutOfBounds { name, value, min, max });
            }
        }
        for (low, low_value, high, high_value) in self.orders() {
            if low_value > high_value {
                return Err(WeightRulesError::Order { low, high });
            }
        }
        if self.burn_ppm > 0 && self.burn_uid.is_none() {
            return Err(WeightRulesError::BurnWithoutUid { burn_ppm: self.burn_ppm });
        }
        let mut capped = BTreeSet::new();
        match self.price_caps.iter().find(|cap| !capped.insert(cap.gpu_class)) {
            Some(twice) => Err(WeightRulesError::CapTwice { gpu_class: twice.gpu_class }),
            None => Ok(()),
        }
    }

    fn bounds(&self) -> [Bound; 18] {
        [
            ("window_secs", self.window_secs, DAY_SECS, 366 * DAY_SECS),
            ("certificate_life_secs", self.certificate_life_secs, 3_600, 7 * DAY_SECS),
            ("remeasure_grace_secs", self.remeasure_grace_secs, 0, DAY_SECS),
            ("stale_from_secs", self.stale_from_secs, 3_600, 366 * DAY_SECS),
            ("stale_at_secs", self.stale_at_secs, 3_600, 366 * DAY_SECS),
            ("stale_ppm", self.stale_ppm.into(), 0, ONE_PPM),
            ("newcomer_rounds_ppm", self.newcomer_rounds_ppm.into(), 0, ONE_PPM),
            ("prior_promised_secs", self.prior_promised_secs, 3_600, 30 * DAY_SECS),
            ("prior_served_ppm", self.prior_served_ppm.into(), 0, ONE_PPM),
            ("reliability_floor_ppm", self.reliability_floor_ppm.into(), 0, ONE_PPM - 1),
            ("case_ppm", self.case_ppm.into(), 0, ONE_PPM),
            ("cases_floor_ppm", self.cases_floor_ppm.into(), 0, ONE_PPM),
            ("demand_window_secs", self.demand_window_secs, 3_600, 90 * DAY_SECS),
            ("demand_max_ppm", self.demand_max_ppm.into(), 0, 3 * ONE_PPM),
            ("demand_prior_cards", self.demand_prior_cards.into(), 1, 1_000_000),
            ("demand_prior_ppm", self.demand_prior_ppm.into(), 0, ONE_PPM),
            ("demand_owner_cards_max", self.demand_owner_cards_max.into(), 1, 1_000_000),
            ("burn_ppm", self.burn_ppm.into(), 0, ONE_PPM),
        ]
    }

    fn orders(&self) -> [(&'static str, u64, &'static str, u64); 5] {
        [
            ("certificate_life_secs", self.certificate_life_secs, "stale_from_secs", self.stale_from_secs),
            ("stale_from_secs", self.stale_from_secs, "stale_at_secs", self.stale_at_secs),
            ("demand_window_secs", self.demand_window_secs, "window_secs", self.window_secs),
            ("demand_min_ppm", self.demand_min_ppm.into(), "demand_max_ppm", self.demand_max_ppm.into()),
            (
                "reliability_floor_ppm",
                self.reliability_floor_ppm.into(),
                "prior_served_ppm",
                self.prior_served_ppm.into(),
            ),
        ]
    }

    /// The most that one card of a class may ask for, rao per second, where there is such a price.
    pub(super) fn price_cap(&self, gpu_class: u16) -> Option<u64> {
        self.price_caps.iter().find(|cap| cap.gpu_class == gpu_class).map(|cap| cap.rao_per_card_sec)
    }
}
