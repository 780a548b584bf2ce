//! Who carries out faults: the lab itself, or the kernel?

use super::Lab;
use super::build::Spaces;
use super::error::{Error, Result};
use super::faults::{Faults, Queue};
use super::plan::{self, Space};
use super::qdisc;
use super::topology::{At, Topology};
use crate::netlink::Batch;

/// Who carries out the faults of a lab's links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Engine {
    /// The lab itself, from its seed: the same seed does the same to the same packets. It needs nothing of the kernel but packet sockets.
    #[default]
    Lab,
    /// The kernel: `tbf` for rates, `netem` for the rest. It carries more per second, and any link can get faults at any time. But its
    /// chance can't be repeated, it does not tell what befell which packet ([`Link::fates`](super::Link::fates) stay zero), it loses none by
    /// number, has no black holes, and reorders otherwise.
    Kernel,
}

impl Lab {
    /// Chooses who carries out faults; the lab itself where nothing is said.
    ///
    /// # Errors
    ///
    /// When a link has faults already, or the lab is up.
    pub fn engine(&self, engine: Engine) -> Result<()> {
        self.shared.draw(|topology| {
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

/// Whether the kernel has all these faults.
pub(crate) fn check(faults: &Faults, whose: &str) -> Result<()> {
    let lacks = [
        (!faults.lose.is_empty(), "a loss by number"),
        (faults.black_hole.is_some(), "a black hole"),
        (faults.loss > 0.0 && faults.bursts.is_some(), "a loss by chance beside one in bursts"),
        (faults.reorder > 0.0, "a reordering by a number of packets"),
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
    for from in ways.filter(|at| topology.cables[at.cable].faults[at.end] != Faults::new()) {
        set(topology, from, &topology.cables[from.cable].faults[from.end], spaces)?;
    }
    Ok(())
}

/// Has the kernel carry out what is wrong with the way from this end of a cable, in place of what was.
pub(crate) fn set(topology: &Topology, from: At, faults: &Faults, spaces: &mut Spaces) -> Result<()> {
    let (space, index) = interface(topology, from);
    let socket = &mut spaces.get_mut(&space).expect("every end of a cable is in a space that was made").links;
    let mut before = Batch::default();
    qdisc::remove(&mut before, index);
    // There may have been none.
    socket.request(&before).ok();
    let mtu = topology.cables[from.cable].mtu.unwrap_or(plan::USUAL_MTU);
    for (module, batch) in disciplines(index, faults, mtu) {
        socket.request(&batch).map_err(|refusal| {
            let attempt = format!("having the kernel carry out the faults of {}", topology.link_name(from.cable));
            Error::refused(attempt, &refusal).unless_kernel_knows(refusal.errno, module)
        })?;
    }
    Ok(())
}

/// One message for each queueing discipline, the outermost first, with the kernel module that has it.
fn disciplines(index: u32, faults: &Faults, mtu: u32) -> Vec<(&'static str, Batch)> {
    let mut all = Vec::new();
    let changed = Faults { rate: None, queue: None, ..faults.clone() } != Faults::new();
    if changed {
        let mut batch = Batch::default();
        qdisc::netem(&mut batch, index, faults);
        all.push(("sch_netem", batch));
    }
    if let Some(rate) = faults.rate {
        let frame = u64::from(mtu) + 14;
        let room = match faults.queue.unwrap_or(Queue::Packets(100)) {
            Queue::Bytes(bytes) => bytes.max(frame),
            Queue::Packets(packets) => packets * frame,
        };
        let mut batch = Batch::default();
        let parent = if changed { qdisc::WITHIN_NETEM } else { qdisc::ROOT };
        qdisc::tbf(&mut batch, index, parent, rate, room, frame);
        all.push(("sch_tbf", batch));
    }
    all
}

/// The interface at this end of a cable.
fn interface(topology: &Topology, at: At) -> (Space, u32) {
    match topology.port(at) {
        Some(port) => (Space::Node(port.node), plan::index(topology, port)),
        None => (Space::Switches, plan::port_index(at.cable)),
    }
}
