//! What do the labs of a test say, and what follows for its report? Where their hosts try to go is counted by the kernel, or written down
//! in the ledger.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::Egress;
use crate::hatch::{Counted, Hatch, Heard, Message};
use crate::ledger::{Closed, Ledger};
use crate::no_route;
use crate::outcome::{Failure, Stage};
use crate::own::{Attempts, Own};
use crate::report::Report;
use crate::sys::errno;

/// What init knows of them.
#[derive(Debug)]
pub(super) struct Labs {
    hatch: Hatch,
    ledger: Ledger,
    told: Attempts,
    /// The networks whose counters are read when their lab is gone, by the lab's number. They are held here, because the test may end
    /// without a word.
    counted: BTreeMap<u64, Vec<(OwnedFd, Counted)>>,
    /// How many attempts there were in those that are gone.
    attempts: u64,
    /// What kept init from seeing all of them, first.
    unseen: Option<Failure>,
}

impl Labs {
    /// Listens in the calling thread's network, which is the test's own.
    pub(super) fn open(own: Own, egress: &Egress) -> Result<Option<Labs>, Failure> {
        let hatch =
            Hatch::open().map_err(|errno| failed("opening a socket for what the test's labs say", errno as i32))?;
        let mut ledger = Ledger::new(egress);
        if own.attempts == Attempts::All {
            ledger.look_at_own_network(own.mounts)?;
        }
        Ok(Some(Labs { hatch, ledger, told: own.attempts, counted: BTreeMap::new(), attempts: 0, unseen: None }))
    }

    /// What to wait for.
    pub(super) fn sources(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.hatch.sources().chain(self.ledger.sockets())
    }

    /// How long to wait for it at most.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.ledger.patience()
    }

    /// Takes what has come; gives what is to be captured.
    pub(super) fn take(&mut self) -> Vec<(String, OwnedFd)> {
        let mut to_capture = Vec::new();
        for (lab, heard) in self.hatch.take(allow_many_descriptors) {
            match heard {
                Heard::Said(message, descriptors) => {
                    self.learn(lab, message, descriptors.into_iter(), &mut to_capture);
                }
                Heard::Gone(lost, seen) => {
                    self.has_missed("hearing what a lab says", lost);
                    self.ledger.forget(lab);
                    self.count_in(lab);
                    drop(seen);
                }
            }
        }
        self.ledger.take();
        to_capture
    }

    fn learn(
        &mut self,
        lab: u64,
        message: Message,
        descriptors: impl Iterator<Item = OwnedFd>,
        to_capture: &mut Vec<(String, OwnedFd)>,
    ) {
        match message {
            Message::Capture(label) => to_capture.extend(descriptors.map(|socket| (label.clone(), socket))),
            Message::Count(what) => {
                self.counted.entry(lab).or_default().extend(descriptors.map(|network| (network, what)));
            }
            Message::Beyond => descriptors.for_each(|socket| self.ledger.look_at(lab, socket)),
            Message::Book(book) => self.ledger.learn(lab, book),
            Message::Asked { host, name } => self.ledger.asked(&name, host),
        }
    }

    /// Counts the attempts in a lab that is gone, or is not looked at any more.
    fn count_in(&mut self, lab: u64) {
        let networks = self.counted.remove(&lab).unwrap_or_default();
        match attempts_in(&networks) {
            Ok(attempts) => self.attempts += attempts,
            Err(errno) => self.has_missed("counting in the networks of a lab", Err(errno)),
        }
    }

    fn has_missed(&mut self, attempt: &str, lost: nix::Result<()>) {
        if let Err(errno) = lost {
            self.unseen.get_or_insert_with(|| failed(attempt, errno as i32));
        }
    }

    /// Reports what there was.
    pub(super) fn close(mut self, report: &mut Report) {
        let left: Vec<_> = self.counted.keys().copied().collect();
        left.into_iter().for_each(|lab| self.count_in(lab));
        let Closed { attempts, destinations, unseen } = self.ledger.close();
        let unseen = match unseen {
            Ok(0) => None,
            Ok(1) => Some(failed("a packet that was to leave came faster than it could be looked at", 0)),
            Ok(packets) => Some(failed(
                &format!("{packets} packets that were to leave came faster than they could be looked at"),
                0,
            )),
            Err(errno) => Some(failed("counting the packets that were to leave", errno as i32)),
        };
        report.egress = report.egress.map(|own| own + self.attempts + attempts);
        report.egress_unseen = report.egress_unseen.take().or(self.unseen).or(unseen);
        if self.told == Attempts::All {
            report.destinations = destinations;
        }
    }
}

fn failed(step: &str, errno: i32) -> Failure {
    Failure { step: step.to_owned(), stage: Stage::Other, errno }
}

/// How many attempts the kernel has counted in these networks. Init goes there and comes back.
fn attempts_in(networks: &[(OwnedFd, Counted)]) -> nix::Result<u64> {
    if networks.is_empty() {
        return Ok(0);
    }
    let own = File::open("self/ns/net").map_err(errno)?;
    let count = |(network, counted): &(OwnedFd, Counted)| {
        setns(network, CloneFlags::CLONE_NEWNET)?;
        let tables = Path::new("self/net");
        let passing = match counted {
            Counted::Sent => 0,
            Counted::Passing(before) => no_route::passing(tables)?.saturating_sub(*before),
        };
        Ok(no_route::sent(tables)? + passing)
    };
    let attempts = networks.iter().map(count).sum();
    setns(&own, CloneFlags::CLONE_NEWNET).and(attempts)
}

/// One for each host of each lab. Not before there is one: the test has been copied from init then, and keeps its own limit.
fn allow_many_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok(); // As many as there may be, then.
    }
}
