//! What must become of each test of the fixture's package `outcomes`: what a list, a run, its report and every other document
//! say of it.

/// One function of `outcomes/tests/isolated.rs` and of `outcomes/tests/plain.rs`.
pub(crate) struct Expected {
    pub(crate) name: &'static str,
    pub(crate) verdict: Verdict,
    /// The word that its last line begins with.
    pub(crate) word: &'static str,
    /// The word with which it is repeated at the end.
    pub(crate) final_word: &'static str,
    /// From which level on it is shown as it comes, and again at the end.
    pub(crate) levels: (Level, Level),
    /// What is said with it.
    pub(crate) says: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    Failed,
    Ignored,
}

/// `--status-level` and `--final-status-level`, which have them in another order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Fail,
    Flaky,
    Slow,
    Leak,
    Pass,
    Skip,
}

const fn row(name: &'static str, verdict: Verdict, word: &'static str, level: Level, says: &'static str) -> Expected {
    Expected { name, verdict, word, final_word: word, levels: (level, level), says }
}

const fn passes(name: &'static str, word: &'static str, level: Level, says: &'static str) -> Expected {
    row(name, Verdict::Passed, word, level, says)
}

const fn fails(name: &'static str, word: &'static str, says: &'static str) -> Expected {
    row(name, Verdict::Failed, word, Level::Fail, says)
}

/// The binaries, in each of which they are.
pub(crate) const BINARIES: [&str; 2] = ["outcomes::isolated", "outcomes::plain"];

pub(crate) const OUTCOMES: [Expected; 23] = [
    passes("passes", "PASS", Level::Pass, ""),
    fails("fails", "FAIL", "assertion `left == right` failed: arithmetic"),
    fails("returns_err", "FAIL", "Error: \"as promised\""),
    passes("panics_as_it_should", "PASS", Level::Pass, ""),
    fails("panics_with_other_words", "FAIL", "panic did not contain expected string"),
    fails("does_not_panic_as_it_should", "FAIL", "test did not panic as expected"),
    fails("exits_with_success", "EXIT", "the test exited before it finished (exit status 0)"),
    fails("exits_with_a_code", "EXIT", "the test exited before it finished (exit status 3)"),
    fails("aborts", "SIGABRT", "the test was killed by signal 6 (SIGABRT)"),
    fails("segfaults", "SIGSEGV", "the test was killed by signal 11 (SIGSEGV)"),
    fails("overflows_its_stack", "SIGABRT", "has overflowed its stack"),
    fails("is_killed", "SIGKILL", "the test was killed by signal 9 (SIGKILL)"),
    fails("stops_itself", "FAIL", "the test stopped itself"),
    Expected { final_word: "SLOW", ..passes("is_slow", "PASS", Level::Slow, "") },
    fails("is_too_slow", "TIMEOUT", "words of a test that never ends"),
    fails("times_out", "TIMEOUT", "words of a test that never ends"),
    Expected {
        final_word: "FLAKY 2/2",
        levels: (Level::Pass, Level::Flaky),
        ..passes("is_flaky", "TRY 2 PASS", Level::Flaky, "the first time")
    },
    passes("leaves_a_process", "LEAK", Level::Leak, "the test left a process running"),
    passes("leaves_a_file", "LEAK", Level::Leak, "the test left a file in its private directories"),
    passes("tries_to_leave", "EGRESS", Level::Leak, "to reach outside of its sandbox"),
    fails("may_not_leave_a_process", "LEAK-FAIL", "the test left a process running"),
    fails("may_not_try_to_leave", "EGRESS-FAIL", "to reach outside of its sandbox"),
    row("is_ignored", Verdict::Ignored, "SKIP", Level::Skip, ""),
];

/// Where an isotest says something with its attribute, a plain test needs the configuration to say it.
pub(crate) const CONFIGURATION: &str = r#"
[profile.default.spec]
env = { RUST_BACKTRACE = "0" }

[[profile.default.overrides]]
filter = "test(=is_slow)"
slow-timeout = "300ms"

[[profile.default.overrides]]
filter = "test(=is_too_slow)"
slow-timeout = { period = "150ms", terminate-after = 2 }

[[profile.default.overrides]]
filter = "test(=is_flaky)"
retries = 1

[[profile.default.overrides]]
filter = "test(=times_out)"
spec = { timeout = "300ms" }

[[profile.default.overrides]]
filter = "test(=may_not_leave_a_process)"
spec = { leaks = "fail" }

[[profile.default.overrides]]
filter = "test(=may_not_try_to_leave)"
spec = { egress = "fail" }
"#;
