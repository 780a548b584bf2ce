//! Copies of this process, and what ties a copy to its parent.

use std::ffi::CString;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::Result;
use nix::errno::Errno;
use nix::sched::CloneFlags;
use nix::sys::signal::Signal;
use nix::unistd::{ForkResult, Pid};

/// Proof that this process has one thread, and so may be copied without losing the holder of a lock.
///
/// It stays true because only the fork server and its copies hold it, and neither starts a thread while it does.
#[derive(Debug)]
pub(crate) struct SingleThreaded(());

impl SingleThreaded {
    /// Leaves the other threads behind: the copy that `fork(2)` makes has one, and libc keeps its own locks usable in it.
    /// Locks of other libraries may be lost, so the copy must not go on into `main`.
    ///
    /// # Errors
    ///
    /// When the process can't be copied. Returns only in the copy; the original waits for it and ends as it did.
    pub(crate) fn by_leaving_the_others() -> Result<Self> {
        // SAFETY: the copy only serves requests, with nothing but libc and this crate; see above.
        match unsafe { nix::unistd::fork()? } {
            ForkResult::Child => {
                die_with_parent()?;
                Ok(SingleThreaded(()))
            }
            ForkResult::Parent { child } => {
                close_from(0).ok(); // The socket must close when the copy does.
                nix::sys::wait::waitpid(child, None).ok();
                exit_now(0)
            }
        }
    }

    /// Counts the threads of this process.
    ///
    /// # Errors
    ///
    /// The number of threads, where it is not one (or cannot be read: 0).
    pub(crate) fn check() -> std::result::Result<Self, usize> {
        match std::fs::read_dir("/proc/self/task").map(Iterator::count) {
            Ok(1) => Ok(SingleThreaded(())),
            Ok(more) => Err(more),
            Err(_) => Err(0),
        }
    }
}

/// Copies this process into the namespaces that `flags` make, `clone(2)`.
///
/// libc does not know of the copy: its cached thread id is the parent's until the copy calls [`fork`].
pub(crate) fn clone(_proof: &SingleThreaded, flags: CloneFlags) -> Result<ForkResult> {
    match clone3(flags.bits() as u64) {
        // Docker answers clone3 with ENOSYS so that callers fall back: its seccomp filter can't look into clone3's argument.
        Err(Errno::ENOSYS) => clone2(flags.bits() as libc::c_ulong),
        other => other,
    }
    .map(|pid| if pid == 0 { ForkResult::Child } else { ForkResult::Parent { child: Pid::from_raw(pid as i32) } })
}

fn clone3(flags: u64) -> Result<libc::c_long> {
    // The first eight words of struct clone_args, CLONE_ARGS_SIZE_VER0; exit_signal is the fifth.
    let arguments: [u64; 8] = [flags, 0, 0, 0, libc::SIGCHLD as u64, 0, 0, 0];
    // SAFETY: without CLONE_VM the copy has its own memory; `SingleThreaded` (held by the caller) says that no lock
    // of this image belongs to a thread that the copy lacks.
    super::check(unsafe { libc::syscall(libc::SYS_clone3, arguments.as_ptr(), size_of_val(&arguments)) })
}

fn clone2(flags: libc::c_ulong) -> Result<libc::c_long> {
    let flags = flags | libc::SIGCHLD as libc::c_ulong;
    // SAFETY: as for clone3; a null stack means that the copy goes on using its copy of this one.
    super::check(unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) })
}

/// Copies this process through libc, which then knows the copy's ids, `fork(2)`.
pub(crate) fn fork(_proof: &SingleThreaded) -> Result<ForkResult> {
    // SAFETY: the process has one thread, so the copy is complete.
    unsafe { nix::unistd::fork() }
}

/// Ends this process at once, running nothing on the way.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: _exit takes any status and never returns.
    unsafe { libc::_exit(code) }
}

/// A descriptor that becomes readable when this process ends, `pidfd_open(2)`.
pub(crate) fn own_pidfd() -> Result<OwnedFd> {
    pidfd(nix::unistd::getpid())
}

/// The same of another process: of a child that was not waited for yet, so that the number is surely its own.
pub(crate) fn pidfd(process: Pid) -> Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers.
    let fd = super::check(unsafe { libc::syscall(libc::SYS_pidfd_open, process.as_raw(), 0) })?;
    // SAFETY: the kernel just returned this descriptor, nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Kills a process, whoever has its number by now, `pidfd_send_signal(2)`.
#[cfg(feature = "lab")]
pub(crate) fn kill_by_pidfd(process: &OwnedFd) -> Result<()> {
    let nothing: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: the kernel takes three integers, and no pointer to more that it could read.
    super::check(unsafe { libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), libc::SIGKILL, nothing, 0) })
        .map(drop)
}

/// Asks the kernel to kill this process when its parent ends.
pub(crate) fn die_with_parent() -> Result<()> {
    signal_when_parent_ends(Signal::SIGKILL)
}

/// Asks the kernel to send this process a signal when its parent ends, `PR_SET_PDEATHSIG` of `prctl(2)`.
pub(crate) fn signal_when_parent_ends(signal: Signal) -> Result<()> {
    // SAFETY: this option takes one integer.
    super::check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_int) })).map(drop)
}

