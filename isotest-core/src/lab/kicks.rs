//! How does the kernel notice that more may pass at a brake? When it is changed, the kernel does not look at what waits there, but when that
//! would have passed without; and whenever something is sent. So something is sent that never leaves: it finds no room in the brake.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, setsockopt, socket, sockopt,
};

use super::qdisc;
use crate::sys::errno;

/// One of two that are set aside for experiments (RFC 3692).
pub(crate) const PROTOCOL: u8 = 253;
/// An IPv4 header that asks for nothing, to a group that is set aside likewise (RFC 4727): at most one hop.
const NOTHING: [u8; 20] = [0x45, 0, 0, 20, 0, 0, 0, 0, 1, PROTOCOL, 0, 0, 0, 0, 0, 0, 224, 0, 0, 254];
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 254);

/// The sockets to send it by, by the number of the end; none where that can't be.
#[derive(Debug, Default)]
pub(crate) struct Kicks {
    sockets: BTreeMap<usize, Option<OwnedFd>>,
}

impl Kicks {
    /// Has the kernel look at the brake before the interface of this name, in this network.
    pub(crate) fn kick(&mut self, number: usize, network: impl FnOnce() -> Option<OwnedFd>, interface: &str) {
        let socket = self.sockets.entry(number).or_insert_with(|| open(network()?, interface).ok());
        if let Some(socket) = socket {
            // Where nothing can be sent nothing waits, or it waits as long as it would have.
            sendto(
                socket.as_raw_fd(),
                &NOTHING,
                &SockaddrIn::from(SocketAddrV4::new(GROUP, 0)),
                MsgFlags::MSG_DONTWAIT,
            )
            .ok();
        }
    }
}

/// The calling thread goes there and comes back: whoever asks who is in a host is not to find it.
fn open(network: OwnedFd, interface: &str) -> nix::Result<OwnedFd> {
    let own = File::open("/proc/thread-self/ns/net").map_err(errno)?;
    setns(network, CloneFlags::CLONE_NEWNET)?;
    let socket = socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw);
    setns(own, CloneFlags::CLONE_NEWNET)?;
    let socket = socket?;
    setsockopt(&socket, sockopt::BindToDevice, &interface.into())?;
    let priority = i32::try_from(qdisc::KICK).map_err(|_| Errno::EINVAL)?;
    setsockopt(&socket, sockopt::Priority, &priority)?;
    Ok(socket)
}
