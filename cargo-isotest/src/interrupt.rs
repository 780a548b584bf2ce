//! Ctrl-C and its kin, as something that can be waited for beside everything else.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use signal_hook::SigId;

use crate::Problem;
use crate::exit_code::Code;

/// SIGINT, SIGTERM, SIGHUP and SIGQUIT, which no longer end this program by themselves when they come for the first time, SIGTSTP and
/// SIGUSR1.
///
/// They are handled and not blocked: programs that we start would inherit a mask, and then could not be stopped.
#[derive(Debug)]
pub(crate) struct Interrupt {
    arrived: UnixStream,
    stop: Arc<AtomicUsize>,
    pause: Arc<AtomicBool>,
    tell: Arc<AtomicBool>,
    pass_on: Arc<AtomicBool>,
    /// What happens on Ctrl-C, as long as it is for us.
    on_ctrl_c: Vec<SigId>,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// To stop everything.
    Stop(Signal),
    /// To stand still (Ctrl-Z).
    Pause,
    /// To tell what runs.
    Tell,
    /// Nothing of us: what runs is to hear of it.
    PassOn,
}

/// How much is kept of what is read; the rest is read as well, so that whoever writes it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Everything.
    All,
    /// So many bytes.
    First(usize),
}

impl Interrupt {
    /// From here on the signals can be waited for.
    pub(crate) fn watch() -> Result<Interrupt, Problem> {
        Interrupt::register().map_err(|error| failed("watching for signals", &error))
    }

    fn register() -> io::Result<Interrupt> {
        let (arrived, arriving) = UnixStream::pair()?;
        arrived.set_nonblocking(true)?;
        let (stop, pause) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let again = Arc::new(AtomicBool::new(false));
        let mut on_ctrl_c = Vec::new();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT] {
            let number = signal as i32;
            // In this order: the second signal ends us at once, and whoever sees that one has arrived must find out which.
            let ends = [
                signal_hook::flag::register_conditional_shutdown(number, Code::Interrupted as i32, Arc::clone(&again))?,
                signal_hook::flag::register(number, Arc::clone(&again))?,
                signal_hook::flag::register_usize(number, Arc::clone(&stop), signal as usize)?,
            ];
            on_ctrl_c.extend(ends.into_iter().filter(|_| signal == Signal::SIGINT));
            signal_hook::low_level::pipe::register(number, arriving.try_clone()?)?;
        }
        let tell = Arc::new(AtomicBool::new(false));
        for (signal, asked_for) in [(Signal::SIGTSTP, &pause), (Signal::SIGUSR1, &tell)] {
            signal_hook::flag::register(signal as i32, Arc::clone(asked_for))?;
            signal_hook::low_level::pipe::register(signal as i32, arriving.try_clone()?)?;
        }
        Ok(Interrupt { arrived, stop, pause, tell, pass_on: Arc::default(), on_ctrl_c })
    }

    /// From here on Ctrl-C ends nothing, however often it comes.
    pub(crate) fn pass_on_ctrl_c(&mut self) -> io::Result<()> {
        for registered in self.on_ctrl_c.drain(..) {
            signal_hook::low_level::unregister(registered);
        }
        signal_hook::flag::register(Signal::SIGINT as i32, Arc::clone(&self.pass_on)).map(drop)
    }

    /// What signals have asked for since the last time. That everything is to stop stays true.
    pub(crate) fn news(&self) -> Option<News> {
        let number = i32::try_from(self.stop.load(Ordering::SeqCst)).ok()?;
        if let Ok(signal) = Signal::try_from(number) {
            return Some(News::Stop(signal));
        }
        // Taken out first: a signal that comes from here on wakes whoever waits.
        while (&self.arrived).read(&mut [0; 16]).is_ok_and(|length| length > 0) {}
        let taken = |asked_for: &AtomicBool| asked_for.swap(false, Ordering::SeqCst);
        // Whatever else has been asked for is found the next time.
        match () {
            () if taken(&self.pause) => Some(News::Pause),
            () if taken(&self.tell) => Some(News::Tell),
            () if taken(&self.pass_on) => Some(News::PassOn),
            () => None,
        }
    }

    /// Fails when a signal has arrived; `doing` names what it interrupts.
    pub(crate) fn check(&self, doing: &str) -> Result<(), Problem> {
        match self.news() {
            Some(News::Stop(signal)) => Err(stopped(doing, signal)),
            Some(News::Pause) => nix::sys::signal::raise(Signal::SIGSTOP).map_err(|errno| failed(doing, &errno.into())),
            Some(News::Tell | News::PassOn) | None => Ok(()), // No test runs yet.
        }
    }

    /// Reads `stream` to its end.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a signal arrives meanwhile; `doing` names what was interrupted.
    pub(crate) fn read_to_end(&self, stream: impl Read + AsFd, doing: &str) -> Result<Vec<u8>, Problem> {
        Ok(self.read_until(stream, Keep::All, None, doing)?.unwrap_or_default())
    }

    /// The same, of which so much is kept; `None` where the end has not come by this time.
    pub(crate) fn read_until(
        &self,
        mut stream: impl Read + AsFd,
        keep: Keep,
        until: Option<Instant>,
        doing: &str,
    ) -> Result<Option<Vec<u8>>, Problem> {
        let most = if let Keep::First(most) = keep { most } else { usize::MAX };
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if !self.wait(stream.as_fd(), until, doing)? {
                return Ok(None);
            }
            match stream.read(&mut buffer).map_err(|error| failed(doing, &error))? {
                0 => return Ok(Some(bytes)),
                length => bytes.extend_from_slice(&buffer[..length.min(most - bytes.len())]),
            }
        }
    }

    /// Waits until `stream` can be read, or this time has come. Tells whether it can be read.
    ///
    /// # Errors
    ///
    /// When a signal arrives meanwhile; `doing` names what was interrupted.
    pub(crate) fn wait(&self, stream: BorrowedFd<'_>, until: Option<Instant>, doing: &str) -> Result<bool, Problem> {
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            // A millisecond is added because poll rounds down and would spin through the last one.
            let timeout = left.map_or(PollTimeout::NONE, |left| {
                PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
            });
            let mut events = [PollFd::new(stream, PollFlags::POLLIN), PollFd::new(self.as_fd(), PollFlags::POLLIN)];
            match poll(&mut events, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(errno) => return Err(failed(doing, &errno.into())),
            }
            let ready = events[0].any().unwrap_or(true);
            // What we started goes on while we stand still: it is in process groups of its own.
            self.check(doing)?;
            if ready || left == Some(Duration::ZERO) {
                return Ok(ready);
            }
        }
    }
}

fn stopped(doing: &str, signal: Signal) -> Problem {
    Problem { message: format!("{doing}: stopped by {signal}"), code: Code::Interrupted }
}

fn failed(doing: &str, error: &io::Error) -> Problem {
    Problem { message: format!("{doing}: {error}"), code: Code::ListFailed }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}
