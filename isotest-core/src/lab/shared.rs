//! What do all handles of one lab share? First a drawing, then what was built from it.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::barriers::{self, Barriers};
use super::describe::Remarks;
use super::engine::Engine;
use super::error::{Error, Result};
use super::faults::Faults;
use super::host::Host;
use super::internet::Outside;
use super::network::Network;
use super::plan::Space;
use super::rules::Tables;
use super::stats;
use super::topology::{At, HERE, INTERNET, Role, Topology, UPLINK};
use super::{departure, describe, engine, failure, remarks, rules, seed, translation};

/// One lab.
#[derive(Debug)]
pub(crate) struct Shared {
    seed: u64,
    outside: Arc<Outside>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    topology: Topology,
    barriers: Barriers,
    stage: Stage,
}

impl State {
    fn view(&self, draw: impl FnOnce(&Topology, Remarks<'_>) -> String) -> String {
        draw(&self.topology, &|at| remarks::of(&self.topology, &self.barriers, at))
    }
}

/// How far it is.
#[derive(Clone, Debug)]
enum Stage {
    Drawn,
    Up(Arc<Network>),
    /// It could not be built, and why.
    Failed(Error),
    /// Its [`super::Lab`] was dropped.
    Gone,
}

impl Shared {
    pub(crate) fn new(seed: Option<u64>) -> Result<Shared> {
        let attempt = "making a lab";
        let Some(own) = crate::entry::own() else {
            let cause = "this is not inside a sandbox, and would change the machine's own network";
            return Err(Error::new(attempt, cause).remedy("put `#[isotest]` on the test, or run it by `cargo isotest`"));
        };
        if !own.network {
            let cause = "this test shares the machine's network";
            return Err(Error::new(attempt, cause).remedy(
                "take `net = \"host\"` away from the test, or `isolation = false` and ISOTEST_UNAVAILABLE=run from its run",
            ));
        }
        Ok(Shared {
            seed: seed.map_or_else(seed::choose, Ok)?,
            outside: Arc::default(),
            state: Mutex::new(State {
                topology: Topology::default(),
                barriers: Barriers::default(),
                stage: Stage::Drawn,
            }),
        })
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the drawing, for somebody who attempts something.
    pub(crate) fn draw<T>(&self, attempt: impl Display, change: impl FnOnce(&mut Topology) -> Result<T>) -> Result<T> {
        let mut state = self.state();
        match &state.stage {
            Stage::Drawn => change(&mut state.topology),
            Stage::Up(_) => Err(Error::new(attempt.to_string(), "the lab is up already")
                .remedy("add all hosts and links, and choose their addresses, before the first host is entered")),
            Stage::Failed(error) => Err(not_built(attempt.to_string(), error)),
            Stage::Gone => Err(gone(attempt.to_string())),
        }
    }

    /// Says what is wrong with a cable from each of these ends on, whether it is drawn or up.
    pub(crate) fn break_down(&self, from: &[At], faults: &Faults) -> Result<()> {
        let mut state = self.state();
        let State { topology, stage, .. } = &mut *state;
        for at in from {
            let attempt = || format!("changing the faults of {}", topology.link_name(at.cable));
            let by_kernel = topology.engine == Engine::Kernel;
            if by_kernel {
                engine::check(faults, &topology.link_name(at.cable))?;
            }
            match stage {
                Stage::Drawn => topology.cables[at.cable].wired = true,
                Stage::Up(network) if by_kernel => {
                    let mut spaces = network.spaces.lock().unwrap_or_else(PoisonError::into_inner);
                    engine::set(topology, *at, faults, &mut spaces)?;
                }
                Stage::Up(network) if topology.cables[at.cable].wired => {
                    if let Some(wires) = &network.wires {
                        // What was sent before meets what was wrong before.
                        wires.wait_until_taken(*at, || stats::sent(topology, *at, &mut network.spaces()))?;
                        wires.set(*at, faults.clone())?;
                    }
                }
                Stage::Up(_) => {
                    let cause =
                        "the lab is up, and this link was built without what carries packets over links with faults";
                    let remedy = "ask for `link.wired()`, or for its first faults, before the first host is entered";
                    return Err(Error::new(attempt(), cause).remedy(remedy));
                }
                Stage::Failed(error) => return Err(not_built(attempt(), error)),
                Stage::Gone => return Err(gone(attempt())),
            }
            topology.cables[at.cable].faults[at.end] = faults.clone();
        }
        Ok(())
    }

    /// Reads the drawing.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Topology) -> T) -> T {
        read(&self.state().topology)
    }

