//! The cases of one `#[rstest]` hold the same port at the same time, one that is taken outside.
//!
//! Each case takes the port and then waits for the others, see `tests/meeting.rs` in the fixture.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use isotest_tests::text;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tempfile::TempDir;

use crate::expansion::EXPANSION;

#[test]
fn all_cases_hold_the_port_under_cargo_test() {
    assert_all_meet(EXPANSION.cargo(&["test", "--test", "meeting", "isolated", "--", "--test-threads=3"]));
}

#[test]
fn all_cases_hold_the_port_under_cargo_isotest() {
    assert_all_meet(EXPANSION.cargo_isotest(&["run", "--test", "meeting", "--test-threads", "3", "isolated"]));
}

#[test]
fn without_the_attribute_no_case_gets_the_port() {
    let meeting = Meeting::new();
    let mut cases = EXPANSION.cargo(&["test", "--test", "meeting", "plain"]);
    let text = text(&meeting.invite(&mut cases).output().expect("cargo starts"));
    assert_eq!(text.matches("AddrInUse").count(), 3, "{text}");
    assert!(text.contains("0 passed; 3 failed"), "{text}");
}

fn assert_all_meet(mut cases: Command) {
    let meeting = Meeting::new();
    let gate = meeting.gate();
    meeting.invite(&mut cases);
    let runner = thread::spawn({
        let mut arrivals = meeting.arrivals();
        move || {
            let output = cases.output();
            arrivals.write_all(&[NOBODY_WILL_COME]).expect("a pipe with room for a byte");
            output
        }
    });
    let arrived = meeting.wait_for(3);
    drop(gate);
    let output = runner.join().expect("the thread does not panic").expect("the runner starts");
    assert_eq!(arrived, [1, 2, 3], "{}", text(&output));
    assert!(output.status.success(), "{}", text(&output));
}

/// In place of a case's number, once the runner has ended.
const NOBODY_WILL_COME: u8 = 0;

/// Where the cases meet, and the port they all want.
struct Meeting {
    place: TempDir,
    taken: TcpListener,
}

impl Meeting {
    fn new() -> Meeting {
        let place = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a place to meet");
        for pipe in ["arrivals", "gate"] {
            mkfifo(&place.path().join(pipe), Mode::S_IRWXU).expect("a named pipe");
        }
        Meeting { place, taken: TcpListener::bind("127.0.0.1:0").expect("a free port") }
    }

    fn invite<'a>(&self, cases: &'a mut Command) -> &'a mut Command {
        let port = self.taken.local_addr().expect("a bound socket has an address").port();
        cases.env("MEETING_PLACE", self.place.path()).env("MEETING_PORT", port.to_string())
    }

    /// Whoever reads from the gate waits until this is dropped.
    fn gate(&self) -> File {
        self.open("gate")
    }

    fn arrivals(&self) -> File {
        self.open("arrivals")
    }

    /// Opened in both directions a named pipe opens at once, whoever is at its other end (`fifo(7)`).
    fn open(&self, pipe: &str) -> File {
        OpenOptions::new().read(true).write(true).open(self.place.path().join(pipe)).expect("a named pipe opens")
    }

    /// The cases that have come, in order of their numbers: all of them, unless the runner has ended before.
    fn wait_for(&self, count: usize) -> Vec<u8> {
        let mut arrivals = self.arrivals();
        let next = || {
            let mut case = [NOBODY_WILL_COME];
            arrivals.read_exact(&mut case).expect("a pipe that we hold open has no end");
            Some(case[0]).filter(|case| *case != NOBODY_WILL_COME)
        };
        let mut arrived: Vec<u8> = std::iter::from_fn(next).take(count).collect();
        arrived.sort_unstable();
        arrived
    }
}
