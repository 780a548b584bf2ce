//! What is typed of packages, targets, features and builds chooses the same binaries and tests in both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, pipe};
use std::process::Command;

use serde_json::Value;

use isotest_tests::Ended;

use crate::runs::{SEVERAL, cargo_isotest, cargo_test, host};

/// The names of a run's tests by the binaries that they are in. Of binaries without a test nothing is known.
type Tests = BTreeMap<String, BTreeSet<String>>;

/// What both list after these arguments.
#[track_caller]
fn the_same(arguments: &[&str]) -> Tests {
    the_same_in("", arguments, arguments)
}

/// The same in this package's directory, and where one of them has another word for it.
#[track_caller]
fn the_same_in(package: &str, of_test: &[&str], of_isotest: &[&str]) -> Tests {
    let here = SEVERAL.directory().join(package);
    let of_test = &[of_test, &["--", "--list", "--format", "terse"]].concat();
    let by_test = listed_by_test(cargo_test(SEVERAL, of_test).current_dir(&here));
    let of_isotest = &[&["list", "--run-ignored", "all", "-T", "json"], of_isotest].concat();
    let by_isotest = Ended::of(cargo_isotest(SEVERAL, of_isotest).current_dir(&here)).with(0);
    let by_isotest = listed_by_isotest(&by_isotest.out);
    assert_eq!(by_test, by_isotest, "after {of_test:?} and {of_isotest:?}");
    by_test
}

/// `     Running KIND (BINARY)` comes before what a binary lists: both into one pipe.
#[track_caller]
fn listed_by_test(command: &mut Command) -> Tests {
    let (mut text, writer) = pipe().expect("a pipe");
    let mut cargo = command
        .env("CARGO_TERM_COLOR", "never")
        .stdout(writer.try_clone().expect("a descriptor"))
        .stderr(writer)
        .spawn()
        .expect("cargo starts");
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()); // Closes the pipe here.
    let mut told = String::new();
    text.read_to_string(&mut told).expect("text");
    assert!(cargo.wait().expect("cargo ends").success(), "{told}");
    let (mut tests, mut binary) = (Tests::new(), String::new());
    for line in told.lines() {
        if let Some(running) = line.strip_prefix("     Running ") {
            let (_, path) = running.rsplit_once(" (").expect("a path in parentheses");
            binary = path.trim_end_matches(')').to_owned();
        } else if let Some(test) = line.strip_suffix(": test") {
            tests.entry(binary.clone()).or_default().insert(test.to_owned());
        }
    }
    tests
}

fn listed_by_isotest(json: &str) -> Tests {
    let json: Value = serde_json::from_str(json).expect("JSON");
    let suites = json["rust-suites"].as_object().expect("an object").values();
    let tests = suites.map(|suite| {
        let path = suite["binary-path"].as_str().expect("a path").to_owned();
        (path, suite["testcases"].as_object().expect("an object").keys().cloned().collect())
    });
    tests.filter(|(_, tests): &(_, BTreeSet<String>)| !tests.is_empty()).collect()
}

/// Each choice, and how many binaries with tests it comes to.
#[track_caller]
fn each_the_same(choices: &[(&[&str], usize)]) {
    for (choice, binaries) in choices {
        let tests = the_same(choice);
        assert_eq!(tests.len(), *binaries, "after {choice:?}: {tests:#?}");
    }
}

#[test]
fn packages() {
    each_the_same(&[
        (&[], 8), // The default members.
        (&["--workspace"], 12),
        (&["--all"], 12),
        (&["-p", "other"], 2),
        (&["--package", "other", "-p", "findings"], 3),
        (&["-p", "f*", "-p", "other@0.1.0"], 3),
        (&["--workspace", "--exclude", "whole", "--exclude", "iso*"], 4),
        (&["--manifest-path", "other/Cargo.toml"], 2),
        (&["--manifest-path", "other/Cargo.toml", "--workspace"], 12),
    ]);
    assert_eq!(the_same_in("other", &[], &[]).len(), 2, "the package whose directory it is");
    assert_eq!(the_same_in("whole/src", &["--lib"], &["--lib"]).len(), 1, "the package in whose directory it is");
}