    /// Draws it, with what is to be said of each link's ends at the moment.
    pub(crate) fn view(&self, draw: impl FnOnce(&Topology, Remarks<'_>) -> String) -> String {
        self.state().view(draw)
    }

    /// Changes what is let through, in the drawing or in what was built from it.
    pub(crate) fn bar(&self, attempt: &str, change: impl FnOnce(&mut Barriers)) -> Result<()> {
        let mut state = self.state();
        let mut wanted = state.barriers.clone();
        change(&mut wanted);
        match &state.stage {
            Stage::Drawn => {}
            Stage::Up(network) => {
                let tables = |barriers| barriers::tables(&state.topology, barriers);
                let there = tables(&state.barriers);
                let changed = rules::difference(&there, &tables(&wanted));
                let mut vanished = network.vanished.lock().unwrap_or_else(PoisonError::into_inner);
                vanished.keep(&changed, &there, &mut network.spaces())?;
                network.change_rules(attempt, changed)?;
            }
            Stage::Failed(error) => return Err(not_built(attempt, error)),
            Stage::Gone => return Err(gone(attempt)),
        }
        state.barriers = wanted;
        Ok(())
    }

    /// Whether a host has crashed, and not been restarted.
    pub(crate) fn has_crashed(&self, node: usize) -> bool {
        self.state().barriers.crashed.contains(&node)
    }

    /// Makes a router forget what it has translated.
    pub(crate) fn forget_connections(&self, node: usize, attempt: &str) -> Result<()> {
        let state = self.state();
        let space = Space::Node(node);
        match (&state.stage, translation::tables(&state.topology).remove(&space)) {
            (Stage::Up(network), Some(tables)) => {
                network.change_rules(attempt, Tables::from([(space, tables)]))?;
                rules::forget_connections(attempt, &mut network.spaces(), space)
            }
            _ => Ok(()),
        }
    }

    /// The number of a host, if it is of this lab.
    pub(crate) fn node_of(&self, host: &Host) -> Result<usize> {
        if std::ptr::eq(self, host.lab()) {
            return Ok(host.node());
        }
        let attempt = format!("connecting `{}`", host.name());
        Err(Error::new(attempt, "it belongs to another lab")
            .remedy("add it to the same lab as what it is connected to"))
    }

    /// The node of the test body's own network.
    pub(crate) fn here(&self) -> Result<usize> {
        self.only(Role::Here, HERE)
    }

    /// The node that stands for all that is outside.
    pub(crate) fn internet(&self) -> Result<usize> {
        self.only(Role::Internet, INTERNET)
    }

    /// The node by which the machine is reached.
    pub(crate) fn uplink(&self) -> Result<usize> {
        self.only(Role::Uplink, UPLINK)
    }

    fn only(&self, role: Role, name: &str) -> Result<usize> {
        match self.read(|topology| topology.only(role)) {
            Some(node) => Ok(node),
            None => self.draw(format!("adding `{name}`"), |topology| topology.add_node(name, role)),
        }
    }

    /// What lies outside.
    pub(crate) fn outside(&self) -> &Arc<Outside> {
        &self.outside
    }

    /// Builds it, once, for somebody who attempts something.
    pub(crate) fn up(&self, attempt: impl Display) -> Result<Arc<Network>> {
        let mut state = self.state();
        match &state.stage {
            Stage::Up(network) => return Ok(Arc::clone(network)),
            Stage::Failed(error) => return Err(not_built(attempt.to_string(), error)),
            Stage::Gone => return Err(gone(attempt.to_string())),
            Stage::Drawn => {}
        }
        if let Err(error) = state.topology.lay_lines() {
            state.stage = Stage::Failed(error.clone());
            return Err(error);
        }
        let name = failure::name();
        failure::note(format!("{name} was\n\n{}", state.view(describe::drawn)));
        failure::note(seed::told(&name, self.seed));
        let mut tables = barriers::tables(&state.topology, &state.barriers);
        for (space, more) in translation::tables(&state.topology) {
            tables.entry(space).or_default().extend(more);
        }
        let built = Network::build(&state.topology, tables, self.seed, &self.outside).map(Arc::new);
        if built.is_err() {
            self.outside.close();
        }
        state.stage = match &built {
            Ok(network) => Stage::Up(Arc::clone(network)),
            Err(error) => Stage::Failed(error.clone()),
        };
        built
    }

    /// Ends all that runs in it. The namespaces go with the last descriptor that leads to them.
    pub(crate) fn take_down(&self) {
        let stage = std::mem::replace(&mut self.state().stage, Stage::Gone);
        if let Stage::Up(network) = stage {
            network.end(&self.outside);
            self.read(|topology| departure::leave(topology, &network));
        }
    }
}

/// What was attempted in a lab of which it has been said already why it can't be built.
fn not_built(attempt: impl Into<String>, why: &Error) -> Error {
    Error::new(attempt, format!("the lab was not built, since this failed: {why}"))
}

fn gone(attempt: impl Into<String>) -> Error {
    Error::new(attempt, "the lab is gone").remedy("keep the `Lab` alive as long as its hosts are used")
}
