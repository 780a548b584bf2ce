//! The `cargo isotest` command: builds, lists, runs and reports whole test suites, every test in a sandbox of its own.
//!
//! Data flows one way: `cli` (what was typed) → `compile` (cargo) → `list` (which tests, from which `binary`) →
//! `schedule` ⇄ `execute` (what is `running`, its `capture`d output) → `report` → `exit_code`. `interrupt` is Ctrl-C.

mod binary;
mod capture;
mod cli;
mod compile;
#[expect(dead_code, unused_imports, reason = "wired in by the next commit")]
mod config;
mod execute;
mod exit_code;
#[cfg_attr(not(test), expect(dead_code, reason = "wired in by the next commit"))]
mod filterset;
mod interrupt;
mod list;
#[cfg_attr(not(test), expect(dead_code, reason = "wired in by the next commit"))]
mod partition;
mod report;
mod running;
mod schedule;
#[expect(dead_code, reason = "wired in by the next commit")]
mod select;

use std::process::ExitCode;

use clap::Parser;
use isotest::runner::Unavailable;

use interrupt::Interrupt;

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
    let code = exit_code::Code::ListFailed;
    let failed = |message: String| Problem { message, code };
    let unavailable = Unavailable::chosen().map_err(failed)?;
    let interrupt = Interrupt::watch().map_err(|error| failed(format!("cannot watch for signals: {error}")))?;
    let binaries = compile::binaries(options, &interrupt)?;
    let listed = list::tests(&binaries, options, &interrupt)?;
    let mut report = report::Report::new(options, &listed, unavailable);
    let executed = execute::all(&listed, options, unavailable, &interrupt, &mut |event| report.show(event));
    executed.map_err(|error| failed(format!("cannot wait for the tests: {error}")))?;
    drop(listed); // Ends the servers, and with them whatever still runs, before the summary says that all is over.
    Ok(report.finish())
}
