//! Who connects a lab to the machine's network? The porter: a process that stays in the machine's namespaces and does, for one
//! test that asked for it, what can only be done there.
//!
//! It ends with its fork server, and when nobody is left who could ask it. What it made goes with it, or with the lab's network,
//! or is put back by somebody who outlives it.

mod forwarding;
mod networks;
mod pasta;
mod resolvers;
mod veth;
mod warden;

use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};

use self::pasta::Pasta;
use super::addresses::Prefix;
use super::error::{Error, Result};
use crate::protocol::{receive, send};
use crate::sys::process::{self, SingleThreaded, exit_now};

/// What a test may ask for.
#[derive(Debug, Serialize, Deserialize)]
enum Request {
    /// A way for a lab. Its network namespace comes beside it, and the user namespace that this belongs to.
    Connect,
    /// That the latest one is opened, whose end in the lab is up by now.
    Open,
    /// A socket that is connected to the machine's nameserver of this number, from 0 on.
    Nameserver { number: usize, stream: bool },
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Connected(Way),
    Opened,
    /// The socket comes beside it, if there is such a nameserver.
    Called,
    Refused(String, String, Option<String>),
}

/// The lab's interface to the machine.
pub(crate) const INTERFACE: &str = "uplink";

/// A way from a network namespace to the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    /// The lab's address at [`INTERFACE`], and its network's length.
    pub(crate) address: Ipv4Addr,
    pub(crate) length: u8,
    /// The machine's address at its other end.
    pub(crate) machine: Ipv4Addr,
    /// By IPv6, where the machine has a way out by it.
    pub(crate) ipv6: Option<WayByIpv6>,
    pub(crate) through: Through,
}

/// The lab's IPv6 address on a way, its network's length, and the machine's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WayByIpv6 {
    pub(crate) address: Ipv6Addr,
    pub(crate) length: u8,
    pub(crate) machine: Ipv6Addr,
}

impl WayByIpv6 {
    /// The way of this number, if the machine has a default route by IPv6.
    fn choose(number: u32, routed: &[Prefix]) -> Option<WayByIpv6> {
        routed.iter().any(|prefix| prefix.length() == 0).then_some(())?;
        let own: Vec<Prefix> = routed.iter().copied().filter(|prefix| prefix.length() > 0).collect();
        let (machine, address) = networks::choose6(number, &own)?;
        Some(WayByIpv6 { address, length: networks::LENGTH6, machine })
    }
}

/// What carries packets on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Through {
    Veth,
    Pasta,
}

/// A way that was made.
#[derive(Debug)]
enum Connection {
    Veth(veth::Connection),
    Pasta(Pasta),
}

impl Connection {
    /// By what this process may.
    fn make(proof: &SingleThreaded, network: BorrowedFd<'_>, users: BorrowedFd<'_>) -> Result<Connection> {
        match veth::Connection::make(proof, network)? {
            Some(connection) => Ok(Connection::Veth(connection)),
            None => pasta::connect(proof, network, users).map(Connection::Pasta),
        }
    }

    fn way(&self) -> Way {
        match self {
            Connection::Veth(connection) => connection.way.clone(),
            Connection::Pasta(pasta) => pasta.way.clone(),
        }
    }

    fn open(&mut self) -> Result<()> {
        match self {
            Connection::Veth(connection) => connection.open(),
            Connection::Pasta(_) => Ok(()),
        }
    }
}

/// Asks a porter for a way out of this namespace. `prepare` sets up its end there.
pub(crate) fn ask<T>(
    porter: BorrowedFd<'_>,
    network: BorrowedFd<'_>,
    prepare: impl FnOnce(&Way) -> Result<T>,
) -> Result<(Way, T)> {
    let _asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let users = File::open("/proc/self/ns/user").map_err(|error| Error::io(ASKING, &error))?;
    let way = match exchange(porter, &Request::Connect, &[network, users.as_fd()])? {
        (Answer::Connected(way), _) => way,
        (other, _) => return Err(other.refusal()),
    };
    let prepared = prepare(&way)?;
    match exchange(porter, &Request::Open, &[])? {
        (Answer::Opened, _) => Ok((way, prepared)),
        (other, _) => Err(other.refusal()),
    }
}

