//! When does a host hear who asks for its IPv6 addresses? The kernel has it listen on a thread of its own, on a busy machine much later,
//! and who has asked in vain asks again after a second.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::build::Spaces;
use super::error::{Error, Result};
use super::plan::Space;
use super::topology::{Role, Topology};
use crate::netlink::{Batch, Refusal, Socket};

/// Which hosts do already.
#[derive(Debug)]
pub(crate) struct Settled(Vec<AtomicBool>);

impl Settled {
    /// Waits for those who are asked whether anybody enters them or not. For the others it is enough when somebody does, which spares a
    /// large lab most of the time that the kernel takes: for 500 hosts at a switch as long as for all else.
    pub(crate) fn those_that_nobody_enters(topology: &Topology, spaces: &mut Spaces) -> Result<Settled> {
        let settled = Settled(topology.nodes.iter().map(|_| AtomicBool::new(false)).collect());
        for (node, it) in topology.nodes.iter().enumerate().filter(|(_, it)| it.role != Role::Host) {
            settled.wait(node, &it.name, spaces)?;
        }
        Ok(settled)
    }

    /// Waits for one.
    pub(crate) fn wait(&self, node: usize, host: &str, spaces: &mut Spaces) -> Result<()> {
        if !self.has(node) {
            let space = spaces.get_mut(&Space::Node(node)).expect("every host has a space");
            wait_for_addresses(&mut space.links, host)?;
            self.0[node].store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Whether it has been waited for.
    pub(crate) fn has(&self, node: usize) -> bool {
        self.0[node].load(Ordering::Relaxed)
    }
}

/// Until an IPv6 address is no longer tentative, its host does not hear who asks for it.
fn wait_for_addresses(links: &mut Socket, host: &str) -> Result<()> {
    /// Far more than the busiest machine needs.
    const PATIENCE: Duration = Duration::from_secs(30);
    let attempt = || format!("waiting for the IPv6 addresses of `{host}`");
    let until = Instant::now() + PATIENCE;
    let mut pause = Duration::from_micros(20);
    while tentative(links).map_err(|refusal| Error::refused(attempt(), &refusal))? {
        if Instant::now() > until {
            let cause = format!("they are not usable after {} s", PATIENCE.as_secs());
            return Err(Error::new(attempt(), cause).remedy("see why the kernel's own threads get no time"));
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
    Ok(())
}

/// Whether any IPv6 address of the socket's network is.
fn tentative(links: &mut Socket) -> std::result::Result<bool, Refusal> {
    let mut question = Batch::default();
    // `struct ifaddrmsg`: family, length, flags, scope, index.
    let header = [libc::AF_INET6 as u8, 0, 0, 0, 0, 0, 0, 0];
    question.add(libc::RTM_GETADDR, libc::NLM_F_DUMP, &header, |_| {});
    let mut found = false;
    links.ask(&question, |_, address| {
        found |= address.get(2).is_some_and(|flags| u32::from(*flags) & libc::IFA_F_TENTATIVE != 0);
    })?;
    Ok(found)
}
