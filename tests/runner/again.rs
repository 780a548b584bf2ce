//! A test that fails is tried again as often, and as late, as was asked for.

use crate::suite::Suite;

const FLAKY: [&str; 5] = ["-p", "outcomes", "--exact", "is_flaky", "--no-fail-fast"];

#[test]
fn a_test_that_passes_in_the_end_is_flaky() {
    let ended = Suite::new().run(&[&FLAKY[..], &["--retries", "3"]].concat()).with(0);
    for binary in ["isolated", "plain"] {
        let name = format!("outcomes::{binary} is_flaky");
        ended.says(&["TRY 1 FAIL [", &name]);
        ended.says(&["TRY 2 PASS [", &name]);
        ended.says(&["FLAKY 2/4 [", &name]);
    }
    ended.says(&["Summary", "2 tests run: 2 passed (2 flaky), 0 failed"]);
}

#[test]
fn without_retries_it_has_failed() {
    Suite::new().run(&FLAKY).with(100).says(&["Summary", "2 tests run: 0 passed, 2 failed"]);
}

#[test]
fn a_flaky_test_can_be_a_failure() {
    let suite = Suite::configured("[profile.default]\nretries = 1\nflaky-result = 'fail'\n");
    let ended = suite.run(&[&FLAKY[..], &["--status-level", "fail"]].concat()).with(100);
    ended.says(&["TRY 2 PASS [", "outcomes::plain is_flaky"]);
    ended.says(&["FLKY-FL 2/2 [", "outcomes::plain is_flaky"]);
    ended.says(&["Summary", "2 tests run: 0 passed, 2 failed"]);
    // What was typed overrules it.
    let suite = Suite::configured("[profile.default]\nretries = 1\nflaky-result = 'fail'\n");
    suite.run(&[&FLAKY[..], &["--flaky-result", "pass"]].concat()).with(0);
}

#[test]
fn a_failure_that_stays_is_told_each_time() {
    let ended =
        Suite::new().run(&["-p", "outcomes", "--test", "plain", "--exact", "fails", "--retries", "2"]).with(100);
    for words in ["TRY 1 FAIL [", "TRY 2 FAIL [", "TRY 3 FAIL ["] {
        ended.says(&[words, "outcomes::plain fails"]);
    }
    ended.does_not_say(&["TRY 4"]);
    assert_eq!(ended.lines(&["words to stderr"]), 3, "{}", ended.err);
    ended.says(&["Summary", "1 test run: 0 passed, 1 failed"]);
}

/// The others of the suite go on while one waits for its next attempt: there is one place, and it is free.
#[test]
fn while_a_test_waits_others_run() {
    let text = "[[profile.default.overrides]]\nfilter = 'test(=e_fails)'\npriority = 10\n\
                retries = { backoff = 'exponential', count = 2, delay = '700ms', max-delay = '1s' }\n";
    let suite = Suite::configured(text);
    let ended = suite.run(&["-p", "behaviour", "--test", "order", "-j1", "--no-fail-fast"]).with(100);
    assert_eq!(suite.noted("order").concat(), "eabcdfee");
    ended.says(&["DELAY", "0.700s behaviour::order e_fails"]);
    ended.says(&["DELAY", "1.000s behaviour::order e_fails"]);
}

/// Whatever stops the run, no test that has failed is lost.
#[test]
fn a_test_that_waits_to_be_tried_again_when_the_run_stops_has_failed() {
    let text = "[[profile.default.overrides]]\nfilter = 'test(=e_fails)'\npriority = 10\n\
                retries = { backoff = 'fixed', count = 2, delay = '1h' }\n";
    let suite = Suite::configured(text);
    let junit = suite.place().join("junit.xml");
    let arguments = ["-p", "behaviour", "--test", "order", "-j1", "--no-fail-fast", "--global-timeout", "2s"];
    let ended = suite.run(&[&arguments[..], &["--junit", junit.to_str().expect("UTF-8")]].concat()).with(100);
    assert_eq!(suite.noted("order").concat(), "eabcdf");
    ended.says(&["TRY 1 FAIL [", "behaviour::order e_fails"]);
    ended.says(&["6 tests run: 4 passed, 2 failed"]);
    let report = std::fs::read_to_string(junit).expect("it is written");
    assert!(report.contains("tests=\"6\" skipped=\"0\" errors=\"0\" failures=\"2\""), "{report}");
    assert!(!report.contains("rerunFailure"), "{report}");
}

/// A setup that the machine refuses is refused again; a test that was left out has not failed.
#[test]
fn nothing_is_tried_again_after_the_run_has_stopped() {
    let suite =
        Suite::configured("[[profile.default.overrides]]\nfilter = 'test(=e_fails)'\npriority = 10\nretries = 0\n");
    let ended = suite.run(&["-p", "behaviour", "--test", "order", "-j1", "--retries", "1"]);
    // The command line overrules the configuration: it is tried twice, and then nothing starts any more.
    assert_eq!(suite.noted("order").concat(), "ee");
    ended.with(100).says(&["1/6 tests run: 0 passed, 1 failed"]);
}
