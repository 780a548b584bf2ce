//! When do tests start, and what stops them from it?

use crate::suite::Suite;

const ORDER: [&str; 6] = ["-p", "behaviour", "--test", "order", "-j1", "--no-fail-fast"];

fn in_order(suite: &Suite, arguments: &[&str]) -> String {
    suite.run(&[&ORDER[..], arguments].concat()).with(100);
    suite.noted("order").concat()
}

#[test]
fn what_failed_last_time_starts_first() {
    let suite = Suite::new();
    assert_eq!(in_order(&suite, &[]), "abcdef");
    assert_eq!(in_order(&suite, &[]), "efabcd");
}

#[test]
fn the_longest_starts_first() {
    let suite = Suite::new();
    let record = r#"{"version":1,"tests":{"behaviour::order":{
        "b":{"seconds":2.0,"passed":true},"d":{"seconds":5.0,"passed":true},"a":{"seconds":0.2,"passed":true},
        "c":{"seconds":0.01,"passed":true},"e_fails":{"seconds":0.01,"passed":true}}}}"#;
    let directory = suite.place().join("isotest");
    std::fs::create_dir(&directory).expect("the place is writable");
    std::fs::write(directory.join("record.json"), record).expect("the place is writable");
    // Of the last nothing is known, so it is taken to be like the one in the middle.
    assert_eq!(in_order(&suite, &[]), "dbafce");
}

#[test]
fn a_priority_goes_before_all_else() {
    let text = "[[profile.default.overrides]]\nfilter = 'test(=c)'\npriority = 10\n\
                [[profile.default.overrides]]\nfilter = 'test(=a)'\npriority = -10\n";
    let suite = Suite::configured(text);
    assert_eq!(in_order(&suite, &[]), "cbdefa");
    assert_eq!(in_order(&suite, &[]), "cefbda");
}

#[test]
fn a_random_order_comes_again_with_its_seed() {
    let suite = Suite::new();
    let first = suite.run(&[&ORDER[..], &["--shuffle"]].concat()).with(100);
    let order = suite.noted("order");
    let seed = first.err.split_once("--shuffle=").expect("the seed is said").1.split_once(' ').expect("and a word").0;
    assert_eq!(in_order(&suite, &[&format!("--shuffle={seed}")]), order.concat());
    let orders: std::collections::BTreeSet<_> =
        (1..=8).map(|seed| in_order(&suite, &[&format!("--shuffle={seed}")])).collect();
    assert!(orders.len() > 1, "{orders:?}");
}

#[test]
fn so_many_failures_stop_the_run() {
    let after = |arguments: &[&str]| {
        let suite = Suite::new();
        let text = "[[profile.default.overrides]]\nfilter = 'test(fails)'\npriority = 10\n";
        std::fs::write(suite.place().join("isotest.toml"), text).expect("the place is writable");
        let ended = suite.run(&[&["-p", "behaviour", "--test", "order", "-j1"], arguments].concat()).with(100);
        (suite.noted("order").concat(), ended)
    };
    let (order, ended) = after(&[]);
    assert_eq!(order, "e");
    ended.says(&["1/6 tests run: 0 passed, 1 failed"]);
    ended.says(&["5 tests were not run because of the failure (--no-fail-fast runs all)"]);
    assert_eq!(after(&["--max-fail", "2"]).0, "ef");
    assert_eq!(after(&["--max-fail", "3"]).0, "efabcd");
    assert_eq!(after(&["--max-fail", "all"]).0, "efabcd");
    assert_eq!(after(&["--no-fail-fast"]).0, "efabcd");
    assert_eq!(after(&["--no-fail-fast", "--fail-fast"]).0, "e");
}

#[test]
fn a_failure_can_end_what_is_running() {
    let suite = Suite::new();
    // The other is there when it fails: this one fails only when the first has started.
    let both =
        ["-p", "behaviour", "--test", "waits", "-j2", "--exact", "until_told", "fails_when_the_other_has_started"];
    let ended = suite.run(&[&both[..], &["--max-fail", "1:immediate"]].concat()).with(100);
    ended.says(&["FAIL [", "fails_when_the_other_has_started"]);
    ended.says(&["Stopping at once: too many tests have failed"]);
    ended.says(&["STOPPED", "until_told"]);
    ended.says(&["1/2 tests run: 0 passed, 1 failed"]);
}

#[test]
fn what_failed_or_did_not_come_to_its_end_is_run_again() {
    let suite = Suite::new();
    let again = |arguments: &[&str], code: i32| {
        let ended = suite.run(&[&["-p", "behaviour", "--test", "order", "-j1"], arguments].concat()).with(code);
        (suite.noted("order").concat(), ended)
    };
    let (nothing, ended) = again(&["--rerun-failed"], 4);
    assert_eq!(nothing, "");
    ended.says(&["warning: no test is known to have failed"]);
    assert_eq!(again(&["--no-fail-fast"], 100).0, "abcdef");
    // Stops after the first.
    assert_eq!(again(&["--rerun-failed"], 100).0, "e");
    assert_eq!(again(&["--rerun-failed", "--no-fail-fast"], 100).0, "ef");
    let narrowed = ["--rerun-failed", "-E", "not test(e_fails)"];
    assert_eq!(again(&narrowed, 100).0, "f");
}
