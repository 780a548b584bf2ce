//! User ids of its own, `user_namespaces(7)`.
//!
//! Code that has to run as root is tested today with `sudo cargo test`, which costs a target directory full of root's
//! files and the trust that no test has a mistake; or not at all.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use isotest::isotest;
use nix::unistd::geteuid;

#[isotest]
fn by_default_a_test_is_who_started_it() {
    let map = id_map();
    assert_eq!(map.inside, map.outside);
}

#[isotest(user = "root")]
fn root_inside_is_whoever_started_the_test_outside() {
    assert!(geteuid().is_root());
    assert_eq!(id_map().inside, 0);
}

#[isotest(user = "root")]
fn root_reads_what_nobody_may_read() {
    assert!(reads_what_nobody_may_read());
}

#[isotest]
fn an_ordinary_user_does_not() {
    assert_eq!(reads_what_nobody_may_read(), geteuid().is_root(), "permissions mean inside what they mean outside");
}

fn reads_what_nobody_may_read() -> bool {
    let secret = "/tmp/secret";
    fs::write(secret, "for nobody").expect("/tmp is the test's own");
    fs::set_permissions(secret, Permissions::from_mode(0o000)).expect("the file is the test's own");
    fs::read(secret).is_ok()
}

/// Where a range of ids begins, on both sides of the boundary.
struct IdMap {
    inside: u32,
    outside: u32,
}

fn id_map() -> IdMap {
    let map = fs::read_to_string("/proc/self/uid_map").expect("/proc is there");
    let mut columns = map.split_whitespace().map(|column| column.parse().expect("an id"));
    let mut next = || columns.next().expect("a column");
    IdMap { inside: next(), outside: next() }
}
