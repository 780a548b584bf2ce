//! What can be said about a run and about a test? The values of the keys, as the rest of the runner uses them.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use clap::ValueEnum;

/// How often a failed test is tried again, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retries {
    /// How often at most.
    pub(crate) count: u32,
    /// How the delay grows.
    pub(crate) backoff: Backoff,
    /// How long to wait before the first.
    pub(crate) delay: Duration,
    /// No delay is longer.
    pub(crate) max_delay: Option<Duration>,
    /// Whether a delay is shortened at random, down to its half.
    pub(crate) jitter: bool,
}

/// How the delay between attempts grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backoff {
    /// It stays.
    #[default]
    Fixed,
    /// It doubles each time.
    Exponential,
}

impl Retries {
    /// So often, at once.
    pub(crate) fn at_once(count: u32) -> Retries {
        Retries { count, ..Retries::default() }
    }

    /// How long to wait before this retry, counted from 1. `random` is at least 0 and less than 1.
    pub(crate) fn delay_before(&self, retry: u32, random: f64) -> Duration {
        let doubled = || 2_u32.checked_pow(retry.saturating_sub(1)).and_then(|factor| self.delay.checked_mul(factor));
        let delay = match self.backoff {
            Backoff::Fixed => self.delay,
            Backoff::Exponential => doubled().unwrap_or(Duration::MAX),
        };
        let delay = self.max_delay.map_or(delay, |longest| delay.min(longest));
        if self.jitter {
            Duration::try_from_secs_f64(delay.as_secs_f64() * (1.0 - random / 2.0)).unwrap_or(delay)
        } else {
            delay
        }
    }
}

/// When a test is slow, and when it is too slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlowTimeout {
    /// It is called slow each time so much has passed.
    pub(crate) period: Duration,
    /// It is ended after so many periods.
    pub(crate) terminate_after: Option<NonZeroU32>,
    /// How long it has to end by itself (SIGTERM) before it is killed.
    pub(crate) grace_period: Duration,
    /// What its end means then.
    pub(crate) on_timeout: Verdict,
}

impl SlowTimeout {
    /// Slow after this long, never ended.
    pub(crate) fn after(period: Duration) -> SlowTimeout {
        SlowTimeout { period, terminate_after: None, grace_period: Duration::from_secs(10), on_timeout: Verdict::Fail }
    }
}

/// What counts as what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verdict {
    /// As a failure
    Fail,
    /// As a success
    Pass,
}

/// When a run stops because of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxFail {
    /// Never.
    All,
    /// After so many.
    Count(NonZeroUsize, Terminate),
}

/// What happens to running tests then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Terminate {
    /// They come to their end
    #[default]
    Wait,
    /// They are ended at once
    Immediate,
}

/// How many tests run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    /// So many.
    Count(NonZeroUsize),
    /// So many less than there are CPUs.
    LessThanCpus(usize),
    /// As many as there are CPUs.
    NumCpus,
}

impl Threads {
    /// As a number, on a machine with so many CPUs.
    pub(crate) fn on(self, cpus: NonZeroUsize) -> NonZeroUsize {
        match self {
            Threads::Count(count) => count,
            Threads::LessThanCpus(less) => {
                NonZeroUsize::new(cpus.get().saturating_sub(less)).unwrap_or(NonZeroUsize::MIN)
            }
            Threads::NumCpus => cpus,
        }
    }
}

/// How many places of those that run at once a test takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadsRequired {
    /// So many.
    Count(NonZeroUsize),
    /// As many as there are CPUs.
    NumCpus,
    /// All of them.
    NumTestThreads,
}

impl ThreadsRequired {
    /// As a number.
    pub(crate) fn on(self, cpus: NonZeroUsize, test_threads: NonZeroUsize) -> NonZeroUsize {
        match self {
            ThreadsRequired::Count(count) => count,
            ThreadsRequired::NumCpus => cpus,
            ThreadsRequired::NumTestThreads => test_threads,
        }
    }
}

/// When a test's output is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowOutput {
    /// As soon as the test has ended
    Immediate,
    /// Then, and once more at the end of the run
    ImmediateFinal,
    /// At the end of the run
    Final,
    /// Never
    Never,
}

impl ShowOutput {
    /// Whether it is shown when the test has ended.
    pub(crate) fn is_immediate(self) -> bool {
        matches!(self, ShowOutput::Immediate | ShowOutput::ImmediateFinal)
    }

    /// Whether it is shown at the end of the run.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, ShowOutput::Final | ShowOutput::ImmediateFinal)
    }
}

/// Which results the summary repeats. Each level shows its own and all those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum FinalStatusLevel {
    /// Nothing
    None,
    /// Failures
    Fail,
    /// And flaky tests
    #[value(alias = "retry")]
    Flaky,
    /// And slow tests
    Slow,
    /// And skipped tests
    Skip,
    /// And tests that left something behind
    Leak,
    /// And passed tests
    Pass,
    /// Everything
    All,
}

/// Whether a test that passed only when it was tried again is a failure in the JUnit report, where it is one in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlakyFailStatus {
    /// It is
    Failure,
    /// It is not
    Success,
}

/// Which skipped tests the JUnit report names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportSkipped {
    /// None
    None,
    /// Those that `#[ignore]` (or its absence) left out
    Ignored,
    /// All
    All,
}

/// A further path that an archive takes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ArchiveInclude {
    /// From the target directory.
    pub(crate) path: String,
    /// How deep a directory is followed; `None` without end.
    pub(crate) depth: Option<usize>,
    /// What to do where it is missing.
    pub(crate) on_missing: OnMissing,
}

/// What to do where a path is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnMissing {
    /// Nothing
    Ignore,
    /// Say so
    Warn,
    /// Make no archive
    Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_up_to_the_longest() {
        let second = Duration::from_secs(1);
        let retries = Retries {
            count: 9,
            backoff: Backoff::Exponential,
            delay: second,
            max_delay: Some(5 * second),
            jitter: false,
        };
        let delays: Vec<_> = (1..=4).map(|retry| retries.delay_before(retry, 0.0).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 5]);
        assert_eq!(retries.delay_before(u32::MAX, 0.0), 5 * second);
        let fixed = Retries { backoff: Backoff::Fixed, jitter: true, ..retries };
        assert_eq!(fixed.delay_before(7, 0.0), second);
        assert_eq!(fixed.delay_before(7, 0.5), second * 3 / 4);
    }

    #[test]
    fn a_negative_number_leaves_cpus_free() {
        let cpus = NonZeroUsize::MIN.saturating_add(3);
        assert_eq!(Threads::LessThanCpus(1).on(cpus).get(), 3);
        assert_eq!(Threads::LessThanCpus(9).on(cpus).get(), 1);
    }
}
