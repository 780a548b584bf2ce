//! How often is a failing test run again, and after which delay?

use std::time::Duration;

/// What is said of failing tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retries {
    /// How often at most.
    pub(crate) count: u32,
    /// How long before the first.
    pub(crate) delay: Duration,
    /// Whether each delay is twice the one before, and no longer than what.
    pub(crate) growth: Growth,
    /// Whether delays are shortened at random, to half at most, so that tests that failed together don't meet again.
    pub(crate) jitter: bool,
}

/// How delays grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Growth {
    /// They don't.
    #[default]
    Fixed,
    /// Each is twice the one before, up to this.
    #[cfg_attr(not(test), expect(dead_code, reason = "the configuration asks for it"))]
    Doubling(Option<Duration>),
}

impl Retries {
    /// So often, at once.
    pub(crate) fn at_once(count: u32) -> Retries {
        Retries { count, ..Retries::default() }
    }

    /// How long to wait after the attempt with this number (from 1) has failed, `chance` being from 0 to 1. `None`: it was
    /// the last.
    pub(crate) fn delay_after(&self, attempt: u32, chance: f64) -> Option<Duration> {
        if attempt > self.count {
            return None;
        }
        let grown = match self.growth {
            Growth::Fixed => self.delay,
            Growth::Doubling(most) => {
                let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
                self.delay.saturating_mul(factor).min(most.unwrap_or(Duration::MAX))
            }
        };
        Some(if self.jitter { grown.mul_f64(1.0 - chance / 2.0) } else { grown })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Growth, Retries};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_test_is_run_again_so_often_and_no_more() {
        let retries = Retries::at_once(2);
        assert_eq!(
            [1, 2, 3].map(|attempt| retries.delay_after(attempt, 0.5)),
            [Some(Duration::ZERO); 2].into_iter().chain([None]).collect::<Vec<_>>()[..]
        );
        assert_eq!(Retries::default().delay_after(1, 0.0), None);
    }

    #[test]
    fn delays_double_up_to_a_limit() {
        let growth = Growth::Doubling(Some(3 * SECOND));
        let retries = Retries { count: 40, delay: SECOND, growth, jitter: false };
        assert_eq!(
            [1, 2, 3, 40].map(|attempt| retries.delay_after(attempt, 0.9)),
            [1, 2, 3, 3].map(|s| Some(s * SECOND))
        );
    }

    #[test]
    fn chance_shortens_a_delay_to_half_at_most() {
        let retries = Retries { count: 1, delay: SECOND, growth: Growth::Fixed, jitter: true };
        assert_eq!(retries.delay_after(1, 0.0), Some(SECOND));
        assert_eq!(retries.delay_after(1, 1.0), Some(SECOND / 2));
    }
}
