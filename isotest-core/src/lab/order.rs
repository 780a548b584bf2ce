//! How do frames stay in the order in which they were sent?
//!
//! What arrives at a veth waits in a queue of the CPU that sent it. A thread that is moved to another CPU while the first is busy is
//! overtaken by itself there. So all that comes to a wire, or from one, waits at one CPU, by receive packet steering
//! (Documentation/networking/scaling.rst in the kernel's sources).

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
    if is_there() { build::set(MASK, &mask(cpu)) } else { Ok(()) }
}

/// Where it can't: at least what this thread sends stays in order.
pub(crate) fn keep_myself() -> nix::Result<()> {
    if is_there() {
        return Ok(());
    }
    let myself = Pid::from_raw(0);
    let allowed = sched_getaffinity(myself)?;
    let current = sched_getcpu()?;
    let mut one = CpuSet::new();
    let first = (0..CpuSet::count()).find(|cpu| allowed.is_set(*cpu).unwrap_or(false)).ok_or(Errno::EINVAL)?;
    one.set(if allowed.is_set(current)? { current } else { first })?;
    sched_setaffinity(myself, &one)
}

/// On which CPUs a thread runs.
pub(crate) struct Cpus {
    /// The one at which all waits that comes from wires, and the others; none where either is not known, or not ours.
    sorts: Option<(CpuSet, CpuSet)>,
}

impl Cpus {
    pub(crate) fn of_this_thread() -> nix::Result<Cpus> {
        let ours = sched_getaffinity(Pid::from_raw(0))?;
        let written = std::fs::read_to_string(path()).unwrap_or_default();
        let Some(receives) = only(&written) else { return Ok(Cpus { sorts: None }) };
        let ours: Vec<_> = (0..CpuSet::count()).filter(|cpu| ours.is_set(*cpu).unwrap_or(false)).collect();
        let (near, far): (Vec<_>, Vec<_>) = ours.into_iter().partition(|cpu| *cpu == receives);
        let sorts = if near.is_empty() || far.is_empty() { None } else { Some((set(&near)?, set(&far)?)) };
        Ok(Cpus { sorts })
    }

    /// Has this thread run where all waits that comes from wires. Where there is little to carry, to wake another CPU takes longer than all the
    /// rest.
    pub(crate) fn stay_near(&self) -> nix::Result<()> {
        self.sorts.map_or(Ok(()), |(near, _)| sched_setaffinity(Pid::from_raw(0), &near))
    }

    /// Keeps it away from there, where each packet would be received as soon as it is sent, before the next is. On another CPU, one of them
    /// receives many at a time while the other sends: several times as many per second.
    pub(crate) fn keep_away(&self) -> nix::Result<()> {
        self.sorts.map_or(Ok(()), |(_, far)| sched_setaffinity(Pid::from_raw(0), &far))
    }
}

fn set(cpus: &[usize]) -> nix::Result<CpuSet> {
    let mut set = CpuSet::new();
    cpus.iter().try_for_each(|cpu| set.set(*cpu))?;
    Ok(set)
}

fn path() -> PathBuf {
    Path::new("/proc/sys/net").join(MASK)
}

fn is_there() -> bool {
    path().exists()
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
    fn and_read_again() {
        assert_eq!([0, 31, 32, 69].map(|cpu| only(&mask(cpu))), [0, 31, 32, 69].map(Some));
        assert_eq!(["0", "3", "1,00000001", ""].map(only), [None; 4]);
        assert_eq!(only("00000000,00000002\n"), Some(1));
    }
}
