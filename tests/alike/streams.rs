//! Whoever runs it may stop reading, or have no streams at all: nothing hangs, nothing panics, and the exit code is what it was.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, pipe};
use std::process::{Command, Stdio};

use crate::ended::{Ended, SEVERAL, by_hand, cargo_isotest};

const ISOLATED: [&str; 3] = ["-p", "isolated", "--lib"];
const FAILING: [&[&str]; 3] = [&["run"], &["run", "--no-fail-fast"], &["run", "--no-capture"]];
const PASSING: [&[&str]; 4] = [&["run", "outer::passes"], &["list"], &["list", "-v"], &["list", "-T", "json"]];

/// Each of these runs with the exit code that it has when somebody listens.
fn each_run() -> impl Iterator<Item = (Command, i32)> {
    let failing = FAILING.into_iter().map(|arguments| (arguments, 100));
    let all = failing.chain(PASSING.into_iter().map(|arguments| (arguments, 0)));
    // Cargo gives up where it can't say that it builds.
    let quiet = "--cargo-quiet";
    all.map(|(arguments, code)| (cargo_isotest(SEVERAL, &[arguments, &ISOLATED, &[quiet]].concat()), code))
}

#[test]
fn a_reader_that_has_seen_enough_changes_no_exit_code() {
    for (mut command, code) in each_run() {
        let (reader, writer) = pipe().expect("a pipe");
        let (out, err) = (writer.try_clone().expect("a descriptor"), writer);
        let mut run = command.stdout(out).stderr(err).spawn().expect("it starts");
        command.stdout(Stdio::null()).stderr(Stdio::null()); // Closes the pipe here.
        let mut first = String::new();
        BufReader::new(reader).read_line(&mut first).expect("a line"); // And the reader is gone.
        assert_eq!(run.wait().expect("it ends").code(), Some(code), "{command:?}: {first}");
        assert!(!first.is_empty(), "{command:?}");
    }
}

/// By a shell, which can start a program without these descriptors.
fn without(descriptors: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec \"$0\" \"$@\" {descriptors}")]).arg(command.get_program());
    shell.args(command.get_args()).current_dir(command.get_current_dir().expect("the fixture's"));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

const CLOSED: [&str; 7] = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"];

#[test]
fn closed_streams_change_no_exit_code() {
    for closed in CLOSED {
        for (command, code) in each_run() {
            let ended = Ended::of(&mut without(closed, &command));
            assert_eq!(ended.code, Some(code), "{command:?} {closed}: {ended:?}");
            // The fixture's tests panic as they should.
            let own = |line: &&str| line.contains("panicked at") && !line.contains("isolated/src/lib.rs");
            assert_eq!(ended.err.lines().find(own), None, "{command:?} {closed}");
        }
    }
}

#[test]
fn a_test_binary_with_closed_streams_tells_a_failure_from_a_success() {
    for closed in CLOSED {
        for (test, code) in [("outer::inner::passes", 0), ("outer::inner::fails", 101)] {
            for more in ["--nocapture", "--test-threads=1"] {
                let mut command = by_hand(&ISOLATED);
                command.args(["--exact", test, more]);
                let ended = Ended::of(&mut without(closed, &command));
                assert_eq!(ended.code, Some(code), "{test} {more} {closed}: {ended:?}");
            }
        }
    }
}

#[test]
fn what_can_t_be_written_is_an_error_with_a_code_of_its_own() {
    let commands: [&[&str]; 4] = [
        &["list", "-p", "isolated"],
        &["list", "-p", "isolated", "-T", "json"],
        &["show-config"],
        &["completions", "bash"],
    ];
    for arguments in commands {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full is there");
        let output = cargo_isotest(SEVERAL, arguments).stdout(full).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(110), "{arguments:?}: {said}");
        assert!(said.contains("error: cannot print") && said.contains("No space left"), "{arguments:?}: {said}");
    }
    let junit = ["run", "-p", "isolated", "outer::passes", "--junit", "/dev/null/report.xml"];
    let ended = Ended::of(&mut cargo_isotest(SEVERAL, &junit)).with(110);
    assert!(ended.err.contains("/dev/null/report.xml"), "{}", ended.err);
}
