//! By which neighbour does each node reach each network? Pure: the fewest routers win, and of equals what was made first.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

use super::addresses::Prefix;
use super::overrides::family;
use super::topology::{Role, Topology};

/// One entry of a node's routing table, beside those that its own addresses bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hop {
    /// Where to.
    pub(crate) to: Prefix,
    /// The neighbour's address.
    pub(crate) by: IpAddr,
}

/// The routes of every node: those asked for first, then those that follow from the topology.
pub(crate) fn of_all(topology: &Topology) -> Vec<Vec<Hop>> {
    (0..topology.nodes.len()).map(|node| of_node(topology, node)).collect()
}

fn of_node(topology: &Topology, node: usize) -> Vec<Hop> {
    let asked = topology.routes.iter().filter(|route| route.node == node);
    let mut hops: Vec<Hop> = asked.map(|route| Hop { to: route.to, by: route.by }).collect();
    if !topology.nodes[node].routed {
        return hops;
    }
    for family in [0, 1] {
        let found = reached(topology, node, family);
        let by: Vec<IpAddr> = found.iter().map(|hop| hop.by).collect();
        let one_way_out = by.first().filter(|first| by.iter().all(|other| other == *first));
        let found = match one_way_out {
            // As on a real machine. A router may lack some of the networks on purpose, and the test's own network is to
            // find no way to the outside.
            Some(by) if topology.nodes[node].role == Role::Host => vec![Hop { to: Prefix::everything(*by), by: *by }],
            _ => found,
        };
        hops.extend(found.into_iter().filter(|hop| !topology.routes.iter().any(|r| r.node == node && r.to == hop.to)));
    }
    hops
}

/// The networks of one family that are not the node's own, by breadth.
fn reached(topology: &Topology, node: usize, family_number: usize) -> Vec<Hop> {
    let segments = &topology.segments;
    let has_family = |segment: usize| segments[segment].networks[family_number].is_some();
    let mut seen = vec![false; segments.len()];
    let mut crossed = vec![false; topology.nodes.len()];
    let mut waiting = VecDeque::new();
    for (at, _) in topology.ports_of(node) {
        let segment = topology.cables[at.cable].segment;
        if has_family(segment) && !std::mem::replace(&mut seen[segment], true) {
            waiting.push_back((segment, None));
        }
    }
    let mut hops = Vec::new();
    let mut outside = None;
    while let Some((segment, by)) = waiting.pop_front() {
        for (door, router) in topology.ports_on(segment) {
            if router.translates.is_some() || router.node == node || crossed[router.node] {
                continue;
            }
            let role = topology.nodes[router.node].role;
            if !role.forwards() && role != Role::Internet {
                continue;
            }
            let own =
                || topology.addresses(door).into_iter().map(Prefix::address).find(|own| family(*own) == family_number);
            let Some(by) = by.or_else(own) else { continue };
            if matches!(role, Role::Internet | Role::Uplink) {
                outside.get_or_insert(Hop { to: Prefix::everything(by), by });
            }
            if role == Role::Internet {
                continue;
            }
            crossed[router.node] = true;
            for (onward, _) in topology.ports_of(router.node) {
                let beyond = topology.cables[onward.cable].segment;
                let Some(to) = segments[beyond].networks[family_number] else { continue };
                if !std::mem::replace(&mut seen[beyond], true) {
                    hops.push(Hop { to: to.network(), by });
                    waiting.push_back((beyond, Some(by)));
                }
            }
        }
    }
    hops.extend(outside);
    hops
}

/// All nodes that are linked to this one, or to routers behind which it is, and itself.
pub(crate) fn connected_to(topology: &Topology, node: usize) -> BTreeSet<usize> {
    let mut connected = BTreeSet::from([node]);
    let mut waiting = vec![node];
    while let Some(via) = waiting.pop() {
        let segments = topology.ports_of(via).map(|(at, _)| topology.cables[at.cable].segment);
        let nodes = segments.flat_map(|segment| &topology.segments[segment].ports).filter_map(|at| topology.port(*at));
        for next in nodes.map(|port| port.node) {
            if connected.insert(next) && topology.nodes[next].role.forwards() {
                waiting.push(next);
            }
        }
    }
    connected
}

