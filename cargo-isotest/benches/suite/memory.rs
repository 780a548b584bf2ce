//! Does a runner or a fork server that has run more tests hold more memory?
//!
//! Both runs use the same big suite, once with a filter that keeps a tenth of it: a binary with more tests in it is
//! larger by itself, and that is not what is asked.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::crates::{ONE_GROUP, Suite};
use crate::measure::{Proof, check};
use crate::options::Options;
use crate::programs::Programs;
use crate::rows::Row;

/// Peak resident set in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peak {
    pub(crate) runner: u64,
    pub(crate) server: u64,
}

/// What was seen after a tenth of the suite and after all of it.
#[derive(Debug)]
pub(crate) struct Peaks {
    pub(crate) some: Peak,
    pub(crate) all: Peak,
}

pub(crate) fn peaks(big: &Suite, options: &Options, programs: &Programs) -> Result<Peaks, String> {
    let run = |filter: Option<&str>, tests| {
        eprintln!("suite: memory for {tests} tests");
        let (mut command, _) = Row::CargoIsotest.command(big, options, programs)?;
        command.args(filter);
        watched(command, Proof::Summary(tests), &big.target)
    };
    Ok(Peaks { some: run(Some(ONE_GROUP), big.tests / 10)?, all: run(None, big.tests)? })
}

fn watched(mut command: Command, proof: Proof, suite: &Path) -> Result<Peak, String> {
    let runner = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("starting {:?}: {error}", command.get_program()))?;
    let id = runner.id();
    let (peak, output) = thread::scope(|scope| {
        let (ended, end) = mpsc::channel::<()>();
        let watch = scope.spawn(move || {
            let mut peak = Peak::default();
            // The kernel keeps the high-water mark; looking often only makes sure that one look is near the end.
            while end.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
                look(id, suite, &mut peak);
            }
            peak
        });
        let output = runner.wait_with_output();
        drop(ended);
        (watch.join().expect("looking at /proc does not panic"), output)
    });
    let output = output.map_err(|error| format!("waiting for the runner: {error}"))?;
    check(&output, proof)?;
    match peak {
        Peak { runner: 0, .. } => Err("the runner was never seen in /proc".to_owned()),
        Peak { server: 0, .. } => Err("no fork server was seen in /proc".to_owned()),
        peak => Ok(peak),
    }
}

fn look(runner: u32, suite: &Path, peak: &mut Peak) {
    peak.runner = peak.runner.max(high_water_mark(runner).unwrap_or(0));
    for server in servers(runner, suite) {
        peak.server = peak.server.max(high_water_mark(server).unwrap_or(0));
    }
}

/// The topmost processes below `parent` that run a binary of the suite; what they clone runs it too and does not count.
fn servers(parent: u32, suite: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    for child in children(parent) {
        match fs::read_link(format!("/proc/{child}/exe")) {
            Ok(program) if program.starts_with(suite) => found.push(child),
            _ => found.extend(servers(child, suite)),
        }
    }
    found
}

/// Processes come and go while this looks: what is gone has no children.
fn children(parent: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect()
}

fn high_water_mark(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}
