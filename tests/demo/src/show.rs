//! The story as it is told: lines for people, or JSON lines for programs.

use crate::books::Books;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::Instant;
use surety_client::units::tao;

/// Steps of the story.
pub const STEPS: u8 = 7;

/// Where the story is told to.
#[derive(Debug, Clone)]
pub struct Show {
    json: bool,
    began: Instant,
    step: Arc<AtomicU8>,
}

impl Show {
    /// To standard output.
    pub fn new(json: bool) -> Self {
        Self { json, began: Instant::now(), step: Arc::new(AtomicU8::new(0)) }
    }

    /// A step begins.
    pub fn step(&self, number: u8, title: &str) {
        self.step.store(number, Relaxed);
        self.line("step", &format!("\n{number}/{STEPS}  {title}"), json!({ "title": title }));
    }

    /// Something happened: what people read, and the facts of it for programs.
    pub fn say(&self, event: &str, text: &str, facts: Value) {
        self.line(event, &format!("{:>6.1} s  {text}", self.began.elapsed().as_secs_f64()), facts);
    }

    /// The books, as a table.
    pub fn books(&self, books: &Books) {
        self.line("money", &table(books), json!(books));
    }

    /// Something to read outside the story's time.
    pub fn plain(&self, event: &str, text: &str, facts: Value) {
        self.line(event, text, facts);
    }

    fn line(&self, event: &str, text: &str, facts: Value) {
        let mut out = std::io::stdout().lock();
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = json!({ "at_ms": at_ms, "step": self.step.load(Relaxed), "event": event, "facts": facts });
        let written = if self.json { writeln!(out, "{line}") } else { writeln!(out, "{text}") };
        // Nobody listens any more (a closed pipe): the story goes on, its exit code still says how it ended.
        written.and_then(|()| out.flush()).ok();
    }
}

/// Amounts in TAO with every rao; sums of both columns below.
fn table(books: &Books) -> String {
    let mut lines = vec![
        format!("{:<16}{:>18}{:>18}{:>18}   what", "", "paid in, TAO", "got out, TAO", "gas, TAO (apart)"),
        "-".repeat(100),
    ];
    for row in &books.rows {
        let gas = u64::try_from(row.gas_wei.div_ceil(1_000_000_000)).unwrap_or(u64::MAX);
        let amount = |rao: u64| if rao == 0 { "-".to_owned() } else { tao(rao) };
        let (paid_in, got_out, gas) = (amount(row.paid_in_rao), amount(row.got_out_rao), amount(gas));
        lines.push(format!("{:<16}{paid_in:>18}{got_out:>18}{gas:>18}   {}", row.who, row.what));
    }
    lines.push("-".repeat(100));
    lines.push(format!("{:<16}{:>18}{:>18}", "sum", tao(books.paid_in_rao), tao(books.got_out_rao)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::Row;

    #[test]
    fn the_table_shows_every_rao() {
        let row = Row { who: "renter".into(), paid_in_rao: 1, got_out_rao: 0, gas_wei: 1, what: "rent".into() };
        let text = table(&Books { rows: vec![row], paid_in_rao: 1, got_out_rao: 1 });
        assert!(text.contains("renter") && text.contains("0.000000001"), "{text}");
    }
}
