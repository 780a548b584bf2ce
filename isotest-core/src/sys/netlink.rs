//! Options of netlink sockets that nix does not wrap, `netlink(7)`.

use std::os::fd::{AsRawFd, OwnedFd};

/// Lets the kernel say in words why it refuses, and leave out the refused message, `NETLINK_EXT_ACK` and `NETLINK_CAP_ACK`.
pub(crate) fn explain_errors(socket: &OwnedFd) -> nix::Result<()> {
    let on: libc::c_int = 1;
    for option in [libc::NETLINK_CAP_ACK, libc::NETLINK_EXT_ACK] {
        let (value, length) = ((&raw const on).cast(), size_of_val(&on) as libc::socklen_t);
        // SAFETY: the option's value is an integer that lives until the call returns.
        let result = unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, value, length) };
        super::check(libc::c_long::from(result))?;
    }
    Ok(())
}
