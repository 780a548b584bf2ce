//! How does all that hosts of a lab have no way for get to init? Each that may send it has a link to a network in which nobody is, and the
//! last of all its routes leads there; init reads what comes out of it.
//!
//! Where a host has a default route of both families, its routers have to say that there is no way, and they have the links.

use std::os::fd::AsFd;

use super::account;
use super::addresses::{Mac, Prefix};
use super::build::Spaces;
use super::carrier;
use super::error::{Error, Result};
use super::plan::{FIRST, Space};
use super::routes::Hop;
use super::rtnetlink::{self, OUTSIDE, VethEnd};
use super::topology::Topology;
use crate::ledger::OWN;
use crate::netlink::{Batch, Refusal};

/// The number of the interface at which a node's link ends.
pub(crate) fn end(node: usize) -> u32 {
    FIRST + node as u32
}

/// Lays the links, in a lab that is otherwise built; `here` is the test's own network, if it is to have one as well.
pub(crate) fn lay(topology: &Topology, routes: &[Vec<Hop>], spaces: &mut Spaces, here: Option<usize>) -> Result<()> {
    let sends = |node: &usize| [true, false].into_iter().any(|v4| !account::leads_on(&routes[*node], v4));
    let nodes: Vec<usize> = account::nodes(topology).chain(here).filter(sends).collect();
    let failed = |node: usize| {
        let attempt =
            format!("giving `{}` a link to what keeps account of attempts to leave", topology.nodes[node].name);
        move |refusal: Refusal| Error::refused(attempt, &refusal)
    };
    let mut raise = Batch::default();
    for node in &nodes {
        let mut link = Batch::default();
        let far = end_called(format!("host{node}"), end(*node), 2);
        rtnetlink::veth(
            &mut link,
            &end_called("outside".to_owned(), OUTSIDE, 1),
            &far,
            spaces[&Space::Beyond].namespace.as_fd(),
        );
        spaces
            .get_mut(&Space::Node(*node))
            .expect("every node has a space")
            .links
            .request(&link)
            .map_err(failed(*node))?;
        rtnetlink::raise_without_neighbours(&mut raise, end(*node));
    }
    let beyond = spaces.get_mut(&Space::Beyond).expect("it was made for this");
    beyond.links.request(&raise).map_err(|refusal| failed(nodes[refusal.message])(refusal))?;
    for node in &nodes {
        let own = topology.addresses_of(*node);
        let near = &mut spaces.get_mut(&Space::Node(*node)).expect("every node has a space").links;
        let mut quiet = Batch::default();
        rtnetlink::without_own_address(&mut quiet, OUTSIDE);
        near.request(&quiet).ok(); // A kernel without IPv6 makes none anyhow.
        let mut up = Batch::default();
        rtnetlink::raise_without_neighbours(&mut up, OUTSIDE);
        near.request(&up).map_err(failed(*node))?;
        for (v4, spare) in [(true, OWN[0]), (false, OWN[1])] {
            let has_one = own.iter().any(|own| own.address().is_ipv4() == v4);
            match near.request(&way(v4, (!has_one).then_some(spare))) {
                // A kernel without IPv6 leads nowhere by it.
                Err(_) if !v4 => {}
                laid => laid.map_err(failed(*node))?,
            }
        }
    }
    carrier::wait(&nodes.iter().map(|node| (Space::Beyond, end(*node))).collect::<Vec<_>>(), spaces)
}

fn end_called(name: String, index: u32, last: u8) -> VethEnd {
    VethEnd { name, index, mac: Mac([6, 0, 0, 0, 0, last]), mtu: None }
}

/// The way of a family; a host that has no address to send from gets one.
fn way(v4: bool, spare: Option<&str>) -> Batch {
    let mut way = Batch::default();
    if let Some(address) = spare.and_then(|spare| spare.parse::<Prefix>().ok()) {
        rtnetlink::usable_address(&mut way, OUTSIDE, address);
    }
    rtnetlink::default_route(&mut way, !v4, OUTSIDE);
    way
}
