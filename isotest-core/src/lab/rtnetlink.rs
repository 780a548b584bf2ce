//! How is the kernel told of links, addresses and routes? One function per message, `rtnetlink(7)`.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, BorrowedFd};

use super::addresses::{Mac, Prefix};
use crate::netlink::{Attributes, Batch};

/// Which of a namespace's interfaces `lo` is.
pub(crate) const LOOPBACK: u32 = 1;
/// Which is the way for all that has no other, where somebody keeps account of that: beyond those that a lab gives.
pub(crate) const OUTSIDE: u32 = 0x4000_0000;

/// One end of a veth pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VethEnd {
    pub(crate) name: String,
    /// Its number in its namespace, so that nobody has to ask for it; 0 lets the kernel choose.
    pub(crate) index: u32,
    pub(crate) mac: Mac,
    pub(crate) mtu: Option<u32>,
}

const CREATE: i32 = libc::NLM_F_CREATE | libc::NLM_F_EXCL;
const UP: u32 = libc::IFF_UP as u32;

/// A veth pair (`veth(4)`): one end in the socket's namespace, the other in `there`. Neither can be up before both are there.
pub(crate) fn veth(batch: &mut Batch, here: &VethEnd, end_there: &VethEnd, there: BorrowedFd<'_>) {
    /// `VETH_INFO_PEER` of linux/veth.h.
    const PEER: u16 = 1;
    batch.add(libc::RTM_NEWLINK, CREATE, &link_header(here.index, 0), |link| {
        described(link, here);
        link.nest(libc::IFLA_LINKINFO, |info| {
            info.put(libc::IFLA_INFO_KIND, b"veth").nest(libc::IFLA_INFO_DATA, |data| {
                data.nest_after(PEER, &link_header(end_there.index, 0), |peer| {
                    described(peer, end_there);
                    peer.number(libc::IFLA_NET_NS_FD, there.as_raw_fd().cast_unsigned());
                });
            });
        });
    });
}

fn described(link: &mut Attributes, end: &VethEnd) {
    link.text(libc::IFLA_IFNAME, &end.name).put(libc::IFLA_ADDRESS, &end.mac.0);
    if let Some(mtu) = end.mtu {
        link.number(libc::IFLA_MTU, mtu);
    }
}

/// A bridge, up, that forwards from the first frame on and to whoever listens.
pub(crate) fn bridge(batch: &mut Batch, index: u32, name: &str) {
    /// `IFLA_BR_MCAST_SNOOPING` of linux/if_link.h. Without a querier in the lab, snooping would lose groups in time.
    const SNOOPING: u16 = 23;
    batch.add(libc::RTM_NEWLINK, CREATE, &link_header(index, UP), |link| {
        link.text(libc::IFLA_IFNAME, name).nest(libc::IFLA_LINKINFO, |info| {
            info.put(libc::IFLA_INFO_KIND, b"bridge").nest(libc::IFLA_INFO_DATA, |data| {
                data.put(SNOOPING, &[0]);
            });
        });
    });
}

/// Makes an interface a port of a bridge, and brings it up.
pub(crate) fn join(batch: &mut Batch, index: u32, bridge: u32) {
    batch.add(libc::RTM_NEWLINK, 0, &link_header(index, UP), |link| {
        link.number(libc::IFLA_MASTER, bridge);
    });
}

/// Has an interface be given at most so many packets in one that is cut just before it is sent, behind all that could lose or delay it.
pub(crate) fn packets_in_one(batch: &mut Batch, index: u32, most: u32) {
    batch.add(libc::RTM_NEWLINK, 0, &link_header(index, 0), |link| {
        link.number(libc::IFLA_GSO_MAX_SEGS, most);
    });
}

/// Deletes an interface, and its peer with it.
pub(crate) fn delete(batch: &mut Batch, index: u32) {
    batch.add(libc::RTM_DELLINK, 0, &link_header(index, 0), |_| {});
}

/// Brings an interface up.
pub(crate) fn raise(batch: &mut Batch, index: u32) {
    batch.add(libc::RTM_NEWLINK, 0, &link_header(index, UP), |_| {});
}

