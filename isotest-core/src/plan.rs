//! In what order do we set up? A pure function from what a test asks for and what the host is to a list of steps.

mod directories;

use std::fmt;
use std::path::PathBuf;

use nix::sched::CloneFlags;

use crate::host::Facts;
use crate::outcome::Stage;
use crate::protocol::{Isolation, Run};
use crate::{Namespace, Pid1, Spec, User};

/// One kernel operation. Its `Display` is what a failure report says was attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write a whole small file, as `/proc` and `/sys` want it.
    Write { path: PathBuf, contents: String },
    /// Enter new namespaces, `unshare(2)`.
    Unshare(CloneFlags),
    /// Cut the mount tree off from the host's, `mount_namespaces(7)`.
    MakePrivate,
    /// Take a detached copy of what is at this path, for a later [`Step::Attach`].
    Detach(PathBuf),
    /// Lay a tmpfs over a directory, `tmpfs(5)`.
    Tmpfs { at: PathBuf, bytes: u64, options: String },
    /// Make a directory and its parents.
    MakeDirectory(PathBuf),
    /// Put a detached copy back where it was taken.
    Attach(PathBuf),
    /// Go to a directory by its name, and so to what is mounted there now, `chdir(2)`.
    Enter(PathBuf),
    /// Mount a file system of this kind.
    Mount { kind: &'static str, at: PathBuf, read_only: bool },
    /// Bring `lo` up.
    RaiseLoopback,
    /// Name the machine, `sethostname(2)`.
    Hostname(String),
    /// Covers a file by another, from a tmpfs that is mounted on a directory for it, and stays there.
    Lay { over: PathBuf, contents: String, shelf: PathBuf },
}

/// All steps of one sandbox, by who carries them out and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Init, first, where it is in a user namespace that nobody else has mapped.
    pub(crate) id_maps: Vec<Step>,
    /// Init, once the ids are mapped.
    pub(crate) sandbox: Vec<Step>,
    /// Whoever is PID 1, once all else is there.
    pub(crate) process_files: Vec<Step>,
    /// The private directories that this makes.
    pub(crate) private: Vec<Private>,
    /// The file systems that those directories are on outside.
    pub(crate) host_devices: Vec<u64>,
}

/// A directory that is empty when the test begins, or nearly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Private {
    /// Where.
    pub(crate) at: PathBuf,
    /// What is made in it, with all directories on the way, for something to be mounted on.
    pub(crate) made: Vec<PathBuf>,
}

impl Plan {
    /// What makes `spec` true on this host. It does not depend on the test, so one will do for many.
    pub(crate) fn new(spec: &Spec, facts: &Facts, keep: &[PathBuf]) -> Plan {
        let sandbox = sandbox(spec, facts, keep);
        Plan {
            id_maps: id_maps(spec, facts),
            private: private(&sandbox),
            host_devices: facts.private_devices.clone(),
            sandbox,
            process_files: process_files(spec, facts),
        }
    }
}

/// Which namespaces the clone itself makes. The others come by [`Step::Unshare`], so that a refusal names them.
pub(crate) fn clone_flags(run: &Run) -> CloneFlags {
    if run.isolation == Isolation::None {
        return CloneFlags::empty();
    }
    let mut flags = CloneFlags::CLONE_NEWUSER;
    flags.set(CloneFlags::CLONE_NEWPID, init_is_pid_1(run));
    flags
}

/// Whether init begins a PID namespace, and so sees, and ends, all that is in the sandbox.
pub(crate) fn init_is_pid_1(run: &Run) -> bool {
    let Spec { pid, pid1, .. } = run.spec;
    run.isolation == Isolation::Required && pid == Namespace::Isolated && pid1 == Pid1::Init
}

/// The id maps that make a caller who is not root himself (or root) inside; `user_namespaces(7)`.
fn id_maps(spec: &Spec, facts: &Facts) -> Vec<Step> {
    if facts.uid == 0 {
        return Vec::new(); // The server has written them, see `whole_id_maps`.
    }
    let (uid, gid) = match spec.user {
        User::Caller => (facts.uid, facts.gid),
        User::Root => (0, 0),
    };
    vec![
        write("/proc/self/setgroups", "deny".to_owned()),
        write("/proc/self/uid_map", format!("{uid} {} 1", facts.uid)),
        write("/proc/self/gid_map", format!("{gid} {} 1", facts.gid)),
    ]
}

