//! Which rules translate addresses on a router, and who is hidden by it? Pure.

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use super::addresses::Prefix;
use super::plan::{self, Space};
use super::rules::Tables;
use super::topology::{At, Forward, Port, Role, Topology, Translation};
use crate::nft::{Action, Chain, Cone, Family, Field, Hook, Rule, Table, Verdict, bytes, state, status, v4, v6};

/// The tables of all routers that translate.
pub(crate) fn tables(topology: &Topology) -> Tables {
    let nodes = 0..topology.nodes.len();
    nodes.filter_map(|node| Some((Space::Node(node), vec![Router { topology, node }.table()?]))).collect()
}

/// Which of a host's addresses a forwarded port leads to, by family: one next to the router where there is any.
pub(crate) fn destinations(topology: &Topology, forward: &Forward) -> Vec<SocketAddr> {
    let near: Vec<usize> = topology.ports_of(forward.router).map(|(at, _)| topology.cables[at.cable].segment).collect();
    let mut all: Vec<(bool, IpAddr)> = Vec::new();
    for (at, _) in topology.ports_of(forward.to) {
        let is_far = !near.contains(&topology.cables[at.cable].segment);
        all.extend(topology.addresses(at).into_iter().map(|own| (is_far, own.address())));
    }
    all.sort_by_key(|(is_far, _)| *is_far);
    let of_family = |v4: bool| all.iter().map(|(_, address)| *address).find(|address| address.is_ipv4() == v4);
    [of_family(true), of_family(false)].into_iter().flatten().map(|address| (address, forward.to_port).into()).collect()
}

/// The routers that hide a node: what it sends out of them bears their addresses.
pub(crate) fn hidden_by(topology: &Topology, node: usize) -> BTreeSet<usize> {
    if !topology.ports().any(|(_, port)| port.translates.is_some()) {
        return BTreeSet::new();
    }
    let hides = |router: usize| topology.ports_of(router).any(|(_, port)| port.translates.is_some());
    let mut seen = BTreeSet::new();
    let mut routers = BTreeSet::new();
    let mut waiting = VecDeque::from([node]);
    while let Some(at_node) = waiting.pop_front() {
        for (at, _) in topology.ports_of(at_node) {
            let segment = topology.cables[at.cable].segment;
            if !seen.insert(segment) {
                continue;
            }
            let doors = topology.ports().filter(|(door, port)| {
                topology.cables[door.cable].segment == segment && port.translates.is_none() && port.node != at_node
            });
            let onward = doors.map(|(_, port)| port.node);
            waiting.extend(onward.filter(|next| topology.nodes[*next].role == Role::Router && routers.insert(*next)));
        }
    }
    routers.retain(|router| *router != node && hides(*router));
    routers
}

/// The addresses that a router gives to what it hides.
pub(crate) fn outside_addresses(topology: &Topology, router: usize) -> Vec<IpAddr> {
    let outside = topology.ports_of(router).filter(|(_, port)| port.translates.is_some());
    outside.flat_map(|(at, _)| topology.addresses(at)).map(Prefix::address).collect()
}

const TCP_AND_UDP: [u8; 2] = [libc::IPPROTO_TCP as u8, libc::IPPROTO_UDP as u8];

struct Router<'a> {
    topology: &'a Topology,
    node: usize,
}

