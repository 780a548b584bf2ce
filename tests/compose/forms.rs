//! Every form of a test that should pass passes: once, isolated, and under the name it has in the harness.

use crate::expansion::{Said, cargo_isotest, cargo_test};

const PASSING: &[&str] = &["--lib", "--test", "forms", "--test", "strict"];

/// Names that say more than that a test was found.
const NAMES: &[&str] = &[
    "compose::with_a_plain_test",
    "compose::with_cases::case_2_named",
    "generated::whose_whole_is_given",
    "names::größe",
    "names::plain",
    "names::r#match",
    "paths::lead_through_a_reexport",
    "unit::nested::deeper::is_found_by_its_path",
];

#[test]
fn every_form_passes_under_cargo_test() {
    assert_all_passed(&cargo_test(PASSING));
}

#[test]
fn every_form_passes_under_cargo_isotest() {
    assert_all_passed(&cargo_isotest(PASSING));
}

#[test]
fn both_runners_have_the_same_tests() {
    let (theirs, ours) = (cargo_test(PASSING), cargo_isotest(PASSING));
    assert_eq!(theirs.words, ours.words, "{}\n{}", theirs.text, ours.text);
}

fn assert_all_passed(said: &Said) {
    assert!(said.success, "{}", said.text);
    for name in NAMES {
        assert!(said.words.contains_key(*name), "no test {name} in\n{}", said.text);
    }
    for (name, word) in &said.words {
        assert_eq!(word, "passed", "{name} in\n{}", said.text);
    }
}
