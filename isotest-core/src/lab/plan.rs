//! In what order is a topology built? A pure function from what is in a lab to messages for the kernel, each with the namespace
//! that it goes to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::addresses::{Mac, Prefix};
use super::routes::Hop;
use super::rtnetlink::{LOOPBACK, VethEnd};
use super::topology::{At, Cable, Port, Role, Topology};

/// A network namespace of a lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Space {
    /// That of a host, a router, or the test body.
    Node(usize),
    /// The one with all bridges.
    Switches,
    /// The one with the far ends of all wires.
    Wires,
    /// The one that stands for all that is in no network of the lab.
    Beyond,
}

/// One message to the kernel. Its `Display` is what an error says was attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Bridge {
        index: u32,
        name: String,
    },
    Veth {
        end: VethEnd,
        there: Space,
        end_there: VethEnd,
        what: String,
    },
    Join {
        index: u32,
        bridge: u32,
        what: String,
    },
    /// Beside another one that has it.
    LeaveOutIpv6 {
        index: u32,
        what: String,
    },
    Raise {
        index: u32,
        what: String,
    },
    Address {
        index: u32,
        prefix: Prefix,
        host: String,
    },
    Neighbour {
        index: u32,
        address: IpAddr,
        mac: Mac,
        host: String,
    },
    Route {
        hop: Hop,
        host: String,
    },
    /// Has groups, and everybody, reached by an interface.
    Groups {
        index: u32,
        host: String,
    },
    /// Takes whatever arrives, of this family, for the host's own.
    Everything {
        like: IpAddr,
    },
}

/// The first numbers of interfaces: in the namespaces that are the lab's alone, and in the test body's own, where others may be.
pub(crate) const FIRST: u32 = 2;
const FIRST_HERE: u32 = 1000;
/// What interfaces carry at most where nothing else is said.
pub(crate) const USUAL_MTU: u32 = 1500;
const FIRST_PORT: u32 = 1000;

/// The namespaces to make, in order.
pub(crate) fn spaces(topology: &Topology) -> Vec<Space> {
    let nodes = topology.nodes.iter().enumerate();
    let mut spaces: Vec<Space> =
        nodes.filter(|(_, node)| node.role != Role::Here).map(|(node, _)| Space::Node(node)).collect();
    if !topology.switches.is_empty() {
        spaces.push(Space::Switches);
    }
    if topology.cables.iter().any(|cable| topology.has_wire(cable)) {
        spaces.push(Space::Wires);
    }
    spaces
}

/// All steps, those for one namespace next to one another as far as their order allows.
pub(crate) fn steps(topology: &Topology, routes: &[Vec<Hop>]) -> Vec<(Space, Step)> {
    let mut steps = Vec::new();
    for (number, switch) in topology.switches.iter().enumerate() {
        let step = Step::Bridge { index: bridge_index(number), name: format!("sw-{number}-{}", cut(&switch.name)) };
        steps.push((Space::Switches, step));
    }
    for cable in 0..topology.cables.len() {
        steps.extend(veths(topology, cable));
    }
    for (number, cable) in topology.cables.iter().enumerate() {
        if let Some(switch) = cable.switch {
            let what = described(topology, number);
            steps.push((Space::Switches, Step::Join { index: port_index(number), bridge: bridge_index(switch), what }));
        }
    }
    for cable in (0..topology.cables.len()).filter(|cable| topology.has_wire(&topology.cables[*cable])) {
        let ends = [0, 1].map(|end| wire_end(At { cable, end }, None));
        let raise = |end: VethEnd| Step::Raise { index: end.index, what: format!("bringing {} up", end.name) };
        steps.extend(ends.map(|end| (Space::Wires, raise(end))));
    }
    for (node, it) in topology.nodes.iter().enumerate() {
        let space = Space::Node(node);
        let host = || it.name.clone();
        if it.role != Role::Here {
            let what = format!("bringing `{}`'s lo up", it.name);
            steps.push((space, Step::Raise { index: LOOPBACK, what }));
        }
        for (at, port) in topology.ports_of(node) {
            let index = index(topology, port);
            if !topology.has_ipv6(at) && !topology.is_without_ipv6(node) {
                let what = format!("leaving out IPv6 at {} of `{}`", port.interface(), it.name);
                steps.push((space, Step::LeaveOutIpv6 { index, what }));
            }
            let what = format!("bringing {} of `{}` up", port.interface(), it.name);
            steps.push((space, Step::Raise { index, what }));
            let addresses = topology.addresses(at).into_iter();
            steps.extend(addresses.map(|prefix| (space, Step::Address { index, prefix, host: host() })));
            let known = neighbours(topology, at).into_iter();
            steps.extend(known.map(|(address, mac)| (space, Step::Neighbour { index, address, mac, host: host() })));
        }
        steps.extend(routes[node].iter().map(|hop| (space, Step::Route { hop: *hop, host: host() })));
        steps.extend(groups(topology, node, &routes[node]).map(|index| (space, Step::Groups { index, host: host() })));
        if it.role == Role::Internet {
            steps.extend(everything(topology, node).map(|like| (space, Step::Everything { like })));
        }
    }
    steps
}

