//! Each cause in words: what is wrong, by what we know it, what mends it.

use nix::errno::Errno;

use super::Diagnosis;
use crate::restrictions::{Restrictions, View};

type Remedies = Vec<(&'static str, String)>;

pub(super) fn switched_off() -> Diagnosis {
    Diagnosis {
        cause: "user namespaces are switched off for ordinary users on this machine".to_owned(),
        evidence: Some("kernel.unprivileged_userns_clone = 0".to_owned()),
        remedies: set_sysctls(&["kernel.unprivileged_userns_clone=1".to_owned()]),
    }
}

pub(super) fn apparmor() -> Diagnosis {
    Diagnosis {
        cause: "AppArmor restricts user namespaces on this machine".to_owned(),
        evidence: Some("kernel.apparmor_restrict_unprivileged_userns = 1".to_owned()),
        remedies: set_sysctls(&["kernel.apparmor_restrict_unprivileged_userns=0".to_owned()]),
    }
}

pub(super) fn confined(label: &str) -> Diagnosis {
    Diagnosis {
        cause: "a security module confines this process".to_owned(),
        evidence: Some(format!("/proc/self/attr/current is {label:?}")),
        remedies: vec![
            ("with AppArmor", "docker run --security-opt apparmor=unconfined".to_owned()),
            ("with SELinux", "podman run --security-opt label=disable".to_owned()),
        ],
    }
}

pub(super) fn seccomp() -> Diagnosis {
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
            (
                "in Kubernetes",
                "hostUsers: false in the pod, seccompProfile: {type: Unconfined} and procMount: Unmasked in its \
                 securityContext"
                    .to_owned(),
            ),
        ],
    }
}

pub(super) fn chroot(evidence: &str) -> Diagnosis {
    Diagnosis {
        cause: "the kernel makes no user namespace for a process in a chroot".to_owned(),
        evidence: Some(evidence.to_owned()),
        remedies: pivot_root(),
    }
}

pub(super) fn perhaps_chroot() -> Diagnosis {
    Diagnosis {
        cause: "this looks like a chroot, where the kernel makes no user namespace".to_owned(),
        evidence: Some("no sysctl and no seccomp filter is in the way; a security module would say EACCES".to_owned()),
        remedies: pivot_root(),
    }
}

fn pivot_root() -> Remedies {
    vec![("remedy", "enter the tree with pivot_root (bwrap, systemd-nspawn, podman) instead of chroot".to_owned())]
}

pub(super) fn chroot_without_mount(evidence: &str) -> Diagnosis {
    Diagnosis {
        cause: "the root directory of this chroot is no mount, so nothing can keep mounts inside".to_owned(),
        evidence: Some(evidence.to_owned()),
        remedies: vec![("remedy", "before the chroot: mount --bind TREE TREE".to_owned())],
    }
}

pub(super) fn unmapped(evidence: &str) -> Diagnosis {
    Diagnosis {
        cause: "the user namespace that this process is in does not know its user".to_owned(),
        evidence: Some(evidence.to_owned()),
        remedies: vec![(
            "remedy",
            "start the container or namespace with an id map, as `unshare --user --map-current-user` does".to_owned(),
        )],
    }
}

/// The limits of these kinds are 0.
pub(super) fn none_allowed(kinds: &[&str], nested: bool) -> Diagnosis {
    let where_from = if nested { "this container" } else { "this machine" };
    let raised: Vec<_> = kinds.iter().map(|kind| format!("{}=10000", limit_name(kind))).collect();
    Diagnosis {
        cause: format!("{where_from} allows no {} namespaces", kinds.join(", ")),
        evidence: Some(equal(kinds.iter().map(|kind| (*kind, 0)))),
        remedies: if nested {
            vec![("remedy", format!("as root of the container: sysctl -w {}", raised.join(" ")))]
        } else {
            set_sysctls(&raised)
        },
    }
}

/// The kernel says that a limit is reached, and none that we can read is 0.
pub(super) fn limit_reached(concerned: &[&'static str], host: &Restrictions) -> Diagnosis {
    let limits: Vec<_> = host.limits.iter().copied().filter(|(kind, _)| concerned.contains(kind)).collect();
    let evidence = Some(equal(limits.iter().copied()));
    let fewer = ("remedy", "run fewer tests at once (-j, --test-threads)".to_owned());
    if host.nested {
        return Diagnosis {
            cause: "a container around this one limits namespaces, or they are nested 32 deep".to_owned(),
            evidence: evidence.map(|own| format!("the limits that can be read here are not reached: {own}")),
            remedies: vec![
                (
                    "outside",
                    "in each container around this one and on the host: sysctl user | grep namespaces".to_owned(),
                ),
                ("", "and as root there: sysctl -w NAME=10000 for what is too small".to_owned()),
                fewer,
            ],
        };
    }
    let doubled: Vec<_> = limits.iter().map(|(kind, limit)| format!("{}={}", limit_name(kind), limit * 2)).collect();
    Diagnosis {
        cause: "as many namespaces exist as one user may have on this machine".to_owned(),
        evidence,
        remedies: [vec![fewer], set_sysctls(&doubled)].concat(),
    }
}

fn limit_name(kind: &str) -> String {
    format!("user.max_{kind}_namespaces")
}

fn equal<'a>(limits: impl Iterator<Item = (&'a str, u64)>) -> String {
    limits.map(|(kind, limit)| format!("{} = {limit}", limit_name(kind))).collect::<Vec<_>>().join(", ")
}

