//! Who may run beside whom?

use crate::suite::Suite;

const TOGETHER: [&str; 7] = ["-p", "behaviour", "--test", "together", "-j4", "--no-fail-fast", "-E"];

#[test]
fn tests_of_a_group_of_one_never_meet() {
    let text = "[test-groups.serial]\nmax-threads = 1\n\
                [[profile.default.overrides]]\nfilter = 'test(alone)'\ntest-group = 'serial'\n";
    Suite::configured(text).run(&[&TOGETHER[..], &["test(alone)"]].concat()).with(0).says(&["4 passed"]);
}

#[test]
fn without_the_group_they_meet() {
    Suite::new().run(&[&TOGETHER[..], &["test(alone)"]].concat()).with(100).says(&["FAIL [", "alone"]);
}

#[test]
fn a_group_of_two_lets_two_meet() {
    let text = "[test-groups.pair]\nmax-threads = 2\n\
                [[profile.default.overrides]]\nfilter = 'test(meets)'\ntest-group = 'pair'\n";
    Suite::configured(text).run(&[&TOGETHER[..], &["test(/^meets_[12]$/)"]].concat()).with(0).says(&["2 passed"]);
}

#[test]
fn a_test_that_takes_all_threads_is_alone() {
    for threads in ["'num-test-threads'", "4", "100"] {
        let text = format!("[profile.default]\nthreads-required = {threads}\n");
        Suite::configured(&text).run(&[&TOGETHER[..], &["test(alone)"]].concat()).with(0).says(&["4 passed"]);
    }
    let text = "[profile.default]\nthreads-required = 2\n";
    Suite::configured(text).run(&[&TOGETHER[..], &["test(/^meets_[12]$/)"]].concat()).with(0).says(&["2 passed"]);
}

#[test]
fn copies_of_a_test_under_stress_meet() {
    let ended = Suite::new().run(&[&TOGETHER[..], &["test(meets_itself)", "--stress-count", "6"]].concat()).with(0);
    ended.says(&["PASS [", "behaviour::together meets_itself #6"]);
    ended.says(&["Summary", "6 tests run: 6 passed, 0 failed"]);
    ended.says(&["STRESS 6/6 passed (100.00 %) behaviour::together meets_itself"]);
}

#[test]
fn of_copies_that_fail_the_first_one_s_output_is_shown_and_their_rate() {
    let plain = ["-p", "outcomes", "--test", "plain", "--exact", "fails", "passes", "--stress-count", "4"];
    let ended = Suite::new().run(&plain).with(100);
    assert_eq!(ended.lines(&["words to stderr"]), 1, "{}", ended.err);
    ended.says(&["STRESS 0/4 passed (0.00 %) outcomes::plain fails"]);
    ended.says(&["STRESS 4/4 passed (100.00 %) outcomes::plain passes"]);
    ended.says(&["Summary", "8 tests run: 4 passed, 4 failed"]);
}

#[test]
fn stress_can_last_for_a_time() {
    let plain = ["-p", "outcomes", "--test", "plain", "--exact", "passes", "--stress-duration", "300ms"];
    let ended = Suite::new().run(&plain).with(0);
    ended.says(&["PASS [", "outcomes::plain passes #2"]);
    ended.says(&["STRESS", "(100.00 %) outcomes::plain passes"]);
}

#[test]
fn stress_can_end_with_the_first_failure() {
    for copies in ["50", "infinite"] {
        let plain = ["-p", "outcomes", "--test", "plain", "--exact", "fails", "-j1", "--fail-fast", "--stress-count"];
        let ended = Suite::new().run(&[&plain[..], &[copies]].concat()).with(100);
        ended.says(&["STRESS 0/1 passed"]);
    }
}
