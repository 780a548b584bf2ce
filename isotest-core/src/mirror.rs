//! Runs a test in a sandbox and mirrors it in this process: its output through `print!`, so that libtest captures it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::Spec;
use crate::client::{Client, Pending, Started};
use crate::diagnose::explain;
use crate::harness::{Filter, printable};
use crate::outcome::{Failure, Outcome, Stage, Word};
use crate::protocol::{Isolation, Program, Run, Target};
use crate::test_process::harness_arguments;
use crate::unavailable::Unavailable;

/// This process's fork server, once there is one; a dead one is replaced.
static SERVER: Mutex<Option<Arc<Client>>> = Mutex::new(None);

/// Runs `test` in a sandbox; says how it ended and what its wrapper said. Where the machine refuses, the user's choice
/// decides what happens instead.
pub(crate) fn run_elsewhere(test: &str, spec: &Spec) -> (Outcome, Word) {
    let (outcome, word) = run_with(test, spec, Isolation::Required);
    let Outcome::SetupFailed(failure) = &outcome else { return (outcome, word) };
    let unavailable = if failure.is_refusal() { Unavailable::chosen() } else { Ok(Unavailable::Fail) };
    match unavailable {
        Ok(Unavailable::Fail) => {
            explain_once(test, failure);
            (outcome, word)
        }
        Ok(Unavailable::Skip) => {
            eprintln!("isotest: skipped `{test}`, which this machine cannot isolate ({failure})");
            (Outcome::Skipped(failure.clone()), word)
        }
        Ok(Unavailable::Run) => {
            eprintln!("isotest: running `{test}` without isolation ({failure})");
            run_with(test, spec, Isolation::None)
        }
        Err(problem) => {
            eprintln!("isotest: {problem}");
            (outcome, word)
        }
    }
}

/// One cause, one report: a suite of a thousand tests says it once.
fn explain_once(test: &str, failure: &Failure) {
    static FIRST: OnceLock<String> = OnceLock::new();
    let first = FIRST.get_or_init(|| test.to_owned());
    if first == test {
        eprint!("{}", explain(test, failure));
    } else {
        eprintln!("error: cannot isolate `{test}`, see the report of `{first}`");
    }
}

fn run_with(test: &str, spec: &Spec, isolation: Isolation) -> (Outcome, Word) {
    attempt(test, spec.clone(), isolation).unwrap_or_else(|failure| (Outcome::SetupFailed(failure), Word::None))
}

fn attempt(test: &str, spec: Spec, isolation: Isolation) -> Result<(Outcome, Word), Failure> {
    let server = server().map_err(failed("starting the fork server of this test binary"))?;
    let (out, out_writer) = pipe().map_err(failed("making a pipe"))?;
    let (err, err_writer) = pipe().map_err(failed("making a pipe"))?;
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let run = Run {
        test: test.to_owned(),
        spec,
        keep: crate::keep::paths().to_vec(),
        target: target(&server, test).map_err(failed("finding this test binary"))?,
        label: format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)),
        isolation,
    };
    let Ok(pending) = server.run(run, out_writer, err_writer) else {
        forget(&server);
        return Ok((Outcome::ServerKilled, Word::None));
    };
    copy(out, err, &pending, test).map_err(failed("reading the test's output"))?;
    match pending.report().map_err(failed("reading the report"))? {
        Some(report) => Ok((Outcome::of(&report, false), report.word)),
        None if server.is_alive() => Ok((Outcome::Killed, Word::None)),
        None => {
            forget(&server);
            Ok((Outcome::ServerKilled, Word::None))
        }
    }
}

fn target(server: &Client, test: &str) -> io::Result<Target> {
    if server.can_return() {
        return Ok(Target::Body);
    }
    Ok(Target::Exec(Program {
        program: std::env::current_exe()?,
        arguments: harness_arguments(test).map(str::to_owned).to_vec(),
        environment: Vec::new(),
        directory: std::env::current_dir()?,
        wrapped: true,
    }))
}