/// The ends of cables that are brought up before their other ends, in the order of [`steps`]: with them the kernel waits for the carrier,
/// and drops what is sent until it has noticed.
pub(crate) fn first_up(topology: &Topology) -> Vec<(Space, u32)> {
    let first = |(number, cable): (usize, &Cable)| {
        let wires = [0, 1].map(|end| (Space::Wires, wire_end(At { cable: number, end }, None).index));
        let ports = cable.ends.iter().flatten().map(|port| (Space::Node(port.node), index(topology, port)));
        match (topology.has_wire(cable), cable.switch) {
            (true, None) => wires.to_vec(),
            (true, Some(_)) => vec![wires[0], (Space::Switches, port_index(number))],
            (false, Some(_)) => vec![(Space::Switches, port_index(number))],
            (false, None) => ports.min().into_iter().collect(),
        }
    };
    topology.cables.iter().enumerate().flat_map(first).collect()
}

/// The neighbours at a port, if they are not too many, with their hardware addresses. While a host asks for that of another, the kernel keeps
/// back what it sends there, and lets it be overtaken by what it sends just when the answer comes: the first packets would have no certain
/// order. And it keeps about a thousand answers for all networks of the machine, which many labs at once exceed.
fn neighbours(topology: &Topology, at: At) -> Vec<(IpAddr, Mac)> {
    const MOST: usize = 16;
    let segment = topology.cables[at.cable].segment;
    if topology.segments[segment].attached > MOST {
        return Vec::new();
    }
    let others = topology.ports_on(segment).filter(|(other, _)| *other != at);
    let entries = others
        .flat_map(|(other, port)| topology.addresses(other).into_iter().map(|prefix| (prefix.address(), port.mac)));
    entries.collect()
}

/// The interface by which a host reaches groups of IPv4, `ip(7)`: that of its default route, as on any machine; without one the first that
/// has an address. IPv6 has routes for its groups at every interface.
fn groups(topology: &Topology, node: usize, routes: &[Hop]) -> Option<u32> {
    let has_default = routes.iter().any(|hop| hop.to.address().is_ipv4() && hop.to.length() == 0);
    if has_default || topology.nodes[node].role.forwards() || topology.nodes[node].role == Role::Internet {
        return None;
    }
    let mut ports = topology.ports_of(node);
    let has_address = |at: At| topology.addresses(at).iter().any(|prefix| prefix.address().is_ipv4());
    ports.find(|(at, _)| has_address(*at)).map(|(_, port)| index(topology, port))
}

/// An address of each family that a node's links have.
fn everything(topology: &Topology, node: usize) -> impl Iterator<Item = IpAddr> {
    let families: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
    let has = move |family: usize| {
        let mut segments = topology.ports_of(node).map(|(at, _)| topology.segment(at.cable));
        segments.any(|segment| segment.networks[family].is_some())
    };
    families.into_iter().enumerate().filter(move |(family, _)| has(*family)).map(|(_, like)| like)
}

