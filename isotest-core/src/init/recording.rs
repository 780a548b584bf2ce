//! How does init record what goes over the test's network, and over those of its labs? Beside its other work, so that no process more is
//! in the sandbox, and until nobody is left who could send anything.

use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::recorder::hatch::Hatch;
use crate::recorder::{self, Recorder};
use crate::report::Captured;

/// What is recorded, and from whom more is taken.
#[derive(Debug)]
pub(super) struct Recording {
    recorder: Recorder,
    hatch: Hatch,
}

impl Recording {
    /// Begins with the network that init is in.
    pub(super) fn start(file: &OwnedFd, test: &str) -> nix::Result<Recording> {
        let errno = |error: std::io::Error| error.raw_os_error().map_or(Errno::EIO, Errno::from_raw);
        let mut recorder = Recorder::new(File::from(file.try_clone().map_err(errno)?), test).map_err(errno)?;
        recorder.add(recorder::open()?, String::new(), None);
        Ok(Recording { recorder, hatch: Hatch::open()? })
    }

    /// What to wait for.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.hatch.sources().chain(self.recorder.sockets())
    }

    /// How long to wait for it at most.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.recorder.patience()
    }

    /// Takes what has come.
    pub(super) fn take(&mut self) {
        let handed_over = self.hatch.take();
        if !handed_over.is_empty() {
            allow_many_descriptors();
        }
        for (label, socket) in handed_over {
            self.recorder.add(socket, label, None);
        }
        self.recorder.take();
    }

    /// Ends it, when nobody is left who could send anything.
    pub(super) fn finish(mut self) -> Captured {
        self.take();
        self.recorder.finish()
    }
}

/// One for each host of each lab. Not before there is one: the test has been copied from init then, and keeps its own limit.
fn allow_many_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok(); // As many as there may be, then.
    }
}
