//! How is a sender held back while the wires' thread has room for few packets? By a `tbf` (`tc-tbf(8)`) at the end of the link: what it keeps
//! counts as not yet sent, so that the sending socket waits, as it would for a slow interface. Once there is much room it is opened.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::errno::Errno;

use super::build::Spaces;
use super::error::{Error, Result};
use super::plan::{self, Space};
use super::topology::{At, Topology};
use super::{failure, qdisc};
use crate::netlink::Batch;

/// How much passes per second, in bytes, where each packet counts as [`LEAST`] at least: as long as that is more than comes, nobody notices.
const RATE: u64 = 20_000_000;
/// What passes at once, at most, and over all wires together where they are many. A usual socket holds several times as much.
const BURST: u64 = 24 << 10;
const BURST_OF_ALL: u64 = 128 << 10;
/// What an Ethernet header and two VLAN tags add to the MTU.
pub(crate) const HEADERS: u32 = 14 + 2 * 4;
/// What the kernel sets aside for the smallest packet.
pub(crate) const LEAST: usize = 768;

/// Those of all wires of a lab.
#[derive(Debug)]
pub(crate) struct Brakes {
    /// The interfaces that have one.
    ends: Vec<(Space, u32)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    spaces: Weak<Mutex<Spaces>>,
    released: bool,
}

impl Brakes {
    /// So many bytes in so many milliseconds are what it lets pass, or nearly: there is more to come.
    pub(crate) fn is_reached(bytes: usize, milliseconds: u64) -> bool {
        bytes as u64 * 1000 >= RATE * milliseconds * 9 / 10
    }

    /// Puts them on, where the kernel has what it takes.
    pub(crate) fn put_on(topology: &Topology, spaces: &mut Spaces) -> Result<Brakes> {
        let mut ends = Vec::new();
        let wired = topology.cables.iter().enumerate().filter(|(_, cable)| topology.has_wire(cable));
        let share = BURST_OF_ALL / (2 * wired.clone().count() as u64).max(1);
        for at in wired.flat_map(|(cable, _)| [0, 1].map(|end| At { cable, end })) {
            let Some((space, end)) = plan::end_of(topology, at) else { continue };
            // A packet that does not pass at once would never pass.
            let longest = u64::from(end.mtu.unwrap_or(plan::USUAL_MTU) + HEADERS);
            let mut batch = Batch::default();
            qdisc::brake(&mut batch, end.index, RATE, BURST.min(share).max(longest), LEAST as u16);
            let links = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
            match links.request(&batch) {
                Ok(()) => ends.push((space, end.index)),
                // Then a sender is never held back.
                Err(refusal) if refusal.errno == Errno::ENOENT => break,
                Err(refusal) => {
                    let attempt = format!("{}: limiting what {} sends", plan::described(topology, at.cable), end.name);
                    return Err(Error::refused(attempt, &refusal));
                }
            }
        }
        Ok(Brakes { ends, state: Mutex::default() })
    }

    /// Says where they can be released, and does it if that was wanted before.
    pub(crate) fn are_in(&self, spaces: &Arc<Mutex<Spaces>>) {
        let mut state = self.state();
        state.spaces = Arc::downgrade(spaces);
        if state.released {
            self.open(&state);
        }
    }

    /// Lets everything pass from now on.
    pub(crate) fn release(&self) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.released, true) {
            self.open(&state);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, state: &State) {
        // Without the lab there are no links either.
        let Some(spaces) = state.spaces.upgrade() else { return };
        let mut spaces = spaces.lock().unwrap_or_else(PoisonError::into_inner);
        for (space, index) in &self.ends {
            let Some(space) = spaces.get_mut(space) else { continue };
            let mut batch = Batch::default();
            qdisc::open(&mut batch, *index);
            match space.links.request(&batch) {
                // The test has put something else in its place, or taken it away with its interface.
                Ok(()) | Err(crate::netlink::Refusal { errno: Errno::ENOENT | Errno::ENODEV, .. }) => {}
                Err(refusal) => {
                    let error = Error::refused("letting a link with faults carry all that it can", &refusal);
                    failure::note(error.to_string());
                }
            }
        }
    }
}
