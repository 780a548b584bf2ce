//! Why did the kernel refuse? A pure function from the failed step and what was read from the host to a cause, the
//! evidence for it, and remedies, smallest first.
//!
//! The step tells causes apart that share an errno: on Ubuntu 24.04 the clone succeeds and the id map is refused,
//! under Docker's seccomp profile the clone itself is.

use std::fmt;

use nix::errno::Errno;

use crate::host::Restrictions;
use crate::outcome::{Failure, Stage};

/// What is wrong with this machine, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    cause: String,
    evidence: Option<String>,
    remedies: Vec<(&'static str, String)>,
}

/// Finds the cause.
#[must_use]
pub(crate) fn diagnose(failure: &Failure, host: &Restrictions) -> Diagnosis {
    let errno = Errno::from_raw(failure.errno);
    let refused = matches!(errno, Errno::EPERM | Errno::EACCES);
    match failure.stage {
        Stage::Clone if refused => clone_refused(host),
        Stage::IdMap | Stage::Loopback | Stage::Namespaces if refused && host.apparmor == Some(1) => apparmor(),
        Stage::Clone | Stage::Namespaces if matches!(errno, Errno::ENOSPC | Errno::EUSERS) => limit(host),
        Stage::Clone | Stage::Namespaces if errno == Errno::EINVAL => old_kernel(),
        Stage::Proc if refused => masked_proc(host),
        Stage::Mount | Stage::Namespaces if refused && host.seccomp == Some(2) => seccomp(),
        Stage::Server => Diagnosis {
            cause: "the fork server of the test binary could not be used".to_owned(),
            evidence: None,
            remedies: vec![(
                "remedy",
                "see the kernel's answer above; the binary must be runnable by this user".to_owned(),
            )],
        },
        _ => unrecognised(host),
    }
}

fn clone_refused(host: &Restrictions) -> Diagnosis {
    if host.unprivileged_clone == Some(0) {
        return Diagnosis {
            cause: "user namespaces are switched off for ordinary users on this machine".to_owned(),
            evidence: Some("kernel.unprivileged_userns_clone = 0".to_owned()),
            remedies: vec![
                ("until reboot", "sudo sysctl -w kernel.unprivileged_userns_clone=1".to_owned()),
                ("in CI", "run the sysctl line before the tests".to_owned()),
            ],
        };
    }
    if host.chrooted {
        return Diagnosis {
            cause: "the kernel makes no user namespace for a process in a chroot".to_owned(),
            evidence: Some("/proc/self/mountinfo has no mount at /".to_owned()),
            remedies: vec![(
                "remedy",
                "enter the tree with pivot_root (bwrap, systemd-nspawn, podman) instead of chroot".to_owned(),
            )],
        };
    }
    if host.seccomp == Some(2) {
        return seccomp();
    }
    if host.apparmor == Some(1) {
        return apparmor();
    }
    unrecognised(host)
}

fn apparmor() -> Diagnosis {
    Diagnosis {
        cause: "AppArmor restricts user namespaces on this machine".to_owned(),
        evidence: Some("kernel.apparmor_restrict_unprivileged_userns = 1".to_owned()),
        remedies: vec![
            ("until reboot", "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0".to_owned()),
            ("in CI", "run the sysctl line before the tests".to_owned()),
        ],
    }
}

fn seccomp() -> Diagnosis {
    Diagnosis {
        cause: "a seccomp filter, as containers have, refuses namespaces".to_owned(),
        evidence: Some("Seccomp: 2 in /proc/self/status".to_owned()),
        remedies: vec![
            (
                "in Docker",
                "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
                 --security-opt systempaths=unconfined"
                    .to_owned(),
            ),
            ("in Podman", "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL".to_owned()),
        ],
    }
}

