//! What has befallen the packets on a link with faults?

use super::error::Result;
use super::host::Host;
use super::link::Link;

/// What has befallen the packets that went over a link since the lab was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LinkFates {
    /// From its first host to its second, or to its switch.
    pub forth: Fates,
    /// From its second host, or its switch, to its first.
    pub back: Fates,
    /// How many packets came to any of the lab's links with faults faster than they could be taken, and were lost beside what the seed
    /// says. It is told too when the test fails.
    ///
    /// Where the kernel has `tbf` (`tc-tbf(8)`, at each end of such a link), a socket that has sent more than can be taken waits, or says
    /// `EWOULDBLOCK`, before it comes to that, however many sockets and hosts send; only where more than about 500 links have faults
    /// (with an MTU of 65,535 more than 75), hosts at all of them that begin within the same milliseconds are too fast, and a program that hands over
    /// many short datagrams in one piece (`UDP_SEGMENT`), which counts as one. Without `tbf`, more than about a hundred packets at once
    /// are. Some may be lost in the kernel before the link, which [`Link::stats`] tells as `dropped`: so may what a switch has to keep for
    /// one of its links, beyond 256 MiB of packets of the longest size, some 170,000 with an MTU of 1500.
    pub missed: u64,
}

/// What has befallen the packets that went one way. It depends on the lab's seed, on the link (which of the lab's it is), on the direction
/// and on which packet it is, on nothing else: the same seed does the same to the n-th packet.
///
/// What kernels send by themselves to find neighbours, routers and members of groups (ARP, IGMP, IPv6's neighbour and listener discovery)
/// passes unharmed and isn't counted, because nobody knows when they do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fates {
    /// How many have come.
    pub packets: u64,
    /// How many of them were lost by chance, in a burst, or by number.
    pub lost: u64,
    /// Which those were, the first packet being number 1; of many only the first 65,536.
    pub which_lost: Vec<u64>,
    /// How many were swallowed for their size.
    pub swallowed: u64,
    /// How many found the queue before the bottleneck full, or 64 MiB on the way.
    pub crowded_out: u64,
    /// How many were damaged.
    pub corrupted: u64,
    /// How many were delivered twice.
    pub duplicated: u64,
    /// How many were held back for others to overtake.
    pub reordered: u64,
}

impl Link {
    /// What has befallen the packets on it. All is zero where it has no faults and is not [`Link::wired`].
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or what carries packets over its links with faults has failed.
    pub fn fates(&self) -> Result<LinkFates> {
        let network = self.lab().up("asking what has befallen the packets on a link")?;
        let Some(wires) = &network.wires else { return Ok(LinkFates::default()) };
        let [forth, back] = wires.fates(self.cable())?;
        Ok(LinkFates { forth, back, missed: wires.missed() })
    }

    /// What has befallen the packets that one of its hosts sent.
    ///
    /// # Errors
    ///
    /// As [`Link::fates`], and when the host is not at this link.
    pub fn fates_from(&self, host: &Host) -> Result<Fates> {
        let LinkFates { forth, back, .. } = self.fates()?;
        Ok(if self.end_at(host)?.end == 0 { forth } else { back })
    }
}