/// The pair, or with a wire between them the two pairs, of a cable.
fn veths(topology: &Topology, number: usize) -> Vec<(Space, Step)> {
    let cable = &topology.cables[number];
    let what = described(topology, number);
    let ends = [0, 1].map(|end| end_of(topology, At { cable: number, end }));
    let [Some(first), Some(second)] = ends else { return Vec::new() };
    let veth = |(space, end): (Space, VethEnd), (there, end_there): (Space, VethEnd)| {
        (space, Step::Veth { end, there, end_there, what: what.clone() })
    };
    if !topology.has_wire(cable) {
        return vec![veth(first, second)];
    }
    let [near, far] = [0, 1].map(|end| (Space::Wires, wire_end(At { cable: number, end }, cable.mtu)));
    vec![veth(first, near), veth(second, far)]
}

/// The end of a cable where a host or a switch is.
pub(crate) fn end_of(topology: &Topology, at: At) -> Option<(Space, VethEnd)> {
    let cable = &topology.cables[at.cable];
    let mtu = cable.mtu;
    if let Some(port) = &cable.ends[at.end] {
        let end = VethEnd { name: port.interface(), index: index(topology, port), mac: port.mac, mtu };
        return Some((Space::Node(port.node), end));
    }
    cable.switch?;
    let mac = Mac([0x06, 0, 0, 0, (at.cable >> 8) as u8, at.cable as u8]);
    Some((Space::Switches, VethEnd { name: format!("port{}", at.cable), index: port_index(at.cable), mac, mtu }))
}

/// The end of a cable that the wires' engine holds.
pub(crate) fn wire_end(at: At, mtu: Option<u32>) -> VethEnd {
    let side = if at.end == 0 { 'a' } else { 'b' };
    let mac = Mac([0x0a, 0, 0, at.end as u8, (at.cable >> 8) as u8, at.cable as u8]);
    let index = FIRST + 2 * at.cable as u32 + at.end as u32;
    VethEnd { name: format!("wire{}{side}", at.cable), index, mac, mtu }
}

/// The number of a port's interface in its namespace.
pub(crate) fn index(topology: &Topology, port: &Port) -> u32 {
    let first = if topology.nodes[port.node].role == Role::Here { FIRST_HERE } else { FIRST };
    first + port.number as u32
}

fn bridge_index(switch: usize) -> u32 {
    FIRST + switch as u32
}

pub(crate) fn port_index(cable: usize) -> u32 {
    FIRST_PORT + cable as u32
}

/// What fits into an interface's name, of at most 15 bytes.
fn cut(name: &str) -> &str {
    &name[..name.len().min(8)]
}

/// A cable for messages.
pub(crate) fn described(topology: &Topology, cable: usize) -> String {
    let it = &topology.cables[cable];
    let names: Vec<_> = it.ends.iter().flatten().map(|port| format!("`{}`", topology.nodes[port.node].name)).collect();
    match it.switch {
        Some(switch) => format!("connecting {} to the switch `{}`", names.concat(), topology.switches[switch].name),
        None => format!("linking {}", names.join(" and ")),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Bridge { name, .. } => write!(f, "making the bridge {name}"),
            Step::Veth { end, what, .. } => write!(f, "{what} by a veth pair ({})", end.name),
            Step::Join { what, .. } | Step::LeaveOutIpv6 { what, .. } | Step::Raise { what, .. } => f.write_str(what),
            Step::Address { prefix, host, .. } => write!(f, "giving `{host}` the address {prefix}"),
            Step::Neighbour { address, host, .. } => write!(f, "telling `{host}` who has the address {address}"),
            Step::Everything { like } => {
                write!(f, "making {} the internet's own, by a rule", Prefix::everything(*like))
            }
            Step::Groups { host, .. } => write!(f, "giving `{host}` a route to groups and to everybody"),
            Step::Route { hop, host } => write!(f, "routing {} through {} on `{host}`", hop.to, hop.by),
        }
    }
}
