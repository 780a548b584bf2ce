//! Ten thousand lines on each output, written in turn: each arrives once, whole and in order, also where both outputs are
//! shown in one place.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};

use isotest_tests::text;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::bounded::bounded;
use crate::runner::{AFRESH, CARGO_ISOTEST, CARGO_TEST, ITS_HARNESS, NEXTEST, Way};

/// Who writes: the tests of the fixture, whose names end with how they end.
const WRITERS: [&str; 3] =
    ["alternates_between_its_outputs", "alternates_on_several_threads", "starts_a_program_that_alternates"];

#[test]
fn under_cargo_test() {
    every_line_arrives(CARGO_TEST);
}

#[test]
fn under_cargo_isotest() {
    every_line_arrives(CARGO_ISOTEST);
}

#[test]
fn under_cargo_isotest_where_the_harness_writes_as_well() {
    every_line_arrives(ITS_HARNESS);
}

#[test]
fn under_cargo_isotest_where_the_test_is_executed_afresh() {
    every_line_arrives(AFRESH);
}

#[test]
#[ignore = "needs cargo-nextest; .ci/run runs it"]
fn under_nextest() {
    every_line_arrives(NEXTEST);
}

fn every_line_arrives(way: Way) {
    for writer in WRITERS {
        let captured = text(&way.fails(&format!("{writer}_and_fails"), &[]));
        assert_all_lines(&captured, &format!("{way:?} {writer}, captured"));
        let test = format!("{writer}_and_passes");
        let separate = way.passes(&test, &["--no-capture"]);
        assert_all_lines(&text(&separate), &format!("{way:?} {writer}, shown as they come"));
        assert_all_lines(&String::from_utf8_lossy(&separate.stdout), &format!("{way:?} {writer}, standard output"));
        assert!(!String::from_utf8_lossy(&separate.stdout).contains("err "), "{way:?} {writer} mixes the outputs");
        let together = in_one_place(&way.command(&test, &["--no-capture"])).output().expect("a shell");
        assert_all_lines(&text(&together), &format!("{way:?} {writer}, shown together"));
    }
}

/// Node.js, for one, gives its children pipes that do not block.
#[test]
fn a_pipe_that_is_full_and_does_not_block_loses_nothing() {
    for way in [CARGO_TEST, CARGO_ISOTEST, ITS_HARNESS] {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("a pipe may be so");
        let mut command = way.command("alternates_between_its_outputs_and_passes", &["--no-capture"]);
        command.stdout(writer.try_clone().expect("another one")).stderr(Stdio::null());
        let mut running = command.spawn().expect("the runner starts");
        drop(command); // It holds the writing end.
        while has_room(&writer) {
            assert_eq!(running.try_wait().expect("it is our child"), None, "{way:?} writes too little, or gave up");
            std::thread::yield_now();
        }
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        assert!(running.wait().expect("it is our child").success(), "{way:?}");
        assert_all_lines(&text, &format!("{way:?} into a full pipe"));
    }
}

fn has_room(pipe: impl AsFd) -> bool {
    poll(&mut [PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)], PollTimeout::ZERO) != Ok(0)
}

/// The same command with its standard error where its standard output goes.
fn in_one_place(command: &Command) -> Command {
    let mut together = bounded("sh", command);
    together.args(["-c", "exec \"$0\" \"$@\" 2>&1"]).arg(command.get_program()).args(command.get_args());
    together.current_dir(command.get_current_dir().expect("it was set"));
    together
}

fn assert_all_lines(text: &str, what: &str) {
    assert!(text.contains("out 0 0"), "{what}: no line on standard output");
    let mut numbers: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [stream @ ("out" | "err"), thread, number] = words[..] {
            numbers.entry((stream, thread)).or_default().push(number);
        }
    }
    let streams = numbers.keys().map(|(stream, _)| stream).collect::<BTreeSet<_>>().len();
    let threads = numbers.len() / streams.max(1);
    for ((stream, thread), found) in &numbers {
        let expected: Vec<String> = (0..10_000 / threads).map(|number| number.to_string()).collect();
        let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
        assert_eq!(differs, None, "{what}: {stream} of thread {thread} is missing a line, or has one twice");
        assert_eq!(found.len(), expected.len(), "{what}: {stream} of thread {thread} ends early");
    }
    assert!([1, 4].contains(&threads), "{what}: {threads} threads\n{}", text.lines().take(50).collect::<String>());
}
