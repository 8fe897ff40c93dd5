//! Whether the cards that the machine offers are there, and what speaks against them.

use crate::config::{Device, DeviceKind};
use surety_cuda::driver::{self, Described, NoCards};
use surety_verifier::classes::{Class, ClassId};
use surety_verifier::session::Plan;

/// What computes, or what is wrong with it and what to do.
pub(super) fn inspect(device: &Device) -> Result<String, String> {
    match device.kind {
        DeviceKind::Cpu => Ok(format!("CPU mode, class {}: proves no GPU; {}", device.class, seen(driver::cards()))),
        DeviceKind::Cuda => judge(device, &driver::cards().map_err(|error| error.to_string())?),
    }
}

fn seen(cards: Result<Vec<Described>, NoCards>) -> String {
    match cards {
        Ok(cards) => format!("{} NVIDIA cards are visible, which this kind does not use", cards.len()),
        Err(error) => error.to_string(),
    }
}

/// Whether these cards can be measured as what is offered. What decides is the measurement; this finds what would fail.
fn judge(device: &Device, cards: &[Described]) -> Result<String, String> {
    let (class, count) = (ClassId(device.class), usize::from(device.count));
    if cards.len() < count {
        return Err(format!("{count} x {class} are offered, the driver sees {}: offer what is there", cards.len()));
    }
    if let Some(slice) = cards.iter().find(|card| card.is_slice) {
        return Err(format!(
            "card {} ({}) is a part of a card: switch MIG off (nvidia-smi -mig 0)",
            slice.ordinal, slice.name
        ));
    }
    let plan = Plan::of(class, device.count).ok_or_else(|| format!("nobody has said yet what {class} must reach"))?;
    let visible_mib = class.class().map_or(0, |Class { vram_mib, .. }| u64::from(*vram_mib));
    for card in &cards[..count] {
        let has_mib = card.memory_bytes >> 20;
        // What is filled, and what goes with it: matrices, checkpoints, the context of the driver.
        let needed_mib = ((plan.params.fill_bytes() + plan.params.checkpoint_bytes()) >> 20) + 1_024;
        if has_mib < needed_mib {
            return Err(format!(
                "card {} ({}) has {has_mib} MiB, a {class} has {visible_mib} and its measurement takes {needed_mib}",
                card.ordinal, card.name
            ));
        }
        if card.capability < (6, 1) {
            return Err(format!("card {} ({}) is too old: compute capability 6.1 is needed", card.ordinal, card.name));
        }
    }
    let ecc = cards[..count].iter().filter(|card| !card.has_ecc).count();
    let risk = if ecc == 0 { String::new() } else { format!("; {ecc} without ECC: a wrong bit is their own risk") };
    Ok(format!("{count} x {class}: {}{risk}", cards[0].name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(ordinal: usize) -> Described {
        Described {
            ordinal,
            name: "NVIDIA GeForce RTX 4090".into(),
            uuid: format!("GPU-{ordinal}"),
            capability: (8, 9),
            memory_bytes: 24_564 << 20,
            has_ecc: false,
            is_slice: false,
        }
    }

    fn offered(class: u16, count: u16) -> Device {
        Device { kind: DeviceKind::Cuda, class, count }
    }

    #[test]
    fn cards_that_are_there_are_named_with_their_risk() {
        let says = judge(&offered(11, 2), &[card(0), card(1)]).unwrap_or_default();
        assert_eq!(says, "2 x RTX 4090: NVIDIA GeForce RTX 4090; 2 without ECC: a wrong bit is their own risk");
    }

    #[test]
    fn what_would_fail_a_measurement_is_said_with_what_to_do() {
        let refused = |device: Device, cards: &[Described]| judge(&device, cards).err().unwrap_or_default();
        assert!(refused(offered(11, 2), &[card(0)]).contains("2 x RTX 4090 are offered, the driver sees 1"));
        let slice = Described { is_slice: true, ..card(0) };
        assert!(refused(offered(11, 1), &[slice]).contains("switch MIG off"));
        assert!(refused(offered(3, 1), &[card(0)]).contains("has 24564 MiB, a H100 SXM has 81559"));
        let old = Described { capability: (5, 2), ..card(0) };
        assert!(refused(offered(11, 1), &[old]).contains("too old"));
        assert!(refused(offered(1, 1), &[card(0)]).contains("nobody has said yet"));
    }

    #[test]
    fn without_a_driver_the_doctor_says_what_to_install() {
        match (driver::cards(), inspect(&offered(11, 1))) {
            (Err(NoCards::NoDriver), Err(why)) => assert!(why.contains("install the driver, version 525"), "{why}"),
            (Err(NoCards::NoDriver), Ok(says)) => panic!("{says}"),
            _ => {} // a machine with a driver of its own
        }
    }
}
