//! Test binaries with a `main` of their own: what keeps to libtest's conventions is listed and run test by test, anything else
//! as a whole.

use crate::suite::Suite;

const HARNESSES: [&str; 3] = ["-p", "harnesses", "--no-fail-fast"];

#[test]
fn a_harness_that_lists_its_tests_has_each_of_them_run() {
    let suite = Suite::new();
    let ended = suite.run(&HARNESSES).with(100);
    for name in ["case number 1", "case number 2", "case number 3"] {
        ended.says(&["PASS [", "harnesses::mimic", name]);
    }
    ended.says(&["FAIL [", "harnesses::mimic fails"]);
    ended.says(&["as promised"]);
    ended.says(&["FAIL [", "harnesses::mimic panics"]);
    ended.says(&["in its own words"]);
    ended.says(&["PASS [", "harnesses::linked_mimic with blanks in its name"]);
    ended.says(&["FAIL [", "harnesses::linked_mimic fails"]);
    ended.says(&["PASS [", "harnesses::conventional data/one.txt"]);
    ended.says(&["FAIL [", "harnesses::conventional data/two words.txt"]);
    ended.says(&["two words are too many"]);
    ended.says(&["re-run: cargo isotest run -p harnesses --test conventional --exact 'data/two words.txt'"]);
    ended.says(&["PASS [", "harnesses::like_criterion sorts/10"]);
    ended.says(&["Summary", "14 tests run: 9 passed, 5 failed", "3 skipped"]);
    // What a harness says to arguments that it does not know is nobody's business.
    ended.does_not_say(&["unknown arguments"]);
}

#[test]
fn what_such_a_harness_ignores_is_ignored() {
    let suite = Suite::new();
    let listed = suite.list(&["-p", "harnesses", "--run-ignored", "only"]).with(0);
    let expected = [
        "harnesses::conventional data/ignored.txt",
        "harnesses::linked_mimic is_ignored",
        "harnesses::mimic is_ignored",
    ];
    assert_eq!(listed.tests(), expected);
    suite.run(&["-p", "harnesses", "--run-ignored", "only", "data"]).with(0).says(&["1 passed"]);
}

#[test]
fn a_main_that_hears_no_arguments_is_one_test_and_never_runs_outside_of_a_sandbox() {
    let suite = Suite::new();
    let ended = suite.run(&[&HARNESSES[..], &["deaf"]].concat()).with(100);
    ended.says(&["PASS [", "harnesses::deaf deaf"]);
    ended.says(&["PASS [", "harnesses::deaf_and_dumb deaf_and_dumb"]);
    ended.says(&["FAIL [", "harnesses::deaf_and_failing deaf_and_failing"]);
    ended.says(&["it does not work"]);
    ended.says(&["re-run: cargo isotest run -p harnesses --test deaf_and_failing --exact deaf_and_failing"]);
    // Twice: when it was asked for its tests, and when it was run.
    assert_eq!(suite.noted("deaf runs"), ["isotest", "isotest"]);
}

#[test]
fn a_binary_that_does_not_even_start_is_an_error_and_not_an_empty_list() {
    let suite = Suite::new();
    let mut command = suite.command(&["list", "-p", "harnesses"]);
    command.env("HARNESS_CRASHES", "1");
    let ended = isotest_tests::Ended::of(&mut command).with(104);
    ended.says(&["error: cannot list the tests of harnesses::deaf (", "it was killed by signal 6 when it was asked"]);
    ended.says(&["last words"]);
}

#[test]
fn a_harness_that_does_not_answer_is_named_with_a_remedy() {
    for feature in ["silent", "linked-silent"] {
        let suite = Suite::configured("[profile.default]\nlist-timeout = '700ms'\n");
        let ended = suite.list(&["-p", "harnesses", "--features", feature]).with(104);
        let name = format!("error: harnesses::{} (", feature.replace('-', "_"));
        ended.says(&[&name, "does not answer `--list --format terse` within 0.7s"]);
        ended.says(&["list-timeout in .config/isotest.toml"]);
    }
}
