//! Where is a host, and how does a thread or a program get there?

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use nix::sched::{CloneFlags, setns, unshare};

use super::error::{Error, Result};
use super::files::{self, Views};
use super::names::{Before, Names};
use crate::sys::namespaces::{Destination, start_in};

/// The namespaces of a host.
#[derive(Debug)]
pub(crate) struct Place {
    name: String,
    network: OwnedFd,
    /// Made when somebody enters for the first time: not every host of a large lab is entered.
    rooms: Mutex<Option<Arc<Rooms>>>,
    views: Views,
    names: Arc<Names>,
    /// Which of the lab's nodes it is.
    node: usize,
    #[cfg(feature = "tokio")]
    runtime: Mutex<Option<super::asynchronous::Runtime>>,
}

/// What is a host's own beside its network.
#[derive(Debug)]
pub(crate) struct Rooms {
    network: OwnedFd,
    mounts: OwnedFd,
    names: OwnedFd,
}

impl Destination for Rooms {
    fn network(&self) -> BorrowedFd<'_> {
        self.network.as_fd()
    }

    fn names(&self) -> BorrowedFd<'_> {
        self.names.as_fd()
    }

    fn mounts(&self) -> BorrowedFd<'_> {
        self.mounts.as_fd()
    }
}

impl Rooms {
    /// Those of the test body, whose main thread never enters a host.
    pub(crate) fn here() -> Result<Rooms> {
        Ok(Rooms { network: open("self", "net")?, mounts: open("self", "mnt")?, names: open("self", "uts")? })
    }

    /// The network.
    pub(crate) fn copy_of_network(&self) -> Result<OwnedFd> {
        copy(&self.network)
    }
}

fn copy(descriptor: &OwnedFd) -> Result<OwnedFd> {
    descriptor.try_clone().map_err(|error| Error::io("copying a descriptor of the lab", &error))
}

/// Opens one of a process's or thread's namespaces, `namespaces(7)`.
fn open(who: &str, kind: &str) -> Result<OwnedFd> {
    let path = format!("/proc/{who}/ns/{kind}");
    let opened = File::open(&path).map_err(|error| Error::io(format!("opening {path}"), &error))?;
    Ok(opened.into())
}

impl Place {
    /// A host of which only the network is there yet.
    pub(crate) fn new(
        (node, name): (usize, &str),
        network: &OwnedFd,
        views: Views,
        names: &Arc<Names>,
    ) -> Result<Place> {
        Ok(Place::of((node, name), copy(network)?, None, views, names))
    }

    /// The test body's own place.
    pub(crate) fn here((node, name): (usize, &str), rooms: Rooms, names: &Arc<Names>) -> Result<Place> {
        let network = copy(&rooms.network)?;
        let place = Place::of((node, name), network, Some(Arc::new(rooms)), Views::default(), names);
        // Nobody enters it first: it has always been there.
        names.start()?;
        on_a_thread("lab-furnisher", || place.enter_network().and_then(|()| names.open(node, Before::AnEarlierLab)))?;
        Ok(place)
    }

    fn of(
        (node, name): (usize, &str),
        network: OwnedFd,
        rooms: Option<Arc<Rooms>>,
        views: Views,
        names: &Arc<Names>,
    ) -> Place {
        Place {
            name: name.to_owned(),
            network,
            rooms: Mutex::new(rooms),
            views,
            names: Arc::clone(names),
            node,
            #[cfg(feature = "tokio")]
            runtime: Mutex::default(),
        }
    }

    /// Where its futures run, once there are any.
    #[cfg(feature = "tokio")]
    pub(crate) fn runtime(&self) -> &Mutex<Option<super::asynchronous::Runtime>> {
        &self.runtime
    }

    /// Whether a thread of the test itself may still be there: each keeps it, except the one that runs futures.
    pub(crate) fn is_inhabited(self: &Arc<Self>) -> bool {
        #[cfg(feature = "tokio")]
        if self.runtime.lock().is_ok_and(|runtime| runtime.is_some()) {
            return true;
        }
        Arc::strong_count(self) > 1
    }

    /// The network namespace.
    pub(crate) fn network(&self) -> BorrowedFd<'_> {
        self.network.as_fd()
    }

    /// Moves the calling thread there, for good.
    pub(crate) fn enter(&self) -> Result<()> {
        let rooms = self.rooms()?;
        let failed = |errno| Error::kernel(format!("entering `{}`", self.name), errno);
        let directory = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        // A thread that shares its working directory with others may not change its mounts.
        unshare(CloneFlags::CLONE_FS).map_err(failed)?;
        setns(&rooms.network, CloneFlags::CLONE_NEWNET).map_err(failed)?;
        setns(&rooms.names, CloneFlags::CLONE_NEWUTS).map_err(failed)?;
        setns(&rooms.mounts, CloneFlags::CLONE_NEWNS).map_err(failed)?;
        nix::unistd::chdir(&directory).map_err(failed)
    }

    /// Makes a program start there.
    pub(crate) fn start(&self, command: &mut Command) -> Result<()> {
        start_in(command, self.rooms()?);
        command.envs(self.views.variables.iter().map(|(name, value)| (name, value)));
        Ok(())
    }

    /// The command that leads there from outside of the sandbox, if the test is to be held.
    pub(crate) fn way_in(&self) -> Result<Option<String>> {
        let rooms = self.rooms()?;
        Ok(crate::hold::command_with(&[('n', &rooms.network), ('m', &rooms.mounts), ('u', &rooms.names)]))
    }

    fn rooms(&self) -> Result<Arc<Rooms>> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rooms) = &*rooms {
            return Ok(Arc::clone(rooms));
        }
        let made = Arc::new(self.furnish()?);
        Ok(Arc::clone(rooms.insert(made)))
    }

    /// Makes the namespaces that are missing, on a thread that ends in them.
    fn furnish(&self) -> Result<Rooms> {
        self.names.start()?;
        let furnish = || {
            self.enter_network()?;
            files::furnish(&self.name, &self.views)?;
            self.names.open(self.node, Before::Nothing)?;
            let me = "thread-self";
            Ok(Rooms { network: copy(&self.network)?, mounts: open(me, "mnt")?, names: open(me, "uts")? })
        };
        on_a_thread("lab-furnisher", furnish)
    }

    fn enter_network(&self) -> Result<()> {
        let failed = |errno| Error::kernel(format!("entering `{}`'s network", self.name), errno);
        setns(&self.network, CloneFlags::CLONE_NEWNET).map_err(failed)
    }
}

/// Runs `body` on a thread that ends with it, because it leaves its namespaces.
pub(crate) fn on_a_thread<T: Send>(name: &str, body: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn_scoped(scope, body);
        let thread = thread.map_err(|error| Error::io("starting a thread for the lab", &error))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
