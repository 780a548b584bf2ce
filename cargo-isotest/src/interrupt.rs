//! Ctrl-C and its kin, as something that can be waited for beside everything else.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Problem;
use crate::exit_code::Code;

/// SIGINT, SIGTERM and SIGHUP, which no longer end this program by themselves.
#[derive(Debug)]
pub(crate) struct Interrupt(SignalFd);

impl Interrupt {
    /// From here on the signals wait to be read. Programs that std starts get the usual mask back.
    pub(crate) fn watch() -> io::Result<Interrupt> {
        let mut mask = SigSet::empty();
        mask.extend([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
        mask.thread_block()?;
        Ok(Interrupt(SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// The signal that has arrived, if one has.
    pub(crate) fn taken(&self) -> io::Result<Option<Signal>> {
        let signal = self.0.read_signal()?;
        Ok(signal.and_then(|signal| Signal::try_from(signal.ssi_signo.cast_signed()).ok()))
    }

    /// Reads `stream` to its end, piece by piece.
    ///
    /// # Errors
    ///
    /// When it can't be read, or a signal arrives meanwhile; `doing` names what was interrupted.
    pub(crate) fn read_all(
        &self,
        mut stream: impl Read + AsFd,
        doing: &str,
        mut take: impl FnMut(&[u8]) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let failed = |error: io::Error| Problem { message: format!("{doing}: {error}"), code: Code::ListFailed };
        let mut buffer = vec![0; 64 * 1024];
        loop {
            wait_for_either(stream.as_fd(), self.as_fd()).map_err(failed)?;
            if let Some(signal) = self.taken().map_err(failed)? {
                return Err(Problem { message: format!("{doing}: stopped by {signal}"), code: Code::Interrupted });
            }
            match stream.read(&mut buffer).map_err(failed)? {
                0 => return Ok(()),
                length => take(&buffer[..length])?,
            }
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn wait_for_either(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<()> {
    let mut events = [PollFd::new(one, PollFlags::POLLIN), PollFd::new(other, PollFlags::POLLIN)];
    match poll(&mut events, PollTimeout::NONE) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