/// Names this process for `ps`, at most 15 bytes.
pub(crate) fn set_name(name: &std::ffi::CStr) -> Result<()> {
    // SAFETY: this option reads a string that ends with NUL.
    super::check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) })).map(drop)
}

/// Closes every descriptor from `first` on, `close_range(2)`.
pub(crate) fn close_from(first: u32) -> Result<()> {
    // SAFETY: the caller owns the process image; no Rust value that owns such a descriptor is used afterwards.
    super::check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) }).map(drop)
}

/// Makes `target` (0, 1 or 2) another name for `source`.
pub(crate) fn redirect(source: BorrowedFd<'_>, target: i32) -> Result<()> {
    // SAFETY: dup2 takes two descriptor numbers; nothing in Rust owns 0, 1 and 2.
    super::check(libc::c_long::from(unsafe { libc::dup2(source.as_raw_fd(), target) })).map(drop)
}

/// Descriptor 0, without the buffer that std's handle makes: a fresh process pays for each page that it writes to.
pub(crate) fn standard_input() -> BorrowedFd<'static> {
    // SAFETY: nothing in Rust owns 0, and the fork server and its copies keep it open.
    unsafe { BorrowedFd::borrow_raw(0) }
}

/// Takes over a descriptor that this process was started with.
pub(crate) fn inherited(number: i32) -> Result<OwnedFd> {
    // SAFETY: fcntl takes integers; F_DUPFD_CLOEXEC makes a new descriptor of at least 3.
    let fd = super::check(libc::c_long::from(unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) }))?;
    // SAFETY: the kernel just returned this descriptor, nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Makes this process the parent of all its descendants' orphans, `PR_SET_CHILD_SUBREAPER` of `prctl(2)`.
pub(crate) fn adopt_orphans() -> Result<()> {
    // SAFETY: this option takes one integer.
    super::check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) })).map(drop)
}

/// Replaces this process by a program, with this process's environment; returns only on failure.
pub(crate) fn exec(program: &CString, arguments: &[CString]) -> Errno {
    match nix::unistd::execv(program, arguments) {
        Err(errno) => errno,
    }
}

/// Unblocks every signal.
pub(crate) fn unblock_signals() -> Result<()> {
    nix::sys::signal::SigSet::empty().thread_set_mask()
}

/// Puts every signal back to its default action and unblocks all of them.
pub(crate) fn default_signals() -> Result<()> {
    for number in 1..=64 {
        if number == libc::SIGKILL || number == libc::SIGSTOP || number == 32 || number == 33 {
            continue; // Not ours to set: two belong to the kernel, two to libc.
        }
        // SAFETY: the default action needs no handler that could be unsound.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    unblock_signals()
}

/// Takes over a descriptor that this process was started with, under its own number. Programs that it starts don't get it.
pub(crate) fn own_descriptor(number: i32) -> OwnedFd {
    // SAFETY: before `main` nothing else in this process owns a descriptor.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    nix::fcntl::fcntl(&descriptor, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC)).ok(); // It is open.
    descriptor
}

/// Makes a program that is about to be started die with this thread. A program that gets other rights by its file outlives it.
#[cfg(feature = "lab")]
pub(crate) fn start_to_die_with_us(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: between fork and exec the closure makes one system call, and allocates nothing.
    unsafe { command.pre_exec(|| Ok(die_with_parent()?)) };
}

/// Closes all descriptors but this one, which gets another number, and the three standard ones, which all lead to /dev/null then. Only for a
/// copy of the fork server that never goes back to what the others were for.
#[cfg(feature = "lab")]
pub(crate) fn keep_only(kept: OwnedFd) -> Result<OwnedFd> {
    const PLACE: i32 = 3;
    redirect(standard_input(), 1)?;
    redirect(standard_input(), 2)?;
    redirect(std::os::fd::AsFd::as_fd(&kept), PLACE)?;
    std::mem::forget(kept);
    close_from(PLACE.cast_unsigned() + 1)?;
    Ok(own_descriptor(PLACE))
}

/// Takes over a descriptor that arrived in a message.
pub(crate) fn adopt(number: i32) -> OwnedFd {
    // SAFETY: the kernel made this descriptor when it delivered the message, nobody else knows it.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// Takes [`ignore_children`] back.
pub(crate) fn wait_for_children() -> Result<()> {
    // SAFETY: the default action installs no handler.
    unsafe { nix::sys::signal::signal(Signal::SIGCHLD, nix::sys::signal::SigHandler::SigDfl) }.map(drop)
}

/// Lets the kernel reap ended children by itself, `SIGCHLD` in `signal(7)`.
pub(crate) fn ignore_children() -> Result<()> {
    // SAFETY: ignoring a signal installs no handler.
    unsafe { nix::sys::signal::signal(Signal::SIGCHLD, nix::sys::signal::SigHandler::SigIgn) }.map(drop)
}

/// Makes writing to a pipe that nobody reads an error instead of a deadly signal, as std's `main` does.
pub(crate) fn ignore_broken_pipes() -> Result<()> {
    // SAFETY: ignoring a signal installs no handler.
    unsafe { nix::sys::signal::signal(Signal::SIGPIPE, nix::sys::signal::SigHandler::SigIgn) }.map(drop)
}
