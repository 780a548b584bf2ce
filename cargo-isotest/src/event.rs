//! What happens in a run: all that a report of any kind needs, in the order in which it happens.

use std::time::{Duration, SystemTime};

use isotest::runner::{Isolation, Note, Outcome, Report};
use nix::sys::signal::Signal;

use crate::binary::Ready;
use crate::capture::Capture;
use crate::list::Test;
use crate::processes::Process;

/// One test of one binary.
#[derive(Clone, Copy)]
pub(crate) struct Case<'e, 'a> {
    /// The test.
    pub(crate) test: &'e Test,
    /// Its binary.
    pub(crate) ready: &'e Ready<'a>,
    /// Which copy of it runs, from 0, where there are several.
    pub(crate) copy: Option<usize>,
}

/// Something has happened.
pub(crate) enum Event<'e, 'a> {
    /// A test starts, for the time with this number (from 1).
    Started(Case<'e, 'a>, u32),
    /// A test has run for so long that it is called slow.
    Slow(Case<'e, 'a>, Slowness),
    /// A test has failed and will be run again after this long. Its output is told here and not again.
    Retrying(Case<'e, 'a>, &'e mut Attempt, Duration),
    /// A test has ended, and will not be run again.
    Ended(Case<'e, 'a>, &'e mut Finished),
    /// A test was running when everything was stopped.
    Stopped(Case<'e, 'a>, CutShort),
    /// Output to show at once.
    Output(Stream, &'e [u8]),
    /// Somebody wants to know what the tests do that run now.
    Asked(&'e [Glimpse<'e, 'a>]),
    /// Everything is stopped.
    Stopping(Why),
    /// The run stands still.
    Paused,
    /// The run goes on.
    Resumed,
    /// Nothing has happened but that time has passed.
    Tick,
}

/// What a test does that is running.
pub(crate) struct Glimpse<'e, 'a> {
    /// Which.
    pub(crate) case: Case<'e, 'a>,
    /// Which time this is, from 1.
    pub(crate) attempt: u32,
    /// How long it has run.
    pub(crate) elapsed: Duration,
    /// What runs in its sandbox.
    pub(crate) processes: Vec<Process>,
    /// The end of what it has written.
    pub(crate) stdout: Vec<u8>,
    /// The end of what it has written to its standard error.
    pub(crate) stderr: Vec<u8>,
}

/// How far a test came that was stopped with everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutShort {
    /// When it started.
    pub(crate) started: SystemTime,
    /// How long it has run.
    pub(crate) elapsed: Duration,
}

/// A test takes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slowness {
    /// How long it has run.
    pub(crate) elapsed: Duration,
    /// Whether it has been asked to end.
    pub(crate) terminating: bool,
}

/// Why everything stops before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// This signal has come.
    Signal(Signal),
    /// Too many tests have failed.
    Failures,
    /// The run's own time is up.
    GlobalTimeout,
}

impl Why {
    /// Whether what the running tests did has to be told, because nobody may have been there to see it, or has asked.
    pub(crate) fn leaves_questions(self) -> bool {
        !matches!(self, Why::Failures | Why::Signal(Signal::SIGINT))
    }
}

/// Which of the two streams a piece of output belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// A test has been run once.
pub(crate) struct Attempt {
    /// Which time this was, from 1.
    pub(crate) number: u32,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// When it started.
    pub(crate) started_at: SystemTime,
    /// After how long it ended.
    pub(crate) took: Duration,
    /// Whether it was called slow.
    pub(crate) slow: bool,
    /// Whether it was ended because its time was up, and the configuration calls that a success.
    pub(crate) ended_late_and_well: bool,
    /// What it wrote, without what libtest wrote around it.
    pub(crate) stdout: Capture,
    /// What it wrote to its standard error.
    pub(crate) stderr: Capture,
    /// What libtest noted about its failure.
    pub(crate) note: Option<String>,
    /// What its init saw that is worth a word.
    pub(crate) beside: Vec<Note>,
    /// Whether it was to have a sandbox.
    pub(crate) isolation: Isolation,
    /// What its init saw.
    pub(crate) report: Option<Report>,
}

impl Attempt {
    /// Frees what the output takes.
    pub(crate) fn forget_output(&mut self) {
        (self.stdout, self.stderr) = (Capture::new(), Capture::new());
    }
}

/// A test has been run as often as it was to be.
pub(crate) struct Finished {
    /// Each time that it ran, at least one. Only the last still has its output.
    pub(crate) attempts: Vec<Attempt>,
    /// Whether it counts as failed when it failed before it passed.
    pub(crate) must_not_be_flaky: bool,
}

/// What a test comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passed the first time.
    Passed,
    /// It failed and then passed.
    Flaky,
    /// It failed each time.
    Failed,
    /// It could not be isolated and was left out.
    Skipped,
}

impl Finished {
    /// The attempt that counts.
    pub(crate) fn last(&self) -> &Attempt {
        self.attempts.last().expect("a test that has ended has run")
    }

    /// The same, to read its output.
    pub(crate) fn last_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("a test that has ended has run")
    }

    /// What it comes to.
    pub(crate) fn verdict(&self) -> Verdict {
        match (&self.last().outcome, self.attempts.len()) {
            (Outcome::Passed, 1) => Verdict::Passed,
            (Outcome::Passed, _) if self.must_not_be_flaky => Verdict::Failed,
            (Outcome::Passed, _) => Verdict::Flaky,
            (Outcome::Skipped(_), _) => Verdict::Skipped,
            _ => Verdict::Failed,
        }
    }
}
