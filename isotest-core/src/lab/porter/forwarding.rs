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
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::unistd::{ForkResult, read, setsid, write};

use crate::lab::error::{Error, Result};
use crate::sys::process::{self, SingleThreaded, exit_now};

const SETTING: &str = "/proc/sys/net/ipv4/ip_forward";

/// As long as it is held, the machine forwards.
#[derive(Debug)]
pub(super) struct Forwarding(#[expect(dead_code, reason = "it is held, not read")] Flock<File>);

/// Sees to it that the machine forwards.
pub(super) fn need(proof: &SingleThreaded) -> Result<Forwarding> {
    let held = Forwarding(lock(FlockArg::LockShared).map_err(|errno| failed("locking the machine's network", errno))?);
    let now =
        fs::read_to_string(SETTING).map_err(|error| Error::new(format!("reading {SETTING}"), error.to_string()))?;
    if now.trim() == "0" {
        for _ in 0..2 {
            start_warden(proof).map_err(|errno| failed("starting who turns forwarding off again", errno))?;
        }
        fs::write(SETTING, "1").map_err(|error| {
            Error::new(format!("writing 1 to {SETTING}"), error.to_string())
                .remedy("the machine has to forward what its labs send: run `sysctl net.ipv4.ip_forward=1`, as root")
        })?;
    }
    Ok(held)
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

/// Returns when it is out of reach of what may kill this process.
fn start_warden(proof: &SingleThreaded) -> nix::Result<()> {
    let (ready, told) = socketpair(AddressFamily::Unix, SockType::Stream, None, SockFlag::SOCK_CLOEXEC)?;
    match process::fork(proof)? {
        ForkResult::Child => {
            drop(ready);
            exit_now(i32::from(watch(told).is_err()))
        }
        ForkResult::Parent { .. } => {
            drop(told);
            match read(&ready, &mut [0])? {
                0 => Err(Errno::ECHILD),
                _ => Ok(()),
            }
        }
    }
}

/// A warden's life.
fn watch(told: OwnedFd) -> nix::Result<()> {
    setsid()?; // A client that kills its server kills the server's process group.
    process::set_name(c"isotest-warden")?;
    let mut setting = File::options().write(true).open(SETTING).map_err(|_| Errno::EACCES)?;
    write(&told, b"!")?;
    drop(told);
    // The shared lock is this process's too, until all copies of its descriptor are closed.
    setting = process::keep_only(setting.into())?.into();
    let _alone = lock(FlockArg::LockExclusive)?;
    setting.write_all(b"0").map_err(|_| Errno::EIO)
}
