//! Isolated tests look in `cargo test` as ordinary ones do, whatever libtest is asked: the fixture `isolated` is run as it is and
//! with `#[test]` in place of each `#[isotest]`. Each of its isolated tests fails where it is not isolated.

use std::path::PathBuf;
use std::process::Command;

use isotest_tests::Ended;

use crate::runs::{SEVERAL, cargo_test};

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Lines, in whatever order: several tests run at once.
    Any,
    /// All of it.
    AsItCame,
}

const PLAIN: [&str; 5] = ["-p", "isolated", "--lib", "--features", "plain"];
const ISOLATED: [&str; 3] = ["-p", "isolated", "--lib"];

/// `cargo test -- ARGUMENTS` of both.
#[track_caller]
fn alike(order: Order, arguments: &[&str], variables: &[(&str, &str)]) -> Ended {
    let run = |which: &[&str]| {
        let mut command = cargo_test(SEVERAL, &[which, &["--"], arguments].concat());
        Ended::of(command.envs(variables.iter().copied()))
    };
    the_same(order, arguments, run(&PLAIN), run(&ISOLATED))
}

/// The same without cargo between them: a compiler that allows unstable options would be another one to cargo.
#[track_caller]
fn alike_on_nightly(order: Order, arguments: &[&str]) -> Ended {
    let run = |which: &[&str]| {
        let mut command = by_hand(which);
        Ended::of(command.args(["-Z", "unstable-options"]).args(arguments).env("RUSTC_BOOTSTRAP", "1"))
    };
    the_same(order, arguments, run(&PLAIN), run(&ISOLATED))
}

#[track_caller]
fn the_same(order: Order, arguments: &[&str], plain: Ended, isolated: Ended) -> Ended {
    let settled = |text: &str| {
        let mut lines: Vec<String> = text
            .replace("<testcase", "\n<testcase")
            .replace("<system-out/>", "\n<system-out/>")
            .lines()
            .filter(|line| !is_the_run_s(line))
            .map(settled)
            .collect();
        if order == Order::Any {
            lines.sort_unstable();
        }
        lines
    };
    for (plain, isolated) in [(&plain.out, &isolated.out), (&plain.err, &isolated.err)] {
        assert_eq!(settled(plain), settled(isolated), "after {arguments:?}:\n{plain}\n{isolated}");
    }
    assert_eq!(plain.code, isolated.code, "after {arguments:?}");
    isolated
}

/// Whether a line is about the build, or is said once by a process, whichever of its tests panics first.
fn is_the_run_s(line: &str) -> bool {
    ["   Compiling ", "    Blocking ", "    Finished ", "     Running ", NOTE]
        .iter()
        .any(|start| line.starts_with(start))
}

const NOTE: &str = "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace";

/// A line without what is another thing each time: durations, threads' numbers, and who panicked first.
fn settled(line: &str) -> String {
    let in_json = format!(r"\n{NOTE}");
    let in_junit = format!("&#xA;<![CDATA[{NOTE}]]>");
    let mut line = line.replace(&in_json, "").replace(&in_junit, "");
    for before in ["' (", "finished in ", "time\": ", "time=\"", " <", "(total) "] {
        let mut pieces = line.split(before).map(str::to_owned);
        let first = pieces.next().unwrap_or_default();
        let number = |letter: char| letter.is_ascii_digit() || letter == '.';
        line = pieces.fold(first, |line, piece| line + before + "N" + piece.trim_start_matches(number));
    }
    line
}

/// The test binary itself, as an editor runs it: in the package's root, without any variable of cargo's.
fn by_hand(which: &[&str]) -> Command {
    let built =
        Ended::of(&mut cargo_test(SEVERAL, &[which, &["--no-run", "--message-format", "json"]].concat())).with(0);
    let messages = built.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let executable = messages.filter_map(|message| Some(PathBuf::from(message["executable"].as_str()?))).next_back();
    let mut command = Command::new(executable.expect("a test binary was built"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO") {
            command.env_remove(name);
        }
    }
    command.current_dir(SEVERAL.directory().join("isolated")).env("RUST_BACKTRACE", "0");
    command
}

/// What libtest can be asked for.
const QUESTIONS: [&[&str]; 18] = [
    &[],
    &["outer::inner"],
    &["passes", "fails"],
    &["--exact", "outer::passes"],
    &["--exact", "outer::passes", "outer::inner::fails"],
    &["--skip", "inner"],
    &["passes", "--skip", "inner", "--skip", "too"],
    &["no_such_test"],
    &["--ignored"],
    &["--include-ignored"],
    &["--list"],
    &["--list", "--format", "terse"],
    &["--nocapture"],
    &["--no-capture", "--include-ignored"],
    &["--show-output"],
    &["-q"],
    &["--test"],
    &["--color", "always"],
];

