//! What does not get through, and which rules see to it? Pure.
//!
//! What vanishes does so where it arrives: its sender hears nothing of it, no line goes down, and sockets stay as they are.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::addresses::Prefix;
use super::filter::{self, Filter};
use super::plan::{self, Space};
use super::rules::Tables;
use super::topology::{At, Role, Topology};
use super::translation;
use crate::nft::{Chain, Family, Field, Hook, Rule, Table, Verdict, v4, v6};

/// All that does not get through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Barriers {
    /// The ends of links at which nothing arrives.
    pub(crate) cut: BTreeSet<At>,
    /// Hosts between which nothing passes.
    pub(crate) partitions: Vec<[BTreeSet<usize>; 2]>,
    /// Hosts that nothing reaches, and that nothing leaves.
    pub(crate) crashed: BTreeSet<usize>,
    /// The firewalls of nodes.
    pub(crate) filters: BTreeMap<usize, Filter>,
}

/// The tables that keep it back.
pub(crate) fn tables(topology: &Topology, barriers: &Barriers) -> Tables {
    let mut tables = Tables::new();
    let mut add = |space, family, chains: Vec<Chain>| {
        if !chains.is_empty() {
            tables.entry(space).or_default().push(Table { chains, ..named(family) });
        }
    };
    for node in 0..topology.nodes.len() {
        let space = Space::Node(node);
        let ends = topology.ports_of(node);
        add(space, Family::Netdev, ends.filter_map(|(at, _)| arrivals(topology, barriers, at)).collect());
        add(space, Family::Inet, passing(topology, barriers, node).into_iter().collect());
    }
    let at_switches = topology.cables.iter().enumerate().filter(|(_, cable)| cable.switch.is_some());
    let ends = at_switches.map(|(cable, _)| At { cable, end: 1 });
    add(Space::Switches, Family::Netdev, ends.filter_map(|at| arrivals(topology, barriers, at)).collect());
    for (node, filter) in &barriers.filters {
        tables.entry(Space::Node(*node)).or_default().extend(filter.table(topology));
    }
    tables
}

fn named(family: Family) -> Table {
    Table { family, name: "isotest-barriers", cones: Vec::new(), chains: Vec::new() }
}

/// The tables, without what is in them, that a node may have.
pub(crate) fn names_of_tables() -> [Table; 3] {
    [named(Family::Netdev), named(Family::Inet), filter::named(Vec::new())]
}

/// The table, without what is in it, that keeps back what arrives at interfaces. It has a chain for each, which is called as that is.
pub(crate) fn at_interfaces() -> Table {
    named(Family::Netdev)
}

/// What does not arrive at an end of a link, if anything.
fn arrivals(topology: &Topology, barriers: &Barriers, at: At) -> Option<Chain> {
    let mut hosts = topology.cables[at.cable].ends.iter().flatten();
    let rules = if barriers.cut.contains(&at) || hosts.any(|port| barriers.crashed.contains(&port.node)) {
        vec![Rule::lose()]
    } else {
        from_others(topology, at, &beyond(barriers, topology.port(at)?.node))
    };
    let (_, device) = plan::end_of(topology, at)?;
    let hook = Hook::Arrival { device: device.name.clone() };
    (!rules.is_empty()).then_some(Chain { name: device.name, hook, rules, otherwise: Verdict::Accept })
}

/// Those from whom a node is kept apart.
pub(crate) fn beyond(barriers: &Barriers, node: usize) -> BTreeSet<usize> {
    let sides = barriers.partitions.iter().flat_map(|[one, other]| [(one, other), (other, one)]);
    sides.filter(|(own, _)| own.contains(&node)).flat_map(|(_, other)| other).copied().collect()
}

