//! A test that fails is reported as failed in every form, and its words with it.

use crate::expansion::{Said, cargo_isotest, cargo_test};

/// The fixture's failing tests, and what their reports must contain.
const FAILING: &[(&str, &str)] = &[
    ("returns::failure", ""),
    ("returns::an_opaque_failure", "Error: \"an opaque error\""),
    ("returns::never", "never returns"),
    ("panics::with_other_words", "expected substring: \"these words\""),
    ("panics::with_other_words_in_short", "expected substring: \"these words in short\""),
    ("panics::with_other_words_under_a_condition", "expected substring: \"these words under a condition\""),
    ("with_test::fails_once", "a plain test below the attribute"),
    ("with_tokio::fails", "in a future"),
    ("with_tokio::returns_err", "Error: \"out of a future\""),
    ("with_tokio::does_not_panic_as_it_should", "test did not panic as expected"),
    ("with_tokio::fails_below", "above a sandbox"),
    ("with_test_log::fails", "with a logger"),
    ("with_test_log::fails_with_a_runtime", "with both"),
    ("with_cases::are_even::case_2_odd", "3 is odd"),
    ("with_cases::are_even_in_a_future::case_2_odd", "3 is odd"),
    ("with_cases::panic_one_by_one::case_3_other", "expected substring: \"another number\""),
];

/// Their neighbours, which fail with them if the attribute confuses the two.
const PASSING: &[&str] = &[
    "with_test::passes",
    "with_tokio::panics_as_it_should",
    "with_test_log::passes",
    "with_cases::are_even::case_1_even",
    "with_cases::are_even_in_a_future::case_1_even",
    "with_cases::panic_one_by_one::case_1_even",
    "with_cases::panic_one_by_one::case_2_odd",
];

#[test]
fn failures_are_told_under_cargo_test() {
    assert_told(&cargo_test(&["--test", "failures"]));
}

#[test]
fn failures_are_told_under_cargo_isotest() {
    assert_told(&cargo_isotest(&["--test", "failures"]));
}

fn assert_told(said: &Said) {
    assert!(!said.success, "{}", said.text);
    for (name, words) in FAILING {
        assert_eq!(said.words.get(*name).map(String::as_str), Some("failed"), "{name} in\n{}", said.text);
        assert!(said.text.contains(words), "{name} does not say {words:?} in\n{}", said.text);
    }
    for name in PASSING {
        assert_eq!(said.words.get(*name).map(String::as_str), Some("passed"), "{name} in\n{}", said.text);
    }
    assert_eq!(said.words.len(), FAILING.len() + PASSING.len(), "a test without an expectation in\n{}", said.text);
}

#[test]
fn a_plain_test_below_the_attribute_is_run_once() {
    for said in [cargo_test(&["--test", "failures", "once"]), cargo_isotest(&["--test", "failures", "once"])] {
        assert_eq!(said.text.matches("the body ran").count(), 1, "{}", said.text);
    }
}

#[test]
fn what_the_logger_writes_is_shown() {
    for said in [cargo_test(&["--test", "failures", "log"]), cargo_isotest(&["--test", "failures", "log"])] {
        assert_eq!(said.text.matches("a line of the log").count(), 2, "{}", said.text);
    }
}
