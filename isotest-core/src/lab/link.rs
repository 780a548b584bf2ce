//! A link, as a test sees it.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use super::error::{Error, Result};
use super::host::Host;
use super::plan;
use super::shared::Shared;
use super::topology::{At, FAMILIES, Topology};

/// The connection between two hosts, or between a host and a switch. Copies of the handle mean the same link.
#[derive(Clone, Debug)]
pub struct Link {
    lab: Arc<Shared>,
    cable: usize,
}

impl Link {
    pub(crate) fn new(lab: &Arc<Shared>, cable: usize) -> Link {
        Link { lab: Arc::clone(lab), cable }
    }

    pub(crate) fn lab(&self) -> &Shared {
        &self.lab
    }

    pub(crate) fn cable(&self) -> usize {
        self.cable
    }

    /// The host's first address at this link, IPv4 before IPv6.
    ///
    /// # Errors
    ///
    /// When the host is not at this link, or has no address there.
    pub fn address_of(&self, host: &Host) -> Result<IpAddr> {
        let at = self.end_at(host)?;
        let first = self.lab.read(|topology| topology.addresses(at).first().copied());
        first.map(super::Prefix::address).ok_or_else(|| {
            Error::new(format!("looking for an address of `{}`", host.name()), "the link has neither IPv4 nor IPv6")
                .remedy("leave out at most one of the two")
        })
    }

    /// Chooses the address of one of its hosts, as `10.1.0.77` or, where the network's length differs, `10.1.0.77/24`. It takes the place
    /// of the automatic one of its family; given twice, the host has both.
    ///
    /// # Errors
    ///
    /// When the text is no address, the address is outside of the link's network, the host is not at this link, or the lab is up
    /// already.
    pub fn address(&self, host: &Host, address: &str) -> Result<&Self> {
        let at = self.end_at(host)?;
        let attempt = format!("choosing the address {address} for `{}`", host.name());
        self.draw(attempt, |topology| topology.choose_address(at, address))
    }

    /// Chooses the hardware address of one of its hosts.
    ///
    /// # Errors
    ///
    /// When the text is no hardware address of one interface or another has it, the host is not at this link, or the lab is
    /// up already.
    pub fn mac(&self, host: &Host, mac: &str) -> Result<&Self> {
        let at = self.end_at(host)?;
        let attempt = format!("choosing the hardware address {mac} for `{}`", host.name());
        self.draw(attempt, |topology| topology.choose_mac(at, mac))
    }

    /// Chooses the largest packets that it carries, in bytes; both ends know it. 1500 where nothing is said.
    ///
    /// # Errors
    ///
    /// Below 1280, which IPv6 needs (68 without IPv6), above 65535, or when the lab is up already.
    pub fn mtu(&self, bytes: u32) -> Result<&Self> {
        let attempt = format!("choosing an MTU of {bytes} bytes for {}", self.name());
        self.draw(attempt, |topology| topology.choose_mtu(self.cable, bytes))
    }

    /// Chooses its IPv4 or IPv6 network, such as `192.168.7.0/24`; at a switch, the switch's.
    ///
    /// # Errors
    ///
    /// When the text is no network, or the lab is up already.
    pub fn network(&self, network: &str) -> Result<&Self> {
        let attempt = format!("choosing the network {network} for {}", self.name());
        self.draw(attempt, |topology| topology.choose_network(topology.cables[self.cable].segment, network))
    }

    /// Leaves IPv4 out; at a switch, for all.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv4(&self) -> Result<&Self> {
        self.leave_out(0)
    }

    /// Leaves IPv6 out; at a switch, for all. A router that has it at another link still tells here that it is one.
    ///
    /// # Errors
    ///
    /// When the lab is up already.
    pub fn without_ipv6(&self) -> Result<&Self> {
        self.leave_out(1)
    }

    fn leave_out(&self, family: usize) -> Result<&Self> {
        let attempt = format!("leaving {} out of {}", FAMILIES[family], self.name());
        self.draw(attempt, |topology| {
            topology.leave_out(topology.cables[self.cable].segment, family);
            Ok(())
        })
    }

    fn draw(&self, attempt: impl Display, change: impl FnOnce(&mut Topology) -> Result<()>) -> Result<&Self> {
        self.lab.draw(attempt, change)?;
        Ok(self)
    }

    /// As errors call it.
    pub(crate) fn name(&self) -> String {
        self.lab.read(|topology| topology.link_name(self.cable))
    }

    /// Which end a host is at.
    pub(crate) fn end_at(&self, host: &Host) -> Result<At> {
        let node = self.lab.node_of(host)?;
        let (end, what) = self.lab.read(|topology| {
            let end = topology.ports_of(node).map(|(at, _)| at).find(|at| at.cable == self.cable);
            (end, plan::described(topology, self.cable))
        });
        end.ok_or_else(|| {
            let attempt = format!("looking for `{}` at the link made by {what}", host.name());
            Error::new(attempt, "it is not there").remedy("name one of the hosts that the link connects")
        })
    }
}
