//! Detached copies of mounts: `open_tree(2)` and `move_mount(2)`, which nix does not wrap.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use nix::Result;

/// Copies the mount at `path`, with all below it, into a tree that is attached nowhere.
pub(crate) fn open_tree(path: &CStr) -> Result<OwnedFd> {
    let flags = libc::OPEN_TREE_CLONE | libc::OPEN_TREE_CLOEXEC | libc::AT_RECURSIVE as libc::c_uint;
    // SAFETY: the path ends with NUL and lives until the call returns.
    let fd = super::check(unsafe { libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags) })?;
    // SAFETY: the kernel just returned this descriptor, nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// Attaches a tree from [`open_tree`] at `path`.
pub(crate) fn move_mount(tree: &OwnedFd, path: &CStr) -> Result<()> {
    /// `MOVE_MOUNT_F_EMPTY_PATH` of linux/mount.h: the source is the descriptor itself.
    const F_EMPTY_PATH: libc::c_uint = 4;
    // SAFETY: both paths end with NUL and live until the call returns.
    let result = unsafe {
        libc::syscall(libc::SYS_move_mount, tree.as_raw_fd(), c"".as_ptr(), libc::AT_FDCWD, path.as_ptr(), F_EMPTY_PATH)
    };
    super::check(result).map(drop)
}
