//! Where do frames come in? At a plain socket first; once they are many, in memory shared with the kernel, which holds more and is made
//! meanwhile on another thread.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeSpec;

use super::credit::Load;
use crate::sys::frames::{self, Arrived, Inbox};
use crate::sys::packet;
use crate::sys::ring::{self, Ring};

pub(super) struct Intake {
    plain: OwnedFd,
    inbox: Inbox,
    longest: usize,
    ring: Making,
    /// Where what was received last has come from.
    from: Source,
    /// How many bytes have come to the plain socket.
    bytes: usize,
    /// How many times in a row there was as much as is received at once.
    full: u32,
}

/// The memory: one for a lab, when it is worth its price.
enum Making {
    /// This kernel can't.
    Never,
    NotYet,
    /// Where it will come from.
    Begun(Receiver<nix::Result<Ring>>),
    Done(Ring),
}

/// How much it is to have room for at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    Small,
    Large,
}

/// Where frames find room until they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    Socket,
    /// Of so many frames.
    Ring(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Plain,
    Ring,
}

/// What there is to do.
pub(super) enum Event {
    End,
    Frames(Source),
    /// It is late enough.
    Time,
}

/// How much the plain socket holds, if the kernel lets it: of most machines, 208 KiB, which are less than 200 packets of TCP.
const ROOM: usize = 64 << 20;
/// After so many bytes there will be more, as when more than [`frames::AT_ONCE`] wait.
const MANY: usize = 256 << 10;

/// How much of a ring is a lot, and how much is little: a part of so many.
const QUARTER: usize = 4;
const FEW: usize = 64;
/// The same for bytes that wait to be sent on.
const MUCH: usize = 8 << 20;
const LITTLE: usize = 1 << 20;

impl Intake {
    /// Opens one for all frames of this thread's network.
    pub(super) fn open(longest: usize) -> nix::Result<Intake> {
        let plain = frames::open()?;
        // Beyond the machine's limit only for root; the kernel cuts what the other asks for to it.
        setsockopt(&plain, sockopt::RcvBufForce, &ROOM).or_else(|_| setsockopt(&plain, sockopt::RcvBuf, &ROOM))?;
        let ring = if ring::lead(&plain).is_ok() { Making::NotYet } else { Making::Never };
        Ok(Intake { plain, inbox: Inbox::new(longest), longest, ring, from: Source::Plain, bytes: 0, full: 0 })
    }

    /// Makes a ring, if that is possible and wanted from the beginning; tells what there is room for.
    pub(super) fn make_ready(&mut self, start: Start) -> nix::Result<Room> {
        if let (Start::Large, Making::NotYet) = (start, &self.ring) {
            self.ring = taken_over(Ring::make(self.longest));
        }
        Ok(self.room())
    }

    /// The socket to send by.
    pub(super) fn socket(&self) -> &OwnedFd {
        &self.plain
    }

