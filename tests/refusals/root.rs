//! Root does without user namespaces: its real privileges make the other ones, and nothing of the sandbox is missing.

use std::fs::read_to_string;

use crate::isolates;
use crate::machine::Machine;

#[test]
fn root_isolates_where_user_namespaces_are_refused() {
    let before = machine();
    isolates(&Machine::of_root().that("filter=users"));
    assert_eq!(machine(), before, "with real privileges a sandbox must still not reach the machine");
}

/// What a sandbox with real privileges could spoil: mounts and the host's name.
fn machine() -> [String; 2] {
    ["/proc/self/mountinfo", "/proc/sys/kernel/hostname"].map(|file| read_to_string(file).expect("/proc is mounted"))
}

#[test]
fn root_isolates_where_the_limit_of_user_namespaces_is_zero() {
    isolates(&Machine::of_root_in_a_container().that("limit=user:0"));
}

#[test]
fn an_ordinary_user_does_not() {
    let ended = Machine::of_a_user().that("filter=users").cargo_isotest(&["--test", "sandboxed"]);
    assert_eq!(ended.code, Some(120), "{}", ended.text);
    assert_eq!(ended.reports().len(), 1, "{}", ended.text);
}
