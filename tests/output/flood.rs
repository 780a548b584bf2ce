//! A hundred megabytes of one test arrive whole, in order, and in memory that does not depend on how much there is.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use isotest_tests::text;

use crate::memory::peak;
use crate::runner::{CARGO_ISOTEST, CARGO_TEST, ITS_HARNESS, directly, executable};

/// How many lines of 64 bytes `talkative::flood` writes.
const LINES: usize = (100 << 20) / 64;

const FLOOD: &str = "tests/flood.rs";

/// Far less than what is written, and more than any of our programs needs: unoptimised, the runner's own code takes half of it.
const LITTLE: u64 = 32 << 20;

#[test]
fn cargo_isotest_shows_all_of_a_failing_flood_and_keeps_little_of_it() {
    let way = CARGO_ISOTEST.binary("flood");
    let mut command = way.command("floods_and_fails", &[]);
    let mut running = command.stderr(Stdio::piped()).spawn().expect("the runner starts");
    // The first line is shown when the test is over and all of its output has gone through the runner.
    read_flood(running.stderr.take().expect("it is piped"), Some(0), || {
        keeps_little(&["cargo-isotest", "isotest-server"], running.id());
    });
    assert_eq!(running.wait().expect("it is our child").code(), Some(100));
}

#[test]
fn cargo_isotest_hides_all_of_a_passing_flood() {
    let text = text(&CARGO_ISOTEST.binary("flood").passes("floods_and_passes", &[]));
    assert!(text.len() < 10_000, "it shows {} bytes", text.len());
}

#[test]
fn cargo_isotest_shows_a_flood_as_it_comes_and_keeps_little_of_it() {
    for way in [CARGO_ISOTEST, ITS_HARNESS] {
        let mut command = way.binary("flood").command("floods_and_fails", &["--no-capture"]);
        let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the runner starts");
        read_flood(running.stdout.take().expect("it is piped"), Some(LINES - 10_000), || {
            keeps_little(&["cargo-isotest", "isotest-server"], running.id());
        });
        assert_eq!(running.wait().expect("it is our child").code(), Some(100));
    }
}

#[test]
fn a_test_binary_shows_a_flood_as_it_comes_and_keeps_little_of_it() {
    let mut command = directly(FLOOD, "isolated::floods_and_fails");
    command.arg("--nocapture").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = command.spawn().expect("the binary starts");
    let name = executable(FLOOD);
    let name = &name.file_name().expect("it is a file").to_string_lossy()[..15]; // What the kernel keeps of it.
    read_flood(running.stdout.take().expect("it is piped"), Some(LINES - 10_000), || {
        keeps_little(&[name, "isotest-server"], running.id());
    });
    assert_eq!(running.wait().expect("it is our child").code(), Some(101));
}

/// How much libtest keeps is libtest's affair.
#[test]
fn cargo_test_shows_all_of_a_failing_flood() {
    let mut command = CARGO_TEST.binary("flood").command("floods_and_fails", &[]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("cargo starts");
    read_flood(running.stdout.take().expect("it is piped"), None, || {});
    assert_eq!(running.wait().expect("it is our child").code(), Some(101));
}

/// Reads to the end: every line must come once and in order. Looks at what writes them after line `at`.
fn read_flood(stream: impl Read, at: Option<usize>, look: impl Fn()) {
    let mut lines = BufReader::with_capacity(1 << 16, stream);
    let (mut line, mut next) = (Vec::new(), 0);
    while lines.read_until(b'\n', &mut line).expect("a pipe can be read") > 0 {
        let digits = line.trim_ascii();
        if digits.len() == 63 && digits.iter().all(u8::is_ascii_digit) {
            let number = digits.iter().fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
            assert_eq!(number, next, "a line is missing, or out of order");
            if at == Some(number) {
                look();
            }
            next += 1;
        }
        line.clear();
    }
    assert_eq!(next, LINES, "the end is missing");
}

fn keeps_little(names: &[&str], ancestor: u32) {
    for name in names {
        let peak = peak(name, ancestor);
        assert!(peak < LITTLE, "{name} has used {} MB", peak >> 20);
    }
}
