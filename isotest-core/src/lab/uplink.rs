//! The way out of a lab, as a test sees it, and its end in the lab.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};

use nix::net::if_::if_nametoindex;
use nix::sched::{CloneFlags, setns};

use super::Lab;
use super::addresses::Prefix;
use super::build::Spaces;
use super::carrier;
use super::error::{Error, Result};
use super::host::Host;
use super::masquerade;
use super::place::on_a_thread;
use super::plan::Space;
use super::porter::{self, Through, Way};
use super::rtnetlink;
use super::topology::{Role, Topology, UPLINK};
use crate::netlink::{Batch, Socket};
use crate::nft::Field;

/// A router whose far side is the machine, see [`Lab::uplink`].
#[derive(Clone, Debug)]
pub struct Uplink {
    host: Host,
}

/// A connection to the machine that is there.
#[derive(Debug)]
pub(crate) struct WayOut {
    way: Way,
    /// Whether any link of it has IPv4, by which the machine is reached.
    by_ipv4: bool,
    /// The lab's addresses are nothing to the machine, which may have the same. The table goes with this socket.
    _masquerading: Socket,
}

impl Deref for Uplink {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Uplink {
    /// The machine's own address as the lab reaches it: what listens on all of the machine's addresses answers there.
    ///
    /// # Errors
    ///
    /// When the lab can't be built, or no link of the uplink has IPv4.
    pub fn machine(&self) -> Result<Ipv4Addr> {
        let attempt = "looking for the machine's address";
        let network = self.host.lab().up(attempt)?;
        let way = network.way_out.as_ref();
        let out = way.ok_or_else(|| Error::new(attempt, "there is no way to it"))?;
        if !out.by_ipv4 {
            let cause = format!("no link of `{UPLINK}` has IPv4, by which the machine is reached");
            return Err(Error::new(attempt, cause).remedy("take `without_ipv4` away from one of them"));
        }
        Ok(out.way.machine)
    }
}

impl Lab {
    /// A deliberate hole: the machine that the tests run on, as a router called `uplink`. Hosts that are linked to it, or to routers
    /// behind which it is, have their default route through it, and so reach the machine, and by its addresses what it reaches.
    /// Nobody out there reaches into the lab. Names that the lab does not know are asked of the machine's own nameservers. IPv6 leads out where the machine
    /// has a default route by it, and, if it is reached by the kernel alone (see below), forwards it already.
    ///
    /// Where the tests run as root (with CAP_NET_ADMIN), the way out is a veth pair, masquerading and, as long as some lab needs it,
    /// forwarding (`net.ipv4.ip_forward`). Elsewhere it is `pasta(1)`, if that is installed. Whoever is killed, nothing of it stays.
    ///
    /// # Errors
    ///
    /// Without `#[isotest(uplink = true)]`, or when it is asked for the first time and the lab is up already. What keeps it from being
    /// built is told when the lab is.
    pub fn uplink(&self) -> Result<Uplink> {
        if crate::entry::porter().is_none() {
            let cause = "the test has not asked for a way out of its sandbox";
            return Err(Error::new("adding an uplink to the lab", cause).remedy(
                "write `#[isotest(uplink = true)]`, or `uplink = true` in the `spec` of .config/isotest.toml for tests without the attribute",
            ));
        }
        let node = self.shared.uplink()?;
        Ok(Uplink { host: Host::new(&self.shared, node, UPLINK) })
    }
}

/// Connects the uplink of a lab that is otherwise built, if it has one.
pub(crate) fn connect(topology: &Topology, spaces: &mut Spaces) -> Result<Option<WayOut>> {
    let node = topology.only(Role::Uplink);
    let (Some(node), Some(porter)) = (node, crate::entry::porter()) else { return Ok(None) };
    let space = Space::Node(node);
    let built = spaces.get_mut(&space).expect("every node has a space");
    let network = built.namespace.as_fd();
    let links = &mut built.links;
    let (way, (index, masquerading)) = porter::ask(porter, network, |way| set_up(way, network, links))?;
    if way.through == Through::Veth {
        carrier::wait(&[(space, index)], spaces)?;
    }
    let mut addresses = topology.ports_of(node).flat_map(|(at, _)| topology.addresses(at));
    let by_ipv4 = addresses.any(|prefix| prefix.address().is_ipv4());
    Ok(Some(WayOut { way, by_ipv4, _masquerading: masquerading }))
}

/// Sets up the lab's end of a way to the machine; gives its interface's number.
fn set_up(way: &Way, network: BorrowedFd<'_>, links: &mut Socket) -> Result<(u32, Socket)> {
    let failed = |what: &str| format!("connecting `{UPLINK}` to the machine: {what}");
    let (index, masquerading) = on_a_thread("lab-uplink", || {
        let enter = || setns(network, CloneFlags::CLONE_NEWNET).and_then(|()| if_nametoindex(porter::INTERFACE));
        let index = enter().map_err(|errno| Error::kernel(failed("looking for its interface"), errno))?;
        Ok((index, masquerade::add("isotest-uplink", vec![masquerade::every_packet().by(Field::Output, index)])?))
    })?;
    let mut batch = Batch::default();
    rtnetlink::raise(&mut batch, index);
    if let Some(address) = Prefix::new(IpAddr::V4(way.address), way.length) {
        rtnetlink::address(&mut batch, index, address);
    }
    let by_ipv6 = way.ipv6.as_ref();
    if let Some(address) = by_ipv6.and_then(|own| Prefix::new(IpAddr::V6(own.address), own.length)) {
        rtnetlink::usable_address(&mut batch, index, address);
    }
    for machine in [Some(IpAddr::V4(way.machine)), by_ipv6.map(|own| IpAddr::V6(own.machine))].into_iter().flatten() {
        rtnetlink::route(&mut batch, Prefix::everything(machine), machine);
    }
    let set = links.request(&batch);
    set.map_err(|refusal| Error::refused(failed("setting its interface up"), &refusal))?;
    Ok((index, masquerading))
}
