//! Since when does the kernel note when packets come? Only while somebody wants to know, and from some milliseconds after that has been said:
//! until then a packet is given the time at which it is read, and those of two interfaces would not stand in their order.

use std::fs::File;
use std::io::IoSliceMut;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::Result;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrIn, TimestampingFlag, recvmsg, setsockopt, sockopt};

use crate::sys::{self, errno};

/// How long it is waited for. It takes a millisecond or two where the kernel has time.
const PATIENCE: Duration = Duration::from_millis(200);

/// Whoever holds it has the kernel go on.
#[derive(Debug)]
pub(crate) struct Stamps {
    #[expect(dead_code, reason = "it is only there to be held")]
    socket: UdpSocket,
}

/// Waits until it does. The calling thread goes to a network of its own for that, where nobody sees what it sends, and comes back.
pub(crate) fn wait() -> Result<Stamps> {
    let own = File::open("/proc/thread-self/ns/net").map_err(errno)?;
    unshare(CloneFlags::CLONE_NEWNET)?;
    let waited = wait_here();
    setns(own, CloneFlags::CLONE_NEWNET)?;
    waited
}

fn wait_here() -> Result<Stamps> {
    sys::network::raise_loopback()?;
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(errno)?;
    socket.connect(socket.local_addr().map_err(errno)?).map_err(errno)?;
    let wanted = TimestampingFlag::SOF_TIMESTAMPING_RX_SOFTWARE | TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE;
    setsockopt(&socket, sockopt::Timestamping, &wanted)?;
    let begun = Instant::now();
    while !is_stamped(&socket)? && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(Stamps { socket })
}

/// Whether a packet that comes now is. What was not is told without a time.
fn is_stamped(socket: &UdpSocket) -> Result<bool> {
    socket.send(&[0]).map_err(errno)?;
    let (mut byte, mut space) = ([0], nix::cmsg_space!(nix::sys::socket::Timestamps));
    let mut parts = [IoSliceMut::new(&mut byte)];
    let received = recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty())?;
    let told = received
        .cmsgs()?
        .any(|message| matches!(message, ControlMessageOwned::ScmTimestampsns(stamps) if stamps.system.tv_sec() != 0));
    Ok(told)
}
