//! Machines that have the same timing file and the same tests share them out alike, without speaking to one another.

use std::fs;
use std::path::{Path, PathBuf};

use isotest::isotest;

use crate::elsewhere::{Ended, pack, place, runner};

/// What the shares `time:M/N` of the archive are with this timing file.
fn shares(file: &Path, timings: &Path, of: usize) -> Vec<Vec<String>> {
    let share = |shard| {
        let mut command = runner(&["list", "--partition", &format!("time:{shard}/{of}"), "--archive-file"]);
        let mut tests = Ended::of(command.arg(file).arg("--timing-file").arg(timings)).with(0).lines();
        tests.sort();
        tests
    };
    (1..=of).map(share).collect()
}

/// A timing file with these seconds.
fn timings(seconds: &[(&str, &str, f64)]) -> PathBuf {
    let mut tests = serde_json::Map::new();
    for (binary, test, seconds) in seconds {
        let of_it = tests.entry(*binary).or_insert_with(|| serde_json::json!({}));
        of_it[test] = serde_json::json!({ "seconds": seconds, "passed": true });
    }
    let file = place("timings.json");
    fs::write(&file, serde_json::json!({ "version": 1, "tests": tests }).to_string()).expect("/tmp is private");
    file
}

#[isotest]
fn the_file_decides_and_nothing_that_is_remembered_here() {
    let file = pack(&["--workspace"]);
    let slow = ("program::needs", "the_packages_program_runs");
    let quick = [("shared", "of_the_shared_library", 1.0), ("macros", "of_the_macros", 1.0), ("gone", "gone", 99.0)];
    let timings = timings(&[&[(slow.0, slow.1, 60.0)], &quick[..]].concat());
    let first = shares(&file, &timings, 3);
    let alone = vec![format!("{} {}", slow.0, slow.1)];
    assert!(first.contains(&alone), "what takes a minute is a share of its own: {first:?}");
    let mut all: Vec<_> = first.concat();
    all.sort();
    let mut listed = Ended::of(runner(&["list", "--archive-file"]).arg(&file)).with(0).lines();
    listed.sort();
    assert_eq!(all, listed);
    // A run here remembers how long they really took.
    Ended::of(runner(&["run", "--archive-file"]).arg(&file)).with(0);
    assert_eq!(shares(&file, &timings, 3), first);
}

#[isotest]
fn what_a_run_writes_the_next_shares_out_by() {
    let file = pack(&["--workspace"]);
    let (timings, again) = (place("new/timings.json"), place("again.json"));
    let mut command = runner(&["run", "--archive-file"]);
    Ended::of(command.arg(&file).arg("--write-timing-file").arg(&timings)).with(0);
    let first = shares(&file, &timings, 2);
    assert_eq!(first.concat().len(), 7);
    assert!(first.iter().all(|share| !share.is_empty()), "{first:?}");
    // A run of one share writes that share's tests, whatever was known before.
    let mut command = runner(&["run", "--partition", "time:1/2", "--archive-file"]);
    command.arg(&file).arg("--timing-file").arg(&timings).arg("--write-timing-file").arg(&again);
    Ended::of(&mut command).with(0).says(&format!("{} tests run: ", first[0].len()));
    let text = fs::read_to_string(&again).expect("a timing file");
    let lines: Vec<_> = text.lines().filter(|line| line.contains("\"seconds\":")).collect();
    assert_eq!(lines.len(), first[0].len(), "one test a line: {text}");
}

#[isotest]
fn a_file_that_can_t_be_read_stops_the_run() {
    let file = pack(&["-p", "shared"]);
    let refused = |timings: &Path, says: &str| {
        for command in ["run", "list"] {
            let mut command = runner(&[command, "--partition", "time:1/2", "--archive-file"]);
            let ended = Ended::of(command.arg(&file).arg("--timing-file").arg(timings)).with(96);
            ended.says(&format!("error: cannot read the timing file {}: {says}", timings.display()));
            ended.says("; `cargo isotest run --write-timing-file` writes one");
        }
    };
    refused(&place("nowhere.json"), "No such file or directory");
    for (text, says) in [("", "it is none: EOF"), ("{\"version\":7,\"tests\":{}}", "it has version 7, and this")] {
        fs::write(place("wrong.json"), text).expect("/tmp is private");
        refused(&place("wrong.json"), says);
    }
}

#[isotest]
fn a_file_that_can_t_be_written_is_a_failure() {
    let file = pack(&["-p", "shared"]);
    let mut command = runner(&["run", "--write-timing-file", "/proc/no/timings.json", "--archive-file"]);
    Ended::of(command.arg(&file)).with(110).says("error: cannot write the timing file /proc/no/timings.json: ");
}
