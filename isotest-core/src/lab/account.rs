//! How does the test's init learn where the hosts of a lab try to go? What it has to know follows from the topology; pure but for the
//! saying.
//!
//! The kernel counts in each network what it has no way for, which costs nothing. But it also counts what is in another network of the
//! lab, to which there is no way on purpose: where that may be, its numbers say nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use nix::poll::PollTimeout;
use nix::sched::{CloneFlags, setns};

use super::addresses::Prefix;
use super::beyond;
use super::build::Spaces;
use super::error::{Error, Result};
use super::place::{Place, on_a_thread};
use super::plan::Space;
use super::routes::Hop;
use super::topology::{Role, Topology};
use super::whereabouts::Whereabouts;
use crate::hatch::{self, Counted, Message};
use crate::ledger::{Book, Owner};
use crate::no_route;
use crate::own::Attempts;

/// How it learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Nobody wants to know.
    Not,
    /// From the kernel's counters.
    Counted,
    /// Because all that hosts have no other way for leads to it; in the test's own network that is so anyhow.
    Seen,
    /// The same, and only now in the test's own network too.
    SeenWithHere,
}

/// How it learns what it wants to know.
pub(crate) fn manner(topology: &Topology, routes: &[Vec<Hop>], wanted: Attempts) -> Manner {
    match wanted {
        Attempts::Nothing => Manner::Not,
        Attempts::Roughly => Manner::Counted,
        Attempts::Surely => {
            let mut all = nodes(topology).chain(topology.only(Role::Here));
            let networks = networks(topology);
            if all.all(|node| reaches_all(topology, routes, &networks, node)) {
                Manner::Counted
            } else {
                Manner::SeenWithHere
            }
        }
        Attempts::All => Manner::Seen,
    }
}

impl Manner {
    /// Whether hosts have links to init.
    pub(crate) fn sees(self) -> bool {
        matches!(self, Manner::Seen | Manner::SeenWithHere)
    }
}

/// Those that may have no way. The test's own network is looked at by init itself, and the internet has all addresses.
pub(crate) fn nodes(topology: &Topology) -> impl Iterator<Item = usize> {
    let may = |node: &usize| !matches!(topology.nodes[*node].role, Role::Here | Role::Internet);
    (0..topology.nodes.len()).filter(may)
}

/// Whether a node has a default route of a family.
pub(crate) fn leads_on(routes: &[Hop], v4: bool) -> bool {
    routes.iter().any(|hop| hop.to.length() == 0 && hop.to.address().is_ipv4() == v4)
}

/// Whether a node has a way to each of the lab's networks, so that what it has none for is outside.
fn reaches_all(topology: &Topology, routes: &[Vec<Hop>], networks: &BTreeSet<Prefix>, node: usize) -> bool {
    let own = topology.addresses_of(node).into_iter().map(Prefix::network);
    let ways: BTreeSet<Prefix> = own.chain(routes[node].iter().map(|hop| hop.to.network())).collect();
    let leads_there = |network: &Prefix| {
        // Nearly always there is one to this very network.
        ways.contains(network)
            || ways.iter().any(|way| way.length() <= network.length() && way.contains(network.address()))
    };
    [true, false].into_iter().all(|v4| {
        let mut networks = networks.iter().filter(|network| network.address().is_ipv4() == v4);
        leads_on(&routes[node], v4) || networks.all(leads_there)
    })
}

fn networks(topology: &Topology) -> BTreeSet<Prefix> {
    let chosen = topology.ports().flat_map(|(at, _)| topology.addresses(at)).map(Prefix::network);
    topology.segments.iter().flat_map(|segment| segment.networks).flatten().chain(chosen).collect()
}

/// Tells init what it needs, and lays the links to it.
pub(crate) fn open(
    (topology, routes): (&Topology, &[Vec<Hop>]),
    manner: Manner,
    spaces: &mut Spaces,
    init: &OwnedFd,
) -> Result<()> {
    let told = match manner {
        Manner::Not => Ok(()),
        Manner::Counted => {
            let (sending, passing) = counted(topology, routes, spaces);
            let before = so_far(&passing)?;
            count(&sending, passing.into_iter().zip(before), init)
        }
        Manner::Seen | Manner::SeenWithHere => {
            let here = topology.only(Role::Here).filter(|_| manner == Manner::SeenWithHere);
            beyond::lay(topology, routes, spaces, here)?;
            pages(topology).into_iter().try_for_each(|page| hatch::say(init, &Message::Book(page)))
        }
    };
    told.map_err(|errno| Error::kernel("telling init of the lab", errno))
}

/// Tells init that the lab is gone, while its links are still there: whoever goes on sending in one of its hosts has no way to another
/// then, and does not want to leave for that.
pub(crate) fn close(init: &OwnedFd, places: &[Arc<Place>]) {
    /// It takes a millisecond; where init was stopped, by a debugger or a signal, nobody need wait for it.
    const AT_MOST: u16 = 1000;
    // Init may have ended, and the test with it soon.
    let said = hatch::leave(init);
    if said.is_ok() && places.iter().any(Place::is_inhabited) {
        hatch::wait_until_seen(init, PollTimeout::from(AT_MOST)).ok();
    }
}

