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
        let paused = self.paused_since.map_or(Duration::ZERO, |since| since.elapsed());
        self.started.elapsed().saturating_sub(self.paused_for + paused)
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
