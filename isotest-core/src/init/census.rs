//! Who is in the sandbox beside init?
//!
//! A test may unmount /proc, lay something over it or move its root elsewhere. So init takes a copy of the mount before
//! there is a test, and makes it its working directory. The copy is attached nowhere: unlike an open file it does not
//! keep the test from unmounting its own /proc.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::kill;
use nix::sys::stat::Mode;
use nix::unistd::{Pid, fchdir};

use crate::sys::mount::open_tree;

/// What is needed to count them: the copy.
#[derive(Debug)]
pub(super) struct Census(OwnedFd);

impl Census {
    /// Takes the copy. Only of use where init is PID 1, because /proc shows a PID namespace.
    pub(super) fn prepare() -> nix::Result<Census> {
        match open_tree(c"/proc") {
            // Before Linux 5.2: the mount itself then, though it can be unmounted with MNT_DETACH only.
            Err(Errno::ENOSYS) => open("/proc", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty()).map(Census),
            copy => copy.map(Census),
        }
    }

    /// Enters the copy, as the test must not.
    pub(super) fn enter(&self) -> nix::Result<()> {
        fchdir(&self.0)
    }

    /// How many processes there are beside init. Init has to have [entered](Census::enter).
    pub(super) fn others(&self) -> usize {
        if kill(Pid::from_raw(-1), None) == Err(Errno::ESRCH) {
            return 0; // The usual case, for a single system call.
        }
        others().count()
    }

    /// Whether any thread of them is not stopped. If none can run, nothing will ever happen.
    pub(super) fn anybody_runs(&self) -> bool {
        others().any(|process| numbers_in(&format!("{process}/task")).any(|thread| runs(process, thread)))
    }
}

fn others() -> impl Iterator<Item = u32> {
    numbers_in(".").filter(|process| *process != 1)
}

fn numbers_in(directory: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Whether the third field of the thread's `stat` says anything but stopped, traced or ended, `proc_pid_stat(5)`.
fn runs(process: u32, thread: u32) -> bool {
    let stat = std::fs::read(format!("{process}/task/{thread}/stat")).unwrap_or_default();
    // The second field is a name in parentheses, which may contain anything.
    let name_ends = stat.iter().rposition(|byte| *byte == b')');
    name_ends.and_then(|at| stat.get(at + 2)).is_some_and(|state| !b"TtZX".contains(state))
}
