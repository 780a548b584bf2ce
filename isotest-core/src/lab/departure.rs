//! How does a lab leave the test body's own network and files? So that the test may have another one afterwards.

use std::os::fd::OwnedFd;

use nix::mount::{MntFlags, umount2};
use nix::sched::{CloneFlags, setns};

use super::account::Manner;
use super::build::Spaces;
use super::error::{Error, Result};
use super::network::Network;
use super::place::on_a_thread;
use super::plan::{self, Space};
use super::rtnetlink::OUTSIDE;
use super::rules::{self, Tables};
use super::topology::{Role, Topology};
use super::{barriers, build, names, rtnetlink};
use crate::netlink::{Batch, Socket};

/// Takes back what it has added there; elsewhere all goes with its namespaces. What the test has taken away itself is not missed.
pub(crate) fn leave(topology: &Topology, network: &Network) {
    let Some(here) = topology.only(Role::Here) else { return };
    clear(topology, here, network.manner, &mut network.spaces());
    uncover(network, here).ok();
}

/// The same for a lab that could not be built, whose files nobody has seen; `own` is the test's own network.
pub(crate) fn abandon(topology: &Topology, manner: Manner, mut spaces: Spaces, own: &OwnedFd) {
    let Some(here) = topology.only(Role::Here) else { return };
    clear(topology, here, manner, &mut spaces);
    drop(spaces); // It may be descriptors that are lacking.
    let restored = on_a_thread("lab-departure", || {
        let entered = setns(own, CloneFlags::CLONE_NEWNET);
        entered.map_err(|errno| Error::kernel("entering the test's own network", errno))?;
        build::set(build::ACCEPT_DAD, "1")
    });
    restored.ok(); // Why the lab could not be built is told.
}

/// Takes links and rules away.
fn clear(topology: &Topology, here: usize, manner: Manner, spaces: &mut Spaces) {
    let mut links = Batch::default();
    for (_, port) in topology.ports_of(here) {
        rtnetlink::delete(&mut links, plan::index(topology, port));
    }
    if manner == Manner::SeenWithHere {
        rtnetlink::delete(&mut links, OUTSIDE);
    }
    let space = Space::Node(here);
    let Some(own) = spaces.get_mut(&space) else { return };
    own.links.request(&links).ok();
    let tables = names::tables().into_iter().chain(barriers::names_of_tables()).collect();
    rules::replace("leaving the test's own network", spaces, Tables::from([(space, tables)])).ok();
    if let Some(socket) = spaces.get_mut(&space).and_then(|own| own.tables.take()) {
        close(socket);
    }
}

/// Before the socket by which a table was deleted is closed, the kernel waits until nobody uses it any more, 10 ms and more: by then the
/// tables are gone, and nobody else need wait.
fn close(socket: Socket) {
    let closing = std::thread::Builder::new().name("lab-departure".to_owned()).spawn(move || drop(socket));
    drop(closing); // Where no thread can be started, it has been closed here.
}

fn uncover(network: &Network, here: usize) -> Result<()> {
    on_a_thread("lab-files", || {
        network.places[here].enter()?;
        // As every fresh network has it.
        build::set(build::ACCEPT_DAD, "1").ok();
        for covered in network.covered.iter().rev() {
            umount2(covered.as_str(), MntFlags::MNT_DETACH).ok();
        }
        Ok(())
    })
}
