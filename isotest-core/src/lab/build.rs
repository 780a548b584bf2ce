//! Builds a topology: makes the namespaces, then sends the plan's messages. It decides nothing.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::socket::SockProtocol;

use super::account::Manner;
use super::error::{Error, Result};
use super::order;
use super::plan::{Space, Step};
use super::rtnetlink;
use super::topology::{Role, Topology};
use crate::hatch::{self, Message};
use crate::netlink::{Batch, Refusal, Socket};

/// A network namespace that is there.
#[derive(Debug)]
pub(crate) struct Built {
    /// Keeps it, and leads there.
    pub(crate) namespace: OwnedFd,
    /// Asks for links, addresses and routes in it.
    pub(crate) links: Socket,
    /// Asks for tables of nftables in it, once there have been any.
    pub(crate) tables: Option<Socket>,
}

impl Built {
    /// Another descriptor that leads there.
    pub(crate) fn copy_of_namespace(&self) -> Result<OwnedFd> {
        self.namespace.try_clone().map_err(|error| Error::io("copying a descriptor of the lab", &error))
    }
}

/// All namespaces of a lab.
pub(crate) type Spaces = BTreeMap<Space, Built>;

/// Makes the namespaces, on a thread of its own, which leaves each for the next and ends in the last. The test body's own is
/// taken as it is. Gives also the way to the test's init, if that wants to know anything.
pub(crate) fn namespaces(
    topology: &Topology,
    spaces: &[Space],
    here: &OwnedFd,
    manner: Manner,
) -> Result<(Spaces, Option<OwnedFd>)> {
    let make_all = || {
        let cpu = order::cpu()?;
        let mut built = Spaces::new();
        let captured = crate::entry::own().is_some_and(|own| own.recorded);
        let init = way_to_init(here, captured, manner)?;
        if let Some(node) = topology.nodes.iter().position(|node| node.role == Role::Here) {
            let entered = nix::sched::setns(here, CloneFlags::CLONE_NEWNET);
            entered.map_err(|errno| Error::kernel("entering the test's own network", errno))?;
            set(ACCEPT_DAD, "0")?;
            if ipv6_is_off() {
                set(IPV6_OFF, "0")?;
            }
            built.insert(Space::Node(node), current()?);
        }
        let fresh_without_ipv6 = OnceCell::new();
        for space in spaces {
            let attempt = || match space {
                Space::Node(node) => format!("making a network namespace for `{}`", topology.nodes[*node].name),
                Space::Switches => "making a network namespace for the switches".to_owned(),
                Space::Wires => "making a network namespace for the wires".to_owned(),
                Space::Beyond => "making a network namespace for what is outside".to_owned(),
            };
            let made = nix::sched::unshare(CloneFlags::CLONE_NEWNET);
            made.map_err(|errno| Error::kernel(attempt(), errno))?;
            match space {
                Space::Node(node) => {
                    settings(topology.nodes[*node].role)?;
                    if topology.is_without_ipv6(*node) {
                        set(NO_IPV6, "1")?;
                    } else if *fresh_without_ipv6.get_or_init(ipv6_is_off) {
                        set(IPV6_OFF, "0")?;
                    }
                    if let (true, Some(init)) = (captured, &init) {
                        hand_over(Message::Capture(topology.nodes[*node].name.clone()), init)?;
                    }
                }
                // Ports of switches and ends of wires have no addresses, and say nothing of their own.
                Space::Switches => set(NO_IPV6, "1")?,
                Space::Wires => {
                    set(NO_IPV6, "1")?;
                    order::keep(cpu)?;
                }
                Space::Beyond => {
                    set(NO_IPV6, "1")?;
                    init.as_ref().map_or(Ok(()), |init| hand_over(Message::Beyond, init))?;
                }
            }
            built.insert(*space, current()?);
        }
        Ok((built, init))
    };
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("lab-builder".to_owned()).spawn_scoped(scope, make_all);
        let builder = builder.map_err(|error| Error::io("starting a thread to build the lab on", &error))?;
        builder.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// The way to the test's init, if that wants to know anything.
fn way_to_init(here: &OwnedFd, captured: bool, manner: Manner) -> Result<Option<OwnedFd>> {
    if !captured && manner == Manner::Not {
        return Ok(None);
    }
    let connected = nix::sched::setns(here, CloneFlags::CLONE_NEWNET).and_then(|()| hatch::connect());
    match connected {
        // The test has gone to another network than its init's. About what was not asked for nobody need stumble.
        Err(_) if !captured && manner == Manner::Counted => Ok(None),
        connected => connected.map(Some).map_err(|errno| Error::kernel("looking for the init of this test", errno)),
    }
}

/// Has init see all packets of this thread's network.
fn hand_over(message: Message, init: &OwnedFd) -> Result<()> {
    let socket = crate::recorder::open();
    let handed = socket.and_then(|socket| hatch::hand_over(init, &message, &[socket.as_fd()]));
    handed.map_err(|errno| Error::kernel("having init see the packets of a network", errno))
}

/// The namespace that this thread is in.
fn current() -> Result<Built> {
    let namespace = std::fs::File::open("/proc/thread-self/ns/net");
    let namespace = namespace.map_err(|error| Error::io("opening /proc/thread-self/ns/net", &error))?.into();
    let links = Socket::open(SockProtocol::NetlinkRoute);
    let links = links.map_err(|errno| Error::kernel("opening an rtnetlink socket", errno))?;
    Ok(Built { namespace, links, tables: None })
}

/// What a fresh network namespace has otherwise than a host of a lab should.
fn settings(role: Role) -> Result<()> {
    let group = nix::unistd::getegid();
    set("ipv4/ip_unprivileged_port_start", "0")?;
    set("ipv4/ping_group_range", &format!("{group} {group}"))?;
    set(ACCEPT_DAD, "0")?;
    if role.forwards() {
        set("ipv4/ip_forward", "1")?;
        set("ipv6/conf/all/forwarding", "1")?;
        // The two directions may take different ways.
        set("ipv4/conf/all/rp_filter", "0")?;
        set("ipv4/conf/default/rp_filter", "0")?;
    }
    if role == Role::Internet {
        // It is listened at addresses that no interface has.
        set("ipv4/ip_nonlocal_bind", "1")?;
        set("ipv6/ip_nonlocal_bind", "1")?;
        // To its neighbours it has only the addresses of its interfaces.
        set("ipv4/conf/all/arp_ignore", "1")?;
        set("ipv4/conf/all/rp_filter", "0")?;
        set("ipv4/conf/default/rp_filter", "0")?;
    }
    Ok(())
}

/// Where nobody has an address, and nothing is to be said.
const NO_IPV6: &str = "ipv6/conf/default/disable_ipv6";

/// All addresses are the lab's own: nobody needs a second to find out whether they are taken.
pub(crate) const ACCEPT_DAD: &str = "ipv6/conf/default/accept_dad";

/// Some machines begin with it set, by `ipv6.disable_ipv6=1` or by net.core.devconf_inherit_init_net.
const IPV6_OFF: &str = "ipv6/conf/all/disable_ipv6";

pub(crate) fn set(name: &str, value: &str) -> Result<()> {
    let path = format!("/proc/sys/net/{name}");
    match std::fs::write(&path, value) {
        // Where the kernel, or its command line, leaves IPv6 out, there is nothing to set; giving a v6 address says so.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && name.starts_with("ipv6") => Ok(()),
        other => other.map_err(|error| {
            let errno = Errno::try_from(error).unwrap_or(Errno::UnknownErrno);
            Error::kernel(format!("writing {value:?} to {path}"), errno)
        }),
    }
}

fn ipv6_is_off() -> bool {
    std::fs::read("/proc/sys/net/ipv6/conf/default/disable_ipv6").is_ok_and(|value| value.starts_with(b"1"))
}

/// Sends the steps, as many at once as go to one namespace.
pub(crate) fn carry_out(steps: &[(Space, Step)], spaces: &mut Spaces) -> Result<()> {
    for group in steps.chunk_by(|(one, _), (other, _)| one == other) {
        let mut batch = Batch::default();
        for (_, step) in group {
            write(step, &mut batch, spaces);
        }
        let space = spaces.get_mut(&group[0].0).expect("every space of a step was made");
        space.links.request(&batch).map_err(|refusal| explain(&group[refusal.message].1, &refusal))?;
    }
    Ok(())
}

fn write(step: &Step, batch: &mut Batch, spaces: &Spaces) {
    match step {
        Step::Bridge { index, name } => rtnetlink::bridge(batch, *index, name),
        Step::Veth { end, there, end_there, .. } => {
            rtnetlink::veth(batch, end, end_there, spaces[there].namespace.as_fd());
        }
        Step::Join { index, bridge, .. } => rtnetlink::join(batch, *index, *bridge),
        Step::LeaveOutIpv6 { index, .. } => rtnetlink::without_own_address(batch, *index),
        Step::Raise { index, .. } => rtnetlink::raise(batch, *index),
        Step::Address { index, prefix, .. } => rtnetlink::address(batch, *index, *prefix),
        Step::Neighbour { index, address, mac, .. } => rtnetlink::neighbour(batch, *index, *address, *mac),
        Step::Groups { index, .. } => rtnetlink::groups(batch, *index),
        Step::Everything { like } => rtnetlink::everything(batch, *like),
        Step::Route { hop, .. } => rtnetlink::route(batch, hop.to, hop.by),
    }
}

const WITHOUT_IPV6: &str =
    "leave it out by `without_ipv6`, or use a kernel with CONFIG_IPV6 that is not started with ipv6.disable=1";

fn explain(step: &Step, refusal: &Refusal) -> Error {
    let error = Error::refused(step.to_string(), refusal);
    match step {
        Step::Bridge { .. } => error.unless_kernel_has(refusal.errno, "bridge", "CONFIG_BRIDGE"),
        Step::Veth { .. } if refusal.errno == Errno::EEXIST => error.remedy(
            "the test's own network has an interface of this name, of another lab perhaps: only one at a time may have `lab.here()`",
        ),
        Step::Veth { .. } => error.unless_kernel_has(refusal.errno, "veth", "CONFIG_VETH"),
        Step::Join { .. } if refusal.errno == Errno::EXFULL => {
            error.remedy("a bridge has room for 1,023: connect the rest to another switch, and both to a router")
        }
        Step::Address { prefix, .. } if prefix.address().is_ipv6() => {
            error.unless_kernel_can(refusal.errno, "IPv6", WITHOUT_IPV6)
        }
        Step::Everything { .. } => error.unless_kernel_can(
            refusal.errno,
            "policy routing",
            "use one with CONFIG_IP_MULTIPLE_TABLES and CONFIG_IPV6_MULTIPLE_TABLES",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::addresses::Mac;
    use crate::lab::rtnetlink::VethEnd;

    /// What rtnetlink answers to a kind of device that it does not know.
    fn unknown(step: &Step) -> String {
        let words = Some("Unknown device type".to_owned());
        explain(step, &Refusal { message: 0, errno: Errno::EOPNOTSUPP, words }).to_string()
    }

    #[test]
    fn a_kernel_without_bridges_is_told_as_such() {
        assert_eq!(
            unknown(&Step::Bridge { index: 2, name: "sw-0-lan".to_owned() }),
            "making the bridge sw-0-lan: this kernel has no bridge (EOPNOTSUPP: Operation not supported on transport \
             endpoint); load the module (`modprobe bridge`), or use a kernel with CONFIG_BRIDGE"
        );
    }

    #[test]
    fn a_kernel_without_veth_is_told_as_such() {
        let end = |name: &str| VethEnd { name: name.to_owned(), index: 2, mac: Mac([2; 6]), mtu: None };
        let (end, end_there) = (end("eth0"), end("eth1"));
        let what = "linking `alice` and `bob`".to_owned();
        assert_eq!(
            unknown(&Step::Veth { end, there: Space::Node(1), end_there, what }),
            "linking `alice` and `bob` by a veth pair (eth0): this kernel has no veth (EOPNOTSUPP: Operation not \
             supported on transport endpoint); load the module (`modprobe veth`), or use a kernel with CONFIG_VETH"
        );
    }

    #[test]
    fn a_kernel_without_ipv6_is_told_as_such() {
        let prefix = "fd00:0:1::1/64".parse().expect("an address");
        assert_eq!(
            unknown(&Step::Address { index: 2, prefix, host: "alice".to_owned() }),
            "giving `alice` the address fd00:0:1::1/64: this kernel has no IPv6 (EOPNOTSUPP: Operation not supported on \
             transport endpoint); leave it out by `without_ipv6`, or use a kernel with CONFIG_IPV6 that is not started with \
             ipv6.disable=1"
        );
    }

    #[test]
    fn another_refusal_is_told_in_the_kernel_s_words() {
        let step = Step::Bridge { index: 2, name: "sw-0-lan".to_owned() };
        let refusal = Refusal { message: 0, errno: Errno::EEXIST, words: None };
        assert_eq!(explain(&step, &refusal).to_string(), "making the bridge sw-0-lan: EEXIST, File exists");
    }
}