/// Brings an interface up behind which all are reached without looking for their hardware addresses.
pub(crate) fn raise_without_neighbours(batch: &mut Batch, index: u32) {
    batch.add(libc::RTM_NEWLINK, 0, &link_header(index, UP | libc::IFF_NOARP as u32), |_| {});
}

/// Has an interface make no IPv6 address for itself, which would be tentative for up to a second.
pub(crate) fn without_own_address(batch: &mut Batch, index: u32) {
    /// `IFLA_INET6_ADDR_GEN_MODE` of linux/if_link.h, and its value `IN6_ADDR_GEN_MODE_NONE`.
    const HOW_ADDRESSES_ARE_MADE: u16 = 8;
    const NOT: u8 = 1;
    batch.add(libc::RTM_NEWLINK, 0, &link_header(index, 0), |link| {
        link.nest(libc::IFLA_AF_SPEC, |families| {
            families.nest(libc::AF_INET6 as u16, |v6| {
                v6.put(HOW_ADDRESSES_ARE_MADE, &[NOT]);
            });
        });
    });
}

/// A route to everything by an interface, after all other routes.
pub(crate) fn default_route(batch: &mut Batch, v6: bool, index: u32) {
    let family = if v6 { libc::AF_INET6 } else { libc::AF_INET } as u8;
    let (table, scope) = (libc::RT_TABLE_MAIN, if v6 { libc::RT_SCOPE_UNIVERSE } else { libc::RT_SCOPE_LINK });
    let header = [family, 0, 0, 0, table, libc::RTPROT_STATIC, scope, libc::RTN_UNICAST, 0, 0, 0, 0];
    batch.add(libc::RTM_NEWROUTE, CREATE, &header, |route| {
        route.number(libc::RTA_OIF, index).number(libc::RTA_PRIORITY, u32::MAX >> 1);
    });
}

/// An address of an interface. An IPv6 address is tentative at first, until the kernel has its host hear who asks for it.
pub(crate) fn address(batch: &mut Batch, index: u32, prefix: Prefix) {
    address_with(batch, index, prefix, 0);
}

/// An address of an interface, at once usable: nobody else can have it, so nobody is asked.
pub(crate) fn usable_address(batch: &mut Batch, index: u32, prefix: Prefix) {
    address_with(batch, index, prefix, if prefix.address().is_ipv6() { libc::IFA_F_NODAD as u8 } else { 0 });
}

fn address_with(batch: &mut Batch, index: u32, prefix: Prefix, flags: u8) {
    let mut header = vec![family(prefix.address()), prefix.length(), flags, libc::RT_SCOPE_UNIVERSE];
    header.extend(index.to_ne_bytes());
    batch.add(libc::RTM_NEWADDR, CREATE, &header, |address| {
        let bytes = bytes(prefix.address());
        address.put(libc::IFA_LOCAL, &bytes).put(libc::IFA_ADDRESS, &bytes);
        if let (IpAddr::V4(own), true) = (prefix.address(), prefix.length() < 31) {
            let broadcast = u32::from(own) | (u32::MAX >> prefix.length());
            address.put(libc::IFA_BROADCAST, &broadcast.to_be_bytes());
        }
    });
}

/// The hardware address of a neighbour, so that nobody has to ask for it before the first packet. It is believed until it has been
/// used for a while, and then asked for again (`NUD_STALE`). All networks of a machine share a table of neighbours that holds about a
/// thousand; those that were not found by asking (`NTF_EXT_LEARNED`) are not counted.
pub(crate) fn neighbour(batch: &mut Batch, index: u32, neighbour: IpAddr, mac: Mac) {
    // `struct ndmsg`.
    let mut header = vec![family(neighbour), 0, 0, 0];
    header.extend(index.to_ne_bytes());
    header.extend(libc::NUD_STALE.to_ne_bytes());
    header.extend([libc::NTF_EXT_LEARNED, libc::RTN_UNICAST]);
    batch.add(libc::RTM_NEWNEIGH, libc::NLM_F_CREATE | libc::NLM_F_REPLACE, &header, |entry| {
        entry.put(libc::NDA_DST, &bytes(neighbour)).put(libc::NDA_LLADDR, &mac.0);
    });
}

