//! The `cargo isotest` command: builds, lists, runs and reports whole test suites, every test in a sandbox of its own.
//!
//! Data flows one way: `cli` (what was typed) → `compile` (cargo) → `list` (which tests, from which `binary`) → `choose`, `order`
//! (which of them, when) → `schedule` ⇄ `execute` (what is `running`, its `capture`d output) → `event` → `report` →
//! `exit_code`. `interrupt` is Ctrl-C and Ctrl-Z.

mod archive;
mod binary;
mod capture;
mod choose;
mod cli;
mod clock;
mod compile;
mod completions;
mod config;
mod configure;
mod doctests;
mod event;
mod execute;
mod exit_code;
mod filterset;
mod interrupt;
mod keys;
mod list;
mod listing;
mod manual;
mod merge;
mod nameless;
mod no_tests;
mod order;
mod partition;
mod patience;
mod processes;
mod record;
mod report;
mod run;
mod running;
mod schedule;
mod select;
mod setup_scripts;
mod show_config;
mod source;
mod suite;
mod watched;

use std::process::ExitCode;

use cli::{Cli, Command};
use exit_code::Code;

fn main() -> ExitCode {
    isotest::runner::link_door();
    // Cargo passes the subcommand's name along; the alias of this repository does not.
    let arguments = std::env::args_os().enumerate().filter(|(at, text)| !(*at == 1 && text == "isotest"));
    let done = match Cli::typed(arguments.map(|(_, text)| text)).what_to_do() {
        Command::Run(options) => run::run(&options),
        Command::List(options) => listing::list(&options),
        Command::Archive(options) => archive::make(&options),
        Command::Merge(options) => merge::merge(&options),
        Command::ShowConfig(options) => show_config::show(&options),
        Command::Completions(options) => completions::print(&options),
        Command::Man(options) => manual::write(&options),
    };
    done.unwrap_or_else(|problem| {
        report::terminal::error(&problem.message);
        problem.code
    })
    .into()
}

/// Why nothing could be run.
struct Problem {
    message: String,
    code: Code,
}
