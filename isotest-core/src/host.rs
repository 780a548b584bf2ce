//! The facts of the host that a plan depends on, read once by each fork server.

use std::path::PathBuf;

use nix::unistd::{getegid, geteuid};

/// What a plan needs to know about the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The caller's effective user id.
    pub(crate) uid: u32,
    /// The caller's effective group id.
    pub(crate) gid: u32,
    /// Which user ids the caller's own user namespace knows: first and count.
    pub(crate) uid_ranges: Vec<(u32, u32)>,
    /// The same for group ids.
    pub(crate) gid_ranges: Vec<(u32, u32)>,
    /// Directories that become private, without symbolic links, shortest first.
    pub(crate) private: Vec<PathBuf>,
    /// Whether there are control groups to keep visible below `/sys`.
    pub(crate) cgroups: bool,
    /// Whether POSIX message queues are mounted.
    pub(crate) mqueue: bool,
}

impl Facts {
    /// Reads them.
    pub(crate) fn read() -> Facts {
        Facts {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            uid_ranges: id_ranges("/proc/self/uid_map"),
            gid_ranges: id_ranges("/proc/self/gid_map"),
            private: private_directories(),
            cgroups: PathBuf::from("/sys/fs/cgroup").is_dir(),
            mqueue: PathBuf::from("/dev/mqueue").is_dir(),
        }
    }
}

/// Directories where programs leave files and sockets that others find by name. One that does not exist hides nothing.
pub(crate) fn private_directories() -> Vec<PathBuf> {
    let temporary = std::env::var_os("TMPDIR").map(PathBuf::from);
    let usual = ["/tmp", "/var/tmp", "/dev/shm", "/run"].map(PathBuf::from);
    let mut directories: Vec<_> = usual
        .into_iter()
        .chain(temporary)
        .filter_map(|path| path.canonicalize().ok())
        .filter(|path| path.is_dir() && path.parent().is_some())
        .collect();
    directories.sort();
    directories.dedup();
    directories
}

/// The first and third column of an id map, `user_namespaces(7)`.
fn id_ranges(map: &str) -> Vec<(u32, u32)> {
    let map = std::fs::read_to_string(map).unwrap_or_default();
    let range = |line: &str| {
        let mut columns = line.split_whitespace().map(str::parse);
        Some((columns.next()?.ok()?, columns.nth(1)?.ok()?))
    };
    map.lines().filter_map(range).collect()
}

/// What may keep this machine from making namespaces; read only when a step has failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restrictions {
    /// `kernel.apparmor_restrict_unprivileged_userns`.
    pub(crate) apparmor: Option<u64>,
    /// `kernel.unprivileged_userns_clone`.
    pub(crate) unprivileged_clone: Option<u64>,
    /// The seccomp mode of this process; 2 is a filter.
    pub(crate) seccomp: Option<u64>,
    /// The `user.max_*_namespaces` sysctls.
    pub(crate) limits: Vec<(&'static str, u64)>,
    /// Whether the root directory is no mount point, as in a chroot.
    pub(crate) chrooted: bool,
    /// What is mounted over parts of /proc.
    pub(crate) masked_proc: Vec<String>,
}

impl Restrictions {
    /// Reads them.
    pub(crate) fn read() -> Restrictions {
        let points = mount_points(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default());
        let limits = [
            "user.max_user_namespaces",
            "user.max_pid_namespaces",
            "user.max_net_namespaces",
            "user.max_mnt_namespaces",
            "user.max_uts_namespaces",
            "user.max_ipc_namespaces",
        ];
        Restrictions {
            apparmor: sysctl("kernel.apparmor_restrict_unprivileged_userns"),
            unprivileged_clone: sysctl("kernel.unprivileged_userns_clone"),
            seccomp: seccomp_mode(),
            limits: limits.into_iter().filter_map(|name| Some((name, sysctl(name)?))).collect(),
            chrooted: !points.is_empty() && !points.iter().any(|point| point == "/"),
            masked_proc: points.into_iter().filter(|point| point.starts_with("/proc/")).collect(),
        }
    }
}

impl std::fmt::Display for Restrictions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Restrictions { apparmor, unprivileged_clone, seccomp, limits, chrooted, masked_proc } = self;
        write!(f, "apparmor {apparmor:?}, unprivileged clone {unprivileged_clone:?}, seccomp {seccomp:?}, ")?;
        write!(f, "chroot {chrooted}, mounts over /proc {masked_proc:?}, limits {limits:?}")
    }
}

fn sysctl(name: &str) -> Option<u64> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn seccomp_mode() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().parse().ok()
}

/// The fifth column of `/proc/PID/mountinfo`, `proc_pid_mountinfo(5)`.
fn mount_points(mountinfo: &str) -> Vec<String> {
    mountinfo.lines().filter_map(|line| line.split(' ').nth(4)).map(str::to_owned).collect()
}
