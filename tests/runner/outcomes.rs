//! The table against what is listed, run and shown.

use serde_json::Value;

use isotest_tests::Ended;

use crate::suite::Suite;
use crate::table::{BINARIES, CONFIGURATION, Expected, Level, OUTCOMES, Verdict};

const RUN: [&str; 3] = ["-p", "outcomes", "--no-fail-fast"];

/// Each test of both binaries.
fn all() -> impl Iterator<Item = (&'static str, &'static Expected)> {
    BINARIES.into_iter().flat_map(|binary| OUTCOMES.iter().map(move |expected| (binary, expected)))
}

/// How many tests of both binaries come to this.
fn count(matches: impl Fn(&Expected) -> bool) -> usize {
    BINARIES.len() * OUTCOMES.iter().filter(|expected| matches(expected)).count()
}

fn run(arguments: &[&str]) -> Ended {
    Suite::configured(CONFIGURATION).run(&[&RUN[..], arguments].concat()).with(100)
}

/// The line of a test that ended, which says how long it took. Where its name is the beginning of another's, the line must end.
fn ended(report: &str, word: &str, binary: &str, name: &str) -> usize {
    let fits = |line: &&str| {
        line.trim_start().starts_with(&format!("{word} [")) && line.ends_with(&format!(" {binary} {name}"))
    };
    report.lines().filter(fits).count()
}

#[test]
fn every_outcome_has_its_word_and_its_reason() {
    let ended_so = run(&["--status-level", "all", "--final-status-level", "none"]);
    for (binary, expected) in all() {
        let lines = ended(&ended_so.err, expected.word, binary, expected.name);
        assert_eq!(lines, 1, "{binary} {}: {} is not said once in\n{}", expected.name, expected.word, ended_so.err);
        let about = about(&ended_so.err, binary, expected.name);
        assert!(about.contains(expected.says), "{binary} {} does not say {:?}:\n{about}", expected.name, expected.says);
    }
    let [passed, failed, ignored] = [Verdict::Passed, Verdict::Failed, Verdict::Ignored]
        .map(|verdict| count(|expected| expected.verdict == verdict));
    let numbers = format!(
        "{} tests run: {passed} passed (2 slow, 2 flaky, 4 leaky, 2 tried to leave), {failed} failed",
        passed + failed
    );
    ended_so.says(&["Summary", &numbers, &format!("{ignored} skipped")]);
}

