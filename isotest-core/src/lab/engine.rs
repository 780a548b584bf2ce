//! Who carries out faults: the lab itself, or the kernel?

use std::time::Duration;

use super::Lab;
use super::build::Spaces;
use super::error::{Error, Result};
use super::faults::{Faults, Queue, Rate};
use super::plan::{self, Space};
use super::qdisc;
use super::rtnetlink;
use super::topology::{At, Topology};
use crate::netlink::Batch;

/// Who carries out the faults of a lab's links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// The lab itself, from its seed: the same seed does the same to the same packets. It needs nothing of the kernel but packet sockets.
    #[default]
    Lab,
    /// The kernel: `tbf` for rates, `netem` for the rest (`tc-tbf(8)`, `tc-netem(8)`). It carries more per second, and any link can get faults at
    /// any time. But its chance can't be repeated, it does not tell what befell which packet ([`Link::fates`](super::Link::fates) stay zero), it
    /// loses none by number, has no black holes, and reorders none by number. A rate comes behind all else, so that doubles use it up too; damage
    /// may befall the Ethernet header; a [`Queue::Packets`] has room for so many bytes as full packets have, and what fits into one burst of `tbf`
    /// goes at once; what a program hands over in one piece to be cut into datagrams (`UDP_SEGMENT`) counts as one packet; and when a link with a
    /// rate alone gets other faults beside it, what waits in its queue is lost.
    Kernel,
}

impl Lab {
    /// Chooses who carries out faults; the lab itself where nothing is said.
    ///
    /// # Errors
    ///
    /// When a link has faults already, or the lab is up.
    pub fn engine(&self, engine: Engine) -> Result<()> {
        self.shared.draw("choosing the engine of a lab", |topology| {
            if topology.cables.iter().any(|cable| cable.wired) {
                let cause = "a link of it is made for faults already";
                return Err(
                    Error::new("choosing the engine of a lab", cause).remedy("choose it before the first faults")
                );
            }
            topology.engine = engine;
            Ok(())
        })
    }
}

/// `netem` draws a jitter from 32 bits of nanoseconds, one of which is the sign.
const MOST_JITTER: Duration = Duration::from_nanos(i32::MAX as u64);

/// Whether the kernel has all these faults.
pub(crate) fn check(faults: &Faults, whose: &str) -> Result<()> {
    let lacks = [
        (!faults.lose.is_empty(), "a loss by number"),
        (faults.black_hole.is_some(), "a black hole"),
        (faults.loss > 0.0 && faults.bursts.is_some(), "a loss by chance beside one in bursts"),
        (faults.reorder > 0.0, "a reordering by a number of packets"),
        (faults.jitter > MOST_JITTER, "a jitter of more than two seconds"),
    ];
    let lacking = lacks.into_iter().find(|(asked, _)| *asked);
    lacking.map_or(Ok(()), |(_, what)| {
        let cause = "the kernel has no such fault";
        Err(Error::new(format!("asking {whose} for {what}"), cause).remedy("leave the lab's faults to `Engine::Lab`"))
    })
}

/// Has the kernel carry out all that is drawn.
pub(crate) fn start(topology: &Topology, spaces: &mut Spaces) -> Result<()> {
    if topology.engine != Engine::Kernel {
        return Ok(());
    }
    let ways = (0..topology.cables.len()).flat_map(|cable| [0, 1].map(|end| At { cable, end }));
    for from in ways {
        send_single_packets(topology, from, spaces)?;
        change(topology, from, &Faults::new(), &topology.cables[from.cable].faults[from.end], spaces)?;
    }
    Ok(())
}

/// What is sent at one end of a cable may go on over any other, and have faults there.
fn send_single_packets(topology: &Topology, from: At, spaces: &mut Spaces) -> Result<()> {
    let (space, index) = interface(topology, from);
    let socket = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
    let mut batch = Batch::default();
    rtnetlink::packets_in_one(&mut batch, index, 1);
    socket.request(&batch).map_err(|refusal| {
        let attempt = format!("having single packets sent over {}", topology.link_name(from.cable));
        Error::refused(attempt, &refusal)
    })
}

/// Has the kernel carry out what is wrong with the way from this end of a cable, in place of what was.
pub(crate) fn set(topology: &Topology, from: At, faults: &Faults, spaces: &mut Spaces) -> Result<()> {
    change(topology, from, &topology.cables[from.cable].faults[from.end], faults, spaces)
}

fn change(topology: &Topology, from: At, before: &Faults, faults: &Faults, spaces: &mut Spaces) -> Result<()> {
    let (space, index) = interface(topology, from);
    let socket = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
    let mtu = topology.cables[from.cable].mtu.unwrap_or(plan::USUAL_MTU);
    for (module, batch) in disciplines(index, before, faults, mtu) {
        socket.request(&batch).map_err(|refusal| {
            let attempt = format!("having the kernel carry out the faults of {}", topology.link_name(from.cable));
            Error::refused(attempt, &refusal).unless_kernel_knows(refusal.errno, module)
        })?;
    }
    Ok(())
}

/// One message for each queueing discipline, the outermost first, with the kernel module that has it. What was there before is changed in its
/// place, and never taken away: with it would go the packets that are on their way.
fn disciplines(index: u32, before: &Faults, faults: &Faults, mtu: u32) -> Vec<(&'static str, Batch)> {
    let mut all = Vec::new();
    let more_than_a_rate = |faults: &Faults| Faults { rate: None, queue: None, ..faults.clone() } != Faults::new();
    let changed = more_than_a_rate(before) || more_than_a_rate(faults);
    if changed {
        let mut batch = Batch::default();
        qdisc::netem(&mut batch, index, faults);
        all.push(("sch_netem", batch));
    }
    let unlimited = before.rate.map(|_| Rate(UNLIMITED));
    if let Some(rate) = faults.rate.or(unlimited) {
        let frame = u64::from(mtu) + 14;
        let room = match faults.queue.unwrap_or(Queue::Packets(100)) {
            Queue::Bytes(bytes) => bytes.max(frame),
            Queue::Packets(packets) => packets.saturating_mul(frame),
        };
        let mut batch = Batch::default();
        let place = if changed { qdisc::Place::WithinNetem } else { qdisc::Place::Root };
        qdisc::tbf(&mut batch, index, place, rate, room, frame);
        all.push(("sch_tbf", batch));
    }
    all
}

/// Bits per second that no link of a lab will ever carry.
const UNLIMITED: f64 = 1e15;

/// The interface at this end of a cable.
fn interface(topology: &Topology, at: At) -> (Space, u32) {
    match topology.port(at) {
        Some(port) => (Space::Node(port.node), plan::index(topology, port)),
        None => (Space::Switches, plan::port_index(at.cable)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_stays_for_what_is_on_its_way() {
        let modules = |before: &Faults, faults: &Faults| -> Vec<_> {
            disciplines(7, before, faults, 1500).into_iter().map(|(module, _)| module).collect()
        };
        let (none, rate, loss) = (Faults::new(), Faults::new().rate(Rate::mbit(1.0)), Faults::new().loss(0.5));
        assert_eq!(modules(&none, &none), [] as [&str; 0]);
        assert_eq!(modules(&none, &rate), ["sch_tbf"]);
        assert_eq!(modules(&rate, &none), ["sch_tbf"]);
        assert_eq!(modules(&none, &loss), ["sch_netem"]);
        assert_eq!(modules(&loss, &none), ["sch_netem"]);
        assert_eq!(modules(&rate, &loss), ["sch_netem", "sch_tbf"]);
        assert_eq!(modules(&loss, &rate), ["sch_netem", "sch_tbf"]);
    }
}
