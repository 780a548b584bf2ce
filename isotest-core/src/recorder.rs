//! What goes over the interfaces of some networks? A [`Recorder`] takes it from packet sockets and writes it into a file.
//!
//! A socket for each network, and not for each interface: it sees interfaces that come later, too. Plain sockets, and not rings in
//! shared memory, which take the kernel ten milliseconds to make and twenty to unmake. Each holds up to eight mebibytes (or twice what
//! `net.core.rmem_max` says) until it is read; what finds no room is counted.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IoSliceMut, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use nix::Result;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg, setsockopt,
    socket, sockopt,
};

use crate::pcapng::{self, LinkType, Packet, To, Way};
use crate::report::Captured;
use crate::sys::packet::{counters, interface_name};

/// The largest file that is written; what comes after that is counted.
pub(crate) const LARGEST: u64 = 256 << 20;

/// So long after it was seen a packet has come out of its socket, wherever that is: packets are put in order before they are written.
const SETTLED: Duration = Duration::from_millis(20);

/// So much is put in order at once, at most.
const HELD: usize = 8 << 20;

/// So many packets are taken from one socket before the next one has its turn.
const AT_ONCE: usize = 512;

/// Opens a socket that sees all packets of the calling thread's network from now on.
pub(crate) fn open() -> Result<OwnedFd> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
    setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(&socket, sockopt::RcvBuf, &(4 << 20))?;
    Ok(socket)
}

/// Writes what comes out of its sockets.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: File,
    written: u64,
    /// Whether there is room for more.
    room: bool,
    sources: Vec<Source>,
    interfaces: u32,
    held: Vec<Packet>,
    held_bytes: usize,
    buffer: Vec<u8>,
}

/// A network.
#[derive(Debug)]
struct Source {
    socket: OwnedFd,
    /// What stands before the names of its interfaces.
    label: String,
    /// If set, no other interfaces count.
    only: Option<usize>,
    interfaces: BTreeMap<usize, Interface>,
}

#[derive(Debug, Default)]
struct Interface {
    number: u32,
    /// How many of its packets are in the file, and how many would be if that were not full.
    written: u64,
    refused: u64,
}

/// What came out of a socket.
struct Seen {
    address: LinkAddr,
    time: u64,
    length: usize,
}

impl Recorder {
    /// Writes the beginning of the file, which is `about` something.
    pub(crate) fn new(file: File, about: &str) -> std::io::Result<Recorder> {
        let mut recorder = Recorder {
            file,
            written: 0,
            room: true,
            sources: Vec::new(),
            interfaces: 0,
            held: Vec::new(),
            held_bytes: 0,
            buffer: vec![0; pcapng::LONGEST as usize],
        };
        let mut beginning = Vec::new();
        pcapng::section(&mut beginning, about);
        recorder.file.write_all(&beginning)?;
        recorder.written = beginning.len() as u64;
        Ok(recorder)
    }

    /// Takes another network in, by a socket of [`open`]. If `only` is given, that interface of it.
    pub(crate) fn add(&mut self, socket: OwnedFd, label: String, only: Option<usize>) {
        self.sources.push(Source { socket, label, only, interfaces: BTreeMap::new() });
    }

    /// What to wait for.
    pub(crate) fn sockets(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.sources.iter().map(|source| source.socket.as_fd())
    }

    /// How long to wait for it at most.
    pub(crate) fn patience(&self) -> Option<Duration> {
        (!self.held.is_empty()).then_some(SETTLED)
    }

    /// Takes what has come, and writes what is old enough.
    pub(crate) fn take(&mut self) {
        for number in 0..self.sources.len() {
            for _ in 0..AT_ONCE {
                if !self.take_from(number) {
                    break;
                }
            }
        }
        let settled = if self.held_bytes > HELD { u64::MAX } else { now().saturating_sub(SETTLED.as_nanos() as u64) };
        self.write(settled);
    }

    /// Takes what was sent already, and may be on its way from one interface to the other still.
    fn take_the_last(&mut self) {
        /// Others may go on sending.
        const ROUNDS: usize = 100;
        for _ in 0..ROUNDS {
            self.take();
            let mut sockets: Vec<_> = self.sockets().map(|socket| PollFd::new(socket, PollFlags::POLLIN)).collect();
            if poll(&mut sockets, PollTimeout::from(2_u8)) == Ok(0) {
                return;
            }
        }
    }

