//! A test that takes too long is named, asked to end, and ended; so is the whole run.

use crate::suite::Suite;

fn waits(suite: &Suite, test: &str, more: &[&str], code: i32) -> isotest_tests::Ended {
    let arguments = ["-p", "behaviour", "--test", "waits", "--no-fail-fast", "--exact", test];
    suite.run(&[&arguments[..], more].concat()).with(code)
}

#[test]
fn a_slow_test_is_named_and_then_asked_to_end() {
    let suite = Suite::configured("[profile.default]\nslow-timeout = { period = '200ms', terminate-after = 2 }\n");
    let ended = waits(&suite, "ends_by_sigterm", &[], 100);
    ended.says(&["SLOW [>", "behaviour::waits ends_by_sigterm"]);
    ended.says(&["TERMINATING [>", "behaviour::waits ends_by_sigterm"]);
    ended.says(&["TIMEOUT [", "behaviour::waits ends_by_sigterm"]);
    ended.says(&["Summary", "1 failed (1 timed out)"]);
}

#[test]
fn a_test_that_does_not_end_when_asked_is_killed() {
    let text = "[profile.default]\nslow-timeout = { period = '1s', terminate-after = 1, grace-period = '300ms' }\n";
    let suite = Suite::configured(text);
    waits(&suite, "ignores_sigterm", &[], 100).says(&["TIMEOUT [", "behaviour::waits ignores_sigterm"]);
    assert!(suite.place().join("sigterm came").exists());
}

#[test]
fn without_grace_nothing_is_heard_before_the_end() {
    let text = "[profile.default]\nslow-timeout = { period = '1s', terminate-after = 1, grace-period = '0s' }\n";
    let suite = Suite::configured(text);
    waits(&suite, "ignores_sigterm", &[], 100).says(&["TIMEOUT [", "behaviour::waits ignores_sigterm"]);
    assert_eq!(suite.noted("started"), ["ignores_sigterm"]);
}

#[test]
fn that_its_time_is_up_can_be_a_success() {
    let text = "[profile.default]\nslow-timeout = { period = '500ms', terminate-after = 1, grace-period = '0s', on-timeout = 'pass' }\n";
    let suite = Suite::configured(text);
    let ended = waits(&suite, "until_told", &["--final-status-level", "slow"], 0);
    ended.says(&["TIMEOUT-PASS [", "behaviour::waits until_told"]);
    ended.says(&["Summary", "1 passed (1 slow, 1 timed out), 0 failed"]);
}

#[test]
fn the_command_line_s_timeout_overrules_the_attribute_s() {
    let suite = Suite::new();
    waits(&suite, "within_three_seconds", &["--timeout", "300ms"], 100).says(&["TIMEOUT [", "0.3"]);
}

#[test]
fn a_run_can_have_a_time_of_its_own() {
    let suite = Suite::new();
    let ended = waits(&suite, "until_told", &["--global-timeout", "1s"], 100);
    ended.says(&["Stopping at once: the run's own time is up"]);
    ended.says(&["STOPPED [", "s] behaviour::waits until_told"]);
    ended.says(&["0/1 test run: 0 passed, 0 failed"]);
}

#[test]
fn what_ran_when_its_time_was_up_is_told() {
    let suite = Suite::new();
    let ended = waits(&suite, "speaks_and_waits", &["--global-timeout", "3s"], 100);
    ended.says(&["RUNNING [", "s] behaviour::waits speaks_and_waits"]);
    ended.says(&["process ", ": sleep 1000"]);
    ended.says(&["words on stderr so far"]);
}
