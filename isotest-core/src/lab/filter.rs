//! By which rules is a firewall kept? Pure.

use std::collections::BTreeSet;

use super::kicks;
use super::plan;
use super::rtnetlink::{LOOPBACK, OUTSIDE};
use super::sockets::Protocol;
use super::topology::{At, Topology};
use crate::nft::{Action, Chain, Family, Field, Hook, Rule, Table, Verdict, state};

/// A firewall, as plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) input: Side,
    pub(crate) output: Side,
    pub(crate) forward: Side,
    /// The ends of links by which nothing is let through.
    pub(crate) closed_ends: BTreeSet<At>,
    /// Whether what does not pass is answered.
    pub(crate) rejects: bool,
}

/// What is said of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Side {
    /// Whether only what is allowed passes.
    pub(crate) closed: bool,
    pub(crate) allowed: Vec<(Protocol, u16)>,
    pub(crate) blocked: Vec<(Protocol, u16)>,
}

impl Side {
    fn lets_all_pass(&self) -> bool {
        !self.closed && self.blocked.is_empty()
    }
}

impl Filter {
    /// Whether it says something of a port.
    pub(crate) fn names_port(&self, port: u16) -> bool {
        let sides = [&self.input, &self.output, &self.forward].into_iter();
        sides.flat_map(|side| side.allowed.iter().chain(&side.blocked)).any(|(_, named)| *named == port)
    }

    /// The table that keeps it.
    pub(crate) fn table(&self, topology: &Topology) -> Option<Table> {
        let closed = self.closed_ends.iter().filter_map(|at| topology.port(*at));
        let closed: Vec<u32> = closed.map(|port| plan::index(topology, port)).collect();
        let sides = [
            ("input", Hook::Input, &self.input, Field::Input, &[][..]),
            ("output", Hook::Output, &self.output, Field::Output, &[]),
            ("forward", Hook::Forward, &self.forward, Field::Input, &closed),
        ];
        let judging = sides.into_iter().filter(|(_, _, side, _, closed)| !side.lets_all_pass() || !closed.is_empty());
        let chains: Vec<_> = judging
            .map(|(name, hook, side, interface, closed)| {
                let rules = self.rules(side, interface, closed);
                Chain { name: name.to_owned(), hook, rules, otherwise: Verdict::Accept }
            })
            .collect();
        (!chains.is_empty()).then(|| named(chains))
    }

    /// The first that holds decides.
    fn rules(&self, side: &Side, interface: Field, closed: &[u32]) -> Vec<Rule> {
        let mut rules = Vec::from(never_judged(interface));
        // It does not leave: the kernel is to look at what waits.
        rules.push(Rule::accept().is(Field::Transport, &[kicks::PROTOCOL]));
        // Where all goes that would have no way anywhere, which comes before any firewall.
        rules.extend([Field::Input, Field::Output].map(|side| Rule::accept().by(side, OUTSIDE)));
        for (protocol, port) in &side.blocked {
            rules.extend(self.refuse(&|rule| to(rule, *protocol, *port)));
        }
        rules.extend(side.allowed.iter().map(|(protocol, port)| to(Rule::accept(), *protocol, *port)));
        for index in closed {
            rules.extend(self.refuse(&|rule| rule.by(Field::Input, *index)));
        }
        if side.closed {
            rules.extend(self.refuse(&|rule| rule));
        }
        rules
    }

    fn refuse(&self, only: &dyn Fn(Rule) -> Rule) -> Vec<Rule> {
        if !self.rejects {
            return vec![only(Rule::drop())];
        }
        let tcp = only(Rule::always(Action::Reset)).is(Field::Transport, &[Protocol::Tcp.number()]);
        vec![tcp, only(Rule::always(Action::Unreachable))]
    }
}

/// The table of a firewall.
pub(crate) fn named(chains: Vec<Chain>) -> Table {
    Table { family: Family::Inet, name: "isotest-firewall", cones: Vec::new(), chains }
}

fn to(rule: Rule, protocol: Protocol, port: u16) -> Rule {
    rule.is(Field::Transport, &[protocol.number()]).is(Field::DestinationPort, &port.to_be_bytes())
}

/// What passes every firewall: what a host sends to itself, what belongs to something that has begun, and neighbour discovery.
fn never_judged(interface: Field) -> [Rule; 4] {
    /// SYN and ACK of TCP, the first of which alone begins a connection. Connections from before the firewall are not known.
    const FLAGS: u8 = 0x12;
    const SYN: u8 = 0x02;
    const ICMPV6: u8 = libc::IPPROTO_ICMPV6 as u8;
    /// Neighbour discovery (RFC 4861) and who listens to which group (RFC 2710, RFC 3810).
    const NEIGHBOURS: [u8; 9] = [130, 131, 132, 133, 134, 135, 136, 137, 143];
    [
        Rule::accept().by(interface, LOOPBACK),
        Rule::accept().some_bit(Field::ConnectionState, state::ESTABLISHED | state::RELATED),
        Rule::accept().is(Field::Transport, &[Protocol::Tcp.number()]).unlike(Field::TcpFlags, FLAGS, SYN),
        Rule::accept().is(Field::Transport, &[ICMPV6]).among(Field::IcmpType, NEIGHBOURS.map(|kind| vec![kind])),
    ]
}
