//! How do frames stay in the order in which they were sent?
//!
//! What arrives at a veth waits in a queue of the CPU that sent it. A thread that is moved to another CPU while the first is busy is
//! overtaken by itself there. So all that comes to wires waits at one CPU, by receive packet steering (Documentation/networking/scaling.rst in
//! the kernel's sources), and the thread that sends what comes from them stays on one. What comes from wires is not steered: a CPU's queue has
//! room for 1,000 packets of all networks (`net.core.netdev_max_backlog`), and whoever sends to another CPU's does not notice that it is full.

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};
use nix::unistd::Pid;

use super::build;
use super::error::{Error, Result};

/// What new interfaces of a network namespace take their CPUs from; Linux 6.4.
const MASK: &str = "core/rps_default_mask";

/// The CPU that this thread is on, which the next lab's will hardly be on too.
pub(crate) fn cpu() -> Result<usize> {
    sched_getcpu().map_err(|errno| Error::kernel("asking for the number of this CPU", errno))
}

/// Makes all that arrives at interfaces which this thread's network will get wait at one CPU, where the kernel can do so.
pub(crate) fn keep(cpu: usize) -> Result<()> {
    if is_kept() { build::set(MASK, &mask(cpu)) } else { Ok(()) }
}

/// Whether frames stay in order on whichever CPU they are sent.
pub(crate) fn is_kept() -> bool {
    path().exists()
}

/// On which CPU a thread runs that sends what comes from wires.
pub(crate) struct Cpus {
    /// The one at which all waits that comes to them.
    near: CpuSet,
    /// Another, where there is one.
    far: CpuSet,
}

impl Cpus {
    pub(crate) fn of_this_thread() -> nix::Result<Cpus> {
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        let ours: Vec<_> = (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu).unwrap_or(false)).collect();
        let receives = std::fs::read_to_string(path()).ok().and_then(|written| only(&written));
        let (near, far) = choose(receives, sched_getcpu()?, &ours).ok_or(Errno::EINVAL)?;
        Ok(Cpus { near: one(near)?, far: one(far)? })
    }

    /// Has this thread run where all waits that comes to wires. Where there is little to carry, to wake another CPU takes longer than all the
    /// rest.
    pub(crate) fn stay_near(&self) -> nix::Result<()> {
        sched_setaffinity(Pid::from_raw(0), &self.near)
    }

    /// Keeps it away from there, where it would have to wait for each that comes.
    pub(crate) fn keep_away(&self) -> nix::Result<()> {
        sched_setaffinity(Pid::from_raw(0), &self.far)
    }
}

/// The near one and the far one, of these.
fn choose(receives: Option<usize>, current: usize, ours: &[usize]) -> Option<(usize, usize)> {
    let first = *ours.first()?;
    match receives.filter(|cpu| ours.contains(cpu)) {
        Some(near) => Some((near, ours.iter().copied().find(|cpu| *cpu > near).unwrap_or(first))),
        None if ours.contains(&current) => Some((current, current)),
        None => Some((first, first)),
    }
}

fn one(cpu: usize) -> nix::Result<CpuSet> {
    let mut set = CpuSet::new();
    set.set(cpu)?;
    Ok(set)
}

fn path() -> PathBuf {
    Path::new("/proc/sys/net").join(MASK)
}

/// The number of a CPU as the kernel reads sets of them: groups of eight hexadecimal digits, the last CPUs first.
fn mask(cpu: usize) -> String {
    format!("{:x}{}", 1_u32 << (cpu % 32), ",00000000".repeat(cpu / 32))
}

/// The CPU in a set of one that is written so.
fn only(written: &str) -> Option<usize> {
    let groups = written.trim().rsplit(',').map(|group| u32::from_str_radix(group, 16).ok());
    let groups: Vec<u32> = groups.collect::<Option<_>>()?;
    let mut cpus = (0..32 * groups.len()).filter(|cpu| groups[cpu / 32] >> (cpu % 32) & 1 == 1);
    cpus.next().filter(|_| cpus.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_one_cpu_is_written_in_groups() {
        assert_eq!(["1", "80000000", "1,00000000", "20,00000000,00000000"], [0, 31, 32, 69].map(mask));
    }

    #[test]
    fn it_is_another_cpu_where_there_is_one() {
        assert_eq!(choose(Some(2), 0, &[0, 2, 5]), Some((2, 5)));
        assert_eq!(choose(Some(5), 0, &[0, 2, 5]), Some((5, 0)));
        assert_eq!(choose(Some(2), 2, &[2]), Some((2, 2)));
        assert_eq!(
            [choose(Some(7), 2, &[0, 2]), choose(None, 2, &[0, 2])],
            [Some((2, 2)); 2],
            "nothing waits at one of ours"
        );
        assert_eq!(choose(None, 1, &[0, 2]), Some((0, 0)));
        assert_eq!(choose(None, 1, &[]), None);
    }

    #[test]
    fn and_read_again() {
        assert_eq!([0, 31, 32, 69].map(|cpu| only(&mask(cpu))), [0, 31, 32, 69].map(Some));
        assert_eq!(["0", "3", "1,00000001", ""].map(only), [None; 4]);
        assert_eq!(only("00000000,00000002\n"), Some(1));
    }
}