/// Root's map: everyone that root knows is himself inside. Only the parent, who has real privileges, may write it.
pub(crate) fn whole_id_maps(init: i32, facts: &Facts) -> Vec<Step> {
    let identity =
        |ranges: &[(u32, u32)]| ranges.iter().map(|(first, count)| format!("{first} {first} {count}\n")).collect();
    vec![
        write(&format!("/proc/{init}/uid_map"), identity(&facts.uid_ranges)),
        write(&format!("/proc/{init}/gid_map"), identity(&facts.gid_ranges)),
    ]
}

/// Everything that makes the sandbox true, once the ids are mapped.
fn sandbox(spec: &Spec, facts: &Facts, keep: &[PathBuf]) -> Vec<Step> {
    let own = |whose: Namespace| whose == Namespace::Isolated;
    let mut steps = Vec::new();
    let mut namespaces = CloneFlags::empty();
    namespaces.set(CloneFlags::CLONE_NEWNS, own(spec.mount));
    namespaces.set(CloneFlags::CLONE_NEWUTS, own(spec.uts));
    namespaces.set(CloneFlags::CLONE_NEWIPC, own(spec.ipc));
    namespaces.set(CloneFlags::CLONE_NEWNET, own(spec.net));
    if !namespaces.is_empty() {
        steps.push(Step::Unshare(namespaces));
    }
    if own(spec.uts) {
        steps.push(Step::Hostname(spec.hostname.clone()));
    }
    if own(spec.mount) {
        steps.push(Step::MakePrivate);
    }
    if own(spec.net) {
        steps.push(Step::RaiseLoopback);
    }
    if own(spec.mount) {
        let names = own_name(spec, facts).filter(|_| own(spec.uts));
        directories::layer(spec, facts, keep, names, &mut steps);
    }
    if own(spec.mount) && own(spec.net) {
        system_files(facts, &mut steps);
    }
    if own(spec.mount) && own(spec.ipc) && facts.mqueue {
        steps.push(Step::Mount { kind: "mqueue", at: "/dev/mqueue".into(), read_only: false });
    }
    steps
}

/// The private directories among what was decided.
fn private(sandbox: &[Step]) -> Vec<Private> {
    let made = |step: &Step| match step {
        Step::Attach(path) | Step::MakeDirectory(path) => Some(path.clone()),
        _ => None,
    };
    let private = |step: &Step| match step {
        Step::Tmpfs { at, .. } => {
            let inside = |path: &PathBuf| path != at && path.starts_with(at);
            Some(Private { at: at.clone(), made: sandbox.iter().filter_map(made).filter(inside).collect() })
        }
        _ => None,
    };
    sandbox.iter().filter_map(private).collect()
}

