//! The facts of the host that a plan depends on, read once by each fork server.

use std::ffi::CString;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use nix::sys::prctl;
use nix::sys::statvfs::{FsFlags, statvfs};
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
    /// The file systems that they are on.
    pub(crate) private_devices: Vec<u64>,
    /// The name by which `ps` knows the test binary.
    pub(crate) name: CString,
    /// Whether there are control groups to keep visible below `/sys`.
    pub(crate) cgroups: bool,
    /// Whether nothing in `/sys` can be written.
    pub(crate) sys_read_only: bool,
    /// Whether POSIX message queues are mounted.
    pub(crate) mqueue: bool,
    /// Whether each PID namespace has a `kernel.pid_max` of its own. Where it has not, writing it changes the host's.
    pub(crate) own_pid_max: bool,
    /// What /etc/hosts says, where there is one.
    pub(crate) hosts: Option<String>,
    /// Where this process was started.
    pub(crate) directory: Option<PathBuf>,
}

impl Facts {
    /// Reads them.
    pub(crate) fn read() -> Facts {
        let private = private_directories();
        Facts {
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            uid_ranges: id_ranges("/proc/self/uid_map"),
            gid_ranges: id_ranges("/proc/self/gid_map"),
            private_devices: private.iter().filter_map(|path| Some(path.metadata().ok()?.dev())).collect(),
            private,
            name: prctl::get_name().unwrap_or_default(),
            cgroups: PathBuf::from("/sys/fs/cgroup").is_dir(),
            sys_read_only: statvfs("/sys").is_ok_and(|sys| sys.flags().contains(FsFlags::ST_RDONLY)),
            mqueue: PathBuf::from("/dev/mqueue").is_dir(),
            own_pid_max: std::fs::read_to_string("/proc/sys/kernel/osrelease").is_ok_and(|own| is_since(&own, 6, 14)),
            hosts: std::fs::read_to_string("/etc/hosts").ok(),
            directory: std::env::current_dir().ok(),
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

/// Whether a kernel of this release has what came with version `major.minor`.
fn is_since(release: &str, major: u32, minor: u32) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (major, minor)
}

#[cfg(test)]
mod tests {
    use super::is_since;

    #[test]
    fn releases_are_compared_as_numbers() {
        assert!(is_since("6.18.44-fc", 6, 14));
        assert!(is_since("6.14", 6, 14));
        assert!(is_since("7.0.0-rc1", 6, 14));
        assert!(!is_since("6.9.3", 6, 14));
        assert!(!is_since("5.15.0-1084-azure", 6, 14));
        assert!(!is_since("", 6, 14));
    }
}
