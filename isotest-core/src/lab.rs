//! Networks inside a test: hosts, routers, switches and links, made of network namespaces, veth pairs and bridges.
//!
//! Inside its sandbox a test is master of its own network, so none of this takes root, and none of it is seen outside. What is
//! added to a [`Lab`] is written down first and built, all at once, when somebody enters a host for the first time (or by
//! [`Lab::up`]): so addresses and routes can follow from the whole.
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//!
//! use isotest::isotest;
//! use isotest::lab::{Lab, Result};
//!
//! #[isotest]
//! fn bob_greets_alice() -> Result<()> {
//!     let lab = Lab::new()?;
//!     let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
//!     lab.link(&alice, &bob)?;
//!
//!     let door = bob.enter(|| TcpListener::bind(("0.0.0.0", 80)).expect("every port is free and allowed"));
//!     bob.spawn(move || door.accept().expect("alice comes").0.write_all(b"hello, alice"))?;
//!
//!     let mut greeting = String::new();
//!     alice.enter(|| TcpStream::connect("bob:80")).expect("bob listens").read_to_string(&mut greeting).expect("text");
//!     assert_eq!(greeting, "hello, alice");
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! The crate's feature `lab`, on by default, brings it; `tokio` adds `Host::block_on` and `Host::spawn_async`. Linux only.

mod account;
mod addresses;
#[cfg(feature = "tokio")]
mod asynchronous;
mod barriers;
mod beyond;
mod brakes;
mod build;
mod capture;
mod carrier;
mod chance;
mod check;
mod crash;
mod cut;
mod departure;
mod describe;
mod destroy;
mod diag;
mod engine;
mod error;
pub(crate) mod failure;
mod fates;
mod faults;
mod files;
mod filter;
mod firewall;
mod freeze;
mod graphviz;
pub(crate) mod held;
mod host;
mod inhabitants;
pub(crate) mod internet;
mod kicks;
mod kill;
mod link;
mod listening;
mod masquerade;
mod names;
mod nat;
mod network;
mod order;
mod overrides;
mod partition;
mod place;
mod plan;
pub(crate) mod porter;
mod qdisc;
mod remarks;
mod routes;
pub(crate) mod rtnetlink;
mod rules;
mod seed;
mod settle;
mod shared;
mod sockets;
mod stats;
mod switch;
mod topology;
mod translation;
mod uplink;
mod vanished;
mod whereabouts;
mod wired;
mod wires;

use std::sync::Arc;

pub use self::addresses::{Mac, Prefix};
pub use self::capture::Capture;
pub use self::engine::Engine;
pub use self::error::{Error, Result};
pub use self::fates::{Fates, LinkFates};
pub use self::faults::{Faults, GilbertElliott, Queue, Rate};
pub use self::firewall::Firewall;
pub use self::host::{Host, HostThread, Router};
#[cfg(feature = "tls")]
pub use self::internet::TlsStream;
pub use self::internet::{Asked, Internet};
pub use self::link::Link;
use self::shared::Shared;
pub use self::sockets::{Connection, Listener, Protocol, State};
pub use self::stats::{Flow, LinkStats, Traffic};
pub use self::switch::Switch;
use self::topology::{HERE, Role};
pub use self::uplink::Uplink;
pub use crate::report::Captured;

/// A network of hosts, inside one test. When it is dropped, the processes in its hosts are killed, and the kernel takes the
/// rest apart.
#[derive(Debug)]
pub struct Lab {
    shared: Arc<Shared>,
}

impl Lab {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// Outside of a sandbox, where it would change the machine's own network: put `#[isotest]` on the test, or run it by
    /// `cargo isotest`. Likewise in a test that has no network of its own.
    pub fn new() -> Result<Lab> {
        Ok(Lab { shared: Arc::new(Shared::new(None)?) })
    }

