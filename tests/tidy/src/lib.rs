//! House rules, checked like anything else: sizes, columns, purity of the core, no code that a contract must not have.

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Folders that hold nothing written by hand.
const SKIPPED: &[&str] = &["target", "node_modules", "out", "cache", ".git", "dist"];

/// Every file below `folder` (relative to the root) with one of these endings, sorted.
pub fn files(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&root().join(folder), endings, &mut found);
    found.sort();
    found
}

fn collect(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

/// A function's name and length in lines, found by the column of its first and last line. Formatters put a closing
/// brace in the column of the line that opened the item, so text is enough.
pub fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closes = |l: &&str| l.len() - l.trim_start().len() == indent && l.trim_start().starts_with('}');
        if line.trim_end().ends_with(['}', ';']) {
            continue;
        }
        if let Some(length) = lines[start..].iter().position(closes) {
            found.push((name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "pub" | "pub(super)" | "pub(crate)" | "async" | "const" | "unsafe" | "extern" => {}
            "fn" | "function" => return words.next().map(|w| w.split(['(', '<']).next().unwrap_or(w).to_string()),
            _ => return None,
        }
    }
    None
}
