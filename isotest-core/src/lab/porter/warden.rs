//! Who is left when a porter is killed? A warden, in a session of its own: who kills a fork server kills its process group.

use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{ForkResult, Pid, getpid, getppid, read, setsid, write};

use crate::sys::process::{self, SingleThreaded, exit_now};

/// Starts one, whose life begins when it is out of reach of what may kill this process. It has one descriptor.
pub(super) fn start(
    proof: &SingleThreaded,
    kept: OwnedFd,
    life: impl FnOnce(OwnedFd) -> nix::Result<()>,
) -> nix::Result<()> {
    let (ready, told) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    match process::fork(proof)? {
        ForkResult::Child => {
            drop(ready);
            exit_now(i32::from(settle(told, kept).and_then(life).is_err()))
        }
        ForkResult::Parent { .. } => {
            drop((told, kept));
            match read(&ready, &mut [0])? {
                0 => Err(Errno::ECHILD),
                _ => Ok(()),
            }
        }
    }
}

fn settle(told: OwnedFd, kept: OwnedFd) -> nix::Result<OwnedFd> {
    setsid()?;
    process::set_name(c"isotest-warden")?;
    write(&told, b"!")?;
    drop(told);
    process::keep_only(kept)
}

/// Starts one that kills a child of this process, should this process end before the child.
pub(super) fn over(proof: &SingleThreaded, child: u32) -> nix::Result<()> {
    let (porter, child) = (getpid(), process::pidfd(Pid::from_raw(child.cast_signed()))?);
    start(proof, child, |child| {
        const PORTER_ENDED: Signal = Signal::SIGHUP;
        let ended: SigSet = [PORTER_ENDED].into_iter().collect();
        ended.thread_block()?;
        let signals = SignalFd::with_flags(&ended, SfdFlags::SFD_CLOEXEC)?;
        process::signal_when_parent_ends(PORTER_ENDED)?;
        if getppid() == porter {
            let wait = |descriptor| PollFd::new(descriptor, PollFlags::POLLIN);
            poll(&mut [wait(signals.as_fd()), wait(child.as_fd())], PollTimeout::NONE)?;
        }
        process::kill_by_pidfd(&child)
    })
}
