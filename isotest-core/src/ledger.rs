//! Where does a test try to go? All that its network, or one of its labs, has no other way for leads over a link to here, is written down,
//! and refused at once.
//!
//! A link rather than rules for the kernel: what is asked of a server of names is seen as well, and the kernel needs nothing but veth.

mod answer;
mod book;
mod outside;
mod unseen;

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{LinkAddr, MsgFlags, recvmsg};

use self::answer::Attempt;
pub(crate) use self::book::{Book, Owner};
pub(crate) use self::outside::OWN;
use crate::egress::{Destination, Egress};
use crate::outcome::Failure;
use crate::report::{Destinations, Tried};

/// So many more are counted, but not told.
const MOST_COUNTED: usize = 64 << 10;

/// So many answers are said again at once.
const MOST_AGAIN: usize = 1024;

/// So many frames are taken from one socket before the next one has its turn, and before init looks at what else there is to do.
const AT_ONCE: usize = 512;

/// So many when nobody is waited for any more: more than the kernel keeps for a socket by default. Who sends may go on sending.
const THE_LAST: usize = 16 << 10;

/// `PACKET_OUTGOING` of linux/if_packet.h.
const OUTGOING: u8 = 4;

/// The far ends of links, and who came there.
#[derive(Debug)]
pub(crate) struct Ledger {
    egress: Egress,
    sources: Vec<Source>,
    entries: BTreeMap<(Destination, Option<String>), u64>,
    left_out: LeftOut,
    attempts: u64,
    /// How many packets came unseen, where that is known any more.
    unseen: nix::Result<u64>,
    again: Vec<Answer>,
    buffer: Vec<u8>,
}

/// What there is to tell in the end.
pub(crate) struct Closed {
    /// How many attempts there were.
    pub(crate) attempts: u64,
    /// Where to.
    pub(crate) destinations: Destinations,
    /// How many packets came unseen, any of which may have been one more.
    pub(crate) unseen: nix::Result<u64>,
}

/// Where frames come from.
#[derive(Debug)]
struct Source {
    /// `None` for the test's own network.
    lab: Option<u64>,
    socket: Option<OwnedFd>,
    /// How many frames were taken from it.
    looked_at: u64,
    book: Book,
}

/// Those for whom there was no room, by their hashes.
#[derive(Debug, Default)]
struct LeftOut {
    hasher: RandomState,
    seen: HashSet<u64>,
    forbidden: bool,
}

/// An answer that is to be given once more.
#[derive(Debug)]
struct Answer {
    when: Instant,
    lab: Option<u64>,
    interface: usize,
    frame: Vec<u8>,
}

/// Where the answer comes while the kernel is still busy with the thread that connects, TCP only takes a note of it, and would try again after
/// a second. So it is said twice; who has heard it the first time is gone by then.
const AGAIN: [Duration; 2] = [Duration::from_millis(2), Duration::from_millis(50)];

