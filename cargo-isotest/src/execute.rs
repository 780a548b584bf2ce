//! Runs the tests, several at once, each in a sandbox: one loop that waits for whatever comes next.

use std::io;
use std::os::fd::AsFd;

use isotest::runner::{Isolation, Outcome, Unavailable};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::binary::Ready;
use crate::cli::Run;
use crate::interrupt::Interrupt;
use crate::list::{Listed, Test};
use crate::running::{Ended, Running, Stream};
use crate::schedule::Schedule;

/// What the report is told.
pub(crate) enum Event<'e, 'a> {
    /// A test has ended.
    Ended(&'e Test, &'e Ready<'a>, Box<Ended>),
    /// A test was running when a signal stopped everything.
    Interrupted(&'e Test, &'e Ready<'a>),
    /// Output to show at once.
    Output(Stream, Vec<u8>),
    /// This signal stops everything.
    Stopping(Signal),
}

/// Runs all of `listed`; `tell` hears of each event as it comes.
///
/// # Errors
///
/// When this program's own waiting fails.
pub(crate) fn all<'a>(
    listed: &Listed<'a>,
    options: &Run,
    unavailable: Unavailable,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(Event<'_, 'a>),
) -> io::Result<()> {
    let at_once = if options.no_capture { 1 } else { options.threads.map_or_else(default_threads, usize::from) };
    let mut run = Execution {
        listed,
        live: options.no_capture,
        unavailable,
        schedule: Schedule::new(listed.tests.len(), at_once, !options.no_fail_fast),
        running: Vec::new(),
        buffer: vec![0; 64 * 1024],
        tell,
    };
    loop {
        run.start_what_may();
        if run.schedule.is_over() {
            return Ok(());
        }
        if let Some(signal) = run.wait(interrupt)? {
            (run.tell)(Event::Stopping(signal));
            run.schedule.stop();
            for (at, _) in run.running.drain(..) {
                let test = &listed.tests[at];
                (run.tell)(Event::Interrupted(test, &listed.binaries[test.binary]));
            }
            return Ok(()); // The servers end with `listed`, and every sandbox with its server.
        }
    }
}

/// How many tests run at once unless the user says.
fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

struct Execution<'e, 'a> {
    listed: &'e Listed<'a>,
    live: bool,
    unavailable: Unavailable,
    schedule: Schedule,
    running: Vec<(usize, Running)>,
    buffer: Vec<u8>,
    tell: &'e mut dyn FnMut(Event<'_, 'a>),
}

impl Execution<'_, '_> {
    fn start_what_may(&mut self) {
        while let Some(at) = self.schedule.next() {
            self.start(at, Isolation::Required);
        }
    }

    fn start(&mut self, at: usize, isolation: Isolation) {
        let test = &self.listed.tests[at];
        let label = format!("{}-{at}", std::process::id());
        match Running::start(test, &self.listed.binaries[test.binary], &label, isolation) {
            Ok(running) => self.running.push((at, running)),
            Err(error) => self.ended(at, Ended::failed("asking the fork server", &error, isolation)),
        }
    }

    /// Waits until something has come, and takes it. Gives the signal that is to stop everything.
    fn wait(&mut self, interrupt: &Interrupt) -> io::Result<Option<Signal>> {
        let sources = self.running.iter().flat_map(|(_, running)| running.sources());
        let mut events: Vec<_> =
            std::iter::once(interrupt.as_fd()).chain(sources).map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        match poll(&mut events, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let ready: Vec<bool> = events.iter().map(|event| event.any().unwrap_or(true)).collect();
        if ready[0]
            && let Some(signal) = interrupt.taken()
        {
            return Ok(Some(signal));
        }
        let mut ready = &ready[1..];
        for (at, mut running) in std::mem::take(&mut self.running) {
            let (own, others) = ready.split_at(running.sources().count());
            ready = others;
            match running.take(own, self.live, &mut self.buffer) {
                Ok(shown) => shown.into_iter().for_each(|(stream, piece)| (self.tell)(Event::Output(stream, piece))),
                Err(error) => {
                    self.ended(at, Ended::failed("reading the test's output", &error, Isolation::Required));
                    continue;
                }
            }
            if !running.is_over(own.contains(&true)) {
                self.running.push((at, running));
                continue;
            }
            match running.end(&self.listed.tests[at]) {
                Ok(ended) => self.ended(at, ended),
                Err(error) => {
                    self.ended(at, Ended::failed("keeping the test's output", &error, Isolation::Required));
                }
            }
        }
        Ok(None)
    }

    fn ended(&mut self, at: usize, mut ended: Ended) {
        if let Outcome::SetupFailed(failure) = &ended.outcome
            && failure.is_refusal()
        {
            match self.unavailable {
                Unavailable::Run if ended.isolation == Isolation::Required => return self.start(at, Isolation::None),
                Unavailable::Skip => ended.outcome = Outcome::Skipped(failure.clone()),
                Unavailable::Run | Unavailable::Fail => {}
            }
        }
        self.schedule.ended(matches!(ended.outcome, Outcome::Passed | Outcome::Skipped(_)));
        let test = &self.listed.tests[at];
        (self.tell)(Event::Ended(test, &self.listed.binaries[test.binary], Box::new(ended)));
    }
}