/// A fresh file system at `root` is refused.
pub(super) fn hidden(root: &str, view: &View) -> Diagnosis {
    if view.covered.is_empty() && view.is_read_only() {
        return read_only(root);
    }
    let (cause, evidence) = match &view.options {
        _ if !view.covered.is_empty() => {
            (format!("parts of {root} are hidden"), format!("mounted over: {}", view.covered.join(", ")))
        }
        Some(options) => (format!("{root} is not whole"), format!("{root} is mounted with {options}")),
        None => (format!("{root} is not mounted"), format!("/proc/self/mountinfo has no mount at {root}")),
    };
    Diagnosis {
        cause: format!("{cause}, so the kernel refuses a fresh one"),
        evidence: Some(evidence),
        remedies: vec![
            ("in Docker", "docker run --security-opt systempaths=unconfined".to_owned()),
            ("in Podman", "podman run --security-opt unmask=ALL".to_owned()),
            ("in Kubernetes", "hostUsers: false in the pod and procMount: Unmasked in its securityContext".to_owned()),
        ],
    }
}

fn read_only(root: &str) -> Diagnosis {
    Diagnosis {
        cause: format!("{root} is read-only, so the kernel refuses a fresh one that can be written"),
        evidence: Some(format!("{root} is mounted with ro")),
        remedies: vec![
            ("in Docker", "docker run --privileged, which makes it writable".to_owned()),
            ("elsewhere", format!("mount -o remount,rw {root}, as root of the container")),
        ],
    }
}

pub(super) fn read_only_proc() -> Diagnosis {
    Diagnosis {
        cause: "/proc is read-only, so no ids can be mapped".to_owned(),
        evidence: Some("/proc is mounted with ro".to_owned()),
        remedies: vec![(
            "remedy",
            "give the container a /proc that can be written, as bwrap --proc /proc does".to_owned(),
        )],
    }
}

pub(super) fn no_proc() -> Diagnosis {
    Diagnosis {
        cause: "/proc is not mounted".to_owned(),
        evidence: Some("/proc/self/mountinfo can't be read".to_owned()),
        remedies: vec![("remedy", "mount -t proc proc /proc, as root".to_owned())],
    }
}

pub(super) fn unknown_kinds(kinds: &[&str]) -> Diagnosis {
    let files: Vec<_> = kinds.iter().map(|kind| format!("/proc/self/ns/{kind}")).collect();
    Diagnosis {
        cause: format!("this kernel was built without {} namespaces", kinds.join(", ")),
        evidence: Some(format!("there is no {}", files.join(", "))),
        remedies: vec![("remedy", "use a kernel with CONFIG_USER_NS, PID_NS, NET_NS, UTS_NS and IPC_NS".to_owned())],
    }
}

pub(super) fn old_kernel(release: &str) -> Diagnosis {
    Diagnosis {
        cause: "this kernel lacks a system call".to_owned(),
        evidence: Some(format!("it is Linux {release}; isotest needs 5.9 (close_range)")),
        remedies: vec![("remedy", "use a later kernel".to_owned())],
    }
}

pub(super) fn no_more_processes() -> Diagnosis {
    Diagnosis {
        cause: "no more processes may be started here".to_owned(),
        evidence: None,
        remedies: vec![
            ("remedy", "raise `ulimit -u`, or pids.max of the control group (docker run --pids-limit -1)".to_owned()),
            ("or", "run fewer tests at once (-j, --test-threads)".to_owned()),
        ],
    }
}

pub(super) fn no_server(errno: Errno) -> Diagnosis {
    let remedy = match errno {
        Errno::UnknownErrno => "see above what failed",
        _ => "see the kernel's answer above; this user must be able to run the binary",
    };
    Diagnosis {
        cause: "the fork server of the test binary could not be used".to_owned(),
        evidence: None,
        remedies: vec![("remedy", remedy.to_owned())],
    }
}

pub(super) fn no_captures() -> Diagnosis {
    let remedy = "let this user write there, set CARGO_TARGET_DIR, or take `pcap` away from the test";
    Diagnosis {
        cause: "there is no place for the packets that it is to capture".to_owned(),
        evidence: None,
        remedies: vec![("remedy", remedy.to_owned())],
    }
}

pub(super) fn unrecognised(host: &Restrictions) -> Diagnosis {
    Diagnosis {
        cause: "the kernel refused a step, for a reason that isotest does not recognise".to_owned(),
        evidence: Some(host.to_string()),
        remedies: vec![("remedy", "please report this whole message as an issue of isotest".to_owned())],
    }
}

/// For this boot, for all boots, and where every run is the first.
fn set_sysctls(settings: &[String]) -> Remedies {
    let settings = settings.join(" ");
    vec![
        ("until reboot", format!("sudo sysctl -w {settings}")),
        ("for good", format!(r"printf '%s\n' {settings} | sudo tee /etc/sysctl.d/99-isotest.conf")),
        ("in CI", "run the sysctl line before the tests".to_owned()),
    ]
}
