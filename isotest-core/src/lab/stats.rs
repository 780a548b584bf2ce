//! What has gone over a link? Counted by the kernel at both of its ends, `rtnetlink(7)`

use std::sync::PoisonError;

use nix::errno::Errno;

use super::brakes::number;
use super::build::Spaces;
use super::error::{Error, Result};
use super::fates::Fates;
use super::host::Host;
use super::link::Link;
use super::network::Network;
use super::plan::{self, Space};
use super::qdisc::{self, Queue};
use super::rtnetlink::VethEnd;
use super::topology::{At, Topology};
use crate::netlink::{Batch, Refusal, Socket, attributes};
use crate::nft::Count;

/// What has gone over a link since the lab was built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// From its first host to its second, or to its switch.
    pub forth: Flow,
    /// From its second host, or its switch, to its first.
    pub back: Flow,
}

/// What has gone one way. All that was sent is either received, or dropped at the end that receives, or still on the way; beside it, a
/// link with faults may deliver some twice. What a link without faults does not take, because the interface at its other end is down or its
/// MTU is shorter, was not sent, and is told as dropped at both ends. Only with [`Engine::Kernel`](super::Engine::Kernel) what a link loses is not sent either,
/// because the kernel drops it before its card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow {
    /// What the end has counted from which it went.
    pub sent: Traffic,
    /// What the end has counted to which it went.
    pub received: Traffic,
}

/// What one end of a link has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// How many packets. A large one that the kernel has not cut yet, as TCP sends them between hosts of one machine,
    /// counts as one. What a link with faults holds back for a moment (see [`LinkFates::missed`](super::LinkFates::missed)) is not sent yet.
    pub packets: u64,
    /// How many bytes, Ethernet headers included.
    pub bytes: u64,
    /// How many packets were dropped there: at the end that sends, before they were sent. At the end that receives, this has all that did not arrive because a link was cut, hosts
    /// were parted, a host had crashed, or the link's faults lost it.
    pub dropped: u64,
    /// How many were damaged or could not be sent.
    pub errors: u64,
}

const ATTEMPT: &str = "counting what went over a link";

/// Both ways, as one end sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    received: Traffic,
    sent: Traffic,
}

impl Link {
    /// What has gone over it.
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or the kernel does not answer.
    pub fn stats(&self) -> Result<LinkStats> {
        let network = self.lab().up(ATTEMPT)?;
        let count = |end| {
            let at = At { cable: self.cable(), end };
            let end = self.lab().read(|topology| plan::end_of(topology, at).expect("every link has two ends"));
            counted_at(&network, at, &end)
        };
        // What has arrived is counted before what was sent, so that nothing seems to have come from nowhere.
        let fates = self.fates()?;
        let [first_before, second, first] = [count(0)?, count(1)?, count(0)?];
        Ok(LinkStats {
            forth: Flow { sent: first.sent, received: second.received.without(&fates.forth) },
            back: Flow { sent: second.sent, received: first_before.received.without(&fates.back) },
        })
    }

    /// What has gone over it from one of its hosts.
    ///
    /// # Errors
    ///
    /// As [`Link::stats`], and when the host is not at this link.
    pub fn stats_from(&self, host: &Host) -> Result<Flow> {
        let stats = self.stats()?;
        Ok(if self.end_at(host)?.end == 0 { stats.forth } else { stats.back })
    }
}

impl Traffic {
    /// Where what else was sent has been lost on the way, at the wish of the link's faults.
    fn without(mut self, fates: &Fates) -> Traffic {
        self.dropped += fates.lost + fates.swallowed + fates.crowded_out;
        self
    }
}

/// What has come to an end of a link, and gone from it. What vanishes at barriers does so where the kernel has counted it already.
fn counted_at(network: &Network, at: At, (space, end): &(Space, VethEnd)) -> Result<Counted> {
    let mut spaces = network.spaces();
    let built = spaces.get_mut(space).expect("every end of a link is in a space that was made");
    let refused = |refusal: Refusal| Error::refused(ATTEMPT, &refusal);
    let mut counted = counted(&mut built.links, end.index).map_err(refused)?;
    counted.sent.dropped += dropped_in_queue(&mut built.links, end.index).map_err(refused)?;
    drop(spaces);
    let vanished = network.vanished.lock().unwrap_or_else(PoisonError::into_inner);
    let Count { packets, bytes } = vanished.at(*space, &end.name, &mut network.spaces())?;
    let received = &mut counted.received;
    received.packets = received.packets.saturating_sub(packets);
    received.bytes = received.bytes.saturating_sub(bytes + packets * ETHERNET_HEADER);
    if let Some(wires) = &network.wires {
        received.dropped = wires.dropped_at(at, received.dropped);
    }
    received.dropped += packets;
    Ok(counted)
}

