//! What is there of a lab while it is up, and how does it come to be?

use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::account::Manner;
use super::build::{self, Spaces};
use super::error::Result;
use super::files::{self, HostsFiles};
use super::internet::Outside;
use super::names::Names;
use super::place::{Place, Rooms};
use super::plan::{self, Space};
use super::routes::Hop;
use super::rules::Tables;
use super::settle::Settled;
use super::topology::{Role, Topology};
use super::uplink::{self, WayOut};
use super::vanished::Vanished;
use super::whereabouts::Whereabouts;
use super::wires::Wires;
use super::{account, carrier, check, departure, engine, held, kill, routes, rules};
use crate::own::Attempts;

/// What was built.
#[derive(Debug)]
pub(crate) struct Network {
    /// One for each node.
    pub(crate) places: Vec<Arc<Place>>,
    /// The files of the test body that are covered by the lab's.
    pub(crate) covered: Vec<String>,
    /// The namespaces, with the sockets that change them.
    pub(crate) spaces: Arc<Mutex<Spaces>>,
    /// What vanished at barriers that are there no more.
    pub(crate) vanished: Mutex<Vanished>,
    /// Which hosts hear who asks for them.
    settled: Settled,
    /// Who answers for names.
    names: Arc<Names>,
    /// What carries packets over links with faults.
    pub(crate) wires: Option<Wires>,
    /// How it is connected to the machine.
    pub(crate) way_out: Option<WayOut>,
    /// The way to the test's init, if that wants to know anything.
    init: Option<Arc<OwnedFd>>,
    /// How that learns where its hosts try to go.
    pub(crate) manner: Manner,
}

/// What there is before anything is in the spaces.
struct Begun {
    here: Rooms,
    manner: Manner,
    init: Option<OwnedFd>,
}

impl Network {
    /// Waits until a host that somebody enters hears who asks for it.
    pub(crate) fn settle(&self, node: usize, host: &str) -> Result<()> {
        if self.settled.has(node) {
            return Ok(());
        }
        self.settled.wait(node, host, &mut self.spaces())
    }

    pub(crate) fn build(topology: &Topology, tables: Tables, seed: u64, outside: &Arc<Outside>) -> Result<Network> {
        let routes = routes::of_all(topology);
        check::check(topology, &routes)?;
        let here = Rooms::here()?;
        let wanted = crate::entry::own().map_or(Attempts::Nothing, |own| own.attempts);
        let manner = account::manner(topology, &routes, wanted);
        let wanted = plan::spaces(topology).into_iter().chain(manner.sees().then_some(Space::Beyond));
        let own = here.copy_of_network()?;
        let mut spaces = Spaces::new();
        let made = build::namespaces(topology, &wanted.collect::<Vec<_>>(), &own, manner);
        let built = made.and_then(|(made, init)| {
            spaces = made;
            let begun = Begun { here, manner, init };
            Network::build_in(&mut spaces, begun, (topology, &routes), tables, seed, outside)
        });
        if built.is_err() {
            departure::abandon(topology, manner, spaces, &own);
        }
        built
    }

    /// Builds it in these spaces, and takes them.
    fn build_in(
        spaces: &mut Spaces,
        Begun { here, manner, init }: Begun,
        (topology, routes): (&Topology, &[Vec<Hop>]),
        tables: Tables,
        seed: u64,
        outside: &Arc<Outside>,
    ) -> Result<Network> {
        let opening = Wires::open(topology, spaces)?;
        build::carry_out(&plan::steps(topology, routes), spaces)?;
        carrier::wait(&plan::first_up(topology), spaces)?;
        let settled = Settled::those_that_nobody_enters(topology, spaces)?;
        engine::start(topology, spaces)?;
        let wires = opening.map(|opening| Wires::start(opening, topology, seed, spaces)).transpose()?;
        let way_out = uplink::connect(topology, spaces)?;
        rules::replace("building the lab's address translation and barriers", spaces, tables)?;
        let init = init.map(Arc::new);
        if let Some(init) = &init {
            account::open((topology, routes), manner, spaces, init)?;
        }
        let whereabouts = Arc::new(Whereabouts::of(topology));
        let hosts = HostsFiles::of(topology, &whereabouts);
        let views = files::of(topology, &hosts, outside)?;
        let listener = init.clone().filter(|_| manner != Manner::Not);
        let names = Arc::new(Names::of(topology, &whereabouts, outside, listener));
        let mut here = Some(here);
        let mut views_here = None;
        let mut places = Vec::new();
        for (number, node) in topology.nodes.iter().enumerate() {
            let mut views = views.clone();
            if !hosts.are_one() || whereabouts.is_alone(number) {
                views.hosts = Arc::new(hosts.known_to(number));
            }
            let place = match (node.role, here.take_if(|_| node.role == Role::Here)) {
                (Role::Here, Some(rooms)) => {
                    views_here = Some(views).filter(|_| crate::entry::own().is_some_and(|own| own.mounts));
                    Place::here((number, &node.name), rooms, &names)?
                }
                _ => Place::new((number, &node.name), &spaces[&Space::Node(number)].namespace, views, &names)?,
            };
            places.push(Arc::new(place));
        }
        if let Some(internet) = topology.only(Role::Internet) {
            let hosts = topology.ports().flat_map(|(at, _)| topology.addresses(at)).map(|own| own.address());
            outside.open(spaces[&Space::Node(internet)].copy_of_namespace()?, hosts.collect())?;
        }
        held::tell(topology, &places)?;
        // The last that can fail: of a lab that was not built the test's own files show nothing.
        let covered = views_here.map_or(Ok(Vec::new()), |views| files::show_here(&views))?;
        let spaces = Arc::new(Mutex::new(std::mem::take(spaces)));
        wires.iter().for_each(|wires| wires.are_in(&spaces));
        Ok(Network {
            places,
            covered,
            spaces,
            vanished: Mutex::default(),
            settled,
            names,
            wires,
            way_out,
            init,
            manner,
        })
    }

    pub(crate) fn change_rules(&self, attempt: &str, tables: Tables) -> Result<()> {
        rules::replace(attempt, &mut self.spaces(), tables)
    }

    pub(crate) fn spaces(&self) -> MutexGuard<'_, Spaces> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends all that runs in it.
    pub(crate) fn end(&self, outside: &Outside) {
        outside.end();
        kill::all_in(&self.places);
        self.names.stop();
        outside.close();
        self.init.iter().for_each(|init| account::close(init, &self.places));
    }
}
