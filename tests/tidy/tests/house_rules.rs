//! See `CONTRIBUTING` in README.md: these are its numbers.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use surety_tidy::{files, functions, root};

const RUST: &[&str] = &["contracts/compile", "contracts/deploy", "contracts/ink", "keeper", "verifier", "tests"];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn report(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

fn rust_files() -> Vec<std::path::PathBuf> {
    RUST.iter().flat_map(|folder| files(folder, &[".rs"])).collect()
}

fn longer_than(paths: &[std::path::PathBuf], lines_max: usize) -> Vec<String> {
    let long = |path: &&std::path::PathBuf| read(path).lines().count() > lines_max;
    paths.iter().filter(long).map(|p| format!("{}: more than {lines_max} lines", p.display())).collect()
}

#[test]
fn rust_files_have_at_most_500_lines() {
    report(longer_than(&rust_files(), 500));
}

#[test]
fn solidity_files_have_at_most_400_lines() {
    report(longer_than(&files("contracts/src", &[".sol"]), 400));
}

fn typescript() -> Vec<std::path::PathBuf> {
    let written = files("keeper", &[".ts", ".tsx", ".mjs"]).into_iter().chain(files("tests", &[".ts", ".mjs"]));
    // The contracts' ABIs are generated.
    written.filter(|path| !path.components().any(|part| part.as_os_str() == "abi")).collect()
}

#[test]
fn typescript_files_have_at_most_400_lines_of_120_columns() {
    let mut broken = longer_than(&typescript(), 400);
    for path in typescript() {
        for (number, line) in read(&path).lines().enumerate() {
            // A sentence to be shown cannot be broken by a formatter.
            if line.chars().count() > 120 && !line.contains(['"', '`', '/']) {
                broken.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    report(broken);
}

/// What miners and renters write on chain is text: nothing of the page may turn text into HTML.
#[test]
fn the_page_never_turns_text_into_html() {
    let ways = ["dangerouslySetInnerHTML", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("];
    for path in files("keeper/page/src", &[".ts", ".tsx"]) {
        let text = read(&path);
        let found = ways.iter().find(|way| text.contains(**way));
        assert!(found.is_none(), "{} has {found:?}", path.display());
    }
}

#[test]
fn functions_have_at_most_70_lines() {
    let mut broken = Vec::new();
    let solidity = [files("contracts/src", &[".sol"]), files("contracts/test", &[".sol"])].concat();
    for path in rust_files().into_iter().chain(solidity) {
        for (name, lines) in functions(&read(&path)) {
            if lines > 70 {
                broken.push(format!("{}: {name} has {lines} lines", path.display()));
            }
        }
    }
    report(broken);
}

#[test]
fn lines_have_at_most_120_columns() {
    let mut broken = Vec::new();
    let solidity = [files("contracts/src", &[".sol"]), files("contracts/test", &[".sol"])].concat();
    for path in rust_files().into_iter().chain(solidity) {
        for (number, line) in read(&path).lines().enumerate() {
            // Literals cannot be broken by a formatter; everything else can.
            let literal = line.contains('"') || line.contains("http");
            if line.chars().count() > 120 && !literal {
                broken.push(format!("{}:{}", path.display(), number + 1));
            }
        }
    }
    report(broken);
}

/// The compiler enforces that the core is pure: what is not among its dependencies cannot be called.
#[test]
fn the_core_depends_on_nothing_impure() {
    let manifest = read(&root().join("keeper/core/Cargo.toml"));
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("[dev-dependencies]").next().unwrap();
    let allowed = ["hex", "serde", "serde_json", "serde_json_canonicalizer", "sha3", "thiserror"];
    for line in dependencies.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('[')) {
        let name = line.split(['.', ' ', '=']).next().unwrap();
        assert!(allowed.contains(&name), "keeper/core must not depend on {name}");
    }
    for path in files("keeper/core/src", &[".rs"]) {
        let text = read(&path);
        for word in ["std::time", "std::fs", "std::net::Tcp", "std::thread", "f32", "f64"] {
            let used = text.lines().any(|l| l.contains(word) && !l.trim_start().starts_with("//"));
            assert!(!used, "{} uses {word}", path.display());
        }
    }
}

/// SPEC invariant 9, D1, D2, D6: every call that is not to a sibling is in Subtensor.sol; nothing delegates; nothing
/// is transient.
#[test]
fn contracts_call_only_precompiles_and_siblings() {
    for path in files("contracts/src", &[".sol"]) {
        let text = read(&path);
        let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        for word in ["delegatecall", "callcode", "tstore", "tload", "transient", "selfdestruct", "tx.origin"] {
            assert!(!code.contains(word), "{} uses {word}", path.display());
        }
        let raw_call = code.contains(".call{") || code.contains(".call(") || code.contains(".staticcall");
        assert!(!raw_call || path.ends_with("libraries/Subtensor.sol"), "{} makes a raw call", path.display());
        let pushes = code.contains(".transfer(") || code.contains(".send(") || code.contains("sendValue");
        assert!(!pushes, "{} pushes money", path.display());
    }
}

/// The project speaks of itself alone.
#[test]
fn no_file_names_a_workplace() {
    let words = ["/work/", concat!("/root", "/."), concat!("regis", "try.npmjs"), concat!("crates", ".io/")];
    for path in files("", &[".rs", ".sol", ".md", ".toml", ".sh", ".json"]) {
        let vendored = path.ends_with("package-lock.json") || path.components().any(|c| c.as_os_str() == "vectors");
        if vendored || path.ends_with("house_rules.rs") {
            continue;
        }
        let text = read(&path);
        for word in words {
            assert!(!text.contains(word), "{} contains {word}", path.display());
        }
    }
}

/// Every external function of the contracts that changes something is specified on a page: `test/**/<function>.tree`
/// (that tests and trees agree is bulloak's to check).
#[test]
fn every_function_that_changes_state_has_its_tree() {
    let stem = |path: &Path| path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let trees: Vec<String> = files("contracts/test", &[".tree"]).iter().map(|path| stem(path)).collect();
    let mut found = 0;
    for path in files("contracts/src/interfaces", &[".sol"]).iter().filter(|path| stem(path) != "ISubtensor") {
        for declaration in read(path).split("    function ").skip(1) {
            let declaration = declaration.split(';').next().unwrap_or_default();
            let name = declaration.split('(').next().unwrap_or_default().to_owned();
            if declaration.contains(" view") || declaration.contains(" pure") {
                continue;
            }
            found += 1;
            assert!(trees.contains(&name), "{}: {name} has no {name}.tree", path.display());
        }
    }
    assert!(found > 30, "only {found} functions were found in the interfaces");
}
