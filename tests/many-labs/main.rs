//! Do labs of tests that run at the same time keep apart?
//!
//! Not among the other tests of labs, which would have to share the machine with two hundred more.

use isotest_tests::{Ended, Fixture};

const ALL: Fixture = Fixture("two-hundred-labs");

#[test]
fn two_hundred_labs_at_once_are_two_hundred_networks() {
    let ended = Ended::of(&mut ALL.cargo(&["test", "--test", "labs", "--", "--test-threads=200"])).with(0);
    ended.says(&["test result: ok. 201 passed; 0 failed; 0 ignored"]);
}

#[test]
fn so_they_are_under_cargo_isotest() {
    let ended = Ended::of(&mut ALL.cargo_isotest(&["--test", "labs", "-j", "200"])).with(0);
    ended.says(&["201 tests run: 201 passed"]);
}
