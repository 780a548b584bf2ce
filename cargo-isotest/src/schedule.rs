//! Which test starts next? A state machine that knows neither processes nor time.
//!
//! A job is one test to be run once; under stress there are many jobs of one test. Jobs are numbered in the order in which they
//! are to start: job `j` is test `j % tests` of round `j / tests`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

/// What a test takes while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// How many of the threads that tests may have at once. More than there are means all.
    pub(crate) threads: usize,
    /// Which group of tests it shares a limit with.
    pub(crate) group: Option<usize>,
}

/// How often all tests are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rounds {
    /// This often.
    Count(usize),
    /// Until [`Schedule::begin_no_round`].
    Endless,
}

/// After how many failures nothing starts any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tolerance {
    /// `None`: however many.
    pub(crate) failures: Option<NonZeroUsize>,
    /// Whether tests that run already are ended then.
    pub(crate) ends_running: bool,
}

/// What follows from the end of a test for the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consequence {
    /// Nothing.
    None,
    /// No other starts.
    NoMore,
    /// No other starts, and those that run are to be ended.
    EndAll,
}

/// What is still to run, and whether anything may still start.
#[derive(Debug)]
pub(crate) struct Schedule {
    tests: Vec<Needs>,
    /// Waiting jobs: those without a group, then those of each group.
    waiting: Vec<BinaryHeap<Reverse<usize>>>,
    groups: Vec<Group>,
    rounds: Rounds,
    begun: usize,
    threads: usize,
    taken: usize,
    running: usize,
    resting: usize,
    tolerance: Tolerance,
    failures: usize,
    stopped: bool,
}

#[derive(Debug)]
struct Group {
    most: usize,
    taken: usize,
}

impl Schedule {
    /// For these tests, in the order in which they are to start; `groups` are the limits that tests share.
    pub(crate) fn new(
        tests: Vec<Needs>,
        threads: usize,
        groups: &[usize],
        rounds: Rounds,
        tolerance: Tolerance,
    ) -> Schedule {
        Schedule {
            waiting: (0..=groups.len()).map(|_| BinaryHeap::new()).collect(),
            groups: groups.iter().map(|&most| Group { most: most.max(1), taken: 0 }).collect(),
            tests,
            rounds,
            begun: 0,
            threads: threads.max(1),
            taken: 0,
            running: 0,
            resting: 0,
            tolerance,
            failures: 0,
            stopped: false,
        }
    }

    /// The job to start now, if there is one and there is room.
    pub(crate) fn next(&mut self) -> Option<usize> {
        if self.stopped || self.taken >= self.threads {
            return None;
        }
        if self.waiting.iter().all(BinaryHeap::is_empty) {
            self.begin_a_round();
        }
        let open = (0..self.waiting.len()).filter(|&queue| self.has_room_in(queue));
        let (job, queue) = open.filter_map(|queue| Some((self.waiting[queue].peek()?.0, queue))).min()?;
        let threads = self.threads_of(job);
        // Whoever is next waits for its threads to be free: if smaller tests went first, it might wait for ever.
        if self.taken + threads > self.threads {
            return None;
        }
        self.waiting[queue].pop();
        self.taken += threads;
        self.running += 1;
        if let Some(group) = self.group_of(job) {
            group.taken += threads;
        }
        Some(job)
    }

    /// A running job has ended, and will not be run again.
    pub(crate) fn ended(&mut self, job: usize, well: bool) -> Consequence {
        self.leave(job);
        if well {
            return Consequence::None;
        }
        self.failures += 1;
        match self.tolerance.failures {
            Some(most) if self.failures >= most.get() => {
                self.stopped = true;
                if self.tolerance.ends_running { Consequence::EndAll } else { Consequence::NoMore }
            }
            _ => Consequence::None,
        }
    }

    /// A running job has ended, and is to be run again after [`Schedule::rested`]. Its place is free meanwhile.
    pub(crate) fn rests(&mut self, job: usize) {
        self.leave(job);
        self.resting += 1;
    }

    /// A job may be run again. It goes before all that wait behind it.
    pub(crate) fn rested(&mut self, job: usize) {
        self.resting -= 1;
        let queue = self.queue_of(job);
        self.waiting[queue].push(Reverse(job));
    }

    /// Nothing starts any more.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether something may still start.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The rounds that have begun are the last.
    pub(crate) fn begin_no_round(&mut self) {
        self.rounds = Rounds::Count(self.begun);
    }

    /// Whether all is over.
    pub(crate) fn is_over(&self) -> bool {
        let waits = !self.waiting.iter().all(BinaryHeap::is_empty) || self.may_begin_a_round();
        self.running == 0 && (self.stopped || !(waits || self.resting > 0))
    }

    fn may_begin_a_round(&self) -> bool {
        let more = match self.rounds {
            Rounds::Count(rounds) => self.begun < rounds,
            Rounds::Endless => true,
        };
        more && !self.tests.is_empty()
    }

    fn begin_a_round(&mut self) {
        if !self.may_begin_a_round() {
            return;
        }
        let first = self.begun * self.tests.len();
        self.begun += 1;
        for job in first..first + self.tests.len() {
            let queue = self.queue_of(job);
            self.waiting[queue].push(Reverse(job));
        }
    }

    fn leave(&mut self, job: usize) {
        let threads = self.threads_of(job);
        self.taken -= threads;
        self.running -= 1;
        if let Some(group) = self.group_of(job) {
            group.taken -= threads;
        }
    }

    fn needs(&self, job: usize) -> Needs {
        self.tests[job % self.tests.len()]
    }

    /// What a job takes: no more than there is, or it could never start.
    fn threads_of(&self, job: usize) -> usize {
        let needs = self.needs(job);
        let most = needs.group.map_or(self.threads, |group| self.groups[group].most.min(self.threads));
        needs.threads.min(most)
    }

    fn queue_of(&self, job: usize) -> usize {
        self.needs(job).group.map_or(0, |group| group + 1)
    }

    fn group_of(&mut self, job: usize) -> Option<&mut Group> {
        let group = self.needs(job).group?;
        self.groups.get_mut(group)
    }

    fn has_room_in(&self, queue: usize) -> bool {
        let Some(group) = queue.checked_sub(1).and_then(|group| self.groups.get(group)) else { return true };
        let next = self.waiting[queue].peek().map_or(0, |job| self.threads_of(job.0));
        group.taken + next <= group.most
    }
}

#[cfg(test)]
mod tests;