/// Two labs of a test may be built at once, and their hosts ask for names.
static ASKED: Mutex<()> = Mutex::new(());

/// A socket on the machine, connected, or about to be, to its nameserver of this number; `None` if it has no more.
pub(crate) fn call_nameserver(number: usize, stream: bool) -> Result<Option<OwnedFd>> {
    let _asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(porter) = crate::entry::porter() else { return Ok(None) };
    match exchange(porter, &Request::Nameserver { number, stream }, &[])? {
        (Answer::Called, sockets) => Ok(sockets.into_iter().next()),
        (other, _) => Err(other.refusal()),
    }
}

const ASKING: &str = "asking for a way to the machine's network";

fn exchange(
    porter: BorrowedFd<'_>,
    request: &Request,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(Answer, Vec<OwnedFd>)> {
    let failed = |errno| match errno {
        Errno::EPIPE | Errno::ECONNRESET => Error::new(ASKING, "the process that would give it has been killed")
            .remedy("let whoever kills things here spare `isotest-porter`"),
        errno => Error::kernel(ASKING, errno),
    };
    send(porter, request, descriptors).map_err(failed)?;
    let answer = receive(porter).map_err(failed)?;
    answer.ok_or_else(|| failed(Errno::EPIPE))
}

impl Answer {
    fn refusal(self) -> Error {
        match self {
            Answer::Refused(attempted, cause, remedy) => Error::from_parts((attempted, cause, remedy)),
            Answer::Connected(_) | Answer::Opened | Answer::Called => {
                Error::new(ASKING, "the answer is one to another question")
            }
        }
    }
}

/// Answers requests until nobody can make any. Runs in a process of its own.
pub(crate) fn serve(proof: &SingleThreaded, socket: OwnedFd, server: BorrowedFd<'_>) -> ! {
    let Ok(socket) = settle(socket, server) else { exit_now(1) };
    let mut connections = Vec::new();
    while let Ok(Some((request, descriptors))) = receive(socket.as_fd()) {
        let answered = answer(proof, &request, descriptors, &mut connections);
        let (answer, beside) = answered.unwrap_or_else(|error| {
            let (attempted, cause, remedy) = error.into_parts();
            (Answer::Refused(attempted, cause, remedy), None)
        });
        let beside: Vec<_> = beside.iter().map(AsFd::as_fd).collect();
        if send(socket.as_fd(), &answer, &beside).is_err() {
            break;
        }
    }
    drop(connections);
    exit_now(0)
}

fn answer(
    proof: &SingleThreaded,
    request: &Request,
    descriptors: Vec<OwnedFd>,
    connections: &mut Vec<Connection>,
) -> Result<(Answer, Option<OwnedFd>)> {
    match (request, &descriptors[..], connections.last_mut()) {
        (Request::Connect, [network, users], _) => {
            let connection = Connection::make(proof, network.as_fd(), users.as_fd())?;
            let way = connection.way();
            connections.push(connection);
            Ok((Answer::Connected(way), None))
        }
        (Request::Open, _, Some(connection)) => connection.open().map(|()| (Answer::Opened, None)),
        (Request::Nameserver { number, stream }, ..) => {
            resolvers::call(*number, *stream).map(|socket| (Answer::Called, socket))
        }
        (request, ..) => Err(Error::new(ASKING, format!("the request lacks something: {request:?}"))),
    }
}

/// Ties this process to its server, and leaves all that is not its business.
fn settle(socket: OwnedFd, server: BorrowedFd<'_>) -> nix::Result<OwnedFd> {
    process::die_with_parent()?;
    if poll(&mut [PollFd::new(server, PollFlags::POLLIN)], PollTimeout::ZERO)? > 0 {
        exit_now(1);
    }
    process::set_name(c"isotest-porter")?;
    process::wait_for_children()?;
    process::keep_only(socket)
}
