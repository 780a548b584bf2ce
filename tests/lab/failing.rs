//! What is said of a lab when its test has failed, under which runner?

use isotest_tests::{Ended, Fixture};

const SEED: &str = "the lab's seed was 7; ISOTEST_SEED=7 makes the same packets suffer the same";

fn run(mut command: std::process::Command, seed: &str) -> Ended {
    Ended::of(command.env("ISOTEST_SEED", seed))
}

#[test]
fn cargo_test_prints_the_seed_of_failed_tests_and_of_no_others() {
    let ended = run(Fixture("labs").cargo(&["test", "--no-fail-fast", "--test", "ends"]), "7").with(101);
    assert_eq!(ended.lines(&[SEED]), 5, "`panics`, `fails`, `fails_with_two`, `hangs` and `aborts`: {}", ended.out);
    assert_eq!(ended.lines(&["└─ bob", "eth0  10.128.0.2  fd00:0:1::2"]), 6, "drawn for the same: {}", ended.out);
    // The second lab of a test is told apart.
    assert_eq!([ended.lines(&["isotest: lab 2 was"]), ended.lines(&["isotest: lab 2's seed was 7"])], [1, 1]);
    ended.says(&["making a lab: this is not inside a sandbox"]);
    ended.says(&["Error: adding the host `carol`: the lab is up already"]);
}

#[test]
fn cargo_isotest_does_so_of_plain_tests_too() {
    let ended = run(Fixture("labs").cargo_isotest(&["--no-fail-fast", "--test", "ends"]), "7").with(100);
    assert_eq!(ended.lines(&[SEED]), 6, "`panics`, `fails`, with two, `plain`, `hangs` and `aborts`: {}", ended.err);
}

#[test]
fn a_seed_that_is_no_number_is_told() {
    let ended = run(Fixture("labs").cargo_isotest(&["passes"]), "seven").with(100);
    ended.says(&[
        "making a lab: ISOTEST_SEED is \"seven\", which is no number from 0 to 18446744073709551615; set it to",
    ]);
}
