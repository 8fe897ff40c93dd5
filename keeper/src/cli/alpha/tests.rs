#![allow(clippy::unwrap_used)]
use super::AlphaCommand;
use super::words::span;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: AlphaCommand,
}

const VAULT: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const MACHINE: &str = "0x3333333333333333333333333333333333333333333333333333333333333333";

/// What the command line says to a deposit with these in place of what is right.
fn deposit(changes: &[(&str, &str)]) -> Result<Line, String> {
    let mut line = vec![
        ("--machine", MACHINE),
        ("--hotkey", VAULT),
        ("--amount", "12.5"),
        ("--vault", VAULT),
        ("--rpc", "http://127.0.0.1:9944"),
        ("--dev", "//Alice"),
    ];
    for (name, value) in changes {
        line.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value);
    }
    let words = line.into_iter().flat_map(|(name, value)| [name, value]);
    Line::try_parse_from(["alpha", "deposit"].into_iter().chain(words)).map_err(|error| error.to_string())
}

#[test]
fn what_is_no_address_amount_machine_or_network_is_refused_by_name_before_anything_is_asked() {
    assert!(deposit(&[]).is_ok());
    for (name, value, want) in [
        (
            "--vault",
            "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",
            "address of another network (prefix 0, Polkadot)",
        ),
        ("--hotkey", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX", "the checksum does not fit"),
        ("--vault", "0x1111111111111111111111111111111111111111", "this is an EVM address"),
        ("--amount", "12.0000000001", "want at most 9"),
        ("--amount", "-1", "unexpected argument"),
        ("--amount", "1e3", "is no amount"),
        ("--machine", "0x33", "32 bytes"),
    ] {
        let said = deposit(&[(name, value)]).unwrap_err();
        assert!(said.contains(want), "{name} {value}: {said}");
    }
}

#[test]
fn an_exit_names_an_amount_or_all_of_it() {
    let exit = |more: &[&str]| {
        let line = ["alpha", "exit", "--machine", MACHINE, "--vault", VAULT, "--rpc", "http://n", "--dev", "//Alice"];
        Line::try_parse_from(line.iter().chain(more)).is_ok()
    };
    assert!(exit(&["--all"]) && exit(&["--amount", "1"]));
    assert!(!exit(&[]) && !exit(&["--all", "--amount", "1"]));
}

#[test]
fn spans_are_told_in_their_two_largest_parts() {
    for (secs, words) in [
        (0, "0 seconds"),
        (1, "1 second"),
        (61, "1 minute 1 second"),
        (3_600, "1 hour"),
        (86_400 * 14, "14 days"),
        (86_400 + 3_600 * 2 + 59, "1 day 2 hours"),
    ] {
        assert_eq!(span(secs), words);
    }
}

#[test]
fn what_keepers_state_is_asked_for_by_machine_or_case_and_needs_the_contracts() {
    let parsed = |line: &str| Line::try_parse_from(line.split_whitespace()).map_err(|error| error.to_string());
    let side = "--deployment d.json --evm-rpc http://n";
    assert!(parsed(&format!("alpha state --machine {MACHINE} {side}")).is_ok());
    let native = format!("--vault {VAULT} --rpc http://n --dev //Alice");
    assert!(parsed(&format!("alpha case --case 7 --verdict {side} {native}")).is_ok());
    let bare = parsed(&format!("alpha case --case 7 {native}")).unwrap_err();
    assert!(bare.contains("--deployment"), "{bare}");
    let none = parsed(&format!("alpha case --case x {side} {native}")).unwrap_err();
    assert!(none.contains("invalid digit"), "{none}");
}
