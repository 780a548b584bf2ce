//! `user.max_*_namespaces`, which count in the user namespace that they are set in and in all inside it.

use crate::machine::Machine;
use crate::{isolates, refuses};

#[test]
fn a_limit_of_no_user_namespaces_is_named() {
    refuses(
        &Machine::of_a_user().that("limit=user:0"),
        "\
error: cannot isolate `first`: this container allows no user namespaces

  failed at      cloning init into new namespaces (user, pid)
  kernel         ENOSPC, No space left on device
  because        user.max_user_namespaces = 0

  remedy         as root of the container: sysctl -w user.max_user_namespaces=10000

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn a_limit_of_no_pid_namespaces_is_named() {
    refuses(
        &Machine::of_a_user().that("limit=pid:0"),
        "\
error: cannot isolate `first`: this container allows no pid namespaces

  failed at      cloning init into new namespaces (user, pid)
  kernel         ENOSPC, No space left on device
  because        user.max_pid_namespaces = 0

  remedy         as root of the container: sysctl -w user.max_pid_namespaces=10000

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

/// The kinds that init makes are told apart by their limits alone: the step that fails is the same.
#[track_caller]
fn names_the_limit_of(kind: &str) {
    refuses(
        &Machine::of_a_user().that(&format!("limit={kind}:0")),
        &format!(
            "\
error: cannot isolate `first`: this container allows no {kind} namespaces

  failed at      making namespaces (net, mnt, uts, ipc)
  kernel         ENOSPC, No space left on device
  because        user.max_{kind}_namespaces = 0

  remedy         as root of the container: sysctl -w user.max_{kind}_namespaces=10000

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
"
        ),
    );
}

#[test]
fn a_limit_of_no_net_namespaces_is_named() {
    names_the_limit_of("net");
}

#[test]
fn a_limit_of_no_mnt_namespaces_is_named() {
    names_the_limit_of("mnt");
}

#[test]
fn a_limit_of_no_uts_namespaces_is_named() {
    names_the_limit_of("uts");
}

#[test]
fn a_limit_of_no_ipc_namespaces_is_named() {
    names_the_limit_of("ipc");
}

#[test]
fn the_remedy_for_a_limit_helps() {
    isolates(&Machine::of_a_user().that("limit=net:0").that("limit=net:10000"));
}

#[test]
fn a_limit_of_a_container_around_this_one_is_not_blamed_on_this_one() {
    refuses(
        &Machine::of_root_in_a_container().that("limit=net:0").that("user=1000"),
        "\
error: cannot isolate `first`: a container around this one limits namespaces, or they are nested 32 deep

  failed at      making namespaces (net, mnt, uts, ipc)
  kernel         ENOSPC, No space left on device
  because        the limits that can be read here are not reached: user.max_pid_namespaces = 2147483647, \
         user.max_net_namespaces = 2147483647, user.max_mnt_namespaces = 2147483647, \
         user.max_uts_namespaces = 2147483647, user.max_ipc_namespaces = 2147483647

  outside        in each container around this one and on the host: sysctl user | grep namespaces
                 and as root there: sysctl -w NAME=10000 for what is too small
  remedy         run fewer tests at once (-j, --test-threads)

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}

#[test]
fn a_user_namespace_that_does_not_know_its_user_is_recognised() {
    refuses(
        &Machine::of_a_stranger(),
        "\
error: cannot isolate `first`: the user namespace that this process is in does not know its user

  failed at      cloning init into new namespaces (user, pid)
  kernel         EPERM, Operation not permitted
  because        user id 65534 is not in /proc/self/uid_map

  remedy         start the container or namespace with an id map, as `unshare --user --map-current-user` does

  ISOTEST_UNAVAILABLE=skip leaves such tests out, =run runs them without isolation
",
    );
}
