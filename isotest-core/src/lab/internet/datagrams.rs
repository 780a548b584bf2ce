//! To which of all addresses did a datagram go, and how does the answer come from there? `ip(7)`, `ipv6(7)`

use std::io::{IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, sendmsg, setsockopt, sockopt,
};

/// Has the kernel say it.
pub(super) fn tell_destinations(socket: &OwnedFd, ipv6: bool) -> nix::Result<()> {
    if ipv6 {
        setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)
    } else {
        setsockopt(socket, sockopt::Ipv4PacketInfo, &true)
    }
}

/// One that has come: how long it is, from whom, and to which address.
pub(super) fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> nix::Result<Option<(usize, SocketAddr, IpAddr)>> {
    let mut control = nix::cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let received =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let to = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv4PacketInfo(told) => {
            Some(IpAddr::from(Ipv4Addr::from(u32::from_be(told.ipi_addr.s_addr))))
        }
        ControlMessageOwned::Ipv6PacketInfo(told) => Some(IpAddr::from(Ipv6Addr::from(told.ipi6_addr.s6_addr))),
        _ => None,
    });
    let from = received.address.as_ref().and_then(socket_address);
    Ok(from.zip(to).map(|(from, to)| (received.bytes, from, to)))
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

/// Sends an answer from an address, by whichever interface leads to the other.
pub(super) fn answer(socket: &UdpSocket, bytes: &[u8], from: IpAddr, to: SocketAddr) -> nix::Result<()> {
    let parts = [IoSlice::new(bytes)];
    let send = |control: ControlMessage<'_>| {
        sendmsg(socket.as_raw_fd(), &parts, &[control], MsgFlags::empty(), Some(&SockaddrStorage::from(to))).map(drop)
    };
    match from {
        IpAddr::V4(from) => send(ControlMessage::Ipv4PacketInfo(&libc::in_pktinfo {
            ipi_ifindex: 0,
            ipi_spec_dst: libc::in_addr { s_addr: u32::from(from).to_be() },
            ipi_addr: libc::in_addr { s_addr: 0 },
        })),
        IpAddr::V6(from) => send(ControlMessage::Ipv6PacketInfo(&libc::in6_pktinfo {
            ipi6_addr: libc::in6_addr { s6_addr: from.octets() },
            ipi6_ifindex: 0,
        })),
    }
}
