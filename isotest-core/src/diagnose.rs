//! Why did the kernel refuse? A pure function from the failed step and what was read from the host to a cause, the
//! evidence for it, and remedies, smallest first.
//!
//! The step tells causes apart that share an errno: on Ubuntu 24.04 the clone succeeds and the id map is refused,
//! under Docker's seccomp profile the clone itself is.

mod causes;
mod report;

use nix::errno::Errno;

use crate::outcome::{Failure, Stage};
use crate::restrictions::Restrictions;

pub use report::explain;

/// What is wrong with this machine, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Diagnosis {
    cause: String,
    evidence: Option<String>,
    remedies: Vec<(&'static str, String)>,
}

/// Finds the cause.
fn diagnose(failure: &Failure, host: &Restrictions) -> Diagnosis {
    let errno = Errno::from_raw(failure.errno);
    let refused = matches!(errno, Errno::EPERM | Errno::EACCES);
    match failure.stage {
        Stage::Server if host.proc.options.is_none() => causes::no_proc(),
        Stage::Server => causes::no_server(errno),
        Stage::Captures => causes::no_captures(),
        Stage::Clone | Stage::Namespaces if errno == Errno::ENOSPC => limited(failure.stage, host),
        Stage::Clone | Stage::Namespaces if errno == Errno::EINVAL && !host.unknown_kinds.is_empty() => {
            causes::unknown_kinds(&host.unknown_kinds)
        }
        Stage::Clone if errno == Errno::EAGAIN => causes::no_more_processes(),
        Stage::Clone if refused => clone_refused(errno, host),
        Stage::IdMap if errno == Errno::EROFS => causes::read_only_proc(),
        Stage::IdMap | Stage::Namespaces | Stage::Loopback if refused => powerless(host),
        Stage::Proc if refused => causes::hidden("/proc", &host.proc),
        // Only this mount depends on what is to be seen of /sys; a filter would have refused those before it.
        Stage::Mount if refused && failure.step.starts_with("mounting sysfs") => causes::hidden("/sys", &host.sys),
        Stage::Mount if errno == Errno::EINVAL => chroot_without_mount(host),
        Stage::Mount if refused => mount_refused(errno, host),
        _ if errno == Errno::ENOSYS && host.seccomp == Some(2) => causes::seccomp(),
        _ if errno == Errno::ENOSYS => causes::old_kernel(&host.release),
        _ => causes::unrecognised(host),
    }
}

/// In the kernel's order, `create_user_ns()` of kernel/user_namespace.c, after what distributions and filters put
/// before it. Security modules come last, and they alone answer `EACCES`.
fn clone_refused(errno: Errno, host: &Restrictions) -> Diagnosis {
    match host {
        _ if errno == Errno::EACCES => powerless(host),
        Restrictions { unprivileged_clone: Some(0), .. } => causes::switched_off(),
        Restrictions { chroot: Some(evidence), .. } => causes::chroot(evidence),
        Restrictions { unmapped: Some(evidence), .. } => causes::unmapped(evidence),
        // Root is refused only after it has tried without a user namespace: it lacks the privileges that this takes.
        _ if limit(host, "user") == Some(0) => causes::none_allowed(&["user"], host.nested),
        Restrictions { seccomp: Some(2), .. } => causes::seccomp(),
        _ => causes::perhaps_chroot(),
    }
}

/// No user namespace may be made, or its capabilities have no effect.
fn powerless(host: &Restrictions) -> Diagnosis {
    match host {
        Restrictions { apparmor: Some(1), .. } => causes::apparmor(),
        Restrictions { confinement: Some(label), .. } => causes::confined(label),
        Restrictions { seccomp: Some(2), .. } => causes::seccomp(),
        _ => causes::unrecognised(host),
    }
}

