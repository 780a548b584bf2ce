//! A host, as a test sees it.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::error::{Error, Result};
use super::place::Place;
use super::shared::Shared;

/// A host: a network namespace with a host name and a view of `/etc/hosts` and `/etc/resolv.conf` of its own; files and processes are
/// the test's. Copies of the handle mean the same host.
#[derive(Clone, Debug)]
pub struct Host {
    lab: Arc<Shared>,
    node: usize,
    name: Arc<str>,
}

/// A host that forwards packets between its links.
#[derive(Clone, Debug)]
pub struct Router {
    host: Host,
}

impl Router {
    pub(crate) fn new(host: Host) -> Router {
        Router { host }
    }
}

impl Deref for Router {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

/// A thread that runs in a host, see [`Host::spawn`].
#[derive(Debug)]
pub struct HostThread<T>(JoinHandle<T>);

impl<T> HostThread<T> {
    /// Waits until it ends; gives what it returned.
    ///
    /// # Panics
    ///
    /// As it did, with the host's name before the message.
    pub fn join(self) -> T {
        self.0.join().unwrap_or_else(|payload| resume_unwind(payload))
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }
}

impl Host {
    pub(crate) fn new(lab: &Arc<Shared>, node: usize, name: &str) -> Host {
        Host { lab: Arc::clone(lab), node, name: name.into() }
    }

    pub(crate) fn lab(&self) -> &Shared {
        &self.lab
    }

    pub(crate) fn node(&self) -> usize {
        self.node
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All its addresses, in the order of its links, IPv4 before IPv6 at each.
    #[must_use]
    pub fn addresses(&self) -> Vec<IpAddr> {
        let addresses = self.lab.read(|topology| topology.addresses_of(self.node));
        addresses.into_iter().map(super::Prefix::address).collect()
    }

    /// Its first IPv4 address.
    ///
    /// # Panics
    ///
    /// Where it has none: it is not connected yet, or IPv4 is left out.
    #[must_use]
    pub fn address(&self) -> Ipv4Addr {
        let v4 = |address| if let IpAddr::V4(address) = address { Some(address) } else { None };
        let first = self.addresses().into_iter().find_map(v4);
        first.unwrap_or_else(|| panic!("`{}` has no IPv4 address: connect it first", self.name))
    }

    /// Its first IPv6 address.
    ///
    /// # Panics
    ///
    /// Where it has none: it is not connected yet, or IPv6 is left out.
    #[must_use]
    pub fn address_v6(&self) -> Ipv6Addr {
        let v6 = |address| if let IpAddr::V6(address) = address { Some(address) } else { None };
        let first = self.addresses().into_iter().find_map(v6);
        first.unwrap_or_else(|| panic!("`{}` has no IPv6 address: connect it first", self.name))
    }

    /// Adds a route (`10.9.0.0/24`, `default`) through a neighbour's address to those that follow from the topology, or in place of the one
    /// to the same network.
    ///
    /// # Errors
    ///
    /// When the text is no network, the families differ, or the lab is up already. That nobody next to the host has the address, and
    /// that packets would go in a circle, is found when the lab is built.
    pub fn route(&self, to: &str, by: IpAddr) -> Result<&Self> {
        let attempt = format!("routing {to} through {by} on `{}`", self.name);
        self.lab.draw(attempt, |topology| topology.add_route(self.node, to, by))?;
        Ok(self)
    }

    /// Leaves out all routes that follow from the topology: it reaches its neighbours only, and what [`Host::route`] says.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_routes(&self) -> Result<&Self> {
        self.lab.draw(format!("leaving out the routes of `{}`", self.name), |topology| {
            topology.nodes[self.node].routed = false;
            Ok(())
        })?;
        Ok(self)
    }

    /// Runs `body` in the host, on a thread of its own, and waits for it. Sockets that it makes stay in the host and may be used
    /// from anywhere.
    ///
    /// # Panics
    ///
    /// As `body` does, with the host's name before the message; and with the [`Error`] where the lab can't be built or entered, which
    /// [`Lab::up`](super::Lab::up) returns instead.
    pub fn enter<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        let place = self.place().unwrap_or_else(|error| panic!("{error}"));
        thread::scope(|scope| {
            let thread = thread::Builder::new().name(self.name.to_string());
            let thread = thread.spawn_scoped(scope, || inside(&self.name, &place, body));
            let thread = thread.unwrap_or_else(|error| panic!("`{}`: cannot start a thread: {error}", self.name));
            thread.join().unwrap_or_else(|payload| resume_unwind(payload))
        })
    }

    /// Starts a thread in the host. It is not waited for when the test ends.
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or a thread not be started.
    pub fn spawn<T: Send + 'static>(&self, body: impl FnOnce() -> T + Send + 'static) -> Result<HostThread<T>> {
        let (place, name) = (self.place()?, Arc::clone(&self.name));
        let thread = thread::Builder::new().name(name.to_string());
        let thread = thread.spawn(move || inside(&name, &place, body));
        let attempt = || format!("starting a thread in `{}`", self.name);
        thread.map(HostThread).map_err(|error| Error::io(attempt(), &error))
    }

    /// A program that will start in the host, with its working directory, environment and files as everywhere in the test. It is
    /// killed when the lab is dropped.
    ///
    /// # Panics
    ///
    /// With the [`Error`], where the lab can't be built or entered, which [`Lab::up`](super::Lab::up) returns instead.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let prepared = self.place().and_then(|place| place.start(&mut command));
        prepared.unwrap_or_else(|error| panic!("{error}"));
        command
    }

    pub(crate) fn place(&self) -> Result<Arc<Place>> {
        let network = self.lab.up(format!("entering `{}`", self.name))?;
        if self.lab.has_crashed(self.node) {
            let attempt = format!("entering `{}`", self.name);
            return Err(Error::new(attempt, "it has crashed").remedy("bring it back by `restart` first"));
        }
        network.settle(self.node, &self.name)?;
        Ok(Arc::clone(&network.places[self.node]))
    }
}

/// Enters, and runs; a panic gets the host's name.
fn inside<T>(name: &str, place: &Place, body: impl FnOnce() -> T) -> T {
    place.enter().unwrap_or_else(|error| panic!("{error}"));
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| resume_unwind(named(name, payload)))
}

/// The same panic, with the host's name where there is a message.
pub(crate) fn named(name: &str, payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    let message =
        payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref::<&str>().copied());
    match message {
        Some(message) => Box::new(format!("on host `{name}`: {message}")),
        None => payload,
    }
}
