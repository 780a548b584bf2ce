//! A chroot: the kernel makes no user namespace in one, and root can do without.

use crate::machine::Machine;
use crate::{isolates, refuses};

#[test]
fn a_chroot_to_a_plain_directory_is_recognised() {
    refuses(
        &Machine::of_a_user().in_a("chroot"),
        "\
error: cannot isolate `first`: the kernel makes no user namespace for a process in a chroot

  failed at      cloning init into new namespaces (user, pid)
  kernel         EPERM, Operation not permitted
  because        /proc/self/mountinfo has no mount at /

  remedy         enter the tree with pivot_root (bwrap, systemd-nspawn, podman) instead of chroot

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn a_chroot_to_a_mount_is_suspected() {
    refuses(
        &Machine::of_a_user().in_a("chroot-to-mount"),
        "\
error: cannot isolate `first`: this looks like a chroot, where the kernel makes no user namespace

  failed at      cloning init into new namespaces (user, pid)
  kernel         EPERM, Operation not permitted
  because        no sysctl and no seccomp filter is in the way; a security module would say EACCES

  remedy         enter the tree with pivot_root (bwrap, systemd-nspawn, podman) instead of chroot

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn a_chroot_to_a_mount_is_recognised_by_a_process_outside() {
    let ended = Machine::of_a_user().that("bystander").in_a("chroot-to-mount").cargo_isotest(&["--test", "strange"]);
    assert_eq!((ended.code, ended.reports().len()), (Some(120), 1), "{}", ended.text);
    assert!(ended.text.contains("the kernel makes no user namespace for a process in a chroot"), "{}", ended.text);
    assert!(ended.text.contains("  because        what is / here is /"), "{}", ended.text);
    assert!(ended.text.contains("/chroot-to-mount for process "), "{}", ended.text);
}

#[test]
fn a_root_directory_that_is_no_mount_stops_root_too() {
    refuses(
        &Machine::of_root().in_a("chroot"),
        "\
error: cannot isolate `first`: the root directory of this chroot is no mount, so nothing can keep mounts inside

  failed at      making the mounts private
  kernel         EINVAL, Invalid argument
  because        /proc/self/mountinfo has no mount at /

  remedy         before the chroot: mount --bind TREE TREE

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn root_isolates_in_a_chroot_to_a_mount() {
    isolates(&Machine::of_root().in_a("chroot-to-mount"));
}
