//! Test binaries with a `main` of their own: what keeps to libtest's conventions is listed and run test by test, anything else
//! as a whole.

use roxmltree::Document;
use serde_json::Value;

use crate::suite::Suite;

const HARNESSES: [&str; 3] = ["-p", "harnesses", "--no-fail-fast"];

#[test]
fn a_harness_that_lists_its_tests_has_each_of_them_run() {
    let suite = Suite::new();
    let ended = suite.run(&HARNESSES).with(100);
    for name in ["case number 1", "case number 2", "case number 3"] {
        ended.says(&["PASS [", "harnesses::mimic", name]);
    }
    ended.says(&["FAIL [", "harnesses::mimic fails"]);
    ended.says(&["as promised"]);
    ended.says(&["FAIL [", "harnesses::mimic panics"]);
    ended.says(&["in its own words"]);
    ended.says(&["PASS [", "harnesses::linked_mimic with blanks in its name"]);
    ended.says(&["FAIL [", "harnesses::linked_mimic fails"]);
    ended.says(&["PASS [", "harnesses::conventional data/one.txt"]);
    ended.says(&["FAIL [", "harnesses::conventional data/two words.txt"]);
    ended.says(&["two words are too many"]);
    ended.says(&["re-run: cargo isotest run -p harnesses --test conventional --exact 'data/two words.txt'"]);
    ended.says(&["PASS [", "harnesses::like_criterion sorts/10"]);
    ended.says(&["Summary", "14 tests run: 9 passed, 5 failed", "3 skipped"]);
    // What a harness says to arguments that it does not know is nobody's business.
    ended.does_not_say(&["unknown arguments"]);
}

#[test]
fn what_such_a_harness_ignores_is_ignored() {
    let suite = Suite::new();
    let listed = suite.list(&["-p", "harnesses", "--run-ignored", "only"]).with(0);
    let expected = [
        "harnesses::conventional data/ignored.txt",
        "harnesses::linked_mimic is_ignored",
        "harnesses::mimic is_ignored",
    ];
    assert_eq!(listed.tests(), expected);
    suite.run(&["-p", "harnesses", "--run-ignored", "only", "data"]).with(0).says(&["1 passed"]);
}

#[test]
fn a_main_that_hears_no_arguments_is_one_test_and_never_runs_outside_of_a_sandbox() {
    let suite = Suite::new();
    let ended = suite.run(&[&HARNESSES[..], &["deaf"]].concat()).with(100);
    ended.says(&["PASS [", "harnesses::deaf deaf"]);
    ended.says(&["PASS [", "harnesses::deaf_and_dumb deaf_and_dumb"]);
    ended.says(&["FAIL [", "harnesses::deaf_and_failing deaf_and_failing"]);
    ended.says(&["it does not work"]);
    ended.says(&["re-run: cargo isotest run -p harnesses --test deaf_and_failing --exact deaf_and_failing"]);
    // Twice: when it was asked for its tests, and when it was run.
    assert_eq!(suite.noted("deaf runs"), ["isotest", "isotest"]);
}

#[test]
fn the_command_that_runs_a_failure_again_builds_and_configures_alike() {
    let suite = Suite::configured("[profile.own]\nretries = 0\n");
    let typed = ["-p", "harnesses", "-P", "own", "--config", "term.verbose=false", "-E", "test(=deaf_and_failing)"];
    suite.run(&typed).with(100).says(&[
        "re-run: cargo isotest run -p harnesses --test deaf_and_failing --config 'term.verbose=false'",
        "--config-file ",
        "isotest.toml --profile own --exact deaf_and_failing",
    ]);
}

/// The fixture's binaries that are run as a whole, and whether they pass.
const WHOLE: [(&str, bool); 3] = [("deaf", true), ("deaf_and_dumb", true), ("deaf_and_failing", false)];

fn id(name: &str) -> String {
    format!("harnesses::{name}")
}

/// The lines for programs of a run of these binaries.
fn events(suite: &Suite, options: &[&str]) -> Vec<Value> {
    let ended = suite.run(&[&HARNESSES[..], &["deaf"], options].concat()).with(100);
    ended.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn a_list_for_programs_has_a_main_that_hears_no_arguments_as_one_test() {
    let listed = Suite::new().list(&["-p", "harnesses", "-T", "json"]).with(0).out;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    for (name, _) in WHOLE {
        let cases = listed["rust-suites"][id(name)]["testcases"].as_object().expect("it is listed");
        assert_eq!(cases.keys().collect::<Vec<_>>(), [name]);
        assert_eq!(cases[name]["ignored"], false);
        assert_eq!(cases[name]["filter-match"]["status"], "matches");
    }
}

#[test]
fn events_tell_of_it_as_one_test() {
    let suite = Suite::new();
    let (ours, libtest) =
        (events(&suite, &["--message-format", "json"]), events(&suite, &["--message-format", "libtest-json"]));
    for (name, passes) in WHOLE {
        let ended: Vec<_> =
            ours.iter().filter(|told| told["event"] == "ended" && told["binary-id"] == id(name)).collect();
        let [ended] = ended[..] else { panic!("{name} does not end once: {ours:#?}") };
        assert_eq!(
            (&ended["name"], &ended["verdict"]),
            (&name.into(), &if passes { "passed" } else { "failed" }.into())
        );
        let told = libtest.iter().filter(|told| told["name"] == format!("{}${name}", id(name)));
        let told: Vec<_> = told.map(|told| &told["event"]).collect();
        assert_eq!(told, ["started", if passes { "ok" } else { "failed" }], "{name}");
    }
}

#[test]
fn a_junit_report_has_it_as_one_test() {
    let suite = Suite::new();
    let path = suite.place().join("junit.xml");
    events(&suite, &["--junit", path.to_str().expect("it is text")]);
    let text = std::fs::read_to_string(path).expect("there is a report");
    let report = Document::parse(&text).expect("XML");
    let cases = report.descendants().filter(|node| node.has_tag_name("testcase"));
    let told = cases.map(|case| {
        let failed = case.children().any(|node| node.has_tag_name("failure"));
        (case.attribute("classname").unwrap_or("none").to_owned(), case.attribute("name").unwrap_or("none"), !failed)
    });
    assert_eq!(told.collect::<Vec<_>>(), WHOLE.map(|(name, passes)| (id(name), name, passes)));
}

#[test]
fn a_binary_that_does_not_even_start_is_an_error_and_not_an_empty_list() {
    let suite = Suite::new();
    let mut command = suite.command(&["list", "-p", "harnesses"]);
    command.env("HARNESS_CRASHES", "1");
    let ended = isotest_tests::Ended::of(&mut command).with(104);
    ended.says(&["error: cannot list the tests of harnesses::deaf (", "it was killed by signal 6 when it was asked"]);
    ended.says(&["last words"]);
}

#[test]
fn a_harness_that_does_not_answer_is_named_with_a_remedy() {
    for feature in ["silent", "linked-silent"] {
        let suite = Suite::configured("[profile.default]\nlist-timeout = '700ms'\n");
        let ended = suite.list(&["-p", "harnesses", "--features", feature]).with(104);
        let name = format!("error: harnesses::{} (", feature.replace('-', "_"));
        ended.says(&[&name, "does not answer `--list --format terse` within 0.7s"]);
        ended.says(&["list-timeout in .config/isotest.toml"]);
    }
}
