//! The fixture `expansion`, run by `cargo test` or by `cargo isotest`, and what they say of each test.

use std::collections::BTreeMap;
use std::process::Command;

use isotest_tests::{Fixture, text};

pub(crate) const EXPANSION: Fixture = Fixture("expansion");

/// What a runner said.
pub(crate) struct Said {
    pub(crate) success: bool,
    /// How each test ended. A test that was run twice has two words.
    pub(crate) words: BTreeMap<String, String>,
    pub(crate) text: String,
}

/// `cargo test ARGUMENTS`
pub(crate) fn cargo_test(arguments: &[&str]) -> Said {
    said(EXPANSION.cargo(&["test", "--no-fail-fast"]).args(arguments), |line| {
        let (name, word) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let name = name.trim_end_matches(" - should panic");
        match word {
            "ok" => Some((name, "passed")),
            "FAILED" => Some((name, "failed")),
            _ if word.starts_with("ignored") => None,
            _ => Some((name, word)),
        }
    })
}

/// `cargo isotest run ARGUMENTS`
pub(crate) fn cargo_isotest(arguments: &[&str]) -> Said {
    said(EXPANSION.cargo_isotest(&["run", "--no-fail-fast"]).args(arguments), |line| {
        let (status, rest) = line.trim_start().split_once(" [")?;
        let word = match status {
            "PASS" => "passed",
            "FAIL" => "failed",
            _ if status.chars().all(char::is_uppercase) => status,
            _ => return None,
        };
        Some((rest.split_whitespace().last()?, word))
    })
}

fn said(command: &mut Command, name_and_word: fn(&str) -> Option<(&str, &str)>) -> Said {
    let output = command.output().expect("cargo starts");
    let text = text(&output);
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    // After its summary `cargo isotest` names the failures once more.
    let lines = text.lines().take_while(|line| !line.trim_start().starts_with("Summary"));
    for (name, word) in lines.filter_map(name_and_word) {
        words.entry(name.to_owned()).and_modify(|words| *words += " and ").or_default().push_str(word);
    }
    Said { success: output.status.success(), words, text }
}
