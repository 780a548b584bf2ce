//! A JUnit report, read as CI servers read it.

use std::fs;
use std::process::Command;

use isotest_tests::text;
use roxmltree::{Document, Node};

use crate::ran::{REPORTED, Ran};

/// The report of a run that ends with this exit code.
fn report(ran: &Ran, arguments: &[&str], code: i32) -> String {
    let path = ran.path("deep/down/junit.xml");
    let output = ran.command(arguments).arg("--junit").arg(&path).output().expect("cargo isotest starts");
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{error}: {}", text(&output)))
}

fn case<'a>(document: &'a Document<'_>, name: &str) -> Node<'a, 'a> {
    let found =
        document.descendants().find(|node| node.has_tag_name("testcase") && node.attribute("name") == Some(name));
    found.unwrap_or_else(|| panic!("no {name} in {}", document.input_text()))
}

fn children<'a>(node: Node<'a, 'a>, tag: &str) -> Vec<Node<'a, 'a>> {
    node.children().filter(|child| child.has_tag_name(tag)).collect()
}

fn child<'a>(node: Node<'a, 'a>, tag: &str) -> Node<'a, 'a> {
    let [child] = children(node, tag)[..] else { panic!("not one {tag} in {:?}", node.attribute("name")) };
    child
}

fn words<'a>(node: Node<'a, '_>) -> &'a str {
    node.text().unwrap_or_default()
}

