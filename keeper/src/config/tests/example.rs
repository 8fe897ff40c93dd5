//! `keeper/keeper.toml.example` says what the code does: it is read by the same code, names every key there is, and its
//! defaults are the code's.

use super::*;

const EXAMPLE: &str = include_str!("../../../keeper.toml.example");

/// A setting at its default: `#name = value`. Text for people has a space after its `#`.
fn is_default(line: &str) -> bool {
    let named = line.strip_prefix('#').and_then(|rest| rest.split_once(" = "));
    named.is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
}

/// The example with every default written out.
fn spelt_out() -> Table {
    let lines = EXAMPLE.lines().map(|line| if is_default(line) { &line[1..] } else { line });
    lines.collect::<Vec<_>>().join("\n").parse().unwrap()
}

/// What the code makes of the example, with every key it knows.
fn as_read() -> Table {
    let file: File = toml::from_str(EXAMPLE).unwrap();
    Table::try_from(file).unwrap()
}

#[test]
fn the_example_is_a_configuration_that_a_public_chain_takes() {
    let file: File = toml::from_str(EXAMPLE).unwrap();
    for chain_id in [964, 945, 31_337] {
        check(&file, chain_id).unwrap();
    }
}

#[test]
fn the_example_names_every_key_and_each_default_is_the_codes() {
    let (written, known) = (spelt_out(), as_read());
    for (section, of_section) in &known {
        let beside = written.get(section).unwrap_or_else(|| panic!("the example lacks {section}"));
        let Some(keys) = of_section.as_table() else {
            assert_eq!(beside, of_section, "{section}");
            continue;
        };
        for (key, value) in keys {
            let beside = beside.get(key).unwrap_or_else(|| panic!("the example lacks {section}.{key}"));
            assert_eq!(beside, value, "{section}.{key}");
        }
    }
    // The other way round: nothing that the code does not know.
    assert_eq!(written, known);
    let rules = known["rules"].as_table().unwrap().len();
    assert!(rules > 30, "only {rules} rules were compared");
}

#[test]
fn every_key_of_the_example_has_its_comment() {
    let mut before = "";
    let mut keys = 0;
    for line in EXAMPLE.lines() {
        if is_default(line) || (line.contains(" = ") && !line.starts_with('#')) {
            assert!(before.starts_with("# "), "no comment before: {line}");
            keys += 1;
        }
        assert!(line.chars().count() <= 120, "longer than 120 columns: {line}");
        before = line;
    }
    assert!(keys > 50, "only {keys} keys found");
}
