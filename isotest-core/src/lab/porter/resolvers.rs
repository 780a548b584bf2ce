//! Who knows names on the machine, and how does a lab get to ask them? By sockets of the machine's, which the porter opens: so even a
//! nameserver that listens on the machine's loopback alone is reached. `resolv.conf(5)`

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, connect, socket};

use crate::lab::error::{Error, Result};

const PORT: u16 = 53;

/// A socket that is connected, or about to be, to the machine's nameserver of this number, from 0 on; `None` if it has no more.
pub(super) fn call(number: usize, stream: bool) -> Result<Option<OwnedFd>> {
    // Where there is no such file, somebody is to listen on the machine itself.
    let configured = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let Some(server) = servers(&configured).get(number).copied() else { return Ok(None) };
    let called = if stream { begin_stream(server) } else { datagrams(server) };
    called.map(Some).map_err(|error| Error::io(format!("asking the machine's nameserver {server}"), &error))
}

fn datagrams(server: SocketAddr) -> std::io::Result<OwnedFd> {
    let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    Ok(socket.into())
}

/// Does not wait until it is connected: others may want something, too.
fn begin_stream(server: SocketAddr) -> std::io::Result<OwnedFd> {
    let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK, None)?;
    match connect(socket.as_raw_fd(), &SockaddrStorage::from(server)) {
        Ok(()) | Err(Errno::EINPROGRESS) => Ok(socket),
        Err(errno) => Err(errno.into()),
    }
}

/// At most three, as the C library has it, and the machine itself where none is named.
fn servers(configured: &str) -> Vec<SocketAddr> {
    let named = configured.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next().filter(|word| *word == "nameserver")?;
        address(words.next()?)
    });
    let mut all: Vec<_> = named.take(3).collect();
    if all.is_empty() {
        all.push((Ipv4Addr::LOCALHOST, PORT).into());
    }
    all
}

/// An address, of which `fe80::1%eth0` means something at one interface alone.
fn address(text: &str) -> Option<SocketAddr> {
    match text.split_once('%') {
        Some((address, interface)) => {
            let scope = if_nametoindex(interface).ok()?;
            Some(SocketAddrV6::new(address.parse().ok()?, PORT, 0, scope).into())
        }
        None => Some((text.parse::<IpAddr>().ok()?, PORT).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nameservers_are_read_as_the_c_library_does() {
        let told = |text: &str| servers(text).iter().map(SocketAddr::to_string).collect::<Vec<_>>();
        assert_eq!(told("# none\nsearch example.com\n"), ["127.0.0.1:53"]);
        assert_eq!(
            told("nameserver 192.0.2.1 # one\n nameserver\t2001:db8::1\nnameserver fe80::1%lo\nnameserver 192.0.2.2\n"),
            ["192.0.2.1:53", "[2001:db8::1]:53", "[fe80::1%1]:53"]
        );
        assert_eq!(told("nameserver example.com\nnameserver 192.0.2.1"), ["192.0.2.1:53"]);
    }
}
