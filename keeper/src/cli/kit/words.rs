//! Times, lengths and lists of facts in words.

pub(in crate::cli) use surety_client::units::date;

/// A length of time in its two largest parts: `13 days 2 hours`.
pub(in crate::cli) fn span(secs: u64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let largest = units.iter().position(|(size, _)| secs >= *size).unwrap_or(units.len() - 1);
    let mut parts = vec![part(secs / units[largest].0, units[largest].1)];
    if let Some((size, name)) = units.get(largest + 1) {
        let rest = secs % units[largest].0 / size;
        if rest > 0 {
            parts.push(part(rest, name));
        }
    }
    parts.join(" ")
}

fn part(count: u64, name: &str) -> String {
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// Rows of a name and a value, under a title.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::cli) struct Table {
    pub(in crate::cli) title: String,
    pub(in crate::cli) rows: Vec<(&'static str, String)>,
}

impl Table {
    pub(in crate::cli) fn new(title: String) -> Self {
        Self { title, rows: Vec::new() }
    }

    pub(in crate::cli) fn row(&mut self, name: &'static str, value: impl Into<String>) {
        self.rows.push((name, value.into()));
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.title)?;
        self.rows.iter().try_for_each(|(name, value)| writeln!(f, "  {name:<10} {value}"))
    }
}
