//! Twenty miners, weighed and explained: `tests/weights/fleet.json` in, `explained.txt` out. `UPDATE_GOLDEN=1` writes
//! both anew.

use std::collections::BTreeMap;
use std::path::PathBuf;
use surety_core::types::{Account, Hotkey, Kind, MachineId, SshKey};
use surety_core::view::{CaseStatus, CaseView, FaultView, OfferView, RentalView};
use surety_core::weights::{
    Certified, Fleet, MachineFacts, PastSpoof, PriceCap, Scheme, SubnetTerms, UNITS, Weighed, WeightRules, weigh,
};

const DAY: u64 = 86_400;
const AT: u64 = 1_800_000_000;
const CLASSES: [(u16, &str, u64); 5] = [
    (2, "H200", 5_207),
    (3, "H100 SXM", 4_000),
    (5, "A100 SXM", 2_587),
    (11, "RTX 4090", 1_552),
    (12, "RTX 3090", 1_000),
];

/// Machine `n` of miner `n`: idle, measured an hour ago, in every round.
fn machine(n: u8, gpu_class: u16, gpu_count: u16) -> MachineFacts {
    let expires_at_secs = AT + DAY;
    MachineFacts {
        machine: MachineId([n; 32]),
        registration: n.into(),
        since_secs: AT - 60 * DAY,
        hotkey: Hotkey([n; 32]),
        miner: Account([n; 20]),
        bonded_rao: 1_000_000_000,
        required_bond_rao: 500_000_000,
        offer: Some(OfferView { gpu_class, gpu_count, price_rao_per_sec: 8_000, expires_at_secs }),
        certified: Some(Certified { gpu_class, gpu_count, measured_at_secs: AT - 3_600 }),
        round_share_ppm: Some(1_000_000),
        rentals: Vec::new(),
        cases: Vec::new(),
        cards_missing: None,
    }
}

/// With a rental that began so many days ago and lasts so many; what runs was measured an hour before.
fn rented(one: MachineFacts, days_ago: u64, days: u64, faults: &[FaultView]) -> MachineFacts {
    let (id, start_secs) = (u64::from(one.registration) * 10 + one.rentals.len() as u64, AT - days_ago * DAY);
    let offer = one.offer.unwrap();
    let rental = RentalView {
        id,
        machine: one.machine,
        renter: Account([0xee; 20]),
        renter_key: SshKey([0xee; 32]),
        gpu_class: offer.gpu_class,
        gpu_count: offer.gpu_count,
        price_rao_per_sec: offer.price_rao_per_sec,
        start_secs,
        end_secs: start_secs + days * DAY,
        paid_until_secs: start_secs,
        claimed_secs: 0,
        closed: false,
        faults: faults.to_vec(),
    };
    let runs = days_ago < days;
    let before = one.certified.map(|proven| Certified { measured_at_secs: start_secs - 3_600, ..proven });
    let certified = if runs { before } else { one.certified };
    let rentals = one.rentals.into_iter().chain([rental]).collect();
    MachineFacts { rentals, certified, ..one }
}

fn gone(days_ago: u64, secs: u64, case_id: u64) -> FaultView {
    let from_secs = AT - days_ago * DAY;
    FaultView { from_secs, until_secs: from_secs + secs, case_id }
}

fn case(registration: u32, id: u64, kind: Kind, status: CaseStatus) -> CaseView {
    let (executable_at_secs, penalty_rao, filed_at_secs) = (0, 14_400_000, AT - 3 * DAY);
    let rental = if kind == Kind::Spoofed { 0 } else { u64::from(registration) * 10 };
    CaseView { id, kind, status, rental, executable_at_secs, penalty_rao, registration, filed_at_secs }
}

/// Miners 1 to 10: all but the fourth to the seventh are as they should be, or nearly.
fn honest() -> Vec<MachineFacts> {
    let certified = |n, gpu_class, gpu_count| {
        let one = machine(n, gpu_class, gpu_count);
        one.certified.map(|proven| Certified { gpu_count: 1, ..proven })
    };
    let out = gone(5, 10_000, 71);
    let ended = [case(8, 80, Kind::Offline, CaseStatus::Executed), case(8, 81, Kind::NotDelivered, CaseStatus::Filed)];
    let overturned = vec![case(9, 90, Kind::Offline, CaseStatus::Dismissed)];
    vec![
        machine(1, 3, 8),
        rented(machine(2, 3, 8), 10, 20, &[]),
        rented(rented(machine(3, 3, 8), 28, 7, &[]), 4, 14, &[]),
        MachineFacts { machine: MachineId([103; 32]), ..machine(3, 11, 4) },
        MachineFacts { round_share_ppm: None, ..machine(4, 11, 4) },
        MachineFacts { round_share_ppm: None, since_secs: AT - 2 * DAY, ..machine(5, 2, 8) },
        MachineFacts { certified: certified(6, 3, 8), ..machine(6, 3, 8) },
        MachineFacts { cards_missing: Some(2), ..rented(machine(7, 5, 8), 6, 9, &[out]) },
        MachineFacts { cases: ended.to_vec(), ..rented(machine(8, 5, 8), 9, 6, &[gone(4, 1_200, 80)]) },
        MachineFacts { cases: overturned, ..rented(machine(9, 5, 8), 9, 6, &[gone(4, 80_000, 90)]) },
        MachineFacts { round_share_ppm: Some(968_750), ..rented(machine(10, 11, 4), 20, 19, &[]) },
    ]
}

