//! Without capture words appear at once: the test goes on only after they have been read.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Stdio;

use isotest_tests::readable;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::runner::{AFRESH, CARGO_ISOTEST, CARGO_TEST, ITS_HARNESS, Way};

#[test]
fn under_cargo_test_with_nocapture() {
    reads_words_of_a_test_that_waits(CARGO_TEST, "--nocapture");
}

#[test]
fn under_cargo_test_with_no_capture() {
    reads_words_of_a_test_that_waits(CARGO_TEST, "--no-capture");
}

#[test]
fn under_cargo_isotest() {
    reads_words_of_a_test_that_waits(CARGO_ISOTEST, "--no-capture");
}

#[test]
fn under_cargo_isotest_where_the_harness_writes_as_well() {
    reads_words_of_a_test_that_waits(ITS_HARNESS, "--no-capture");
}

#[test]
fn under_cargo_isotest_where_the_test_is_executed_afresh() {
    reads_words_of_a_test_that_waits(AFRESH, "--no-capture");
}

fn reads_words_of_a_test_that_waits(way: Way, without_capture: &str) {
    let place = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).expect("a new directory");
    let gate = place.path().join("gate");
    mkfifo(&gate, Mode::S_IRUSR | Mode::S_IWUSR).expect("a FIFO");
    let mut command = way.command("waits_for_its_reader", &[without_capture]);
    command.env("TALKATIVE_GATE", &gate).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the runner starts");
    wait_for_words("stdout waits\n", running.stdout.as_mut().expect("it is piped"));
    wait_for_words("stderr waits", running.stderr.as_mut().expect("it is piped"));
    drop(File::options().write(true).open(&gate).expect("the test opens the other end"));
    let output = running.wait_with_output().expect("it is our child");
    assert!(output.status.success(), "{way:?}: {output:?}");
}

/// Reads until the words have come.
fn wait_for_words(words: &str, stream: &mut (impl Read + AsFd)) {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(words.as_bytes()) {
        readable(stream, &read);
        let length = stream.read(&mut byte).expect("a pipe can be read");
        assert_eq!(length, 1, "it ended before it said {words:?}: {}", String::from_utf8_lossy(&read));
        read.push(byte[0]);
    }
}
