//! How does a lab hand the sockets of its hosts to a recorder in another process? Through a socket whose name is known in the test's own
//! network, and nowhere else: a test finds no descriptor but 0, 1 and 2.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::Result;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, Backlog, SockFlag, SockType, UnixAddr, accept4, bind, listen, socket};

use crate::protocol::receive;

const NAME: &[u8] = b"isotest-recorder";

/// The recorder's side.
#[derive(Debug)]
pub(crate) struct Hatch {
    listener: OwnedFd,
    labs: Vec<OwnedFd>,
}

impl Hatch {
    /// Opens one in the calling thread's network.
    pub(crate) fn open() -> Result<Hatch> {
        let listener = stream(SockFlag::SOCK_NONBLOCK)?;
        bind(listener.as_raw_fd(), &UnixAddr::new_abstract(NAME)?)?;
        listen(&listener, Backlog::new(64)?)?;
        Ok(Hatch { listener, labs: Vec::new() })
    }

    /// What to wait for.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(&self.listener).chain(&self.labs).map(AsFd::as_fd)
    }

    /// Takes what has been handed over: sockets, and what stands before the names of their interfaces.
    pub(crate) fn take(&mut self) -> Vec<(String, OwnedFd)> {
        while let Ok(lab) = accept4(self.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK) {
            self.labs.push(crate::sys::process::adopt(lab));
        }
        let mut taken = Vec::new();
        self.labs.retain(|lab| {
            loop {
                match receive::<String>(lab.as_fd()) {
                    Ok(Some((label, sockets))) => taken.extend(sockets.into_iter().map(|it| (label.clone(), it))),
                    Err(Errno::EAGAIN) => return true,
                    Ok(None) | Err(_) => return false,
                }
            }
        });
        taken
    }
}

/// A lab's side. The calling thread has to be in the test's own network.
#[cfg(feature = "lab")]
pub(crate) fn connect() -> Result<OwnedFd> {
    let socket = stream(SockFlag::empty())?;
    nix::sys::socket::connect(socket.as_raw_fd(), &UnixAddr::new_abstract(NAME)?)?;
    Ok(socket)
}

/// Hands a socket over.
#[cfg(feature = "lab")]
pub(crate) fn hand_over(to: &OwnedFd, label: &str, socket: &OwnedFd) -> Result<()> {
    crate::protocol::send(to.as_fd(), &label, &[socket.as_fd()])
}

fn stream(flags: SockFlag) -> Result<OwnedFd> {
    socket(AddressFamily::Unix, SockType::SeqPacket, flags | SockFlag::SOCK_CLOEXEC, None)
}