impl Ledger {
    /// An empty one, for a test that may go where this says.
    pub(crate) fn new(egress: &Egress) -> Ledger {
        Ledger {
            egress: egress.clone(),
            sources: Vec::new(),
            entries: BTreeMap::new(),
            left_out: LeftOut::default(),
            attempts: 0,
            unseen: Ok(0),
            again: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Lays a link out of the calling thread's network, and where its mounts are its own, makes the far end its server of names.
    pub(crate) fn look_at_own_network(&mut self, own_mounts: bool) -> Result<(), Failure> {
        let socket = outside::open(own_mounts)?;
        self.source(None).socket = Some(socket);
        Ok(())
    }

    /// Looks at what the hosts of a lab send.
    pub(crate) fn look_at(&mut self, lab: u64, socket: OwnedFd) {
        self.source(Some(lab)).socket = Some(socket);
    }

    /// Learns of a lab.
    pub(crate) fn learn(&mut self, lab: u64, book: Book) {
        self.source(Some(lab)).book.extend(book);
    }

    /// Forgets a lab that is gone.
    pub(crate) fn forget(&mut self, lab: u64) {
        // While it is still known what was inside of it.
        self.take_up_to(THE_LAST);
        self.count_unseen(|source| source.lab == Some(lab));
        self.sources.retain(|source| source.lab != Some(lab));
    }

    /// Counts what came unseen to those that go.
    fn count_unseen(&mut self, goes: impl Fn(&Source) -> bool) {
        let unseen = self.sources.iter().filter(|source| goes(source)).map(Source::unseen).sum::<nix::Result<u64>>();
        self.unseen = self.unseen.and_then(|before| Ok(before + unseen?));
    }

    fn source(&mut self, lab: Option<u64>) -> &mut Source {
        let at = self.sources.iter().position(|source| source.lab == lab).unwrap_or_else(|| {
            self.sources.push(Source { lab, socket: None, looked_at: 0, book: Book::default() });
            self.sources.len() - 1
        });
        &mut self.sources[at]
    }

    /// What to wait for.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sources.iter().filter_map(|source| source.socket.as_ref()).map(AsFd::as_fd)
    }

    /// How long to wait for it at most.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let next = self.again.iter().map(|answer| answer.when).min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Writes down who has come, and sends all away. Where very many have come, the others have their turn the next time.
    pub(crate) fn take(&mut self) {
        self.take_up_to(AT_ONCE);
    }

    fn take_up_to(&mut self, most: usize) {
        let now = Instant::now();
        let (due, later) =
            std::mem::take(&mut self.again).into_iter().partition::<Vec<_>, _>(|answer| answer.when <= now);
        self.again = later;
        for answer in due {
            if let Some(source) = self.sources.iter().find(|source| source.lab == answer.lab) {
                source.send(answer.interface, &answer.frame);
            }
        }
        if !self.sources.is_empty() {
            // A frame and its header, of whatever length.
            self.buffer.resize(64 << 10, 0);
        }
        for at in 0..self.sources.len() {
            for _ in 0..most {
                let Some((length, interface)) = self.sources[at].receive(&mut self.buffer) else { break };
                if let Some(attempt) = answer::to(&self.buffer[..length]) {
                    self.refuse(at, interface, attempt, now);
                }
            }
        }
    }

    fn refuse(&mut self, at: usize, interface: usize, attempt: Attempt, now: Instant) {
        let source = &self.sources[at];
        if let Some(frame) = attempt.answer {
            source.send(interface, &frame);
            let connects = matches!(&attempt.to, Destination::Address { protocol, .. } if protocol == "tcp");
            if connects && self.again.len() < MOST_AGAIN {
                let answer = |later| Answer { when: now + later, lab: source.lab, interface, frame: frame.clone() };
                self.again.extend(AGAIN.map(answer));
            }
        }
        // What a lab has no way for is not outside of it. The test's own network may be a part of any.
        let mut labs = self.sources.iter().filter(|other| source.lab.is_none() || other.lab == source.lab);
        if !labs.any(|lab| lab.book.is_inside(attempt.by)) {
            let sender = source.book.sender(interface, attempt.from);
            self.write(attempt.to, sender);
        }
    }

    /// Writes down that somebody in a host, or in the test's own network, has asked for a name that nobody knows.
    pub(crate) fn asked(&mut self, name: &str, host: Option<String>) {
        self.write(Destination::Name(crate::report::cut(name.as_bytes())), host);
    }

    fn write(&mut self, to: Destination, from: Option<String>) {
        self.attempts += 1;
        let key = (to, from);
        if self.entries.len() < Destinations::TOLD || self.entries.contains_key(&key) {
            *self.entries.entry(key).or_default() += 1;
            return;
        }
        self.left_out.forbidden |= !self.egress.allows(&key.0);
        if self.left_out.seen.len() < MOST_COUNTED {
            self.left_out.seen.insert(self.left_out.hasher.hash_one(&key));
        }
    }

    /// Ends it.
    pub(crate) fn close(mut self) -> Closed {
        self.take_up_to(THE_LAST);
        self.count_unseen(|_| true);
        let tried = self.entries.into_iter().map(|((to, from), attempts)| Tried { to, from, attempts });
        let mut told: Vec<Tried> = tried.collect();
        told.sort_by_key(|tried| self.egress.allows(&tried.to));
        let LeftOut { seen, forbidden, .. } = self.left_out;
        let destinations = Destinations { told, left_out: seen.len(), left_out_forbidden: forbidden };
        Closed { attempts: self.attempts, destinations, unseen: self.unseen }
    }
}

impl Source {
    fn send(&self, interface: usize, frame: &[u8]) {
        if let Some(socket) = &self.socket {
            crate::sys::packet::send(socket.as_fd(), interface, frame).ok(); // Who hears no answer waits longer.
        }
    }

    /// How many packets came to it and were not looked at. To be asked once.
    fn unseen(&self) -> nix::Result<u64> {
        self.socket.as_ref().map_or(Ok(0), |socket| unseen::at(socket.as_fd(), self.looked_at))
    }

    /// The length of the next frame, and the interface that it came to.
    fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, usize)> {
        let socket = self.socket.as_ref()?;
        loop {
            let mut parts = [std::io::IoSliceMut::new(buffer)];
            match recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut parts, None, MsgFlags::MSG_DONTWAIT) {
                Ok(received) => {
                    self.looked_at += 1;
                    match received.address {
                        Some(address) if address.pkttype() != OUTGOING => {
                            return Some((received.bytes, address.ifindex()));
                        }
                        _ => {}
                    }
                }
                Err(Errno::EINTR | Errno::ENETDOWN) => {}
                Err(_) => return None,
            }
        }
    }
}