/// What restricts user namespaces alone has shown itself before the first mount.
fn mount_refused(errno: Errno, host: &Restrictions) -> Diagnosis {
    match host {
        Restrictions { confinement: Some(label), .. } if errno == Errno::EACCES => causes::confined(label),
        Restrictions { seccomp: Some(2), .. } => causes::seccomp(),
        _ => causes::unrecognised(host),
    }
}

/// Only a mount can be made private.
fn chroot_without_mount(host: &Restrictions) -> Diagnosis {
    host.chroot.as_deref().map_or_else(|| causes::unrecognised(host), causes::chroot_without_mount)
}

fn limited(stage: Stage, host: &Restrictions) -> Diagnosis {
    // The clone makes user and PID namespaces; or the latter come later, where the test itself is PID 1.
    let concerned: &[&str] =
        if stage == Stage::Clone { &["user", "pid"] } else { &["pid", "net", "mnt", "uts", "ipc"] };
    let zeros: Vec<_> = concerned.iter().copied().filter(|kind| limit(host, kind) == Some(0)).collect();
    if zeros.is_empty() { causes::limit_reached(concerned, host) } else { causes::none_allowed(&zeros, host.nested) }
}

fn limit(host: &Restrictions, kind: &str) -> Option<u64> {
    host.limits.iter().find(|(of, _)| *of == kind).map(|(_, limit)| *limit)
}

#[cfg(test)]
mod tests {
    use super::{diagnose, report::report};
    use crate::outcome::{Failure, Stage};
    use crate::restrictions::{Restrictions, View};

    fn failure(stage: Stage, errno: i32) -> Failure {
        Failure { step: "doing it".to_owned(), stage, errno }
    }

    fn cause(stage: Stage, errno: i32, host: &Restrictions) -> String {
        diagnose(&failure(stage, errno), host).cause
    }

    #[test]
    fn a_refused_id_map_on_ubuntu_is_apparmor() {
        let host = Restrictions { apparmor: Some(1), ..Restrictions::default() };
        assert!(cause(Stage::IdMap, libc::EPERM, &host).contains("AppArmor"));
        assert!(!cause(Stage::IdMap, libc::EPERM, &Restrictions::default()).contains("AppArmor"));
    }

    #[test]
    fn a_refused_clone_is_told_apart_by_what_is_read() {
        let none = Restrictions { seccomp: Some(0), ..Restrictions::default() };
        let debian = Restrictions { unprivileged_clone: Some(0), seccomp: Some(2), ..none.clone() };
        let docker = Restrictions { seccomp: Some(2), ..none.clone() };
        let chroot = Restrictions { chroot: Some("no mount at /".to_owned()), ..none.clone() };
        let stranger = Restrictions { unmapped: Some("user id 65534".to_owned()), ..none.clone() };
        let weak_root = Restrictions { limits: vec![("user", 0)], seccomp: Some(2), ..none.clone() };
        let ubuntu_chroot = Restrictions { apparmor: Some(1), ..none.clone() };
        for (host, words) in [
            (debian, "switched off"),
            (docker, "a seccomp filter"),
            (chroot, "for a process in a chroot"),
            (stranger, "does not know its user"),
            (weak_root, "allows no user namespaces"),
            (ubuntu_chroot, "looks like a chroot"),
            (none, "looks like a chroot"),
        ] {
            let cause = cause(Stage::Clone, libc::EPERM, &host);
            assert!(cause.contains(words), "{cause}");
        }
    }

    #[test]
    fn a_security_module_is_known_by_its_errno() {
        let apparmor = Restrictions { apparmor: Some(1), seccomp: Some(2), ..Restrictions::default() };
        let selinux = Restrictions { confinement: Some("a:b:container_t:s0".to_owned()), ..Restrictions::default() };
        assert!(cause(Stage::Clone, libc::EACCES, &apparmor).contains("AppArmor"));
        assert!(cause(Stage::Clone, libc::EACCES, &selinux).contains("a security module"));
        assert!(cause(Stage::Clone, libc::EPERM, &apparmor).contains("a seccomp filter"));
        let docker = Restrictions { confinement: Some("docker-default (enforce)".to_owned()), ..apparmor };
        assert!(cause(Stage::Mount, libc::EACCES, &docker).contains("a security module"));
        assert!(cause(Stage::Mount, libc::EPERM, &docker).contains("a seccomp filter"));
    }

