//! What has gone over a link? Counted by the kernel at both of its ends, `rtnetlink(7)`

use std::sync::PoisonError;

use super::error::{Error, Result};
use super::host::Host;
use super::link::Link;
use super::plan::{self, Space};
use super::topology::At;
use crate::netlink::{Batch, Refusal, Socket, attributes};

/// What has gone over a link since the lab was built.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkStats {
    /// From its first host to its second, or to its switch.
    pub forth: Flow,
    /// From its second host, or its switch, to its first.
    pub back: Flow,
}

/// What has gone one way. Between two sound ends both see the same; what a link with faults loses on the way is sent and not
/// received.
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
    /// counts as one.
    pub packets: u64,
    /// How many bytes, Ethernet headers included.
    pub bytes: u64,
    /// How many packets were dropped there.
    pub dropped: u64,
    /// How many were damaged or could not be sent.
    pub errors: u64,
}

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
        let network = self.lab().up()?;
        let ends = self.lab().read(|topology| {
            [0, 1].map(|end| {
                let at = At { cable: self.cable(), end };
                match topology.port(at) {
                    Some(port) => (Space::Node(port.node), plan::index(topology, port)),
                    None => (Space::Switches, plan::port_index(at.cable)),
                }
            })
        });
        let mut spaces = network.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = |(space, index): (Space, u32)| {
            let built = spaces.get_mut(&space).expect("every end of a link is in a space that was made");
            counted(&mut built.links, index)
                .map_err(|refusal| Error::refused("counting what went over a link", &refusal))
        };
        let (first, second) = (count(ends[0])?, count(ends[1])?);
        Ok(LinkStats {
            forth: Flow { sent: first.sent, received: second.received },
            back: Flow { sent: second.sent, received: first.received },
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
