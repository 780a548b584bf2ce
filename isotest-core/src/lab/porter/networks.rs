//! Which network may a way to the machine have? One that nothing on the machine is routed to. Pure.

use std::net::{IpAddr, Ipv4Addr};

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
    fn what_the_machine_has_a_route_to_is_left_alone() {
        assert_eq!(of(7, &["10.0.0.0/8", "100.64.0.8/30"]).as_deref(), Some("100.64.0.28/30"));
        assert_eq!(of(7, &["100.64.0.30/32"]).as_deref(), Some("198.18.0.28/30"));
        assert_eq!(of(7, &["100.64.0.0/10", "198.18.0.0/15"]), None);
    }
}
