//! How is a sender held back while the wires' thread can't take what comes? By a `tbf` (`tc-tbf(8)`) at each end of the link: what it keeps
//! counts as not yet sent, so that the sending socket waits, as it would for a slow interface.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::errno::Errno;

use super::build::Spaces;
use super::error::{Error, Result};
use super::failure;
use super::kicks::Kicks;
use super::order;
use super::plan::{self, Space};
use super::qdisc::{self, Brake};
use super::rtnetlink::{self, VethEnd};
use super::topology::{At, Topology};
use super::wires::Room;
use crate::netlink::{Batch, Refusal};

/// As how many bytes a packet counts at least. What is scarce holds so many packets, not bytes.
pub(crate) const LEAST: u64 = 1536;
/// What passes per second where next to nothing should.
const CLOSED_RATE: u64 = 250_000;
/// What all ends together are granted at once at most, about, and how much passes per second beside where an end has all of that and is
/// not kicked.
pub(crate) const GRANTED: u64 = 400 * LEAST;
const GRANTED_RATE: u64 = 40_000_000;
/// Of how many packets TCP makes one at most, to be cut behind the brake, where it waits until all of it may pass; and how long that is about,
/// or one that a program has asked for (`UDP_SEGMENT`).
const UNCUT: u64 = 16;
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
    name: String,
    index: u32,
    /// Whether what is sent to make the kernel look again never leaves.
    is_kickable: bool,
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
                rate: (8_000_000 / ends).clamp(500_000, 4_000_000),
                burst: u64::min(96 * LEAST / ends, 32 * LEAST),
            },
            Room::Ring(slots) => Allowance {
                rate: (slots * LEAST / ends).clamp(500_000, 8_000_000),
                burst: u64::min(granted(room) / ends, 64 * LEAST),
            },
        }
    }

    /// With a grant of so many bytes at once.
    pub(crate) fn with(self, burst: u64) -> Allowance {
        Allowance { burst, ..self }
    }

    /// What it has to be for a kernel that does not notice a grant before the next packet would have passed without.
    fn unnoticed(self) -> Allowance {
        Allowance { rate: self.rate.max(u64::min(self.burst, GRANTED) * GRANTED_RATE / GRANTED), ..self }
    }
}

/// What all ends together are granted at once, about.
pub(crate) fn granted(room: Room) -> u64 {
    match room {
        Room::Socket => 64 * LEAST,
        Room::Ring(slots) => GRANTED.min(slots / 4 * LEAST),
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
            // More is granted when half of what may be sent at once has come: what is longer might have to wait.
            let uncut = (burst / 2 / longest).clamp(1, UNCUT);
            rtnetlink::packets_in_one(&mut batch, end.index, uncut as u32);
            let links = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
            let refused = |refusal: &Refusal| {
                let attempt = format!("{}: limiting what {} sends", plan::described(topology, at.cable), end.name);
                Error::refused(attempt, refusal)
            };
            match links.request(&batch) {
                Ok(()) => {}
                // Then a sender is never held back.
                Err(refusal) if refusal.errno == Errno::ENOENT => break,
                Err(refusal) => return Err(refused(&refusal)),
            }
            let mut within = Batch::default();
            qdisc::kickable(&mut within, end.index, longest);
            // Who kicks sends what waits, and is on another CPU than who sent it.
            let is_kickable = order::is_kept()
                && match links.request(&within) {
                    Ok(()) => true,
                    // A kernel without htb looks when it would have.
                    Err(refusal) if refusal.errno == Errno::ENOENT => false,
                    Err(refusal) => return Err(refused(&refusal)),
                };
            let VethEnd { name, index, .. } = end;
            brakes.ends.insert(number(at), End { space, name, index, is_kickable, longest });
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
    pub(crate) fn grant(&self, grants: &[(usize, Allowance)], kicks: &mut Kicks) {
        for (number, allowance) in grants {
            let Some(end) = self.ends.get(number) else { continue };
            if end.is_kickable {
                self.change(end, *allowance);
                kicks.kick(*number, || self.network_of(end), &end.name);
            } else {
                self.change(end, allowance.unnoticed());
            }
        }
    }

    /// Lets next to nothing pass.
    pub(crate) fn close(&self) {
        self.ends.values().for_each(|end| self.change(end, Allowance { rate: CLOSED_RATE, burst: 0 }));
    }

    fn network_of(&self, end: &End) -> Option<OwnedFd> {
        let spaces = self.spaces().upgrade()?;
        let spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        spaces.get(&end.space)?.copy_of_namespace().ok()
    }

    fn spaces(&self) -> MutexGuard<'_, Weak<Mutex<Spaces>>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, End { space, index, longest, .. }: &End, Allowance { rate, burst }: Allowance) {
        // Without the lab there are no links either.
        let Some(spaces) = self.spaces().upgrade() else { return };
        let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(space) = spaces.get_mut(space) else { return };
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

fn brake(rate: u64, burst: u64) -> Brake {
    Brake { rate, burst, least: LEAST as u16 }
}
