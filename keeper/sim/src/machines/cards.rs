//! What a machine's agent says about its cards while it is rented.

use crate::chain::contracts::CLASS;
use crate::machines::track::Track;
use crate::rng::{Episodes, Rng};
use std::collections::BTreeMap;
use surety_core::cards::CardsStatement;
use surety_core::input::InventoryOutcome;
use surety_core::types::{Ed25519Signature, UnixSecs};

/// Who has heard an admission asks again at the suspect pace: some answers in this time.
const OF_LATE_SECS: u64 = 120;

/// The manner of an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// Never answers, as one without the question's code.
    Silent,
    /// Always has all; answers most of the time.
    Full,
    /// Admits to one card, or to none, now and then.
    Fewer,
    /// The same, and says otherwise every few seconds meanwhile.
    Flapping,
    /// Lacks cards now and then, and says that all are there.
    Hides,
    /// Says what makes no sense.
    Garbled,
}

/// One machine's agent.
#[derive(Debug)]
pub(crate) struct Agent {
    manner: Manner,
    lacks: Episodes,
    flap_at: UnixSecs,
    left: usize,
    rng: Rng,
    /// Whether it would admit to fewer cards than are rented.
    pub(crate) admits: Track,
    /// When each keeper last heard it admit.
    heard: BTreeMap<usize, UnixSecs>,
    /// When it left a keeper without an answer that had not heard it admit of late.
    missed: Vec<UnixSecs>,
}

impl Agent {
    /// `honest`: it lacks no card, ever.
    pub(crate) fn new(seed: u64, number: u64, honest: bool, gap_secs: u64, now: UnixSecs) -> Self {
        let mut rng = Rng::new(seed, "agent", number);
        let all = [
            Manner::Silent,
            Manner::Full,
            Manner::Fewer,
            Manner::Fewer,
            Manner::Flapping,
            Manner::Hides,
            Manner::Garbled,
        ];
        let manner = *rng.pick(if honest { &all[..2] } else { &all }).unwrap_or(&Manner::Full);
        let length_secs = *rng.pick(&[(60, 600), (300, 2_400), (1_200, 6_000)]).unwrap_or(&(60, 600));
        let gap_secs = if matches!(manner, Manner::Fewer | Manner::Flapping) { gap_secs } else { 0 };
        let lacks = Episodes::new(Rng::new(seed, "lacks", number), gap_secs, length_secs, now);
        let (heard, missed) = (BTreeMap::new(), Vec::new());
        Self { manner, lacks, flap_at: 0, left: 0, rng, admits: Track::new(false), heard, missed }
    }

    pub(crate) fn heal(&mut self) {
        self.lacks.heal();
    }

    /// A second passes.
    pub(crate) fn second(&mut self, now: UnixSecs) {
        if self.lacks.is_never() && !self.admits.is() {
            return;
        }
        let was_on = self.lacks.still_on(now - 1);
        let on = self.lacks.on(now);
        let flaps = self.manner == Manner::Flapping;
        let mut admits = on;
        if on && !was_on {
            self.left = self.rng.index(usize::from(CLASS.1));
        } else if on && flaps {
            admits = self.admits.is();
        }
        if on && flaps && now >= self.flap_at {
            self.flap_at = now + self.rng.range(5, 200);
            admits = !admits;
        }
        self.admits.set(now, admits);
    }

    /// Questions without an answer while it admitted, from keepers that had not heard it admit of late.
    pub(crate) fn missed(&self, from: UnixSecs, until: UnixSecs) -> u64 {
        self.missed.iter().filter(|at| (from..until).contains(at)).count() as u64
    }

    /// What it answers a keeper now, who asks about a registration.
    pub(crate) fn answer(&mut self, registration: u32, keeper: usize, now: UnixSecs) -> InventoryOutcome {
        let outcome = self.says(registration);
        if !self.admits.is() {
            return outcome;
        }
        if matches!(outcome, InventoryOutcome::Stated { .. }) {
            self.heard.insert(keeper, now);
        } else if self.heard.get(&keeper).is_none_or(|at| now - at > OF_LATE_SECS) {
            self.missed.push(now);
        }
        outcome
    }

    fn says(&mut self, registration: u32) -> InventoryOutcome {
        let silent = || InventoryOutcome::Unmeasured { why: "no answer".to_owned() };
        let all = usize::from(CLASS.1);
        let says = |registration, count: usize| {
            let cards = (0..count).map(|card| format!("GPU-{card}")).collect();
            let signature = Ed25519Signature::default();
            InventoryOutcome::Stated { statement: CardsStatement { registration, cards, signature } }
        };
        match self.manner {
            Manner::Silent => silent(),
            // Never mind whose fault: now and then there is no answer.
            _ if self.rng.percent(10) => silent(),
            Manner::Garbled if self.rng.percent(50) => says(registration + 1, 0),
            Manner::Garbled => {
                let signature = Ed25519Signature::default();
                let cards = if self.rng.percent(50) { vec!["not a card's name".to_owned()] } else { Vec::new() };
                // No card at all, under a registration that never was; or one whose name is none.
                let registration = if cards.is_empty() { 0 } else { registration };
                InventoryOutcome::Stated { statement: CardsStatement { registration, cards, signature } }
            }
            _ if self.admits.is() => says(registration, self.left),
            _ => says(registration, all),
        }
    }
}
