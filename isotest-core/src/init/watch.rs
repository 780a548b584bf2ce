//! What of the network does init look at while it waits for the test?

use std::os::fd::BorrowedFd;
use std::time::Duration;

#[cfg(feature = "lab")]
pub(super) use super::labs::Labs;
use super::recording::Recording;
use crate::report::Report;

/// All that it looks at.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Packets.
    pub(super) recording: Option<Recording>,
    /// What labs say, and attempts to go elsewhere.
    pub(super) labs: Option<Labs>,
}

impl Watch {
    /// What to wait for.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let recording = self.recording.iter().flat_map(Recording::sources);
        recording.chain(self.labs.iter().flat_map(Labs::sources))
    }

    /// How long to wait for it at most.
    pub(super) fn patience(&self) -> Option<Duration> {
        let recording = self.recording.as_ref().and_then(Recording::patience);
        recording.into_iter().chain(self.labs.as_ref().and_then(Labs::patience)).min()
    }

    /// Takes what has come.
    pub(super) fn take(&mut self) {
        // First, because somebody waits for its answer.
        let to_capture = self.labs.as_mut().map(Labs::take).unwrap_or_default();
        if let Some(recording) = &mut self.recording {
            for (label, socket) in to_capture {
                recording.add(label, socket);
            }
            recording.take();
        }
    }

    /// Takes the last that labs have said, and reports where the test tried to go.
    pub(super) fn close_labs(&mut self, report: &mut Report) {
        self.take();
        if let Some(labs) = self.labs.take() {
            labs.close(report);
        }
    }
}

/// There are none.
#[cfg(not(feature = "lab"))]
#[derive(Debug)]
pub(super) enum Labs {}

#[cfg(not(feature = "lab"))]
impl Labs {
    pub(super) fn open(own: crate::own::Own, _egress: &crate::Egress) -> Result<Option<Labs>, crate::outcome::Failure> {
        if own.attempts != crate::own::Attempts::All {
            return Ok(None);
        }
        let step =
            "recording where the test tries to go takes the feature `lab` of isotest-core, which is off".to_owned();
        Err(crate::outcome::Failure { step, stage: crate::outcome::Stage::Spec, errno: 0 })
    }

    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::empty()
    }

    pub(super) fn patience(&self) -> Option<Duration> {
        match *self {}
    }

    pub(super) fn take(&mut self) -> Vec<(String, std::os::fd::OwnedFd)> {
        match *self {}
    }

    pub(super) fn close(self, _report: &mut Report) {
        match self {}
    }
}
