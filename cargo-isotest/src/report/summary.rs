//! What does a run come to? Numbers, and the exit code that follows from them.

use std::time::Duration;

use isotest::runner::{Isolation, Outcome, Subject, Unavailable};

use crate::clock::Clock;
use crate::event::{Event, Finished, Verdict, Why};
use crate::exit_code::Code;
use crate::list::Listed;

/// The numbers.
#[derive(Debug)]
pub(crate) struct Summary {
    clock: Clock,
    /// How long the run took, once it is over, without pauses.
    pub(crate) took: Duration,
    /// How many binaries were asked for tests.
    pub(crate) binaries: usize,
    /// How many tests were to run.
    pub(crate) to_run: usize,
    /// How many passed, flaky ones included.
    pub(crate) passed: usize,
    /// How many of those failed before they passed.
    pub(crate) flaky: usize,
    /// How many of those that passed were called slow.
    pub(crate) slow: usize,
    /// How many of those that passed were ended because their time was up, which the configuration calls a success.
    pub(crate) ended_late_and_well: usize,
    /// How many of those that passed left something behind.
    pub(crate) leaky: usize,
    /// How many of those that passed tried to leave.
    pub(crate) tried_to_leave: usize,
    /// How many failed.
    pub(crate) failed: usize,
    /// How many of those ended because their time was up.
    pub(crate) timed_out: usize,
    /// How many of those ended otherwise than by an assertion or an error.
    pub(crate) crashed: usize,
    /// How many were left out.
    pub(crate) skipped: usize,
    /// How many were running when everything was stopped.
    pub(crate) stopped: usize,
    /// How many could not be isolated, and failed by that.
    pub(crate) cannot_isolate: usize,
    /// How many could not be isolated, and were left out or run without, as the user chose.
    pub(crate) not_isolated: usize,
    /// How many had no sandbox because the configuration says so.
    pub(crate) wanted_no_sandbox: usize,
    /// What happens to tests that can't be isolated.
    pub(crate) unavailable: Unavailable,
    /// Why everything was stopped, if it was.
    pub(crate) why_stopped: Option<Why>,
}

impl Summary {
    pub(crate) fn new(listed: &Listed<'_>, unavailable: Unavailable) -> Summary {
        Summary {
            clock: Clock::start(),
            took: Duration::ZERO,
            binaries: listed.binaries.len(),
            to_run: listed.tests.len(),
            passed: 0,
            flaky: 0,
            slow: 0,
            ended_late_and_well: 0,
            leaky: 0,
            tried_to_leave: 0,
            failed: 0,
            timed_out: 0,
            crashed: 0,
            skipped: listed.skipped.len(),
            stopped: 0,
            cannot_isolate: 0,
            not_isolated: 0,
            wanted_no_sandbox: 0,
            unavailable,
            why_stopped: None,
        }
    }

    /// How many have ended.
    pub(crate) fn ran(&self) -> usize {
        self.passed + self.failed
    }

    /// How many have not even started.
    pub(crate) fn not_run(&self) -> usize {
        self.to_run.saturating_sub(self.ran() + self.stopped)
    }

    pub(super) fn count(&mut self, event: &Event<'_, '_>) {
        match event {
            Event::Ended(case, finished) => {
                // Of copies under stress, each counts.
                let extra = case.copy.is_some_and(|copy| copy > 0);
                self.to_run += usize::from(extra);
                if case.test.isolation == Isolation::None {
                    self.wanted_no_sandbox += 1;
                } else {
                    self.not_isolated += usize::from(finished.last().isolation == Isolation::None);
                }
                self.ended(finished);
            }
            Event::Stopped(..) => self.stopped += 1,
            Event::Stopping(why) => self.why_stopped = Some(*why),
            Event::Paused => self.clock.pause(),
            Event::Resumed => self.clock.resume(),
            _ => {}
        }
    }

    fn ended(&mut self, finished: &Finished) {
        let last = finished.last();
        match finished.verdict() {
            verdict @ (Verdict::Passed | Verdict::Flaky) => {
                self.passed += 1;
                self.flaky += usize::from(verdict == Verdict::Flaky);
                self.slow += usize::from(last.slow);
                self.ended_late_and_well += usize::from(last.ended_late_and_well);
                let about = |subject| usize::from(last.beside.iter().any(|note| note.subject == subject));
                self.leaky += about(Subject::Leak);
                self.tried_to_leave += about(Subject::Egress);
            }
            Verdict::Skipped => {
                self.skipped += 1;
                self.to_run -= 1;
                self.not_isolated += 1;
            }
            Verdict::Failed => {
                self.failed += 1;
                match last.outcome {
                    Outcome::TimedOut => self.timed_out += 1,
                    Outcome::SetupFailed(_) => self.cannot_isolate += 1,
                    // A flaky test that must not be one has passed at last.
                    Outcome::Failed | Outcome::Passed | Outcome::Leaked | Outcome::TriedToLeave => {}
                    // By its own will.
                    Outcome::ExitedEarly(_) => {}
                    _ => self.crashed += 1,
                }
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.took = self.clock.now();
    }

    /// How the program ends.
    pub(crate) fn code(&self) -> Code {
        match () {
            () if self.cannot_isolate > 0 => Code::CannotIsolate,
            () if self.failed > 0 || self.not_run() > 0 || self.stopped > 0 => Code::Failed,
            () if self.to_run == 0 && self.not_isolated == 0 => Code::NoTests,
            () => Code::Passed,
        }
    }
}
