//! By which addresses do hosts know one another? Pure.

use std::net::IpAddr;

use super::addresses::Prefix;
use super::topology::{At, Topology};

/// The addresses of all hosts, and who knows them.
#[derive(Debug)]
pub(crate) struct Whereabouts {
    nodes: Vec<Vec<Seat>>,
}

/// What a host has at one of its segments.
#[derive(Debug)]
struct Seat {
    segment: usize,
    line: bool,
    /// Whether the host hides what is behind it from whoever is at this segment.
    hides: bool,
    addresses: Vec<IpAddr>,
    /// Those of them that are no other host's.
    unique: Vec<IpAddr>,
}

impl Whereabouts {
    pub(crate) fn of(topology: &Topology) -> Whereabouts {
        let networks = overlapping(topology);
        let is_twice = |address: IpAddr| networks.iter().filter(|network| network.contains(address)).nth(1).is_some();
        let seat = |at: At| {
            let addresses: Vec<_> = topology.addresses(at).into_iter().map(Prefix::address).collect();
            let unique = addresses.iter().copied().filter(|address| !is_twice(*address)).collect();
            Seat {
                segment: topology.cables[at.cable].segment,
                line: topology.segment(at.cable).line,
                hides: topology.port(at).is_some_and(|port| port.translates.is_some()),
                addresses,
                unique,
            }
        };
        let nodes = topology.nodes.iter();
        Whereabouts { nodes: nodes.map(|node| node.ports.iter().copied().map(seat).collect()).collect() }
    }

    /// Those by which another knows it: none that some other host may have too, unless the two are neighbours, and not that of its line,
    /// unless it has no other. Those come first that are at the asker's own segments, then those on the outside of who hides others: many
    /// programs try only one.
    pub(crate) fn known_to(&self, viewer: usize, node: usize) -> Vec<IpAddr> {
        let (lines, mut others): (Vec<_>, Vec<_>) = self.nodes[node].iter().partition(|seat| seat.line);
        if others.is_empty() {
            return lines.into_iter().flat_map(|seat| &seat.addresses).copied().collect();
        }
        let beside = |seat: &Seat| self.nodes[viewer].iter().any(|own| own.segment == seat.segment);
        others.sort_by_key(|seat| (!beside(seat), !seat.hides));
        let known = |seat: &'_ Seat| if beside(seat) { seat.addresses.clone() } else { seat.unique.clone() };
        others.into_iter().flat_map(known).collect()
    }

    /// Whether all others know it by the same addresses, in the same order.
    pub(crate) fn is_the_same_to_all(&self, node: usize) -> bool {
        let mut seats = self.nodes[node].iter().filter(|seat| !seat.line);
        seats.clone().count() < 2 && seats.all(|seat| seat.unique.len() == seat.addresses.len())
    }

    /// Whether it has no address but those of its loopback device, so that its name means these, to itself alone.
    pub(crate) fn is_alone(&self, node: usize) -> bool {
        self.nodes[node].iter().all(|seat| seat.addresses.is_empty())
    }

    /// Whether hosts may have the same address, so that a name means one to some and another to others.
    pub(crate) fn has_doubles(&self) -> bool {
        self.nodes.iter().flatten().any(|seat| seat.unique.len() < seat.addresses.len())
    }
}

/// The networks in which addresses may be that are in another network as well, because both are behind translating routers.
fn overlapping(topology: &Topology) -> Vec<Prefix> {
    let mut networks: Vec<Prefix> = topology.segments.iter().flat_map(|segment| segment.networks).flatten().collect();
    if topology.ports().all(|(_, port)| port.translates.is_none()) {
        networks.clear(); // They are apart: `check` sees to it.
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::super::topology::{Role, Translation};
    use super::*;

    /// Two homes with the same network, each behind a router that hides it, and a core between these.
    fn homes() -> Topology {
        let mut homes = Topology::default();
        let core = homes.add_node("core", Role::Router).expect("it is new");
        for home in ["1", "2"] {
            let mut add = |name: &str, role| homes.add_node(&format!("{name}{home}"), role).expect("it is new");
            let (host, router) = (add("h", Role::Host), add("r", Role::Router));
            let inside = homes.add_link([host, router]).expect("they are two");
            homes.segments[inside].networks = [Some("192.168.0.0/24".parse().expect("a network")), None];
            let outside = homes.add_link([router, core]).expect("they are two");
            homes.translate(At { cable: outside, end: 0 }, Translation::Masquerade).expect("it does not yet");
        }
        homes
    }

    fn known(viewer: &str, node: &str) -> Vec<String> {
        let homes = homes();
        let number = |name: &str| homes.nodes.iter().position(|node| node.name == name).expect("it is there");
        let known = Whereabouts::of(&homes).known_to(number(viewer), number(node));
        known.iter().filter(|address| address.is_ipv4()).map(IpAddr::to_string).collect()
    }

    #[test]
    fn an_address_that_two_have_is_known_to_neighbours_only() {
        assert_eq!(known("r1", "h1"), ["192.168.0.1"]);
        assert_eq!(known("core", "h1"), [] as [&str; 0]);
        assert_eq!(known("core", "r1"), ["10.128.1.1"], "of the router, that on this side");
        assert_eq!(known("h1", "r1")[0], "192.168.0.2", "inside, the neighbour's comes first");
        assert_eq!(known("h2", "r1")[0], "10.128.1.1", "from afar, that outside");
        assert!(Whereabouts::of(&homes()).has_doubles());
    }

    #[test]
    fn where_nothing_is_hidden_all_know_all() {
        let mut pair = Topology::default();
        let nodes = ["alice", "bob", "lonely"].map(|name| pair.add_node(name, Role::Host).expect("it is new"));
        pair.add_link([nodes[0], nodes[1]]).expect("they are two");
        let whereabouts = Whereabouts::of(&pair);
        assert_eq!(whereabouts.known_to(nodes[2], nodes[1]).len(), 2);
        assert!(!whereabouts.has_doubles());
        assert!(whereabouts.is_alone(nodes[2]) && !whereabouts.is_alone(nodes[1]));
    }
}
