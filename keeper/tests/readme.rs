//! README and the documents beside it: every command that they show is one that the program takes.
#![allow(clippy::unwrap_used)]

use clap::Parser;
use std::path::{Path, PathBuf};
use surety::cli::Cli;

/// What the documents leave to the reader; `0x…` and `0x12...` are a machine or an account.
const LEFT_OUT: [(&str, &str); 5] = [
    ("5…", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    ("5...", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"),
    ("MACHINE", "0x…"),
    ("KEYS", "/tmp/keys"),
    ("$key", "--coldkey-file coldkey"),
];

const MACHINE: &str = "0x20adb98228bc61b967f20862da71e3a14bfa2b6c75a19e82740823885f3d5098";
const ACCOUNT: &str = "0x214ddd1ea1314db4d0e3a5b702e39435f4113cc5";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Lines of the `sh` blocks that begin with `surety `, whole and without comments.
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut inside, mut held) = (Vec::new(), false, String::new());
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
            continue;
        }
        if !inside {
            continue;
        }
        // What follows goes to another program or a file.
        let code = line.split(" #").next().unwrap().split(" | ").next().unwrap().split(" > ").next().unwrap().trim();
        match code.strip_suffix('\\') {
            Some(part) => held.push_str(part),
            None => {
                held.push_str(code);
                found.extend(Some(std::mem::take(&mut held)).filter(|whole| whole.starts_with("surety ")));
            }
        }
    }
    found
}

/// Words as a shell splits them: quotes keep spaces.
fn words(command: &str, id: &str) -> Vec<String> {
    let filled = LEFT_OUT.iter().fold(command.to_owned(), |text, (left, filled)| text.replace(left, filled));
    let filled = filled.replace("$side", "--deployment deployments/964.json --evm-rpc http://127.0.0.1:9944");
    let filled = filled.replace("0x…", id).replace("0x12...", id);
    let mut words = Vec::new();
    for (index, part) in filled.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Why a command is not taken. Settings may come from the environment, as the documents' own `export` lines say.
fn refusal(words: &[String]) -> Option<clap::Error> {
    let refused = Cli::try_parse_from(words).err()?;
    (refused.kind() != clap::error::ErrorKind::MissingRequiredArgument).then_some(refused)
}

#[test]
fn every_command_that_the_documents_show_is_taken() {
    let mut shown = 0;
    for document in
        ["README.md", "keeper/ALPHA.md", "keeper/CLI.md", "deployments/README.md", "verifier/node/README.md"]
    {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        for command in commands(&text) {
            shown += 1;
            let refused = [MACHINE, ACCOUNT].map(|id| refusal(&words(&command, id)));
            if let [Some(error), Some(_)] = refused {
                panic!("{document}: {command}\n{error}");
            }
        }
    }
    assert!(shown > 40, "only {shown} commands were found");
}

#[test]
fn what_a_document_shows_wrongly_is_found() {
    for wrong in ["surety markt", "surety rent MACHINE --fur 10m", "surety node deposit --machine 0x12 --amount 1"] {
        assert!(refusal(&words(wrong, MACHINE)).is_some(), "{wrong}");
    }
    assert_eq!(commands("```sh\nsurety a \\\n  --b # c\n```\nsurety d\n"), ["surety a --b"]);
}
