//! What is to be said of a link's end beside its addresses: what is cut, parted, crashed, translated there? Pure.

use super::barriers::{self, Barriers};
use super::topology::{At, Topology, Translation};

/// All of it, in words; `None` where all is sound.
pub(crate) fn of(topology: &Topology, barriers: &Barriers, at: At) -> Option<String> {
    let port = topology.port(at)?;
    let mut said: Vec<String> = Vec::new();
    if barriers.crashed.contains(&port.node) {
        said.push("crashed".to_owned());
    }
    let [arriving, leaving] = [at, At { end: 1 - at.end, ..at }].map(|end| barriers.cut.contains(&end));
    let cut = match (arriving, leaving) {
        (true, true) => Some("cut"),
        (true, false) => Some("hears nothing"),
        (false, true) => Some("is not heard"),
        (false, false) => None,
    };
    said.extend(cut.map(str::to_owned));
    let others = barriers::beyond(barriers, port.node);
    let names: Vec<_> = others.into_iter().map(|other| topology.nodes[other].name.as_str()).collect();
    if !names.is_empty() {
        said.push(format!("parted from {}", names.join(" and ")));
    }
    let translation = port.translates.map(|translation| match translation {
        Translation::Masquerade => "masquerades",
        Translation::Symmetric => "symmetric NAT",
        Translation::FullCone => "full cone NAT",
    });
    said.extend(translation.map(str::to_owned));
    if barriers.filters.get(&port.node).is_some_and(|filter| filter.table(topology).is_some()) {
        said.push("firewall".to_owned());
    }
    (!said.is_empty()).then(|| said.join(", "))
}
