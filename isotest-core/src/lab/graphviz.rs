//! What does a lab look like, as a picture? A graph for `dot -Tsvg`, <https://graphviz.org/doc/info/lang.html>.

use std::fmt::Write;

use super::describe::{Remarks, faults};
use super::topology::{At, Port, Role, Topology};

/// Nodes and switches, and the cables between them. No name needs quoting in it: each is a host name.
pub(super) fn graph(topology: &Topology, remarks: Remarks<'_>) -> String {
    let mut graph = "graph lab {\n    node [shape=box];\n".to_owned();
    for node in &topology.nodes {
        let (shape, name) = match node.role {
            Role::Host => ("box", &node.name),
            Role::Router => ("diamond", &node.name),
            Role::Uplink => ("invhouse", &node.name),
            Role::Here => ("house", &node.name),
            Role::Internet => ("doublecircle", &node.name),
        };
        writeln!(graph, "    \"{name}\" [shape={shape}];").ok();
    }
    for switch in &topology.switches {
        let networks = topology.segments[switch.segment].networks.iter().flatten();
        let networks: String = networks.map(|network| format!("\\n{network}")).collect();
        writeln!(graph, "    \"{0}\" [shape=ellipse, label=\"{0}{networks}\"];", switch.name).ok();
    }
    for (cable, it) in topology.cables.iter().enumerate() {
        let at_switch = it.switch.map(|switch| topology.switches[switch].name.as_str());
        let end = |end: usize| {
            let port = it.ends[end].as_ref();
            let node = port.map(|port| topology.nodes[port.node].name.as_str()).or(at_switch).unwrap_or("?");
            let label = port.map(|port| label(topology, At { cable, end }, port, remarks)).unwrap_or_default();
            (node, label)
        };
        let ((tail, tail_label), (head, head_label)) = (end(0), end(1));
        write!(graph, "    \"{tail}\" -- \"{head}\" [taillabel=\"{tail_label}\"").ok();
        if !head_label.is_empty() {
            write!(graph, ", headlabel=\"{head_label}\"").ok();
        }
        graph.push_str("];\n");
    }
    graph.push_str("}\n");
    graph
}

fn label(topology: &Topology, at: At, port: &Port, remarks: Remarks<'_>) -> String {
    let addresses = topology.addresses(at).into_iter().map(|prefix| prefix.address().to_string());
    let lines: Vec<_> =
        std::iter::once(port.interface()).chain(addresses).chain(remarks(at)).chain(faults(topology, at)).collect();
    lines.join("\\n").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_switches_are_nodes_and_cables_are_edges() {
        let mut topology = Topology::default();
        let mut add = |name, role| topology.add_node(name, role).expect("a name of its own");
        let [alice, gateway] = [add("alice", Role::Host), add("gw", Role::Router)];
        let lan = topology.add_switch("lan").expect("a name of its own");
        topology.attach(lan, alice).expect("once");
        topology.add_link([alice, gateway]).expect("two nodes");
        let remarks = |at: At| (at == At { cable: 1, end: 1 }).then(|| "\"slow\"".to_owned());
        let expected = r#"graph lab {
    node [shape=box];
    "alice" [shape=box];
    "gw" [shape=diamond];
    "lan" [shape=ellipse, label="lan\n10.1.0.0/16\nfd00:0:0:1::/64"];
    "alice" -- "lan" [taillabel="eth0\n10.1.0.1\nfd00:0:0:1::1"];
    "alice" -- "gw" [taillabel="eth1\n10.128.0.1\nfd00:0:1::1", headlabel="eth0\n10.128.0.2\nfd00:0:1::2\n\"slow\""];
}
"#;
        assert_eq!(graph(&topology, &remarks), expected.replace("\\n\"slow\"\"", "\\n\\\"slow\\\"\""));
    }
}
