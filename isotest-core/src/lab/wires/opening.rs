//! How does the wires' thread begin? It opens what frames will come in by while the lab is still being built, and carries them from when it
//! is given the engine.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};

use super::super::error::{Error, Result};
use super::intake::{Intake, Room, Start};
use super::{Carrier, Engine};

/// A thread that has begun.
pub(super) struct Opening {
    opened: Receiver<nix::Result<Room>>,
    give: Sender<Arc<Engine>>,
}

impl Opening {
    /// Starts the thread, in this network, for frames of at most so many bytes. It ends with this, or with the engine that it is given.
    pub(super) fn begin(longest: usize, start: Start, network: OwnedFd) -> Result<Opening> {
        let (tell, opened) = channel();
        let (give, given) = channel::<Arc<Engine>>();
        let run = move || {
            let intake = setns(network, CloneFlags::CLONE_NEWNET).and_then(|()| Intake::open(longest, start));
            let (intake, room) = match intake {
                Ok(intake) => {
                    let room = intake.room();
                    (Some(intake), Ok(room))
                }
                Err(errno) => (None, Err(errno)),
            };
            // Who has begun it is gone only where the lab could not be built, or the test has ended.
            if let (Ok(()), Some(intake), Ok(engine)) = (tell.send(room), intake, given.recv()) {
                let ended = Carrier::new(&engine, intake).run();
                ended.unwrap_or_else(|errno| engine.fail(errno));
            }
        };
        let thread = std::thread::Builder::new().name("lab-wires".to_owned()).spawn(run);
        thread.map_err(|error| Error::new("starting a thread for the lab's wires", error.to_string()))?;
        Ok(Opening { opened, give })
    }

    /// Waits until it has opened that; tells what it is.
    pub(super) fn room(&self) -> Result<Room> {
        let room = self.opened.recv().unwrap_or(Err(Errno::ESRCH));
        room.map_err(|errno| Error::kernel("opening a packet socket for the lab's wires", errno))
    }

    /// Has it carry frames.
    pub(super) fn end(self, engine: &Arc<Engine>) {
        self.give.send(Arc::clone(engine)).ok(); // It listens, unless the test has ended.
    }
}
