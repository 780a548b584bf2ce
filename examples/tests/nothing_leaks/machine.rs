//! What is there on this machine? Processes, mounts, interfaces, files where programs leave them, control groups and
//! its name, a line each.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nix::ifaddrs::getifaddrs;
use nix::unistd::gethostname;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use rustix::time::Timespec;

/// Everything.
pub(crate) fn look() -> BTreeSet<String> {
    let mut all = BTreeSet::from([format!("host name {:?}", gethostname().expect("a machine has a name"))]);
    all.extend(processes().map(|(pid, arguments)| format!("process {pid} {arguments}")));
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").expect("/proc is there");
    all.extend(mounts.lines().map(|line| format!("mount {line}")));
    let interfaces = getifaddrs().expect("the kernel lists its interfaces");
    all.extend(interfaces.map(|interface| format!("interface {}", interface.interface_name)));
    for directory in ["/tmp", "/var/tmp", "/dev/shm", "/run"] {
        all.extend(entries(directory).iter().map(|path| format!("file {path}")));
    }
    all.extend(control_groups().into_iter().map(|path| format!("control group {path}")));
    all
}

/// What bears this name.
pub(crate) fn traces_of(name: &str) -> Vec<String> {
    look().into_iter().filter(|line| line.contains(name)).collect()
}

/// A fork server ends on its own, right after the process that started it.
pub(crate) fn wait_for_processes_that_bear(name: &str) {
    for (pid, _) in processes().filter(|(_, arguments)| arguments.contains(name)) {
        let Some(Ok(process)) = Pid::from_raw(pid).map(|pid| pidfd_open(pid, PidfdFlags::empty())) else { continue };
        let minute = Timespec { tv_sec: 60, tv_nsec: 0 };
        poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&minute)).expect("a process can be waited for");
    }
}

/// Every process with its arguments.
fn processes() -> impl Iterator<Item = (i32, String)> {
    let numbers = fs::read_dir("/proc").expect("/proc is there").flatten();
    numbers.filter_map(|entry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default(); // It may have ended meanwhile.
        Some((pid, String::from_utf8_lossy(&arguments).replace('\0', " ")))
    })
}

fn entries(directory: &str) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path().display().to_string()).collect()
}

/// Those below this process's own, in every hierarchy (`cgroups(7)`); the roots' are everybody's.
fn control_groups() -> Vec<String> {
    let memberships = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let own = memberships.lines().filter_map(|line| {
        let (hierarchy, path) = line.split_once(':')?.1.split_once(':')?;
        (path != "/").then(|| format!("/sys/fs/cgroup/{}{path}", hierarchy.trim_start_matches("name=")))
    });
    own.flat_map(|group| entries(&group)).filter(|path| Path::new(path).is_dir()).collect()
}
