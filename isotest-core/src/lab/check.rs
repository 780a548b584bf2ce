//! Can this topology be built, and would packets arrive? Pure.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::addresses::Prefix;
use super::error::{Error, Result};
use super::routes::Hop;
use super::topology::{Role, Topology};
use super::translation;

/// Finds the first thing that is wrong.
pub(crate) fn check(topology: &Topology, routes: &[Vec<Hop>]) -> Result<()> {
    the_outside_is_one(topology)?;
    networks_are_apart(topology)?;
    addresses_are_right(topology)?;
    neighbours_are_neighbours(topology)?;
    forwarded_ports_lead_somewhere(topology, routes)?;
    nothing_goes_in_circles(topology, routes)
}

fn the_outside_is_one(topology: &Topology) -> Result<()> {
    match (topology.only(Role::Internet), topology.only(Role::Uplink)) {
        (Some(_), Some(_)) => {
            let cause = "it has both a pretend internet and an uplink, and a default route leads to one only";
            Err(Error::new("building the lab", cause).remedy("leave one of the two out"))
        }
        _ => Ok(()),
    }
}

fn networks_are_apart(topology: &Topology) -> Result<()> {
    for (n, segment) in topology.segments.iter().enumerate() {
        for earlier in &topology.segments[..n] {
            let pairs = segment.networks.into_iter().zip(earlier.networks);
            let mut both = pairs.filter_map(|(own, other)| Some((own?, other?)));
            if let Some((network, other)) = both.find(|(own, other)| own.overlaps(*other)) {
                let hidden = topology.ports().any(|(_, port)| port.translates.is_some());
                if hidden {
                    continue; // Behind two masquerading routers the same addresses are usual.
                }
                let attempt = format!("giving {} the network {network}", segment.name);
                let cause = format!("{} has {other}, and an address would be in both", earlier.name);
                return Err(Error::new(attempt, cause).remedy("choose networks that do not overlap"));
            }
        }
    }
    Ok(())
}

fn addresses_are_right(topology: &Topology) -> Result<()> {
    let mut given: BTreeMap<(usize, IpAddr), &str> = BTreeMap::new();
    for (at, port) in topology.ports() {
        let segment = topology.segment(at.cable);
        let name = &topology.nodes[port.node].name;
        let addresses = topology.addresses(at);
        for network in segment.networks.iter().flatten() {
            let attempt = || format!("giving `{name}` an address in {}", segment.name);
            let Some(own) = addresses.iter().find(|own| own.address().is_ipv4() == network.address().is_ipv4()) else {
                let cause = format!("{network} has no room for {} hosts", segment.attached);
                return Err(Error::new(attempt(), cause).remedy("choose a larger network"));
            };
            if !network.contains(own.address()) {
                let cause = format!("{} is outside of its network {network}", own.address());
                return Err(Error::new(attempt(), cause).remedy("choose an address in it, or another network"));
            }
        }
        let segment_number = topology.cables[at.cable].segment;
        for own in addresses.iter().map(|own| own.address()) {
            if let Some(other) = given.insert((segment_number, own), name) {
                let attempt = format!("giving `{name}` the address {own}");
                let remedy = "choose another; automatic addresses are numbered in the order of attachment";
                return Err(Error::new(attempt, format!("`{other}` has it")).remedy(remedy));
            }
        }
    }
    Ok(())
}

/// Those that follow from the topology are so by construction.
fn neighbours_are_neighbours(topology: &Topology) -> Result<()> {
    for route in &topology.routes {
        if owner_next_to(topology, route.node, route.by).is_none() {
            let name = &topology.nodes[route.node].name;
            let attempt = format!("routing {} through {} on `{name}`", route.to, route.by);
            let cause = format!("`{name}` has no neighbour with that address");
            return Err(Error::new(attempt, cause).remedy("name the address of a router at one of its own links"));
        }
    }
    Ok(())
}

fn forwarded_ports_lead_somewhere(topology: &Topology, routes: &[Vec<Hop>]) -> Result<()> {
    for forward in &topology.forwards {
        let [router, to] = [forward.router, forward.to].map(|node| &topology.nodes[node].name);
        let attempt = || format!("forwarding port {} of `{router}` to `{to}`", forward.port);
        let destinations = translation::destinations(topology, forward);
        if destinations.is_empty() {
            return Err(
                Error::new(attempt(), format!("`{to}` has no address")).remedy("connect it to a link or a switch")
            );
        }
        if !destinations.iter().any(|to| reaches(topology, routes, forward.router, to.ip())) {
            let remedy = "connect them, or give the router a route by `route`";
            return Err(Error::new(attempt(), format!("`{router}` has no way to `{to}`")).remedy(remedy));
        }
    }
    Ok(())
}

/// Whether a packet from a node to this address comes to a network that the address is in.
fn reaches(topology: &Topology, routes: &[Vec<Hop>], from: usize, address: IpAddr) -> bool {
    let Some(to) = Prefix::new(address, if address.is_ipv4() { 32 } else { 128 }) else { return false };
    // A way that is longer goes in a circle.
    let way = std::iter::successors(Some(from), |node| next(topology, routes, *node, to)).take(topology.nodes.len());
    let is_there = |node: usize| topology.addresses_of(node).iter().any(|own| own.network().contains(address));
    way.last().is_some_and(is_there)
}

/// Follows a packet from every node to every network.
fn nothing_goes_in_circles(topology: &Topology, routes: &[Vec<Hop>]) -> Result<()> {
    let asked_for = topology.routes.iter().map(|route| route.to);
    // What follows from the topology alone takes the shortest way, which has no circles.
    for to in asked_for {
        for start in 0..topology.nodes.len() {
            let mut way = vec![start];
            while let Some(next) = next(topology, routes, *way.last().unwrap_or(&start), to) {
                if let Some(again) = way.iter().position(|earlier| *earlier == next) {
                    let names =
                        way[again..].iter().chain([&next]).map(|node| format!("`{}`", topology.nodes[*node].name));
                    let circle = names.collect::<Vec<_>>().join(" → ");
                    let attempt = format!("routing {to}");
                    let cause = format!("a packet to it would go in a circle: {circle}");
                    return Err(Error::new(attempt, cause).remedy("take one of the routes between these back"));
                }
                way.push(next);
            }
        }
    }
    Ok(())
}

/// Which node gets a packet to this network next; `None` where it has arrived, or is dropped.
fn next(topology: &Topology, routes: &[Vec<Hop>], node: usize, to: Prefix) -> Option<usize> {
    if topology.addresses_of(node).iter().any(|own| own.network().overlaps(to) && to.length() > 0) {
        return None;
    }
    let covers = |hop: &&Hop| hop.to.length() <= to.length() && hop.to.contains(to.address());
    let hop = routes[node].iter().filter(covers).max_by_key(|hop| hop.to.length())?;
    owner_next_to(topology, node, hop.by)
}

/// The node that has this address at one of the segments of `node`.
fn owner_next_to(topology: &Topology, node: usize, address: IpAddr) -> Option<usize> {
    topology.ports_of(node).find_map(|(own, _)| {
        let segment = topology.cables[own.cable].segment;
        let there = topology.ports_on(segment).filter(|(_, port)| port.node != node);
        let mut has_it = there.filter(|(at, _)| topology.addresses(*at).iter().any(|other| other.address() == address));
        has_it.next().map(|(_, port)| port.node)
    })
}
