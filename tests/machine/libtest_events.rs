//! The events of a run as libtest writes them: what nextest writes of the same tests.

use std::collections::BTreeMap;
use std::process::Output;

use isotest_tests::text;
use serde_json::Value;

use crate::ran::{REPORTED, Ran};

fn documents(output: &Output) -> Vec<Value> {
    let lines = String::from_utf8(output.stdout.clone()).expect("JSON is UTF-8");
    let document = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    lines.lines().map(document).collect()
}

fn events(arguments: &[&str]) -> Vec<Value> {
    let output = Ran::new().command(arguments).output().expect("cargo isotest starts");
    assert!(matches!(output.status.code(), Some(0 | 100)), "{}", text(&output));
    documents(&output)
}

/// By name and event; what differs from run to run is taken out.
fn comparable(events: &[Value]) -> BTreeMap<(String, String), Value> {
    let tests = events.iter().filter(|event| event["type"] == "test");
    let comparable = tests.map(|event| {
        let mut event = event.clone();
        for changing in ["exec_time", "stdout", "message"] {
            if let Some(value) = event.get_mut(changing) {
                *value = Value::Bool(!value.is_null());
            }
        }
        ((event["name"].to_string(), event["event"].to_string()), event)
    });
    comparable.collect()
}

#[test]
fn a_suite_is_whole_and_every_test_in_it_starts_before_it_ends() {
    let events = events(&["--retries", "1", "--message-format", "libtest-json"]);
    let (first, last) = (&events[0], events.last().expect("there are events"));
    assert_eq!(first.to_string(), r#"{"event":"started","test_count":9,"type":"suite"}"#);
    let numbers = ["passed", "failed", "ignored", "measured", "filtered_out"].map(|name| last[name].as_u64());
    assert_eq!(numbers, [3, 5, 1, 0, 0].map(Some), "{last}");
    assert_eq!((&last["type"], &last["event"]), (&"suite".into(), &"failed".into()));
    let at = |event: &str, name: &str| {
        let name = format!("reported::reported${name}");
        let found = events.iter().position(|document| document["event"] == event && document["name"] == name);
        found.unwrap_or_else(|| panic!("no {event} of {name} in {events:#?}"))
    };
    assert!(at("started", "is_flaky") < at("ok", "is_flaky#2"));
    assert!(at("started", "is_ignored") < at("ignored", "is_ignored"));
    let failed = &events[at("failed", "fails_at_a_place#2")];
    assert!(
        failed["stdout"].as_str().is_some_and(|text| text.starts_with("words to stdout\n") && text.contains("left: 2"))
    );
    assert_eq!(events[at("failed", "takes_too_long#2")]["reason"], "time limit exceeded");
    assert!(events.iter().all(|event| event.get("nextest").is_none()));
}

#[test]
fn nextest_s_additions_name_the_binary() {
    let events = events(&["passes", "--message-format", "libtest-json-plus"]);
    let own = serde_json::json!({ "crate": "reported", "test_binary": "reported", "kind": "test" });
    assert_eq!((&events[0]["nextest"], &events[events.len() - 1]["nextest"]), (&own, &own));
    assert_eq!(events[events.len() - 1]["event"], "ok");
}

#[test]
fn tests_that_never_ran_leave_a_suite_that_ends_all_the_same() {
    let events = events(&["--test-threads", "1", "--max-fail", "1", "--message-format", "libtest-json"]);
    assert_eq!(events.last().expect("there are events")["event"], "failed");
    let failed = events.iter().filter(|event| event["type"] == "test" && event["event"] == "failed");
    assert_eq!(failed.count(), 1);
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn it_is_what_nextest_writes_of_the_same_tests() {
    let names = ["passes", "is_ignored", "fails_at_a_place", "plain_fails", "returns_err"];
    let ours = events(&[&names[..], &["--retries", "1", "--message-format", "libtest-json"]].concat());
    let mut nextest = REPORTED.cargo(&["nextest", "run", "--no-fail-fast", "--retries", "1"]);
    nextest.args(names).args(["--message-format", "libtest-json"]).env("NEXTEST_EXPERIMENTAL_LIBTEST_JSON", "1");
    let output = nextest.output().expect("cargo starts");
    let theirs = documents(&output);
    assert!(!theirs.is_empty(), "{}", text(&output));
    assert_eq!(comparable(&ours), comparable(&theirs));
}
