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
use super::wires::Room;
use crate::netlink::{Batch, Refusal};

/// As how many bytes a packet counts at least. What is scarce holds so many packets, not bytes.
pub(crate) const LEAST: u64 = 1536;
/// What passes per second where next to nothing should.
const CLOSED_RATE: u64 = 250_000;
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
/// What an Ethernet header and two VLAN tags add to the MTU.
pub(crate) const HEADERS: u32 = 14 + 2 * 4;

/// Those of all wires of a lab.
#[derive(Debug, Default)]
pub(crate) struct Brakes {
    /// The ends that have one, by [`number`].
    ends: BTreeMap<usize, End>,
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

/// What passes at an end: so many bytes per second, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) rate: u64,
    pub(crate) burst: u64,
}

impl Allowance {
    /// Without a grant, at each of so many ends. There is room for more, even if what has come is taken some milliseconds late, where half
    /// of them send all the time, and all at once. Something passes however many they are: the kernel notices a grant when the next packet
    /// would have passed without.
    pub(crate) fn usual(room: Room, ends: usize) -> Allowance {
        let ends = ends.max(1) as u64;
        match room {
            Room::Socket => Allowance {
                rate: (8_000_000 / ends).clamp(500_000, 3_000_000),
                burst: u64::min(96 * LEAST / ends, 16 * LEAST),
            },
            Room::Ring => Allowance {
                rate: (60_000_000 / ends).clamp(2_000_000, 20_000_000),
                burst: u64::min(GRANTED / ends, 64 * LEAST),
            },
        }
    }

    /// With a grant of so many bytes at once.
    pub(crate) fn with(self, burst: u64) -> Allowance {
        Allowance { rate: self.rate.max(u64::min(burst, GRANTED) * GRANTED_RATE / GRANTED), burst }
    }
}

/// How long a packet is at most that passes as one, to be cut later, where frames are that long.
pub(crate) fn longest_uncut(longest: u64) -> u64 {
    LONGEST_UNCUT.max(LEAST_UNCUT * longest)
}

/// The number of a cable's end, and of the way that begins there; that of the other end is one up or down.
pub(crate) fn number(at: At) -> usize {
    2 * at.cable + at.end
}

impl Brakes {
    /// Puts them on where the kernel has what it takes.
    pub(crate) fn put_on(topology: &Topology, spaces: &mut Spaces, room: Room) -> Result<Brakes> {
        let wired = topology.cables.iter().enumerate().filter(|(_, cable)| topology.has_wire(cable));
        let ends = wired.flat_map(|(cable, _)| [0, 1].map(|end| At { cable, end }));
        let ends: Vec<_> = ends.filter_map(|at| Some((at, plan::end_of(topology, at)?))).collect();
        let Allowance { rate, burst } = Allowance::usual(room, ends.len());
        let mut brakes = Brakes::default();
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

    /// The ends that have one, with the longest frame of each.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (usize, u64)> {
        self.ends.iter().map(|(number, end)| (*number, end.longest))
    }

    /// Lets so much pass from now on, at each of these ends.
    pub(crate) fn grant(&self, grants: &[(usize, Allowance)]) {
        self.change(grants.iter().copied());
    }

    /// Lets next to nothing pass.
    pub(crate) fn close(&self) {
        self.change(self.ends.keys().map(|number| (*number, Allowance { rate: CLOSED_RATE, burst: 0 })));
    }

    fn spaces(&self) -> MutexGuard<'_, Weak<Mutex<Spaces>>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, changes: impl Iterator<Item = (usize, Allowance)>) {
        // Without the lab there are no links either.
        let Some(spaces) = self.spaces().upgrade() else { return };
        let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, Allowance { rate, burst }) in changes {
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
