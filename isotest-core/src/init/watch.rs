//! What of the network does init look at while it waits for the test?

use std::os::fd::BorrowedFd;
use std::time::Duration;

use super::recording::Recording;
use crate::Egress;
use crate::outcome::Failure;
use crate::report::Report;

/// All that it looks at.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Packets.
    pub(super) recording: Option<Recording>,
    /// Attempts to go elsewhere.
    pub(super) ledger: Option<Ledger>,
}

impl Watch {
    /// What to wait for.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let recording = self.recording.iter().flat_map(Recording::sources);
        recording.chain(self.ledger.iter().map(Ledger::source))
    }

    /// How long to wait for it at most.
    pub(super) fn patience(&self) -> Option<Duration> {
        let recording = self.recording.as_ref().and_then(Recording::patience);
        recording.into_iter().chain(self.ledger.as_ref().and_then(Ledger::patience)).min()
    }

    /// Takes what has come.
    pub(super) fn take(&mut self) {
        // First, because somebody waits for its answer.
        if let Some(ledger) = &mut self.ledger {
            ledger.take();
        }
        if let Some(recording) = &mut self.recording {
            recording.take();
        }
    }
}

/// The ledger, which is built of a lab's parts.
#[cfg(feature = "lab")]
#[derive(Debug)]
pub(super) struct Ledger(crate::ledger::Ledger);

#[cfg(feature = "lab")]
impl Ledger {
    pub(super) fn open(own_mounts: bool) -> Result<Ledger, Failure> {
        crate::ledger::Ledger::open(own_mounts).map(Ledger)
    }

    pub(super) fn source(&self) -> BorrowedFd<'_> {
        self.0.source()
    }

    pub(super) fn patience(&self) -> Option<Duration> {
        self.0.patience()
    }

    pub(super) fn take(&mut self) {
        self.0.take();
    }

    /// Reports what is in it.
    pub(super) fn close(self, egress: &Egress, report: &mut Report) {
        let (attempts, destinations) = self.0.close();
        report.egress = report.egress.map(|without_a_route| without_a_route + attempts);
        report.destinations = crate::report::Destinations::of(destinations, egress);
    }
}

/// There is none.
#[cfg(not(feature = "lab"))]
#[derive(Debug)]
pub(super) enum Ledger {}

#[cfg(not(feature = "lab"))]
impl Ledger {
    pub(super) fn open(_own_mounts: bool) -> Result<Ledger, Failure> {
        let step =
            "recording where the test tries to go takes the feature `lab` of isotest-core, which is off".to_owned();
        Err(Failure { step, stage: crate::outcome::Stage::Spec, errno: 0 })
    }

    pub(super) fn source(&self) -> BorrowedFd<'_> {
        match *self {}
    }

    pub(super) fn patience(&self) -> Option<Duration> {
        match *self {}
    }

    pub(super) fn take(&mut self) {
        match *self {}
    }

    pub(super) fn close(self, _egress: &Egress, _report: &mut Report) {
        match self {}
    }
}
