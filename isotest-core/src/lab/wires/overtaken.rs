//! Which packets wait until others have overtaken them?

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// They, each with a number in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Overtaken {
    waiting: BTreeMap<u64, Waiting>,
    /// After how many have passed each goes on, and which is impatient when.
    by_count: BTreeSet<(u64, u64)>,
    by_time: BTreeSet<(Instant, u64)>,
    passed: u64,
    came: u64,
}

#[derive(Debug)]
struct Waiting {
    after: u64,
    until: Instant,
    frame: Vec<u8>,
}

impl Overtaken {
    /// Has a frame wait for so many others, or until then.
    pub(super) fn wait(&mut self, others: u32, until: Instant, frame: Vec<u8>) {
        let (number, after) = (self.came, self.passed + u64::from(others));
        self.came += 1;
        self.by_count.insert((after, number));
        self.by_time.insert((until, number));
        self.waiting.insert(number, Waiting { after, until, frame });
    }

    /// Another has passed.
    pub(super) fn pass(&mut self) {
        self.passed += 1;
    }

    /// The next one that enough others have overtaken.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let (after, number) = *self.by_count.first()?;
        (after <= self.passed).then(|| self.take(number)).flatten()
    }

    /// The next one that has waited until now.
    pub(super) fn next_impatient(&mut self, now: Instant) -> Option<Vec<u8>> {
        let (until, number) = *self.by_time.first()?;
        (until <= now).then(|| self.take(number)).flatten()
    }

    /// Until when the first waits.
    pub(super) fn until(&self) -> Option<Instant> {
        self.by_time.first().map(|(until, _)| *until)
    }

    fn take(&mut self, number: u64) -> Option<Vec<u8>> {
        let Waiting { after, until, frame } = self.waiting.remove(&number)?;
        self.by_count.remove(&(after, number));
        self.by_time.remove(&(until, number));
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn they_go_on_by_count_or_by_time() {
        let (mut overtaken, now) = (Overtaken::default(), Instant::now());
        let [soon, later] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        overtaken.wait(2, later, vec![1]);
        overtaken.wait(1, later, vec![2]);
        overtaken.wait(2, soon, vec![3]);
        assert_eq!((overtaken.next(), overtaken.until()), (None, Some(soon)));
        overtaken.pass();
        assert_eq!((overtaken.next(), overtaken.next()), (Some(vec![2]), None));
        assert_eq!((overtaken.next_impatient(now), overtaken.next_impatient(soon)), (None, Some(vec![3])));
        overtaken.pass();
        assert_eq!((overtaken.next(), overtaken.next(), overtaken.until()), (Some(vec![1]), None, None));
    }
}
