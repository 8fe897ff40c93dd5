//! `surety completions` and `surety reference`: what the command line says of itself, for shells and as a page.

use super::kit::exit;
use clap::{Arg, Command};
use std::fmt::Write;

/// Most of a line that a page of Markdown quotes whole.
const HEAD: &str = "# The command line `surety`\n\nWritten by `surety reference`; a test compares.\n\n";

/// The completion script for a shell.
pub(super) fn completions(shell: clap_complete::Shell, mut command: Command) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "surety", &mut script);
    script
}

/// Every command as Markdown.
pub(super) fn page(mut command: Command) -> String {
    command.build();
    let mut page = HEAD.to_owned();
    writeln!(page, "{}\n", exit::HELP.replace('\n', " ")).ok();
    section(&command, "surety", &mut page);
    format!("{}\n", page.trim_end())
}

fn section(command: &Command, name: &str, page: &mut String) {
    let own = command.get_arguments().filter(|arg| !arg.is_hide_set() && !is_everywhere(arg));
    let arguments: Vec<&Arg> = own.collect();
    let subcommands: Vec<&Command> =
        command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help").collect();
    writeln!(page, "## `{name}`\n").ok();
    if let Some(about) = command.get_long_about().or(command.get_about()) {
        writeln!(page, "{}\n", paragraph(&about.to_string())).ok();
    }
    if !arguments.is_empty() {
        writeln!(page, "| | |\n|---|---|").ok();
        arguments.iter().for_each(|arg| row(arg, page));
        page.push('\n');
    }
    for sub in subcommands {
        section(sub, &format!("{name} {}", sub.get_name()), page);
    }
}

/// What every command has: said once, at the top.
fn is_everywhere(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

/// A text in one line, with the example as code.
fn paragraph(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.split_once("Example: ") {
        Some((before, example)) => format!("{}\n\n```sh\n{example}\n```", before.trim_end()),
        None => line,
    }
}

fn row(arg: &Arg, page: &mut String) {
    let values = || {
        let names = arg.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}"));
        if arg.get_action().takes_values() { names.collect::<String>() } else { String::new() }
    };
    let name = match arg.get_long() {
        Some(long) => format!("--{long}{}", values()),
        None => values().trim_start().to_owned(),
    };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        words.push_str(&format!(" Default: `{}`.", defaults.join(" ")));
    }
    if let Some(variable) = arg.get_env() {
        words.push_str(&format!(" Environment: `{}`.", variable.to_string_lossy()));
    }
    let name = name.replace('|', "\\|");
    writeln!(page, "| `{name}` | {} |", words.replace('|', "\\|")).ok();
}
