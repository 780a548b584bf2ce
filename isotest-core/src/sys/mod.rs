//! The only place where `unsafe` may stand: one kernel call (or one fact about the process image) per wrapper.
//!
//! # Safety
//!
//! Two conditions recur. *Pointers* handed to the kernel come from Rust values that live until the call returns.
//! *Duplicating the process* is sound only while it has one thread, because a copy of a threaded process may hold
//! locks that nobody will ever release; [`process::SingleThreaded`] is the proof, and the only way to a clone or fork.
#![allow(unsafe_code, reason = "this folder is where unsafe code lives, see the module documentation")]

pub(crate) mod capability;
pub(crate) mod constructors;
pub(crate) mod door;
pub(crate) mod env;
#[cfg(feature = "lab")]
pub(crate) mod frames;
pub(crate) mod mount;
#[cfg(feature = "lab")]
pub(crate) mod namespaces;
#[cfg(feature = "lab")]
pub(crate) mod netlink;
pub(crate) mod network;
pub(crate) mod packet;
pub(crate) mod process;
pub(crate) mod registry;
#[cfg(feature = "lab")]
pub(crate) mod ring;
pub(crate) mod stack;
pub(crate) mod word;

/// The kernel's number of an error that the standard library gives.
pub(crate) fn errno(error: std::io::Error) -> nix::errno::Errno {
    nix::errno::Errno::try_from(error).unwrap_or(nix::errno::Errno::EIO)
}

/// Turns the `-1` of a system call into the error it left behind.
fn check(result: libc::c_long) -> nix::Result<libc::c_long> {
    nix::errno::Errno::result(result)
}