#[cfg(test)]
mod tests {
    use super::super::topology::Translation;
    use super::*;

    fn named(topology: &Topology, name: &str) -> Vec<String> {
        let node = topology.nodes.iter().position(|node| node.name == name).expect("it is there");
        let v4 = |hop: &Hop| hop.to.address().is_ipv4().then(|| format!("{} by {}", hop.to, hop.by));
        of_all(topology)[node].iter().filter_map(v4).collect()
    }

    /// alice — g1 — g2 — bob.
    fn row() -> Topology {
        let mut row = Topology::default();
        let mut add = |name, role| row.add_node(name, role).expect("it is new");
        let (alice, g1, g2, bob) =
            (add("alice", Role::Host), add("g1", Role::Router), add("g2", Role::Router), add("bob", Role::Host));
        for pair in [[alice, g1], [g1, g2], [g2, bob]] {
            row.add_link(pair).expect("they are two");
        }
        row
    }

    #[test]
    fn hosts_get_a_default_route_and_routers_one_to_each_network() {
        let row = row();
        assert_eq!(named(&row, "alice"), ["0.0.0.0/0 by 10.128.0.2"]);
        assert_eq!(named(&row, "g1"), ["10.128.2.0/24 by 10.128.1.2"]);
        assert_eq!(named(&row, "g2"), ["10.128.0.0/24 by 10.128.1.1"]);
        assert_eq!(named(&row, "bob"), ["0.0.0.0/0 by 10.128.2.1"]);
    }

    #[test]
    fn the_way_to_the_machine_is_a_default_route_for_routers_too() {
        let mut row = row();
        let uplink = row.add_node("uplink", Role::Uplink).expect("it is new");
        row.add_link([2, uplink]).expect("they are two");
        assert_eq!(named(&row, "alice"), ["0.0.0.0/0 by 10.128.0.2"]);
        assert_eq!(
            named(&row, "g1"),
            ["10.128.2.0/24 by 10.128.1.2", "10.128.3.0/24 by 10.128.1.2", "0.0.0.0/0 by 10.128.1.2"]
        );
        assert_eq!(
            named(&row, "uplink"),
            ["10.128.1.0/24 by 10.128.3.1", "10.128.2.0/24 by 10.128.3.1", "10.128.0.0/24 by 10.128.3.1"]
        );
    }

    #[test]
    fn in_a_ring_the_shorter_way_is_taken() {
        let mut ring = Topology::default();
        let routers: Vec<_> = (0..4).map(|n| ring.add_node(&format!("g{n}"), Role::Router).expect("new")).collect();
        for n in 0..4 {
            ring.add_link([routers[n], routers[(n + 1) % 4]]).expect("they are two");
        }
        assert_eq!(named(&ring, "g0"), ["10.128.1.0/24 by 10.128.0.2", "10.128.2.0/24 by 10.128.3.1"]);
    }

    #[test]
    fn what_is_hidden_is_not_routed_to() {
        let mut row = row();
        let outside = row.ports_of(1).nth(1).expect("towards g2").0;
        row.translate(outside, Translation::Masquerade).expect("it does not yet");
        assert_eq!(named(&row, "g2"), [] as [&str; 0]);
        assert_eq!(named(&row, "alice"), ["0.0.0.0/0 by 10.128.0.2"], "from the inside out all is as before");
    }

    #[test]
    fn what_was_asked_for_goes_first() {
        let mut row = row();
        row.add_route(1, "10.128.2.0/24", "10.128.0.1".parse().expect("an address")).expect("one family");
        assert_eq!(named(&row, "g1"), ["10.128.2.0/24 by 10.128.0.1"]);
    }
}
