//! Who answers a host's questions about names? An authoritative server of the lab's own, for all that ask `/etc/resolv.conf`'s
//! nameserver rather than read `/etc/hosts`.

mod forward;
mod message;
mod records;
mod redirect;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

pub(crate) use self::message::Found;
use self::records::Records;
pub(crate) use self::records::reverse;
pub(crate) use self::redirect::Before;
use self::server::Counter;
use super::addresses::Prefix;
use super::error::{Error, Result};
use super::internet::Outside;
use super::routes;
use super::topology::{LOOPBACK, Node, Role, Topology};
use super::whereabouts::Whereabouts;
use crate::hatch::{self, Message};
use crate::nft::Table;

/// Where every host finds it.
pub(crate) const RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 53);

/// The table, without what is in it, that leads to it.
pub(crate) fn tables() -> [Table; 1] {
    [redirect::named(Vec::new())]
}

/// The server of a lab.
#[derive(Debug)]
pub(crate) struct Names {
    directory: Arc<Directory>,
    service: Mutex<Service>,
}

/// All names that there are.
#[derive(Debug)]
struct Directory {
    /// As each host knows them, or one for all.
    records: Vec<Records>,
    whereabouts: Arc<Whereabouts>,
    /// The hosts whose addresses come in an order that depends on who asks.
    several: BTreeMap<String, usize>,
    /// The names of hosts that have no address.
    alone: BTreeMap<usize, String>,
    /// The hosts that have a way to the machine, whose nameservers know the rest.
    led_out: BTreeSet<usize>,
    outside: Arc<Outside>,
    /// Who hears of names that nobody knows, if anybody.
    listener: Option<Arc<OwnedFd>>,
    /// Who asks; `None` in the test's own network.
    hosts: Vec<Option<String>>,
    /// Whose addresses are not asked for outside.
    networks: Vec<Prefix>,
}

impl Directory {
    /// What a host knows of a name in lower case, without a dot at its end.
    fn find(&self, viewer: usize, name: &str) -> Found {
        let found = match (self.records[viewer % self.records.len()].find(name), self.several.get(name)) {
            (Found::Addresses(_), Some(node)) => Found::Addresses(self.whereabouts.known_to(viewer, *node)),
            (found, _) => found,
        };
        match found {
            Found::Nobody => match self.outside.find(name) {
                Found::Nobody if self.led_out.contains(&viewer) => Found::Elsewhere,
                Found::Nobody => {
                    self.tell(viewer, name);
                    Found::Nobody
                }
                found => found,
            },
            _ if self.alone.get(&viewer).is_some_and(|own| own == name) => Found::Addresses(LOOPBACK.to_vec()),
            found => found,
        }
    }

    /// Tells of a name that is asked for outside: not one below a host's, and not whose an address of the lab is.
    fn tell(&self, viewer: usize, name: &str) {
        let Some(listener) = &self.listener else { return };
        let is_inside = |address: IpAddr| self.networks.iter().any(|network| network.contains(address));
        let below_a_host = |host: &String| name.strip_suffix(host.as_str()).is_some_and(|rest| rest.ends_with('.'));
        if name.is_empty()
            || records::reversed(name).is_some_and(is_inside)
            || self.hosts.iter().flatten().any(below_a_host)
        {
            return;
        }
        let asked = Message::Asked { host: self.hosts[viewer].clone(), name: name.to_owned() };
        // When init listens no more, the test is over.
        hatch::say(listener, &asked).ok();
    }
}

/// How far it is.
#[derive(Debug)]
enum Service {
    /// Nobody has needed it yet.
    Asleep,
    Running(Running),
    /// The lab is gone.
    Over,
}

#[derive(Debug)]
struct Running {
    /// Closed, it ends the thread.
    alarm: UnixStream,
    counters: Sender<Counter>,
    thread: JoinHandle<()>,
}

impl Names {
    pub(crate) fn of(
        topology: &Topology,
        whereabouts: &Arc<Whereabouts>,
        outside: &Arc<Outside>,
        listener: Option<Arc<OwnedFd>>,
    ) -> Names {
        let viewers = if whereabouts.has_doubles() { topology.nodes.len() } else { 1 };
        let records = (0..viewers).map(|viewer| Records::known_to(viewer, topology, whereabouts)).collect();
        let nodes = topology.nodes.iter().enumerate().filter(|(node, _)| whereabouts.is_alone(*node));
        let alone = nodes.map(|(node, it)| (node, it.name.clone())).collect();
        let led_out = topology.only(Role::Uplink).map(|uplink| routes::connected_to(topology, uplink));
        let led_out = led_out.unwrap_or_default();
        let hosts = topology.nodes.iter().map(|node| (node.role != Role::Here).then(|| node.name.clone())).collect();
        let differs = |(node, _): &(usize, &Node)| !whereabouts.is_the_same_to_all(*node);
        let several = topology.nodes.iter().enumerate().filter(differs);
        let directory = Directory {
            records,
            whereabouts: Arc::clone(whereabouts),
            several: several.map(|(node, it)| (it.name.clone(), node)).collect(),
            alone,
            led_out,
            outside: Arc::clone(outside),
            listener,
            hosts,
            networks: networks_inside(topology),
        };
        Names { directory: Arc::new(directory), service: Mutex::new(Service::Asleep) }
    }

    /// Starts it, if that has not been done. It stays in the calling thread's namespaces, which should be nobody's.
    pub(crate) fn start(&self) -> Result<()> {
        let mut service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*service, Service::Asleep) {
            let failed = |error: std::io::Error| Error::io("starting the lab's server of names", &error);
            let (alarm, heard) = UnixStream::pair().map_err(failed)?;
            let (counters, new) = channel();
            let directory = Arc::clone(&self.directory);
            let thread = std::thread::Builder::new().name("lab-names".to_owned());
            let thread = thread.spawn(move || server::serve(&directory, heard, &new)).map_err(failed)?;
            *service = Service::Running(Running { alarm, counters, thread });
        }
        Ok(())
    }

    /// Has the host that the calling thread is in answered, too.
    pub(crate) fn open(&self, host: usize, before: Before) -> Result<()> {
        let counter = Counter::open(host, before)?;
        let service = self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if let Service::Running(running) = &*service {
            let told = running.counters.send(counter).is_ok() && (&running.alarm).write_all(&[1]).is_ok();
            assert!(told, "the thread waits for as long as the alarm is open");
        }
        Ok(())
    }

    /// Ends it.
    pub(crate) fn stop(&self) {
        let service = &mut *self.service.lock().unwrap_or_else(PoisonError::into_inner);
        if let Service::Running(Running { alarm, thread, .. }) = std::mem::replace(service, Service::Over) {
            drop(alarm);
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    }
}

/// The networks whose addresses are not asked for outside: where the lab leads to the internet or to the machine, those are all.
fn networks_inside(topology: &Topology) -> Vec<Prefix> {
    if topology.only(Role::Internet).is_some() || topology.only(Role::Uplink).is_some() {
        return [IpAddr::from([0; 4]), IpAddr::from([0; 16])].map(Prefix::everything).into();
    }
    let own = ["127.0.0.0/8", "::1/128"].map(|own| own.parse().expect("it is written here"));
    own.into_iter().chain(topology.segments.iter().flat_map(|segment| segment.networks).flatten()).collect()
}
