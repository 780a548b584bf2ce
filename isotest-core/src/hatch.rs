//! What do the labs of a test tell its init? By a socket whose name is known in the test's own network, and nowhere else: a test finds no
//! descriptor but 0, 1 and 2.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use nix::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, Backlog, Shutdown, SockFlag, SockType, UnixAddr, accept4, bind, listen, shutdown, socket,
};
use serde::{Deserialize, Serialize};

use crate::ledger::Book;
use crate::protocol::{MOST_DESCRIPTORS, receive, send};

const NAME: &[u8] = b"isotest-init";

/// What a lab says; descriptors go with some of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Message {
    /// What comes out of these packet sockets is to be captured; this stands before the names of their interfaces.
    Capture(String),
    /// How often these networks have no way somewhere is to be counted.
    Count(Counted),
    /// Out of this packet socket comes all that hosts send to what is in no network of the lab.
    Beyond,
    /// This is to be known of it; more may follow.
    Book(Book),
    /// Somebody in a host, or in the test's own network, has asked for a name that the lab does not know.
    Asked {
        /// Where.
        host: Option<String>,
        /// For what.
        name: String,
    },
}

/// What of a network is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Counted {
    /// What starts there.
    Sent,
    /// Also what was to pass through, but so many times, while it was being built.
    Passing(u64),
}

/// What init hears of a lab.
#[derive(Debug)]
pub(crate) enum Heard {
    Said(Message, Vec<OwnedFd>),
    /// It is gone, or the test is, or what it says can't be understood. When this is closed, what there was of it has been seen.
    Gone(Result<()>, OwnedFd),
}

/// Init's side.
#[derive(Debug)]
pub(crate) struct Hatch {
    listener: OwnedFd,
    labs: Vec<(u64, OwnedFd)>,
    /// How many there have been.
    known: u64,
}

impl Hatch {
    /// Opens one in the calling thread's network.
    pub(crate) fn open() -> Result<Hatch> {
        let listener = stream(SockFlag::SOCK_NONBLOCK)?;
        bind(listener.as_raw_fd(), &UnixAddr::new_abstract(NAME)?)?;
        listen(&listener, Backlog::new(64)?)?;
        Ok(Hatch { listener, labs: Vec::new(), known: 0 })
    }

    /// What to wait for.
    pub(crate) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(&self.listener).chain(self.labs.iter().map(|(_, lab)| lab)).map(AsFd::as_fd)
    }

    /// Takes what has come, each with the number of its lab. `before` is called when there is a new one.
    pub(crate) fn take(&mut self, before: impl Fn()) -> Vec<(u64, Heard)> {
        while let Ok(lab) = accept4(self.listener.as_raw_fd(), SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK) {
            before();
            self.labs.push((self.known, crate::sys::process::adopt(lab)));
            self.known += 1;
        }
        let mut taken = Vec::new();
        for (number, lab) in std::mem::take(&mut self.labs) {
            loop {
                match receive::<Message>(lab.as_fd()) {
                    Ok(Some((message, descriptors))) => taken.push((number, Heard::Said(message, descriptors))),
                    Err(Errno::EAGAIN) => {
                        self.labs.push((number, lab));
                        break;
                    }
                    ended => {
                        taken.push((number, Heard::Gone(ended.map(drop), lab)));
                        break;
                    }
                }
            }
        }
        taken
    }
}

/// A lab's side, which is open for as long as the lab is there. The calling thread has to be in the test's own network.
pub(crate) fn connect() -> Result<OwnedFd> {
    let socket = stream(SockFlag::empty())?;
    nix::sys::socket::connect(socket.as_raw_fd(), &UnixAddr::new_abstract(NAME)?)?;
    Ok(socket)
}

/// Says something.
pub(crate) fn say(to: &OwnedFd, message: &Message) -> Result<()> {
    send(to.as_fd(), message, &[])
}

/// Says something that these descriptors belong to, in as many parts as it takes.
pub(crate) fn hand_over(to: &OwnedFd, message: &Message, descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    descriptors.chunks(MOST_DESCRIPTORS).try_for_each(|some| send(to.as_fd(), message, some))
}

/// Says that the lab is gone, whoever may still keep the socket open.
pub(crate) fn leave(socket: &OwnedFd) -> Result<()> {
    shutdown(socket.as_raw_fd(), Shutdown::Write)
}

/// Waits until init has seen what there was of a lab that is gone; so long at most, because init may have been stopped.
pub(crate) fn wait_until_seen(socket: &OwnedFd, at_most: PollTimeout) -> Result<()> {
    let mut closed = [PollFd::new(socket.as_fd(), PollFlags::POLLIN)];
    poll(&mut closed, at_most).map(drop)
}

fn stream(flags: SockFlag) -> Result<OwnedFd> {
    socket(AddressFamily::Unix, SockType::SeqPacket, flags | SockFlag::SOCK_CLOEXEC, None)
}
