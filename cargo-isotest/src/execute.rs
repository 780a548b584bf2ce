//! Runs the tests, several at once, each in a sandbox: one loop that waits for whatever comes next.

mod finished;
mod variables;
mod wait;

use std::collections::HashMap;
use std::io;
use std::num::NonZeroUsize;
use std::time::Duration;

use isotest::runner::{Isolation, Unavailable};
use nix::sys::signal::Signal;

use crate::clock::Clock;
use crate::config::TestSettings;
use crate::event::{Attempt, Case, Event, Slowness, Why};
use crate::interrupt::{Interrupt, News};
use crate::keys::{Keys, Typed};
use crate::list::Listed;
use crate::patience::Due;
use crate::processes::Family;
use crate::running::{Asked, Running};
pub(crate) use variables::OfTheRun;

use crate::schedule::{Needs, Rounds, Schedule, Tolerance};

/// How the tests are run, beside what each of them says.
pub(crate) struct Manner {
    /// How many CPUs there are.
    pub(crate) cpus: NonZeroUsize,
    /// How many threads tests may have at once.
    pub(crate) threads: usize,
    /// Whether output is shown as it comes.
    pub(crate) live: bool,
    /// What happens to tests that can't be isolated.
    pub(crate) unavailable: Unavailable,
    /// After how many failures to stop.
    pub(crate) tolerance: Tolerance,
    /// How often all are run.
    pub(crate) rounds: Rounds,
    /// For how long rounds begin.
    pub(crate) rounds_for: Option<Duration>,
    /// After how long everything ends.
    pub(crate) global_timeout: Option<Duration>,
    /// The limits that groups of tests share, by name.
    pub(crate) groups: Vec<(String, usize)>,
    /// In which order the tests start.
    pub(crate) order: Vec<usize>,
    /// What every test is told in its environment.
    pub(crate) variables: OfTheRun,
    /// How often the report wants to hear that time has passed.
    pub(crate) tick: Option<Duration>,
    /// Whether keys in the terminal are for us.
    pub(crate) keys: bool,
}

/// Runs all of `listed`; `tell` hears of each event as it comes.
///
/// # Errors
///
/// When this program's own waiting fails.
pub(crate) fn all<'a>(
    listed: &Listed<'a>,
    manner: &Manner,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(Event<'_, 'a>),
) -> io::Result<()> {
    let needs = manner.order.iter().map(|&at| needs(&listed.tests[at].settings, manner));
    let groups: Vec<usize> = manner.groups.iter().map(|(_, most)| *most).collect();
    let mut run = Execution {
        listed,
        manner,
        schedule: Schedule::new(needs.collect(), manner.threads, &groups, manner.rounds, manner.tolerance),
        clock: Clock::start(),
        running: Vec::new(),
        ready: Vec::new(),
        resting: Vec::new(),
        failed: HashMap::new(),
        stopping: false,
        keys: manner.keys.then(Keys::listen).flatten(),
        typed: false,
        buffer: vec![0; 64 * 1024],
        tell,
    };
    loop {
        run.start_what_may();
        if run.schedule.is_over() {
            run.conclude_waiting();
            return Ok(());
        }
        run.wait(interrupt)?;
        if let Some(why) = run.look_around(interrupt)? {
            run.stop_everything(why);
            return Ok(()); // The servers end with `listed`, and every sandbox with its server.
        }
    }
}

/// What a test takes of what others may want, too.
fn needs(settings: &TestSettings, manner: &Manner) -> Needs {
    let test_threads = NonZeroUsize::new(manner.threads).unwrap_or(NonZeroUsize::MIN);
    let threads = settings.threads_required.value.on(manner.cpus, test_threads).get();
    let group = settings.group.value.as_deref();
    let group = group.and_then(|name| manner.groups.iter().position(|(group, _)| group == name));
    Needs { threads, group }
}

struct Execution<'e, 'a> {
    listed: &'e Listed<'a>,
    manner: &'e Manner,
    schedule: Schedule,
    clock: Clock,
    running: Vec<InFlight>,
    /// Which of their sources have something to take, in order.
    ready: Vec<bool>,
    /// Jobs that are to be run again, and when.
    resting: Vec<(Duration, usize)>,
    /// What came before, of jobs that have failed and are run again.
    failed: HashMap<usize, Vec<Attempt>>,
    /// Whether everything is to stop.
    stopping: bool,
    keys: Option<Keys>,
    /// Whether there is something to take from the keys.
    typed: bool,
    buffer: Vec<u8>,
    tell: &'e mut dyn FnMut(Event<'_, 'a>),
}

/// A job that is running.
struct InFlight {
    job: usize,
    number: u32,
    running: Running,
}

impl<'e, 'a> Execution<'e, 'a> {
    fn start_what_may(&mut self) {
        while let Some(job) = self.schedule.next() {
            let number = self.failed.get(&job).map_or(1, |attempts| attempts.len() as u32 + 1);
            let case = self.case(job);
            (self.tell)(Event::Started(case, number));
            self.start(job, number, case.test.isolation);
        }
    }

