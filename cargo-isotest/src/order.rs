//! In which order do the tests start? What tells most, first: tests that failed last time, then the longest.

use std::cmp::Reverse;
use std::time::Duration;

/// What the order depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// What the configuration says; the highest first.
    pub(crate) priority: i8,
    /// Whether it failed when it ran last.
    pub(crate) failed: bool,
    /// How long it took when it ran last.
    pub(crate) took: Option<Duration>,
}

/// Tests that are shorter than this keep the order they are listed in: what would be sorted is noise.
const SHORT: Duration = Duration::from_millis(100);

/// The places of the tests in the order in which they are to start.
pub(crate) fn start_order(tests: &[Known], shuffle: Option<u64>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..tests.len()).collect();
    if let Some(seed) = shuffle {
        fastrand::Rng::with_seed(seed).shuffle(&mut order);
        order.sort_by_key(|&at| Reverse(tests[at].priority));
        return order;
    }
    let unknown = median(tests);
    order.sort_by_key(|&at| {
        let test = &tests[at];
        let took = test.took.unwrap_or(unknown);
        let took = if took < SHORT { Duration::ZERO } else { took };
        (Reverse(test.priority), !test.failed, Reverse(took))
    });
    order
}

/// A test that nobody has seen run is taken to be like the others.
fn median(tests: &[Known]) -> Duration {
    let mut known: Vec<Duration> = tests.iter().filter_map(|test| test.took).collect();
    known.sort_unstable();
    known.get(known.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Known, start_order};

    const NEW: Known = Known { priority: 0, failed: false, took: None };

    fn took(seconds: u64) -> Known {
        Known { took: Some(Duration::from_secs(seconds)), ..NEW }
    }

    #[test]
    fn tests_of_which_nothing_is_known_keep_their_order() {
        assert_eq!(start_order(&[NEW; 4], None), [0, 1, 2, 3]);
    }

    #[test]
    fn the_longest_starts_first_so_that_it_does_not_end_last() {
        assert_eq!(start_order(&[took(1), took(9), took(3)], None), [1, 2, 0]);
    }

    #[test]
    fn a_new_test_is_taken_to_be_like_the_others() {
        assert_eq!(start_order(&[took(1), took(5), took(9), NEW], None), [2, 1, 3, 0]);
    }

    #[test]
    fn what_failed_goes_before_what_is_long_and_priority_before_both() {
        let failed = Known { failed: true, ..took(1) };
        let urgent = Known { priority: 1, ..NEW };
        assert_eq!(start_order(&[took(9), failed, urgent, Known { priority: -1, ..failed }], None), [2, 1, 0, 3]);
    }

    #[test]
    fn short_tests_keep_their_order() {
        let short = |milliseconds| Known { took: Some(Duration::from_millis(milliseconds)), ..NEW };
        assert_eq!(start_order(&[short(1), short(99), short(2)], None), [0, 1, 2]);
    }

    #[test]
    fn a_seed_gives_the_same_order_twice_and_another_seed_another() {
        let tests = [NEW; 50];
        assert_eq!(start_order(&tests, Some(1)), start_order(&tests, Some(1)));
        assert_ne!(start_order(&tests, Some(1)), start_order(&tests, Some(2)));
        let mut sorted = start_order(&tests, Some(1));
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..50));
    }
}
