//! What may be asked for instead of what a lab gives by itself: networks, addresses, hardware addresses, MTU, routes.

use std::net::IpAddr;

use super::addresses::{Mac, Prefix};
use super::error::{Error, Result};
use super::topology::{At, Port, Route, Topology, Translation};

/// The smallest packets that IPv6 works with (RFC 8200, section 5), and the largest that a veth takes.
const MTU: std::ops::RangeInclusive<u32> = 1280..=65535;
/// The smallest for IPv4 alone (RFC 791).
const LEAST_V4: u32 = 68;

impl Topology {
    /// Chooses the network of a segment, v4 or v6.
    pub(crate) fn choose_network(&mut self, segment: usize, text: &str) -> Result<()> {
        let attempt = format!("choosing the network {text} for {}", self.segments[segment].name);
        let network: Prefix = text.parse().map_err(|mistake: String| Error::new(&attempt, mistake))?;
        if network != network.network() {
            let meant = format!("write {}", network.network());
            return Err(Error::new(attempt, "bits behind the network's are set").remedy(meant));
        }
        if let Some(cause) = cannot_be_given(network.address()) {
            let remedy = "take a private network, such as 10.200.0.0/24 or fd00:7::/64";
            return Err(Error::new(attempt, cause).remedy(remedy));
        }
        self.segments[segment].networks[family(network.address())] = Some(network);
        Ok(())
    }

    /// Leaves a segment without IPv4 (0) or IPv6 (1).
    pub(crate) fn leave_out(&mut self, segment: usize, family: usize) {
        self.segments[segment].networks[family] = None;
    }

    /// Chooses an address of a port, with the segment's network length where none is given.
    pub(crate) fn choose_address(&mut self, at: At, text: &str) -> Result<()> {
        let node = self.port(at).map(|port| self.nodes[port.node].name.clone()).unwrap_or_default();
        let attempt = format!("choosing the address {text} for `{node}`");
        let network = |address: IpAddr| self.segment(at.cable).networks[family(address)];
        let prefix = match text.parse::<IpAddr>() {
            Ok(address) => network(address).and_then(|network| Prefix::new(address, network.length())),
            Err(_) if !text.contains('/') => {
                let remedy = "write one such as 10.1.0.5 or fd00:7::5, with its network's length where that differs: 10.1.0.5/16";
                return Err(Error::new(attempt, "it is no IP address").remedy(remedy));
            }
            Err(_) => Some(text.parse().map_err(|mistake: String| Error::new(&attempt, mistake))?),
        };
        let segment = &self.segment(at.cable).name;
        let Some(prefix) = prefix else {
            let remedy = "choose a network first, or write the address with its network's length";
            return Err(Error::new(attempt, format!("{segment} has no network of that family")).remedy(remedy));
        };
        let within = network(prefix.address()).is_none_or(|network| network.contains(prefix.address()));
        if !within {
            let network = network(prefix.address()).map(|network| network.to_string()).unwrap_or_default();
            let remedy = format!("choose an address in {network}, or first another network for {segment}");
            return Err(
                Error::new(attempt, format!("it is outside of {network}, the network of {segment}")).remedy(remedy)
            );
        }
        if let Some(cause) = prefix.is_nobodys() {
            return Err(Error::new(attempt, cause).remedy(format!("choose another in {}", prefix.network())));
        }
        if let Some(port) = self.port_mut(at) {
            port.chosen.push(prefix);
        }
        Ok(())
    }

