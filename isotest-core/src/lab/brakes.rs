//! How is a sender held back while the wires' thread can't take what comes? By a `tbf` (`tc-tbf(8)`) at each end of the link: what it keeps
//! counts as not yet sent, so that the sending socket waits, as it would for a slow interface.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::errno::Errno;

use super::build::Spaces;
use super::error::{Error, Result};
use super::failure;
use super::plan::{self, Space};
use super::qdisc::Brake;
use super::rtnetlink;
use super::topology::{At, Topology};
use crate::netlink::{Batch, Refusal};

/// As how many bytes a packet counts at least. What is scarce holds so many packets, not bytes.
pub(crate) const LEAST: u64 = 1536;
/// What passes at an end per second without being granted, in bytes; and at all together, if half of them send.
const RATE: u64 = 3_000_000;
const RATE_OF_ALL: u64 = 8_000_000;
/// What passes however many ends there are: the kernel notices a grant when the next packet would have passed without.
const LEAST_RATE: u64 = 500_000;
/// What all ends together are granted at once, about, and how much passes per second beside where an end has all of that.
pub(crate) const GRANTED: u64 = 400 * LEAST;
/// The same as long as there is but a plain socket.
pub(crate) const GRANTED_FIRST: u64 = 64 * LEAST;
const GRANTED_RATE: u64 = 40_000_000;
/// Of how many packets TCP makes one, to be cut behind the brake, where it waits until all of it may pass; and how long it is about at most,
/// or one that a program has asked for (`UDP_SEGMENT`).
const UNCUT: u32 = 16;
pub(crate) const LONGEST_UNCUT: u64 = 50 * LEAST;
/// However long they are, TCP makes one of so many packets (`net.ipv4.tcp_min_tso_segs`).
const LEAST_UNCUT: u64 = 2;
/// What passes at once, at one end and at all together. A plain socket holds more, even if its reader comes some milliseconds late.
const BURST: u64 = 16 * LEAST;
const BURST_OF_ALL: u64 = 96 * LEAST;
/// What an Ethernet header and two VLAN tags add to the MTU.
pub(crate) const HEADERS: u32 = 14 + 2 * 4;

/// Those of all wires of a lab.
#[derive(Debug, Default)]
pub(crate) struct Brakes {
    /// The ends that have one, by [`number`].
    ends: BTreeMap<usize, End>,
    rate: u64,
    burst: u64,
    /// Where they can be changed.
    spaces: Mutex<Weak<Mutex<Spaces>>>,
}

#[derive(Debug)]
struct End {
    space: Space,
    index: u32,
    /// The longest frame, which would never pass if it did not at once.
    longest: u64,
}

/// What an end needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// What passes at once without being granted, in bytes.
    pub(crate) usual: u64,
    /// How long a packet is at most that passes as one, to be cut later.
    pub(crate) longest_uncut: u64,
}

impl Bounds {
    /// By what every end has, and the longest frame of this one.
    pub(crate) fn new(burst: u64, longest: u64) -> Bounds {
        Bounds { usual: burst.max(longest), longest_uncut: LONGEST_UNCUT.max(LEAST_UNCUT * longest) }
    }
}

/// The number of a cable's end, and of the way that begins there; that of the other end is one up or down.
pub(crate) fn number(at: At) -> usize {
    2 * at.cable + at.end
}

impl Brakes {
    /// Puts them on where the kernel has what it takes.
    pub(crate) fn put_on(topology: &Topology, spaces: &mut Spaces) -> Result<Brakes> {
        let wired = topology.cables.iter().enumerate().filter(|(_, cable)| topology.has_wire(cable));
        let ends = wired.flat_map(|(cable, _)| [0, 1].map(|end| At { cable, end }));
        let ends: Vec<_> = ends.filter_map(|at| Some((at, plan::end_of(topology, at)?))).collect();
        let count = ends.len().max(1) as u64;
        let (rate, burst) = (RATE.min(RATE_OF_ALL / count).max(LEAST_RATE), BURST.min(BURST_OF_ALL / count));
        let mut brakes = Brakes { ends: BTreeMap::new(), rate, burst, spaces: Mutex::default() };
        for (at, (space, end)) in ends {
            let longest = LEAST.max(u64::from(end.mtu.unwrap_or(plan::USUAL_MTU) + HEADERS));
            let mut batch = Batch::default();
            brake(rate, burst.max(longest)).put_on(&mut batch, end.index);
            rtnetlink::packets_in_one(&mut batch, end.index, UNCUT);
            let links = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
            match links.request(&batch) {
                Ok(()) => brakes.ends.insert(number(at), End { space, index: end.index, longest }),
                // Then a sender is never held back.
                Err(refusal) if refusal.errno == Errno::ENOENT => break,
                Err(refusal) => {
                    let attempt = format!("{}: limiting what {} sends", plan::described(topology, at.cable), end.name);
                    return Err(Error::refused(attempt, &refusal));
                }
            };
        }
        Ok(brakes)
    }

    /// Says where they can be changed.
    pub(crate) fn are_in(&self, spaces: &Arc<Mutex<Spaces>>) {
        *self.spaces() = Arc::downgrade(spaces);
    }

    /// The ends that have one.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, Bounds)> {
        self.ends.iter().map(|(number, end)| (*number, Bounds::new(self.burst, end.longest)))
    }

    /// What passes at every end per second without being granted.
    pub(crate) fn rate(&self) -> u64 {
        self.rate
    }

    /// Lets so many bytes pass at once from now on, at each of these ends, and more as time goes on.
    pub(crate) fn grant(&self, grants: &[(usize, u64)]) {
        let changes = grants.iter().map(|(number, burst)| {
            (*number, self.rate.max(u64::min(*burst, GRANTED) * GRANTED_RATE / GRANTED), *burst)
        });
        self.change(changes);
    }

    /// Lets next to nothing pass.
    pub(crate) fn close(&self) {
        self.change(self.ends.keys().map(|number| (*number, (self.rate / 2).min(LEAST_RATE), 0)));
    }

    fn spaces(&self) -> MutexGuard<'_, Weak<Mutex<Spaces>>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, changes: impl Iterator<Item = (usize, u64, u64)>) {
        // Without the lab there are no links either.
        let Some(spaces) = self.spaces().upgrade() else { return };
        let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, rate, burst) in changes {
            let Some(End { space, index, longest }) = self.ends.get(&number) else { continue };
            let Some(space) = spaces.get_mut(space) else { continue };
            let mut batch = Batch::default();
            brake(rate, burst.max(*longest)).change(&mut batch, *index);
            match space.links.request(&batch) {
                // The test has put something else in its place, or taken it away with its interface.
                Ok(()) | Err(Refusal { errno: Errno::ENOENT | Errno::ENODEV, .. }) => {}
                Err(refusal) => {
                    let error = Error::refused("changing how much a link with faults takes in", &refusal);
                    failure::note(error.to_string());
                }
            }
        }
    }
}

fn brake(rate: u64, burst: u64) -> Brake {
    Brake { rate, burst, least: LEAST as u16 }
}
