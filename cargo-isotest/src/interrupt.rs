//! Ctrl-C and its kin, as something that can be waited for beside everything else.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;

use crate::Problem;
use crate::exit_code::Code;

/// SIGINT, SIGTERM and SIGHUP, which no longer end this program by themselves.
///
/// They are handled and not blocked: programs that we start would inherit a mask, and then could not be stopped.
#[derive(Debug)]
pub(crate) struct Interrupt {
    arrived: UnixStream,
    which: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From here on the signals can be waited for.
    pub(crate) fn watch() -> io::Result<Interrupt> {
        let (arrived, arriving) = UnixStream::pair()?;
        let which = Arc::new(AtomicUsize::new(0));
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            // In this order: whoever sees that one has arrived must find out which.
            signal_hook::flag::register_usize(signal as i32, Arc::clone(&which), signal as usize)?;
            signal_hook::low_level::pipe::register(signal as i32, arriving.try_clone()?)?;
        }
        Ok(Interrupt { arrived, which })
    }

    /// The signal that has arrived, if one has.
    pub(crate) fn taken(&self) -> Option<Signal> {
        let number = i32::try_from(self.which.load(Ordering::SeqCst)).ok()?;
        Signal::try_from(number).ok()
    }

    /// Reads `stream` to its end.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a signal arrives meanwhile; `doing` names what was interrupted.
    pub(crate) fn read_to_end(&self, mut stream: impl Read + AsFd, doing: &str) -> Result<Vec<u8>, Problem> {
        let failed = |error: io::Error| Problem { message: format!("{doing}: {error}"), code: Code::ListFailed };
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            wait_for_either(stream.as_fd(), self.as_fd()).map_err(failed)?;
            if let Some(signal) = self.taken() {
                return Err(Problem { message: format!("{doing}: stopped by {signal}"), code: Code::Interrupted });
            }
            match stream.read(&mut buffer).map_err(failed)? {
                0 => return Ok(bytes),
                length => bytes.extend_from_slice(&buffer[..length]),
            }
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}

fn wait_for_either(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<()> {
    let mut events = [PollFd::new(one, PollFlags::POLLIN), PollFd::new(other, PollFlags::POLLIN)];
    match poll(&mut events, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
