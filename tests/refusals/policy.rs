//! `ISOTEST_UNAVAILABLE`: what becomes of tests that can't be isolated is the user's choice, and is never hidden.

use crate::machine::{Ended, Machine};

fn refusing(choice: &'static str) -> Machine {
    Machine::of_a_user().that("filter=docker").choosing(choice)
}

fn cargo_test(choice: &'static str, test: &str) -> Ended {
    refusing(choice).cargo_test(&["--test", test, "--", "--nocapture"])
}

fn cargo_isotest(choice: &'static str, test: &str) -> Ended {
    refusing(choice).cargo_isotest(&["--test", test, "--status-level=all"])
}

fn lines_with(text: &str, words: &str) -> usize {
    text.lines().filter(|line| line.contains(words)).count()
}

#[test]
fn to_fail_can_be_said_aloud() {
    let ended = cargo_isotest("fail", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(120), 1), "{}", ended.text);
    assert!(!ended.text.contains("not isolated"), "{}", ended.text);
    let ended = cargo_test("fail", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(101), 1), "{}", ended.text);
}

#[test]
fn skipped_tests_are_counted() {
    let ended = cargo_isotest("skip", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(0), 0), "{}", ended.text);
    assert_eq!(lines_with(&ended.text, "SKIP ["), 4, "{}", ended.text);
    assert!(ended.text.contains("0 passed, 0 failed, 4 skipped"), "{}", ended.text);
    let sentence = "4 tests were not isolated: skipped (ISOTEST_UNAVAILABLE=skip)";
    assert_eq!(lines_with(&ended.text, sentence), 1, "{}", ended.text);
}

#[test]
fn cargo_test_names_each_skipped_test() {
    let ended = cargo_test("skip", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(0), 0), "{}", ended.text);
    for test in ["first", "second", "third_panics_as_it_should"] {
        let line = format!("isotest: skipped `{test}`, which this machine cannot isolate");
        assert_eq!(lines_with(&ended.text, &line), 1, "{}", ended.text);
    }
}

#[test]
fn tests_without_a_sandbox_are_counted() {
    let ended = cargo_isotest("run", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(0), 0), "{}", ended.text);
    assert_eq!(lines_with(&ended.text, "PASS ["), 4, "{}", ended.text);
    let sentence = "4 tests were not isolated: run without a sandbox (ISOTEST_UNAVAILABLE=run)";
    assert_eq!(lines_with(&ended.text, sentence), 1, "{}", ended.text);
}

#[test]
fn cargo_test_names_each_test_without_a_sandbox() {
    let ended = cargo_test("run", "anywhere");
    assert_eq!((ended.code, ended.reports().len()), (Some(0), 0), "{}", ended.text);
    for test in ["first", "second", "third_panics_as_it_should"] {
        assert_eq!(
            lines_with(&ended.text, &format!("isotest: running `{test}` without isolation")),
            1,
            "{}",
            ended.text
        );
    }
}

#[test]
fn without_a_sandbox_is_meant_literally() {
    let ended = cargo_isotest("run", "sandboxed");
    assert_eq!((ended.code, ended.reports().len()), (Some(100), 0), "{}", ended.text);
    assert!(ended.text.contains("6 tests were not isolated: run without a sandbox"), "{}", ended.text);
    assert!(ended.text.contains("0 passed, 6 failed"), "{}", ended.text);
}

#[test]
fn where_nothing_is_refused_the_choice_changes_nothing() {
    for choice in ["fail", "skip", "run"] {
        let ended = Machine::of_a_user().choosing(choice).cargo_isotest(&[]);
        assert_eq!(ended.code, Some(0), "{}", ended.text);
        assert!(ended.text.contains("11 passed, 0 failed, 0 skipped"), "{choice}: {}", ended.text);
        assert!(!ended.text.contains("not isolated"), "{choice}: {}", ended.text);
    }
}

#[test]
fn another_word_is_refused_and_the_choices_are_named() {
    let problem = "ISOTEST_UNAVAILABLE is \"Skip\", but must be one of fail, skip, run";
    for ended in [cargo_isotest("Skip", "anywhere"), cargo_test("Skip", "anywhere")] {
        assert!(ended.text.contains(problem), "{}", ended.text);
        assert!(ended.code.is_some_and(|code| code != 0), "{}", ended.text);
    }
}
