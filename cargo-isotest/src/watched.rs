//! How does a debugger or a tracer get one test? It starts the test binary inside the sandbox, and nothing there has a time limit.
//!
//! A debugger gets the terminal as well, by its name: what runs in a sandbox inherits none. The terminal stays that of this
//! program's session, so Ctrl-C comes here and is passed on.

use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use nix::unistd::ttyname;

use crate::Problem;
use crate::cli::{CommandLine, Running};
use crate::compile::Runner;
use crate::config::{Retries, SlowTimeout};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::Listed;

/// More than anybody sits before a debugger.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Has the test that was chosen be watched, if somebody wants that.
///
/// # Errors
///
/// When it is not exactly one test, or a debugger would have no terminal.
pub(crate) fn prepare(listed: &mut Listed<'_>, typed: &Running, interrupt: &mut Interrupt) -> Result<(), Problem> {
    let (option, watcher) = match (&typed.debugger, &typed.tracer) {
        (Some(debugger), _) => ("--debugger", with_terminal(debugger)?),
        (None, Some(tracer)) => ("--tracer", found_in_path("exec \"$@\"", tracer)),
        (None, None) => return Ok(()),
    };
    let [test] = listed.tests.as_mut_slice() else { return Err(not_one(listed, option)) };
    Rc::make_mut(&mut test.spec).timeout = None;
    let settings = Rc::make_mut(&mut test.settings);
    settings.retries.value = Retries::at_once(0);
    settings.slow_timeout.value = SlowTimeout::after(FOR_EVER);
    listed.binaries[test.binary].watched_by(watcher);
    if typed.debugger.is_some() {
        interrupt.pass_on_ctrl_c().map_err(|error| failed(format!("watching for Ctrl-C: {error}")))?;
    }
    Ok(())
}

/// With the terminal as its standard input, and as its outputs where they are ours.
fn with_terminal(debugger: &CommandLine) -> Result<Runner, Problem> {
    if !io::stdin().is_terminal() {
        return Err(failed("--debugger wants a terminal to be standard input, and here it is none".to_owned()));
    }
    let name = |stream: &dyn AsFd| ttyname(stream.as_fd()).map(|path| path.to_string_lossy().into_owned());
    let stdin =
        name(&io::stdin()).map_err(|errno| failed(format!("--debugger: finding the terminal's name: {errno}")))?;
    let mut script = "exec \"$@\"".to_owned();
    script.push_str(&format!(" <{}", crate::report::quoted(&stdin)));
    for (redirection, stream) in [(">", &io::stdout() as &dyn AsFd), ("2>", &io::stderr())] {
        if let Ok(name) = name(stream) {
            script.push_str(&format!(" {redirection}{}", crate::report::quoted(&name)));
        }
    }
    Ok(found_in_path(&script, debugger))
}

/// A shell finds it, and runs it as the script says.
fn found_in_path(script: &str, watcher: &CommandLine) -> Runner {
    let first = ["-c", script, "sh"].map(str::to_owned);
    Runner {
        program: PathBuf::from("/bin/sh"),
        arguments: first.into_iter().chain(watcher.0.iter().cloned()).collect(),
    }
}

fn not_one(listed: &Listed<'_>, option: &str) -> Problem {
    /// So many are named.
    const NAMED: usize = 8;
    if listed.tests.is_empty() {
        return failed(format!("{option} wants exactly one test, and none was chosen"));
    }
    let mut message = format!("{option} wants exactly one test, and {} were chosen:", listed.tests.len());
    for test in listed.tests.iter().take(NAMED) {
        message.push_str(&format!("\n  {} {}", listed.binaries[test.binary].binary.id, test.name));
    }
    if listed.tests.len() > NAMED {
        message.push_str(&format!("\n  … and {} more", listed.tests.len() - NAMED));
    }
    failed(message)
}

fn failed(message: String) -> Problem {
    Problem { message, code: Code::SetupFailed }
}
