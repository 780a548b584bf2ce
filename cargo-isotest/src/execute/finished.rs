//! A test has run: what follows?

use std::time::Duration;

use isotest::runner::{Isolation, Outcome, Unavailable};

use super::Execution;
use crate::config;
use crate::event::{Attempt, Event, Finished, Verdict};
use crate::schedule::Consequence;

impl Execution<'_, '_> {
    /// Tells the end of a test, or has it run again. Says whether everything is to stop.
    pub(super) fn attempted(&mut self, job: usize, mut attempt: Attempt) -> bool {
        if let Outcome::SetupFailed(failure) = &attempt.outcome
            && failure.is_refusal()
        {
            match self.manner.unavailable {
                Unavailable::Run if attempt.isolation == Isolation::Required => {
                    self.start(job, attempt.number, Isolation::None);
                    return false;
                }
                Unavailable::Skip => attempt.outcome = Outcome::Skipped(failure.clone()),
                Unavailable::Run | Unavailable::Fail => {}
            }
        }
        let case = self.case(job);
        if let Some(delay) = self.delay(job, &attempt) {
            (self.tell)(Event::Retrying(case, &mut attempt, delay));
            // Many tests may rest at once, and whoever wants to tell the output again has it by now.
            attempt.forget_output();
            self.failed.entry(job).or_default().push(attempt);
            self.schedule.rests(job);
            if delay.is_zero() {
                self.schedule.rested(job); // At once, before another takes its place.
            } else {
                self.resting.push((self.clock.now() + delay, job));
            }
            return false;
        }
        let mut attempts = self.failed.remove(&job).unwrap_or_default();
        attempts.push(attempt);
        let well = self.conclude(job, attempts) != Verdict::Failed;
        self.schedule.ended(job, well) == Consequence::EndAll
    }

    /// Tells the end of each test that still waits to be tried again when nothing starts any more: it has failed.
    pub(super) fn conclude_waiting(&mut self) {
        let mut waiting: Vec<(usize, Vec<Attempt>)> = self.failed.drain().collect();
        waiting.sort_unstable_by_key(|(job, _)| *job);
        for (job, attempts) in waiting {
            self.conclude(job, attempts);
        }
    }

    fn conclude(&mut self, job: usize, attempts: Vec<Attempt>) -> Verdict {
        let case = self.case(job);
        let must_not_be_flaky = case.test.settings.flaky_result.value == config::Verdict::Fail;
        let mut finished = Finished { attempts, must_not_be_flaky };
        (self.tell)(Event::Ended(case, &mut finished));
        finished.verdict()
    }

    /// After how long the job is to be run again; `None` if it isn't.
    fn delay(&self, job: usize, attempt: &Attempt) -> Option<Duration> {
        // What the machine refuses once it refuses again; and when all is to end, nothing starts again.
        let hopeless = match &attempt.outcome {
            Outcome::Passed | Outcome::Skipped(_) => true,
            Outcome::SetupFailed(failure) => failure.is_refusal(),
            _ => self.schedule.is_stopped(),
        };
        let retries = &self.case(job).test.settings.retries.value;
        let more = !hopeless && attempt.number <= retries.count;
        more.then(|| retries.delay_before(attempt.number, fastrand::f64()))
    }
}
