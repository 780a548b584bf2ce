//! How do frames pass over links with faults? One thread for all such links of a lab takes them from one end and gives them to the other.
//!
//! It has one plain packet socket for all ends of wires. A ring in shared memory (`PACKET_RX_RING`) takes a grace period of the kernel's to
//! make, 8 to 16 ms, several times the price of a lab; a plain socket takes microseconds. So only where many frames come is a ring made, or
//! where there are many links.

mod clerk;
mod credit;
mod frame;
mod intake;
mod opening;
mod outbox;
mod way;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;

use self::credit::Credit;
pub(crate) use self::intake::Room;
use self::intake::{Event, Intake, Source, Start};
use self::opening::Opening;
use self::outbox::{Addressed, Outbox, Refusals};
use self::way::{Verdict, Way};
use super::brakes::{self, Brakes, number};
use super::build::Spaces;
use super::chance::Chance;
use super::error::{Error, Result};
use super::failure;
use super::fates::Fates;
use super::faults::Faults;
use super::order::Cpus;
use super::plan::{self, Space};
use super::topology::{At, Topology};
use crate::sys::frames;

/// All wires of a lab, while it is up.
#[derive(Debug)]
pub(crate) struct Wires {
    engine: Arc<Engine>,
}

/// What the thread and the lab's handles share.
#[derive(Debug)]
struct Engine {
    /// Two for each cable, from its first end and from its second; none where it is no wire.
    ways: Mutex<Vec<Option<Way>>>,
    brakes: Arc<Brakes>,
    stop: EventFd,
    /// How many frames came faster than they were taken.
    missed: AtomicU64,
    /// What was refused at the end of each way, by the number of that end.
    refusals: Vec<Refusals>,
    failure: Mutex<Option<Error>>,
}

/// From so many links on, or where packets are so long, a ring is made at once: beside the price of so many its own is small, and a plain
/// socket has no room for what begins at all of them in the same milliseconds, or for more than some of the longest.
const MANY_LINKS: usize = 5;
const LONG: u32 = 9000;
/// So many frames at once are a sign of more to come, for so long.
const MANY: usize = 16;
const A_WHILE: Duration = Duration::from_millis(20);

impl Wires {
    /// Starts what carries frames over the wires, if there are any.
    pub(crate) fn start(topology: &Topology, seed: u64, spaces: &mut Spaces) -> Result<Option<Wires>> {
        if !spaces.contains_key(&Space::Wires) {
            return Ok(None);
        }
        let mtu = topology.cables.iter().filter_map(|cable| cable.mtu).max().unwrap_or(0).max(plan::USUAL_MTU);
        let count = topology.cables.iter().filter(|cable| topology.has_wire(cable)).count();
        let start = if count >= MANY_LINKS || mtu > LONG { Start::Large } else { Start::Small };
        let opening =
            Opening::begin((mtu + brakes::HEADERS) as usize, start, spaces[&Space::Wires].copy_of_namespace()?)?;
        finish_checksums(topology, spaces)?;
        let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC);
        let stop = stop.map_err(|errno| Error::kernel("making an event descriptor", errno))?;
        let brakes = Arc::new(Brakes::put_on(topology, spaces, opening.room()?)?);
        let engine = Arc::new(Engine {
            ways: Mutex::new(ways(topology, seed)),
            brakes,
            stop,
            missed: AtomicU64::new(0),
            refusals: topology.cables.iter().flat_map(|_| [Refusals::default(), Refusals::default()]).collect(),
            failure: Mutex::new(None),
        });
        opening.end(&engine);
        Ok(Some(Wires { engine }))
    }

    /// Says where the lab's spaces are from now on.
    pub(crate) fn are_in(&self, spaces: &Arc<Mutex<Spaces>>) {
        self.engine.brakes.are_in(spaces);
    }

    /// Changes what is wrong with a wire, from one end.
    pub(crate) fn set(&self, from: At, faults: Faults) -> Result<()> {
        self.engine.check()?;
        if let Some(way) = &mut self.engine.ways()[number(from)] {
            way.set(faults);
        }
        Ok(())
    }

    /// What has befallen the packets on a wire, from each end.
    pub(crate) fn fates(&self, cable: usize) -> Result<[Fates; 2]> {
        self.engine.check()?;
        let ways = self.engine.ways();
        let fates = |end| ways[number(At { cable, end })].as_ref().map(|way| way.fates().clone());
        Ok([0, 1].map(|end| fates(end).unwrap_or_default()))
    }
}

impl Wires {
    /// How many packets were dropped at an end that receives, where the kernel has counted so many.
    pub(crate) fn dropped_at(&self, end: At, counted: u64) -> u64 {
        self.engine.refusals[number(end)].correct(counted)
    }

    /// How many packets came to all wires faster than they were taken.
    pub(crate) fn missed(&self) -> u64 {
        self.engine.missed.load(Ordering::Relaxed)
    }
}

impl Drop for Wires {
    fn drop(&mut self) {
        // Not waited for: closing the socket takes the thread a grace period.
        if self.engine.stop.write(1).is_err() {
            failure::note("the thread of the lab's wires could not be told to end".to_owned());
        }
        let missed = self.missed();
        if missed > 0 {
            failure::note(format!(
                "{missed} packets came faster than the lab's wires could take them, and were lost beside what the seed says"
            ));
        }
    }
}

