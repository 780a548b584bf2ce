//! A pretend internet, as a test sees it: any name and any address in it can be answered by the test.

mod datagrams;
pub(crate) mod panics;
mod reception;
#[cfg(feature = "tls")]
mod tls;
pub(crate) mod trust;
mod world;

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::ops::Deref;
use std::sync::Arc;

use self::reception::Handler;
pub(crate) use self::reception::Outside;
#[cfg(feature = "tls")]
pub use self::tls::TlsStream;
use self::world::Who;
use super::Lab;
use super::error::{Error, Result};
use super::host::Host;
use super::topology::INTERNET;

/// All that lies outside of a lab, see [`Lab::internet`]. To link it to others it is a [`Host`], whose name is `internet`.
/// Copies of the handle mean the same.
#[derive(Clone, Debug)]
pub struct Internet {
    host: Host,
    /// Keeps the lab that is there for this alone.
    _lab: Option<Arc<Lab>>,
}

/// What somebody who comes to the pretend internet has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Asked {
    /// The name, in lower case. `None` when an address was asked for that no name has been given.
    pub name: Option<String>,
    /// The address and the port.
    pub address: SocketAddr,
    /// Who asks.
    pub from: SocketAddr,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}:{}", self.address.port()),
            None => write!(f, "{}", self.address),
        }
    }
}

impl Deref for Internet {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Lab {
    /// The pretend internet of this lab. Where it is not linked to anybody, every host of the lab gets a line of its own to it when the lab
    /// is built, routers and [`Lab::here`] included. Where it is linked, to a router say, the topology decides who reaches it, and by
    /// which way. Either way the default routes lead there.
    ///
    /// # Errors
    ///
    /// When it is asked for the first time and the lab is up already, or something else in it is called `internet`.
    pub fn internet(&self) -> Result<Internet> {
        let node = self.shared.internet()?;
        Ok(Internet { host: Host::new(&self.shared, node, INTERNET), _lab: None })
    }
}

impl Internet {
    /// An internet for the test body alone: what it connects to, and programs that it starts, reach it without entering a host.
    ///
    /// # Errors
    ///
    /// As [`Lab::new`] and [`Lab::up`].
    pub fn new() -> Result<Internet> {
        let lab = Lab::new()?;
        lab.here()?;
        let internet = lab.internet()?;
        lab.up()?;
        Ok(Internet { _lab: Some(Arc::new(lab)), ..internet })
    }

    /// Has connections to `who` at this TCP port answered by `handler`, each on a thread of its own; before or after the lab is up.
    /// Given again for the same, the last one counts. One that panics closes its connection, and the test goes on;
    /// at its end it fails, with the handler's message. To play a server that crashes, drop the stream.
    ///
    /// `who` is a name (`api.example.com`), an address (`93.184.216.34`), all names below one (`*.example.com`), or all names and
    /// addresses (`*`). The nearest is asked: a name or an address itself, then the longest name above, then `*`.
    ///
    /// A name that is served at any port is known to all hosts of the lab, by addresses out of `198.18.0.0/15` and `fd00:0:2::/64`; one
    /// that is not is known to nobody. A port that nobody serves refuses connections at once; where names below another are
    /// served at it, one to an address that is not meant is reset as soon as it is there.
    ///
    /// # Errors
    ///
    /// When `who` is neither, or a host of the lab; when the port is 0; or, if the lab is up, when the port can't be listened at.
    pub fn serve(
        &self,
        who: &str,
        port: u16,
        handler: impl Fn(TcpStream, Asked) + Send + Sync + 'static,
    ) -> Result<()> {
        self.add(who, port, Handler::Tcp(Arc::new(handler)))
    }

    /// Has datagrams to `who` at this UDP port answered by `handler`, one after the other, from the address that was asked; `None` is
    /// silence. Otherwise as [`Internet::serve`]; only that at a port where names below another are served, one to an address that is not meant
    /// is met by silence.
    ///
    /// # Errors
    ///
    /// As [`Internet::serve`].
    pub fn serve_udp(
        &self,
        who: &str,
        port: u16,
        handler: impl Fn(&[u8], Asked) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) -> Result<()> {
        self.add(who, port, Handler::Udp(Arc::new(handler)))
    }

    fn add(&self, who: &str, port: u16, handler: Handler) -> Result<()> {
        let read = Who::read(who).map_err(|cause| {
            Error::new(attempt(who, port), cause)
                .remedy("write `api.example.com`, `93.184.216.34`, `2001:db8::1`, `*.example.com` or `*`; the port stands by itself")
        })?;
        if port == 0 {
            return Err(Error::new(attempt(who, port), "there is no port 0").remedy("name a port from 1 to 65535"));
        }
        let lab = self.host.lab();
        let hosts = lab.read(|topology| {
            let named = topology.nodes.iter().find(|node| read == Who::Name(node.name.clone()));
            let all = topology.nodes.iter().enumerate();
            let mut owners = all
                .filter(|(node, _)| topology.addresses_of(*node).iter().any(|own| read == Who::Address(own.address())));
            named.or_else(|| owners.next().map(|(_, node)| node)).map(|node| node.name.clone())
        });
        if let Some(name) = hosts {
            let remedy = format!("listen there: `lab.host(\"{name}\")?.enter(…)`");
            return Err(Error::new(attempt(who, port), format!("that is the host `{name}` of the lab")).remedy(remedy));
        }
        lab.outside().serve(read, port, handler)
    }
}

fn attempt(who: &str, port: u16) -> String {
    format!("serving `{who}` at port {port} in the internet")
}
