//! `surety-sim`: runs seeds and says which of them fail.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use surety_sim::{FAULT_SECS, Outcome, Stats, WEEK_SECS, run_calm, run_seed, run_week};

const USAGE: &str =
    "surety-sim [--seed N | --seeds A..B] [--ticks SECS] [--jobs J] [--calm] [--week] [--summary] [--first]

  --seed N       one seed, with its last events when it fails
  --seeds A..B   seeds A to B - 1
  --ticks SECS   seconds under faults (default 3600), before the healing
  --jobs J       threads (default 2)
  --calm         no faults but the machines'
  --week         a week of five keepers and sixty machines, faults being rare; --ticks makes it shorter
  --summary      print what was measured
  --first        stop at the first failing seed";

struct Args {
    from: u64,
    until: u64,
    ticks: Option<u64>,
    week: bool,
    jobs: u64,
    calm: bool,
    summary: bool,
    first: bool,
}

impl Args {
    fn run(&self, seed: u64) -> Outcome {
        if self.week {
            let (outcome, report) = run_week(seed, self.ticks(), |day| eprintln!("day {day} is over"));
            println!("{report}");
            return outcome;
        }
        if self.calm { run_calm(seed, self.ticks()) } else { run_seed(seed, self.ticks()) }
    }

    fn ticks(&self) -> u64 {
        self.ticks.unwrap_or(if self.week { WEEK_SECS } else { FAULT_SECS })
    }
}

fn parse() -> Result<Args, String> {
    let (jobs, calm, week, summary, first) = (2, false, false, false, false);
    let mut args = Args { from: 0, until: 100, ticks: None, jobs, calm, week, summary, first };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value\n\n{USAGE}"));
        let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is not a number\n\n{USAGE}"));
        match word.as_str() {
            "--seed" => {
                args.from = number(value()?)?;
                args.until = args.from + 1;
            }
            "--seeds" => {
                let text = value()?;
                let (from, until) = text.split_once("..").ok_or(format!("{text} is not A..B\n\n{USAGE}"))?;
                (args.from, args.until) = (number(from.to_owned())?, number(until.to_owned())?);
            }
            "--ticks" => args.ticks = Some(number(value()?)?),
            "--jobs" => args.jobs = number(value()?)?.max(1),
            "--calm" => args.calm = true,
            "--week" => args.week = true,
            "--summary" => args.summary = true,
            "--first" => args.first = true,
            _ => return Err(format!("{word} is not known\n\n{USAGE}")),
        }
    }
    if args.week && args.until - args.from != 1 {
        args.until = args.from + 1;
    }
    Ok(args)
}

fn report(args: &Args, outcome: &Outcome) {
    let kind = if args.week {
        " --week"
    } else if args.calm {
        " --calm"
    } else {
        ""
    };
    println!("\nseed {} FAILS", outcome.seed);
    for why in &outcome.broken {
        println!("  {why}");
    }
    println!("  world: {}", outcome.options);
    println!("  last events:");
    for event in &outcome.events {
        println!("    {event}");
    }
    println!(
        "  reproduce: cargo run --release -p surety-sim -- --seed {} --ticks {}{kind}\n",
        outcome.seed,
        args.ticks()
    );
}

fn main() -> ExitCode {
    let args = match parse() {
        Ok(args) => args,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(64);
        }
    };
    let next = AtomicU64::new(args.from);
    let failed = AtomicU64::new(0);
    let total = Mutex::new((Stats::default(), 0u64));
    std::thread::scope(|scope| {
        for _ in 0..args.jobs {
            scope.spawn(|| work(&args, &next, &failed, &total));
        }
    });
    let failures = failed.load(Relaxed);
    let (stats, traces) = total.into_inner().unwrap_or_default();
    if args.summary {
        println!("{}", stats.text());
    }
    println!("{} seeds, {failures} failed; trace {traces:016x}", next.load(Relaxed).min(args.until) - args.from);
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn work(args: &Args, next: &AtomicU64, failed: &AtomicU64, total: &Mutex<(Stats, u64)>) {
    loop {
        let seed = next.fetch_add(1, Relaxed);
        if seed >= args.until || (args.first && failed.load(Relaxed) > 0) {
            return;
        }
        let outcome = args.run(seed);
        let Ok(mut sum) = total.lock() else { return };
        sum.0.add(&outcome.stats);
        sum.1 = sum.1.wrapping_add(outcome.trace);
        if !outcome.broken.is_empty() {
            failed.fetch_add(1, Relaxed);
            report(args, &outcome);
        }
    }
}
