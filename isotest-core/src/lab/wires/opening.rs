//! How does the wires' thread begin? It opens what frames will come in by while the lab is still being built, and carries them from when it
//! is given the engine.

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::sched::{CloneFlags, setns};

use super::super::error::{Error, Result};
use super::Engine;
use super::carry::Carrier;
use super::intake::{Intake, Room, Start};

/// A thread that has begun.
pub(crate) struct Opening {
    ready: Receiver<nix::Result<Room>>,
    give: Sender<Arc<Engine>>,
}

impl Opening {
    /// Starts the thread, in this network, for frames of at most so many bytes, and waits until no frame that comes there is lost any more.
    /// It ends with this, or with the engine that it is given.
    pub(super) fn begin(longest: usize, start: Start, network: OwnedFd) -> Result<Opening> {
        let (tell_opened, opened) = channel();
        let (tell_ready, ready) = channel();
        let (give, given) = channel::<Arc<Engine>>();
        let run = move || {
            let intake = setns(network, CloneFlags::CLONE_NEWNET).and_then(|()| Intake::open(longest));
            let mut intake = match intake {
                Ok(intake) => intake,
                Err(errno) => return tell_opened.send(Err(errno)).unwrap_or_default(), // Who has begun it waits.
            };
            // Who has begun it is gone only where the lab could not be built, or the test has ended.
            if tell_opened.send(Ok(())).is_ok()
                && tell_ready.send(intake.make_ready(start)).is_ok()
                && let Ok(engine) = given.recv()
            {
                carry(&engine, intake);
            }
        };
        let thread = std::thread::Builder::new().name("lab-wires".to_owned()).spawn(run);
        thread.map_err(|error| Error::io("starting a thread for the lab's wires", &error))?;
        heard(&opened)?;
        Ok(Opening { ready, give })
    }

    /// Waits until there is room for more than that takes in by itself, if that is wanted; tells for how much.
    pub(super) fn room(&self) -> Result<Room> {
        heard(&self.ready)
    }

    /// Has it carry frames.
    pub(super) fn carry(self, engine: &Arc<Engine>) {
        self.give.send(Arc::clone(engine)).ok(); // It listens, unless the test has ended.
    }
}

fn heard<T>(answer: &Receiver<nix::Result<T>>) -> Result<T> {
    let attempt = "opening a packet socket for the lab's wires";
    let answer = answer.recv().map_err(|_| Error::new(attempt, "its thread has panicked"))?;
    answer.map_err(|errno| Error::kernel(attempt, errno))
}

/// Carries frames until the lab is gone, or that fails.
fn carry(engine: &Engine, intake: Intake) {
    let attempt = "carrying packets over the lab's wires";
    let mut carrier = Carrier::new(engine, intake);
    // What it was about is not looked at any more, but for the counters.
    match catch_unwind(AssertUnwindSafe(|| carrier.run())) {
        Ok(Ok(())) => {}
        Ok(Err(errno)) => engine.fail(Error::kernel(attempt, errno)),
        Err(_) => engine.fail(Error::new(attempt, "its thread has panicked, as it says above")),
    }
    engine.conclude();
}
