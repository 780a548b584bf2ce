//! What does the wires' thread do? It takes frames from one end of each wire, and gives to the other what is to arrive there.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;

use super::super::order::Cpus;
use super::alarms::Alarms;
use super::credit::Credit;
use super::intake::{Event, Intake, Source};
use super::outbox::{Addressed, Outbox};
use super::way::Verdict;
use super::{Engine, end_of, number_of};
use crate::sys::frames;

/// So many frames at once are a sign of more to come, for so long.
const MANY: usize = 16;
const A_WHILE: Duration = Duration::from_millis(20);
/// After so long it is asked how many were missed: to ask each time would cost a twentieth of all that is carried.
const SOON: Duration = Duration::from_millis(1);

/// Sends frames by this socket.
fn by(socket: &OwnedFd) -> impl FnMut(&[Addressed<'_>]) -> nix::Result<usize> {
    |frames| frames::send(socket, frames.iter().copied())
}

/// The thread's own things.
pub(super) struct Carrier<'a> {
    engine: &'a Engine,
    intake: Intake,
    credit: Credit,
    outbox: Outbox<'a>,
    alarms: Alarms,
    /// When to ask how many were missed.
    count_at: Option<Instant>,
    /// Until when there is much to carry.
    busy_until: Option<Instant>,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(engine: &'a Engine, intake: Intake) -> Carrier<'a> {
        let (credit, outbox) = (Credit::new(&engine.brakes, intake.room()), Outbox::new(&engine.refusals));
        Carrier { engine, intake, credit, outbox, alarms: Alarms::default(), count_at: None, busy_until: None }
    }

    /// Carries frames until the lab is gone.
    pub(super) fn run(&mut self) -> nix::Result<()> {
        let cpus = Cpus::of_this_thread()?;
        cpus.stay_near()?;
        // A wait ends when it should, not up to 50 µs later. Without it all is as right, but later.
        nix::sys::prctl::set_timerslack(1).or(Ok::<_, Errno>(()))?;
        let mut was_full = false;
        loop {
            let taken = match self.intake.wait(self.engine.stop.as_fd(), self.timeout(was_full))? {
                Event::End => return self.count_missed(),
                Event::Frames(source) if !self.outbox.is_full() => self.take(source)?,
                Event::Frames(_) | Event::Time => 0,
            };
            self.deliver_due()?;
            let is_full = taken == frames::AT_ONCE;
            let now = Instant::now();
            // What has come is taken in first.
            if !is_full {
                self.outbox.go_on(now, &mut by(self.intake.socket()))?;
            }
            if taken > 1 {
                // Only where more than one was found at once may some have been missed.
                self.count_at.get_or_insert(now + SOON);
            }
            if self.count_at.is_some_and(|due| due <= now) {
                self.count_missed()?;
            }
            was_full = is_full;
            self.credit.settle(now, self.intake.load(self.outbox.bytes()), self.intake.room());
            self.settle(&cpus, taken)?;
        }
    }

    fn count_missed(&mut self) -> nix::Result<()> {
        self.count_at = None;
        self.engine.missed.fetch_add(self.intake.missed()?, Ordering::Relaxed);
        Ok(())
    }

    /// Chooses the CPUs for so many frames.
    fn settle(&mut self, cpus: &Cpus, taken: usize) -> nix::Result<()> {
        if taken >= MANY {
            if self.busy_until.replace(Instant::now() + A_WHILE).is_none() {
                cpus.keep_away()?;
            }
        } else if self.busy_until.is_some_and(|until| until < Instant::now()) {
            self.busy_until = None;
            cpus.stay_near()?;
        }
        Ok(())
    }

    /// How long to wait for more frames.
    fn timeout(&self, more: bool) -> Option<TimeSpec> {
        let alarms = self.alarms.first().map(|(due, _)| due).into_iter().chain(self.credit.next());
        let alarm = alarms.chain(self.count_at).min();
        let until_alarm = alarm.map(|due| due.saturating_duration_since(Instant::now()));
        let next = until_alarm.into_iter().chain(self.outbox.next()).chain(more.then_some(Duration::ZERO)).min();
        next.map(TimeSpec::from_duration)
    }

    /// Takes what has arrived, and passes on what need not wait.
    fn take(&mut self, source: Source) -> nix::Result<usize> {
        let taken = self.intake.receive(source)?;
        let later = taken == frames::AT_ONCE && self.intake.fills();
        let now = Instant::now();
        let mut at_once: Vec<(u32, &[u8])> = Vec::with_capacity(taken);
        let mut ways = self.engine.ways();
        let (socket, arrived) = self.intake.arrived();
        for arrived in arrived {
            let number = number_of(arrived.interface);
            self.credit.note(now, number, arrived.frame.len());
            let Some(way) = ways.get_mut(number).and_then(Option::as_mut) else { continue };
            let taken = &self.engine.given[number].taken;
            taken.store(taken.load(Ordering::Relaxed) + 1, Ordering::Release); // Nobody else writes there.
            let frame = arrived.frame;
            if let Verdict::Deliver(copies) = way.arrive(now, frame) {
                at_once.extend(std::iter::repeat_n((end_of(number), &*frame), copies));
            }
            self.alarms.set(number, way.alarm());
        }
        drop(ways);
        if later {
            self.outbox.keep(&at_once);
        } else {
            self.outbox.put(now, &at_once, &mut by(socket))?;
        }
        self.intake.forget();
        Ok(taken)
    }

    /// Passes on what has waited long enough, or some of it.
    fn deliver_due(&mut self) -> nix::Result<()> {
        let now = Instant::now();
        let mut room = frames::AT_ONCE;
        while room > 0 {
            let Some((_, number)) = self.alarms.first().filter(|(due, _)| *due <= now) else { break };
            let mut ways = self.engine.ways();
            let Some(way) = ways.get_mut(number).and_then(Option::as_mut) else { break };
            let frames: Vec<_> = std::iter::from_fn(|| way.next_due(now)).take(room).collect();
            self.alarms.set(number, way.alarm());
            drop(ways);
            room -= frames.len();
            let addressed: Vec<_> = frames.iter().map(|frame| (end_of(number), frame.as_slice())).collect();
            self.outbox.put(now, &addressed, &mut by(self.intake.socket()))?;
        }
        Ok(())
    }
}
