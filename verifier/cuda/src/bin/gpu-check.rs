//! Checks the cards of this machine: `scripts/gpu-check`. Everything that a machine without a card cannot show.
//!
//! 1. Each card and the reference do the same work at sizes with every edge, and at random ones: every bit must be the
//!    same.
//! 2. Whole measurements at full size, `--runs` of them: the verdict, and int8 TOPS, random bandwidth and wall time
//!    with their 5th percentile and median. With several cards all work at once.
//! 3. What the class's minima would be by the rule 0.9 x 5th percentile, beside those of the table.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use surety_cuda::check::{Measured, agree, edges, measure, random_size};
use surety_cuda::device::CardDevice;
use surety_cuda::driver::{Described, DriverCard, cards};
use surety_verifier::classes::{CLASSES, Class, ClassId};
use surety_verifier::device::Device;
use surety_verifier::limits::GPUS_MAX;
use surety_verifier::session::Plan;
use surety_verifier::verdict::Verdict;

/// Checks and measures this machine's NVIDIA cards.
#[derive(Parser)]
struct Arguments {
    /// Class to measure as; without it, the one that the first card's name contains.
    #[arg(long)]
    class: Option<u16>,
    /// Cards to compare and to measure, the latter all at once; without it, all there are.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=i64::from(GPUS_MAX)))]
    cards: Option<u16>,
    /// Whole measurements.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Random sizes to compare with the reference, beside the edges.
    #[arg(long, default_value_t = 100)]
    sizes: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let found = cards().map_err(|error| error.to_string())?;
    let first = found.first().ok_or("the driver sees no card")?;
    found.iter().for_each(|card| println!("{}", line(card)));
    let seen = u16::try_from(found.len()).unwrap_or(GPUS_MAX).min(GPUS_MAX);
    let count = arguments.cards.unwrap_or(seen);
    if count > seen {
        return Err(format!("{count} cards are asked for, the driver sees {seen}"));
    }
    (0..count).try_for_each(|ordinal| compare(ordinal, arguments.sizes))?;
    let class = match arguments.class {
        Some(class) => ClassId(class),
        None => named(first).ok_or("the card's name is that of no class: say which with --class")?,
    };
    let runs = measure_all(class, count, arguments.runs)?;
    report(class, &runs)
}

fn line(card: &Described) -> String {
    let Described { ordinal, name, capability: (major, minor), memory_bytes, has_ecc, is_slice, .. } = card;
    let ecc = if *has_ecc { "ECC" } else { "no ECC" };
    let slice = if *is_slice { ", a MIG slice: no card of any class" } else { "" };
    format!("card {ordinal}: {name}, {major}.{minor}, {} MiB, {ecc}{slice}", memory_bytes >> 20)
}

/// The class whose name the card's name holds; the longest, since others may be part of it.
fn named(card: &Described) -> Option<ClassId> {
    let plain = |name: &str| name.to_uppercase().replace("NVIDIA ", "").replace("GEFORCE ", "");
    let held = |class: &&Class| plain(class.name).split(' ').all(|word| plain(&card.name).contains(word));
    CLASSES.iter().filter(held).max_by_key(|class| class.name.len()).map(|class| class.id)
}

fn open(ordinal: u16) -> Result<Box<dyn Device>, String> {
    let card = DriverCard::open(ordinal.into()).map_err(|error| error.to_string())?;
    Ok(Box::new(CardDevice::new(card)))
}

fn compare(ordinal: u16, random: u64) -> Result<(), String> {
    let mut card = open(ordinal)?;
    let sizes = edges().into_iter().chain((0..random).map(random_size));
    for (seed, params) in (0..=u8::MAX).cycle().zip(sizes.clone()) {
        agree(&mut *card, params, seed).map_err(|error| error.to_string())?;
    }
    println!("card {ordinal}: the reference's results, bit for bit, at {} sizes", sizes.count());
    Ok(())
}

fn measure_all(class: ClassId, count: u16, runs: u32) -> Result<Vec<Measured>, String> {
    let mut all = Vec::new();
    for run in 0..runs {
        let devices: Result<Vec<_>, _> = (0..count).map(open).collect();
        let mut random = [0x5a; 32];
        random[..4].copy_from_slice(&run.to_be_bytes());
        let measured = measure(devices?, class, random).map_err(|error| error.to_string())?;
        let Measured { verdict, compute_ms, walk_ms, open_ms, bytes } = &measured;
        println!("run {run}: {verdict:?}, {compute_ms} ms, walk {walk_ms} ms, shown in {open_ms} ms, {bytes} bytes");
        if matches!(verdict, Verdict::Fraud(_) | Verdict::Unmeasured(_)) {
            return Err(format!("an honest card was not measured: {verdict:?}"));
        }
        all.push(measured);
    }
    Ok(all)
}

/// The value below which so many percent lie, and the median.
fn percentiles(mut values: Vec<u64>) -> (u64, u64) {
    values.sort_unstable();
    let at = |percent: usize| values.get(values.len() * percent / 100).copied().unwrap_or_default();
    (at(5), at(50))
}

fn report(class: ClassId, runs: &[Measured]) -> Result<(), String> {
    let Plan { params, .. } = Plan::of(class, 1).ok_or("no plan")?;
    let table = class.class().ok_or("no such class")?;
    let per_ms = |amount: u64, ms: u64| amount / ms.max(1);
    // Operations in a millisecond are thousands of operations a second; in 10^9 a second they are a millionth.
    let gops = percentiles(runs.iter().map(|run| per_ms(params.operations(), run.compute_ms) / 1_000_000).collect());
    let gb = percentiles(runs.iter().map(|run| per_ms(params.walk_bytes(), run.walk_ms) / 1_000_000).collect());
    let share = params.fill_bytes() * 100 / (u64::from(table.vram_mib.max(1)) << 20);
    println!("{}: {share} % of its memory filled", table.name);
    let row = |what: &str, (low, median): (u64, u64), table: Option<u32>| {
        let table = table.map_or("none".to_owned(), |least| least.to_string());
        println!("{what}: 5th percentile {low}, median {median}; 0.9 x 5th: {}, in the table: {table}", low * 9 / 10);
    };
    row("int8, 10^9 operations a second", gops, table.int8_gops_min);
    row("random reads of 128 bytes, GB/s", gb, table.random_gb_per_sec_min);
    Ok(())
}
