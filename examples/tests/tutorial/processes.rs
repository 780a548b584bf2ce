//! A process table of its own, `pid_namespaces(7)`.
//!
//! Whoever tests an init today starts a container for it: an image to build, a daemon to talk to, a second or so a
//! test, and the assertions end up in a shell script inside.

use std::os::unix::process::parent_id;
use std::process::{Command, Stdio};

use isotest::isotest;
use nix::sched::CloneFlags;

use crate::entering::in_new;

#[isotest(init = false)]
fn the_first_process_is_number_1_and_has_no_parent() {
    assert_eq!(std::process::id(), 1);
    assert_eq!(parent_id(), 0);
}

#[isotest]
fn by_default_the_test_has_an_init_for_a_parent() {
    assert_eq!(std::process::id(), 2);
    assert_eq!(parent_id(), 1);
}

#[isotest]
fn a_test_sees_itself_and_its_init_and_nobody_else() {
    assert_eq!(processes(), [1, 2]);
}

#[isotest]
fn a_process_that_it_starts_is_seen_beside_them() {
    let mut waiting = Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat runs");
    assert_eq!(processes(), [1, 2, waiting.id()]);
    drop(waiting.stdin.take());
    waiting.wait().expect("cat ends with its input");
}

#[isotest]
fn in_another_namespace_counting_begins_at_1_again() {
    assert_eq!(in_new(CloneFlags::CLONE_NEWPID, own_number_of_a_program), "1\n");
}

#[isotest]
fn in_the_same_namespace_counting_goes_on() {
    let number = std::thread::spawn(own_number_of_a_program).join().expect("the thread ends");
    assert!(number.trim().parse::<u32>().expect("a number") > std::process::id(), "{number}");
}

/// In ascending order, from `/proc`.
fn processes() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let mut processes: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    processes.sort_unstable();
    processes
}

fn own_number_of_a_program() -> String {
    let told = Command::new("sh").args(["-c", "echo $$"]).output().expect("sh runs");
    String::from_utf8(told.stdout).expect("a number is text")
}
