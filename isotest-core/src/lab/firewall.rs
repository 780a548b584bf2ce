//! What does a host let in, out and through?

use super::error::{Error, Result};
use super::filter::{Filter, Side};
use super::host::Host;
use super::link::Link;
use super::sockets::Protocol;
use super::topology::Role;

/// What a host lets in and out, and a router through. [`Host::firewall`] puts it up; a new one lets everything pass.
///
/// It judges who may begin: answers pass, and so does TCP that has begun before the firewall was put up. What a host sends
/// to itself is not judged, nor is the neighbour discovery of IPv6. Pings are, and have no port by which they could be allowed.
///
/// What does not pass vanishes without a word, or after [`Firewall::reject`] with an answer. Only a datagram that a program of the host
/// itself sends is refused to its face (`EPERM`), as by the firewall of any Linux host; between two others a router's
/// [`drop_forward`](Firewall::drop_forward) is silent.
///
/// ```no_run
/// # use isotest::lab::{Firewall, Lab, Protocol, Result};
/// # fn part(lab: &Lab) -> Result<()> {
/// let server = lab.host("server")?;
/// server.firewall(&Firewall::new().drop_in().allow_in(Protocol::Tcp, 443))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Firewall {
    filter: Filter,
    closed: Vec<Link>,
}

impl Firewall {
    /// One that lets everything pass.
    #[must_use]
    pub fn new() -> Firewall {
        Firewall::default()
    }

    /// Lets nothing in but what [`Firewall::allow_in`] says.
    #[must_use]
    pub fn drop_in(self) -> Firewall {
        self.with_in(|side| side.closed = true)
    }

    /// Lets nothing out but what [`Firewall::allow_out`] says.
    #[must_use]
    pub fn drop_out(self) -> Firewall {
        self.with_out(|side| side.closed = true)
    }

    /// Lets nothing through but what [`Firewall::allow_forward`] says.
    #[must_use]
    pub fn drop_forward(self) -> Firewall {
        self.with_forward(|side| side.closed = true)
    }

    /// Lets nothing through that comes by this link, but what [`Firewall::allow_forward`] says: from the other side of the router one may
    /// begin, from this side only answer.
    #[must_use]
    pub fn drop_forward_from(mut self, link: &Link) -> Firewall {
        self.closed.push(link.clone());
        self
    }

    /// Lets in what goes to this port of the host.
    #[must_use]
    pub fn allow_in(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_in(|side| side.allowed.push((protocol, port)))
    }

    /// Lets out what goes to this port of others.
    #[must_use]
    pub fn allow_out(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_out(|side| side.allowed.push((protocol, port)))
    }

    /// Lets through what goes to this port; where a port is forwarded, it is the one that it is forwarded to.
    #[must_use]
    pub fn allow_forward(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_forward(|side| side.allowed.push((protocol, port)))
    }

    /// Does not let in what goes to this port of the host.
    #[must_use]
    pub fn block_in(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_in(|side| side.blocked.push((protocol, port)))
    }

    /// Does not let out what goes to this port of others.
    #[must_use]
    pub fn block_out(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_out(|side| side.blocked.push((protocol, port)))
    }

    /// Does not let through what goes to this port.
    #[must_use]
    pub fn block_forward(self, protocol: Protocol, port: u16) -> Firewall {
        self.with_forward(|side| side.blocked.push((protocol, port)))
    }

    /// Answers what does not pass: TCP by a reset ("connection refused"), all else by ICMP ("port unreachable").
    #[must_use]
    pub fn reject(mut self) -> Firewall {
        self.filter.rejects = true;
        self
    }

    fn with_in(mut self, change: impl FnOnce(&mut Side)) -> Firewall {
        change(&mut self.filter.input);
        self
    }

    fn with_out(mut self, change: impl FnOnce(&mut Side)) -> Firewall {
        change(&mut self.filter.output);
        self
    }

    fn with_forward(mut self, change: impl FnOnce(&mut Side)) -> Firewall {
        change(&mut self.filter.forward);
        self
    }
}

impl Host {
    /// Puts up a firewall in place of the one that was there; `Firewall::new()` takes it down. Before the lab is up, it will be
    /// built that way.
    ///
    /// # Errors
    ///
    /// When the firewall names port 0, a link that is not at this host, or what is forwarded by a host that is no router; when the
    /// lab could not be built or is gone, or the kernel has no nftables.
    pub fn firewall(&self, firewall: &Firewall) -> Result<()> {
        let attempt = format!("putting up a firewall at `{}`", self.name());
        let mut filter = firewall.filter.clone();
        for link in &firewall.closed {
            filter.closed_ends.insert(link.end_at(self)?);
        }
        if filter.names_port(0) {
            return Err(Error::new(attempt, "there is no port 0").remedy("name ports from 1 to 65535"));
        }
        let forwards = self.lab().read(|topology| topology.nodes[self.node()].role == Role::Router);
        if !forwards && (filter.forward != Side::default() || !filter.closed_ends.is_empty()) {
            let cause = format!("`{}` is no router, and forwards nothing", self.name());
            return Err(Error::new(attempt, cause).remedy("say what it lets in and out, or make it by `lab.router`"));
        }
        self.lab().bar(&attempt, |barriers| {
            barriers.filters.insert(self.node(), filter);
        })
    }
}