    /// An empty one whose chance follows from this seed, whatever `ISOTEST_SEED` says.
    ///
    /// # Errors
    ///
    /// As [`Lab::new`].
    pub fn with_seed(seed: u64) -> Result<Lab> {
        Ok(Lab { shared: Arc::new(Shared::new(Some(seed))?) })
    }

    /// Adds a host. Its name is a label of a DNS name: lower-case letters, digits and hyphens.
    ///
    /// # Errors
    ///
    /// When the name is no such label or taken, or the lab is up already.
    pub fn host(&self, name: &str) -> Result<Host> {
        let node =
            self.shared.draw(format!("adding the host `{name}`"), |topology| topology.add_node(name, Role::Host))?;
        Ok(Host::new(&self.shared, node, name))
    }

    /// Adds a router: a host that forwards packets between its links.
    ///
    /// # Errors
    ///
    /// As [`Lab::host`].
    pub fn router(&self, name: &str) -> Result<Router> {
        let node = self
            .shared
            .draw(format!("adding the router `{name}`"), |topology| topology.add_node(name, Role::Router))?;
        Ok(Router::new(Host::new(&self.shared, node, name)))
    }

    /// Adds a switch, a bridge that hosts can be connected to. The k-th of a lab is the network `10.k.0.0/16` and `fd00:0:0:k::/64`.
    ///
    /// # Errors
    ///
    /// As [`Lab::host`], and beyond 127 switches.
    pub fn switch(&self, name: &str) -> Result<Switch> {
        let switch = self.shared.draw(format!("adding the switch `{name}`"), |topology| topology.add_switch(name))?;
        Ok(Switch::new(&self.shared, switch))
    }

    /// Connects two hosts directly, by a veth pair (`veth(4)`). The n-th link, from 0 on, is the n-th /24 from `10.128.0.0` on and
    /// `fd00:0:1:n::/64`; the first host is number 1 in it, the second number 2.
    ///
    /// # Errors
    ///
    /// When both are the same host, one belongs to another lab, or the lab is up already.
    pub fn link(&self, a: &Host, b: &Host) -> Result<Link> {
        let nodes = [self.shared.node_of(a)?, self.shared.node_of(b)?];
        let attempt = format!("linking `{}` and `{}`", a.name(), b.name());
        let cable = self.shared.draw(attempt, |topology| topology.add_link(nodes))?;
        Ok(Link::new(&self.shared, cable))
    }

    /// The test body's own network, as a host called `here`: link it to others to talk to them without entering one. One lab at a time can
    /// have it. It takes some tens of milliseconds, because what is added to a network that stays has to be taken away again, for which the
    /// kernel waits until nobody uses it.
    ///
    /// # Errors
    ///
    /// When it is asked for the first time and the lab is up already.
    pub fn here(&self) -> Result<Host> {
        let node = self.shared.here()?;
        Ok(Host::new(&self.shared, node, HERE))
    }

    /// From what all chance in this lab follows. It is printed when the test fails; `ISOTEST_SEED` sets it.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.seed()
    }

    /// Builds what has been added so far, if that has not been done; entering a host does so too. Nothing can be added after it.
    ///
    /// # Errors
    ///
    /// When the topology contradicts itself (an address twice, networks that overlap, routes in a circle), or the kernel refuses.
    pub fn up(&self) -> Result<()> {
        self.shared.up("building the lab").map(drop)
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Of a test with the attribute its wrapper knows better whether it has failed, and by what.
        if crate::entry::is_wrapped() {
            held::keep_or_take_down(&self.shared);
            return;
        }
        let panics = internet::panics::take();
        let failed = std::thread::panicking() || panics.is_some();
        if let Some(panics) = &panics {
            eprintln!("isotest: {panics}");
        }
        if failed {
            failure::tell();
        }
        held::keep_or_take_down(&self.shared);
        if failed && crate::hold::is_asked() {
            crate::hold::wait();
        }
        if let (Some(panics), false) = (panics, std::thread::panicking()) {
            std::panic::resume_unwind(Box::new(panics));
        }
    }
}