/// Miners 11 to 20: each with something about it.
fn others() -> Vec<MachineFacts> {
    let spoof = vec![case(11, 110, Kind::Spoofed, CaseStatus::Filed)];
    let proven = |gpu_class, age_secs| Some(Certified { gpu_class, gpu_count: 8, measured_at_secs: AT - age_secs });
    let dear = |one: MachineFacts| one.offer.map(|offer| OfferView { price_rao_per_sec: 9_000_000, ..offer });
    vec![
        MachineFacts { cases: spoof, ..machine(11, 3, 8) },
        MachineFacts { machine: MachineId([111; 32]), miner: Account([11; 20]), ..machine(11, 12, 2) },
        machine(12, 5, 8),
        MachineFacts { bonded_rao: 499_999_999, ..machine(13, 3, 8) },
        MachineFacts { required_bond_rao: 0, certified: None, ..machine(14, 3, 8) },
        machine(15, 3, 8),
        MachineFacts { certified: proven(3, 2 * DAY), ..machine(16, 3, 8) },
        MachineFacts { certified: proven(11, 600), ..machine(17, 3, 8) },
        MachineFacts { round_share_ppm: Some(478_260), ..machine(18, 12, 8) },
        MachineFacts { round_share_ppm: None, ..rented(machine(19, 12, 8), 25, 60, &[]) },
        MachineFacts { offer: dear(machine(20, 12, 8)), ..machine(20, 12, 8) },
    ]
}

/// Miner `n` sits at uid `n`, but the fifteenth, who left; uid 0 is the subnet's owner.
fn fleet() -> Fleet {
    let mut seats: BTreeMap<Hotkey, u16> = (1..=20u8).map(|n| (Hotkey([n; 32]), n.into())).collect();
    seats.remove(&Hotkey([15; 32]));
    seats.insert(Hotkey([200; 32]), 0);
    let spoof = case(2, 12, Kind::Spoofed, CaseStatus::Executed);
    let past = PastSpoof { hotkey: Hotkey([12; 32]), miner: Account([99; 20]), case: spoof };
    let machines = honest().into_iter().chain(others()).collect();
    let subnet = SubnetTerms { min_allowed_weights: 8, max_weight_limit: UNITS };
    Fleet { at_secs: AT, subnet, seats, machines, past_spoofs: vec![past], coldkeys: [].into() }
}

fn weighed(fleet: &Fleet) -> Weighed {
    let points = CLASSES.iter().map(|(class, _, points)| (*class, *points)).collect();
    let price_caps = vec![PriceCap { gpu_class: 12, rao_per_card_sec: 2_000 }];
    let rules = WeightRules { burn_ppm: 100_000, burn_uid: Some(0), price_caps, ..WeightRules::default() };
    weigh(fleet, &Scheme::Classes(points), &rules).unwrap()
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/weights").join(name)
}

#[test]
fn twenty_miners_are_weighed_and_explained_as_before() {
    let class_name = |id: u16| {
        let found = CLASSES.iter().find(|(class, ..)| *class == id);
        found.map_or_else(|| format!("class {id}"), |(_, name, _)| (*name).to_owned())
    };
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let stored = serde_json::to_string_pretty(&fleet()).unwrap() + "\n";
        std::fs::write(golden("fleet.json"), stored).unwrap();
        std::fs::write(golden("explained.txt"), weighed(&fleet()).explanation.text(&class_name)).unwrap();
    }
    let stored: Fleet = serde_json::from_str(&std::fs::read_to_string(golden("fleet.json")).unwrap()).unwrap();
    assert_eq!(stored, fleet(), "UPDATE_GOLDEN=1 rewrites it");
    let found = weighed(&stored);
    let want = std::fs::read_to_string(golden("explained.txt")).unwrap();
    let got = found.explanation.text(&class_name);
    let differs = got.lines().zip(want.lines()).find(|(got, want)| got != want);
    assert!(got == want, "{differs:?}\nUPDATE_GOLDEN=1 rewrites it");
    let weights = found.weights.unwrap();
    assert_eq!(weights.values.iter().map(|value| u32::from(*value)).sum::<u32>(), u32::from(UNITS));
    assert_eq!(weights.uids, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 19]);
}