fn ways(topology: &Topology, seed: u64) -> Vec<Option<Way>> {
    let cables = topology.cables.iter().enumerate();
    let ways = cables.flat_map(|(number, cable)| {
        [0, 1].map(|end| {
            topology.has_wire(cable).then(|| Way::new(Chance::new(seed, number, end), cable.faults[end].clone()))
        })
    });
    ways.collect()
}

/// The way of a frame that arrives at the wires' interface of this number.
fn number_of(interface: u32) -> usize {
    interface.wrapping_sub(plan::FIRST) as usize
}

/// The wires' interface to which this way leads.
fn end_of(way: usize) -> u32 {
    plan::FIRST + (way ^ 1) as u32
}

/// Frames that go over a wire have their checksums, so that damage is seen, and are no longer than its MTU: without checksums from an
/// interface, the kernel leaves the cutting of long ones to none either, but cuts them itself just before it sends them.
fn finish_checksums(topology: &Topology, spaces: &Spaces) -> Result<()> {
    let wired = topology.cables.iter().enumerate().filter(|(_, cable)| topology.has_wire(cable));
    for at in wired.flat_map(|(cable, _)| [0, 1].map(|end| At { cable, end })) {
        let Some((space, end)) = plan::end_of(topology, at) else { continue };
        let socket = spaces[&space].links.as_fd();
        frames::finish_checksums(&socket, &end.name).map_err(|errno| {
            let attempt =
                format!("{}: making the kernel finish checksums at {}", plan::described(topology, at.cable), end.name);
            Error::kernel(attempt, errno)
        })?;
    }
    Ok(())
}

impl Engine {
    fn ways(&self) -> MutexGuard<'_, Vec<Option<Way>>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it still runs.
    fn check(&self) -> Result<()> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    fn fail(&self, errno: Errno) {
        let error = Error::kernel("carrying packets over the lab's wires", errno);
        failure::note(error.to_string());
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// Sends frames by this socket.
fn by(socket: &OwnedFd) -> impl FnMut(&[Addressed<'_>]) -> nix::Result<usize> {
    |frames| frames::send(socket, frames.iter().copied())
}

/// The thread's own things.
struct Carrier<'a> {
    engine: &'a Engine,
    intake: Intake,
    credit: Credit,
    outbox: Outbox<'a>,
    /// When to look at which way. Some are there more often than needed.
    alarms: BinaryHeap<Reverse<(Instant, usize)>>,
    /// Until when there is much to carry.
    busy_until: Option<Instant>,
}

impl<'a> Carrier<'a> {
    fn new(engine: &'a Engine, intake: Intake) -> Carrier<'a> {
        let (credit, outbox) = (Credit::new(&engine.brakes, intake.room()), Outbox::new(&engine.refusals));
        Carrier { engine, intake, credit, outbox, alarms: BinaryHeap::new(), busy_until: None }
    }

    fn run(mut self) -> nix::Result<()> {
        let cpus = Cpus::of_this_thread()?;
        cpus.stay_near()?;
        // A wait ends when it should, not up to 50 µs later. Without it all is as right, but later.
        nix::sys::prctl::set_timerslack(1).or(Ok::<_, Errno>(()))?;
        let mut was_full = false;
        loop {
            let taken = match self.intake.wait(self.engine.stop.as_fd(), self.timeout(was_full))? {
                Event::End => return Ok(()),
                Event::Frames(source) if !self.outbox.is_full() => self.take(source)?,
                Event::Frames(_) | Event::Time => 0,
            };
            self.deliver_due()?;
            let is_full = taken == frames::AT_ONCE;
            // What has come is taken in first.
            if !is_full {
                self.outbox.go_on(Instant::now(), &mut by(self.intake.socket()))?;
            }
            if was_full && !is_full {
                self.engine.missed.fetch_add(self.intake.missed()?, Ordering::Relaxed);
            }
            was_full = is_full;
            self.credit.settle(Instant::now(), self.intake.load(self.outbox.bytes()), self.intake.room());
            self.settle(&cpus, taken)?;
        }
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
        let alarm = self.alarms.peek().map(|Reverse((due, _))| *due).into_iter().chain(self.credit.next()).min();
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
            let before = way.alarm();
            let frame = arrived.frame;
            if let Verdict::Deliver(copies) = way.arrive(now, frame) {
                at_once.extend(std::iter::repeat_n((end_of(number), &*frame), copies));
            }
            let alarm = way.alarm().filter(|alarm| before.is_none_or(|before| *alarm < before));
            self.alarms.extend(alarm.map(|alarm| Reverse((alarm, number))));
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
            let Some(Reverse((due, number))) = self.alarms.pop() else { break };
            if due > now {
                self.alarms.push(Reverse((due, number)));
                break;
            }
            let mut ways = self.engine.ways();
            let Some(way) = ways.get_mut(number).and_then(Option::as_mut) else { continue };
            let frames: Vec<_> = std::iter::from_fn(|| way.next_due(now)).take(room).collect();
            self.alarms.extend(way.alarm().map(|alarm| Reverse((alarm, number))));
            drop(ways);
            room -= frames.len();
            let addressed: Vec<_> = frames.iter().map(|frame| (end_of(number), frame.as_slice())).collect();
            self.outbox.put(now, &addressed, &mut by(self.intake.socket()))?;
        }
        Ok(())
    }
}