fn limit(host: &Restrictions) -> Diagnosis {
    match host.limits.iter().find(|(_, limit)| *limit == 0) {
        Some((name, _)) => Diagnosis {
            cause: format!("no namespace of one kind may be made: {name} is 0"),
            evidence: Some(format!("{name} = 0")),
            remedies: vec![
                ("until reboot", format!("sudo sysctl -w {name}=10000")),
                ("in CI", "run the sysctl line before the tests".to_owned()),
            ],
        },
        None => Diagnosis {
            cause: "as many namespaces exist as this user may have, or they are nested 32 deep".to_owned(),
            evidence: Some(
                host.limits.iter().map(|(name, limit)| format!("{name} = {limit}")).collect::<Vec<_>>().join(", "),
            ),
            remedies: vec![(
                "remedy",
                "run fewer tests at once (-j, --test-threads), or raise the user.max_* sysctls".to_owned(),
            )],
        },
    }
}

fn masked_proc(host: &Restrictions) -> Diagnosis {
    Diagnosis {
        cause: "parts of /proc are hidden, so the kernel refuses a fresh one".to_owned(),
        evidence: (!host.masked_proc.is_empty()).then(|| format!("mounted over: {}", host.masked_proc.join(", "))),
        remedies: vec![
            ("in Docker", "docker run --security-opt systempaths=unconfined".to_owned()),
            ("in Podman", "podman run --security-opt unmask=ALL".to_owned()),
            ("in Kubernetes", "hostUsers: false and procMount: Unmasked in the pod".to_owned()),
        ],
    }
}

fn old_kernel() -> Diagnosis {
    Diagnosis {
        cause: "this kernel lacks a kind of namespace".to_owned(),
        evidence: None,
        remedies: vec![("remedy", "use a kernel with CONFIG_USER_NS, PID_NS, NET_NS, UTS_NS and IPC_NS".to_owned())],
    }
}

fn unrecognised(host: &Restrictions) -> Diagnosis {
    Diagnosis {
        cause: "the kernel refused a step, for a reason that isotest does not recognise".to_owned(),
        evidence: Some(host.to_string()),
        remedies: vec![("remedy", "please report this whole message as an issue of isotest".to_owned())],
    }
}

/// Everything a person needs to mend a machine that cannot isolate `test`.
#[must_use]
pub fn explain(test: &str, failure: &Failure) -> String {
    report(test, failure, &diagnose(failure, &Restrictions::read()))
}

fn report(test: &str, failure: &Failure, diagnosis: &Diagnosis) -> String {
    use fmt::Write;
    let mut text = format!("error: cannot isolate `{test}`: {}\n\n", diagnosis.cause);
    let errno = Errno::from_raw(failure.errno);
    let mut line = |label: &str, words: &str| writeln!(text, "  {label:<14} {words}").ok();
    line("failed at", &failure.step);
    if failure.errno != 0 {
        line("kernel", &format!("{errno:?}, {}", errno.desc()));
    }
    if let Some(evidence) = &diagnosis.evidence {
        line("because", evidence);
    }
    text.push('\n');
    for (label, words) in &diagnosis.remedies {
        writeln!(text, "  {label:<14} {words}").ok();
    }
    text.push_str("\n  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation\n");
    text
}

#[cfg(test)]
mod tests {
    use super::{diagnose, report};
    use crate::host::Restrictions;
    use crate::outcome::{Failure, Stage};

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
    }

    #[test]
    fn a_refused_clone_is_told_apart_by_what_is_read() {
        let debian = Restrictions { unprivileged_clone: Some(0), seccomp: Some(2), ..Restrictions::default() };
        let docker = Restrictions { seccomp: Some(2), ..Restrictions::default() };
        let chroot = Restrictions { chrooted: true, ..Restrictions::default() };
        assert!(cause(Stage::Clone, libc::EPERM, &debian).contains("switched off"));
        assert!(cause(Stage::Clone, libc::EPERM, &docker).contains("seccomp"));
        assert!(cause(Stage::Clone, libc::EPERM, &chroot).contains("chroot"));
    }

    #[test]
    fn a_limit_of_zero_is_named() {
        let host = Restrictions { limits: vec![("user.max_net_namespaces", 0)], ..Restrictions::default() };
        assert!(cause(Stage::Namespaces, libc::ENOSPC, &host).contains("user.max_net_namespaces is 0"));
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
  in CI          run the sysctl line before the tests

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
";
        assert_eq!(report("net::dhcp_renews", &failure, &diagnose(&failure, &host)), expected);
    }
}
