//! One test in flight: what comes out of it, and when it is over.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use isotest::runner::{
    Client, End, Failure, Filter, Isolation, Outcome, Pending, Report, Run, Stage, Target, judge, unsatisfied,
};

use crate::binary::{Ready, pipe};
use crate::capture::Capture;
use crate::list::Test;

/// A test has ended.
pub(crate) struct Ended {
    /// How.
    pub(crate) outcome: Outcome,
    /// After how long.
    pub(crate) took: Duration,
    /// What it wrote, without what libtest wrote around it.
    pub(crate) stdout: Capture,
    /// What it wrote to its standard error.
    pub(crate) stderr: Capture,
    /// What libtest noted about its failure.
    pub(crate) note: Option<String>,
    /// Whether it had a sandbox.
    pub(crate) isolation: Isolation,
}

/// A test that has been asked for.
pub(crate) struct Running {
    started: Instant,
    isolation: Isolation,
    server: Rc<Client>,
    pending: Pending,
    report: Option<Option<Report>>,
    out: Option<File>,
    err: Option<File>,
    filter: Option<Filter>,
    stdout: Capture,
    stderr: Capture,
}

/// Which of the two streams a piece of output belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

impl Running {
    /// Asks the binary's server to run the test.
    pub(crate) fn start(test: &Test, ready: &Ready<'_>, label: &str, isolation: Isolation) -> io::Result<Running> {
        loop {
            let server = ready.server()?;
            match Running::ask(test, ready, &server, label, isolation) {
                // It was killed just now. The test has not started, so its successor can have it.
                Err(_) if !server.is_alive() => {}
                asked => return asked,
            }
        }
    }

    fn ask(
        test: &Test,
        ready: &Ready<'_>,
        server: &Rc<Client>,
        label: &str,
        isolation: Isolation,
    ) -> io::Result<Running> {
        let (out, out_writer) = pipe()?;
        let (err, err_writer) = pipe()?;
        let target = ready.target(test, server);
        // Only a harness writes something around a test's own output.
        let filter = (!matches!(target, Target::Body)).then(|| Filter::new(&test.name));
        let run = Run {
            test: test.name.clone(),
            spec: test.spec.clone(),
            keep: ready.keep.clone(),
            target,
            label: label.to_owned(),
            isolation,
        };
        let started = Instant::now();
        let pending = server.run(run, out_writer, err_writer)?;
        Ok(Running {
            started,
            isolation,
            server: Rc::clone(server),
            pending,
            report: None,
            out: Some(out.into()),
            err: Some(err.into()),
            filter,
            stdout: Capture::new(),
            stderr: Capture::new(),
        })
    }

    /// What to wait for: readiness of any of these.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let report = self.report.is_none().then(|| self.pending.as_fd());
        [&self.out, &self.err].into_iter().flatten().map(AsFd::as_fd).chain(report)
    }

    /// Takes what `ready` (in the order of [`Running::sources`]) says has come. Gives output that is to be shown at once
    /// where `live` is set, and keeps it otherwise.
    pub(crate) fn take(&mut self, ready: &[bool], live: bool, buffer: &mut [u8]) -> io::Result<Vec<(Stream, Vec<u8>)>> {
        let mut ready = ready.iter().copied();
        let mut shown = Vec::new();
        for stream in [Stream::Out, Stream::Err] {
            let file = if stream == Stream::Out { &mut self.out } else { &mut self.err };
            let Some(open) = file else { continue };
            if ready.next() != Some(true) {
                continue;
            }
            let read = open.read(buffer)?;
            if read == 0 {
                *file = None;
            }
            let piece = match (&mut self.filter, stream) {
                (Some(filter), Stream::Out) if read == 0 => filter.finish(),
                (Some(filter), Stream::Out) => filter.push(&buffer[..read]),
                _ => buffer[..read].to_vec(),
            };
            match stream {
                _ if live => shown.push((stream, piece)),
                Stream::Out => self.stdout.push(&piece)?,
                Stream::Err => self.stderr.push(&piece)?,
            }
        }
        if self.report.is_none() && ready.next() == Some(true) {
            self.report = Some(self.pending.report()?);
        }
        Ok(shown)
    }

    /// Whether it is over: the report is there and the output has ended. Without isolation a process may outlive the
    /// test and hold the output open, so there the report is enough once nothing more is `waiting` to be read.
    pub(crate) fn is_over(&self, waiting: bool) -> bool {
        let silent = self.out.is_none() && self.err.is_none();
        self.report.is_some() && (silent || (self.isolation == Isolation::None && !waiting))
    }

    /// How it ended.
    pub(crate) fn end(mut self, test: &Test) -> io::Result<Ended> {
        let mut note = None;
        // Whether the harness's own words say that the test came to its end. Where none come, its exit status does.
        let mut finished = false;
        let mut ran_nothing = false;
        let mut beside = Vec::new();
        if let Some(filter) = &mut self.filter {
            self.stdout.push(&filter.finish())?;
            if !self.report.iter().flatten().any(|report| ended_as_libtest_does(&report.end)) {
                self.stdout.push(&filter.take_back())?;
            }
            (finished, ran_nothing, note) =
                (filter.finished() || !filter.is_libtest_s(), filter.ran_nothing(), filter.note());
        }
        let outcome = match &self.report {
            Some(Some(report)) if report.end == End::Exited(0) && ran_nothing => Outcome::Failed,
            Some(Some(report)) => {
                let judgement = judge(report, &test.spec, finished);
                beside = judgement.notes;
                judgement.outcome
            }
            _ if self.server.is_alive() => Outcome::Killed,
            _ => Outcome::ServerKilled,
        };
        if let (Outcome::Failed, Some(expected), Some(Some(report))) = (&outcome, &test.should_panic, &self.report) {
            note = note.or_else(|| unsatisfied(expected, &report.word));
        }
        let note = note
            .into_iter()
            .chain(beside.into_iter().map(|note| note.text))
            .reduce(|above, below| format!("{above}\n{below}"));
        Ok(Ended {
            outcome,
            took: self.started.elapsed(),
            stdout: self.stdout,
            stderr: self.stderr,
            note,
            isolation: self.isolation,
        })
    }
}

/// libtest exits by itself, with success or with the status of a panic.
fn ended_as_libtest_does(end: &End) -> bool {
    matches!(end, End::Exited(0 | 101))
}

impl Ended {
    /// For a test that could not even be asked for, or whose output could not be read.
    pub(crate) fn failed(doing: &str, error: &io::Error, isolation: Isolation) -> Ended {
        let failure = Failure {
            step: format!("{doing} ({error})"),
            stage: Stage::Server,
            errno: error.raw_os_error().unwrap_or(0),
        };
        Ended {
            outcome: Outcome::SetupFailed(failure),
            took: Duration::ZERO,
            stdout: Capture::new(),
            stderr: Capture::new(),
            note: None,
            isolation,
        }
    }
}
