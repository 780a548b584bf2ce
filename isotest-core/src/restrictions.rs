//! What may keep this machine from making namespaces; read only when a step has failed.
//!
//! Facts, not conclusions: which of them is to blame is for `diagnose` to say.

mod mountinfo;

use std::fmt;
use std::path::Path;

use crate::host::Facts;
use mountinfo::{Mount, mounts};

/// The kinds of namespaces that a sandbox has, by their names in `/proc/PID/ns`.
pub(crate) const KINDS: [&str; 6] = ["user", "pid", "net", "mnt", "uts", "ipc"];

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Restrictions {
    /// `kernel.apparmor_restrict_unprivileged_userns`.
    pub(crate) apparmor: Option<u64>,
    /// `kernel.unprivileged_userns_clone`.
    pub(crate) unprivileged_clone: Option<u64>,
    /// The seccomp mode of this process; 2 is a filter.
    pub(crate) seccomp: Option<u64>,
    /// Under which profile or label a security module confines this process.
    pub(crate) confinement: Option<String>,
    /// The `user.max_*_namespaces` sysctls by kind. They are those of this process's own user namespace.
    pub(crate) limits: Vec<(&'static str, u64)>,
    /// Kinds that this kernel does not know.
    pub(crate) unknown_kinds: Vec<&'static str>,
    /// Whether this user namespace is inside another, whose limits can't be read from here.
    pub(crate) nested: bool,
    /// Which of the caller's ids its user namespace does not know.
    pub(crate) unmapped: Option<String>,
    /// By what we know that we are in a chroot.
    pub(crate) chroot: Option<String>,
    /// What there is of /proc.
    pub(crate) proc: View,
    /// What there is of /sys.
    pub(crate) sys: View,
    /// The kernel's release.
    pub(crate) release: String,
}

/// How much of a file system made by the kernel can be seen. It mounts a fresh one in a user namespace only where
/// there is one already of which nothing is hidden, `mount_too_revealing()` of fs/namespace.c.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    /// The options it is mounted with; `None` where it is not mounted.
    pub(crate) options: Option<String>,
    /// What is mounted over parts of it.
    pub(crate) covered: Vec<String>,
}

impl View {
    /// Whether nothing in it can be written.
    pub(crate) fn is_read_only(&self) -> bool {
        self.options.as_ref().is_some_and(|options| options.split(',').any(|option| option == "ro"))
    }
}

impl Restrictions {
    /// Reads them.
    pub(crate) fn read() -> Restrictions {
        let mounts = mounts("self");
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limit = |kind| Some((kind, sysctl(&format!("user.max_{kind}_namespaces"))?));
        let namespace = |kind: &str| std::fs::read_link(format!("/proc/self/ns/{kind}"));
        Restrictions {
            apparmor: sysctl("kernel.apparmor_restrict_unprivileged_userns"),
            unprivileged_clone: sysctl("kernel.unprivileged_userns_clone"),
            seccomp: seccomp_mode(&status),
            confinement: std::fs::read_to_string("/proc/self/attr/current").ok().and_then(|label| confinement(&label)),
            limits: KINDS.into_iter().filter_map(limit).collect(),
            unknown_kinds: KINDS.into_iter().filter(|kind| namespace(kind).is_err()).collect(),
            nested: namespace("user").is_ok_and(|own| own.as_os_str() != FIRST_USER_NAMESPACE),
            unmapped: unmapped(&Facts::read()),
            chroot: chroot(&mounts),
            proc: view("/proc", &mounts),
            sys: view("/sys", &mounts),
            release: std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
        }
    }
}

/// `PROC_USER_INIT_INO` of include/uapi/linux/nsfs.h.
const FIRST_USER_NAMESPACE: &str = "user:[4026531837]";