#[test]
fn targets() {
    let of_whole = |choice: &[&'static str], binaries: usize| {
        let tests = the_same(&[&["-p", "whole"], choice].concat());
        assert_eq!(tests.len(), binaries, "after {choice:?}: {tests:#?}");
    };
    of_whole(&[], 7);
    of_whole(&["--lib"], 1);
    of_whole(&["--bins"], 2);
    of_whole(&["--bin", "program"], 1);
    of_whole(&["--bin", "*program"], 2);
    of_whole(&["--tests"], 7);
    of_whole(&["--test", "integration"], 1);
    of_whole(&["--test", "*t*r*"], 2);
    of_whole(&["--examples"], 2);
    of_whole(&["--example", "untested"], 1);
    of_whole(&["--benches"], 4);
    of_whole(&["--bench", "measured"], 1);
    of_whole(&["--all-targets"], 8);
    of_whole(&["--lib", "--bin", "program", "--test", "another", "--example", "shown", "--bench", "measured"], 5);
}

#[test]
fn features() {
    let names = |choice: &[&'static str]| {
        let tests = the_same(&[&["-p", "whole", "--lib"], choice].concat());
        let with = tests.into_values().flatten().filter_map(|test| Some(test.strip_prefix("outer::with_")?.to_owned()));
        with.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["usual"]);
    assert_eq!(names(&["--no-default-features"]), [""; 0]);
    assert_eq!(names(&["--features", "special"]), ["special", "usual"]);
    assert_eq!(names(&["-F", "special", "--no-default-features"]), ["special"]);
    assert_eq!(names(&["--features", "whole/special,usual"]), ["special", "usual"]);
    assert_eq!(names(&["--all-features"]), ["special", "usual"]);
    each_the_same(&[
        (&["-p", "whole", "--tests", "--all-features"], 8),
        (&["-p", "whole", "--test", "n*", "-F", "special"], 1),
    ]);
}

#[test]
fn builds() {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
    let directory = directory.path().to_str().expect("text");
    let triple = host();
    let one = ["-p", "other", "--lib"];
    let differs = |of_test: &[&str], of_isotest: &[&str]| {
        let (of_test, of_isotest) = ([&one[..], of_test].concat(), [&one[..], of_isotest].concat());
        let tests = the_same_in("", &of_test, &of_isotest);
        tests.into_keys().next().expect("a binary")
    };
    let place = |choice: &[&str]| differs(choice, choice);
    assert!(place(&["--release"]).contains("/release/deps/"));
    assert!(place(&["-r"]).contains("/release/deps/"));
    assert!(differs(&["--profile", "aborting"], &["--cargo-profile", "aborting"]).contains("/aborting/deps/"));
    assert!(place(&["--target", &triple]).contains(&triple));
    assert!(place(&["--target-dir", directory]).starts_with(directory));
    let target = format!("build.target='{triple}'");
    assert!(place(&["--config", &target]).contains(&triple));
    for choice in [&["--locked"][..], &["--offline"], &["--frozen"], &["--locked", "--offline"]] {
        assert!(place(choice).contains("/debug/deps/"), "{choice:?}");
    }
}

#[test]
fn what_can_t_be_chosen_is_refused_by_both() {
    let refused = |choice: &[&'static str], says: &str, code: i32| {
        let by_test = Ended::of(&mut cargo_test(SEVERAL, choice)).with(101);
        let by_isotest = Ended::of(&mut cargo_isotest(SEVERAL, &[&["run"], choice].concat())).with(code);
        for ended in [by_test, by_isotest] {
            assert!(ended.err.contains(says), "after {choice:?}: {}", ended.err);
        }
    };
    refused(&["-p", "no-such-package"], "no-such-package", 101);
    refused(&["-p", "whole", "--test", "no-such-test"], "no-such-test", 101);
    refused(&["-p", "whole", "--test", "needs-special"], "special", 101);
    refused(&["-p", "whole", "--features", "no-such-feature"], "no-such-feature", 101);
    refused(&["--manifest-path", "nowhere/Cargo.toml"], "nowhere/Cargo.toml", 102);
}
