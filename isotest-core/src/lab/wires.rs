//! How do frames pass over links with faults? One thread for all such links of a lab takes them from one end and gives them to the other.
//!
//! It has one plain packet socket for all ends of wires. A ring in shared memory (`PACKET_RX_RING`) takes a grace period of the kernel's to
//! make, 8 to 16 ms, several times the price of a lab; a plain socket takes microseconds. So only where many frames come is a ring made, or
//! where there are many links.

mod alarms;
mod carry;
mod clerk;
mod credit;
mod frame;
mod intake;
mod opening;
mod outbox;
mod overtaken;
mod way;

use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::eventfd::{EfdFlags, EventFd};

pub(crate) use self::intake::Room;
use self::intake::Start;
pub(crate) use self::opening::Opening;
use self::outbox::Refusals;
use self::way::Way;
use super::brakes::{self, Brakes, number};
use super::build::Spaces;
use super::chance::Chance;
use super::error::{Error, Result};
use super::failure;
use super::fates::Fates;
use super::faults::Faults;
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
    /// What has become of the frames of each way.
    given: Vec<Given>,
    /// How many frames came faster than they were taken.
    missed: AtomicU64,
    /// What was refused at the end of each way, by the number of that end.
    refusals: Vec<Refusals>,
    failure: Mutex<Option<Error>>,
    /// Whether no more will be taken.
    over: Mutex<bool>,
    ends: Condvar,
}

/// What has become of frames that were sent.
#[derive(Debug, Default)]
struct Given {
    /// How many have been taken.
    taken: AtomicU64,
    /// How many never will be.
    never: AtomicU64,
}

/// From so many links on, or where packets are so long, a ring is made at once: beside the price of so many its own is small, and a plain
/// socket has no room for what begins at all of them in the same milliseconds, or for more than some of the longest.
const MANY_LINKS: usize = 5;
const LONG: u32 = 9000;

/// How long the thread may take for what has come, where it gets no further.
const PATIENCE: Duration = Duration::from_millis(500);
/// After so long without another packet it is asked again how many there are.
const ASK_AGAIN: Duration = Duration::from_millis(5);

impl Wires {
    /// Opens what frames come in by, if there are any wires; before there are links, so that nothing is sent before.
    pub(crate) fn open(topology: &Topology, spaces: &Spaces) -> Result<Option<Opening>> {
        let Some(space) = spaces.get(&Space::Wires) else { return Ok(None) };
        let mtu = topology.cables.iter().filter_map(|cable| cable.mtu).max().unwrap_or(0).max(plan::USUAL_MTU);
        let count = topology.cables.iter().filter(|cable| topology.has_wire(cable)).count();
        let start = if count >= MANY_LINKS || mtu > LONG { Start::Large } else { Start::Small };
        Opening::begin((mtu + brakes::HEADERS) as usize, start, space.copy_of_namespace()?).map(Some)
    }

    /// Starts what carries them.
    pub(crate) fn start(opening: Opening, topology: &Topology, seed: u64, spaces: &mut Spaces) -> Result<Wires> {
        finish_checksums(topology, spaces)?;
        let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC);
        let stop = stop.map_err(|errno| Error::kernel("making an event descriptor", errno))?;
        let brakes = Arc::new(Brakes::put_on(topology, spaces, opening.room()?)?);
        let ways = ways(topology, seed);
        let engine = Arc::new(Engine {
            brakes,
            stop,
            given: ways.iter().map(|_| Given::default()).collect(),
            missed: AtomicU64::new(0),
            refusals: ways.iter().map(|_| Refusals::default()).collect(),
            ways: Mutex::new(ways),
            failure: Mutex::new(None),
            over: Mutex::new(false),
            ends: Condvar::new(),
        });
        opening.carry(&engine);
        Ok(Wires { engine })
    }

    /// Says where the lab's spaces are from now on.
    pub(crate) fn are_in(&self, spaces: &Arc<Mutex<Spaces>>) {
        self.engine.brakes.are_in(spaces);
    }

    /// Waits until the thread has taken as many packets from this end as were `sent`, which may be told again as fewer; or it is plain that
    /// it won't: some the kernel counts as sent, and gives to nobody, such as those whose headers are broken. They are not waited for again.
    pub(crate) fn wait_until_taken(&self, from: At, sent: impl Fn() -> Result<u64>) -> Result<()> {
        let Given { taken, never } = &self.engine.given[number(from)];
        let taken = || taken.load(Ordering::Acquire) + self.missed();
        let mut packets = sent()?;
        let (mut so_far, mut since, mut asked) = (taken(), Instant::now(), Instant::now());
        while so_far < packets.saturating_sub(never.load(Ordering::Relaxed)) {
            self.engine.check()?;
            std::thread::sleep(Duration::from_micros(20));
            let before = std::mem::replace(&mut so_far, taken());
            if so_far > before {
                (since, asked) = (Instant::now(), Instant::now());
            } else if since.elapsed() > PATIENCE {
                break;
            } else if asked.elapsed() > ASK_AGAIN {
                (packets, asked) = (packets.min(sent()?), Instant::now());
            }
        }
        never.store(packets.saturating_sub(so_far), Ordering::Relaxed);
        Ok(())
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
        match self.engine.stop.write(1) {
            // Not for its end: closing the socket takes the thread a grace period.
            Ok(_) => self.engine.wait_until_over(),
            Err(_) => failure::note("the thread of the lab's wires could not be told to end".to_owned()),
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

    fn fail(&self, cause: Error) {
        failure::note(cause.to_string());
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(cause);
    }

    /// Says that no more will be taken.
    fn conclude(&self) {
        *self.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ends.notify_all();
    }

    fn wait_until_over(&self) {
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.ends.wait_timeout_while(over, PATIENCE, |over| !*over));
    }
}
