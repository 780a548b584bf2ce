//! What containers forbid: namespaces and mounts by a seccomp filter, a fresh /proc or /sys by hiding parts of them.

use crate::machine::Machine;
use crate::{isolates, refuses};

/// The report of a filter that answers `errno` at a step.
fn filtered(step: &str, errno: &str) -> String {
    format!(
        "\
error: cannot isolate `first`: a seccomp filter, as containers have, refuses namespaces

  failed at      {step}
  kernel         {errno}
  because        Seccomp: 2 in /proc/self/status

  in Docker      docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
         --security-opt systempaths=unconfined
  in Podman      podman run --security-opt seccomp=unconfined --security-opt unmask=ALL
  in Kubernetes  hostUsers: false in the pod, seccompProfile: {{type: Unconfined}} and procMount: Unmasked in its \
         securityContext

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
"
    )
}

#[test]
fn docker_s_filter_is_recognised() {
    let report = filtered("cloning init into new namespaces (user, pid)", "EPERM, Operation not permitted");
    refuses(&Machine::of_a_user().that("filter=docker"), &report);
}

#[test]
fn docker_s_filter_is_recognised_by_root_too() {
    let report = filtered("cloning init into new namespaces (user, pid)", "EPERM, Operation not permitted");
    refuses(&Machine::of_root_in_a_container().that("filter=docker"), &report);
}

#[test]
fn a_filter_against_mounts_alone_is_recognised() {
    let report = filtered("making the mounts private", "EPERM, Operation not permitted");
    refuses(&Machine::of_a_user().that("filter=mounts"), &report);
}

/// The report of a file system with covered parts.
fn covered(root: &str, step: &str, covers: &str) -> String {
    format!(
        "\
error: cannot isolate `first`: parts of {root} are hidden, so the kernel refuses a fresh one

  failed at      {step}
  kernel         EPERM, Operation not permitted
  because        mounted over: {covers}

  in Docker      docker run --security-opt systempaths=unconfined
  in Podman      podman run --security-opt unmask=ALL
  in Kubernetes  hostUsers: false in the pod and procMount: Unmasked in its securityContext

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
"
    )
}

#[test]
fn what_hides_parts_of_proc_is_named() {
    let report = covered("/proc", "mounting proc on /proc", "/proc/version, /proc/bus");
    refuses(&Machine::of_a_user().that("cover=/proc/version").that("cover=/proc/bus"), &report);
}

#[test]
fn what_hides_parts_of_sys_is_named() {
    let report = covered("/sys", "mounting sysfs on /sys", "/sys/kernel");
    refuses(&Machine::of_a_user().that("cover=/sys/kernel"), &report);
}

#[test]
fn a_proc_that_can_not_be_written_is_recognised() {
    refuses(
        &Machine::of_a_user().that("read-only=/proc"),
        "\
error: cannot isolate `first`: /proc is read-only, so no ids can be mapped

  failed at      writing /proc/self/setgroups (\"deny\")
  kernel         EROFS, Read-only file system
  because        /proc is mounted with ro

  remedy         give the container a /proc that can be written, as bwrap --proc /proc does

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn a_sys_that_can_not_be_written_is_no_obstacle() {
    isolates(&Machine::of_a_user().that("read-only=/sys"));
}
