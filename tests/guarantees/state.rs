//! What a test starts with is the same for each, and what it changes is seen by no other.

use isotest::isotest;
use isotest_tests::text;
use nix::sys::signal::{SigSet, Signal};

use crate::bounded::bounded;
use crate::inside::{self, FIXTURE, Inside, inside_after, inside_in_turn};

#[isotest(env(GUARANTEES_ONE = "1", GUARANTEES_TWO = "with spaces = and more"))]
fn variables_asked_for_are_set() {
    assert_eq!(std::env::var("GUARANTEES_ONE").as_deref(), Ok("1"));
    assert_eq!(std::env::var("GUARANTEES_TWO").as_deref(), Ok("with spaces = and more"));
}

#[isotest]
fn variables_that_another_test_asked_for_are_not_set() {
    assert_eq!(std::env::var_os("GUARANTEES_ONE"), None);
}

#[isotest(env(PATH = "/nowhere"))]
fn variables_of_the_caller_are_replaced() {
    assert_eq!(std::env::var("PATH").as_deref(), Ok("/nowhere"));
}

#[isotest]
fn variables_of_the_caller_are_kept() {
    assert!(std::env::var("PATH").is_ok_and(|path| path != "/nowhere"));
}

/// The variables, the working directory, the umask and the signal handlers.
#[test]
fn what_a_test_changes_is_seen_by_no_other() {
    inside_in_turn("state::finds_no_traces").passes();
}

#[test]
fn without_isolation_the_next_test_sees_what_was_changed() {
    inside_in_turn("state::plain_finds_no_traces").start().fails("GUARANTEES_LEFT_BY_A_TEST");
}

#[test]
fn under_the_runner_plain_tests_see_no_changes_either() {
    let text = run_by_the_runner("state::plain_finds_no_traces");
    assert!(text.contains(" 2 passed, 0 failed"), "{text}");
}

#[test]
fn no_descriptor_is_inherited_and_input_is_empty() {
    inherits_descriptor_7("state::has_three_descriptors").passes();
}

#[test]
fn without_isolation_descriptors_are_inherited() {
    inherits_descriptor_7("state::plain_inherits_descriptor_7").passes();
}

#[test]
fn under_the_runner_no_descriptor_is_inherited() {
    let text = run_by_the_runner("descriptor");
    assert!(text.contains(" 2 tests run: 1 passed, 1 failed"), "only the plain test waits for descriptor 7:\n{text}");
    assert!(text.contains("plain_inherits_descriptor_7") && text.contains("[0, 1, 2]"), "{text}");
}

/// Both streams of `cargo isotest` for these tests of the fixture, with an open descriptor 7 and ignored signals.
fn run_by_the_runner(tests: &str) -> String {
    inside::binary(); // Building it takes its own time.
    let runner = FIXTURE.cargo_isotest(&[]);
    let mut shell = bounded("sh", &runner);
    shell.args(["-c", "exec 7</dev/null; trap '' HUP USR1; exec \"$@\"", "sh"]).arg(runner.get_program());
    shell.args(["isotest", "run", "--no-fail-fast", "--test", "inside", tests]).current_dir(FIXTURE.directory());
    text(&shell.output().expect("cargo isotest starts"))
}

fn inherits_descriptor_7(test: &str) -> Inside {
    inside_after("exec 7</dev/null", &["--exact", test])
}

#[test]
fn signals_are_at_their_defaults() {
    inherits_ignored_signals("state::has_signals_at_their_defaults").passes();
}

#[test]
fn without_isolation_ignored_signals_are_inherited() {
    inherits_ignored_signals("state::plain_inherits_ignored_signals").passes();
}

fn inherits_ignored_signals(test: &str) -> Inside {
    inside_after("trap '' HUP USR1 TERM", &["--exact", test])
}

#[isotest]
fn no_signal_is_blocked() {
    assert_eq!(SigSet::thread_get_mask(), Ok(SigSet::empty()));
}

#[isotest]
fn a_signal_that_is_blocked_is_seen() {
    let usr1 = SigSet::from(Signal::SIGUSR1);
    usr1.thread_block().expect("it can be blocked");
    assert_eq!(SigSet::thread_get_mask(), Ok(usr1));
}