    /// Takes what there is still, and ends the file.
    pub(crate) fn finish(mut self) -> Captured {
        self.take_the_last();
        self.write(u64::MAX);
        let mut end = Vec::new();
        let mut captured = Captured::default();
        for source in &self.sources {
            let mut missed = counters(source.socket.as_fd()).map_or(0, |counters| u64::from(counters.missed));
            captured.missed += missed;
            for interface in source.interfaces.values() {
                captured.packets += interface.written;
                captured.missed += interface.refused;
                // The kernel counts for the whole network.
                let missed = std::mem::take(&mut missed) + interface.refused;
                pcapng::statistics(&mut end, interface.number, now(), interface.written, missed);
            }
        }
        captured.cut = !self.room;
        if self.file.write_all(&end).is_err() {
            captured.cut = true;
        }
        captured
    }

    /// Takes one packet; tells whether there was one.
    fn take_from(&mut self, number: usize) -> bool {
        let source = &mut self.sources[number];
        let Some(seen) = receive(&source.socket, &mut self.buffer) else { return false };
        let (index, from_itself) = (seen.address.ifindex(), seen.address.hatype() == libc::ARPHRD_LOOPBACK);
        let way = if seen.address.pkttype() == OUTGOING { Way::Out } else { Way::In };
        // What leaves by `lo` comes back by it at once.
        if (way == Way::Out && from_itself) || source.only.is_some_and(|only| only != index) {
            return true;
        }
        let interface = source.interfaces.entry(index).or_insert_with(|| {
            let name = interface_name(source.socket.as_fd(), index as i32).unwrap_or_else(|_| format!("if{index}"));
            let name = if source.label.is_empty() { name } else { format!("{} {name}", source.label) };
            let mut beginning = Vec::new();
            pcapng::interface(&mut beginning, &name, link_type(seen.address.hatype()));
            self.written += beginning.len() as u64;
            self.room &= self.file.write_all(&beginning).is_ok();
            self.interfaces += 1;
            Interface { number: self.interfaces - 1, ..Interface::default() }
        });
        let kept = seen.length.min(self.buffer.len());
        let framed = kept as u64 + FRAME;
        if !self.room || self.written + framed > LARGEST {
            self.room = false;
            interface.refused += 1;
            return true;
        }
        interface.written += 1;
        self.written += framed;
        self.held_bytes += kept;
        self.held.push(Packet {
            time: seen.time,
            interface: interface.number,
            way,
            to: to(seen.address.pkttype()),
            length: seen.length as u32,
            bytes: self.buffer[..kept].to_vec(),
        });
        true
    }

    /// Writes what was seen up to then, in order.
    fn write(&mut self, until: u64) {
        self.held.sort_by_key(|packet| packet.time);
        let settled = self.held.partition_point(|packet| packet.time <= until);
        let mut out = Vec::new();
        for packet in self.held.drain(..settled) {
            self.held_bytes -= packet.bytes.len();
            pcapng::packet(&mut out, &packet);
        }
        if !out.is_empty() && self.file.write_all(&out).is_err() {
            self.room = false;
        }
    }
}

/// At most what a packet takes in the file beside its bytes.
const FRAME: u64 = 48;

/// `PACKET_BROADCAST` and so on of linux/if_packet.h.
const BROADCAST: u8 = 1;
const MULTICAST: u8 = 2;
const OUTGOING: u8 = 4;

fn to(kind: u8) -> To {
    match kind {
        0 => To::One,
        BROADCAST => To::All,
        MULTICAST => To::Several,
        _ => To::Unspecified,
    }
}

fn link_type(hardware: u16) -> LinkType {
    if matches!(hardware, libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK) { LinkType::Ethernet } else { LinkType::Raw }
}

/// One packet, as far as it fits into the buffer.
fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Option<Seen> {
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    loop {
        let mut parts = [IoSliceMut::new(buffer)];
        let received = match recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            // An interface that went down says so once to those that look at it.
            Err(Errno::EINTR | Errno::ENETDOWN) => continue,
            other => other.ok()?,
        };
        let stamp = received.cmsgs().ok()?.find_map(|message| match message {
            ControlMessageOwned::ScmTimestampns(time) => Some(Duration::from(time).as_nanos() as u64),
            _ => None,
        });
        return Some(Seen { address: received.address?, time: stamp.unwrap_or_else(now), length: received.bytes });
    }
}

/// By the clock of the kernel's time stamps.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
