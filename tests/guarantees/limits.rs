//! Limits: how many processes a test may have, and for how long.

use std::process::Command;
use std::sync::{Arc, Barrier};
use std::thread::Builder;

use isotest::isotest;
use nix::unistd::getuid;

use crate::inside::{inside, mark};
use crate::remains::{nothing_stays, processes_with};

/// Starts threads until the kernel refuses one, or there are as many; says how many there are.
fn threads(most: usize) -> usize {
    let all_done = Arc::new(Barrier::new(most + 1));
    let started = (0..most).take_while(|_| {
        let all_done = Arc::clone(&all_done);
        Builder::new().stack_size(32 << 10).spawn(move || all_done.wait()).is_ok()
    });
    started.count()
}

/// The first two numbers of its release.
fn kernel() -> (u32, u32) {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    let mut numbers = release.split('.').map(|number| number.parse().expect("a number"));
    (numbers.next().expect("the first"), numbers.next().expect("the second"))
}

#[isotest(processes = 40)]
fn no_more_processes_than_asked_for() {
    if getuid().is_root() && kernel() < (6, 14) {
        assert_eq!(threads(500), 500, "nothing binds root there");
        return;
    }
    // The kernel counts init, the test and its threads. For root it counts ids, of which it reserves 300.
    let most = if getuid().is_root() { 340 } else { 40 };
    let started = threads(500);
    assert!(started < most && started > most - 10, "{started} threads");
    let refused = Command::new("true").status().expect_err("a process counts as a thread does");
    assert_eq!(refused.raw_os_error(), Some(nix::errno::Errno::EAGAIN as i32));
}

#[isotest]
fn by_default_there_may_be_hundreds() {
    assert_eq!(threads(500), 500);
    assert!(Command::new("true").status().expect("processes may still be started").success());
}

/// The tree has been seen while it lived: three shells, in three sessions, deaf to signals.
fn a_timeout_kills_the_tree_of(test: &str) {
    let name = mark();
    let mut running = inside(test).told("MARK", &name).start();
    running.meet(1);
    let tree = processes_with(&name);
    assert!(tree.len() >= 3, "{tree:?}");
    running.fails("timed out");
    nothing_stays(|| processes_with(&name));
}

#[test]
fn a_timeout_kills_the_whole_tree() {
    a_timeout_kills_the_tree_of("limits::grows_a_tree_and_waits");
}

#[test]
fn a_timeout_kills_the_whole_tree_of_pid_1() {
    a_timeout_kills_the_tree_of("limits::grows_a_tree_and_waits_as_pid_1");
}
