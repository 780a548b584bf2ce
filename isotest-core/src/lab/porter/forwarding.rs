//! How does the machine forward packets just as long as a lab needs it?
//!
//! `net.ipv4.ip_forward` belongs to the machine, and several labs may need it at once, of users who don't know of one another. So each
//! holds a shared lock on the network namespace itself (`flock(2)` on /proc/self/ns/net: a lock without a name, which the kernel takes
//! back from the dead). Whoever finds forwarding off first starts two wardens, which wait until they get the lock for themselves
//! alone, that is until the last lab is gone, and then turn it off. There are two so that any one process may be killed.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::warden;
use crate::lab::error::{Error, Result};
use crate::sys::process::SingleThreaded;

const SETTING: &str = "/proc/sys/net/ipv4/ip_forward";

/// As long as it is held, the machine forwards.
#[derive(Debug)]
pub(super) struct Forwarding(#[expect(dead_code, reason = "it is held, not read")] Flock<File>);

/// Sees to it that the machine forwards.
pub(super) fn need(proof: &SingleThreaded) -> Result<Forwarding> {
    let held = Forwarding(lock(FlockArg::LockShared).map_err(|errno| failed("locking the machine's network", errno))?);
    let now = fs::read_to_string(SETTING).map_err(|error| Error::io(format!("reading {SETTING}"), &error))?;
    if now.trim() == "0" {
        for _ in 0..2 {
            let setting = File::options().write(true).open(SETTING).map_err(unwritable)?;
            let started = warden::start(proof, setting.into(), turn_off_when_alone);
            started.map_err(|errno| failed("starting who turns forwarding off again", errno))?;
        }
        fs::write(SETTING, "1").map_err(unwritable)?;
    }
    Ok(held)
}

/// Whether the machine forwards by IPv6. That is never turned on: who does so ignores what routers advertise (`accept_ra` in the kernel's
/// ip-sysctl), and the machine might lose its own way out.
pub(super) fn is_on_for_ipv6() -> bool {
    fs::read_to_string("/proc/sys/net/ipv6/conf/all/forwarding").is_ok_and(|now| now.trim() != "0")
}

fn unwritable(error: std::io::Error) -> Error {
    Error::io(format!("writing 1 to {SETTING}"), &error)
        .remedy("the machine has to forward what its labs send: run `sysctl net.ipv4.ip_forward=1`, as root")
}

fn failed(attempt: &str, errno: Errno) -> Error {
    Error::new(attempt, format!("{errno:?}, {}", errno.desc()))
}

fn lock(how: FlockArg) -> nix::Result<Flock<File>> {
    let mut namespace = File::open("/proc/self/ns/net").map_err(|_| Errno::ENOENT)?;
    loop {
        match Flock::lock(namespace, how) {
            Err((back, Errno::EINTR)) => namespace = back,
            other => return other.map_err(|(_, errno)| errno),
        }
    }
}

/// A warden's life.
fn turn_off_when_alone(setting: OwnedFd) -> nix::Result<()> {
    // The shared lock was this process's too, until it had closed its copy of the descriptor.
    let _alone = lock(FlockArg::LockExclusive)?;
    File::from(setting).write_all(b"0").map_err(|_| Errno::EIO)
}