/// The networks whose counters say where their hosts try to go; those in which something may pass through apart.
fn counted<'s>(
    topology: &Topology,
    routes: &[Vec<Hop>],
    spaces: &'s Spaces,
) -> (Vec<BorrowedFd<'s>>, Vec<BorrowedFd<'s>>) {
    let networks = networks(topology);
    let telling = nodes(topology).filter(|node| reaches_all(topology, routes, &networks, *node));
    let (passing, sending): (Vec<_>, Vec<_>) = telling.partition(|node| topology.nodes[*node].role.forwards());
    let namespace = |node: usize| spaces[&Space::Node(node)].namespace.as_fd();
    (sending.into_iter().map(namespace).collect(), passing.into_iter().map(namespace).collect())
}

fn count<'s>(
    sending: &[BorrowedFd<'_>],
    passing: impl Iterator<Item = (BorrowedFd<'s>, u64)>,
    init: &OwnedFd,
) -> nix::Result<()> {
    hatch::hand_over(init, &Message::Count(Counted::Sent), sending)?;
    for (router, before) in passing {
        hatch::hand_over(init, &Message::Count(Counted::Passing(before)), &[router])?;
    }
    Ok(())
}

/// How often each of these networks has had no route for what was to pass through.
fn so_far(networks: &[BorrowedFd<'_>]) -> Result<Vec<u64>> {
    if networks.is_empty() {
        return Ok(Vec::new());
    }
    let count = |network: &BorrowedFd<'_>| {
        let told = setns(network, CloneFlags::CLONE_NEWNET)
            .and_then(|()| no_route::passing(Path::new("/proc/thread-self/net")));
        told.map_err(|errno| Error::kernel("counting for what a router had no route so far", errno))
    };
    on_a_thread("lab-account", || networks.iter().map(count).collect())
}

/// What is to be known of the lab, in parts that fit into packets.
fn pages(topology: &Topology) -> Vec<Book> {
    const ENTRIES: usize = 256;
    let all = networks(topology).into_iter().map(|network| (network.address(), network.length()));
    let all: Vec<(IpAddr, u8)> = all.collect();
    let networks = all.chunks(ENTRIES).map(|networks| Book { networks: networks.to_vec(), ..Book::default() });
    let nodes: Vec<usize> = nodes(topology).collect();
    let ends = nodes.chunks(ENTRIES).map(|nodes| {
        let end = |node: &usize| (beyond::end(*node) as usize, topology.nodes[*node].name.clone());
        Book { ends: nodes.iter().map(end).collect(), ..Book::default() }
    });
    let owners = owners(topology);
    let owners = owners.chunks(ENTRIES).map(|owners| Book { owners: owners.to_vec(), ..Book::default() });
    networks.chain(ends).chain(owners).collect()
}

fn owners(topology: &Topology) -> Vec<Owner> {
    let host = |node: usize| (topology.nodes[node].role != Role::Here).then(|| topology.nodes[node].name.clone());
    let all = topology.ports().flat_map(|(at, port)| topology.addresses(at).into_iter().map(|own| (port.node, own)));
    let all: Vec<(usize, IpAddr)> = all.map(|(node, own)| (node, own.address())).collect();
    let mut owners: Vec<Owner> =
        all.iter().map(|(node, address)| Owner { address: *address, seen_at: None, host: host(*node) }).collect();
    let whereabouts = Whereabouts::of(topology);
    if whereabouts.has_doubles() {
        for router in nodes(topology).filter(|node| topology.nodes[*node].role.forwards()) {
            let known = all.iter().filter(|(node, it)| whereabouts.known_to(router, *node).contains(it));
            let seen_at = Some(beyond::end(router) as usize);
            owners.extend(known.map(|(node, address)| Owner { address: *address, seen_at, host: host(*node) }));
        }
    }
    owners
}

#[cfg(test)]
mod tests {
    use super::super::routes;
    use super::*;

    fn pair(topology: &mut Topology, names: [&str; 2]) {
        let ends = names.map(|name| topology.add_node(name, Role::Host).expect("it is new"));
        topology.add_link(ends).expect("they are two");
    }

    #[test]
    fn the_kernel_is_believed_where_everybody_has_a_way_to_all_of_the_lab() {
        let mut topology = Topology::default();
        pair(&mut topology, ["alice", "bob"]);
        let how = |topology: &Topology, wanted| manner(topology, &routes::of_all(topology), wanted);
        assert_eq!(how(&topology, Attempts::Roughly), Manner::Counted);
        assert_eq!(how(&topology, Attempts::Surely), Manner::Counted);
        assert_eq!(how(&topology, Attempts::All), Manner::Seen);
        pair(&mut topology, ["carol", "dave"]);
        assert_eq!(how(&topology, Attempts::Roughly), Manner::Counted);
        assert_eq!(how(&topology, Attempts::Surely), Manner::SeenWithHere, "alice may want to reach carol");
        let routes = routes::of_all(&topology);
        let networks = networks(&topology);
        assert!(!nodes(&topology).any(|node| reaches_all(&topology, &routes, &networks, node)));
    }

    #[test]
    fn a_router_makes_one_lab_of_two_networks() {
        let mut topology = Topology::default();
        let [alice, gw, bob] = [("alice", Role::Host), ("gw", Role::Router), ("bob", Role::Host)]
            .map(|(name, role)| topology.add_node(name, role).expect("it is new"));
        topology.add_link([alice, gw]).expect("they are two");
        topology.add_link([gw, bob]).expect("they are two");
        let routes = routes::of_all(&topology);
        let networks = networks(&topology);
        assert!(nodes(&topology).all(|node| reaches_all(&topology, &routes, &networks, node)));
        assert!(leads_on(&routes[alice], true) && !leads_on(&routes[gw], true));
    }
}
