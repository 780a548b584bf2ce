//! How is the kernel asked for sockets, and what does it answer? `sock_diag(7)`
//!
//! It answers for the network namespace in which the asking socket was opened, and knows every TCP and UDP socket there,
//! whichever process holds it. Nobody is connected to for it, so nothing is disturbed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::SockProtocol;

use super::error::{Error, Result};
use super::names::RESOLVER;
use super::place::{Place, on_a_thread};
use super::sockets::{Protocol, State};
use crate::netlink::{Batch, Refusal, Socket};

/// `SOCK_DIAG_BY_FAMILY` of linux/sock_diag.h.
pub(super) const BY_FAMILY: u16 = 20;

/// Opens a socket to ask by, in a host.
pub(super) fn open(place: &Place, name: &str) -> Result<Socket> {
    on_a_thread("lab-asker", || {
        let failed = |errno| Error::kernel(format!("asking for the sockets of `{name}`"), errno);
        setns(place.network(), CloneFlags::CLONE_NEWNET).map_err(failed)?;
        Socket::open(SockProtocol::NetlinkSockDiag).map_err(failed)
    })
}

/// One socket, as the kernel tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) protocol: Protocol,
    pub(super) state: State,
    pub(super) local: SocketAddr,
    /// Unspecified, port 0, where there is none.
    pub(super) remote: SocketAddr,
}

/// The length of `struct inet_diag_sockid`.
pub(super) const ID: usize = 48;

impl Seen {
    /// Whether somebody may knock there.
    pub(super) fn listens(&self) -> bool {
        match self.protocol {
            Protocol::Tcp => self.state == State::Listen,
            Protocol::Udp => self.state == State::Close && self.local.port() != 0,
        }
    }

    /// Whether it has somebody to talk with.
    pub(super) fn is_connected(&self) -> bool {
        self.remote.port() != 0
    }
}

/// All TCP and UDP sockets of the host that the socket was opened in, but for those of the lab's server of names.
pub(super) fn all(socket: &mut Socket, name: &str) -> Result<Vec<Seen>> {
    let mut found = Vec::new();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        for family in [libc::AF_INET, libc::AF_INET6] {
            let mut question = Batch::default();
            question.add(BY_FAMILY, libc::NLM_F_DUMP, &request(family as u8, protocol), |_| {});
            let answered = socket.ask(&question, |_, answer| found.extend(seen(protocol, answer)));
            answered.map_err(|refusal| explain(&refusal, protocol, name))?;
        }
    }
    found.retain(|seen| seen.local.ip() != RESOLVER);
    Ok(found)
}

/// Why the kernel does not tell them.
pub(super) fn explain(refusal: &Refusal, protocol: Protocol, name: &str) -> Error {
    let error = Error::refused(format!("asking for the {protocol} sockets of `{name}`"), refusal);
    match refusal.errno {
        Errno::ENOENT => {
            let remedy = format!("load its module (`modprobe {protocol}_diag`), or use one with CONFIG_INET_DIAG");
            Error::new(format!("asking for the {protocol} sockets of `{name}`"), "this kernel can't tell them")
                .remedy(remedy)
        }
        _ => error,
    }
}

/// `struct inet_diag_req_v2` of linux/inet_diag.h, for sockets in all states but bound and not yet in use.
pub(super) fn request(family: u8, protocol: Protocol) -> Vec<u8> {
    const STATES: u32 = 0x1fff;
    let mut request = vec![family, protocol.number(), 0, 0];
    request.extend(STATES.to_ne_bytes());
    request.extend([0; ID]); // All, whatever their addresses.
    request
}

/// Reads `struct inet_diag_msg` of linux/inet_diag.h.
pub(super) fn seen(protocol: Protocol, answer: &[u8]) -> Option<Seen> {
    let [family, state, _timer, _retransmits, rest @ ..] = answer else { return None };
    let id = rest.get(..ID)?;
    Some(Seen {
        protocol,
        state: State::of(*state),
        local: address(*family, &id[4..20], &id[..2])?,
        remote: address(*family, &id[20..36], &id[2..4])?,
    })
}

/// An IPv4 address that an IPv6 socket uses is told as what it is on the line.
fn address(family: u8, address: &[u8], port: &[u8]) -> Option<SocketAddr> {
    let ip: IpAddr = match i32::from(family) {
        libc::AF_INET => Ipv4Addr::from(<[u8; 4]>::try_from(&address[..4]).ok()?).into(),
        libc::AF_INET6 => Ipv6Addr::from(<[u8; 16]>::try_from(address).ok()?).to_canonical(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(port.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(family: i32, state: u8, local: (&[u8], u16), remote: (&[u8], u16)) -> Vec<u8> {
        let mut answer = vec![family as u8, state, 0, 0];
        answer.extend(local.1.to_be_bytes());
        answer.extend(remote.1.to_be_bytes());
        for address in [local.0, remote.0] {
            answer.extend(address);
            answer.resize(answer.len() + 16 - address.len(), 0);
        }
        answer.extend([0; 12 + 20]); // The interface, the cookie; then the queues, the owner and the inode.
        answer
    }

    #[test]
    fn a_listener_is_told_from_a_connection() {
        let listens = answer(libc::AF_INET, 10, (&[0; 4], 80), (&[0; 4], 0));
        let listens = seen(Protocol::Tcp, &listens).expect("it is long enough");
        assert_eq!(listens.local.to_string(), "0.0.0.0:80");
        assert!(listens.listens() && !listens.is_connected());

        let talks = answer(libc::AF_INET, 1, (&[10, 1, 0, 1], 80), (&[10, 1, 0, 2], 4000));
        let talks = seen(Protocol::Tcp, &talks).expect("it is long enough");
        assert_eq!((talks.state, talks.remote.to_string().as_str()), (State::Established, "10.1.0.2:4000"));
        assert!(!talks.listens() && talks.is_connected());
    }

    #[test]
    fn a_udp_socket_that_is_bound_and_not_connected_is_where_one_may_knock() {
        let udp = |state, port, remote| {
            let answer = answer(libc::AF_INET6, state, (&[0; 16], port), (&[0; 16], remote));
            seen(Protocol::Udp, &answer).expect("it is long enough")
        };
        assert!(udp(7, 53, 0).listens());
        assert!(!udp(1, 53, 9).listens() && udp(1, 53, 9).is_connected());
    }

    #[test]
    fn ipv4_through_an_ipv6_socket_is_ipv4() {
        let mapped = Ipv4Addr::new(10, 1, 0, 1).to_ipv6_mapped().octets();
        let answer = answer(libc::AF_INET6, 1, (&mapped, 80), (&mapped, 9));
        let talks = seen(Protocol::Tcp, &answer).expect("it is long enough");
        assert_eq!(talks.local.to_string(), "10.1.0.1:80");
    }

    #[test]
    fn an_answer_that_is_cut_off_is_none() {
        let whole = answer(libc::AF_INET, 10, (&[0; 4], 80), (&[0; 4], 0));
        assert!(seen(Protocol::Tcp, &whole[..51]).is_none());
        assert!(seen(Protocol::Tcp, &[]).is_none());
        assert!(seen(Protocol::Tcp, &answer(libc::AF_UNIX, 10, (&[0; 4], 80), (&[0; 4], 0))).is_none());
    }

    #[test]
    fn a_request_is_as_long_as_the_kernel_wants_it() {
        assert_eq!(request(2, Protocol::Udp).len(), 56);
    }
}
