//! How long is a running test waited for? A state machine over the time that the test has run.

use std::time::Duration;

use crate::config::{SlowTimeout, Verdict};

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Say that the test is slow.
    Slow,
    /// Say so, and send SIGTERM to all its processes.
    Terminate,
    /// Kill them.
    Kill,
}

/// One test's.
#[derive(Debug)]
pub(crate) struct Patience {
    slow: SlowTimeout,
    periods: u32,
    asked_to_end_at: Option<Duration>,
    killed: bool,
}

impl Patience {
    /// With a test that starts now.
    pub(crate) fn new(slow: SlowTimeout) -> Patience {
        Patience { slow, periods: 0, asked_to_end_at: None, killed: false }
    }

    /// When to look again, counted from the test's start.
    pub(crate) fn next(&self) -> Option<Duration> {
        match self.asked_to_end_at {
            _ if self.killed => None,
            Some(at) => at.checked_add(self.slow.grace_period),
            None => self.slow.period.checked_mul(self.periods.checked_add(1)?),
        }
    }

    /// What is due when the test has run for so long. At most one thing at a time: ask again.
    pub(crate) fn due(&mut self, elapsed: Duration) -> Option<Due> {
        self.next().filter(|next| *next <= elapsed)?;
        if self.asked_to_end_at.is_some() {
            self.killed = true;
            return Some(Due::Kill);
        }
        self.periods += 1;
        match self.slow.terminate_after {
            Some(after) if self.periods >= after.get() => {
                self.asked_to_end_at = Some(elapsed);
                Some(Due::Terminate)
            }
            _ => Some(Due::Slow),
        }
    }

    /// Whether the test has been called slow.
    pub(crate) fn is_lost(&self) -> bool {
        self.periods > 0
    }

    /// Whether the end of patience is a success.
    pub(crate) fn is_lenient(&self) -> bool {
        self.slow.on_timeout == Verdict::Pass
    }

    /// Whether the test has been asked to end.
    pub(crate) fn is_over(&self) -> bool {
        self.asked_to_end_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::{Due, Patience};
    use crate::config::SlowTimeout;

    const SECOND: Duration = Duration::from_secs(1);

    fn slow(terminate_after: u32) -> SlowTimeout {
        let terminate_after = NonZeroU32::new(terminate_after);
        SlowTimeout { terminate_after, grace_period: 5 * SECOND, ..SlowTimeout::after(2 * SECOND) }
    }

    #[test]
    fn a_slow_test_is_named_once_a_period() {
        let mut patience = Patience::new(slow(0));
        assert_eq!(patience.due(SECOND), None);
        assert!(!patience.is_lost());
        assert_eq!(patience.due(2 * SECOND), Some(Due::Slow));
        assert_eq!(patience.due(3 * SECOND), None);
        assert_eq!(patience.due(4 * SECOND), Some(Due::Slow));
        assert!(patience.is_lost() && !patience.is_over());
    }

    #[test]
    fn after_some_periods_a_test_is_asked_to_end_and_then_killed() {
        let mut patience = Patience::new(slow(2));
        assert_eq!(patience.due(2 * SECOND), Some(Due::Slow));
        assert_eq!(patience.due(4 * SECOND), Some(Due::Terminate));
        assert_eq!(patience.next(), Some(9 * SECOND));
        assert_eq!(patience.due(8 * SECOND), None);
        assert_eq!(patience.due(9 * SECOND), Some(Due::Kill));
        assert_eq!((patience.due(100 * SECOND), patience.next()), (None, None));
    }

    #[test]
    fn without_grace_it_is_killed_at_once() {
        let mut patience = Patience::new(SlowTimeout { grace_period: Duration::ZERO, ..slow(1) });
        assert_eq!(patience.due(2 * SECOND), Some(Due::Terminate));
        assert_eq!(patience.due(2 * SECOND), Some(Due::Kill));
    }
}