fn sysctl(name: &str) -> Option<u64> {
    let path = format!("/proc/sys/{}", name.replace('.', "/"));
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn seccomp_mode(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().parse().ok()
}

/// AppArmor writes `unconfined` or `PROFILE (enforce)`, SELinux `USER:ROLE:TYPE:LEVEL`.
fn confinement(label: &str) -> Option<String> {
    let label = label.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let confined =
        !label.is_empty() && !label.starts_with("unconfined") && label.split(':').nth(2) != Some("unconfined_t");
    confined.then(|| label.to_owned())
}

fn unmapped(facts: &Facts) -> Option<String> {
    let known = |id: u32, ranges: &[(u32, u32)]| {
        ranges.iter().any(|&(first, count)| id.checked_sub(first).is_some_and(|beyond| beyond < count))
    };
    if !known(facts.uid, &facts.uid_ranges) {
        return Some(format!("user id {} is not in /proc/self/uid_map", facts.uid));
    }
    (!known(facts.gid, &facts.gid_ranges)).then(|| format!("group id {} is not in /proc/self/gid_map", facts.gid))
}

/// The kernel's own test (`current_chrooted()` of fs/namespace.c) can't be repeated from here. Two signs are certain:
/// that our root directory is no mount point, and that another process sees our root's mount elsewhere.
fn chroot(own: &[Mount]) -> Option<String> {
    let Some(root) = own.iter().rfind(|mount| mount.point == "/") else {
        return (!own.is_empty()).then(|| "/proc/self/mountinfo has no mount at /".to_owned());
    };
    let entries = std::fs::read_dir("/proc").ok()?;
    let mut processes = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.find_map(|process| {
        let elsewhere = seen_elsewhere(root, &mounts(&process.to_string()))?;
        Some(format!("what is / here is {elsewhere} for process {process}"))
    })
}

/// Where a process sees our root's mount, if not at /. A mount's id is the same for all that see it.
fn seen_elsewhere(root: &Mount, others: &[Mount]) -> Option<String> {
    others.iter().find(|mount| mount.id == root.id && mount.point != "/").map(|mount| mount.point.clone())
}

/// Directories that the kernel keeps empty so that something can be mounted there: nothing is hidden by it.
const MADE_FOR_MOUNTS: [&str; 16] = [
    "/proc/fs/nfsd",
    "/proc/openprom",
    "/proc/sys/fs/binfmt_misc",
    "/proc/xen",
    "/sys/firmware/efi/efivars",
    "/sys/fs/bpf",
    "/sys/fs/cgroup",
    "/sys/fs/fuse/connections",
    "/sys/fs/pstore",
    "/sys/fs/resctrl",
    "/sys/fs/selinux",
    "/sys/fs/smackfs",
    "/sys/kernel/config",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
];

fn view(root: &str, mounts: &[Mount]) -> View {
    let made_for_it = |point: &Path| MADE_FOR_MOUNTS.iter().any(|made| point.starts_with(made));
    let covers = |point: &Path| point.starts_with(root) && point != Path::new(root) && !made_for_it(point);
    let points = mounts.iter().map(|mount| &mount.point);
    let mut covered: Vec<_> = points.filter(|point| covers(Path::new(point))).cloned().collect();
    covered.dedup();
    let options = mounts.iter().rfind(|mount| mount.point == root).map(|mount| mount.options.clone());
    View { options, covered }
}

impl fmt::Display for Restrictions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Restrictions { apparmor, unprivileged_clone, seccomp, limits, nested, chroot, proc, sys, .. } = self;
        let number = |number: &Option<u64>| number.map_or_else(|| "none".to_owned(), |number| number.to_string());
        let view = |view: &View| match &view.options {
            Some(options) => format!("{options}, covered {:?}", view.covered),
            None => "not mounted".to_owned(),
        };
        write!(f, "Linux {}, nested {nested}, ", self.release)?;
        write!(f, "seccomp {}, apparmor {}, ", number(seccomp), number(apparmor))?;
        write!(f, "unprivileged clone {}, confinement {:?}, ", number(unprivileged_clone), self.confinement)?;
        write!(f, "unmapped {:?}, chroot {chroot:?}, limits {limits:?}, ", self.unmapped)?;
        write!(f, "unknown {:?}, /proc {}, /sys {}", self.unknown_kinds, view(proc), view(sys))
    }
}

#[cfg(test)]
mod tests {
    use super::mountinfo::{Mount, parse};
    use super::{View, confinement, seen_elsewhere, view};

    const MACHINE: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 27 0:21 / /proc rw,relatime - proc proc rw
40 22 0:40 / /proc/sys/fs/binfmt_misc rw - binfmt_misc binfmt_misc rw
23 27 0:22 / /sys ro,nosuid - sysfs sysfs rw
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
50 27 254:0 /srv/tree /srv/tree rw,relatime - ext4 /dev/vda rw
";

    #[test]
    fn a_mount_where_nothing_is_hidden_by_it_is_no_cover() {
        let machine = parse(MACHINE);
        assert_eq!(view("/proc", &machine), View { options: Some("rw,relatime,rw".to_owned()), covered: Vec::new() });
        assert!(view("/sys", &machine).covered.is_empty());
    }

    #[test]
    fn a_cover_is_found_once_however_often_it_is_mounted() {
        let cover = "41 22 0:41 / /proc/acpi ro - tmpfs tmpfs ro\n";
        let masked = parse(&format!("{MACHINE}{cover}{cover}"));
        assert_eq!(view("/proc", &masked).covered, ["/proc/acpi"]);
    }

    #[test]
    fn a_mount_that_can_not_be_written_is_read_only() {
        let machine = parse(MACHINE);
        assert!(view("/sys", &machine).is_read_only());
        assert!(!view("/proc", &machine).is_read_only());
    }

    #[test]
    fn a_chroot_to_a_mount_is_betrayed_by_a_process_outside() {
        let machine = parse(MACHINE);
        let root = |id| Mount { id, point: "/".to_owned(), options: "rw".to_owned() };
        assert_eq!(seen_elsewhere(&root(50), &machine).as_deref(), Some("/srv/tree"));
        assert_eq!(seen_elsewhere(&root(27), &machine), None);
    }

    #[test]
    fn the_words_for_no_confinement_are_not_taken_for_a_profile() {
        assert_eq!(confinement("docker-default (enforce)\n").as_deref(), Some("docker-default (enforce)"));
        assert!(confinement("system_u:system_r:container_t:s0:c1,c2\0").is_some());
        for free in ["", "unconfined\n", "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0"] {
            assert_eq!(confinement(free), None, "{free:?}");
        }
    }
}
