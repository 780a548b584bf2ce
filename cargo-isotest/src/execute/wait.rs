//! What does the run wait for, and what has come?

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use isotest::runner::{Isolation, PATIENCE};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Execution;
use crate::event::{Attempt, Event, Stream};
use crate::interrupt::Interrupt;
use crate::running::failure;

impl Execution<'_, '_> {
    /// Waits until something has come, or the next thing is due.
    pub(super) fn wait(&mut self, interrupt: &Interrupt) -> io::Result<()> {
        let sources = self.running.iter().flat_map(|in_flight| in_flight.running.sources());
        let keys = self.keys.as_ref().map(AsFd::as_fd);
        let ours = 1 + usize::from(keys.is_some());
        let all = std::iter::once(interrupt.as_fd()).chain(keys).chain(sources);
        let mut events: Vec<_> = all.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut events, self.time_to_wait()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut ready = events.iter().map(|event| event.any().unwrap_or(true));
        let typed = ready.by_ref().take(ours).nth(1);
        let ready: Vec<bool> = ready.collect();
        (self.typed, self.ready) = (typed == Some(true), ready);
        Ok(())
    }

    /// Finds what has come from the tests by now.
    pub(super) fn look_for_output(&mut self) -> io::Result<()> {
        let sources = self.running.iter().flat_map(|in_flight| in_flight.running.sources());
        let mut events: Vec<_> = sources.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut events, PollTimeout::ZERO) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        self.ready = events.iter().map(|event| event.any().unwrap_or(true)).collect();
        Ok(())
    }

    /// Until the next thing is due by the clock. Rounded up, or the last millisecond would be waited for in vain, again and
    /// again.
    fn time_to_wait(&self) -> PollTimeout {
        if self.running.iter().any(|in_flight| in_flight.running.nobody_writes()) {
            return PollTimeout::ZERO; // Only what is there already is to be read.
        }
        let now = self.clock.now();
        let rounds_end = self.manner.rounds_for.filter(|end| *end > now);
        let due = self.running.iter().filter_map(|in_flight| in_flight.running.next_due());
        let due = due.chain(self.resting.iter().map(|(until, _)| *until)).chain(self.manner.global_timeout);
        let next = due.chain(rounds_end).min().map(|due| due.saturating_sub(now));
        let in_a_line = self.running.iter().any(|in_flight| in_flight.running.is_in_a_line());
        match next.into_iter().chain(self.manner.tick).chain(in_a_line.then_some(PATIENCE)).min() {
            Some(time) => PollTimeout::try_from(time + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        }
    }

    /// Takes what has come since the last [`Execution::wait`].
    pub(super) fn take_what_came(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let mut ready = &ready[..];
        for mut in_flight in std::mem::take(&mut self.running) {
            let (own, others) = ready.split_at(in_flight.running.sources().count());
            ready = others;
            let (job, number) = (in_flight.job, in_flight.number);
            let tell = &mut self.tell;
            let mut show = |stream: Stream, piece: &[u8]| tell(Event::Output(stream, piece));
            let live = self.manner.live.then_some(&mut show as &mut dyn FnMut(Stream, &[u8]));
            let taken = in_flight.running.take(own, live, &mut self.buffer);
            let attempt = match taken {
                Ok(()) if !in_flight.running.is_over(own.contains(&true)) => {
                    self.running.push(in_flight);
                    continue;
                }
                Ok(()) => in_flight.running.end(self.case(job).test, number),
                Err(error) => Err(error),
            };
            let attempt = attempt.unwrap_or_else(|error| {
                Attempt::failed(number, failure("reading the test's output", &error), Isolation::Required)
            });
            self.stopping |= self.attempted(job, attempt);
        }
    }
}
