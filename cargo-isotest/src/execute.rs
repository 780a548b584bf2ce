//! Runs the tests, several at once, each in a sandbox.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use isotest::runner::{End, Failure, Filter, Isolation, Outcome, Stage, Target, of_a_test};

use crate::cli::Run;
use crate::list::{Listed, Ready, Test};

/// A test has ended.
pub(crate) struct Ended<'a> {
    /// Which.
    pub(crate) test: &'a Test,
    /// In which binary.
    pub(crate) binary: &'a Ready<'a>,
    /// How.
    pub(crate) outcome: Outcome,
    /// After how long.
    pub(crate) took: Duration,
    /// What it wrote, without what libtest wrote around it.
    pub(crate) stdout: Vec<u8>,
    /// What it wrote to its standard error.
    pub(crate) stderr: Vec<u8>,
    /// What libtest noted about its failure.
    pub(crate) note: Option<String>,
}

/// Runs all of `listed`; `show` is told of each end as it comes.
pub(crate) fn all<'a>(listed: &'a Listed<'a>, options: &Run, show: &mut dyn FnMut(Ended<'a>)) {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let workers = if options.no_capture { 1 } else { options.threads.map_or(cpus, usize::from) };
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, ended) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..workers.min(listed.tests.len()) {
            let (sender, next, stop) = (sender.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(test) = listed.tests.get(at) else { return };
                    let ended = one(test, &listed.binaries[test.binary], at, options);
                    if !ended.outcome.passed() && !options.no_fail_fast {
                        stop.store(true, Ordering::Relaxed);
                    }
                    if sender.send(ended).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        ended.iter().for_each(show);
    });
}

fn one<'a>(test: &'a Test, binary: &'a Ready<'a>, at: usize, options: &Run) -> Ended<'a> {
    let started = Instant::now();
    let mut ended = Ended {
        test,
        binary,
        outcome: Outcome::Killed,
        took: Duration::ZERO,
        stdout: Vec::new(),
        stderr: Vec::new(),
        note: None,
    };
    if let Err(error) = run(test, binary, at, options, &mut ended) {
        let errno = error.raw_os_error().unwrap_or(0);
        ended.outcome = Outcome::SetupFailed(Failure {
            step: format!("asking the fork server ({error})"),
            stage: Stage::Server,
            errno,
        });
    }
    ended.took = started.elapsed();
    ended
}

fn run(test: &Test, ready: &Ready<'_>, at: usize, options: &Run, ended: &mut Ended<'_>) -> io::Result<()> {
    let (out, out_writer) = io::pipe()?;
    let (err, err_writer) = io::pipe()?;
    let run = isotest::runner::Run {
        test: test.name.clone(),
        spec: test.spec.clone(),
        keep: of_a_test(Some(&ready.binary.executable), Some(&ready.binary.directory), None),
        target: target(test, ready),
        label: format!("{}-{at}", std::process::id()),
        isolation: Isolation::Required,
    };
    let pending = ready.server.run(run, out_writer.into(), err_writer.into())?;
    let errors = std::thread::spawn(move || read_all(err.into()));
    let mut filter = Filter::new(&test.name);
    let mut out = File::from(OwnedFd::from(out));
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = out.read(&mut buffer)?;
        let passed = if read == 0 { filter.finish() } else { filter.push(&buffer[..read]) };
        if options.no_capture {
            io::Write::write_all(&mut io::stdout(), &passed)?;
        } else {
            ended.stdout.extend(passed);
        }
        if read == 0 {
            break;
        }
    }
    ended.stderr = errors.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    let report = pending.report()?;
    ended.outcome = Outcome::of(report.as_ref(), filter.finished());
    if let Some(End::Exited(0)) = report.as_ref().map(|report| &report.end)
        && filter.finished()
        && !filter.passed()
    {
        ended.outcome = Outcome::Failed;
    }
    ended.note = filter.note();
    Ok(())
}

fn read_all(stream: OwnedFd) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::from(stream).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn target(test: &Test, ready: &Ready<'_>) -> Target {
    if !ready.exec {
        return Target::Harness;
    }
    let arguments = ["--exact", &test.name, "--nocapture", "--include-ignored", "--test-threads=2"];
    let ours = ready.binary.environment.iter().cloned();
    let inherited = std::env::vars().filter(|(name, _)| !ready.binary.environment.iter().any(|(own, _)| own == name));
    Target::Exec {
        program: ready.binary.executable.clone(),
        arguments: arguments.map(str::to_owned).to_vec(),
        environment: inherited.chain(ours).collect(),
        directory: ready.binary.directory.clone(),
    }
}
