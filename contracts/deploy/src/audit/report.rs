//! What an audit found, for readers and for programs.

use crate::network::Network;
use serde::Serialize;
use std::fmt;
use surety_client::units::tao;
use surety_core::types::{Account, Hash32};

/// How a question was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as it should be.
    Holds,
    /// It is not.
    Broken,
    /// The node could not or would not say.
    Unproved,
    /// Worth knowing, and neither good nor bad.
    Note,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Part {
    Record,
    Code,
    Creation,
    Settings,
    Owner,
    Ledgers,
    Chain,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about.
    pub part: Part,
    /// How it was answered.
    pub verdict: Verdict,
    /// In words.
    pub says: String,
}

/// The books of one contract, recounted. Every `parts` sum is what the contract owes by its records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Which contract.
    pub contract: &'static str,
    /// Owed by its records: what for, and how many rao.
    pub parts: Vec<(&'static str, u64)>,
    /// The parts' sum, in rao.
    pub owed_rao: u64,
    /// What the contract itself says that it owes, in rao.
    pub liabilities_rao: u64,
    /// What it must have beyond that and is visible, in rao.
    pub seed_rao: u64,
    /// What it has, in wei, decimal.
    pub balance_wei: String,
    /// What it has beyond both, in wei, decimal; came unasked, and is burned by `sweep`. None: it lacks some.
    pub surplus_wei: Option<String>,
}

/// Somebody, and what they can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Power {
    /// In the system.
    pub role: &'static str,
    /// Who; none: anybody.
    pub who: Option<Account>,
    /// More about who that is.
    pub is: String,
    /// What they can do, and what not.
    pub can: &'static str,
}

/// An audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Of which chain.
    pub network: Network,
    /// Every view was read at this block.
    pub block: u64,
    /// Its hash.
    pub block_hash: Hash32,
    /// Its time, Unix seconds.
    pub block_secs: u64,
    /// Every answer.
    pub lines: Vec<Line>,
    /// Recounted books.
    pub sums: Vec<Sum>,
    /// Who can do what.
    pub powers: Vec<Power>,
    /// Whether everything holds: nothing broken, nothing unproved.
    pub holds: bool,
}

/// Collects lines of one part.
#[derive(Debug)]
pub(super) struct Lines {
    part: Part,
    pub(super) all: Vec<Line>,
}

impl Lines {
    pub(super) fn new(part: Part) -> Self {
        Self { part, all: Vec::new() }
    }

    fn push(&mut self, verdict: Verdict, says: String) {
        self.all.push(Line { part: self.part, verdict, says });
    }

    pub(super) fn holds(&mut self, says: impl Into<String>) {
        self.push(Verdict::Holds, says.into());
    }

    pub(super) fn broken(&mut self, says: impl Into<String>) {
        self.push(Verdict::Broken, says.into());
    }

    pub(super) fn unproved(&mut self, says: impl Into<String>) {
        self.push(Verdict::Unproved, says.into());
    }

    pub(super) fn note(&mut self, says: impl Into<String>) {
        self.push(Verdict::Note, says.into());
    }

    /// One line that says it holds, unless something was found since `before` lines.
    pub(super) fn holds_unless_found(&mut self, before: usize, says: impl Into<String>) {
        let fine = |line: &Line| matches!(line.verdict, Verdict::Holds | Verdict::Note);
        if self.all.iter().skip(before).all(fine) {
            self.holds(says);
        }
    }
}

impl Report {
    /// Lines that are broken or unproved.
    pub fn findings(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.verdict, Verdict::Broken | Verdict::Unproved))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "ok      ",
            Self::Broken => "BROKEN  ",
            Self::Unproved => "UNPROVED",
            Self::Note => "note    ",
        })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:<9} {}", self.verdict, format!("{:?}", self.part).to_lowercase(), self.says)
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.contract)?;
        for (what, rao) in &self.parts {
            writeln!(f, "  {:>22}  {what}", tao(*rao))?;
        }
        writeln!(f, "  {:>22}  = owed by its records", tao(self.owed_rao))?;
        writeln!(f, "  {:>22}  liabilities, as it says itself", tao(self.liabilities_rao))?;
        let surplus = self.surplus_wei.as_deref().map_or("LACKS MONEY".into(), |wei| format!("surplus {wei} wei"));
        write!(f, "  balance {} wei, {} rao of it seed; {surplus}", self.balance_wei, self.seed_rao)
    }
}

impl fmt::Display for Power {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = self.who.map_or_else(|| "anybody".into(), |who| who.to_string());
        write!(f, "{:<12} {who:<42} {}\n             {}", self.role, self.is, self.can)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} at block {} ({}), Unix time {}", self.network, self.block, self.block_hash, self.block_secs)?;
        writeln!(f)?;
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        writeln!(f, "\nThe books, in TAO")?;
        self.sums.iter().try_for_each(|sum| writeln!(f, "{sum}"))?;
        writeln!(f, "\nWho can do what")?;
        self.powers.iter().try_for_each(|power| writeln!(f, "{power}"))?;
        let found = self.findings().count();
        match (self.holds, found) {
            (true, _) => write!(f, "\neverything holds"),
            (false, 1) => write!(f, "\n1 finding: do not trust this deployment before it is explained"),
            (false, found) => write!(f, "\n{found} findings: do not trust this deployment before they are explained"),
        }
    }
}
