//! A failing isolated test fails, under every runner; and each way to end is told apart.

mod model;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use isotest_tests::{Fixture, text};
use model::OUTCOMES;

const SAMPLER: Fixture = Fixture("sampler");

#[test]
fn cargo_test_tells_the_truth() {
    must_tell_the_truth_as_cargo_test(&mut SAMPLER.cargo(&["test", "--test", "outcomes"]));
}

/// Where a library starts threads before `main`, tests can't be forked from the server: they are executed afresh.
#[test]
fn cargo_test_tells_the_truth_where_threads_run_before_main() {
    let mut cargo = SAMPLER.cargo(&["test", "--test", "outcomes"]);
    must_tell_the_truth_as_cargo_test(cargo.env("LD_PRELOAD", early_thread()));
}

fn must_tell_the_truth_as_cargo_test(cargo: &mut Command) {
    let output = cargo.output().expect("cargo starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    for expected in OUTCOMES {
        let line = line_of(&text, &format!("test {}", expected.name));
        let word = match expected.status {
            None => "ignored",
            Some("PASS" | "LEAK") => "ok",
            Some(_) => "FAILED",
        };
        assert!(line.contains(word), "{}: expected {word}, got {line:?} in\n{text}", expected.name);
        assert!(text.contains(expected.says), "{} does not say {:?}:\n{text}", expected.name, expected.says);
    }
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn nextest_tells_the_truth() {
    let output = SAMPLER
        .cargo(&["nextest", "run", "--no-fail-fast", "--test", "outcomes", "--status-level", "all"])
        .output()
        .expect("cargo starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "cargo-nextest must be installed:\n{text}");
    for expected in OUTCOMES {
        let line = line_of(&text, &format!("sampler::outcomes {}", expected.name));
        let word = match expected.status {
            None => "SKIP",
            Some("PASS" | "LEAK") => "PASS",
            Some(_) => "FAIL",
        };
        assert!(line.contains(word), "{}: expected {word}, got {line:?} in\n{text}", expected.name);
    }
}

#[test]
fn cargo_isotest_tells_the_truth() {
    must_tell_the_truth(&mut SAMPLER.cargo_isotest(&["run", "--no-fail-fast", "--test", "outcomes"]));
}

#[test]
fn cargo_isotest_tells_the_truth_where_threads_run_before_main() {
    let mut runner = SAMPLER.cargo_isotest(&["run", "--no-fail-fast", "--test", "outcomes"]);
    must_tell_the_truth(runner.env("LD_PRELOAD", early_thread()));
}

fn must_tell_the_truth(runner: &mut Command) {
    let output = runner.output().expect("cargo isotest starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    for expected in OUTCOMES {
        let Some(status) = expected.status else { continue };
        let line = line_of(&text, &format!("sampler::outcomes {}", expected.name));
        assert!(line.contains(status), "{}: expected {status}, got {line:?} in\n{text}", expected.name);
        assert!(text.contains(expected.says), "{} does not say {:?}:\n{text}", expected.name, expected.says);
    }
}

/// A shared library that starts a thread when it is loaded.
fn early_thread() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libearly_thread.so");
        let source = isotest_tests::root().join("tests/fixtures/early-thread/early_thread.rs");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", "--crate-type", "cdylib", "-o"]).arg(&library).arg(source);
        assert!(rustc.status().expect("rustc starts").success(), "the library does not build");
        library
    })
}

#[test]
fn a_plain_test_that_exits_early_has_not_passed() {
    let output = SAMPLER
        .cargo_isotest(&["run", "--no-fail-fast", "exits_with_success"])
        .env("SAMPLER_PLAIN_EXIT", "1")
        .output()
        .expect("cargo isotest starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    for name in ["sampler::outcomes plain_exits_with_success", "sampler::plain_only exits_with_success"] {
        assert!(line_of(&text, name).contains("EXIT"), "{name}:\n{text}");
    }
}

/// The first line whose words contain `wanted` followed by the end of a word.
fn line_of<'a>(text: &'a str, wanted: &str) -> &'a str {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    let found = text.lines().find(|line| line.split_once(wanted).is_some_and(|(_, rest)| ends(rest)));
    found.unwrap_or_else(|| panic!("no line with {wanted:?} in\n{text}"))
}
