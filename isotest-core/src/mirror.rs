//! Runs a test in a sandbox and mirrors it in this process: asks the fork server, re-prints the output, tells the end.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use nix::fcntl::OFlag;

use crate::Spec;
use crate::captures::{Captive, Capture};
use crate::client::{Client, Pending, Started};
use crate::diagnose::explain;
use crate::harness::Filter;
use crate::judge::{Judgement, judge};
use crate::outcome::{Failure, Outcome, Stage, Word};
use crate::protocol::{Isolation, Leftovers, Program, Run, Target};
use crate::reprint::reprint;
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
    if first == test || failure.stage == Stage::Spec {
        eprint!("{}", explain(test, failure));
    } else {
        eprintln!("error: cannot isolate `{test}`, see the report of `{first}`");
    }
}

fn run_with(test: &str, spec: &Spec, isolation: Isolation) -> (Outcome, Word) {
    attempt(test, spec, isolation).unwrap_or_else(|failure| (Outcome::SetupFailed(failure), Word::None))
}

fn attempt(test: &str, spec: &Spec, isolation: Isolation) -> Result<(Outcome, Word), Failure> {
    let executable = std::env::current_exe().map_err(failed("looking for this test binary"))?;
    let package = std::env::var("CARGO_PKG_NAME").ok();
    let (copy, attempt) = (of_a_runner("NEXTEST_STRESS_CURRENT"), of_a_runner("NEXTEST_ATTEMPT").unwrap_or(1));
    let of = Captive { package: package.as_deref(), executable: &executable, test, copy, attempt };
    let capture = Capture::prepare(of, spec, isolation)?;
    let asked = loop {
        let server = server().map_err(failed("starting the fork server of this test binary"))?;
        match ask(&server, test, spec, isolation, capture.as_ref()) {
            // It was killed just now. The test has not started, so its successor can have it.
            Err(_) if !server.is_alive() => {}
            asked => break asked.map_err(failed("asking the fork server"))?,
        }
    };
    reprint(asked.out, asked.err, asked.filter, &asked.pending).map_err(failed("reading the test's output"))?;
    let report = asked.pending.report().map_err(failed("reading the report"))?;
    let captured = report.as_ref().and_then(|report| report.captured);
    let (outcome, word) = match report {
        Some(report) => {
            let Judgement { outcome, notes } = judge(&report, spec, false);
            notes.iter().for_each(|note| eprintln!("isotest: {}", note.text));
            (outcome, report.word)
        }
        None if asked.server.is_alive() => (Outcome::Killed, Word::None),
        None => (Outcome::ServerKilled, Word::None),
    };
    if let Some(told) = capture.and_then(|capture| capture.finish(outcome.passed(), captured)) {
        eprintln!("isotest: {told}");
    }
    Ok((outcome, word))
}

/// A number that cargo-nextest tells the processes of its tests, if it does.
fn of_a_runner<N: std::str::FromStr>(name: &str) -> Option<N> {
    std::env::var(name).ok()?.parse().ok()
}

/// A test that was asked for.
struct Asked {
    server: Arc<Client>,
    pending: Pending,
    out: OwnedFd,
    err: OwnedFd,
    /// Only a harness writes something around a test's own output.
    filter: Option<Filter>,
}

fn ask(
    server: &Arc<Client>,
    test: &str,
    spec: &Spec,
    isolation: Isolation,
    capture: Option<&Capture>,
) -> io::Result<Asked> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let (out, out_writer) = pipe()?;
    let (err, err_writer) = pipe()?;
    let target = target(server, test)?;
    let filter = (!matches!(target, Target::Body)).then(|| Filter::new(test));
    let run = Run {
        test: test.to_owned(),
        spec: spec.clone(),
        keep: crate::keep::paths().to_vec(),
        target,
        label: format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)),
        environment: Vec::new(),
        isolation,
        leftovers: Leftovers::End,
    };
    let pending = server.run(run, out_writer, err_writer, capture)?;
    Ok(Asked { server: Arc::clone(server), pending, out, err, filter })
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
    if let Some(server) = &*slot
        && server.is_alive()
    {
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

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(nix::unistd::pipe2(OFlag::O_CLOEXEC)?)
}
