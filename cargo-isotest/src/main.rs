//! The `cargo isotest` command: builds, lists, runs and reports whole test suites, every test in a sandbox of its own.
//!
//! Data flows one way: `cli` (what was typed) → `compile` (cargo) → `list` (which tests) → `execute` (in sandboxes) →
//! `report` → `exit_code`.

mod cli;
mod compile;
mod execute;
mod exit_code;
mod list;
mod report;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    isotest::runner::link_door();
    // Cargo passes the subcommand's name along; the alias of this repository does not.
    let arguments = std::env::args_os().enumerate().filter(|(at, text)| !(*at == 1 && text == "isotest"));
    let options = cli::Cli::parse_from(arguments.map(|(_, text)| text)).options();
    match run(&options) {
        Ok(code) => code.into(),
        Err(problem) => {
            report::error(&problem.message);
            problem.code.into()
        }
    }
}

/// Why nothing could be run.
struct Problem {
    message: String,
    code: exit_code::Code,
}

fn run(options: &cli::Run) -> Result<exit_code::Code, Problem> {
    let binaries = compile::binaries(options)?;
    let listed = list::tests(&binaries, options)?;
    let mut report = report::Report::new(options, listed.tests.len(), listed.binaries.len(), listed.skipped);
    execute::all(&listed, options, &mut |event| report.show(event));
    Ok(report.finish())
}
