//! A failing isolated test fails, under every runner; and each way to end is told apart.

mod model;

use isotest_tests::{Fixture, text};
use model::OUTCOMES;

const SAMPLER: Fixture = Fixture("sampler");

#[test]
fn cargo_test_tells_the_truth() {
    let output = SAMPLER.cargo(&["test", "--test", "outcomes"]).output().expect("cargo starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(101), "{text}");
    for expected in OUTCOMES {
        let line = line_of(&text, &format!("test {}", expected.name));
        let word = match expected.status {
            None => "ignored",
            Some("PASS") => "ok",
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
            Some("PASS") => "PASS",
            Some(_) => "FAIL",
        };
        assert!(line.contains(word), "{}: expected {word}, got {line:?} in\n{text}", expected.name);
    }
}

#[test]
fn cargo_isotest_tells_the_truth() {
    let output =
        SAMPLER.cargo_isotest(&["run", "--no-fail-fast", "--test", "outcomes"]).output().expect("cargo isotest starts");
    let text = text(&output);
    assert_eq!(output.status.code(), Some(100), "{text}");
    for expected in OUTCOMES {
        let Some(status) = expected.status else { continue };
        let line = line_of(&text, &format!("sampler::outcomes {}", expected.name));
        assert!(line.contains(status), "{}: expected {status}, got {line:?} in\n{text}", expected.name);
        assert!(text.contains(expected.says), "{} does not say {:?}:\n{text}", expected.name, expected.says);
    }
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
