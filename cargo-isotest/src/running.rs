//! One test in flight: what comes out of it, and when it is over.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use isotest::runner::{
    self, Client, End, Failure, Filter, Isolation, Leftovers, Lines, Note, Order, Outcome, Pending, Report, Run, Stage,
    Subject, Target, judge, unsatisfied,
};

use crate::binary::{Ready, pipe};
use crate::capture::{Capture, Limits};
use crate::event::{Attempt, Case, CutShort, Glimpse, Stream};
use crate::list::Test;
use crate::patience::{Due, Patience};
use crate::processes::Family;

/// As much of each output is shown while a test runs.
const GLIMPSED: Limits = Limits { first: 0, last: 8 << 10 };

/// A test that has been asked for.
pub(crate) struct Running {
    /// When it started, by the run's clock.
    started: Duration,
    started_at: SystemTime,
    measured_from: Instant,
    paused: Duration,
    patience: Patience,
    isolation: Isolation,
    server: Rc<Client>,
    pending: Pending,
    packets: Option<runner::Capture>,
    report: Option<Option<Report>>,
    out: Option<File>,
    err: Option<File>,
    filter: Option<Filter>,
    lines: [Lines; 2],
    stdout: Capture,
    stderr: Capture,
}

/// What is asked of a server beside the test.
pub(crate) struct Asked<'r> {
    /// Unique among the runs of tests on this machine.
    pub(crate) label: &'r str,
    /// Which copy of the test it is, where there are several.
    pub(crate) copy: Option<usize>,
    /// Which attempt at the test it is, from 1 on.
    pub(crate) attempt: u32,
    /// What the test is told in its environment.
    pub(crate) environment: &'r [(String, String)],
}

/// Takes output that is shown as it comes.
pub(crate) type Show<'s> = &'s mut dyn FnMut(Stream, &[u8]);

impl Running {
    /// Asks the binary's server to run the test.
    pub(crate) fn start(
        test: &Test,
        ready: &Ready<'_>,
        asked: &Asked<'_>,
        isolation: Isolation,
        now: Duration,
    ) -> Result<Running, Failure> {
        let failed = |error: io::Error| failure("asking the fork server", &error);
        let packets = capture(test, ready, asked, isolation)?;
        loop {
            let server = ready.server().map_err(failed)?;
            match Running::ask(test, ready, &server, asked, packets.as_ref(), isolation, now) {
                // It was killed just now. The test has not started, so its successor can have it.
                Err(_) if !server.is_alive() => {}
                asked => {
                    let running = asked.map_err(failed)?;
                    return Ok(Running { packets, ..running });
                }
            }
        }
    }

    fn ask(
        test: &Test,
        ready: &Ready<'_>,
        server: &Rc<Client>,
        asked: &Asked<'_>,
        packets: Option<&runner::Capture>,
        isolation: Isolation,
        now: Duration,
    ) -> io::Result<Running> {
        let (out, out_writer) = pipe()?;
        let (err, err_writer) = pipe()?;
        let target = ready.target(test, server);
        // Only a harness writes something around a test's own output.
        let filter = (!matches!(target, Target::Body)).then(|| Filter::new(&test.name));
        let run = Run {
            test: test.name.clone(),
            spec: (*test.spec).clone(),
            keep: ready.keep.clone(),
            target,
            label: asked.label.to_owned(),
            environment: asked.environment.to_vec(),
            isolation,
            leftovers: Leftovers::End,
        };
        let (started_at, measured_from) = (SystemTime::now(), Instant::now());
        let pending = server.run(run, out_writer, err_writer, packets)?;
        Ok(Running {
            started: now,
            started_at,
            measured_from,
            paused: Duration::ZERO,
            patience: Patience::new(test.settings.slow_timeout.value),
            isolation,
            server: Rc::clone(server),
            pending,
            packets: None,
            report: None,
            out: Some(out.into()),
            err: Some(err.into()),
            filter,
            lines: Default::default(),
            stdout: Capture::new(),
            stderr: Capture::new(),
        })
    }

