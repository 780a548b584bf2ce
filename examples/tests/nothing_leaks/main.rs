//! What hundreds of tests leave lying about is gone when they end.
//!
//! Today's alternative is a teardown in every test and a guard with a `Drop` for every resource. That costs about as
//! much code as the test itself, and does nothing in the one case that matters: the test that was killed half way.

mod litter;
mod machine;

use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use isotest::isotest;
use nix::errno::Errno;
use nix::sys::wait::wait;

/// The machine that is measured is itself a sandbox, where nobody else comes and goes, so before and after have to be
/// equal to the last process and file. The test is its PID 1: whatever loses its parent becomes the test's child.
#[isotest(init = false, timeout = "5m")]
fn three_hundred_littering_tests_leave_a_quiet_machine_as_it_was() {
    let suite = std::env::current_exe().expect("a test has a binary");
    let before = machine::look();
    for _ in 0..15 {
        run_the_twenty(Command::new(&suite), "litter");
    }
    while wait() != Err(Errno::ECHILD) {} // The fork servers, which end when those who started them have ended.
    let after = machine::look();
    assert_eq!(before.symmetric_difference(&after).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// On the host itself others may come and go meanwhile, so only what bears a name that nobody else uses is counted.
#[test]
fn they_leave_no_trace_on_the_host() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("1970 is over");
    let name = format!("litter-of-{}", now.as_nanos());
    let suite = Link::to_this_binary(&name);
    for _ in 0..5 {
        run_the_twenty(Command::new(&suite.0), &name);
    }
    drop(suite);
    machine::wait_for_processes_that_bear(&name);
    assert_eq!(machine::traces_of(&name), Vec::<String>::new());
}

#[isotest(timeout = "60s")]
fn without_a_machine_of_its_own_every_piece_of_litter_is_found() {
    litter::drop_everything("litter-here");
    let mut traces = machine::traces_of("litter-here");
    // A process that has just become another program has no arguments for a moment, and so no name.
    while !traces.iter().any(|trace| trace.starts_with("process")) {
        traces = machine::traces_of("litter-here");
    }
    for kind in ["process", "mount", "file", "host name"] {
        assert!(traces.iter().any(|trace| trace.starts_with(kind)), "no {kind} among {traces:#?}");
    }
}

/// Runs the tests in `litter`, each in a sandbox of its own.
fn run_the_twenty(mut suite: Command, name: &str) {
    let output = suite.arg("litter::twenty::").env(litter::NAME, name).output().expect("the suite starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("20 passed"), "{text}");
}

/// This test binary under a name of its own, by which its processes are known.
struct Link(PathBuf);

impl Link {
    fn to_this_binary(name: &str) -> Link {
        let link = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::hard_link(std::env::current_exe().expect("a test has a binary"), &link).expect("one file system");
        Link(link)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).expect("nobody else removes it");
    }
}