    fn start(&mut self, job: usize, number: u32, isolation: Isolation) {
        let case = self.case(job);
        let label = format!("{}-{job}-{number}", std::process::id());
        let environment = variables::of(case, number, &self.manner.variables);
        let asked = Asked { label: &label, copy: case.copy, attempt: number, environment: &environment };
        match Running::start(case.test, case.ready, &asked, isolation, self.clock.now()) {
            Ok(running) => self.running.push(InFlight { job, number, running }),
            Err(failure) => {
                let attempt = Attempt::failed(number, failure, isolation);
                self.stopping |= self.attempted(job, attempt);
            }
        }
    }

    /// A job's test. Jobs are numbered in the order in which they start, round after round.
    fn case(&self, job: usize) -> Case<'e, 'a> {
        let tests = self.manner.order.len();
        let test = &self.listed.tests[self.manner.order[job % tests]];
        let copy = (self.manner.rounds != Rounds::Count(1)).then_some(job / tests);
        Case { test, ready: &self.listed.binaries[test.binary], copy }
    }

    /// Does what is due; says why everything is to stop, if it is.
    fn look_around(&mut self, interrupt: &Interrupt) -> io::Result<Option<Why>> {
        let mut asked = false;
        match interrupt.news() {
            Some(News::Stop(signal)) => return Ok(Some(Why::Signal(signal))),
            Some(News::Pause) => self.pause()?,
            Some(News::Tell) => asked = true,
            Some(News::PassOn) => Family::read()?.interrupt_tests(),
            None => {}
        }
        if std::mem::take(&mut self.typed)
            && let Some(keys) = &mut self.keys
        {
            match keys.read() {
                Typed::Question => asked = true,
                Typed::Nothing => {}
                Typed::End => self.keys = None,
            }
        }
        let now = self.clock.now();
        if self.manner.global_timeout.is_some_and(|timeout| timeout <= now) {
            return Ok(Some(Why::GlobalTimeout));
        }
        if self.manner.rounds_for.is_some_and(|time| time <= now) {
            self.schedule.begin_no_round();
        }
        for at in 0..self.running.len() {
            let case = self.case(self.running[at].job);
            let running = &mut self.running[at].running;
            while let Some(due) = running.due(now) {
                let slowness = Slowness { elapsed: running.elapsed(now), terminating: due == Due::Terminate };
                if due != Due::Kill {
                    (self.tell)(Event::Slow(case, slowness));
                }
            }
        }
        let (rested, resting) = std::mem::take(&mut self.resting).into_iter().partition(|(until, _)| *until <= now);
        self.resting = resting;
        for (_, job) in rested {
            self.schedule.rested(job);
        }
        if self.manner.tick.is_some() {
            (self.tell)(Event::Tick);
        }
        self.take_what_came();
        if asked {
            self.tell_what_runs()?;
        }
        Ok(self.stopping.then_some(Why::Failures))
    }

    /// Somebody wants to know what the tests do. What they have written before is told, however late we come to read it.
    fn tell_what_runs(&mut self) -> io::Result<()> {
        self.look_for_output()?;
        self.take_what_came();
        let (now, family) = (self.clock.now(), Family::read()?);
        let mut running = std::mem::take(&mut self.running);
        let glimpses = running.iter_mut().map(|in_flight| {
            let InFlight { job, number, running } = in_flight;
            running.glimpse(self.case(*job), *number, &family, now)
        });
        let glimpses = glimpses.collect::<io::Result<Vec<_>>>();
        self.running = running;
        (self.tell)(Event::Asked(&glimpses?));
        Ok(())
    }

    /// Ctrl-Z: every sandbox stops with its clock, then this program; `fg` lets both go on.
    fn pause(&mut self) -> io::Result<()> {
        for in_flight in &self.running {
            in_flight.running.pause();
        }
        (self.tell)(Event::Paused);
        self.clock.pause();
        let since = std::time::Instant::now();
        self.keys = None; // Somebody else has the terminal meanwhile.
        nix::sys::signal::raise(Signal::SIGSTOP)?;
        self.keys = self.manner.keys.then(Keys::listen).flatten();
        self.clock.resume();
        for in_flight in &mut self.running {
            in_flight.running.resume(since.elapsed());
        }
        (self.tell)(Event::Resumed);
        Ok(())
    }

    fn stop_everything(&mut self, why: Why) {
        (self.tell)(Event::Stopping(why));
        if why.leaves_questions() && !self.running.is_empty() {
            self.tell_what_runs().ok(); // It is to be stopped all the same.
        }
        self.schedule.stop();
        let now = self.clock.now();
        for in_flight in std::mem::take(&mut self.running) {
            let case = self.case(in_flight.job);
            (self.tell)(Event::Stopped(case, in_flight.running.cut_short(now)));
            self.failed.remove(&in_flight.job);
        }
        self.conclude_waiting();
    }
}
