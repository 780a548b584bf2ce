//! How late is it in this run? A clock that stands still while the run is paused.

use std::time::{Duration, Instant};

/// Counts from the beginning of the run.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    paused_for: Duration,
    paused_since: Option<Instant>,
}

impl Clock {
    /// Starts to count.
    pub(crate) fn start() -> Clock {
        Clock { started: Instant::now(), paused_for: Duration::ZERO, paused_since: None }
    }

    /// How much time has passed, without pauses.
    pub(crate) fn now(&self) -> Duration {
        let until = self.paused_since.unwrap_or_else(Instant::now);
        (until - self.started).saturating_sub(self.paused_for)
    }

    /// Stands still from here on.
    pub(crate) fn pause(&mut self) {
        self.paused_since.get_or_insert_with(Instant::now);
    }

    /// Goes on.
    pub(crate) fn resume(&mut self) {
        self.paused_for += self.paused_since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_still_while_paused() {
        let mut clock = Clock::start();
        clock.pause();
        let paused = clock.now();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(clock.now(), paused);
        clock.resume();
        assert!(clock.paused_for >= Duration::from_millis(2));
    }
}
