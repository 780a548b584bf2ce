//! When does a host hear who asks for its IPv6 addresses? The kernel has it listen on a thread of its own, on a busy machine much later,
//! and who has asked in vain asks again after a second.

use std::time::{Duration, Instant};

use super::build::Spaces;
use super::error::{Error, Result};
use super::plan::{Space, Step};
use crate::netlink::{Batch, Refusal, Socket};

/// Waits until all do.
pub(crate) fn settle(steps: &[(Space, Step)], spaces: &mut Spaces) -> Result<()> {
    for (space, host) in hosts_with_ipv6(steps) {
        let space = spaces.get_mut(space).expect("every space of a step was made");
        wait_for_addresses(&mut space.links, host)?;
    }
    Ok(())
}

/// Each once: a host's steps stand together.
fn hosts_with_ipv6(steps: &[(Space, Step)]) -> impl Iterator<Item = (&Space, &str)> {
    let mut last = None;
    steps.iter().filter_map(move |(space, step)| match step {
        Step::Address { prefix, host, .. } if prefix.address().is_ipv6() && last.replace(space) != Some(space) => {
            Some((space, host.as_str()))
        }
        _ => None,
    })
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
