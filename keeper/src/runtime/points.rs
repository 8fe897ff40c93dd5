//! Points by the scheme that the operator has chosen.

use crate::ports::SoftFigures;
use std::collections::BTreeMap;
use surety_core::limits::POINTS_MAX;
use surety_core::types::MachineId;
use surety_core::weights::{Certified, Fleet, MachineFacts, Scheme};
use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::gauge::{Figures, Gpus};
use surety_verifier::score::{classes, sn27};

/// Subnet 27's points are counted in thousandths here.
const NANO_PER_POINT: u128 = sn27::POINT / 1_000;

/// What a card of each class is worth that can be proven.
pub(super) fn of_classes() -> BTreeMap<u16, u64> {
    CLASSES.iter().filter_map(|class| Some((class.id.0, classes::points(class.id)?))).collect()
}

/// Subnet 27's score of each machine that was measured: soft figures where this keeper has some of this registration,
/// nothing for what was not measured; memory of GPUs as proven, their clock by the data sheet of the class proven. The
/// 100 points for being registered are left out: here nobody earns anything who is not, and a bonus that all have pays
/// for the number of machines, whatever they are.
pub(super) fn of_machines(fleet: &Fleet, figures: &BTreeMap<MachineId, SoftFigures>) -> Scheme {
    let points = |facts: &MachineFacts| {
        let soft = figures.get(&facts.machine).filter(|soft| soft.registration == facts.registration);
        Some((facts.machine, score(facts.certified?, soft.map_or_else(Figures::default, |soft| soft.figures))?))
    };
    Scheme::Points(fleet.machines.iter().filter_map(points).collect())
}

fn score(certified: Certified, figures: Figures) -> Option<u64> {
    let class = ClassId(certified.gpu_class);
    let mib = u64::from(class.class()?.vram_mib).saturating_mul(certified.gpu_count.into());
    let gpus = Gpus { mib, khz: sn27::clock_khz(class)? };
    let points = sn27::score_nano(&figures.sn27(gpus), false) / NANO_PER_POINT;
    Some(u64::try_from(points).unwrap_or(POINTS_MAX).min(POINTS_MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use surety_core::weights::{WeightRules, weigh};

    /// The golden fleet of twenty miners.
    fn fleet() -> Fleet {
        serde_json::from_str(include_str!("../../core/tests/weights/fleet.json")).unwrap()
    }

    fn soft(facts: &MachineFacts, registration: u32, threads: u16) -> (MachineId, SoftFigures) {
        let figures = Figures { threads, core_khz_all: Some(3_000_000), ..Figures::default() };
        (facts.machine, SoftFigures { registration, measured_at_secs: 1, figures, ended: None })
    }

    fn points(scheme: &Scheme, machine: MachineId) -> Option<u64> {
        let Scheme::Points(points) = scheme else { panic!("of machines") };
        points.get(&machine).copied()
    }

    #[test]
    fn a_machine_is_worth_subnet_27s_score_of_what_was_proven_and_measured() {
        let certified = Certified { gpu_class: 12, gpu_count: 2, measured_at_secs: 1 };
        // 10 + 100 · 0.55 · 48 GiB · 5,723 MHz / 200,000, in thousandths.
        assert_eq!(score(certified, Figures::default()), Some(10_000 + 75_543));
        // 100 · 0.20 · 64 · 3,000 / 1024 / 50 more.
        let figures = Figures { threads: 64, core_khz_all: Some(3_000_000), ..Figures::default() };
        assert_eq!(score(certified, figures), Some(10_000 + 75_543 + 75_000));
        let endless = Figures { memory_mib: Some(u64::MAX), memory_read_kb_per_sec: Some(u64::MAX), ..figures };
        assert_eq!(score(certified, endless), Some(POINTS_MAX));
        assert_eq!(score(Certified { gpu_class: 65_535, ..certified }, figures), None, "nothing is proven of it");
    }

    #[test]
    fn figures_of_another_registration_are_not_this_ones_and_who_was_not_measured_has_no_points() {
        let fleet = fleet();
        let facts = fleet.machines.iter().find(|one| one.certified.is_some()).unwrap();
        let with = |registration| of_machines(&fleet, &[soft(facts, registration, 64)].into());
        let (of_this, of_another) = (with(facts.registration), with(facts.registration + 1));
        assert!(points(&of_this, facts.machine) > points(&of_another, facts.machine));
        assert_eq!(points(&of_another, facts.machine), points(&of_machines(&fleet, &[].into()), facts.machine));
        let unmeasured = fleet.machines.iter().find(|one| one.certified.is_none()).unwrap();
        assert_eq!(points(&of_this, unmeasured.machine), None);
    }

    #[test]
    fn the_same_fleet_earns_by_either_scheme_and_gates_are_the_same() {
        let (fleet, rules) = (fleet(), WeightRules::default());
        let by_class = weigh(&fleet, &Scheme::Classes(of_classes()), &rules).unwrap();
        let by_machine = weigh(&fleet, &of_machines(&fleet, &[].into()), &rules).unwrap();
        let earns = |weighed: &surety_core::weights::Weighed| {
            weighed.explanation.miners.iter().map(|miner| miner.milli_points > 0).collect::<Vec<_>>()
        };
        assert_eq!(earns(&by_class), earns(&by_machine));
        assert_ne!(by_class.weights, by_machine.weights);
    }
}
