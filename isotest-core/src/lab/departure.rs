//! How does a lab leave the test body's own network and files? So that the test may have another one afterwards.

use nix::mount::{MntFlags, umount2};

use super::error::Result;
use super::place::on_a_thread;
use super::plan::{self, Space};
use super::rtnetlink;
use super::shared::Network;
use super::topology::{Role, Topology};
use crate::netlink::Batch;

/// Takes back what it has added there; elsewhere all goes with its namespaces. What the test has taken away itself is not missed.
pub(crate) fn leave(topology: &Topology, network: &Network) {
    let Some(here) = topology.only(Role::Here) else { return };
    let mut links = Batch::default();
    for (_, port) in topology.ports_of(here) {
        rtnetlink::delete(&mut links, plan::index(topology, port));
    }
    if let Some(own) = network.spaces().get_mut(&Space::Node(here)) {
        own.links.request(&links).ok();
    }
    uncover(network, here).ok();
}

fn uncover(network: &Network, here: usize) -> Result<()> {
    on_a_thread("lab-files", || {
        network.places[here].enter()?;
        for covered in network.covered.iter().rev() {
            umount2(covered.as_str(), MntFlags::MNT_DETACH).ok();
        }
        Ok(())
    })
}
