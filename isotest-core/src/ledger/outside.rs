//! How does a link out of a test's network come to be? One end is the test's, with the last of all routes; the other is in a network of
//! its own, where nobody is.

use std::fs::{self, File};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::SockProtocol;

use crate::lab::rtnetlink::{OUTSIDE, VethEnd, default_route, raise_without_neighbours, usable_address, veth};
use crate::lab::{Mac, Prefix};
use crate::netlink::{Batch, Refusal, Socket};
use crate::outcome::{Failure, Stage};
use crate::sys::errno;
use crate::sys::mount::{move_mount, open_tree};

/// The test's own addresses on the link, from the networks that are set aside for documentation (RFC 5737, RFC 3849).
pub(crate) const OWN: [&str; 2] = ["192.0.2.1/32", "2001:db8::1/128"];
/// Where names are asked for. Nobody has this address: all that goes there comes to the ledger.
const RESOLVER: &str = "nameserver 192.0.2.53\n";

/// The number of the interface that nobody uses.
const FAR: u32 = 2;

/// Gives a socket that sees all that leaves.
pub(super) fn open(own_mounts: bool) -> Result<OwnedFd, Failure> {
    let here =
        File::open("/proc/thread-self/ns/net").map_err(|error| failed("opening the test's network", errno(error)))?;
    let mut near = Socket::open(SockProtocol::NetlinkRoute).map_err(kernel("opening an rtnetlink socket"))?;
    unshare(CloneFlags::CLONE_NEWNET).map_err(kernel("making a network for what is outside"))?;
    let far = far_side();
    setns(&here, CloneFlags::CLONE_NEWNET).map_err(kernel("going back into the test's network"))?;
    let (there, mut far, socket) = far?;
    lay(&mut near, &mut far, &there)?;
    if own_mounts && fs::symlink_metadata("/etc/resolv.conf").is_ok() {
        show_resolver().map_err(kernel("laying a file over /etc/resolv.conf"))?;
    }
    Ok(socket)
}

/// In the network that the thread is in: a way back to it, one to change it, and one to see its packets.
fn far_side() -> Result<(File, Socket, OwnedFd), Failure> {
    let there =
        File::open("/proc/thread-self/ns/net").map_err(|error| failed("opening what is outside", errno(error)))?;
    let links = Socket::open(SockProtocol::NetlinkRoute).map_err(kernel("opening an rtnetlink socket"))?;
    Ok((there, links, crate::recorder::open().map_err(kernel("opening a packet socket"))?))
}

fn lay(near: &mut Socket, far: &mut Socket, there: &File) -> Result<(), Failure> {
    let end =
        |name: &str, index, last| VethEnd { name: name.to_owned(), index, mac: Mac([6, 0, 0, 0, 0, last]), mtu: None };
    let mut link = Batch::default();
    veth(&mut link, &end("outside", OUTSIDE, 1), &end("inside", FAR, 2), there.as_fd());
    near.request(&link).map_err(refused("making a link to what is outside"))?;
    let mut raise = Batch::default();
    raise_without_neighbours(&mut raise, FAR);
    far.request(&raise).map_err(refused("bringing the link up outside"))?;
    let mut ours = Batch::default();
    raise_without_neighbours(&mut ours, OUTSIDE);
    near.request(&ours).map_err(refused("bringing the link up"))?;
    for own in OWN {
        let prefix: Prefix = own.parse().map_err(|_| failed("reading an address", Errno::EINVAL))?;
        let mut ways = Batch::default();
        usable_address(&mut ways, OUTSIDE, prefix);
        default_route(&mut ways, prefix.address().is_ipv6(), OUTSIDE);
        match near.request(&ways) {
            // A kernel without IPv6 leads nowhere by it.
            Err(_) if prefix.address().is_ipv6() => {}
            laid => laid.map_err(refused("routing all else over the link"))?,
        }
    }
    Ok(())
}

/// Lays a file over /etc/resolv.conf that leads to the ledger. The mounts are the sandbox's own, and nobody else is in it yet.
fn show_resolver() -> nix::Result<()> {
    let safe = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), safe, Some("size=64K,mode=755"))?;
    let tree = fs::write("/tmp/resolv.conf", RESOLVER).map_err(errno).and_then(|()| open_tree(c"/tmp/resolv.conf"));
    umount2("/tmp", MntFlags::MNT_DETACH)?;
    move_mount(&tree?, c"/etc/resolv.conf")
}

fn failed(step: &str, errno: Errno) -> Failure {
    Failure { step: step.to_owned(), stage: Stage::Other, errno: errno as i32 }
}

fn kernel(step: &str) -> impl Fn(Errno) -> Failure + '_ {
    move |errno| failed(step, errno)
}

fn refused(step: &str) -> impl Fn(Refusal) -> Failure + '_ {
    move |refusal| failed(step, refusal.errno)
}
