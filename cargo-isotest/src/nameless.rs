//! Where is something kept that has no name, and so can't be left behind?

use std::fs::File;
use std::io;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// An empty file. It lies in memory: a directory for temporary files need not exist.
pub(crate) fn file() -> io::Result<File> {
    Ok(memfd_create(c"isotest", MFdFlags::MFD_CLOEXEC)?.into())
}