    /// Waits until there is something to do, or for so long.
    pub(super) fn wait(&mut self, stop: BorrowedFd<'_>, timeout: Option<TimeSpec>) -> nix::Result<Event> {
        // The kernel looks at them in this order: whatever came before what is in the ring is found in the plain socket then.
        let ring = if let Making::Done(ring) = &self.ring { ring.socket() } else { &self.plain };
        let mut watched = [stop, ring.as_fd(), self.plain.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        match ppoll(&mut watched, timeout, None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let [stop, ring, plain] = watched.map(|fd| fd.any().unwrap_or(false));
        if !ring && !plain {
            self.full = 0;
        }
        Ok(match (stop, ring, plain) {
            (true, ..) => Event::End,
            (_, _, true) => Event::Frames(Source::Plain),
            (_, true, _) => Event::Frames(Source::Ring),
            _ => Event::Time,
        })
    }

    /// Receives what is there; gives how many frames, at most [`frames::AT_ONCE`].
    pub(super) fn receive(&mut self, source: Source) -> nix::Result<usize> {
        self.from = source;
        let count = match (&mut self.ring, source) {
            (Making::Done(ring), Source::Ring) => Ok(ring.receive(frames::AT_ONCE)),
            _ => self.inbox.receive(&self.plain),
        };
        let count = match count {
            Err(Errno::EAGAIN | Errno::EINTR) => 0,
            other => other?,
        };
        self.full = if count == frames::AT_ONCE { self.full + 1 } else { 0 };
        if source == Source::Plain {
            self.bytes += self.inbox.bytes();
            if self.full > 0 || self.bytes > MANY {
                self.make_room();
            }
        }
        Ok(count)
    }

    /// Whether much more has come than was received last.
    pub(super) fn fills(&self) -> bool {
        match (&self.ring, self.from) {
            (Making::Done(ring), Source::Ring) => ring.is_filled(QUARTER),
            _ => true, // It has room for few.
        }
    }

    /// Where frames find room now.
    pub(super) fn room(&self) -> Room {
        if let Making::Done(ring) = &self.ring { Room::Ring(ring.slots() as u64) } else { Room::Socket }
    }

    /// How much waits to be taken, and to be sent on: so many bytes of the latter.
    pub(super) fn load(&self, to_send: usize) -> Load {
        let (is_filled, fills) = match &self.ring {
            Making::Done(ring) => (ring.is_filled(QUARTER), ring.is_filled(FEW)),
            _ => (self.full > 1, self.full > 0),
        };
        if to_send > MUCH || is_filled {
            Load::TooMuch
        } else if to_send > LITTLE || fills {
            Load::Full
        } else {
            Load::Light
        }
    }

    /// The socket to send by, and what was received last.
    pub(super) fn arrived(&mut self) -> (&OwnedFd, impl Iterator<Item = Arrived<'_>>) {
        let (ring, inbox) = match (&mut self.ring, self.from) {
            (Making::Done(ring), Source::Ring) => (Some(ring), None),
            _ => (None, Some(&mut self.inbox)),
        };
        let frames = ring.into_iter().flat_map(Ring::arrived).chain(inbox.into_iter().flat_map(Inbox::arrived));
        (&self.plain, frames)
    }

    /// What was received last is needed no more.
    pub(super) fn forget(&mut self) {
        if let (Making::Done(ring), Source::Ring) = (&mut self.ring, self.from) {
            ring.hand_back();
        }
    }

    /// How many frames found no room since this was asked the last time.
    pub(super) fn missed(&self) -> nix::Result<u64> {
        let plain = packet::counters(self.plain.as_fd())?.missed;
        let ring =
            if let Making::Done(ring) = &self.ring { packet::counters(ring.socket().as_fd())?.missed } else { 0 };
        Ok(u64::from(plain) + u64::from(ring))
    }

    /// Has the ring made, or uses it if it was.
    fn make_room(&mut self) {
        let made = match &self.ring {
            Making::NotYet => {
                self.ring = begin(self.longest);
                return;
            }
            Making::Begun(made) => made.try_recv(),
            Making::Never | Making::Done(_) => return,
        };
        match made {
            Err(TryRecvError::Empty) => {}
            Ok(made) => self.ring = taken_over(made),
            Err(TryRecvError::Disconnected) => self.ring = Making::Never,
        }
    }
}

/// Has frames come to a ring, if it could be made. Else what the plain socket has room for is what there is.
fn taken_over(made: nix::Result<Ring>) -> Making {
    made.and_then(|ring| ring.take_over().map(|()| Making::Done(ring))).unwrap_or(Making::Never)
}

fn begin(longest: usize) -> Making {
    let (tell, made) = channel();
    // Nobody takes it any more only where the lab has ended.
    let make = move || tell.send(Ring::make(longest)).unwrap_or(());
    match std::thread::Builder::new().name("lab-ring".to_owned()).spawn(make) {
        Ok(_) => Making::Begun(made),
        Err(_) => Making::Never,
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        if let Making::Done(ring) = std::mem::replace(&mut self.ring, Making::Never) {
            // Both sockets take the kernel a grace period or two to close: at once, not one after the other.
            std::thread::Builder::new().spawn(|| drop(ring)).ok();
        }
    }
}
