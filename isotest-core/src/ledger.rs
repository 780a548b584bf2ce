//! Where does a test try to go? All that its network has no other way for leads over a link to here, is written down, and refused at once.
//!
//! A link rather than rules for the kernel: what is asked of a server of names is seen as well, and the kernel needs nothing but veth.

mod answer;
mod outside;

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{LinkAddr, MsgFlags, recvmsg};

use crate::egress::Destination;
use crate::outcome::Failure;

/// So many destinations are told apart.
const MOST: usize = 1024;

/// `PACKET_OUTGOING` of linux/if_packet.h.
const OUTGOING: u8 = 4;

/// The far end of the link, and who came there.
#[derive(Debug)]
pub(crate) struct Ledger {
    socket: OwnedFd,
    entries: BTreeMap<Destination, u64>,
    attempts: u64,
    /// Answers that are to be given once more: when, by which interface.
    again: Vec<(Instant, usize, Vec<u8>)>,
    buffer: Vec<u8>,
}

/// Where the answer comes while the kernel is still busy with the thread that connects, TCP only takes a note of it, and would try again after
/// a second. So it is said twice; who has heard it the first time is gone by then.
const AGAIN: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

impl Ledger {
    /// Lays the link out of the calling thread's network, and where its mounts are its own, makes the far end its server of names.
    pub(crate) fn open(own_mounts: bool) -> Result<Ledger, Failure> {
        let socket = outside::open(own_mounts)?;
        Ok(Ledger { socket, entries: BTreeMap::new(), attempts: 0, again: Vec::new(), buffer: vec![0; 64 << 10] })
    }

    /// What to wait for.
    pub(crate) fn source(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// How long to wait for it at most.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let next = self.again.iter().map(|(when, ..)| *when).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Writes down who has come, and sends all away.
    pub(crate) fn take(&mut self) {
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.again).into_iter().partition::<Vec<_>, _>(|(when, ..)| *when <= now);
        self.again = later;
        for (_, index, frame) in due {
            self.send(index, &frame);
        }
        while let Some((length, index)) = self.receive() {
            let Some(attempt) = answer::to(&self.buffer[..length]) else { continue };
            if let Some(frame) = attempt.answer {
                self.send(index, &frame);
                let connects = matches!(&attempt.to, Destination::Address { protocol, .. } if protocol == "tcp");
                if connects && self.again.len() < MOST {
                    self.again.extend(AGAIN.map(|later| (now + later, index, frame.clone())));
                }
            }
            self.attempts += 1;
            if self.entries.len() < MOST || self.entries.contains_key(&attempt.to) {
                *self.entries.entry(attempt.to).or_default() += 1;
            }
        }
    }

    fn send(&self, index: usize, frame: &[u8]) {
        crate::sys::packet::send(self.socket.as_fd(), index, frame).ok(); // Who hears no answer waits longer.
    }

    /// How many attempts there were, and where to, with the number of each.
    pub(crate) fn close(mut self) -> (u64, Vec<(Destination, u64)>) {
        self.take();
        (self.attempts, self.entries.into_iter().collect())
    }

    /// The length of the next frame, and the interface that it came to.
    fn receive(&mut self) -> Option<(usize, usize)> {
        loop {
            let mut parts = [std::io::IoSliceMut::new(&mut self.buffer)];
            match recvmsg::<LinkAddr>(self.socket.as_raw_fd(), &mut parts, None, MsgFlags::MSG_DONTWAIT) {
                Ok(received) => match received.address {
                    Some(address) if address.pkttype() != OUTGOING => return Some((received.bytes, address.ifindex())),
                    _ => {}
                },
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(_) => return None,
            }
        }
    }
}