    /// Chooses the hardware address of a port.
    pub(crate) fn choose_mac(&mut self, at: At, text: &str) -> Result<()> {
        let node = self.port(at).map(|port| self.nodes[port.node].name.clone()).unwrap_or_default();
        let attempt = || format!("choosing the hardware address {text} for `{node}`");
        let mac: Mac = text.parse().map_err(|mistake: String| Error::new(attempt(), mistake))?;
        let taken = self.ports().find(|(other, port)| *other != at && port.mac == mac);
        if let Some((_, taken)) = taken.filter(|_| self.macs.contains(&mac)) {
            let whose = format!("{} of `{}` has it", taken.interface(), self.nodes[taken.node].name);
            return Err(Error::new(attempt(), whose).remedy("give each interface one of its own"));
        }
        let has_it_by_itself = taken.map(|(other, _)| other);
        self.macs.insert(mac);
        if let Some(other) = has_it_by_itself {
            let free = self.free_mac(mac);
            self.port_mut(other).into_iter().for_each(|port| port.mac = free);
        }
        if let Some(port) = self.port_mut(at) {
            port.mac = mac;
        }
        Ok(())
    }

    /// Chooses the largest packets that a cable carries, in bytes.
    pub(crate) fn choose_mtu(&mut self, cable: usize, bytes: u32) -> Result<()> {
        let segment = self.segment(cable);
        let least = if segment.networks[1].is_some() { *MTU.start() } else { LEAST_V4 };
        if !(least..=*MTU.end()).contains(&bytes) {
            let attempt = format!("choosing an MTU of {bytes} bytes for {}", segment.name);
            let cause = format!("it must be from {least} to {}", MTU.end());
            let remedy = "below 1280 there is no IPv6: leave that out first, by `without_ipv6`";
            let error = Error::new(attempt, cause);
            return Err(if (LEAST_V4..*MTU.start()).contains(&bytes) { error.remedy(remedy) } else { error });
        }
        self.cables[cable].mtu = Some(bytes);
        Ok(())
    }

    /// Adds a route to those that follow from the topology; it goes before them.
    pub(crate) fn add_route(&mut self, node: usize, to: &str, by: IpAddr) -> Result<()> {
        let attempt = format!("routing {to} through {by} on `{}`", self.nodes[node].name);
        let to: Prefix = match to {
            "default" => Prefix::everything(by),
            text => text.parse().map_err(|mistake: String| Error::new(&attempt, mistake))?,
        };
        if to.address().is_ipv4() != by.is_ipv4() {
            return Err(
                Error::new(attempt, "one is IPv4, the other IPv6").remedy("take a router's address of the same family")
            );
        }
        self.routes.push(Route { node, to: to.network(), by });
        Ok(())
    }

    fn port_mut(&mut self, at: At) -> Option<&mut Port> {
        self.cables[at.cable].ends[at.end].as_mut()
    }

    /// Hides what is behind this port from those in front of it.
    pub(crate) fn translate(&mut self, at: At, translation: Translation) -> Result<()> {
        let name = self.port(at).map(|port| self.nodes[port.node].name.clone()).unwrap_or_default();
        let segment = self.segment(at.cable).name.clone();
        let Some(port) = self.port_mut(at) else { return Ok(()) };
        if port.translates.is_some_and(|other| other != translation) {
            let attempt = format!("making `{name}` translate addresses at {segment}");
            return Err(Error::new(attempt, "it does so already, in another way")
                .remedy("choose one of `masquerade`, `symmetric` and `full_cone` for each link"));
        }
        port.translates = Some(translation);
        Ok(())
    }
}

/// Why hosts can't have addresses in the network that begins here, if they can't (RFC 6890).
fn cannot_be_given(first: IpAddr) -> Option<&'static str> {
    let this_network = match first {
        IpAddr::V4(first) => first.octets()[0] == 0,
        IpAddr::V6(first) => first.is_unspecified(),
    };
    match first {
        _ if this_network => Some("it begins with addresses that stand for the sender itself, and are no host's"),
        _ if first.is_loopback() => Some("each host has it on `lo`, so that packets to it would not leave the host"),
        _ if first.is_multicast() => Some("addresses in it stand for groups, and are no host's"),
        IpAddr::V6(first) if first.is_unicast_link_local() => Some(
            "addresses in it are without meaning unless an interface is named with them; each interface has one already",
        ),
        _ => None,
    }
}

/// Where a segment keeps the network of this family.
pub(crate) fn family(address: IpAddr) -> usize {
    usize::from(address.is_ipv6())
}
