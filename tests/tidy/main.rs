//! Rules of this repository that a reader would have to be told twice. Each is tried on a wrong sample first.

mod pages;
mod rules;
mod snippets;
mod tree;

use rules::{discards_silently, does_io, long, undocumented_unsafe, unsafe_outside};
use tree::{File, files};

#[test]
fn unsafe_code_stands_only_under_sys() {
    must_hold("a/b.rs", "fn f() { unsafe { g() } }", unsafe_outside);
}

#[test]
fn every_unsafe_block_gives_its_reason() {
    must_hold("a/b.rs", "fn f() {\n    unsafe { g() }\n}", undocumented_unsafe);
}

#[test]
fn no_result_is_discarded_silently() {
    must_hold("a/b.rs", "fn f() {\n    let _ = g();\n}", discards_silently);
}

#[test]
fn files_stay_short() {
    must_hold("a/b.rs", &"line\n".repeat(401), long);
}

#[test]
fn what_decides_does_no_input_or_output() {
    must_hold("isotest-core/src/plan.rs", "use std::fs;", does_io);
}

/// No file breaks the rule, and the sample does.
fn must_hold(path: &str, wrong: &str, rule: fn(&File) -> Option<String>) {
    let sample = File { path: path.to_owned(), text: wrong.to_owned() };
    assert!(rule(&sample).is_some(), "the rule finds nothing wrong with {wrong:?}");
    let broken: Vec<_> = files().iter().filter_map(rule).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_architecture_s_code_map_is_the_tree_s() {
    let map = tree::text("docs/ARCHITECTURE.md");
    let named = |file: &File| {
        let (_, own) = file.path.split_once("/src/").unwrap_or(("", &file.path));
        let in_sys = own.strip_prefix("sys/").and_then(|name| name.strip_suffix(".rs"));
        map.contains(&format!("`{own}`")) || in_sys.is_some_and(|name| tree::in_braces(&map, "sys/", name))
    };
    assert!(!named(&File { path: "isotest-core/src/nowhere.rs".to_owned(), text: String::new() }));
    let sources = files().into_iter().filter(|file| file.path.contains("/src/") && tree::is_published(&file.path));
    let missing: Vec<_> = sources.filter(|file| !named(file)).map(|file| file.path).collect();
    assert!(missing.is_empty(), "docs/ARCHITECTURE.md does not name {missing:?}");
}

#[test]
fn readme_s_commands_are_those_that_ci_runs() {
    let (readme, ci) = (tree::text("README.md"), tree::text(".ci/run"));
    let first_screen = readme.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
    let commands: Vec<_> = first_screen.lines().filter_map(|line| line.split(" #").next()).map(str::trim).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let runs = |line: &str| line.trim() == command;
        assert!(ci.lines().any(runs), ".ci/run does not run `{command}`");
        assert!(ci.contains(&format!(".ci/as-user {command}")), ".ci/run does not run `{command}` as an ordinary user");
    }
}
