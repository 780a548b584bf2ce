//! How do all of a host's connections end without a word of theirs? `sock_diag(7)` destroys them; what they would say is kept back
//! by whoever calls.

use std::net::IpAddr;

use nix::errno::Errno;

use super::diag::{self, BY_FAMILY, ID, request};
use super::error::{Error, Result};
use super::names::RESOLVER;
use super::place::Place;
use super::sockets::{Protocol, State};
use crate::netlink::{Batch, Refusal, Socket};

/// `SOCK_DESTROY` of linux/sock_diag.h.
const DESTROY: u16 = 21;

/// How often sockets are looked for: one that opens while the list is read may not be in it.
const ROUNDS: usize = 100;

/// Destroys all TCP and UDP sockets in a host, those of processes that have ended too, but not those of the lab's server of names.
pub(crate) fn all_in(place: &Place, name: &str) -> Result<()> {
    let mut socket = diag::open(place, name)?;
    let mut refused = None;
    for _ in 0..ROUNDS {
        let mut sockets = found(&mut socket, name, Protocol::Tcp)?;
        if sockets.is_empty() {
            let sockets = found(&mut socket, name, Protocol::Udp)?;
            // One that has ended meanwhile is refused.
            sockets.chunks(64).for_each(|some| drop(destroy(&mut socket, some)));
            return Ok(());
        }
        sockets.truncate(64);
        refused = destroy(&mut socket, &sockets).err().or(refused);
    }
    let attempt = format!("ending the connections of `{name}`");
    Err(match refused {
        None => Error::new(attempt, "new ones appear without end").remedy("stop the thread that makes them"),
        Some(Refusal { errno: Errno::EOPNOTSUPP, .. }) => {
            Error::new(attempt, "this kernel can't destroy sockets").remedy("use one with CONFIG_INET_DIAG_DESTROY")
        }
        Some(refusal) => Error::refused(attempt, &refusal),
    })
}

fn destroy(socket: &mut Socket, sockets: &[Vec<u8>]) -> std::result::Result<(), Refusal> {
    let mut batch = Batch::default();
    for whose in sockets {
        batch.add(DESTROY, libc::NLM_F_ACK, whose, |_| {});
    }
    socket.request(&batch)
}

/// Requests that name each socket of this protocol.
fn found(socket: &mut Socket, name: &str, protocol: Protocol) -> Result<Vec<Vec<u8>>> {
    let mut requests = Vec::new();
    for family in [libc::AF_INET, libc::AF_INET6] {
        let mut question = Batch::default();
        question.add(BY_FAMILY, libc::NLM_F_DUMP, &request(family as u8, protocol), |_| {});
        let answered = socket.ask(&question, |_, answer| requests.extend(naming(protocol, answer)));
        answered.map_err(|refusal| diag::explain(&refusal, protocol, name))?;
    }
    Ok(requests)
}

/// A request for the socket that was told of, unless it may stay.
fn naming(protocol: Protocol, answer: &[u8]) -> Option<Vec<u8>> {
    let seen = diag::seen(protocol, answer)?;
    // What a connection leaves for a while keeps nobody from a port, and says nothing of its own.
    if seen.local.ip() == IpAddr::from(RESOLVER) || seen.state == State::TimeWait {
        return None;
    }
    let mut request = request(*answer.first()?, protocol);
    let at = request.len() - ID;
    request[at..].copy_from_slice(answer.get(4..4 + ID)?);
    Some(request)
}
