//! Which cards a class's minima keep out, by the data sheets: dense int8 and memory bandwidth at their very best, which
//! no card reaches in practice. What is not kept out like this is a matter of calibration, or cannot be told apart.

use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::session::Plan;

/// Id, dense int8 in 10^12 operations a second, memory bandwidth in GB/s.
const SHEETS: [(u16, u64, u64); 11] = [
    (2, 1_979, 4_800), // H200
    (3, 1_979, 3_350), // H100 SXM
    (4, 1_513, 2_000), // H100 PCIe
    (5, 624, 2_039),   // A100 SXM
    (6, 624, 1_935),   // A100 PCIe
    (7, 733, 864),     // L40S
    (8, 728, 960),     // RTX 6000 Ada
    (9, 310, 768),     // RTX A6000
    (10, 838, 1_792),  // RTX 5090
    (11, 661, 1_008),  // RTX 4090
    (12, 284, 936),    // RTX 3090
];

/// Cards of the first class that the data sheets alone do not keep from passing as the second, which is dearer.
const NOT_KEPT_OUT: [(u16, u16, &str); 3] = [
    (4, 3, "random reads reach some 60 % of the data sheet; the minimum is 92 % of the PCIe card's"),
    (7, 8, "near twins"),
    (6, 5, "the same minima: one class in all but name"),
];

/// Which of two classes a renter pays more for.
const BY_PRICE: [u16; 11] = [12, 9, 11, 7, 8, 10, 6, 5, 4, 3, 2];

fn passes_by_its_sheet(card: u16, class: u16) -> bool {
    let mib = |class: u16| CLASSES.iter().find(|one| one.id == ClassId(class)).unwrap().vram_mib;
    let (_, tops, gb_per_sec) = SHEETS.into_iter().find(|(id, ..)| *id == card).unwrap();
    let Plan { params, limits } = Plan::of(ClassId(class), 1).unwrap();
    let fits = params.fill_bytes() + params.checkpoint_bytes() <= u64::from(mib(card)) << 20;
    let compute_ms = params.operations() / (tops * 1_000_000_000);
    let walk_ms = params.walk_bytes() / (gb_per_sec * 1_000_000);
    fits && compute_ms <= limits.compute_pass_ms && walk_ms <= limits.walk_pass_ms
}

#[test]
fn every_class_passes_as_itself_by_its_data_sheet() {
    for (class, ..) in SHEETS {
        assert!(passes_by_its_sheet(class, class), "{}", ClassId(class));
    }
}

#[test]
fn no_cheaper_card_passes_for_a_dearer_one_even_at_its_data_sheets_best_but_for_those_that_are_known() {
    for (at, cheaper) in BY_PRICE.into_iter().enumerate() {
        for dearer in &BY_PRICE[at + 1..] {
            let known = NOT_KEPT_OUT.iter().any(|(card, class, _)| (card, class) == (&cheaper, dearer));
            let (card, class) = (ClassId(cheaper), ClassId(*dearer));
            assert_eq!(passes_by_its_sheet(cheaper, *dearer), known, "a {card} as a {class}");
        }
    }
}
