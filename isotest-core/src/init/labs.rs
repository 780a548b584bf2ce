//! What do the labs of a test say, and what follows for its report? Where their hosts try to go is counted by the kernel, or written down
//! in the ledger.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::egress;
use crate::Egress;
use crate::hatch::{Counted, Hatch, Heard, Message};
use crate::ledger::Ledger;
use crate::outcome::{Failure, Stage};
use crate::own::{Attempts, Own};
use crate::report::Report;

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
}

impl Labs {
    /// Listens in the calling thread's network, which is the test's own.
    pub(super) fn open(own: Own, egress: &Egress) -> Result<Option<Labs>, Failure> {
        let hatch = Hatch::open().map_err(|errno| Failure {
            step: "opening a socket for what the test's labs say".to_owned(),
            stage: Stage::Other,
            errno: errno as i32,
        })?;
        let mut ledger = Ledger::new(egress);
        if own.attempts == Attempts::All {
            ledger.look_at_own_network(own.mounts)?;
        }
        Ok(Some(Labs { hatch, ledger, told: own.attempts, counted: BTreeMap::new(), attempts: 0 }))
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
                Heard::Gone => {
                    // While it is still known what was inside of it.
                    self.ledger.take();
                    self.ledger.forget(lab);
                    self.attempts += self.counted.remove(&lab).map_or(0, |networks| attempts_in(&networks));
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

    /// Reports what there was.
    pub(super) fn close(self, report: &mut Report) {
        let counted = self.counted.values().map(|networks| attempts_in(networks)).sum::<u64>() + self.attempts;
        let (seen, destinations) = self.ledger.close();
        report.egress = report.egress.map(|own| own + counted + seen);
        if self.told == Attempts::All {
            report.destinations = destinations;
        }
    }
}

/// How many attempts the kernel has counted in these networks. Init goes there and comes back.
fn attempts_in(networks: &[(OwnedFd, Counted)]) -> u64 {
    let Ok(own) = File::open("self/ns/net") else { return 0 };
    let count = |(network, counted): &(OwnedFd, Counted)| match (setns(network, CloneFlags::CLONE_NEWNET), counted) {
        (Ok(()), Counted::Sent) => egress::attempts(),
        (Ok(()), Counted::Passing) => egress::attempts() + egress::not_passed_on(),
        (Err(_), _) => 0,
    };
    let attempts = networks.iter().map(count).sum();
    setns(&own, CloneFlags::CLONE_NEWNET).expect("init may go back to where it was");
    attempts
}

/// One for each host of each lab. Not before there is one: the test has been copied from init then, and keeps its own limit.
fn allow_many_descriptors() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok(); // As many as there may be, then.
    }
}
