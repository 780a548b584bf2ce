//! A test finds the same environment and working directory whoever runs it, variable by variable.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use isotest_tests::{Ended, Fixture};

use crate::runs::{DYNAMIC, SEVERAL, cargo_isotest, cargo_test, host};

/// What each test of a run has found: by its name, variables by theirs.
type Findings = BTreeMap<String, BTreeMap<String, String>>;

/// What may differ, and why.
const DIFFERENCES: [(&str, &str); 1] = [("FINDINGS", "where the tests of the two runs write down what they find")];

/// Runs the tests by both and compares what they find; gives it for more questions.
#[track_caller]
fn the_same(fixture: Fixture, arguments: &[&str], prepare: impl Fn(&mut Command)) -> Findings {
    let run = |mut command: Command| {
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
        prepare(&mut command);
        Ended::of(command.env("FINDINGS", place.path())).with(0);
        read(place.path())
    };
    let by_test = run(cargo_test(fixture, arguments));
    let by_isotest = run(cargo_isotest(fixture, &[&["run"], arguments].concat()));
    let names = |findings: &Findings| findings.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&by_test), names(&by_isotest));
    let differences: Vec<String> = by_test
        .iter()
        .flat_map(|(test, left)| {
            let right = &by_isotest[test];
            let variables: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
            let differ = variables.into_iter().filter(|name| left.get(*name) != right.get(*name));
            let differ = differ.filter(|name| !DIFFERENCES.iter().any(|(known, _)| known == name));
            // What the runner tells a test of its own run, as nextest does.
            let differ = differ.filter(|name| !name.starts_with("ISOTEST"));
            differ
                .map(|name| format!("{test}: {name}: {:?}, {:?}\n", left.get(name), right.get(name)))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(differences.is_empty(), "in `cargo test`, in `cargo isotest`:\n{}", differences.concat());
    by_test
}

fn read(place: &Path) -> Findings {
    let files = fs::read_dir(place).expect("the place is there").flatten();
    let variables = |text: &str| {
        let mut words = text.split_terminator('\0').map(str::to_owned);
        let mut variables = BTreeMap::new();
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            variables.insert(name, value);
        }
        variables
    };
    files
        .map(|file| {
            let text = fs::read(file.path()).expect("it can be read");
            (file.file_name().to_string_lossy().into_owned(), variables(&String::from_utf8_lossy(&text)))
        })
        .collect()
}

const ALL: [&str; 5] = ["--workspace", "--exclude", "isolated", "--all-targets", "--all-features"];

#[test]
fn every_kind_of_target_finds_what_it_finds_in_cargo_test() {
    let findings = the_same(SEVERAL, &ALL, |_| {});
    let expected = [
        "bench",
        "derive",
        "example",
        "findings",
        "integration",
        "integration, isolated",
        "lib",
        "lib, isolated",
        "other-program",
        "program",
    ];
    assert!(findings.keys().eq(expected), "{:?}", findings.keys());
    // It is not all the same because nothing is there.
    for (test, name) in [("lib", "FROM_BUILD_SCRIPT"), ("lib", "OUT_DIR"), ("derive", "CARGO_PKG_VERSION_PRE")] {
        assert!(findings[test].contains_key(name), "{test} finds no {name}");
    }
}

#[test]
fn the_same_for_a_target_that_was_typed() {
    let triple = host();
    the_same(SEVERAL, &[&ALL[..], &["--target", &triple]].concat(), |_| {});
}

#[test]
fn the_same_where_intermediate_products_lie_elsewhere() {
    let elsewhere = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
    the_same(SEVERAL, &["-p", "findings", "-p", "other"], |command| {
        command.env("CARGO_BUILD_BUILD_DIR", elsewhere.path());
    });
}

#[test]
fn the_same_from_a_package_s_directory() {
    the_same(SEVERAL, &["--tests"], |command| {
        command.current_dir(SEVERAL.directory().join("whole/src"));
    });
}

#[test]
fn the_same_where_the_loader_is_told_of_shared_libraries() {
    let findings = the_same(DYNAMIC, &["--lib"], |_| {});
    assert!(findings.keys().eq(["lib", "lib, isolated"]), "{:?}", findings.keys());
}

#[test]
fn a_variable_is_whose_word_is_strongest() {
    let mut said = Vec::new();
    let mut expect = |arguments: &[&str], name: &'static str, expected: &str| {
        let arguments = [&["-p", "whole", "--lib"], arguments].concat();
        let findings = the_same(SEVERAL, &arguments, |command| {
            command.env("SAID_BY_THE_CALLER", "by the caller").env("SAID_BY_FORCE", "by the caller");
        });
        said.push((name, findings["lib"][name].clone(), expected.to_owned()));
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory can be made");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in the folder")).expect("it is writable");
        fs::write(&path, text).expect("it is writable");
        path.display().to_string()
    };
    let here = |path: &str| folder.path().join(path).display().to_string();

    expect(&[], "SAID_BY_THE_CALLER", "by the caller");
    expect(&[], "SAID_BY_FORCE", "by the configuration");
    expect(&["--config", "env.SAID_PLAINLY='as typed'"], "SAID_PLAINLY", "as typed");
    expect(&["--config", "env.SAID_BY_FORCE.force=false"], "SAID_BY_FORCE", "by the caller");
    let twice = ["--config", "env.TYPED='first'", "--config", "env.TYPED='last'"];
    expect(&twice, "TYPED", "last");

    let file = write("folder/any name.toml", "env.FROM_FILE = { value = 'a', relative = true }");
    expect(&["--config", &file], "FROM_FILE", &here("a"));
    write(
        "folder/deeper/one.toml",
        "env.INCLUDED = 'one'\nenv.BOTH = 'one'\nenv.RELATED = { value = 'a', relative = true }",
    );
    write("folder/two.toml", "env.BOTH = 'two'\nenv.OVERRULED = 'two'");
    let file = write(
        "folder/including.toml",
        "include = ['deeper/one.toml', { path = 'two.toml' }, { path = 'none.toml', optional = true }]\nenv.OVERRULED = 'mine'",
    );
    for (name, expected) in
        [("INCLUDED", "one"), ("BOTH", "two"), ("OVERRULED", "mine"), ("RELATED", &here("folder/a"))]
    {
        expect(&["--config", &file], name, expected);
    }
    let wrong: Vec<_> = said.iter().filter(|(_, value, expected)| value != expected).collect();
    assert!(wrong.is_empty(), "variable, value, expected: {wrong:#?}");
}
