//! A switch, as a test sees it.

use std::fmt::Display;
use std::sync::Arc;

use super::error::Result;
use super::host::Host;
use super::link::Link;
use super::shared::Shared;
use super::topology::{FAMILIES, Topology};

/// A switch: all that is connected to it are neighbours. Copies of the handle mean the same switch.
#[derive(Clone, Debug)]
pub struct Switch {
    lab: Arc<Shared>,
    switch: usize,
}

impl Switch {
    pub(crate) fn new(lab: &Arc<Shared>, switch: usize) -> Switch {
        Switch { lab: Arc::clone(lab), switch }
    }

    /// Connects hosts to it, in this order; gives their links.
    ///
    /// # Errors
    ///
    /// When one is connected already or belongs to another lab, or the lab is up already.
    pub fn connect(&self, hosts: &[&Host]) -> Result<Vec<Link>> {
        hosts.iter().map(|host| self.attach(host)).collect()
    }

    /// Connects one host to it; gives its link.
    ///
    /// # Errors
    ///
    /// As [`Switch::connect`].
    pub fn attach(&self, host: &Host) -> Result<Link> {
        let node = self.lab.node_of(host)?;
        let attempt = format!("connecting `{}` to {}", host.name(), self.name());
        let cable = self.lab.draw(attempt, |topology| topology.attach(self.switch, node))?;
        Ok(Link::new(&self.lab, cable))
    }

    /// Chooses its IPv4 or IPv6 network, such as `192.168.7.0/24`.
    ///
    /// # Errors
    ///
    /// When the text is no network, or the lab is up already.
    pub fn network(&self, network: &str) -> Result<&Self> {
        let attempt = format!("choosing the network {network} for {}", self.name());
        self.draw(attempt, |topology, segment| topology.choose_network(segment, network))
    }

    /// Leaves IPv4 out.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv4(&self) -> Result<&Self> {
        self.leave_out(0)
    }

    /// Leaves IPv6 out.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv6(&self) -> Result<&Self> {
        self.leave_out(1)
    }

    fn leave_out(&self, family: usize) -> Result<&Self> {
        self.draw(format!("leaving {} out of {}", FAMILIES[family], self.name()), |topology, segment| {
            topology.leave_out(segment, family);
            Ok(())
        })
    }

    /// As errors call it.
    fn name(&self) -> String {
        self.lab.read(|topology| topology.segments[topology.switches[self.switch].segment].name.clone())
    }

    fn draw(&self, attempt: impl Display, change: impl FnOnce(&mut Topology, usize) -> Result<()>) -> Result<&Self> {
        self.lab.draw(attempt, |topology| {
            let segment = topology.switches[self.switch].segment;
            change(topology, segment)
        })?;
        Ok(self)
    }
}
