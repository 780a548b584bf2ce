//! What does a lab look like, in text? One tree for each network: a switch, or a link, and who is at it.
//!
//! Trees rather than a picture: a lab of a hundred hosts stays readable, in a terminal and in the log of a CI run.

use std::fmt::Write;

use super::topology::{At, Role, Segment, Topology};
use super::{Lab, graphviz};

impl Lab {
    /// Draws the lab as text: a tree for each switch and each link, with those at it, their interfaces and addresses,
    /// and what is cut, parted, translated or bad there at the moment.
    #[must_use]
    pub fn describe(&self) -> String {
        self.shared.view(drawn)
    }

    /// The same as a graph for Graphviz: `dot -Tsvg` makes a picture of it.
    #[must_use]
    pub fn graphviz(&self) -> String {
        self.shared.view(graphviz::graph)
    }
}

/// What is to be said of a cable's end beside: its faults, whether it is cut.
pub(super) type Remarks<'a> = &'a dyn Fn(At) -> Option<String>;

/// Draws all networks, then says who is in none.
pub(super) fn drawn(topology: &Topology, remarks: Remarks<'_>) -> String {
    let networks: Vec<_> = (0..topology.segments.len()).map(|segment| network(topology, segment, remarks)).collect();
    let rows = || networks.iter().flat_map(|(_, rows)| rows);
    // Columns have the same width in all networks. The last one is not padded.
    let widths: Vec<_> =
        (0..COLUMNS).map(|column| rows().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for (title, rows) in &networks {
        separate(&mut text);
        writeln!(text, "{title}").ok();
        for (at, row) in rows.iter().enumerate() {
            text.push_str(if at + 1 == rows.len() { "└─ " } else { "├─ " });
            line(&mut text, row, &widths);
        }
    }
    let alone = alone(topology);
    if !alone.is_empty() {
        separate(&mut text);
        writeln!(text, "not connected: {}", alone.join(", ")).ok();
    }
    text
}

/// Node, interface, addresses, remark.
const COLUMNS: usize = 5;
type Row = [String; COLUMNS];

/// Its title, and a row for each interface at it.
fn network(topology: &Topology, segment: usize, remarks: Remarks<'_>) -> (String, Vec<Row>) {
    let ports = topology.ports_on(segment);
    let rows = ports.map(|(at, port)| {
        let addresses = topology.addresses(at);
        let of_family = |v4: bool| {
            let addresses = addresses.iter().map(|prefix| prefix.address()).filter(|address| address.is_ipv4() == v4);
            addresses.map(|address| address.to_string()).collect::<Vec<_>>().join(", ")
        };
        let remark: Vec<_> = remarks(at).into_iter().chain(faults(topology, at)).collect();
        let remark = remark.join(", ");
        [label(topology, port.node), port.interface(), of_family(true), of_family(false), remark]
    });
    (title(topology, segment), rows.collect())
}

/// What befalls what an interface sends, and at a switch also what it gets.
pub(super) fn faults(topology: &Topology, at: At) -> Option<String> {
    let cable = &topology.cables[at.cable];
    let [out, into] = [at.end, 1 - at.end].map(|end| cable.faults[end].to_string());
    let told = match cable.switch {
        Some(_) if into != out => {
            let ways = [("out", out), ("in", into)].into_iter().filter(|(_, told)| !told.is_empty());
            ways.map(|(way, told)| format!("{way}: {told}")).collect::<Vec<_>>().join("; ")
        }
        _ => out,
    };
    (!told.is_empty()).then_some(told)
}

fn title(topology: &Topology, segment: usize) -> String {
    let switch = topology.switches.iter().find(|switch| switch.segment == segment);
    let mut title = switch.map_or_else(|| "link".to_owned(), |switch| format!("switch {}", switch.name));
    let Segment { networks, .. } = &topology.segments[segment];
    for network in networks.iter().flatten() {
        write!(title, "  {network}").ok();
    }
    title
}

fn label(topology: &Topology, node: usize) -> String {
    let node = &topology.nodes[node];
    match node.role {
        Role::Host => node.name.clone(),
        Role::Router => format!("{} (router)", node.name),
        Role::Uplink => format!("{} (to the machine)", node.name),
        Role::Here => format!("{} (the test)", node.name),
        Role::Internet => format!("{} (all else)", node.name),
    }
}

fn alone(topology: &Topology) -> Vec<&str> {
    let alone = |node: &usize| topology.ports_of(*node).next().is_none();
    (0..topology.nodes.len()).filter(alone).map(|node| topology.nodes[node].name.as_str()).collect()
}

fn line(text: &mut String, row: &Row, widths: &[usize]) {
    let mut line = String::new();
    for (cell, width) in row.iter().zip(widths).filter(|(_, width)| **width > 0) {
        write!(line, "{cell:width$}  ").ok();
    }
    writeln!(text, "{}", line.trim_end()).ok();
}

fn separate(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology() -> Topology {
        let mut topology = Topology::default();
        let mut add = |name, role| topology.add_node(name, role).expect("a name of its own");
        let [alice, gateway, server] =
            [add("alice", Role::Host), add("gw", Role::Router), add("far-away-server", Role::Host)];
        add("carol", Role::Host);
        let lan = topology.add_switch("lan").expect("a name of its own");
        topology.attach(lan, alice).expect("once");
        topology.attach(lan, gateway).expect("once");
        topology.add_link([gateway, server]).expect("two nodes");
        topology
    }

    #[test]
    fn each_network_is_a_tree_of_those_at_it() {
        let remarks = |at: At| (at == At { cable: 2, end: 0 }).then(|| "cut".to_owned());
        let drawn = drawn(&topology(), &remarks);
        let expected = "\
switch lan  10.1.0.0/16  fd00:0:0:1::/64
├─ alice            eth0  10.1.0.1    fd00:0:0:1::1
└─ gw (router)      eth0  10.1.0.2    fd00:0:0:1::2

link  10.128.0.0/24  fd00:0:1::/64
├─ gw (router)      eth1  10.128.0.1  fd00:0:1::1    cut
└─ far-away-server  eth0  10.128.0.2  fd00:0:1::2

not connected: carol
";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn an_empty_lab_is_nothing() {
        assert_eq!(drawn(&Topology::default(), &|_| None), "");
    }
}
