//! A mistake in the configuration or on the command line is told with its place and a remedy, before anything runs.

use std::fs;
use std::process::Command;

use expect_test::{Expect, expect};
use isotest_tests::{Ended, cargo_isotest, clean};

use crate::suite::Suite;

/// `cargo isotest run` with this configuration ends with 96 and says so.
#[track_caller]
fn wrong(text: &str, says: Expect) {
    let suite = Suite::configured(text);
    let told = |command: &str| {
        let ended = Ended::of(&mut suite.command(&[command])).with(96);
        assert_eq!(ended.out, "");
        named_shortly(&suite, &ended)
    };
    says.assert_eq(&told("run"));
    assert_eq!(told("list"), told("run"));
    assert_eq!(told("show-config"), told("run"));
}

/// What it says, with the configuration's place as short as in a workspace.
fn named_shortly(suite: &Suite, ended: &Ended) -> String {
    ended.err.replace(&suite.place().join("isotest.toml").display().to_string(), "isotest.toml")
}

#[test]
fn an_unknown_key() {
    wrong(
        "[profile.default]\nretrys = 3\n",
        expect![[r#"
        error: unknown key `retrys` in `profile.default`
         --> isotest.toml:2:1
          |
        2 | retrys = 3
          | ^^^^^^
          = did you mean `retries`?
    "#]],
    );
}

#[test]
fn a_value_of_the_wrong_kind() {
    wrong(
        "[profile.default]\nretries = 'many'\nslow-timeout = 3\n",
        expect![[r#"
        error: `profile.default.retries` is a number, or { backoff, count, delay, .. }
         --> isotest.toml:2:11
          |
        2 | retries = 'many'
          |           ^^^^^^ this is a string

        `profile.default.slow-timeout` is a duration, as in "1m 30s", or { period, terminate-after, .. }
         --> isotest.toml:3:16
          |
        3 | slow-timeout = 3
          |                ^ this is a number
    "#]],
    );
}

#[test]
fn no_toml() {
    wrong(
        "[profile.default\n",
        expect![[r#"
        error: this is not TOML: unclosed table, expected `]`
         --> isotest.toml:1:17
          |
        1 | [profile.default
          |                 ^
    "#]],
    );
}

#[test]
fn an_expression_that_is_none() {
    wrong(
        "[[profile.default.overrides]]\nfilter = 'tset(a)'\nretries = 1\n",
        expect![[r#"
            error: invalid filterset: expected expression
             --> isotest.toml:2:11
              |
            2 | filter = 'tset(a)'
              |           ^^^^^^^ missing expression
              = did you mean `test`?
        "#]],
    );
}

#[test]
fn a_package_that_is_not_there() {
    wrong(
        "[[profile.default.overrides]]\nfilter = 'package(nobody)'\nretries = 1\n",
        expect![[r#"
        error: invalid filterset: operator didn't match any packages
         --> isotest.toml:2:19
          |
        2 | filter = 'package(nobody)'
          |                   ^^^^^^ no packages matched this
    "#]],
    );
}

#[test]
fn a_group_that_is_not_there() {
    wrong(
        "[[profile.default.overrides]]\nfilter = 'all()'\ntest-group = 'seral'\n[test-groups.serial]\nmax-threads = 1\n",
        expect![[r#"
            error: there is no test group `seral`
             --> isotest.toml:3:14
              |
            3 | test-group = 'seral'
              |              ^^^^^^^
              = did you mean `serial`?
              = a test group is written as [test-groups.seral], with max-threads
        "#]],
    );
}

#[test]
fn a_profile_that_is_not_there() {
    let suite = Suite::configured("[profile.night]\nretries = 1\n");
    let ended = suite.run(&["-p", "behaviour", "--profile", "nigth"]).with(96);
    expect![[r#"
        error: no profile is called `nigth` in isotest.toml: did you mean `night`?
    "#]]
    .assert_eq(&named_shortly(&suite, &ended));
}

#[test]
fn a_file_that_is_not_there() {
    let ended = Suite::new().run(&["-p", "behaviour", "--config-file", "nowhere.toml"]).with(96);
    expect![[r#"
        error: cannot read the configuration nowhere.toml: No such file or directory (os error 2)
    "#]]
    .assert_eq(&ended.err);
}

#[test]
fn a_spec_that_contradicts_itself() {
    wrong(
        "[profile.default.spec]\nmount = 'host'\n",
        expect![[r#"
        error: in `profile.default.spec`, mount = "host" contradicts pid = "isolated": with the host's mounts, /proc would show the host's processes under the test's numbers; add pid = "host"
         --> isotest.toml:1:18
          |
        1 | [profile.default.spec]
          |                  ^^^^
    "#]],
    );
}

#[test]
fn an_expression_that_was_typed() {
    let ended = Suite::new().run(&["-p", "behaviour", "-E", "test(a) and tset(b)"]).with(94);
    expect![[r#"
        error: invalid filterset: expected expression
         --> --filterset:1:12
          |
        1 | test(a) and tset(b)
          |            ^^^^^^^^ missing expression
          = did you mean `test`?
    "#]]
    .assert_eq(&ended.err);
}

/// Also where one can be seen at once, and the other only when the workspace is known.
#[test]
fn several_expressions_that_were_typed() {
    let typed = ["-p", "behaviour", "-E", "tset(a)", "-E", "all()", "-E", "package(nobody)", "-E", "kind(lib) &"];
    let ended = Suite::new().run(&typed).with(94);
    expect![[r#"
        error: invalid filterset: expected expression
         --> --filterset:1:1
          |
        1 | tset(a)
          | ^^^^^^^ missing expression
          = did you mean `test`?

        invalid filterset: operator didn't match any packages
         --> --filterset:1:9
          |
        1 | package(nobody)
          |         ^^^^^^ no packages matched this

        invalid filterset: expected expression
         --> --filterset:1:12
          |
        1 | kind(lib) &
          |            ^ missing expression
    "#]]
    .assert_eq(&ended.err);
}

#[test]
fn what_does_not_build_is_cargo_s_to_tell_unless_it_is_to_be_quiet() {
    let place = tempfile::tempdir().expect("a directory can be made");
    fs::create_dir(place.path().join("src")).expect("a directory can be made");
    let manifest = "[package]\nname = 'broken'\nedition = '2024'\n[workspace]\n";
    fs::write(place.path().join("Cargo.toml"), manifest).expect("the place is writable");
    fs::write(place.path().join("src/lib.rs"), "fn broken() { no_such_thing }\n").expect("the place is writable");
    let run = |quiet: &[&str]| {
        let mut command = clean(Command::new(cargo_isotest()));
        Ended::of(command.args(["isotest", "run", "--offline"]).args(quiet).current_dir(place.path())).with(101)
    };
    for once in [run(&[]), run(&["--cargo-quiet"])] {
        once.says(&["error[E0425]"]);
        once.says(&["error: the tests could not be built, see cargo's messages above"]);
    }
    let silent = run(&["--cargo-quiet", "--cargo-quiet"]);
    assert_eq!(silent.err, "error: the tests could not be built, one --cargo-quiet less tells why\n");
}

#[test]
fn what_cargo_says_of_a_workspace_that_can_t_be_read_is_said_once() {
    let why = "manifest path `nowhere/Cargo.toml` does not exist";
    let told = |command: &[&str]| {
        let mut isotest = clean(Command::new(cargo_isotest()));
        Ended::of(isotest.arg("isotest").args(command).args(["--manifest-path", "nowhere/Cargo.toml"])).with(102).err
    };
    let by_cargo = format!("error: {why}\nerror: the workspace could not be read, see cargo's messages above\n");
    assert_eq!(told(&["run"]), by_cargo);
    assert_eq!(told(&["list"]), by_cargo);
    let by_us = format!("error: reading the workspace: {why}\n");
    assert_eq!(told(&["run", "--cargo-quiet", "--cargo-quiet"]), by_us);
    assert_eq!(told(&["show-config"]), by_us);
}
