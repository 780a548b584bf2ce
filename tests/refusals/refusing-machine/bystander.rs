//! A process that stays outside, as sudo and su do while their command runs.

use std::io;
use std::process::{Command, Stdio};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

/// It lives as long as the command: it reads from a pipe whose other end the command inherits.
pub(crate) fn leave() -> io::Result<()> {
    let mut bystander = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    if let Some(held) = bystander.stdin.take() {
        fcntl(&held, FcntlArg::F_SETFD(FdFlag::empty()))?;
        std::mem::forget(held);
    }
    Ok(())
}
