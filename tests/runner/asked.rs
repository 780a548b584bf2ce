//! Whoever asks is told what runs: by a signal, or by a key in a terminal.

use std::fs;

use nix::sys::signal::Signal;

use crate::started::Started;
use crate::suite::Suite;
use crate::terminal::Terminal;

const SPEAKS: [&str; 7] = ["run", "-p", "behaviour", "--test", "waits", "--exact", "speaks_and_waits"];

fn has_spoken(suite: &Suite) -> bool {
    suite.place().join("started").exists()
}

/// A line for the test, one for each of its processes, and what they have written by now.
const TOLD: [&[&str]; 6] = [
    &["Info 1 test runs, 0 of 1 ended"],
    &["RUNNING [", "s] behaviour::waits speaks_and_waits"],
    &["process ", ": sleep 1000"],
    &["stdout so far"],
    &["words so far"],
    &["words on stderr so far"],
];

#[test]
fn by_a_signal() {
    let suite = Suite::new();
    let mut runner = Started::of(&mut suite.command(&SPEAKS));
    runner.when(|| has_spoken(&suite)).gets(Signal::SIGUSR1);
    runner.hear("words on stderr so far");
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    let ended = runner.end().with(0);
    TOLD.iter().for_each(|words| ended.says(words));
    ended.does_not_say(&["process ", "--nocapture"]); // What its server was started with is no news of the test.
    ended.says(&["1 test run: 1 passed"]);
}

/// A runner that comes to neither until now, as on a busy machine, finds the words and the question at once.
#[test]
fn what_came_with_the_question_is_told_too() {
    let suite = Suite::new();
    fs::write(suite.place().join("not yet"), "").expect("the place is writable");
    let mut runner = Started::of(&mut suite.command(&SPEAKS));
    runner.when(|| suite.place().join("silent").exists()).gets(Signal::SIGSTOP);
    fs::write(suite.place().join("speak"), "").expect("the place is writable");
    runner.when(|| has_spoken(&suite)).gets(Signal::SIGUSR1).gets(Signal::SIGCONT);
    runner.hear("words on stderr so far");
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    runner.end().with(0).says(&["1 test run: 1 passed"]);
}

#[test]
fn nobody_is_told_who_has_not_asked() {
    let suite = Suite::new();
    let runner = Started::of(&mut suite.command(&SPEAKS));
    runner.when(|| has_spoken(&suite));
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    let ended = runner.end().with(0);
    ended.does_not_say(&["RUNNING"]);
    ended.does_not_say(&["so far"]);
}

#[test]
fn by_t_or_enter_in_a_terminal_which_is_as_before_in_the_end() {
    for key in ["t", "\n"] {
        let suite = Suite::new();
        let mut terminal = Terminal::new();
        let before = terminal.attributes();
        terminal.runs(&mut suite.command(&SPEAKS));
        terminal.when(|| has_spoken(&suite));
        terminal.is_typed(key);
        terminal.shows("words on stderr so far");
        fs::write(suite.place().join("told"), "").expect("the place is writable");
        let ended = terminal.end().with(0);
        TOLD.iter().for_each(|words| ended.says(words));
        assert_eq!(terminal.attributes(), before);
    }
}

/// The terminal itself then shows what is typed, because nobody has told it not to.
#[test]
fn not_by_a_key_that_is_to_be_left_alone() {
    let suite = Suite::new();
    let mut terminal = Terminal::new();
    terminal.runs(suite.command(&SPEAKS).arg("--no-input-handler"));
    terminal.when(|| has_spoken(&suite));
    terminal.is_typed("typed in vain\n");
    terminal.shows("typed in vain");
    fs::write(suite.place().join("told"), "").expect("the place is writable");
    terminal.end().with(0).does_not_say(&["RUNNING"]);
}