fn failed(step: &str) -> impl Fn(io::Error) -> Failure + '_ {
    move |error| Failure {
        step: format!("{step} ({error})"),
        stage: Stage::Server,
        errno: error.raw_os_error().unwrap_or(0),
    }
}

fn server() -> io::Result<Arc<Client>> {
    let mut slot = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = &*slot {
        return Ok(Arc::clone(server));
    }
    let mut command = Command::new(std::env::current_exe()?);
    // The server must not hold our output: whoever reads it would wait for the server too.
    command.args(Client::placeholder_arguments()).stdout(Stdio::null()).stderr(Stdio::null());
    match Client::start(command)? {
        Started::Server(client) => Ok(Arc::clone(slot.insert(Arc::new(client)))),
        Started::Ordinary(mut child) => {
            child.kill()?;
            child.wait()?;
            Err(io::Error::other("this test binary has no door: it is not linked by glibc's rules"))
        }
    }
}

/// Makes the next test start another server, unless somebody has done so already.
fn forget(dead: &Arc<Client>) {
    let mut slot = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.as_ref().is_some_and(|server| Arc::ptr_eq(server, dead)) {
        *slot = None;
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}

/// Re-prints both streams as they come, until both have ended or the report is there: what still comes afterwards is
/// written by processes that outlive the test, which only the absence of isolation can cause.
fn copy(out: OwnedFd, err: OwnedFd, pending: &Pending, test: &str) -> io::Result<()> {
    let (mut out, mut err) = (Some(File::from(out)), Some(File::from(err)));
    let mut filter = Filter::new(test);
    let raw = capture_is_off();
    let mut buffer = vec![0; 64 * 1024];
    while out.is_some() || err.is_some() {
        let streams = [&out, &err].into_iter().flatten().map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN));
        let report = PollFd::new(pending.as_fd(), PollFlags::POLLIN);
        let mut events: Vec<_> = streams.chain([report]).collect();
        match poll(&mut events, PollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => continue,
            other => other?,
        };
        let ready: Vec<bool> = events.iter().map(|event| event.any().unwrap_or(false)).collect();
        let mut streams = ready.iter();
        let mut ended = ready.iter().filter(|ready| **ready).count() == 1 && ready.last() == Some(&true);
        if out.is_some() && streams.next() == Some(&true) {
            let read = read(&mut out, &mut buffer)?;
            print_out(&filter.push(&buffer[..read]), raw)?;
        }
        if err.is_some() && streams.next() == Some(&true) {
            let read = read(&mut err, &mut buffer)?;
            print_err(&buffer[..read], raw)?;
        }
        ended |= out.is_none() && err.is_none();
        if ended {
            break;
        }
    }
    print_out(&filter.finish(), raw)
}

fn read(file: &mut Option<File>, buffer: &mut [u8]) -> io::Result<usize> {
    let read = file.as_mut().map_or(Ok(0), |file| file.read(buffer))?;
    if read == 0 {
        *file = None;
    }
    Ok(read)
}

/// libtest captures only what goes through the macros, and they take text.
fn print_out(bytes: &[u8], raw: bool) -> io::Result<()> {
    if raw {
        return io::stdout().write_all(bytes).and_then(|()| io::stdout().flush());
    }
    print!("{}", printable(bytes));
    Ok(())
}

fn print_err(bytes: &[u8], raw: bool) -> io::Result<()> {
    if raw {
        return io::stderr().write_all(bytes);
    }
    eprint!("{}", printable(bytes));
    Ok(())
}

/// Whether libtest shows output as it comes. A wrong guess changes only how bytes that are no text look.
fn capture_is_off() -> bool {
    let asked = |argument: std::ffi::OsString| argument == "--nocapture" || argument == "--no-capture";
    std::env::args_os().any(asked) || std::env::var_os("RUST_TEST_NOCAPTURE").is_some_and(|value| value != "0")
}