    /// What to wait for: readiness of any of these.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let report = self.report.is_none().then(|| self.pending.as_fd());
        [&self.out, &self.err].into_iter().flatten().map(AsFd::as_fd).chain(report)
    }

    /// Takes what `ready` (in the order of [`Running::sources`]) says has come. Gives output to `live` where there is one,
    /// and keeps it otherwise.
    pub(crate) fn take(&mut self, ready: &[bool], mut live: Option<Show<'_>>, buffer: &mut [u8]) -> io::Result<()> {
        let silent = !ready.contains(&true);
        let mut ready = ready.iter().copied();
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
            match (&mut live, stream) {
                (Some(show), _) => {
                    let lines = &mut self.lines[stream as usize];
                    show(stream, &lines.push(&piece));
                    if read == 0 {
                        show(stream, &lines.rest());
                    }
                }
                (None, Stream::Out) => self.stdout.push(&piece)?,
                (None, Stream::Err) => self.stderr.push(&piece)?,
            }
        }
        if self.report.is_none() && ready.next() == Some(true) {
            self.report = Some(self.pending.report()?);
        }
        if let (true, Some(show)) = (silent, &mut live) {
            [Stream::Out, Stream::Err].into_iter().for_each(|stream| show(stream, &self.lines[stream as usize].rest()));
        }
        Ok(())
    }

    /// Whether a line that is to be shown has begun.
    pub(crate) fn is_in_a_line(&self) -> bool {
        self.lines.iter().any(Lines::begun)
    }

    /// Whether it is over: the report is there and the output has ended, or nobody is left to write and nothing more is
    /// `waiting` to be read.
    pub(crate) fn is_over(&self, waiting: bool) -> bool {
        let silent = self.out.is_none() && self.err.is_none();
        self.report.is_some() && (silent || (self.nobody_writes() && !waiting))
    }

    /// Whether all that will be written has been. The end of the output comes later, when the kernel has taken the sandbox
    /// down. Without isolation it may never come: a process may outlive the test and hold the output open.
    pub(crate) fn nobody_writes(&self) -> bool {
        self.report.as_ref().is_some_and(|report| match report {
            _ if self.isolation == Isolation::None => true,
            Some(report) => report.left_nobody(),
            None => false,
        })
    }

    /// When something may be due, by the run's clock.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.started.checked_add(self.patience.next()?)
    }

    /// What is due. A test whose patience is at an end has been told so when this returns.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Due> {
        let due = self.patience.due(now.saturating_sub(self.started))?;
        match due {
            Due::Slow => {}
            Due::Terminate => self.pending.order(Order::Terminate),
            Due::Kill => self.pending.order(Order::Kill),
        }
        Some(due)
    }

    /// What it does, as far as it can be seen from outside.
    pub(crate) fn glimpse<'e, 'a>(
        &mut self,
        case: Case<'e, 'a>,
        attempt: u32,
        family: &Family,
        now: Duration,
    ) -> io::Result<Glimpse<'e, 'a>> {
        let pipes: Vec<_> = [&self.out, &self.err].into_iter().flatten().collect();
        Ok(Glimpse {
            case,
            attempt,
            elapsed: self.elapsed(now),
            processes: family.of(&pipes)?,
            stdout: self.stdout.excerpt(GLIMPSED)?.bytes,
            stderr: self.stderr.excerpt(GLIMPSED)?.bytes,
        })
    }

    /// How long it has run.
    pub(crate) fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.started)
    }

    /// How far it has come, if it ends now.
    pub(crate) fn cut_short(&self, now: Duration) -> CutShort {
        CutShort { started: self.started_at, elapsed: self.elapsed(now) }
    }

    /// Stops everything in the sandbox, its clock included.
    pub(crate) fn pause(&self) {
        self.pending.order(Order::Pause);
    }

    /// Lets it go on after so long.
    pub(crate) fn resume(&mut self, paused: Duration) {
        self.pending.order(Order::Resume);
        self.paused += paused;
    }

    /// How it ended.
    pub(crate) fn end(mut self, test: &Test, number: u32) -> io::Result<Attempt> {
        let took = self.measured_from.elapsed().saturating_sub(self.paused);
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
        let report = self.report.flatten();
        let lenient = self.patience.is_lenient();
        let outcome = match &report {
            // Nothing that was told to end does so without a report: somebody else has killed it.
            None if self.server.is_alive() => Outcome::Killed,
            None => Outcome::ServerKilled,
            Some(_) if self.patience.is_over() && lenient => Outcome::Passed,
            Some(_) if self.patience.is_over() => Outcome::TimedOut,
            Some(report) if report.end == End::Exited(0) && ran_nothing => Outcome::Failed,
            Some(report) => {
                let judgement = judge(report, &test.spec, finished);
                beside = judgement.notes;
                judgement.outcome
            }
        };
        let captured = report.as_ref().and_then(|report| report.captured);
        let packets = self.packets.and_then(|packets| packets.finish(outcome.passed(), captured));
        beside.extend(packets.map(|text| Note { subject: Subject::Packets, text }));
        let ended_late_and_well = outcome.passed() && self.patience.is_over();
        if let (Outcome::Failed, Some(expected), Some(report)) = (&outcome, &test.should_panic, &report) {
            note = note.or_else(|| unsatisfied(expected, &report.word));
        }
        Ok(Attempt {
            number,
            outcome,
            started_at: self.started_at,
            took,
            slow: self.patience.is_lost(),
            ended_late_and_well,
            stdout: self.stdout,
            stderr: self.stderr,
            note,
            beside,
            isolation: self.isolation,
            report,
        })
    }
}

/// A file for the packets of the test, if it wants one.
fn capture(
    test: &Test,
    ready: &Ready<'_>,
    asked: &Asked<'_>,
    isolation: Isolation,
) -> Result<Option<runner::Capture>, Failure> {
    let of = runner::Captive {
        package: Some(&ready.binary.package),
        executable: &ready.binary.executable,
        test: &test.name,
        copy: asked.copy,
        attempt: asked.attempt,
    };
    runner::Capture::prepare(of, &test.spec, isolation)
}

/// What this program could not do for a test.
pub(crate) fn failure(doing: &str, error: &io::Error) -> Failure {
    Failure { step: format!("{doing} ({error})"), stage: Stage::Server, errno: error.raw_os_error().unwrap_or(0) }
}

/// libtest exits by itself, with success or with the status of a panic.
fn ended_as_libtest_does(end: &End) -> bool {
    matches!(end, End::Exited(0 | 101))
}

impl Attempt {
    /// Of a test that could not even be asked for, or whose output could not be read.
    pub(crate) fn failed(number: u32, failure: Failure, isolation: Isolation) -> Attempt {
        Attempt {
            number,
            outcome: Outcome::SetupFailed(failure),
            started_at: SystemTime::now(),
            took: Duration::ZERO,
            slow: false,
            ended_late_and_well: false,
            stdout: Capture::new(),
            stderr: Capture::new(),
            note: None,
            beside: Vec::new(),
            isolation,
            report: None,
        }
    }
}
