//! How progress is shown, in a terminal and elsewhere.

use std::fs;

use crate::suite::Suite;
use crate::terminal::Terminal;

const RUN: [&str; 9] = ["run", "-p", "outcomes", "--test", "plain", "--exact", "passes", "fails", "--no-fail-fast"];

/// What `cargo isotest run` shows in a terminal with these options: a bar, the passing test, the failing one twice.
#[track_caller]
fn in_a_terminal(options: &[&str], [bar, passes, fails_again]: [bool; 3]) {
    let suite = Suite::new();
    let mut terminal = Terminal::new();
    terminal.runs(&mut suite.command(&[&RUN[..], options].concat()));
    let ended = terminal.end().with(100);
    let shows = |words: &[&str]| ended.lines(words);
    assert_eq!(shows(&["Running [", "/2: "]) > 0, bar, "{options:?}: {}", ended.err);
    assert_eq!(shows(&["PASS [", "outcomes::plain passes"]) > 0, passes, "{options:?}: {}", ended.err);
    let fails = 1 + usize::from(fails_again);
    assert_eq!(shows(&["FAIL [", "outcomes::plain fails"]), fails, "{options:?}: {}", ended.err);
}

#[test]
fn a_terminal_has_a_bar() {
    in_a_terminal(&[], [true, true, true]);
}

#[test]
fn only_progress_is_a_bar_and_what_went_wrong() {
    in_a_terminal(&["--show-progress", "only"], [true, false, false]);
}

#[test]
fn what_is_typed_beside_it_holds() {
    in_a_terminal(
        &["--show-progress", "only", "--status-level", "pass", "--final-status-level", "fail"],
        [true, true, true],
    );
}

#[test]
fn a_hidden_bar_is_none() {
    in_a_terminal(&["--hide-progress-bar"], [false, true, true]);
}

#[test]
fn without_a_terminal_only_progress_is_a_number_in_each_line() {
    let ended = Suite::new().run(&[&RUN[1..], &["--show-progress", "only"]].concat()).with(100);
    ended.says(&["PASS [", "/2) outcomes::plain passes"]);
    assert_eq!(ended.lines(&["FAIL [", "outcomes::plain fails"]), 2, "{}", ended.err);
}

#[test]
fn a_pager_is_left_out_by_every_command() {
    Suite::new().run(&[&RUN[1..], &["--no-pager"]].concat()).with(100);
    Suite::new().list(&["-p", "outcomes", "--no-pager"]).with(0);
}

#[test]
fn what_is_shown_as_it_comes_begins_with_its_test() {
    let suite = Suite::new();
    let named = ["-p", "behaviour", "-E", "test(=speaks_and_waits)"];
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    let ended = suite.run(&[&named[..], &["--no-capture"]].concat()).with(0);
    let lines: Vec<_> = ended.err.lines().collect();
    let at = |words: &str| lines.iter().position(|line| line.contains(words)).expect("it is said");
    assert_eq!(lines[at("START")], "       START [         ] (───) behaviour::waits speaks_and_waits");
    assert!(at("START") < at("words on stderr so far"), "{}", ended.err);
    suite.run(&[&named[..], &["--no-capture", "--status-level", "none"]].concat()).with(0).does_not_say(&["START"]);
    suite.run(&named).with(0).does_not_say(&["START"]);
}
