//! Which network may a way to the machine have? One that nothing on the machine is routed to. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::lab::addresses::Prefix;
use crate::lab::error::{Error, Result};

/// Where they are taken from, and how many of four addresses each there are: what carriers use between them and their customers
/// (RFC 6598), and, where a route of the machine's is in the way, what is for measurements (RFC 2544).
const RANGES: [(Ipv4Addr, u32); 2] = [(Ipv4Addr::new(100, 64, 0, 0), 1 << 20), (Ipv4Addr::new(198, 18, 0, 0), 1 << 15)];

/// How many of its bits are the network's.
pub(super) const LENGTH: u8 = 30;

/// The machine's address and the lab's, in a network of their own.
pub(super) fn choose(number: u32, routed: &[Prefix]) -> Result<(Ipv4Addr, Ipv4Addr)> {
    match free(number, routed).map(Prefix::address) {
        Some(IpAddr::V4(first)) => Ok((Ipv4Addr::from(u32::from(first) + 1), Ipv4Addr::from(u32::from(first) + 2))),
        _ => {
            let cause = "the machine has routes to all that come into question";
            Err(Error::new("choosing addresses for the way to the machine", cause)
                .remedy("leave something of 100.64.0.0/10 or of 198.18.0.0/15 without a route of its own"))
        }
    }
}

/// Where IPv6 ones are taken from: a range of our own among the private ones (RFC 4193).
const RANGE6: Ipv6Addr = Ipv6Addr::new(0xfd69, 0x736f, 0x7465, 0, 0, 0, 0, 0);
/// How many of the bits of an IPv6 one are the network's.
pub(super) const LENGTH6: u8 = 64;

/// The machine's IPv6 address and the lab's, if nothing on the machine is in the way.
pub(super) fn choose6(number: u32, routed: &[Prefix]) -> Option<(Ipv6Addr, Ipv6Addr)> {
    let network = u128::from(RANGE6) + (u128::from(number % (1 << 16)) << 64);
    let own = Prefix::new(IpAddr::V6(network.into()), LENGTH6)?;
    let is_free = !routed.iter().any(|routed| routed.overlaps(own));
    is_free.then(|| (Ipv6Addr::from(network + 1), Ipv6Addr::from(network + 2)))
}

/// The network for whom this number is.
fn free(number: u32, routed: &[Prefix]) -> Option<Prefix> {
    let candidates = RANGES.into_iter().filter_map(|(range, count)| {
        let address = Ipv4Addr::from(u32::from(range) + 4 * (number % count));
        Prefix::new(IpAddr::V4(address), LENGTH)
    });
    candidates.into_iter().find(|candidate| !routed.iter().any(|routed| routed.overlaps(*candidate)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: u32, routed: &[&str]) -> Option<String> {
        let routed: Vec<Prefix> = routed.iter().map(|text| text.parse().expect("a network")).collect();
        free(number, &routed).map(|network| network.to_string())
    }

    #[test]
    fn numbers_have_networks_of_their_own() {
        assert_eq!(of(0, &[]).as_deref(), Some("100.64.0.0/30"));
        assert_eq!(of(7, &[]).as_deref(), Some("100.64.0.28/30"));
        assert_eq!(of((1 << 20) - 1, &[]).as_deref(), Some("100.127.255.252/30"));
    }

    #[test]
    fn of_ipv6_there_is_one_for_each_where_it_is_free() {
        let choose = |number, routed: &[&str]| {
            let routed: Vec<Prefix> = routed.iter().map(|text| text.parse().expect("a network")).collect();
            choose6(number, &routed).map(|(machine, lab)| format!("{machine} {lab}"))
        };
        assert_eq!(choose(7, &[]).as_deref(), Some("fd69:736f:7465:7::1 fd69:736f:7465:7::2"));
        assert_eq!(choose(7, &["fd69:736f:7465::/48"]), None);
    }

    #[test]
    fn what_the_machine_has_a_route_to_is_left_alone() {
        assert_eq!(of(7, &["10.0.0.0/8", "100.64.0.8/30"]).as_deref(), Some("100.64.0.28/30"));
        assert_eq!(of(7, &["100.64.0.30/32"]).as_deref(), Some("198.18.0.28/30"));
        assert_eq!(of(7, &["100.64.0.0/10", "198.18.0.0/15"]), None);
    }
}