#[test]
fn every_test_is_told_once_and_counted_as_what_it_is() {
    let text = report(&Ran::new(), &["--retries", "1"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    let suite = child(document.root_element(), "testsuite");
    assert_eq!(suite.attribute("name"), Some("reported::reported"));
    let cases = children(suite, "testcase");
    let mut names: Vec<_> = cases.iter().filter_map(|case| case.attribute("name")).collect();
    names.sort_unstable();
    let expected = [
        "fails_at_a_place",
        "is_flaky",
        "leaves_a_process_behind",
        "passes",
        "plain_fails",
        "returns_err",
        "takes_too_long",
        "writes_what_xml_has_no_characters_for",
    ];
    assert_eq!(names, expected);
    for node in [document.root_element(), suite] {
        let counts = ["tests", "failures", "errors", "skipped"].map(|name| node.attribute(name).unwrap_or("none"));
        assert_eq!(counts, ["8", "5", "0", "0"], "{text}");
    }
    let failed = cases.iter().filter(|case| !children(**case, "failure").is_empty());
    assert_eq!(failed.count(), 5);
    assert!(cases.iter().all(|case| case.attribute("classname") == Some("reported::reported")));
    for case in cases {
        assert!(case.attribute("time").is_some_and(|time| time.parse::<f64>().is_ok()), "{text}");
        assert!(case.attribute("timestamp").is_some_and(|time| time.ends_with("+00:00")), "{text}");
    }
}

#[test]
fn a_failure_has_a_type_a_message_the_panic_and_the_output() {
    let text = report(&Ran::new(), &["--retries", "1"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    let case_ = case(&document, "fails_at_a_place");
    let failure = child(case_, "failure");
    let message = failure.attribute("message").expect("a message");
    assert!(message.starts_with("thread 'fails_at_a_place'"), "{message}");
    assert!(message.ends_with("panicked at tests/reported.rs:15:5"), "{message}");
    assert_eq!(failure.attribute("type"), Some("test failure with exit code 101"));
    assert!(words(failure).contains(":\nassertion `left == right` failed: a, b: 100%\nand more\n  left: 2"), "{text}");
    assert_eq!(words(child(case_, "system-out")), "words to stdout\n");
    assert!(words(child(case_, "system-err")).contains("and more"), "{text}");
    let rerun = child(case_, "rerunFailure");
    assert!(words(rerun).contains("and more") && rerun.attribute("type") == failure.attribute("type"), "{text}");
    assert_eq!(words(child(rerun, "system-out")), "words to stdout\n");

    let message = |name| child(case(&document, name), "failure").attribute("message").unwrap_or_default();
    assert_eq!(message("returns_err"), "Error: \"as promised\"");
    assert_eq!(message("takes_too_long"), "the test timed out, and was killed with all that it had started");
    assert_eq!(child(case(&document, "takes_too_long"), "failure").attribute("type"), Some("test timeout"));
}

#[test]
fn a_flaky_test_is_a_success_that_tells_its_failures() {
    let text = report(&Ran::new(), &["--retries", "1"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    let flaky = case(&document, "is_flaky");
    assert!(children(flaky, "failure").is_empty(), "{text}");
    let before = child(flaky, "flakyFailure");
    assert!(words(before).contains("run 1 fails"), "{text}");
    assert_eq!(words(child(before, "system-out")), "this is run 1\n");
    assert!(children(flaky, "system-out").is_empty(), "a passing test's output is not asked for: {text}");
}

#[test]
fn what_xml_has_no_characters_for_is_spelt_out() {
    let text = report(&Ran::new(), &["writes_what_xml"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    let case = case(&document, "writes_what_xml_has_no_characters_for");
    let out = words(child(case, "system-out"));
    assert_eq!(out, "<a href=\"b\">&amp; ]]> \\xff\\xfe\\x00\\x07red\r\n");
    assert!(words(child(case, "failure")).contains("<\\x01\\u{ffff}>"), "{text}");
}

#[test]
fn properties_tell_what_kept_a_test_apart_and_what_it_left() {
    let text = report(&Ran::new(), &["passes", "leaves_a_process"], 0);
    let document = Document::parse(&text).expect("well-formed XML");
    let property = |name, key: &str| {
        let all = children(child(case(&document, name), "properties"), "property");
        all.into_iter()
            .find(|property| property.attribute("name") == Some(key))
            .and_then(|node| node.attribute("value"))
    };
    let apart = property("passes", "isotest.isolation").expect("it is told");
    assert!(apart.ends_with("pid mnt net uts ipc"), "{apart}");
    assert!(property("passes", "isotest.peak-memory").is_some_and(|bytes| bytes.parse::<u64>().is_ok()));
    assert_eq!(property("passes", "isotest.left-over-processes"), None);
    assert_eq!(property("leaves_a_process_behind", "isotest.left-over-processes"), Some("1"));
}

#[test]
fn a_run_that_stops_early_reports_what_ran() {
    let path = Ran::new();
    let text = report(&path, &["--test-threads", "1", "--max-fail", "1"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("failure")).count(), 1, "{text}");
    let told = document.descendants().filter(|node| node.has_tag_name("testcase")).count();
    assert_eq!(document.root_element().attribute("tests"), Some(told.to_string().as_str()));
    assert!(told < 8, "what did not run is not in it: {text}");
}

#[test]
fn what_ran_when_everything_was_stopped_is_a_failure() {
    let text = report(&Ran::new(), &["takes_too_long", "--global-timeout", "10ms"], 100);
    let document = Document::parse(&text).expect("well-formed XML");
    let case = case(&document, "takes_too_long");
    assert_eq!(child(case, "failure").attribute("type"), Some("test stopped"), "{text}");
    assert!(case.attribute("time").and_then(|time| time.parse::<f64>().ok()).is_some_and(|time| time > 0.0), "{text}");
}

#[test]
fn copies_under_stress_are_suites_of_their_own() {
    let text = report(&Ran::new(), &["passes", "--stress-count", "3"], 0);
    let document = Document::parse(&text).expect("well-formed XML");
    let suites = children(document.root_element(), "testsuite");
    let names: Vec<_> = suites.iter().filter_map(|suite| suite.attribute("name")).collect();
    assert_eq!(names, [0, 1, 2].map(|round| format!("reported::reported@stress-{round}")));
}

#[test]
fn a_report_that_can_t_be_written_is_a_failure_that_says_so() {
    let mut command = REPORTED.cargo_isotest(&["run", "passes", "--junit", "/proc/no/junit.xml"]);
    let output = command.output().expect("cargo isotest starts");
    assert_eq!(output.status.code(), Some(110), "{}", text(&output));
    assert!(text(&output).contains("error: cannot write the JUnit report /proc/no/junit.xml: "), "{}", text(&output));
}

#[test]
#[ignore = "needs Python and PyPI; .ci/run runs it"]
fn a_usual_reader_accepts_it() {
    let ran = Ran::new();
    report(&ran, &["--retries", "1"], 100);
    let python = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().expect("Python starts");
        assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let (place, own) = (ran.path("python"), ran.path("python/bin/python"));
    let own = own.to_str().expect("a path of text");
    python("python3", &["-m", "venv", place.to_str().expect("a path of text")]);
    python(own, &["-m", "pip", "install", "--quiet", "junitparser"]);
    let read = "import sys, junitparser.xunit2 as junit\n\
                for suite in junit.JUnitXml.fromfile(sys.argv[1]):\n\
                \x20   for case in suite:\n\
                \x20       before = len(case.flaky_failures()) + len(case.rerun_failures())\n\
                \x20       print(case.name, case.is_passed, case.is_failure, before)\n\
                \x20   print(suite.tests, suite.failures, suite.errors, suite.skipped)";
    let path = ran.path("deep/down/junit.xml");
    let read = python(own, &["-c", read, path.to_str().expect("a path of text")]);
    assert!(read.contains("is_flaky True False 1"), "{read}");
    assert!(read.contains("plain_fails False True 1"), "{read}");
    assert!(read.ends_with("8 5 0 0\n"), "{read}");
}

#[test]
fn the_configuration_says_where_it_goes_and_what_is_in_it() {
    let ran = Ran::new();
    let configuration = "[profile.ci]\nretries = 1\nflaky-result = 'fail'\n[profile.ci.junit]\npath = 'of/junit.xml'\n\
                         report-name = 'ours'\nstore-success-output = true\nstore-failure-output = false\n\
                         report-skipped = 'ignored'\n";
    fs::write(ran.path("isotest.toml"), configuration).expect("the directory can be written");
    let (configuration, target) = (ran.path("isotest.toml"), ran.path("target"));
    let mut command = ran.command(&["-P", "ci", "passes", "is_flaky", "is_ignored", "--config-file"]);
    let output = command.arg(configuration).arg("--target-dir").arg(&target).output().expect("cargo isotest starts");
    let text = fs::read_to_string(target.join("isotest/ci/of/junit.xml"))
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output)));
    let document = Document::parse(&text).expect("well-formed XML");
    assert_eq!(document.root_element().attribute("name"), Some("ours"));
    assert_eq!(words(child(case(&document, "passes"), "system-out")), "words of a passing test\n");
    assert_eq!(child(case(&document, "is_ignored"), "skipped").attribute("message"), Some("ignored"));
    let flaky = case(&document, "is_flaky");
    assert_eq!(child(flaky, "failure").attribute("type"), Some("flaky failure"), "{text}");
    assert!(children(child(flaky, "flakyFailure"), "system-out").is_empty(), "{text}");
}
