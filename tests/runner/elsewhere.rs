//! What `cargo isotest` does not run itself, and says so.

use std::process::Command;

use crate::suite::Suite;

#[test]
fn documentation_tests_are_named_with_a_command_that_runs_them() {
    let suite = Suite::new();
    let note = "note: documentation tests are not run here; this runs them: ";
    let ended = suite.run(&["-p", "kinds", "-p", "shared", "--lib"]).with(0);
    let said = ended.err.lines().find_map(|line| line.strip_prefix(note)).expect("it is said");
    assert_eq!(said, "cargo test --doc -p kinds");
    let mut words = said.split(' ').skip(1);
    let mut cargo = Command::new(env!("CARGO"));
    let of_fixture = suite.command(&[]);
    cargo.args(words.by_ref()).current_dir(of_fixture.get_current_dir().expect("the fixture's"));
    cargo.env("CARGO_TARGET_DIR", suite.place());
    let output = cargo.output().expect("cargo starts");
    let text = isotest_tests::text(&output);
    assert!(output.status.success() && text.contains("test result: ok. 1 passed"), "{text}");
}

#[test]
fn where_there_are_none_nothing_is_said() {
    Suite::new().run(&["-p", "macros"]).with(0).does_not_say(&["documentation tests"]);
    Suite::new().run(&["-p", "kinds", "--test", "integration"]).with(0).does_not_say(&["documentation tests"]);
}

#[test]
fn every_kind_of_target_is_run_and_finds_what_cargo_gives_it() {
    let ended = Suite::new().run(&["-p", "kinds", "-p", "macros", "-p", "shared", "--all-targets"]).with(0);
    for test in [
        "kinds of_the_library",
        "kinds::bin/program of_the_program",
        "kinds::integration of_the_integration",
        "kinds::example/shown of_the_example",
        "kinds::bench/measured of_the_benchmark",
        "macros of_the_macro",
        "shared of_the_shared_library",
    ] {
        ended.says(&["PASS [", test]);
    }
    ended.says(&["Summary", "7 tests run: 7 passed"]);
}