/// Nothing from these nodes arrives: no frame of a neighbour among them, whatever it carries (ARP, broadcasts, what it forwards), and
/// no packet that one of them has sent through others.
fn from_others(topology: &Topology, at: At, others: &BTreeSet<usize>) -> Vec<Rule> {
    let segment = topology.cables[at.cable].segment;
    let neighbours = topology.ports_on(segment);
    let cards = neighbours.filter(|(_, port)| others.contains(&port.node)).map(|(_, port)| port.mac.0.to_vec());
    let addresses = seen_at(topology, segment, others);
    let rules = [
        Rule::lose().among(Field::HardwareSource, cards),
        Rule::lose().ipv4().among(Field::Source4, v4(&addresses)),
        Rule::lose().ipv6().among(Field::Source6, v6(&addresses)),
    ];
    rules.into_iter().filter(Rule::can_hold).collect()
}

/// Their addresses as far as they are theirs in this segment: behind translating routers, a neighbour may have the address of somebody
/// far away.
fn seen_at(topology: &Topology, segment: usize, nodes: &BTreeSet<usize>) -> Vec<IpAddr> {
    let networks = topology.segments[segment].networks;
    let ports = topology.ports().filter(|(_, port)| nodes.contains(&port.node));
    let addresses = ports.flat_map(|(at, _)| {
        let here = topology.cables[at.cable].segment == segment;
        let all = topology.addresses(at).into_iter().map(Prefix::address);
        all.filter(move |address| here || !networks.iter().flatten().any(|network| network.contains(*address)))
    });
    addresses.collect()
}

/// What a router does not let pass: where addresses are translated on the way, only there both true ones are seen.
fn passing(topology: &Topology, barriers: &Barriers, node: usize) -> Option<Chain> {
    if topology.nodes[node].role != Role::Router {
        return None;
    }
    let directions = barriers.partitions.iter().flat_map(|[one, other]| [(one, other), (other, one)]);
    let rules = directions.flat_map(|(from, to)| {
        let by_name = between(&addresses(topology, from), &addresses(topology, to));
        let (hidden_from, hidden_to) = (hidden_here(topology, from, node), hidden_here(topology, to, node));
        let in_disguise = between(&disguises(topology, from, node), &addresses(topology, &hidden_to));
        let to_disguised = between(&addresses(topology, &hidden_from), &disguises(topology, to, node));
        by_name.into_iter().chain(in_disguise).chain(to_disguised)
    });
    let rules: Vec<_> = rules.filter(Rule::can_hold).collect();
    let chain = || Chain { name: "passing".to_owned(), hook: Hook::Forward, rules, otherwise: Verdict::Accept };
    (!barriers.partitions.is_empty()).then(chain)
}

/// Nothing passes from one of these addresses to one of those.
fn between(from: &[IpAddr], to: &[IpAddr]) -> [Rule; 2] {
    [
        Rule::drop().ipv4().among(Field::Source4, v4(from)).among(Field::Destination4, v4(to)),
        Rule::drop().ipv6().among(Field::Source6, v6(from)).among(Field::Destination6, v6(to)),
    ]
}

/// Those whom this router hides.
fn hidden_here(topology: &Topology, nodes: &BTreeSet<usize>, router: usize) -> BTreeSet<usize> {
    nodes.iter().copied().filter(|node| translation::hidden_by(topology, *node).contains(&router)).collect()
}

/// The addresses that other routers give to these nodes: behind two translators nobody sees both true ones, and who shares
/// such an address with one of them is taken for it.
fn disguises(topology: &Topology, nodes: &BTreeSet<usize>, router: usize) -> Vec<IpAddr> {
    let hiding = nodes.iter().filter(|node| !translation::hidden_by(topology, **node).contains(&router));
    let others: BTreeSet<usize> = hiding.flat_map(|node| translation::hidden_by(topology, *node)).collect();
    others.into_iter().flat_map(|other| translation::outside_addresses(topology, other)).collect()
}

fn addresses(topology: &Topology, nodes: &BTreeSet<usize>) -> Vec<IpAddr> {
    nodes.iter().flat_map(|node| topology.addresses_of(*node)).map(Prefix::address).collect()
}
