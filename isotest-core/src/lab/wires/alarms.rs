//! When is which way to be looked at next? One time for each.

use std::collections::BTreeSet;
use std::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Alarms {
    in_order: BTreeSet<(Instant, usize)>,
    /// By the way's number.
    of_ways: Vec<Option<Instant>>,
}

impl Alarms {
    /// Sets that of a way in place of the one it had.
    pub(super) fn set(&mut self, way: usize, due: Option<Instant>) {
        if self.of_ways.len() <= way {
            self.of_ways.resize(way + 1, None);
        }
        let before = std::mem::replace(&mut self.of_ways[way], due);
        if before == due {
            return;
        }
        if let Some(before) = before {
            self.in_order.remove(&(before, way));
        }
        self.in_order.extend(due.map(|due| (due, way)));
    }

    /// The first, and whose it is.
    pub(super) fn first(&self) -> Option<(Instant, usize)> {
        self.in_order.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_way_has_one() {
        let (mut alarms, now) = (Alarms::default(), Instant::now());
        let [soon, later] = [1, 2].map(|seconds| now + Duration::from_secs(seconds));
        alarms.set(7, Some(later));
        alarms.set(3, Some(soon));
        assert_eq!(alarms.first(), Some((soon, 3)));
        for _ in 0..1000 {
            alarms.set(7, Some(now));
            alarms.set(7, Some(later));
        }
        assert_eq!((alarms.first(), alarms.in_order.len()), (Some((soon, 3)), 2));
        alarms.set(3, None);
        assert_eq!(alarms.first(), Some((later, 7)));
        alarms.set(7, None);
        assert_eq!(alarms.first(), None);
    }
}
