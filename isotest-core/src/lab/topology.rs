//! What is in a lab, and how is it connected? Plain data: it is written down and checked here, and built elsewhere.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addresses::{self, Mac, Prefix};
use super::engine::Engine;
use super::error::{Error, Result};
use super::faults::Faults;

/// All that is in a lab.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Topology {
    pub(crate) nodes: Vec<Node>,
    pub(crate) switches: Vec<Switch>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) cables: Vec<Cable>,
    pub(crate) routes: Vec<Route>,
    /// Who carries out faults.
    pub(crate) engine: Engine,
    pub(crate) forwards: Vec<Forward>,
    /// The hardware addresses that were asked for.
    pub(crate) macs: BTreeSet<Mac>,
}

/// A host, or a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Whether it gets routes to all that is not its neighbour.
    pub(crate) routed: bool,
    /// Its ports, in the order in which they were made.
    pub(crate) ports: Vec<At>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Host,
    /// Forwards between its links.
    Router,
    /// The test body's own network.
    Here,
    /// All that lies outside: every address that is nobody else's is its own.
    Internet,
    /// A router whose far side is the machine.
    Uplink,
}

/// A bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Switch {
    pub(crate) name: String,
    pub(crate) segment: usize,
}

/// Who can talk to one another without a router: all at one switch, or the two ends of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// For messages: ``switch `lan` ``.
    pub(crate) name: String,
    /// v4 and v6.
    pub(crate) networks: [Option<Prefix>; 2],
    /// How many interfaces are attached.
    pub(crate) attached: usize,
    /// These, as far as they are nodes', in the order in which they were made.
    pub(crate) ports: Vec<At>,
    /// Whether it is a host's own way out into the internet, by which no other host reaches it.
    pub(crate) line: bool,
}

/// A veth pair, or two of them with a wire between.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cable {
    pub(crate) segment: usize,
    /// The second is `None` at a switch.
    pub(crate) ends: [Option<Port>; 2],
    pub(crate) switch: Option<usize>,
    pub(crate) mtu: Option<u32>,
    /// Whether it is made for faults.
    pub(crate) wired: bool,
    /// What is wrong with it, from its first end and from its second.
    pub(crate) faults: [Faults; 2],
}

/// The families of addresses, in the order in which segments have their networks.
pub(crate) const FAMILIES: [&str; 2] = ["IPv4", "IPv6"];

/// The end of a cable at a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) node: usize,
    /// Which of the node's interfaces, from 0 on: `eth0`.
    pub(crate) number: usize,
    /// Which of the segment's, from 1 on.
    pub(crate) place: usize,
    pub(crate) mac: Mac,
    /// What was asked for instead of the automatic addresses.
    pub(crate) chosen: Vec<Prefix>,
    /// How what is behind this port is hidden from those in front of it, if it is.
    pub(crate) translates: Option<Translation>,
}

/// What a router does with the addresses of what leaves by a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Translation {
    /// Its own address, the sender's port.
    Masquerade,
    /// A port by chance.
    Symmetric,
    /// The sender's port, which is then open to all.
    FullCone,
}

/// A port that a router forwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    pub(crate) router: usize,
    pub(crate) port: u16,
    pub(crate) to: usize,
    pub(crate) to_port: u16,
}

/// A route that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) node: usize,
    pub(crate) to: Prefix,
    pub(crate) by: IpAddr,
}

/// Where a cable's end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct At {
    pub(crate) cable: usize,
    pub(crate) end: usize,
}

/// The name of [`Role::Here`].
pub(crate) const HERE: &str = "here";
/// The name of [`Role::Internet`].
pub(crate) const INTERNET: &str = "internet";
/// The name of [`Role::Uplink`].
pub(crate) const UPLINK: &str = "uplink";

/// Every host to itself.
pub(crate) const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

impl Role {
    /// Whether it passes on what is not for itself.
    pub(crate) fn forwards(self) -> bool {
        matches!(self, Role::Router | Role::Uplink)
    }
}

impl Port {
    /// The interface's name in its node.
    pub(crate) fn interface(&self) -> String {
        format!("eth{}", self.number)
    }
}

impl Topology {
    /// Whether the lab carries a cable's frames itself, and so can lose and delay them.
    pub(crate) fn has_wire(&self, cable: &Cable) -> bool {
        cable.wired && self.engine == Engine::Lab
    }

    pub(crate) fn add_node(&mut self, name: &str, role: Role) -> Result<usize> {
        self.check_name(name, if role == Role::Router { "router" } else { "host" })?;
        self.nodes.push(Node { name: name.to_owned(), role, routed: true, ports: Vec::new() });
        Ok(self.nodes.len() - 1)
    }

