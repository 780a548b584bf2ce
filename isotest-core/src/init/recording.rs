//! How does init record what goes over the test's network, and over those of its labs? Beside its other work, so that no process more is
//! in the sandbox, and until nobody is left who could send anything.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::recorder::{self, Recorder};
use crate::report::Captured;
use crate::stamps;
use crate::sys::errno;

/// What is recorded.
#[derive(Debug)]
pub(super) struct Recording {
    recorder: Recorder,
}

impl Recording {
    /// Begins with the network that init is in.
    pub(super) fn start(file: &OwnedFd, test: &str) -> nix::Result<Recording> {
        let mut recorder = Recorder::new(File::from(file.try_clone().map_err(errno)?), test).map_err(errno)?;
        let stamps = stamps::wait()?;
        recorder.add(recorder::open()?, String::new(), None);
        drop(stamps); // The socket wants to know as well.
        Ok(Recording { recorder })
    }

    /// What to wait for.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.recorder.sockets()
    }

    /// How long to wait for it at most.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.recorder.patience()
    }

    /// Takes another network in, by a socket of [`recorder::open`].
    pub(super) fn add(&mut self, label: String, socket: OwnedFd) {
        self.recorder.add(socket, label, None);
    }

    /// Takes what has come.
    pub(super) fn take(&mut self) {
        self.recorder.take();
    }

    /// Ends it, when nobody is left who could send anything.
    pub(super) fn finish(mut self) -> Captured {
        self.take();
        self.recorder.finish()
    }
}
