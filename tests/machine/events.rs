//! The events of a run, one JSON document a line.

use serde_json::Value;

use crate::ran::Ran;
use isotest_tests::text;

/// The events of a run that ends with this exit code.
fn events(ran: &Ran, arguments: &[&str], code: i32) -> Vec<Value> {
    let output = ran.command(arguments).args(["--message-format", "json"]).output().expect("cargo isotest starts");
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    let lines = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

fn of<'e>(events: &'e [Value], event: &str, name: &str) -> Vec<&'e Value> {
    events.iter().filter(|document| document["event"] == event && document["name"] == name).collect()
}

fn only<'e>(events: &'e [Value], event: &str, name: &str) -> &'e Value {
    let [one] = of(events, event, name)[..] else { panic!("not one {event} of {name} in {events:#?}") };
    one
}

#[test]
fn a_run_begins_with_its_version_and_ends_with_its_numbers() {
    let events = events(&Ran::new(), &["--retries", "1"], 100);
    let (first, last) = (&events[0], events.last().expect("there are events"));
    assert_eq!((&first["type"], &first["event"], &first["version"]), (&"run".into(), &"started".into(), &"1".into()));
    assert_eq!((&first["tests"], &first["skipped"]), (&8.into(), &1.into()));
    let binaries = first["binaries"].as_array().expect("a list");
    assert!(binaries.iter().any(|binary| binary["binary-id"] == "reported::reported"), "{first}");
    assert_eq!((&last["type"], &last["event"], &last["well"]), (&"run".into(), &"ended".into(), &false.into()));
    let numbers = ["tests", "passed", "flaky", "leaky", "failed", "timed-out", "skipped", "not-run"];
    assert_eq!(numbers.map(|name| last[name].as_u64()), [8, 3, 1, 1, 5, 1, 1, 0].map(Some), "{last}");
    assert_eq!(only(&events, "skipped", "is_ignored")["reason"], "ignored");
}

#[test]
fn every_test_starts_and_ends_and_says_how() {
    let events = events(&Ran::new(), &["--retries", "1"], 100);
    for (name, verdict, kind, attempts) in [
        ("passes", "passed", "passed", 1),
        ("is_flaky", "flaky", "passed", 2),
        ("leaves_a_process_behind", "passed", "passed", 1),
        ("fails_at_a_place", "failed", "failed", 2),
        ("plain_fails", "failed", "failed", 2),
        ("returns_err", "failed", "failed", 2),
        ("takes_too_long", "failed", "timed-out", 2),
        ("writes_what_xml_has_no_characters_for", "failed", "failed", 2),
    ] {
        assert_eq!(of(&events, "started", name).len(), attempts, "{name}");
        assert_eq!(of(&events, "retrying", name).len(), attempts - 1, "{name}");
        let ended = only(&events, "ended", name);
        assert_eq!((&ended["verdict"], &ended["outcome"]["kind"]), (&verdict.into(), &kind.into()), "{ended}");
        assert_eq!(ended["attempt"], attempts, "{ended}");
        assert_eq!(ended["binary-id"], "reported::reported", "{ended}");
        assert!(ended["duration"].is_f64() && ended["started-at"].is_string(), "{ended}");
    }
}

#[test]
fn a_failure_says_why_where_and_what_was_written() {
    let events = events(&Ran::new(), &["fails_at_a_place", "writes_what_xml"], 100);
    let ended = only(&events, "ended", "fails_at_a_place");
    let cause = &ended["cause"];
    assert_eq!(cause["message"], "assertion `left == right` failed: a, b: 100%\nand more\n  left: 2\n right: 3");
    assert_eq!(
        (&cause["file"], &cause["line"], &cause["column"]),
        (&"tests/reported.rs".into(), &15.into(), &5.into())
    );
    assert_eq!(ended["stdout"]["text"], "words to stdout\n");
    assert_eq!((&ended["stdout"]["bytes"], &ended["stdout"]["cut"]), (&16.into(), &0.into()));
    assert!(ended["stderr"]["text"].as_str().is_some_and(|text| text.contains("and more")), "{ended}");
    let odd = &only(&events, "ended", "writes_what_xml_has_no_characters_for")["stdout"];
    assert_eq!(odd["utf-8"], false, "{odd}");
    assert!(odd["text"].as_str().is_some_and(|text| text.contains("\u{fffd}\u{fffd}\0\u{7}\u{1b}[31mred")), "{odd}");
}