/// What only a process inside the new PID namespace can do: a `/proc` that shows it.
fn process_files(spec: &Spec, facts: &Facts) -> Vec<Step> {
    let mut steps = Vec::new();
    if spec.pid == Namespace::Isolated {
        steps.push(Step::Mount { kind: "proc", at: "/proc".into(), read_only: false });
    }
    if spec.net == Namespace::Isolated {
        let group = if facts.uid != 0 && spec.user == User::Root { 0 } else { facts.gid };
        steps.push(write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0".to_owned()));
        steps.push(write("/proc/sys/net/ipv4/ping_group_range", format!("{group} {group}")));
    }
    if spec.pid == Namespace::Isolated && facts.uid == 0 && facts.own_pid_max {
        steps.push(write("/proc/sys/kernel/pid_max", pid_max(spec.processes).to_string()));
    }
    steps
}

/// Root is bound by no `RLIMIT_NPROC`, but nobody starts a process for which there is no id left.
///
/// When the ids are used up for the first time, the kernel begins again at 300 (`RESERVED_PIDS` of linux/threads.h), so
/// that many have to be added, and there may be that many processes too many.
fn pid_max(processes: u64) -> u64 {
    /// `PID_MAX_LIMIT` of linux/threads.h.
    const MOST: u64 = 4 << 20;
    processes.max(1).saturating_add(300).min(MOST)
}

/// An /etc/hosts that knows the sandbox by its own name, which many programs look up when they start.
fn own_name(spec: &Spec, facts: &Facts) -> Option<Step> {
    let (hosts, shelf) = (facts.hosts.as_ref()?, facts.private.last()?);
    let end = if hosts.is_empty() || hosts.ends_with('\n') { "" } else { "\n" };
    let contents = format!("{hosts}{end}127.0.0.1 {name}\n::1 {name}\n", name = spec.hostname);
    Some(Step::Lay { over: "/etc/hosts".into(), contents, shelf: shelf.clone() })
}

/// A `/sys` that shows the new network namespace, with the control groups that parallelism is read from.
fn system_files(facts: &Facts, steps: &mut Vec<Step>) {
    let cgroups = PathBuf::from("/sys/fs/cgroup");
    if facts.cgroups {
        steps.push(Step::Detach(cgroups.clone()));
    }
    // Where the one that is there can't be written, as in Docker, the kernel refuses a fresh one that can.
    steps.push(Step::Mount { kind: "sysfs", at: "/sys".into(), read_only: facts.sys_read_only });
    if facts.cgroups {
        steps.push(Step::Attach(cgroups));
    }
}

fn write(path: &str, contents: String) -> Step {
    Step::Write { path: path.into(), contents }
}

impl Step {
    /// Which part of the setup this is.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Step::Write { path, .. } if path.ends_with("uid_map") || path.ends_with("gid_map") => Stage::IdMap,
            Step::Write { path, .. } if path.ends_with("setgroups") => Stage::IdMap,
            Step::Unshare(_) => Stage::Namespaces,
            Step::RaiseLoopback => Stage::Loopback,
            Step::Mount { kind: "proc", .. } => Stage::Proc,
            Step::MakePrivate
            | Step::Detach(_)
            | Step::Tmpfs { .. }
            | Step::Attach(_)
            | Step::Lay { .. }
            | Step::Mount { .. } => Stage::Mount,
            Step::Write { .. } | Step::MakeDirectory(_) | Step::Enter(_) | Step::Hostname(_) => Stage::Other,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Write { path, contents } => write!(f, "writing {} ({contents:?})", path.display()),
            Step::Unshare(flags) => write!(f, "making namespaces ({})", names(*flags)),
            Step::MakePrivate => f.write_str("making the mounts private"),
            Step::Detach(path) => write!(f, "taking a copy of the mount {}", path.display()),
            Step::Tmpfs { at, bytes, .. } => write!(f, "mounting tmpfs of {bytes} bytes on {}", at.display()),
            Step::MakeDirectory(path) => write!(f, "making the directory {}", path.display()),
            Step::Attach(path) => write!(f, "putting {} back", path.display()),
            Step::Lay { over, .. } => write!(f, "laying a file over {}", over.display()),
            Step::Enter(path) => write!(f, "entering {}", path.display()),
            Step::Mount { kind, at, .. } => write!(f, "mounting {kind} on {}", at.display()),
            Step::RaiseLoopback => f.write_str("bringing lo up"),
            Step::Hostname(name) => write!(f, "setting the host name {name:?}"),
        }
    }
}

/// Namespaces by the names that `/proc/PID/ns` uses.
pub(crate) fn names(flags: CloneFlags) -> String {
    let all = [
        (CloneFlags::CLONE_NEWUSER, "user"),
        (CloneFlags::CLONE_NEWPID, "pid"),
        (CloneFlags::CLONE_NEWNET, "net"),
        (CloneFlags::CLONE_NEWNS, "mnt"),
        (CloneFlags::CLONE_NEWUTS, "uts"),
        (CloneFlags::CLONE_NEWIPC, "ipc"),
    ];
    let named: Vec<_> = all.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name).collect();
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::directories::tests::facts;
    use super::*;

    #[test]
    fn a_limit_of_processes_leaves_as_many_ids_when_they_begin_again() {
        assert_eq!(pid_max(4096), 4396);
        assert_eq!(pid_max(0), 301, "the least that the kernel takes");
        assert_eq!(pid_max(u64::MAX), 4 << 20);
    }

    #[test]
    fn only_root_is_bound_by_process_ids_and_only_where_they_are_his_own() {
        let writes = |uid, own_pid_max| {
            let facts = Facts { uid, own_pid_max, ..facts(&[], "/") };
            process_files(&Spec::default(), &facts).iter().any(|step| step.to_string().contains("pid_max"))
        };
        assert!(writes(0, true) && !writes(0, false) && !writes(1000, true));
    }
}