    #[test]
    fn a_limit_of_zero_is_named_where_it_is_the_one_that_counts() {
        let host = Restrictions { limits: vec![("user", 0), ("net", 0), ("ipc", 7)], ..Restrictions::default() };
        assert!(cause(Stage::Clone, libc::ENOSPC, &host).ends_with("allows no user namespaces"));
        assert!(cause(Stage::Namespaces, libc::ENOSPC, &host).ends_with("allows no net namespaces"));
    }

    #[test]
    fn a_limit_of_a_user_namespace_is_not_blamed_on_the_machine() {
        let reached = Restrictions { limits: vec![("net", 7)], ..Restrictions::default() };
        let nested = Restrictions { nested: true, ..reached.clone() };
        assert!(cause(Stage::Namespaces, libc::ENOSPC, &reached).contains("on this machine"));
        assert!(cause(Stage::Namespaces, libc::ENOSPC, &nested).contains("around this one"));
    }

    #[test]
    fn a_refused_mount_is_told_apart_by_what_was_to_be_mounted() {
        let covered = View { options: Some("rw".to_owned()), covered: vec!["/sys/firmware".to_owned()] };
        let host = Restrictions { seccomp: Some(2), sys: covered, ..Restrictions::default() };
        let sysfs = Failure { step: "mounting sysfs on /sys".to_owned(), stage: Stage::Mount, errno: libc::EPERM };
        assert!(diagnose(&sysfs, &host).cause.contains("parts of /sys are hidden"));
        assert!(cause(Stage::Mount, libc::EPERM, &host).contains("a seccomp filter"));
    }

    #[test]
    fn a_missing_system_call_is_an_old_kernel_unless_a_filter_hides_it() {
        let old = Restrictions { release: "5.4.0".to_owned(), ..Restrictions::default() };
        let filtered = Restrictions { seccomp: Some(2), ..old.clone() };
        assert!(diagnose(&failure(Stage::Mount, libc::ENOSYS), &old).evidence.is_some_and(|it| it.contains("5.4.0")));
        assert!(cause(Stage::Mount, libc::ENOSYS, &filtered).contains("a seccomp filter"));
    }

    #[test]
    fn a_kind_of_namespace_that_the_kernel_lacks_is_named() {
        let host = Restrictions { unknown_kinds: vec!["user"], ..Restrictions::default() };
        assert!(cause(Stage::Clone, libc::EINVAL, &host).contains("without user namespaces"));
        assert!(cause(Stage::Clone, libc::EINVAL, &Restrictions::default()).contains("not recognise"));
    }

    #[test]
    fn the_report_has_step_errno_evidence_and_remedy() {
        let host = Restrictions { apparmor: Some(1), ..Restrictions::default() };
        let failure = Failure {
            step: "writing /proc/self/uid_map (\"1000 1000 1\")".to_owned(),
            stage: Stage::IdMap,
            errno: libc::EPERM,
        };
        let expected = "\
error: cannot isolate `net::dhcp_renews`: AppArmor restricts user namespaces on this machine

  failed at      writing /proc/self/uid_map (\"1000 1000 1\")
  kernel         EPERM, Operation not permitted
  because        kernel.apparmor_restrict_unprivileged_userns = 1

  until reboot   sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
  for good       printf '%s\\n' kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/99-isotest.conf
  in CI          run the sysctl line before the tests

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
";
        assert_eq!(report("net::dhcp_renews", &failure, &diagnose(&failure, &host)), expected);
    }
}