    pub(crate) fn add_switch(&mut self, name: &str) -> Result<usize> {
        self.check_name(name, "switch")?;
        let networks = addresses::of_switch(self.switches.len() + 1).ok_or_else(|| {
            Error::new(format!("adding the switch `{name}`"), "a lab has room for 127 switches")
                .remedy("connect some of the hosts by `lab.link`")
        })?;
        let segment = self.add_segment(format!("switch `{name}`"), networks);
        self.switches.push(Switch { name: name.to_owned(), segment });
        Ok(self.switches.len() - 1)
    }

    /// Connects two nodes directly; gives the cable.
    pub(crate) fn add_link(&mut self, nodes: [usize; 2]) -> Result<usize> {
        let [a, b] = nodes.map(|node| self.nodes[node].name.clone());
        let attempt = || format!("linking `{a}` and `{b}`");
        if nodes[0] == nodes[1] {
            return Err(Error::new(attempt(), "both ends are the same host").remedy("it reaches itself by 127.0.0.1"));
        }
        let links = self.cables.iter().filter(|cable| cable.switch.is_none()).count();
        let networks = addresses::of_link(links)
            .ok_or_else(|| Error::new(attempt(), "a lab has room for 32768 links").remedy("use a switch"))?;
        let segment = self.add_segment(format!("the link between `{a}` and `{b}`"), networks);
        let ends = nodes.map(|node| Some(self.add_port(node, segment)));
        Ok(self.add_cable(segment, ends, None))
    }

    /// Connects a node to a switch; gives the cable.
    pub(crate) fn attach(&mut self, switch: usize, node: usize) -> Result<usize> {
        let Switch { segment, ref name } = self.switches[switch];
        let attached = |port: &Port| port.node == node;
        let mut at_this_switch = self.cables.iter().filter(|cable| cable.switch == Some(switch));
        if at_this_switch.any(|cable| cable.ends.iter().flatten().any(attached)) {
            let attempt = format!("connecting `{}` to the switch `{name}`", self.nodes[node].name);
            return Err(Error::new(attempt, "it is connected to it already").remedy("leave one of the two out"));
        }
        let port = self.add_port(node, segment);
        Ok(self.add_cable(segment, [Some(port), None], Some(switch)))
    }

    /// The node of this role, of which there is one at most.
    pub(crate) fn only(&self, role: Role) -> Option<usize> {
        self.nodes.iter().position(|node| node.role == role)
    }

    /// Gives every node a line of its own to the internet, if there is one that is linked to nobody.
    pub(crate) fn lay_lines(&mut self) -> Result<()> {
        if let Some(internet) = self.only(Role::Internet)
            && self.ports_of(internet).next().is_none()
        {
            for node in (0..self.nodes.len()).filter(|node| *node != internet) {
                let cable = self.add_link([node, internet])?;
                let segment = self.cables[cable].segment;
                self.segments[segment].line = true;
            }
        }
        Ok(())
    }

    fn add_segment(&mut self, name: String, networks: [Prefix; 2]) -> usize {
        self.segments.push(Segment { name, networks: networks.map(Some), attached: 0, ports: Vec::new(), line: false });
        self.segments.len() - 1
    }

    fn add_cable(&mut self, segment: usize, ends: [Option<Port>; 2], switch: Option<usize>) -> usize {
        let cable = self.cables.len();
        for (end, port) in ends.iter().enumerate().filter_map(|(end, port)| Some((end, port.as_ref()?))) {
            self.nodes[port.node].ports.push(At { cable, end });
            self.segments[segment].ports.push(At { cable, end });
        }
        self.cables.push(Cable { segment, ends, switch, mtu: None, wired: false, faults: Default::default() });
        cable
    }

    fn add_port(&mut self, node: usize, segment: usize) -> Port {
        self.segments[segment].attached += 1;
        let place = self.segments[segment].attached;
        let all: usize = self.segments.iter().map(|segment| segment.attached).sum();
        let number = self.nodes[node].ports.len();
        let mac = self.free_mac(Mac::of_interface(all));
        Port { node, number, place, mac, chosen: Vec::new(), translates: None }
    }

    /// This automatic hardware address, or another one where somebody has asked for it.
    pub(crate) fn free_mac(&self, mac: Mac) -> Mac {
        std::iter::successors(Some(mac), |mac| Some(mac.instead())).find(|mac| !self.macs.contains(mac)).unwrap_or(mac)
    }

    /// The ports of a node, in the order in which they were made.
    pub(crate) fn ports_of(&self, node: usize) -> impl Iterator<Item = (At, &Port)> {
        self.ports_at(&self.nodes[node].ports)
    }

    /// The ports of a segment, in the order in which they were made.
    pub(crate) fn ports_on(&self, segment: usize) -> impl Iterator<Item = (At, &Port)> {
        self.ports_at(&self.segments[segment].ports)
    }

