//! What a packet socket tells that nix does not wrap, `packet(7)`.

use std::os::fd::{AsRawFd, BorrowedFd};
#[cfg(feature = "lab")]
use std::os::fd::{FromRawFd, OwnedFd};

use nix::Result;

/// The name that the interface of this number has in the socket's network, `netdevice(7)`.
pub(crate) fn interface_name(socket: BorrowedFd<'_>, index: i32) -> Result<String> {
    let ifr_ifru = libc::__c_anonymous_ifr_ifru { ifru_ifindex: index };
    let mut request = libc::ifreq { ifr_name: [0; libc::IFNAMSIZ], ifr_ifru };
    // SAFETY: SIOCGIFNAME reads the number, set above, and writes the name of one ifreq.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFNAME, &raw mut request) };
    super::check(libc::c_long::from(result))?;
    let name: Vec<u8> =
        request.ifr_name.iter().take_while(|byte| **byte != 0).map(|byte| byte.cast_unsigned()).collect();
    Ok(String::from_utf8_lossy(&name).into_owned())
}

/// What a packet socket has counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counters {
    /// Packets that came to it.
    #[cfg_attr(not(feature = "lab"), expect(dead_code, reason = "only a ledger asks"))]
    pub(crate) came: u32,
    /// Those among them that found no room.
    pub(crate) missed: u32,
}

/// What it has counted since this was asked the last time, `PACKET_STATISTICS`.
pub(crate) fn counters(socket: BorrowedFd<'_>) -> Result<Counters> {
    /// `PACKET_STATISTICS` of linux/if_packet.h, which answers with `struct tpacket_stats`: all packets, and those missed.
    const STATISTICS: libc::c_int = 6;
    let mut statistics = [0_u32; 2];
    let mut length = size_of_val(&statistics) as libc::socklen_t;
    let value = (&raw mut statistics).cast();
    // SAFETY: the kernel writes at most `length` bytes, which are the array's, and that lives until the call returns.
    let result = unsafe { libc::getsockopt(socket.as_raw_fd(), libc::SOL_PACKET, STATISTICS, value, &raw mut length) };
    super::check(libc::c_long::from(result))?;
    Ok(Counters { came: statistics[0], missed: statistics[1] })
}

/// The network that it is in, `SIOCGSKNS` of linux/sockios.h.
#[cfg(feature = "lab")]
pub(crate) fn network(socket: BorrowedFd<'_>) -> Result<OwnedFd> {
    const NETWORK_OF: libc::Ioctl = 0x894C;
    // SAFETY: the call takes no argument, and gives a descriptor of its own.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), NETWORK_OF) };
    let descriptor = super::check(libc::c_long::from(result))?;
    // SAFETY: nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// Sends one frame by the interface of this number, `sendto(2)` with a `struct sockaddr_ll`.
#[cfg(feature = "lab")]
pub(crate) fn send(socket: BorrowedFd<'_>, index: usize, frame: &[u8]) -> Result<()> {
    let to = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as libc::sa_family_t,
        sll_protocol: 0,
        sll_ifindex: index as libc::c_int,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of_val(&to) as libc::socklen_t;
    // SAFETY: the frame and the address are as long as is said, and live until the call returns.
    let sent = unsafe {
        libc::sendto(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0, (&raw const to).cast(), length)
    };
    super::check(sent as libc::c_long).map(drop)
}