#[test]
fn one_after_another_they_are_alike_to_the_letter() {
    for question in QUESTIONS {
        alike(Order::AsItCame, &[&["--test-threads=1"], question].concat(), &[]);
    }
}

#[test]
fn at_once_they_are_alike_line_by_line() {
    // Where several run at once, `-q` shows a row of dots for each pause between them, and what is not captured may come in the
    // middle of a line of libtest's.
    let by_chance = [&["-q"][..], &["--nocapture"], &["--no-capture", "--include-ignored"]];
    for question in QUESTIONS.into_iter().filter(|question| !by_chance.contains(question)) {
        alike(Order::Any, &[&["--test-threads", "3"], question].concat(), &[]);
    }
}

#[test]
fn libtest_s_variables_mean_what_they_mean() {
    alike(Order::AsItCame, &[], &[("RUST_TEST_THREADS", "1")]);
    let shown = alike(Order::AsItCame, &[], &[("RUST_TEST_THREADS", "1"), ("RUST_TEST_NOCAPTURE", "1")]);
    assert!(shown.out.contains("words of a passing test"), "{}", shown.out);
    let hidden = alike(Order::Any, &[], &[("RUST_TEST_NOCAPTURE", "0")]);
    assert!(!hidden.out.contains("words of a passing test"), "{}", hidden.out);
}

#[test]
fn what_only_a_nightly_libtest_can_they_can() {
    let questions: [&[&str]; 10] = [
        &["--shuffle-seed", "7"],
        &["--shuffle-seed", "8"],
        &["--exclude-should-panic"],
        &["--fail-fast"],
        &["--report-time"],
        &["--format", "json"],
        &["--format", "json", "--show-output"],
        &["--format", "json", "--report-time"],
        &["--format", "json", "--include-ignored", "outer::passes"],
        &["--format", "junit"],
    ];
    let orders = questions.map(|question| {
        let one_by_one = alike_on_nightly(Order::AsItCame, &[&["--test-threads=1"], question].concat());
        // With one thread no other test has started when the first one fails.
        if question != ["--fail-fast"] {
            alike_on_nightly(Order::Any, &[&["--test-threads=3"], question].concat());
        }
        one_by_one.out.lines().filter(|line| line.starts_with("test ")).map(str::to_owned).collect::<Vec<_>>()
    });
    assert_ne!(orders[0], orders[1], "a seed makes an order");
}

/// Then no panic is caught, and libtest has each test run in a process of its own.
#[test]
fn where_panics_abort_their_panics_are_told_apart_as_well() {
    let aborting = ["-Z", "panic-abort-tests", "--config", "profile.dev.panic = 'abort'", "--no-fail-fast"];
    let passing = ["outer::passes_too", "outer::panics_as_it_should"];
    for arguments in [&PLAIN[..], &ISOLATED] {
        let mut command = cargo_test(SEVERAL, &[&aborting, arguments].concat());
        let ended = Ended::of(command.env("RUSTC_BOOTSTRAP", "1")).with(101);
        for test in passing {
            assert!(ended.lines(&["test ", test, "... ok"]) == 1, "{arguments:?}: {}{}", ended.out, ended.err);
        }
        assert_eq!(ended.lines(&["test ", "outer::inner::fails ... FAILED"]), 1, "{}", ended.out);
    }
    let mut command = SEVERAL.cargo_isotest(&[&["run"], &aborting[..], &ISOLATED].concat());
    let ended = Ended::of(command.env("RUSTC_BOOTSTRAP", "1")).with(100);
    passing.iter().for_each(|test| ended.says(&["PASS [", test]));
    ended.says(&["FAIL [", "outer::inner::fails"]);
}

#[test]
fn the_binary_itself_runs_one_test_as_an_editor_does() {
    let run = |name: &str| Ended::of(by_hand(&ISOLATED).args(["--exact", name, "--nocapture"]));
    let passed = run("outer::inner::passes").with(0);
    assert!(passed.out.contains("words of a passing test\n"), "{}", passed.out);
    assert!(passed.out.contains("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out"));
    let failed = run("outer::inner::fails").with(101);
    assert!(failed.out.contains("words of a failing test\n"), "{}", failed.out);
    assert!(failed.err.contains("and its complaint\n") && failed.err.contains("as promised"), "{}", failed.err);
    // In any directory, too.
    Ended::of(by_hand(&ISOLATED).args(["--exact", "outer::passes"]).current_dir("/")).with(0);
}
