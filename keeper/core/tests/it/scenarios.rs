//! Replays every `tests/scenarios/*.txt` and compares with the `.golden` beside it. `UPDATE_GOLDEN=1` rewrites them.

use crate::script::golden;
use std::path::PathBuf;

fn scripts() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    found.sort();
    found
}

#[test]
fn every_scenario_gives_its_golden_output() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let scripts = scripts();
    assert!(scripts.len() >= 14, "only {} scenarios found", scripts.len());
    let mut wrong = Vec::new();
    for path in scripts {
        let script = std::fs::read_to_string(&path).unwrap();
        assert!(script.starts_with('#'), "{}: the first line says why", path.display());
        let got = golden(&script);
        let beside = path.with_extension("golden");
        if update {
            std::fs::write(&beside, &got).unwrap();
            continue;
        }
        let want = std::fs::read_to_string(&beside).unwrap_or_default();
        if got != want {
            let at = got.lines().zip(want.lines()).position(|(got, want)| got != want);
            let line = at.unwrap_or(want.lines().count());
            let (now, before) = (got.lines().nth(line).unwrap_or("(end)"), want.lines().nth(line).unwrap_or("(end)"));
            wrong.push(format!("{}:{}\n  was {before}\n  now {now}", beside.display(), line + 1));
        }
    }
    assert!(wrong.is_empty(), "{}\nUPDATE_GOLDEN=1 rewrites them", wrong.join("\n"));
}
