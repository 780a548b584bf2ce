//! A program that starts in other namespaces than its parent's, `setns(2)`.

use std::ffi::CStr;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;

use nix::sched::{CloneFlags, setns};

/// The namespaces to start in.
pub(crate) trait Destination: Send + Sync + 'static {
    /// The network.
    fn network(&self) -> BorrowedFd<'_>;
    /// The host name.
    fn names(&self) -> BorrowedFd<'_>;
    /// The mounts.
    fn mounts(&self) -> BorrowedFd<'_>;
}

/// Makes `command` start there, in the same working directory by name.
pub(crate) fn start_in(command: &mut Command, destination: Arc<impl Destination>) {
    // SAFETY: between fork and exec the closure calls only system calls, on descriptors that `destination` keeps open, and
    // allocates nothing.
    unsafe { command.pre_exec(move || enter(&*destination)) };
}

fn enter(destination: &impl Destination) -> io::Result<()> {
    let mut directory = [0_u8; libc::PATH_MAX as usize];
    // SAFETY: the buffer is as long as is said, and is only read if the call succeeds, which ends it with NUL.
    let known = unsafe { !libc::getcwd(directory.as_mut_ptr().cast(), directory.len()).is_null() };
    setns(destination.network(), CloneFlags::CLONE_NEWNET)?;
    setns(destination.names(), CloneFlags::CLONE_NEWUTS)?;
    // Last: it moves the process to that namespace's root.
    setns(destination.mounts(), CloneFlags::CLONE_NEWNS)?;
    match CStr::from_bytes_until_nul(&directory) {
        Ok(directory) if known => Ok(nix::unistd::chdir(directory)?),
        _ => Ok(()),
    }
}
