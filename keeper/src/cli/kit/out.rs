//! What goes out: one answer on standard output, either for people or one JSON document, and progress beside it.

use serde_json::{Value, json};
use std::io::{IsTerminal, Write};

/// How a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) struct Out {
    /// One JSON document instead of words.
    pub(in crate::cli) json: bool,
}

impl Out {
    /// Words for people; nothing with `--json`.
    pub(in crate::cli) fn say(self, words: impl std::fmt::Display) {
        if !self.json {
            print(&format!("{words}\n"));
        }
    }

    /// The whole answer: words for people, or the document.
    pub(in crate::cli) fn answer(self, words: impl std::fmt::Display, document: impl FnOnce() -> Value) {
        match self.json {
            true => print(&format!("{}\n", document())),
            false => print(&format!("{}\n", words.to_string().trim_end_matches('\n'))),
        }
    }

    /// What is being done, on standard error: for whoever waits.
    pub(in crate::cli) fn progress(self, words: impl std::fmt::Display) {
        if std::io::stderr().is_terminal() || !self.json {
            writeln!(std::io::stderr(), "{words}").ok();
        }
    }
}

/// Why there is no answer, in the form that was asked for.
pub(in crate::cli) fn failed(error: &anyhow::Error, status: u8, json: bool) {
    let message = format!("{error:#}");
    if json {
        print(&format!("{}\n", json!({ "error": { "status": status, "message": message } })));
    }
    writeln!(std::io::stderr(), "surety: {message}").ok();
}

/// Whoever reads may stop reading, as `head` does: that is no failure of ours.
pub(in crate::cli) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
