//! Writing to an output that may be full for a moment: whoever shares it may have set it not to block, as Node.js does with
//! its pipes, and then std gives up what it has not yet written.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Writes all of it at once, however long its reader takes.
///
/// # Errors
///
/// When nobody reads any more.
pub fn write_all(to: &mut (impl Write + AsFd), mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = patiently(to, |to| to.write(bytes))?;
        if written == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
    }
    patiently(to, Write::flush)
}

/// Does it, again and again while there is no room.
pub fn patiently<W: AsFd, T>(to: &mut W, mut write: impl FnMut(&mut W) -> io::Result<T>) -> io::Result<T> {
    loop {
        match write(to) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let mut room = [PollFd::new(to.as_fd(), PollFlags::POLLOUT)];
                poll(&mut room, PollTimeout::NONE).ok(); // Interrupted or not: it is tried again.
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
