//! How is a sender held back while the wires' thread can't take what comes? By a `tbf` (`tc-tbf(8)`) at each end of the link: what it keeps
//! counts as not yet sent, so that the sending socket waits, as it would for a slow interface.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::errno::Errno;

use super::build::Spaces;
use super::error::{Error, Result};
use super::failure;
use super::plan::{self, Space};
use super::qdisc::Brake;
use super::topology::{At, Topology};
use crate::netlink::{Batch, Refusal};

/// How much passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// What a plain socket has room for, even if its reader comes some milliseconds late.
    #[default]
    Half,
    /// What can be taken in, in steps that a CPU's queue of 1,000 packets (`net.core.netdev_max_backlog`) has room for.
    Slightly,
    /// All that comes.
    Not,
    /// Next to nothing, until what has come is carried away.
    Fully,
}

/// What passes per second while half pressed, in bytes, where each packet counts as [`LEAST`] at least: as long as that is more than comes,
/// nobody notices.
const HALF: u64 = 20_000_000;
/// What passes at once then, and over all wires together where they are many. A usual socket holds several times as much.
const BURST: u64 = 24 << 10;
const BURST_OF_ALL: u64 = 128 << 10;
/// What the kernel sets aside for the smallest packet.
pub(crate) const LEAST: usize = 768;
/// Frames that are no longer than this are not unusual.
const JUMBO: u64 = 10_000;
/// What an Ethernet header and two VLAN tags add to the MTU.
pub(crate) const HEADERS: u32 = 14 + 2 * 4;

impl Pressed {
    /// So many bytes in so many milliseconds are what passes while half pressed, or nearly: there is more to come.
    pub(crate) fn is_reached(bytes: usize, milliseconds: u64) -> bool {
        bytes as u64 * 1000 >= HALF * milliseconds * 9 / 10
    }

    /// For frames up to so many bytes, none of which would ever pass if it did not at once.
    fn brake(self, longest: u64, wires: u64) -> Brake {
        let (rate, burst) = match self {
            Pressed::Half => (HALF, BURST.min(BURST_OF_ALL / (2 * wires).max(1))),
            // Of these there is room for few.
            Pressed::Not if longest <= JUMBO => (u64::MAX >> 16, u64::from(u32::MAX)),
            Pressed::Not | Pressed::Slightly => (8 * HALF, 4 * BURST),
            Pressed::Fully => (HALF / 20, 0),
        };
        Brake { rate, burst: burst.max(longest), least: LEAST as u16 }
    }
}

/// Those of all wires of a lab.
#[derive(Debug)]
pub(crate) struct Brakes {
    /// The interfaces that have one, and their longest frames.
    ends: Vec<(Space, u32, u64)>,
    wires: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spaces: Weak<Mutex<Spaces>>,
    pressed: Pressed,
}

impl Brakes {
    /// Puts them on, half pressed, where the kernel has what it takes.
    pub(crate) fn put_on(topology: &Topology, spaces: &mut Spaces) -> Result<Brakes> {
        let wired = topology.cables.iter().enumerate().filter(|(_, cable)| topology.has_wire(cable));
        let wires = wired.clone().count() as u64;
        let mut ends = Vec::new();
        for at in wired.flat_map(|(cable, _)| [0, 1].map(|end| At { cable, end })) {
            let Some((space, end)) = plan::end_of(topology, at) else { continue };
            let longest = u64::from(end.mtu.unwrap_or(plan::USUAL_MTU) + HEADERS);
            let mut batch = Batch::default();
            Pressed::Half.brake(longest, wires).put_on(&mut batch, end.index);
            let links = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
            match links.request(&batch) {
                Ok(()) => ends.push((space, end.index, longest)),
                // Then a sender is never held back.
                Err(refusal) if refusal.errno == Errno::ENOENT => break,
                Err(refusal) => {
                    let attempt = format!("{}: limiting what {} sends", plan::described(topology, at.cable), end.name);
                    return Err(Error::refused(attempt, &refusal));
                }
            }
        }
        Ok(Brakes { ends, wires, state: Mutex::default() })
    }

    /// Says where they can be pressed and released, and does what was wanted before.
    pub(crate) fn are_in(&self, spaces: &Arc<Mutex<Spaces>>) {
        let mut state = self.state();
        state.spaces = Arc::downgrade(spaces);
        if state.pressed != Pressed::default() {
            self.apply(&state);
        }
    }

    /// Lets so much pass from now on.
    pub(crate) fn press(&self, pressed: Pressed) {
        let mut state = self.state();
        if std::mem::replace(&mut state.pressed, pressed) != pressed {
            self.apply(&state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, state: &State) {
        // Without the lab there are no links either.
        let Some(spaces) = state.spaces.upgrade() else { return };
        let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (space, index, longest) in &self.ends {
            let Some(space) = spaces.get_mut(space) else { continue };
            let mut batch = Batch::default();
            state.pressed.brake(*longest, self.wires).change(&mut batch, *index);
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
