//! Who is in the sandbox beside init?
//!
//! A test may unmount /proc, lay something over it or move its root elsewhere. So init takes a copy of the mount before
//! there is a test, and makes it its working directory. The copy is attached nowhere: unlike an open file it does not
//! keep the test from unmounting its own /proc. All paths here are relative to it.

use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, fchdir};

use super::stat::Stat;
use crate::sys::mount::open_tree;

/// What is needed to look for them: the copy, and where to look.
#[derive(Debug)]
pub(super) struct Census {
    files: OwnedFd,
    scope: Scope,
}

/// Which processes belong to the sandbox?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// All that /proc shows: it is that of a PID namespace, and init is its PID 1.
    Namespace,
    /// Those that descend from init, to whom the kernel gives all orphans among them.
    Descendants,
    /// The test alone. It is PID 1, and the kernel has ended all others before init hears that it has ended.
    Test,
}

impl Census {
    /// Takes the copy, or where init may not, because its mounts are the host's, the directory itself.
    pub(super) fn prepare(scope: Scope, own_mounts: bool) -> nix::Result<Census> {
        let directory = || open("/proc", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty());
        let files = match own_mounts.then(|| open_tree(c"/proc")) {
            // Before Linux 5.2: the mount itself then, though it can be unmounted with MNT_DETACH only.
            None | Some(Err(Errno::ENOSYS)) => directory()?,
            Some(copy) => copy?,
        };
        Ok(Census { files, scope })
    }

    /// Enters the copy, as the test must not.
    pub(super) fn enter(&self) -> nix::Result<()> {
        fchdir(&self.files)
    }

    /// The processes beside init that have not ended, nor begun to. Init has to have [entered](Census::enter).
    pub(super) fn survivors(&self) -> Vec<u32> {
        if self.scope == Scope::Namespace && kill(Pid::from_raw(-1), None) == Err(Errno::ESRCH) {
            return Vec::new(); // The usual case, for a single system call.
        }
        let mut survivors: Vec<u32> = self.others().into_iter().filter(|process| survives(*process)).collect();
        survivors.sort_unstable();
        survivors
    }

    /// Whether any thread of them is not stopped. If none can run, nothing will ever happen.
    pub(super) fn anybody_runs(&self) -> bool {
        let runs = |process: u32, thread| {
            Stat::read(&format!("{process}/task/{thread}/stat")).is_some_and(|thread| thread.runs())
        };
        // Where processes are shared with the host, anybody there may let a stopped one go on.
        self.scope != Scope::Namespace
            || self.others().into_iter().any(|process| threads(process).any(|thread| runs(process, thread)))
    }

    fn others(&self) -> Vec<u32> {
        match self.scope {
            Scope::Namespace => numbers_in(".").filter(|process| *process != 1).collect(),
            Scope::Descendants => descendants(),
            Scope::Test => Vec::new(),
        }
    }
}

/// Kills all that descends from init, however deep: each orphan becomes a child of init.
pub(super) fn kill_descendants() {
    loop {
        let children = children_in("thread-self/children");
        for child in &children {
            kill(Pid::from_raw(child.cast_signed()), Signal::SIGKILL).ok(); // Ended meanwhile: as good.
        }
        if children.is_empty() || waitpid(None, None).is_err() {
            return;
        }
    }
}

/// Sends a signal to all that descends from init.
pub(super) fn signal_descendants(signal: Signal) {
    // A process that has been stopped starts no child that would be missed.
    each_descendant(|process| {
        kill(Pid::from_raw(process.cast_signed()), signal).ok(); // Ended meanwhile: as good.
    });
}

fn descendants() -> Vec<u32> {
    let mut found = Vec::new();
    each_descendant(|process| found.push(process));
    found
}

/// Meets each before its children are looked for.
fn each_descendant(mut meet: impl FnMut(u32)) {
    let mut found = children_in("thread-self/children");
    let mut at = 0;
    while let Some(process) = found.get(at).copied() {
        meet(process);
        found.extend(threads(process).flat_map(|thread| children_in(&format!("{process}/task/{thread}/children"))));
        at += 1;
    }
}

fn children_in(list: &str) -> Vec<u32> {
    let list = std::fs::read_to_string(list).unwrap_or_default();
    list.split_ascii_whitespace().filter_map(|process| process.parse().ok()).collect()
}

fn survives(process: u32) -> bool {
    let Some(stat) = Stat::read(&format!("{process}/stat")) else { return false };
    if stat.is_killed() {
        return false;
    }
    if stat.threads == 1 {
        return !stat.is_ending();
    }
    // The first thread may have ended long before the others.
    let thread = |thread| Stat::read(&format!("{process}/task/{thread}/stat"));
    threads(process).filter_map(thread).any(|thread| !thread.is_ending())
}

fn threads(process: u32) -> impl Iterator<Item = u32> {
    numbers_in(&format!("{process}/task"))
}

fn numbers_in(directory: &str) -> impl Iterator<Item = u32> + use<> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}
