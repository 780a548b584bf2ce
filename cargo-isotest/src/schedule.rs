//! Which test starts next? A state machine that knows neither processes nor time.

use std::collections::VecDeque;

/// What is still to run, and whether anything may still start.
#[derive(Debug)]
pub(crate) struct Schedule {
    waiting: VecDeque<usize>,
    running: usize,
    at_once: usize,
    fail_fast: bool,
    stopped: bool,
}

impl Schedule {
    /// For so many tests, numbered from 0.
    pub(crate) fn new(tests: usize, at_once: usize, fail_fast: bool) -> Schedule {
        Schedule { waiting: (0..tests).collect(), running: 0, at_once, fail_fast, stopped: false }
    }

    /// The test to start now, if there is one and there is room.
    pub(crate) fn next(&mut self) -> Option<usize> {
        if self.stopped || self.running == self.at_once {
            return None;
        }
        let next = self.waiting.pop_front()?;
        self.running += 1;
        Some(next)
    }

    /// A running test has ended.
    pub(crate) fn ended(&mut self, well: bool) {
        self.running -= 1;
        self.stopped |= self.fail_fast && !well;
    }

    /// Nothing starts any more.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether all is over.
    pub(crate) fn is_over(&self) -> bool {
        self.running == 0 && (self.stopped || self.waiting.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn no_more_run_than_may() {
        let mut schedule = Schedule::new(3, 2, true);
        assert_eq!([schedule.next(), schedule.next(), schedule.next()], [Some(0), Some(1), None]);
        schedule.ended(true);
        assert_eq!([schedule.next(), schedule.next()], [Some(2), None]);
    }

    #[test]
    fn a_failure_lets_running_tests_end_and_starts_no_other() {
        let mut schedule = Schedule::new(3, 2, true);
        schedule.next();
        schedule.next();
        schedule.ended(false);
        assert_eq!(schedule.next(), None);
        assert!(!schedule.is_over());
        schedule.ended(true);
        assert!(schedule.is_over());
    }

    #[test]
    fn without_fail_fast_all_run() {
        let mut schedule = Schedule::new(2, 1, false);
        schedule.next();
        schedule.ended(false);
        assert_eq!(schedule.next(), Some(1));
        schedule.ended(false);
        assert!(schedule.is_over());
    }
}
