//! How does a test make a router translate addresses?

use super::error::{Error, Result};
use super::host::{Host, Router};
use super::link::Link;
use super::topology::{Forward, Translation};

/// Network address translation (NAT).
///
/// The link is the side that is outside. All else is inside, and hidden: outside nobody has a route to it, and what comes by that link
/// unasked vanishes, whether it is for a host inside or for a TCP or UDP port of the router's own. Answers, pings and forwarded
/// ports (see [`Router::forward`]) get in.
impl Router {
    /// Hides all that is inside behind the router's own address at the link, IPv4 and IPv6: whatever leaves by it bears that address, and
    /// the sender's port where no other connection to the same destination has it. So the port is the same for all destinations,
    /// and those who both try can connect directly ("hole punching"); to those who were never called it is closed. RFC 4787
    /// calls that endpoint-independent mapping with address- and port-dependent filtering: a port-restricted cone.
    ///
    /// # Errors
    ///
    /// When the link is not at this router, translates in another way already, or the lab is up already.
    pub fn masquerade(&self, link: &Link) -> Result<&Self> {
        self.translate(link, Translation::Masquerade)
    }

    /// As [`Router::masquerade`], with a port by chance for each connection: who is called at a port learns nothing of the port that
    /// others will see, and hole punching fails (a "symmetric" NAT: address- and port-dependent mapping). The kernel draws
    /// the ports; they don't follow from the lab's seed.
    ///
    /// # Errors
    ///
    /// As [`Router::masquerade`].
    pub fn symmetric(&self, link: &Link) -> Result<&Self> {
        self.translate(link, Translation::Symmetric)
    }

    /// As [`Router::masquerade`], and a TCP or UDP port from which something has left is open to everybody outside, until the test
    /// ends (a "full cone": endpoint-independent filtering). Where two hosts inside use the same port, it is open for the first.
    ///
    /// # Errors
    ///
    /// As [`Router::masquerade`].
    pub fn full_cone(&self, link: &Link) -> Result<&Self> {
        self.translate(link, Translation::FullCone)
    }

    /// Forwards a TCP and UDP port: who connects to it at one of the router's addresses gets that port of the host, and the host
    /// sees who it is. From the host's own network it works as well; there the host sees the router, as otherwise its answers would
    /// go past it. For connections that the router makes itself nothing changes.
    ///
    /// Forwarded to the router itself, a port is open where translation would close it.
    ///
    /// # Errors
    ///
    /// When a port is 0, this one is forwarded already, the host belongs to another lab, or the lab is up already. That the host
    /// has no address is found when the lab is built.
    pub fn forward(&self, port: u16, to: &Host, to_port: u16) -> Result<&Self> {
        let attempt = || format!("forwarding port {port} of `{}` to port {to_port} of `{}`", self.name(), to.name());
        if !std::ptr::eq(self.lab(), to.lab()) {
            let cause = format!("`{}` belongs to another lab", to.name());
            return Err(Error::new(attempt(), cause).remedy("name a host of the router's lab"));
        }
        if port == 0 || to_port == 0 {
            return Err(Error::new(attempt(), "there is no port 0").remedy("name ports from 1 to 65535"));
        }
        self.lab().draw(attempt(), |topology| {
            let router = self.node();
            let taken = topology.forwards.iter().find(|forward| (forward.router, forward.port) == (router, port));
            if let Some(taken) = taken {
                let cause = format!("it goes to port {} of `{}`", taken.to_port, topology.nodes[taken.to].name);
                return Err(Error::new(attempt(), cause).remedy("forward each port once"));
            }
            topology.forwards.push(Forward { router, port, to: to.node(), to_port });
            Ok(())
        })?;
        Ok(self)
    }

    fn translate(&self, link: &Link, translation: Translation) -> Result<&Self> {
        let at = link.end_at(self)?;
        let attempt = format!("making `{}` translate addresses at {}", self.name(), link.name());
        self.lab().draw(attempt, |topology| topology.translate(at, translation))?;
        Ok(self)
    }
}
