//! The way to the machine of those who may change its network: a veth pair, forwarding, masquerading.

use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::SockProtocol;

use super::forwarding::{self, Forwarding};
use super::{INTERFACE, Through, Way, WayByIpv6, networks};
use crate::lab::addresses::{Mac, Prefix};
use crate::lab::error::{Error, Result};
use crate::lab::masquerade;
use crate::lab::rtnetlink::{self, VethEnd};
use crate::netlink::{Batch, Refusal, Socket, attributes};
use crate::nft::Field;
use crate::sys::process::SingleThreaded;

const ATTEMPT: &str = "connecting the lab to the machine by a veth pair";

/// What is to be there as long as the lab is.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) way: Way,
    interface: Interface,
    /// Its table goes with it.
    _masquerading: Socket,
    _forwarding: Forwarding,
}

/// The pair's end on the machine. It goes as soon as the porter knows that it ends; at the latest with the lab's network.
#[derive(Debug)]
struct Interface {
    index: u32,
    links: Socket,
}

impl Drop for Interface {
    fn drop(&mut self) {
        let mut batch = Batch::default();
        rtnetlink::delete(&mut batch, self.index);
        self.links.request(&batch).ok(); // It is gone if the lab's network is.
    }
}

impl Connection {
    /// Connects this network namespace, if this process may.
    pub(super) fn make(proof: &SingleThreaded, network: BorrowedFd<'_>) -> Result<Option<Self>> {
        let mut links = open()?;
        let Some(name) = add_pair(&mut links, network)? else { return Ok(None) };
        let index = if_nametoindex(name.as_str()).map_err(|errno| Error::kernel(ATTEMPT, errno))?;
        let mut interface = Interface { index, links };
        let routed = routes_of(&mut interface.links, libc::AF_INET)?;
        let (machine, lab) = networks::choose(index, &routed)?;
        let ipv6 = forwarding::is_on_for_ipv6().then(|| routes_of(&mut interface.links, libc::AF_INET6)).transpose()?;
        let ipv6 = ipv6.and_then(|routed| WayByIpv6::choose(index, &routed));
        let mut batch = Batch::default();
        if let Some(prefix) = Prefix::new(IpAddr::V4(machine), networks::LENGTH) {
            rtnetlink::address(&mut batch, index, prefix);
        }
        let prefix6 = ipv6.as_ref().and_then(|way| Prefix::new(IpAddr::V6(way.machine), way.length));
        if let Some(prefix) = prefix6 {
            rtnetlink::usable_address(&mut batch, index, prefix);
        }
        let addressed = interface.links.request(&batch);
        addressed.map_err(|refusal| Error::refused(format!("giving {name} the address {machine}"), &refusal))?;
        let mut hidden = vec![masquerade::every_packet().ipv4().is(Field::Source4, &lab.octets())];
        hidden.extend(
            ipv6.as_ref().map(|way| masquerade::every_packet().ipv6().is(Field::Source6, &way.address.octets())),
        );
        Ok(Some(Connection {
            way: Way { address: lab, length: networks::LENGTH, machine, ipv6, through: Through::Veth },
            _forwarding: forwarding::need(proof)?,
            _masquerading: masquerade::add(name.clone().leak(), hidden)?,
            interface,
        }))
    }

    /// Brings the machine's end up. The lab's is so already: an interface without a carrier when it is brought up sends somewhat
    /// later than the kernel says, and the lab can wait for that.
    pub(super) fn open(&mut self) -> Result<()> {
        let mut batch = Batch::default();
        rtnetlink::raise(&mut batch, self.interface.index);
        let raised = self.interface.links.request(&batch);
        raised.map_err(|refusal| Error::refused("bringing the machine's end of the way up", &refusal))
    }
}

/// Makes the pair; gives the name of the end on the machine, which is nobody else's.
fn add_pair(links: &mut Socket, network: BorrowedFd<'_>) -> Result<Option<String>> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mac = |end: u8| Mac([0x0e, 0, 0, 0, 0, end]);
    loop {
        // Somebody in another PID namespace may have the same.
        let name = format!("iso-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed) % 100);
        let here = VethEnd { name, index: 0, mac: mac(1), mtu: None };
        let there = VethEnd { name: INTERFACE.to_owned(), index: 0, mac: mac(2), mtu: None };
        let mut batch = Batch::default();
        rtnetlink::veth(&mut batch, &here, &there, network);
        match links.request(&batch) {
            Ok(()) => return Ok(Some(here.name)),
            Err(Refusal { errno: Errno::EPERM, .. }) => return Ok(None),
            Err(Refusal { errno: Errno::EEXIST, .. }) if COUNT.load(Ordering::Relaxed) < 100 => {}
            Err(refusal) => {
                let error = Error::refused(ATTEMPT, &refusal);
                return Err(error.unless_kernel_has(refusal.errno, "veth", "CONFIG_VETH"));
            }
        }
    }
}

fn open() -> Result<Socket> {
    Socket::open(SockProtocol::NetlinkRoute).map_err(|errno| Error::kernel(ATTEMPT, errno))
}

/// What the machine has routes to by IPv4, in all tables, default routes left out, and by IPv6, with them.
pub(super) fn routes() -> Result<[Vec<Prefix>; 2]> {
    let mut links = open()?;
    Ok([routes_of(&mut links, libc::AF_INET)?, routes_of(&mut links, libc::AF_INET6)?])
}

fn routes_of(links: &mut Socket, family: i32) -> Result<Vec<Prefix>> {
    let mut question = Batch::default();
    let mut header = [0; 12];
    header[0] = family as u8;
    question.add(libc::RTM_GETROUTE, libc::NLM_F_DUMP, &header, |_| {});
    let mut routes = Vec::new();
    let asked = links.ask(&question, |_, payload| routes.extend(destination(payload)));
    asked.map_err(|refusal| Error::refused("asking for the machine's routes", &refusal))?;
    Ok(routes)
}

/// Where a route leads, `struct rtmsg` of rtnetlink(7); of IPv4's default routes nothing is said.
fn destination(route: &[u8]) -> Option<Prefix> {
    let (family, length, kind) = (i32::from(*route.first()?), *route.get(1)?, *route.get(7)?);
    let told = attributes(route.get(12..)?).find(|(kind, _)| *kind == libc::RTA_DST);
    let address: IpAddr = match (family, told) {
        (libc::AF_INET, Some((_, bytes))) => <[u8; 4]>::try_from(bytes).ok()?.into(),
        (libc::AF_INET6, Some((_, bytes))) => <[u8; 16]>::try_from(bytes).ok()?.into(),
        // What is said to be unreachable is a route, too.
        (libc::AF_INET6, None) if kind == libc::RTN_UNICAST => Ipv6Addr::UNSPECIFIED.into(),
        _ => return None,
    };
    Prefix::new(address, length).filter(|prefix| prefix.length() > 0 || address.is_ipv6())
}
