//! When does a cable carry the first packet? A veth that is brought up before its other end has no carrier yet. The kernel notes the
//! carrier when it comes, but only somewhat later, on a busy machine much later, lets the interface send; until then it drops what is
//! sent there, and says nothing.

use std::time::{Duration, Instant};

use super::build::Spaces;
use super::error::{Error, Result};
use super::plan::Space;
use crate::netlink::{Batch, Refusal, Socket, attributes};

/// How long the kernel is waited for. It takes a second at most where it has time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until all these interfaces send.
pub(crate) fn wait(interfaces: &[(Space, u32)], spaces: &mut Spaces) -> Result<()> {
    let start = Instant::now();
    for (space, index) in interfaces {
        let socket = &mut spaces.get_mut(space).expect("every end of a cable is in a space that was made").links;
        let attempt = "waiting for a cable of the lab to carry";
        while !sends(socket, *index).map_err(|refusal| Error::refused(attempt, &refusal))? {
            if start.elapsed() > PATIENCE {
                return Err(Error::new(attempt, format!("interface {index} is still not up after {PATIENCE:?}")));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Ok(())
}

/// Asks whether an interface is up for good. Since Linux 6.8 the kernel first does what is left to do.
fn sends(socket: &mut Socket, index: u32) -> std::result::Result<bool, Refusal> {
    /// `IFLA_OPERSTATE` and `IF_OPER_UP` of linux/if.h, and `RTEXT_FILTER_SKIP_STATS` of linux/rtnetlink.h.
    const STATE: u16 = 16;
    const UP: u8 = 6;
    const WITHOUT_COUNTERS: u32 = 1 << 3;
    let mut question = Batch::default();
    // `struct ifinfomsg`, in which the interface's number is the second word.
    let mut header = [0; 16];
    header[4..8].copy_from_slice(&index.to_ne_bytes());
    question.add(libc::RTM_GETLINK, 0, &header, |wanted| {
        wanted.number(libc::IFLA_EXT_MASK, WITHOUT_COUNTERS);
    });
    let mut up = false;
    socket.ask(&question, |_, answer| {
        let mut all = attributes(answer.get(16..).unwrap_or_default());
        up = all.any(|(kind, value)| kind == STATE && value == [UP]);
    })?;
    Ok(up)
}
