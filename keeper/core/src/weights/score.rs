//! One machine's points: a product of factors, each rounded down where it is applied, so that whoever is shown the
//! factors can multiply them again and gets the same points.

use super::demand::{Market, factor_ppm};
use super::explain::{Factor, MachineExplained, NoWeight, Why};
use super::fleet::MachineFacts;
use super::ppm::{ONE_PPM, between, scaled, share_ppm};
use super::record::Record;
use super::rules::WeightRules;
use super::standing::{Promise, Standing};
use super::{MILLI, Scheme};
use crate::types::UnixSecs;

/// A machine's points, with every factor.
pub(super) fn explained(
    facts: &MachineFacts,
    standing: Standing,
    market: &Market,
    (at_secs, scheme, rules): (UnixSecs, &Scheme, &WeightRules),
) -> MachineExplained {
    let record = Record::of(facts, at_secs, rules);
    let factors = match standing.promise {
        None => Vec::new(),
        Some(promise) => vec![
            points(&standing, &promise, scheme),
            cards(facts, &standing, &promise, scheme),
            rounds(facts, market.machines(promise.gpu_class), rules),
            certificate(facts, at_secs, rules),
            reliability(&record, rules),
            cases(&record, rules),
            demand(&standing, &promise, market, rules),
        ],
    };
    let product = factors.iter().fold(MILLI, |product, factor| scaled(product, factor.num, factor.den));
    let mut none = standing.none;
    if none.is_empty() && product == 0 {
        none.push(nothing_left(&record, rules));
    }
    let milli_points = if none.is_empty() { product } else { 0 };
    MachineExplained {
        machine: facts.machine,
        registration: facts.registration,
        miner: facts.miner,
        rented: standing.promise.is_some_and(|promise| promise.rented),
        factors,
        milli_points,
        none,
    }
}

fn points(standing: &Standing, promise: &Promise, scheme: &Scheme) -> Factor {
    let gpu_class = promise.gpu_class;
    let why = match scheme {
        Scheme::Classes(_) => Why::ClassPoints { gpu_class },
        Scheme::Points(_) => Why::MachinePoints,
    };
    Factor { num: standing.points, den: 1, why }
}

/// Points of a class are a card's; points from elsewhere are those of all cards that were measured.
fn cards(facts: &MachineFacts, standing: &Standing, promise: &Promise, scheme: &Scheme) -> Factor {
    let certified = facts.certified.map_or(0, |certified| certified.gpu_count);
    let den = match scheme {
        Scheme::Classes(_) => 1,
        Scheme::Points(_) => u64::from(certified),
    };
    let missing = facts.cards_missing.unwrap_or(0);
    let why = Why::Cards { promised: promise.gpu_count, certified, missing };
    Factor { num: standing.cards.into(), den, why }
}

fn rounds(facts: &MachineFacts, in_class: u64, rules: &WeightRules) -> Factor {
    // Rounds take two machines: one that is alone in its class is never drawn for one.
    let alone = facts.round_share_ppm.is_none() && in_class < 2;
    let newcomer_ppm = if alone { ONE_PPM } else { rules.newcomer_rounds_ppm.into() };
    let num = facts.round_share_ppm.map_or(newcomer_ppm, |share_ppm| u64::from(share_ppm).min(ONE_PPM));
    Factor { num, den: ONE_PPM, why: Why::Rounds { share_ppm: facts.round_share_ppm, alone } }
}

/// An idle machine's certificate is never so old that it counts less, so this is about rented ones.
fn certificate(facts: &MachineFacts, at_secs: UnixSecs, rules: &WeightRules) -> Factor {
    let age_secs = facts.certified.map(|certified| at_secs.saturating_sub(certified.measured_at_secs));
    let num = age_secs.map_or(0, |age_secs| {
        let falls_secs = rules.stale_at_secs.saturating_sub(rules.stale_from_secs);
        let fallen_secs = age_secs.saturating_sub(rules.stale_from_secs).min(falls_secs);
        let left_ppm = ONE_PPM.saturating_sub(share_ppm(fallen_secs, falls_secs, 0));
        between(rules.stale_ppm.into(), ONE_PPM, left_ppm)
    });
    Factor { num, den: ONE_PPM, why: Why::Certificate { age_secs } }
}

fn reliability(record: &Record, rules: &WeightRules) -> Factor {
    let served_ppm = served_ppm(record, rules);
    let floor_ppm = u64::from(rules.reliability_floor_ppm);
    let num = share_ppm(served_ppm.saturating_sub(floor_ppm), ONE_PPM.saturating_sub(floor_ppm), 0);
    let Record { served_secs, promised_secs, .. } = *record;
    Factor { num, den: ONE_PPM, why: Why::Reliability { served_secs, promised_secs, served_ppm } }
}

/// Share of promised seconds served, those included that everybody begins with.
fn served_ppm(record: &Record, rules: &WeightRules) -> u64 {
    let prior_ppm = u64::from(rules.prior_served_ppm);
    let prior_secs = scaled(rules.prior_promised_secs, prior_ppm, ONE_PPM);
    let served_secs = record.served_secs.saturating_add(prior_secs);
    share_ppm(served_secs, record.promised_secs.saturating_add(rules.prior_promised_secs), prior_ppm)
}

fn cases(record: &Record, rules: &WeightRules) -> Factor {
    let floor_ppm = u64::from(rules.cases_floor_ppm);
    let mut num = ONE_PPM;
    for _ in 0..record.terminating {
        num = scaled(num, rules.case_ppm.into(), ONE_PPM);
        if num <= floor_ppm {
            num = floor_ppm;
            break;
        }
    }
    Factor { num, den: ONE_PPM, why: Why::Cases { terminating: record.terminating } }
}

fn demand(standing: &Standing, promise: &Promise, market: &Market, rules: &WeightRules) -> Factor {
    let used = market.others(promise.gpu_class, standing.owner, rules);
    let why =
        Why::Demand { gpu_class: promise.gpu_class, rented_card_secs: used.rented, offered_card_secs: used.offered };
    Factor { num: factor_ppm(used, rules), den: ONE_PPM, why }
}

/// Every gate is passed, and the product is nothing.
fn nothing_left(record: &Record, rules: &WeightRules) -> NoWeight {
    let (served_ppm, floor_ppm) = (served_ppm(record, rules), u64::from(rules.reliability_floor_ppm));
    if served_ppm <= floor_ppm { NoWeight::Unreliable { served_ppm, floor_ppm } } else { NoWeight::TooLittle }
}