impl Router<'_> {
    fn table(&self) -> Option<Table> {
        let rules = [
            ("destination", Hook::Destination, self.destination()),
            ("input", Hook::Input, self.input()),
            ("forward", Hook::Forward, self.forward()),
            ("source", Hook::Source, self.source()),
        ];
        let chains =
            rules.map(|(name, hook, rules)| Chain { name: name.to_owned(), hook, rules, otherwise: Verdict::Accept });
        let chains: Vec<_> = chains.into_iter().filter(|chain| !chain.rules.is_empty()).collect();
        let has_cones = self.outside().any(|(_, port)| port.translates == Some(Translation::FullCone));
        let cones = if has_cones { vec![Cone::V4, Cone::V6] } else { Vec::new() };
        (!chains.is_empty()).then_some(Table { family: Family::Inet, name: "isotest-translation", cones, chains })
    }

    fn outside(&self) -> impl Iterator<Item = (At, &Port)> {
        self.topology.ports_of(self.node).filter(|(_, port)| port.translates.is_some())
    }

    fn forwards(&self) -> impl Iterator<Item = &Forward> {
        self.topology.forwards.iter().filter(|forward| forward.router == self.node)
    }

    fn index(&self, port: &Port) -> u32 {
        plan::index(self.topology, port)
    }

    /// Where connections to the router's own addresses go instead.
    fn destination(&self) -> Vec<Rule> {
        let own: Vec<IpAddr> = self.topology.addresses_of(self.node).into_iter().map(Prefix::address).collect();
        let to_own = |rule: Rule, ipv6: bool| {
            let rule = if ipv6 {
                rule.ipv6().among(Field::Destination6, v6(&own))
            } else {
                rule.ipv4().among(Field::Destination4, v4(&own))
            };
            rule.among(Field::Transport, TCP_AND_UDP.map(|protocol| vec![protocol]))
        };
        let mut rules = Vec::new();
        for forward in self.forwards().filter(|forward| forward.to != self.node || forward.to_port != forward.port) {
            for to in destinations(self.topology, forward) {
                let rule = to_own(Rule::always(Action::SendTo(to)), to.is_ipv6());
                rules.push(rule.is(Field::DestinationPort, &forward.port.to_be_bytes()));
            }
        }
        for (_, port) in self.outside().filter(|(_, port)| port.translates == Some(Translation::FullCone)) {
            for cone in [Cone::V4, Cone::V6] {
                let rule = Rule::always(Action::SendToRemembered(cone)).by(Field::Input, self.index(port));
                rules.push(to_own(rule, cone == Cone::V6));
            }
        }
        rules.retain(Rule::can_hold);
        rules
    }

    /// What comes from outside gets at the router itself only as an answer, or by a port that it forwards to itself. It must not
    /// even be known as a connection, or the port would be taken for those who are hidden.
    fn input(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (_, port) in self.outside() {
            let from_outside = |rule: Rule| {
                let rule = rule.by(Field::Input, self.index(port));
                rule.among(Field::Transport, TCP_AND_UDP.map(|protocol| vec![protocol]))
            };
            let open = self.forwards().filter(|forward| forward.to == self.node);
            rules.extend(open.map(|forward| {
                from_outside(Rule::accept()).is(Field::DestinationPort, &forward.to_port.to_be_bytes())
            }));
            rules.push(unasked(from_outside(Rule::drop())));
        }
        rules
    }

    /// What comes from outside goes through it only as an answer, or where it was sent elsewhere.
    fn forward(&self) -> Vec<Rule> {
        self.outside().map(|(_, port)| unasked(Rule::drop().by(Field::Input, self.index(port)))).collect()
    }

    /// Whose address is given to what leaves.
    fn source(&self) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (_, port) in self.outside() {
            let leaving = |action| Rule::always(action).by(Field::Output, self.index(port));
            if port.translates == Some(Translation::FullCone) {
                let remember = |cone| {
                    leaving(Action::Remember(cone)).among(Field::Transport, TCP_AND_UDP.map(|protocol| vec![protocol]))
                };
                rules.extend([remember(Cone::V4).ipv4(), remember(Cone::V6).ipv6()]);
            }
            let symmetric = port.translates == Some(Translation::Symmetric);
            rules.push(leaving(if symmetric { Action::MasqueradeAtRandom } else { Action::Masquerade }));
        }
        if self.forwards().next().is_some() {
            rules.extend(self.topology.ports_of(self.node).flat_map(|(at, port)| self.back_inside(at, port)));
        }
        rules
    }

    /// Who is sent by the router to a neighbour of their own has to get the answers from the router.
    fn back_inside(&self, at: At, port: &Port) -> Vec<Rule> {
        let networks = self.topology.addresses(at).into_iter();
        let rules = networks.map(|own| {
            let rule = Rule::always(Action::Masquerade).by(Field::Output, self.index(port));
            let rule = rule.some_bit(Field::ConnectionStatus, status::REDIRECTED);
            let network = bytes(own.address());
            if own.address().is_ipv4() {
                rule.ipv4().within(Field::Source4, &network, own.length())
            } else {
                rule.ipv6().within(Field::Source6, &network, own.length())
            }
        });
        rules.collect()
    }
}

/// Only what nobody inside has asked for, and no forwarded port has let in.
fn unasked(rule: Rule) -> Rule {
    let rule = rule.some_bit(Field::ConnectionState, state::NEW | state::INVALID);
    rule.no_bit(Field::ConnectionStatus, status::REDIRECTED)
}
