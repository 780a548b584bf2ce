//! What a test is told in its environment.

use crate::suite::Suite;

const TOLD: [&str; 6] = ["-p", "behaviour", "--test", "told", "--success-output", "immediate"];

#[test]
fn a_test_is_told_which_it_is_and_how_often_it_has_been_tried() {
    let suite = Suite::configured(
        "[profile.own]\nretries = 2\n[[profile.own.overrides]]\nfilter = 'test(plain)'\ntest-group = 'few'\n\
         [test-groups]\nfew.max-threads = 1\n",
    );
    let ended = suite.run(&[&TOLD[..], &["-P", "own"]].concat()).with(0);
    for (variable, often) in [
        ("ISOTEST=1", 4),
        ("ISOTEST_PROFILE=own", 4),
        ("ISOTEST_BINARY_ID=behaviour::told", 4),
        ("ISOTEST_TEST_NAME=isolated", 2),
        ("ISOTEST_TEST_NAME=plain", 2),
        ("ISOTEST_ATTEMPT=1", 2),
        ("ISOTEST_ATTEMPT=2", 2),
        ("ISOTEST_TOTAL_ATTEMPTS=3", 4),
        ("ISOTEST_TEST_GROUP=few", 2),
        ("ISOTEST_TEST_GROUP=@global", 2),
    ] {
        let lines = ended.err.lines().filter(|line| line.trim() == variable).count();
        assert_eq!(lines, often, "{variable}: {}", ended.err);
    }
    ended.does_not_say(&["ISOTEST_STRESS"]);
    let ids: std::collections::HashSet<_> = ended.err.lines().filter(|line| line.contains("ISOTEST_RUN_ID=")).collect();
    assert_eq!(ids.len(), 1, "one run has one: {}", ended.err);
}

#[test]
fn a_copy_is_told_which_it_is() {
    let copies = ["plain", "--stress-count", "2", "--message-format", "json"];
    let ended = Suite::new().run(&[&TOLD[..], &copies].concat()).with(100);
    for copy in ["0", "1"] {
        ended.says(&[&format!("ISOTEST_STRESS_CURRENT={copy}\\nISOTEST_STRESS_TOTAL=2\\n")]);
    }
}