    fn ports_at(&self, places: &[At]) -> impl Iterator<Item = (At, &Port)> {
        places.iter().filter_map(|at| Some((*at, self.port(*at)?)))
    }

    /// All ports.
    pub(crate) fn ports(&self) -> impl Iterator<Item = (At, &Port)> {
        self.cables.iter().enumerate().flat_map(|(cable, it)| {
            let ends = it.ends.iter().enumerate();
            ends.filter_map(move |(end, port)| Some((At { cable, end }, port.as_ref()?)))
        })
    }

    /// The port at the end of a cable.
    pub(crate) fn port(&self, at: At) -> Option<&Port> {
        self.cables[at.cable].ends[at.end].as_ref()
    }

    /// The addresses of a port: those asked for, and the automatic one of each family for which none was.
    pub(crate) fn addresses(&self, at: At) -> Vec<Prefix> {
        let Some(port) = self.port(at) else { return Vec::new() };
        let networks = self.segments[self.cables[at.cable].segment].networks;
        let automatic = networks.into_iter().flatten().filter_map(|network| {
            let chosen = port.chosen.iter().any(|chosen| chosen.address().is_ipv4() == network.address().is_ipv4());
            if chosen { None } else { network.host(port.place) }
        });
        let mut all: Vec<Prefix> = port.chosen.iter().copied().chain(automatic).collect();
        all.sort_by_key(|prefix| prefix.address().is_ipv6());
        all
    }

    /// Whether there is IPv6 at a port.
    pub(crate) fn has_ipv6(&self, at: At) -> bool {
        let chosen = self.port(at).is_some_and(|port| port.chosen.iter().any(|chosen| chosen.address().is_ipv6()));
        chosen || self.segment(at.cable).networks[1].is_some()
    }

    /// Whether there is none at any port of a node, which has some.
    pub(crate) fn is_without_ipv6(&self, node: usize) -> bool {
        let mut ports = self.ports_of(node).map(|(at, _)| at).peekable();
        let own = !matches!(self.nodes[node].role, Role::Here | Role::Internet | Role::Uplink);
        own && ports.peek().is_some() && !ports.any(|at| self.has_ipv6(at))
    }

    /// All addresses of a node, in the order of its ports.
    pub(crate) fn addresses_of(&self, node: usize) -> Vec<Prefix> {
        self.ports_of(node).flat_map(|(at, _)| self.addresses(at)).collect()
    }

    /// The segment of a cable.
    pub(crate) fn segment(&self, cable: usize) -> &Segment {
        &self.segments[self.cables[cable].segment]
    }

    /// A cable, for messages: the link between `alice` and `bob`.
    pub(crate) fn link_name(&self, cable: usize) -> String {
        let it = &self.cables[cable];
        let names: Vec<_> = it.ends.iter().flatten().map(|port| format!("`{}`", self.nodes[port.node].name)).collect();
        let switch = it.switch.map(|switch| format!("the switch `{}`", self.switches[switch].name));
        let ends: Vec<_> = names.into_iter().chain(switch).collect();
        format!("the link between {}", ends.join(" and "))
    }

    fn check_name(&self, name: &str, what: &str) -> Result<()> {
        let attempt = || format!("adding the {what} `{}`", name.escape_debug());
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let label = (1..=63).contains(&name.len())
            && name.chars().all(|c| letter(c) || c == '-')
            && name.starts_with(letter)
            && name.ends_with(letter);
        if !label {
            let remedy = "write 1 to 63 lower-case letters, digits and hyphens, a letter or digit first and last, such as `db-1`";
            return Err(Error::new(attempt(), "this is no host name (RFC 1123)").remedy(remedy));
        }
        let taken = self.nodes.iter().map(|node| &node.name).chain(self.switches.iter().map(|switch| &switch.name));
        if taken.into_iter().any(|taken| taken == name) {
            return Err(Error::new(attempt(), "the lab has one of this name").remedy("give each a name of its own"));
        }
        if ["localhost", "ip6-localhost", "ip6-loopback"].contains(&name) {
            return Err(Error::new(attempt(), "every host is that to itself").remedy("give it a name of its own"));
        }
        if what != "switch" && is_number(name) {
            let cause = "programs take a number for an address (inet_aton(3)), and would not look the name up";
            return Err(Error::new(attempt(), cause).remedy(format!("put a letter before it, such as `h{name}`")));
        }
        Ok(())
    }
}

/// Whether getaddrinfo(3) reads it as an address of one part, decimal, octal or hexadecimal.
fn is_number(name: &str) -> bool {
    match name.strip_prefix("0x") {
        Some(digits) => digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => name.chars().all(|c| c.is_ascii_digit()),
    }
}