/// All lines that name the test, with what stands below them.
fn about(report: &str, binary: &str, name: &str) -> String {
    let mut of_it = false;
    let kept = report.lines().filter(|line| {
        if BINARIES.iter().any(|binary| line.contains(&format!(" {binary} "))) {
            of_it = line.ends_with(&format!(" {binary} {name}"));
        }
        of_it
    });
    kept.map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_level_shows_its_own_results_and_those_before_it() {
    use Level::{Fail, Flaky, Leak, Pass, Skip, Slow};
    let levels = ["none", "fail", "retry", "slow", "leak", "pass", "skip", "all"];
    let order = |level: Level| [Fail, Flaky, Slow, Leak, Pass, Skip].iter().position(|other| *other == level);
    for (at, level) in levels.into_iter().enumerate() {
        let report = run(&["--status-level", level, "--final-status-level", "none"]);
        for (binary, expected) in all() {
            let shown = order(expected.levels.0).is_some_and(|own| own < at);
            let lines = ended(&report.err, expected.word, binary, expected.name);
            assert_eq!(lines, usize::from(shown), "{level}: {binary} {}:\n{}", expected.name, report.err);
        }
        let retry = ended(&report.err, "TRY 1 FAIL", "outcomes::plain", "is_flaky");
        assert_eq!(retry, usize::from(at >= 2), "{level}: {}", report.err);
        assert_eq!(report.lines(&["SLOW [", "outcomes::plain is_slow"]) > 0, at >= 3, "{level}: {}", report.err);
    }
}

#[test]
fn a_final_level_repeats_its_own_results_and_those_before_it() {
    use Level::{Fail, Flaky, Leak, Pass, Skip, Slow};
    let levels = ["none", "fail", "flaky", "slow", "skip", "leak", "pass", "all"];
    let order = |level: Level| [Fail, Flaky, Slow, Skip, Leak, Pass].iter().position(|other| *other == level);
    for (at, level) in levels.into_iter().enumerate() {
        let report = run(&["--status-level", "none", "--final-status-level", level]);
        let (_, ending) = report.err.split_once("Summary").expect("there is a summary");
        for (binary, expected) in all() {
            let shown = order(expected.levels.1).is_some_and(|own| own < at);
            let lines = ended(ending, expected.final_word, binary, expected.name);
            assert_eq!(lines, usize::from(shown), "{level}: {binary} {}:\n{}", expected.name, report.err);
        }
    }
}

#[test]
fn output_is_shown_when_it_is_wanted() {
    let (failure, success) = ("words to stderr", "words of a passing test");
    for (when, at_once, at_the_end) in
        [("immediate", 1, 0), ("final", 0, 1), ("immediate-final", 1, 1), ("never", 0, 0)]
    {
        let one = ["-p", "outcomes", "--no-fail-fast", "--test", "plain", "--exact", "passes", "fails"];
        for (option, words) in [("--failure-output", failure), ("--success-output", success)] {
            let other = if option == "--failure-output" { "--success-output" } else { "--failure-output" };
            let run = Suite::new().run(&[&one[..], &[option, when, other, "never"]].concat()).with(100);
            // What has run is said in the summary, which output at the end may precede.
            let (first, rest) = run.err.split_once("PASS [").expect("one passes");
            let at = |text: &str| text.matches(words).count();
            let shown = at(first) + at(rest);
            assert_eq!(shown, at_once + at_the_end, "{option} {when}:\n{}", run.err);
        }
    }
}

#[test]
fn output_has_a_margin_unless_it_is_wanted_as_it_is() {
    let one = ["-p", "outcomes", "--test", "plain", "--exact", "fails"];
    for (arguments, variable, margin) in [
        (&[][..], None, "    "),
        (&["--no-output-indent"][..], None, ""),
        (&[][..], Some("true"), ""),
        (&["--failure-output", "final", "--no-output-indent"][..], None, ""),
    ] {
        let suite = Suite::new();
        let mut command = suite.command(&[&["run"], &one[..], arguments].concat());
        command.envs(variable.map(|value| ("ISOTEST_NO_OUTPUT_INDENT", value)));
        let ended = Ended::of(&mut command).with(100);
        let shown = ended.err.lines().filter(|line| *line == format!("{margin}words to stderr")).count();
        assert_eq!(shown, 1, "{arguments:?} {variable:?}: {}", ended.err);
    }
}

#[test]
fn every_test_is_listed_for_people_and_for_programs() {
    let suite = Suite::configured(CONFIGURATION);
    let list = |arguments: &[&str]| suite.list(&[&["-p", "outcomes"], arguments].concat()).with(0).out;
    let lines = list(&["-T", "oneline", "--run-ignored", "all"]);
    let tree = list(&["-T", "human", "--run-ignored", "all"]);
    let document: Value = serde_json::from_str(&list(&["-T", "json"])).expect("a document");
    let pretty: Value = serde_json::from_str(&list(&["-T", "json-pretty"])).expect("a document");
    assert_eq!(document, pretty);
    assert_eq!(document["test-count"], OUTCOMES.len() * BINARIES.len());
    for (binary, expected) in all() {
        let name = expected.name;
        assert!(lines.lines().any(|line| line == format!("{binary} {name}")), "{lines}");
        let (_, below) = tree.split_once(&format!("{binary}:\n")).expect("each binary has a heading");
        assert!(below.lines().any(|line| line == format!("    {name}")), "{tree}");
        let case = &document["rust-suites"][binary]["testcases"][name];
        let ignored = expected.verdict == Verdict::Ignored;
        assert_eq!(case["ignored"], ignored, "{case}");
        assert_eq!(case["filter-match"]["status"], if ignored { "mismatch" } else { "matches" }, "{case}");
        assert_eq!(case["isolated"], binary == "outcomes::isolated", "{case}");
    }
}

#[test]
fn the_junit_report_has_every_test_that_ran_and_what_became_of_it() {
    let suite = Suite::configured(CONFIGURATION);
    let path = suite.place().join("junit.xml");
    suite.run(&[&RUN[..], &["--junit", &path.display().to_string()]].concat()).with(100);
    let text = std::fs::read_to_string(path).expect("there is a report");
    let document = roxmltree::Document::parse(&text).expect("it is XML");
    for (binary, expected) in all() {
        let is_it = |node: &roxmltree::Node<'_, '_>| {
            let (class, name) = (node.attribute("classname"), node.attribute("name"));
            node.has_tag_name("testcase") && (class, name) == (Some(binary), Some(expected.name))
        };
        let case = document.descendants().find(is_it);
        assert_eq!(case.is_some(), expected.verdict != Verdict::Ignored, "{binary} {}:\n{text}", expected.name);
        let Some(case) = case else { continue };
        let child = |name: &str| case.children().any(|child| child.has_tag_name(name));
        let failed = child("failure") || child("error");
        assert_eq!(failed, expected.verdict == Verdict::Failed, "{binary} {}:\n{text}", expected.name);
        let flaky = expected.final_word.starts_with("FLAKY");
        assert_eq!(child("flakyFailure"), flaky, "{binary} {}:\n{text}", expected.name);
    }
}

#[test]
fn the_events_for_programs_say_of_every_test_what_became_of_it() {
    let report = run(&["--message-format", "json"]);
    let events: Vec<Value> = report.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (binary, expected) in all() {
        let is_it = |event: &&Value| event["binary-id"] == binary && event["name"] == expected.name;
        let last = events.iter().rfind(is_it).unwrap_or_else(|| panic!("no {binary} {}", expected.name));
        let flaky = expected.final_word.starts_with("FLAKY");
        let verdict = match expected.verdict {
            Verdict::Passed if flaky => "flaky",
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::Ignored => {
                assert_eq!((&last["event"], &last["reason"]), (&"skipped".into(), &"ignored".into()), "{last}");
                continue;
            }
        };
        assert_eq!((&last["event"], &last["verdict"]), (&"ended".into(), &verdict.into()), "{last}");
        let kind = match expected.word {
            "EXIT" => "exited-early",
            "TIMEOUT" => "timed-out",
            "LEAK-FAIL" => "leaked",
            "EGRESS-FAIL" => "tried-to-leave",
            signal if signal.starts_with("SIG") => "signalled",
            _ if expected.name == "stops_itself" => "stopped-itself",
            "FAIL" => "failed",
            _ => "passed",
        };
        assert_eq!(last["outcome"]["kind"], kind, "{last}");
        let slow = expected.final_word == "SLOW" || expected.name == "is_too_slow";
        assert_eq!(last["slow"], slow, "{last}");
        let noted = matches!(expected.word, "LEAK" | "EGRESS" | "LEAK-FAIL" | "EGRESS-FAIL");
        assert_eq!(last["notes"].is_array(), noted, "{last}");
    }
}

#[test]
fn the_events_in_libtest_s_form_say_of_every_test_what_became_of_it() {
    let report = run(&["--message-format", "libtest-json"]);
    let events: Vec<Value> = report.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    for (binary, expected) in all() {
        let name = format!("{binary}${}", expected.name);
        let is_it = |event: &&Value| {
            let own = event["name"].as_str().unwrap_or_default();
            own.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with('#'))
        };
        let last = events.iter().rfind(is_it).unwrap_or_else(|| panic!("no {name}"));
        let event = match expected.verdict {
            Verdict::Passed => "ok",
            Verdict::Failed => "failed",
            Verdict::Ignored => "ignored",
        };
        assert_eq!(last["event"], event, "{last}");
        assert_eq!(last["reason"] == "time limit exceeded", expected.word == "TIMEOUT", "{last}");
    }
    let suites = events.iter().filter(|event| event["type"] == "suite" && event["event"] == "failed");
    let failed: u64 = suites.filter_map(|suite| suite["failed"].as_u64()).sum();
    assert_eq!(failed as usize, count(|expected| expected.verdict == Verdict::Failed));
}
