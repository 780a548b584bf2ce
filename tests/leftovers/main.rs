//! What a test leaves behind, and where it wanted to go, is told as its spec says; and never of a test that is clean.

mod model;

use std::sync::OnceLock;

use isotest_tests::{Fixture, text};
use model::{ALONE, DEEDS};

const LEFTOVERS: Fixture = Fixture("leftovers");

/// Everything that `cargo test` says of the fixture, run once.
fn told() -> &'static str {
    static TOLD: OnceLock<String> = OnceLock::new();
    TOLD.get_or_init(|| {
        let mut cargo = LEFTOVERS.cargo(&["test", "--test", "leftovers", "--", "--show-output"]);
        text(&cargo.output().expect("cargo starts"))
    })
}

/// What libtest shows of one test's output.
fn output_of(name: &str) -> &'static str {
    let found = told().split_once(&format!("---- {name} stdout ----\n"));
    let rest = found.map_or("", |(_, rest)| rest);
    rest.find("\n---- ").or_else(|| rest.find("\n\n\n")).map_or(rest, |end| &rest[..=end])
}

fn passes(name: &str) -> bool {
    let said = told();
    let is = |end: &str| {
        said.contains(&format!("test {name} ... {end}\n"))
            || said.contains(&format!("test {name} - should panic ... {end}\n"))
    };
    assert!(is("ok") != is("FAILED"), "{name} ends once:\n{said}");
    is("ok")
}

fn contains_in_order(text: &str, wanted: &[&str]) -> bool {
    let found = |rest: Option<&str>, wanted: &&str| Some(rest?.split_once(*wanted)?.1.to_owned());
    let mut rest = Some(text.to_owned());
    for wanted in wanted {
        rest = found(rest.as_deref(), wanted);
    }
    rest.is_some()
}

#[test]
fn by_default_a_note_tells_it() {
    for (deed, words) in DEEDS {
        let name = format!("told::{deed}");
        let output = output_of(&name);
        assert!(passes(&name), "{name}:\n{}", told());
        assert!(contains_in_order(output, words), "{name} does not say {words:?}:\n{output}");
        assert_eq!(output.contains("isotest: "), !words.is_empty(), "{name}:\n{output}");
        assert_eq!(output.matches("isotest: ").count(), words.len().min(1), "{name}:\n{output}");
    }
}

#[test]
fn where_it_is_forbidden_the_test_fails_and_says_why() {
    for (deed, words) in DEEDS {
        let name = format!("forbidden::{deed}");
        let output = output_of(&name);
        assert_eq!(passes(&name), words.is_empty(), "{name}:\n{}", told());
        assert!(contains_in_order(output, words), "{name} does not say {words:?}:\n{output}");
        let why = ["(leaks = \"fail\")", "(forbidden by egress)"].iter().filter(|why| output.contains(**why)).count();
        assert_eq!(why, words.len().min(1), "{name}:\n{output}");
    }
}

#[test]
fn where_it_is_ignored_nothing_is_said() {
    for (deed, _) in DEEDS {
        let name = format!("ignored::{deed}");
        assert!(passes(&name), "{name}:\n{}", told());
        assert!(!output_of(&name).contains("isotest: "), "{name}:\n{}", output_of(&name));
    }
}

#[test]
fn what_fails_anyhow_fails_first_and_other_specs_tell_what_can_be_seen() {
    for (name, expected, words) in ALONE {
        let name = format!("alone::{name}");
        let output = output_of(&name);
        assert_eq!(passes(&name), *expected, "{name}:\n{}", told());
        assert!(contains_in_order(output, words), "{name} does not say {words:?}:\n{output}");
        let notes = words.iter().filter(|words| words.starts_with("isotest: ")).count();
        assert_eq!(
            output.matches("isotest: the test left a").count() + output.matches("isotest: the test tried").count(),
            notes,
            "{name}:\n{output}"
        );
    }
}