/// A route through a neighbour.
pub(crate) fn route(batch: &mut Batch, to: Prefix, by: IpAddr) {
    batch.add(libc::RTM_NEWROUTE, CREATE, &route_header(to, libc::RTN_UNICAST), |route| {
        route.put(libc::RTA_DST, &bytes(to.address())).put(libc::RTA_GATEWAY, &bytes(by));
    });
}

/// A way for what is sent to groups, and to everybody: by this link.
pub(crate) fn groups(batch: &mut Batch, index: u32) {
    let networks = [(Ipv4Addr::new(224, 0, 0, 0), 4), (Ipv4Addr::BROADCAST, 32)];
    for to in networks.into_iter().filter_map(|(first, length)| Prefix::new(first.into(), length)) {
        let mut header = route_header(to, libc::RTN_UNICAST);
        header[6] = libc::RT_SCOPE_LINK;
        batch.add(libc::RTM_NEWROUTE, CREATE, &header, |route| {
            route.put(libc::RTA_DST, &bytes(to.address())).number(libc::RTA_OIF, index);
        });
    }
}

/// Has all packets of a family that arrive taken for the network's own, whatever their destination; what it sends goes by its other
/// routes. All addresses have to be in the local table, where the kernel looks up whether it may answer by them; so for what is
/// sent that table is asked last.
pub(crate) fn everything(batch: &mut Batch, like: IpAddr) {
    let family = family(like);
    rule(batch, libc::RTM_NEWRULE, family, libc::RT_TABLE_MAIN, 1, true);
    rule(batch, libc::RTM_NEWRULE, family, libc::RT_TABLE_LOCAL, 2, false);
    rule(batch, libc::RTM_DELRULE, family, libc::RT_TABLE_LOCAL, 0, false);
    let mut header = route_header(Prefix::everything(like), libc::RTN_LOCAL);
    header[4] = libc::RT_TABLE_LOCAL;
    batch.add(libc::RTM_NEWROUTE, CREATE, &header, |route| {
        route.number(libc::RTA_OIF, LOOPBACK);
    });
}

/// Which table is asked at which place in the order, `ip-rule(8)`; for all packets, or only for those that are sent from here.
fn rule(batch: &mut Batch, kind: u16, family: u8, table: u8, place: u32, for_sent: bool) {
    // `FRA_IIFNAME`, `FRA_PRIORITY` and `FR_ACT_TO_TBL` of linux/fib_rules.h.
    const ARRIVED_AT: u16 = 3;
    const PRIORITY: u16 = 6;
    const TO_TABLE: u8 = 1;
    let flags = if kind == libc::RTM_NEWRULE { CREATE } else { 0 };
    batch.add(kind, flags, &[family, 0, 0, 0, table, 0, 0, TO_TABLE, 0, 0, 0, 0], |rule| {
        rule.number(PRIORITY, place);
        if for_sent {
            // What starts here counts as arriving at `lo`.
            rule.text(ARRIVED_AT, "lo");
        }
    });
}

fn route_header(to: Prefix, kind: u8) -> [u8; 12] {
    let table = libc::RT_TABLE_MAIN;
    let scope = if kind == libc::RTN_LOCAL { libc::RT_SCOPE_HOST } else { libc::RT_SCOPE_UNIVERSE };
    [family(to.address()), to.length(), 0, 0, table, libc::RTPROT_STATIC, scope, kind, 0, 0, 0, 0]
}

/// `struct ifinfomsg`: which interface, and which of its flags to set.
fn link_header(index: u32, flags: u32) -> [u8; 16] {
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    header[8..12].copy_from_slice(&flags.to_ne_bytes());
    header[12..].copy_from_slice(&flags.to_ne_bytes());
    header
}

fn family(address: IpAddr) -> u8 {
    (if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 }) as u8
}

fn bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}
