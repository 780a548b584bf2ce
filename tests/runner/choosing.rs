//! Which tests run is what was asked for, in nextest's words.

use isotest_tests::Ended;

use crate::suite::Suite;

/// What a list names after these arguments.
#[track_caller]
fn chosen(arguments: &[&str], expected: &[&str]) {
    let suite = Suite::new();
    let listed = suite.list(&[&["--workspace"], arguments].concat()).with(0);
    let mut tests = listed.tests();
    tests.sort_unstable();
    assert_eq!(tests, expected, "{arguments:?}: {}", listed.err);
}

#[test]
fn an_expression_chooses_by_package_binary_kind_and_name() {
    chosen(&["--all-targets", "-E", "package(kinds) & kind(bin)"], &["kinds::bin/program of_the_program"]);
    chosen(
        &["-E", "binary(integration) | test(=of_the_library)"],
        &["kinds of_the_library", "kinds::integration of_the_integration"],
    );
    chosen(
        &["-E", "binary_id(behaviour::together) and not test(/^alone_[1-4]$/)"],
        &["behaviour::together meets_1", "behaviour::together meets_2", "behaviour::together meets_itself"],
    );
    chosen(&["-E", "platform(host)"], &["macros of_the_macro"]);
}

#[test]
fn an_expression_chooses_by_dependencies() {
    chosen(&["-E", "rdeps(shared) - package(kinds)"], &["shared of_the_shared_library"]);
    chosen(&["-E", "deps(=kinds) & kind(lib)"], &["kinds of_the_library", "shared of_the_shared_library"]);
}

#[test]
fn several_expressions_are_alternatives_and_names_narrow_them() {
    let both = ["-E", "package(macros)", "-E", "package(shared)"];
    chosen(&both, &["macros of_the_macro", "shared of_the_shared_library"]);
    chosen(&[&both[..], &["shared"]].concat(), &["shared of_the_shared_library"]);
}

#[test]
fn names_are_substrings_unless_they_are_exact() {
    chosen(&["meets_1", "alone_2"], &["behaviour::together alone_2", "behaviour::together meets_1"]);
    chosen(&["--exact", "meets"], &[]);
    chosen(&["meets", "--skip", "itself"], &["behaviour::together meets_1", "behaviour::together meets_2"]);
    chosen(&["--", "meets", "--skip", "itself"], &["behaviour::together meets_1", "behaviour::together meets_2"]);
}

#[test]
fn ignored_tests_are_left_out_taken_alone_or_taken_with_the_others() {
    let which = ["-E", "package(outcomes) & test(/^is_(ignored|slow)$/)", "--run-ignored"];
    let with = |choice: &'static str| [&which[..], &[choice]].concat();
    chosen(&with("default"), &["outcomes::isolated is_slow", "outcomes::plain is_slow"]);
    for only in ["only", "ignored-only"] {
        chosen(&with(only), &["outcomes::isolated is_ignored", "outcomes::plain is_ignored"]);
    }
    chosen(
        &with("all"),
        &[
            "outcomes::isolated is_ignored",
            "outcomes::isolated is_slow",
            "outcomes::plain is_ignored",
            "outcomes::plain is_slow",
        ],
    );
}

#[test]
fn only_isotests_can_be_taken() {
    chosen(&["--isolated-only", "passes"], &["outcomes::isolated passes"]);
}

