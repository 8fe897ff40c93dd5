//! An explanation as text, no line longer than [`COLUMNS`].

use super::MILLI;
use super::explain::{Explanation, Factor, MachineExplained, MinerExplained, NoWeight, Why};
use super::ppm::ONE_PPM;
use std::fmt;

/// Longest line.
const COLUMNS: usize = 100;
/// Longest name of a class.
const NAME_CHARS_MAX: usize = 32;

impl fmt::Display for Explanation {
    /// With numbers for names of classes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(&|class| format!("class {class}")))
    }
}

impl Explanation {
    /// As text, with names of classes; the core knows none.
    pub fn text(&self, class_name: &dyn Fn(u16) -> String) -> String {
        let class_name = |class: u16| class_name(class).chars().take(NAME_CHARS_MAX).collect::<String>();
        let mut page = Page::default();
        let weighted = self.miners.iter().filter(|miner| miner.units > 0).count();
        let points = grouped(self.milli_points / MILLI);
        page.line(0, &format!("Weights at {}: {weighted} miners share, {points} points.", self.at_secs));
        if let Some(burn) = self.burn {
            let share = percent(burn.ppm.into());
            let units = grouped(burn.units.into());
            page.line(0, &format!("Uid {} takes what is burned: {units} units, {share} asked.", burn.uid));
        }
        if let Some(refused) = self.refused {
            page.line(0, &format!("No weights: {refused}."));
        }
        for miner in &self.miners {
            page.miner(miner, &class_name);
        }
        page.text
    }
}

#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn miner(&mut self, miner: &MinerExplained, class_name: &dyn Fn(u16) -> String) {
        let seat = miner.uid.map_or_else(|| "no uid".to_owned(), |uid| format!("uid {uid}"));
        self.text.push('\n');
        let (units, points) = (grouped(miner.units.into()), milli(miner.milli_points));
        self.line(0, &format!("{seat}: {units} units of 65,535 for {points} points"));
        self.line(2, &format!("hotkey {}", miner.hotkey));
        if let Some(none) = miner.none {
            self.line(2, &format!("nothing: {none}"));
        }
        for machine in &miner.machines {
            self.machine(machine, class_name);
        }
    }

    fn machine(&mut self, machine: &MachineExplained, class_name: &dyn Fn(u16) -> String) {
        self.line(2, &format!("machine {}", machine.machine));
        let now = if machine.rented { "rented" } else { "idle" };
        self.line(4, &format!("registration {} of {}, {now}", machine.registration, machine.miner));
        for factor in &machine.factors {
            self.factor(factor, class_name);
        }
        for none in &machine.none {
            self.line(4, &format!("nothing: {}", reason(none, class_name)));
        }
        self.line(4, &format!("= {} points", milli(machine.milli_points)));
    }

    fn factor(&mut self, factor: &Factor, class_name: &dyn Fn(u16) -> String) {
        let fraction = format!("{}/{}", factor.num, factor.den);
        self.line(4, &format!("x {fraction:<16} {}", because(&factor.why, class_name)));
    }

    /// A line, broken at blanks where it is too long. What follows is indented further.
    fn line(&mut self, indent: usize, text: &str) {
        let mut left = text;
        let mut begin = indent;
        while let Some(at) = break_at(left, COLUMNS.saturating_sub(begin)) {
            let (head, tail) = left.split_at(at);
            self.put(begin, head);
            (left, begin) = (tail.trim_start(), indent.saturating_add(2));
        }
        self.put(begin, left);
    }

    fn put(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }
}

/// Where a text that does not fit is broken: before the last blank that fits, else where it ends to fit.
fn break_at(text: &str, columns: usize) -> Option<usize> {
    let (end, _) = text.char_indices().nth(columns)?;
    let head = text.get(..end).unwrap_or(text);
    Some(head.rfind(' ').filter(|at| *at > 0).unwrap_or(end))
}

fn because(why: &Why, class_name: &dyn Fn(u16) -> String) -> String {
    match why {
        Why::ClassPoints { gpu_class } => format!("points of a card of {}", class_name(*gpu_class)),
        Why::MachinePoints => "points of the machine".to_owned(),
        Why::Cards { promised, certified, missing } => {
            format!("cards: {promised} promised, {certified} certified, {missing} missing")
        }
        Why::Rounds { share_ppm: Some(share_ppm), .. } => format!("rounds: {} passed", percent((*share_ppm).into())),
        Why::Rounds { alone: true, .. } => "rounds: none, alone in its class".to_owned(),
        Why::Rounds { .. } => "rounds: none yet".to_owned(),
        Why::Certificate { age_secs: Some(age_secs) } => format!("certificate: {} s old", grouped(*age_secs)),
        Why::Certificate { age_secs: None } => "certificate: none".to_owned(),
        Why::Reliability { served_secs, promised_secs, served_ppm } => {
            let (served, promised) = (grouped(*served_secs), grouped(*promised_secs));
            format!("reliability: {served} s served of {promised}, counted as {}", percent(*served_ppm))
        }
        Why::Cases { terminating } => format!("cases that ended a rental: {terminating}"),
        Why::Demand { gpu_class, rented_card_secs, offered_card_secs } => {
            let share = percent(super::ppm::share_ppm(*rented_card_secs, *offered_card_secs, 0));
            let (class, rented) = (class_name(*gpu_class), grouped(*rented_card_secs));
            let offered = grouped(*offered_card_secs);
            format!("demand for {class} elsewhere: {share}, {rented} of {offered} card-seconds")
        }
    }
}

/// A reason with names of classes.
fn reason(none: &NoWeight, class_name: &dyn Fn(u16) -> String) -> String {
    match none {
        NoWeight::OtherClass { promised, certified } => {
            format!("it promises {}, and was measured as {}", class_name(*promised), class_name(*certified))
        }
        NoWeight::NoPoints { gpu_class } => {
            format!("{}, or this machine, has no points in this scheme", class_name(*gpu_class))
        }
        other => other.to_string(),
    }
}

/// Three decimals: thousandths of a point.
fn milli(milli_points: u64) -> String {
    format!("{}.{:03}", grouped(milli_points / MILLI), milli_points % MILLI)
}

/// Parts per million as percent, with as many decimals as there are.
fn percent(ppm: u64) -> String {
    let (whole, rest) = (ppm / (ONE_PPM / 100), ppm % (ONE_PPM / 100));
    if rest == 0 {
        return format!("{whole} %");
    }
    let decimals = format!("{rest:04}");
    format!("{whole}.{} %", decimals.trim_end_matches('0'))
}

/// With a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
