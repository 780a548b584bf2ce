//! Which connections does a host have, and where does it listen?

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::diag::{self, Seen};
use super::error::{Error, Result};
use super::host::Host;
use super::inhabitants::described;
use super::listening::{PATIENCE, instead, wait};

/// A TCP or UDP socket of a host that has somebody to talk with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// What is spoken.
    pub protocol: Protocol,
    /// The host's own end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// How far it has come. A connected UDP socket is [`State::Established`].
    pub state: State,
}

/// A TCP or UDP socket of a host at which anybody may knock: a TCP socket that listens, or a UDP socket that is bound
/// and connected to nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listener {
    /// What is spoken there.
    pub protocol: Protocol,
    /// Where; the unspecified address (`0.0.0.0`, `[::]`) for all of the host's.
    pub address: SocketAddr,
}

/// What is spoken at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Protocol {
    /// `tcp(7)`.
    Tcp,
    /// `udp(7)`.
    Udp,
}

/// How far a connection has come, by the names of RFC 9293, section 3.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Data may flow.
    Established,
    /// Asked for, and not answered yet.
    SynSent,
    /// Asked for by the other end, whose last word is missing.
    SynReceived,
    /// Closed here; the other end has not acknowledged it.
    FinWait1,
    /// Closed here; the other end may still send.
    FinWait2,
    /// Over; kept for a while, so that late packets disturb nobody.
    TimeWait,
    /// Neither connected nor listening: UDP sockets that are connected to nobody.
    Close,
    /// Closed by the other end.
    CloseWait,
    /// Closed by both; the other end has not acknowledged it.
    LastAck,
    /// Waits for connections.
    Listen,
    /// Closed by both at once.
    Closing,
}

impl Host {
    /// All TCP and UDP sockets of the host that have somebody to talk with, whichever process or thread holds them.
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or the kernel has no `sock_diag(7)`.
    pub fn connections(&self) -> Result<Vec<Connection>> {
        Ok(connections(&self.sockets()?))
    }

    /// All TCP and UDP sockets of the host at which anybody may knock.
    ///
    /// # Errors
    ///
    /// As [`Host::connections`].
    pub fn listeners(&self) -> Result<Vec<Listener>> {
        Ok(listeners(&self.sockets()?))
    }

    /// Waits until somebody in the host listens at this TCP port, at whichever of its addresses, for at most 10 seconds. Nobody is
    /// connected to for it.
    ///
    /// # Errors
    ///
    /// When nobody did: it says where the host listens instead, and what runs there. Otherwise as [`Host::connections`].
    pub fn wait_listening(&self, port: u16) -> Result<()> {
        self.wait_until_listening(Protocol::Tcp, port, PATIENCE)
    }

    /// As [`Host::wait_listening`], for UDP too, and with another limit.
    ///
    /// # Errors
    ///
    /// As [`Host::wait_listening`].
    pub fn wait_until_listening(&self, protocol: Protocol, port: u16, limit: Duration) -> Result<()> {
        let attempt = format!("waiting until `{}` listens at {protocol} port {port}", self.name());
        if port == 0 {
            let cause = "nobody can: who binds to port 0 gets another";
            return Err(Error::new(attempt, cause).remedy("name the port that the server gets"));
        }
        let place = self.place()?;
        let mut socket = diag::open(&place, self.name())?;
        let Err(listeners) = wait(protocol, port, limit, || diag::all(&mut socket, self.name()))? else {
            return Ok(());
        };
        let cause = format!("nobody did within {limit:?}; {}; {}", instead(&listeners), described(&place));
        Err(Error::new(attempt, cause).remedy("start the server there by `Host::spawn` or `Host::command`"))
    }

    fn sockets(&self) -> Result<Vec<Seen>> {
        let mut socket = diag::open(&*self.place()?, self.name())?;
        diag::all(&mut socket, self.name())
    }
}

impl Protocol {
    /// Its number in the header of an IP packet.
    pub(super) fn number(self) -> u8 {
        match self {
            Protocol::Tcp => libc::IPPROTO_TCP as u8,
            Protocol::Udp => libc::IPPROTO_UDP as u8,
        }
    }
}

impl State {
    /// By the kernel's number, include/net/tcp_states.h.
    pub(super) fn of(number: u8) -> State {
        match number {
            1 => State::Established,
            2 => State::SynSent,
            3 | 12 => State::SynReceived,
            4 => State::FinWait1,
            5 => State::FinWait2,
            6 => State::TimeWait,
            8 => State::CloseWait,
            9 => State::LastAck,
            10 => State::Listen,
            11 => State::Closing,
            _ => State::Close,
        }
    }
}

/// Those that have somebody to talk with, in a stable order.
pub(super) fn connections(seen: &[Seen]) -> Vec<Connection> {
    let mut found: Vec<_> = seen
        .iter()
        .filter(|socket| socket.is_connected())
        .map(|Seen { protocol, local, remote, state, .. }| Connection {
            protocol: *protocol,
            local: *local,
            remote: *remote,
            state: *state,
        })
        .collect();
    found.sort_by_key(|connection| (connection.protocol, connection.local, connection.remote));
    found
}

/// Those at which anybody may knock, in a stable order. Sockets that share an address are one.
pub(super) fn listeners(seen: &[Seen]) -> Vec<Listener> {
    let listens = seen.iter().filter(|socket| socket.listens());
    let mut found: Vec<_> =
        listens.map(|socket| Listener { protocol: socket.protocol, address: socket.local }).collect();
    found.sort_by_key(|listener| (listener.protocol, listener.address));
    found.dedup();
    found
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        })
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.address)
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} → {}, {}", self.protocol, self.local, self.remote, self.state)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            State::Established => "established",
            State::SynSent => "syn-sent",
            State::SynReceived => "syn-received",
            State::FinWait1 => "fin-wait-1",
            State::FinWait2 => "fin-wait-2",
            State::TimeWait => "time-wait",
            State::Close => "closed",
            State::CloseWait => "close-wait",
            State::LastAck => "last-ack",
            State::Listen => "listening",
            State::Closing => "closing",
        })
    }
}
