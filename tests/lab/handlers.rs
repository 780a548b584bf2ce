//! What becomes of a test in which a handler of the pretend internet panics, under which runner?

use isotest_tests::{Ended, Fixture};

const CRASHED: &str = "the handler of `api.example.com:80` in the pretend internet panicked at tests/handlers.rs:14:50: the server crashes";

fn cargo_test(test: &str) -> Ended {
    Ended::of(&mut Fixture("labs").cargo(&["test", "--test", "handlers", "--", "--exact", test]))
}

#[test]
fn it_fails_and_says_who_was_served_and_where_the_handler_panicked() {
    for test in ["fails", "fails_with_a_lab_that_stays"] {
        let ended = cargo_test(test).with(101);
        ended.says(&["isotest: the test fails: ", CRASHED]);
        ended.says(&["thread 'api.example.com:80'", "panicked at tests/handlers.rs:14:50"]);
        ended.says(&["api.example.com:80"]);
    }
    let ended = cargo_test("fails_once_for_many").with(101);
    assert_eq!(ended.lines(&[CRASHED, " (3 times)"]), 1, "{}", ended.out);
    cargo_test("fails_by_datagram").with(101).says(&["the handler of `192.0.2.1:123`", "nobody asks that"]);
}

#[test]
fn the_body_s_own_failure_is_told_beside_it() {
    let ended = cargo_test("fails_by_itself_too").with(101);
    ended.says(&["nothing was heard"]);
    ended.says(&["isotest: ", CRASHED]);
    ended.does_not_say(&["the test fails: "]);
}

#[test]
fn it_is_the_panic_that_a_test_may_hope_for() {
    cargo_test("panics_as_hoped_for").with(0);
    cargo_test("panics_as_hoped_for_by_itself").with(0);
    cargo_test("panics_otherwise").with(101).says(&["panic message:", "the server crashes"]);
}

#[test]
fn what_a_handler_catches_or_suffers_when_the_lab_is_gone_is_no_failure() {
    cargo_test("passes_for_it_is_caught").with(0);
    cargo_test("passes_for_it_is_over").with(0);
}

#[test]
fn a_plain_test_fails_where_its_lab_is_dropped() {
    let run = |tests: &str| {
        Ended::of(&mut Fixture("labs").cargo_isotest(&["--no-fail-fast", "--test", "handlers", "-E", tests]))
    };
    run("test(=plain)").with(100).says(&[CRASHED]);
    run("test(=fails)").with(100).says(&[CRASHED]);
}