/// How many packets have been sent at this end of a wire, those that wait to be included: so many will come to the other, or have come. Of
/// what TCP sends, or a program by `UDP_SEGMENT`, what waits to be cut counts as one.
pub(crate) fn sent(topology: &Topology, at: At, spaces: &mut Spaces) -> Result<u64> {
    /// What comes meanwhile may be counted twice: then the number is too high, until nothing moves.
    const TRIES: usize = 10;
    let refused = |refusal: Refusal| Error::refused(ATTEMPT, &refusal);
    let Some((space, end)) = plan::end_of(topology, at) else { return Ok(0) };
    let come = |spaces: &mut Spaces| {
        let wires = spaces.get_mut(&Space::Wires).expect("a wire leads there");
        let received = counted(&mut wires.links, plan::FIRST + number(at) as u32).map_err(refused)?.received;
        // The kernel counts them before it finds no room for them.
        Ok::<u64, Error>(received.packets.saturating_sub(received.dropped))
    };
    let (mut before, mut most) = (come(spaces)?, 0);
    for _ in 0..TRIES {
        let own = spaces.get_mut(&space).expect("every end of a link is in a space that was made");
        let waiting = queue(&mut own.links, &qdisc::root(end.index)).map_err(refused)?.waiting;
        let after = come(spaces)?;
        most = after + u64::from(waiting);
        if before == after {
            break;
        }
        before = after;
    }
    Ok(most)
}

/// In bytes.
const ETHERNET_HEADER: u64 = 14;

/// Asks for the counters of one interface in the socket's network.
fn counted(socket: &mut Socket, index: u32) -> std::result::Result<Counted, Refusal> {
    let mut question = Batch::default();
    // `struct ifinfomsg`, in which the interface's number is the second word.
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    question.add(libc::RTM_GETLINK, 0, &header, |_| {});
    let mut found = Counted::default();
    socket.ask(&question, |_, answer| {
        let mut all = attributes(answer.get(16..).unwrap_or_default());
        if let Some((_, counters)) = all.find(|(kind, _)| *kind == libc::IFLA_STATS64) {
            found = read(counters);
        }
    })?;
    Ok(found)
}

/// How many packets found no room in the queue before the interface, without those that were to find none.
fn dropped_in_queue(socket: &mut Socket, index: u32) -> std::result::Result<u64, Refusal> {
    let all = queue(socket, &qdisc::root(index))?.dropped;
    Ok(u64::from(all.saturating_sub(queue(socket, &qdisc::no_room(index))?.dropped)))
}

/// What a queue before an interface has counted.
fn queue(socket: &mut Socket, place: &[u8]) -> std::result::Result<Queue, Refusal> {
    let mut question = Batch::default();
    // Without the flag, only those who listen to all changes are told.
    question.add(libc::RTM_GETQDISC, libc::NLM_F_ECHO, place, |_| {});
    let mut counted = Queue::default();
    match socket.ask(&question, |_, answer| counted = qdisc::counted(answer)) {
        // There is none.
        Err(Refusal { errno: Errno::ENOENT, .. }) => Ok(Queue::default()),
        asked => asked.map(|()| counted),
    }
}

/// `struct rtnl_link_stats64` of linux/if_link.h: eight counters, each for both ways.
fn read(counters: &[u8]) -> Counted {
    let counter = |at: usize| {
        let bytes = counters.get(at * 8..at * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        u64::from_ne_bytes(bytes.unwrap_or_default())
    };
    let way = |at: usize| Traffic {
        packets: counter(at),
        bytes: counter(2 + at),
        errors: counter(4 + at),
        dropped: counter(6 + at),
    };
    Counted { received: way(0), sent: way(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_told_apart_by_their_places() {
        let counters: Vec<u8> = (1..=24_u64).flat_map(u64::to_ne_bytes).collect();
        let Counted { received, sent } = read(&counters);
        assert_eq!(received, Traffic { packets: 1, bytes: 3, errors: 5, dropped: 7 });
        assert_eq!(sent, Traffic { packets: 2, bytes: 4, errors: 6, dropped: 8 });
    }

    #[test]
    fn counters_that_an_older_kernel_lacks_are_zero() {
        assert_eq!(read(&[]), Counted::default());
    }

    #[test]
    fn the_loopback_device_has_counters() {
        let mut socket = Socket::open(nix::sys::socket::SockProtocol::NetlinkRoute).expect("every network has one");
        let Counted { received, sent } = counted(&mut socket, 1).expect("it is the first of every network");
        assert_eq!(received.packets, sent.packets);
        assert!(counted(&mut socket, 1_000_000).is_err());
    }
}
