//! What Debian and Ubuntu add to the kernel, imitated: their sysctl as a file of our own, and a filter that answers as
//! their kernel does.

use crate::machine::Machine;
use crate::refuses;

#[test]
fn debian_s_switch_is_recognised() {
    refuses(
        &Machine::of_a_user().that("sysctl=unprivileged_userns_clone:0").that("filter=users"),
        "\
error: cannot isolate `first`: user namespaces are switched off for ordinary users on this machine

  failed at      cloning init into new namespaces (user, pid)
  kernel         EPERM, Operation not permitted
  because        kernel.unprivileged_userns_clone = 0

  until reboot   sudo sysctl -w kernel.unprivileged_userns_clone=1
  for good       printf '%s\\n' kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/99-isotest.conf
  in CI          run the sysctl line before the tests

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn ubuntu_s_restriction_is_recognised() {
    refuses(
        &Machine::of_a_user().that("sysctl=apparmor_restrict_unprivileged_userns:1").that("filter=rewriting"),
        "\
error: cannot isolate `first`: AppArmor restricts user namespaces on this machine

  failed at      writing /proc/self/setgroups (\"deny\")
  kernel         EACCES, Permission denied
  because        kernel.apparmor_restrict_unprivileged_userns = 1

  until reboot   sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
  for good       printf '%s\\n' kernel.apparmor_restrict_unprivileged_userns=0 | sudo tee /etc/sysctl.d/99-isotest.conf
  in CI          run the sysctl line before the tests

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}