#[test]
fn a_test_says_what_kept_it_apart_what_it_used_and_what_it_left() {
    let events = events(&Ran::new(), &["passes", "leaves_a_process"], 0);
    let passed = only(&events, "ended", "passes");
    let apart = passed["isolation"]["namespaces"].as_array().expect("a list");
    assert!(["pid", "mnt", "net", "uts", "ipc"].iter().all(|kind| apart.contains(&(*kind).into())), "{passed}");
    assert!(passed["usage"]["peak-memory"].as_u64().is_some_and(|bytes| bytes > 0), "{passed}");
    assert!(passed["usage"]["user-time"].is_f64() && passed["spec"].is_object(), "{passed}");
    assert_eq!((&passed["egress"], &passed["leaks"]["processes"]["count"]), (&0.into(), &0.into()));
    let left = &only(&events, "ended", "leaves_a_process_behind")["leaks"]["processes"];
    assert_eq!(
        (&left["count"], &left["first"][0]["argv"]),
        (&1.into(), &serde_json::json!(["sleep", "1000"])),
        "{left}"
    );
}

#[test]
fn a_run_that_is_stopped_says_why_and_what_was_running() {
    let events = events(&Ran::new(), &["takes_too_long", "--global-timeout", "10ms"], 100);
    assert!(events.iter().any(|event| event["event"] == "stopping" && event["why"] == "global-timeout"), "{events:#?}");
    let elapsed = only(&events, "stopped", "takes_too_long")["elapsed"].as_f64();
    assert!(elapsed.is_some_and(|seconds| seconds > 0.0), "{events:#?}");
    assert_eq!(events.last().expect("there are events")["stopped"], 1);
}

#[test]
fn copies_are_counted() {
    let events = events(&Ran::new(), &["passes", "--stress-count", "3"], 0);
    let mut copies: Vec<_> = of(&events, "ended", "passes").iter().filter_map(|event| event["copy"].as_u64()).collect();
    copies.sort_unstable();
    assert_eq!(copies, [0, 1, 2]);
}

/// What tests write live must not stand between the documents.
#[test]
fn without_capture_standard_output_is_still_the_program_s() {
    let events = events(&Ran::new(), &["passes", "--no-capture"], 0);
    assert_eq!(only(&events, "ended", "passes")["verdict"], "passed");
}

#[test]
fn another_version_is_refused() {
    let run = |arguments: &[&str]| {
        let output = Ran::new().command(&["passes"]).args(arguments).output().expect("cargo isotest starts");
        (output.status.code(), text(&output))
    };
    let (code, said) = run(&["--message-format", "json", "--message-format-version", "2"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--message-format-version 2: this program writes version 1"), "{said}");
    assert_eq!(run(&["--message-format", "json", "--message-format-version", "1"]).0, Some(0));
    assert_eq!(run(&["--message-format", "libtest-json", "--message-format-version", "0.1"]).0, Some(0));
    assert_eq!(run(&["--message-format-version", "1"]).0, Some(2));
}

/// A reader that goes away ends neither the tests nor the truth about them.
#[test]
fn a_reader_that_is_gone_is_a_failure_that_says_so() {
    let mut command = Ran::new().command(&["passes", "--message-format", "json"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.stdout(writer).output().expect("cargo isotest starts");
    assert_eq!(output.status.code(), Some(110), "{}", text(&output));
    assert!(text(&output).contains("error: cannot write the events to standard output: "), "{}", text(&output));
}
