//! A switch, as a test sees it.

use std::sync::Arc;

use super::error::Result;
use super::host::Host;
use super::link::Link;
use super::shared::Shared;
use super::topology::Topology;

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
        let cable = self.lab.draw(|topology| topology.attach(self.switch, node))?;
        Ok(Link::new(&self.lab, cable))
    }

    /// Chooses its IPv4 or IPv6 network, such as `192.168.7.0/24`.
    ///
    /// # Errors
    ///
    /// When the text is no network, or the lab is up already.
    pub fn network(&self, network: &str) -> Result<&Self> {
        self.draw(|topology, segment| topology.choose_network(segment, network))
    }

    /// Leaves IPv4 out.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv4(&self) -> Result<&Self> {
        self.draw(|topology, segment| {
            topology.leave_out(segment, 0);
            Ok(())
        })
    }

    /// Leaves IPv6 out.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv6(&self) -> Result<&Self> {
        self.draw(|topology, segment| {
            topology.leave_out(segment, 1);
            Ok(())
        })
    }

    fn draw(&self, change: impl FnOnce(&mut Topology, usize) -> Result<()>) -> Result<&Self> {
        self.lab.draw(|topology| {
            let segment = topology.switches[self.switch].segment;
            change(topology, segment)
        })?;
        Ok(self)
    }
}