#[test]
fn shards_together_are_everything_once() {
    let suite = Suite::new();
    let all = suite.list(&["--workspace"]).with(0);
    let mut all: Vec<_> = all.tests().into_iter().map(str::to_owned).collect();
    all.sort_unstable();
    for kind in ["hash", "slice", "count"] {
        let shard = |number: usize| {
            let listed = suite.list(&["--workspace", "--partition", &format!("{kind}:{number}/3")]).with(0);
            listed.tests().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let shards: Vec<_> = (1..=3).map(shard).collect();
        assert!(shards.iter().all(|shard| !shard.is_empty()), "{kind}: {shards:?}");
        let mut together = shards.concat();
        together.sort_unstable();
        assert_eq!(together, all, "{kind}");
    }
}

#[test]
fn a_default_filter_holds_unless_it_is_ignored() {
    let suite = Suite::configured("[profile.default]\ndefault-filter = 'package(macros)'\n");
    assert_eq!(suite.list(&["--workspace"]).with(0).tests(), ["macros of_the_macro"]);
    let all = ["--workspace", "--ignore-default-filter", "-E", "package(shared)"];
    assert_eq!(suite.list(&all).with(0).tests(), ["shared of_the_shared_library"]);
    let ended = suite.run(&["--workspace", "-E", "package(shared)"]).with(4);
    ended.says(&["no tests to run"]);
}

#[test]
fn a_group_is_what_the_configuration_puts_in_it() {
    let text = "[test-groups.g]\nmax-threads = 1\n\
                [[profile.default.overrides]]\nfilter = 'test(/^meets_[12]/)'\ntest-group = 'g'\n";
    let suite = Suite::configured(text);
    let listed = suite.list(&["-p", "behaviour", "-E", "group(g)"]).with(0);
    assert_eq!(listed.tests(), ["behaviour::together meets_1", "behaviour::together meets_2"]);
}

#[test]
fn nothing_to_run_is_what_was_said_of_it() {
    let suite = Suite::new();
    let none = ["-p", "macros", "no_such_test"];
    let with = |action: &'static str| suite.run(&[&none[..], &["--no-tests", action]].concat());
    let ended = suite.run(&none).with(4);
    ended.says(&["error: no tests to run"]);
    ended.says(&["note: no test has a name with `no_such_test` (`cargo isotest list` shows all there are)"]);
    let exact = suite.run(&["-p", "macros", "--exact", "one", "two"]).with(4);
    exact.says(&["note: no test is called `one` or `two`"]);
    let mistyped = Ended::of(&mut suite.command(&["lits", "-p", "outcomes"])).with(4);
    mistyped.says(&["`lits` was taken for a part of a test's name; the command is `cargo isotest list`"]);
    with("fail").with(4).says(&["error: no tests to run"]);
    with("warn").with(0).says(&["warning: no tests to run"]);
    with("pass").with(0).does_not_say(&["no tests to run"]);
}

#[test]
fn what_can_t_be_understood_has_an_exit_code_of_its_own() {
    let suite = Suite::new();
    suite.run(&["-E", "tset(a)"]).with(94).says(&["tset"]);
    suite.run(&["--no-such-flag"]).with(2).says(&["--no-such-flag"]);
    suite.run(&["--", "--no-such-argument"]).with(2).says(&["--no-such-argument"]);
    suite.run(&["--partition", "hash:4/3"]).with(2).says(&["hash:4/3"]);
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn shards_are_those_of_nextest() {
    let suite = Suite::new();
    for share in ["hash:1/3", "hash:3/3", "count:2/3", "slice:2/3"] {
        let own = suite.list(&["-p", "behaviour", "-p", "outcomes", "-p", "kinds", "--partition", share]).with(0);
        let mut own: Vec<_> = own.tests().into_iter().map(str::to_owned).collect();
        let of_fixture = suite.command(&[]);
        let mut nextest = std::process::Command::new(env!("CARGO"));
        nextest.args(["nextest", "list", "-p", "behaviour", "-p", "outcomes", "-p", "kinds", "-T", "oneline"]);
        nextest.args(["--partition", share]).current_dir(of_fixture.get_current_dir().expect("the fixture's"));
        nextest.env("CARGO_TARGET_DIR", suite.place()).env("NO_COLOR", "1");
        let output = nextest.output().expect("cargo starts");
        assert!(output.status.success(), "cargo-nextest must be installed: {}", isotest_tests::text(&output));
        let mut theirs: Vec<_> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        own.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(own, theirs, "{share}");
    }
}
