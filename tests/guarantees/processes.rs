//! The process table: a test sees itself and its init, and nobody else; init reaps what loses its parent.

use std::collections::BTreeSet;
use std::os::unix::process::parent_id;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use isotest::isotest;
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::inside::inside;
use crate::remains::every_process;

fn listed() -> BTreeSet<u32> {
    every_process().collect()
}

#[isotest]
fn the_test_is_pid_2_below_its_own_init() {
    assert_eq!((std::process::id(), parent_id()), (2, 1));
    assert_eq!(std::fs::read_to_string("/proc/1/comm").expect("PID 1 is there"), "isotest-init\n");
    assert_eq!(field(1, "PPid:"), "0");
}

#[isotest(init = false)]
fn with_init_false_the_test_is_pid_1_without_a_parent() {
    assert_eq!((std::process::id(), parent_id()), (1, 0));
    assert_eq!(listed(), BTreeSet::from([1]));
}

#[isotest]
fn the_test_sees_only_itself_and_its_init() {
    assert_eq!(listed(), BTreeSet::from([1, 2]));
}

#[test]
fn without_isolation_a_test_sees_who_started_it() {
    assert!(listed().contains(&parent_id()) && listed().len() > 2, "{:?}", listed());
}

#[isotest]
fn a_child_is_a_child_of_the_test() {
    let said = Command::new("sh").args(["-c", "echo $PPID"]).output().expect("sh is installed");
    assert_eq!(said.stdout, b"2\n");
    assert_eq!(listed(), BTreeSet::from([1, 2]), "an ended child is gone");
}

/// Sends everyone who may be signalled the signal that only asks whether it could be sent.
fn reach_anybody_else() -> nix::Result<()> {
    kill(Pid::from_raw(-1), None)
}

#[isotest]
fn no_process_of_the_host_can_be_signalled() {
    assert_eq!(reach_anybody_else(), Err(Errno::ESRCH));
}

#[isotest]
fn a_process_of_its_own_can_be_signalled() {
    let mut child = waiting_child();
    assert_eq!(reach_anybody_else(), Ok(()));
    end(&mut child);
}

#[test]
fn without_isolation_others_can_be_signalled() {
    assert_eq!(reach_anybody_else(), Ok(()));
}

#[isotest]
fn proc_agrees_with_the_kernel() {
    assert_eq!(std::fs::read_link("/proc/self").expect("a link").to_str(), Some("2"));
    assert_eq!(field(2, "NSpid:"), "2");
    let (own, according_to_proc) = id_of_a_child();
    assert_eq!(own, according_to_proc);
}

#[isotest]
fn in_another_pid_namespace_the_same_proc_disagrees() {
    unshare(CloneFlags::CLONE_NEWPID).expect("a test may make namespaces of its own");
    let (own, according_to_proc) = id_of_a_child();
    assert_eq!(own, "1");
    assert_ne!(own, according_to_proc);
}

/// What a child believes to be its process id, and what /proc tells it.
fn id_of_a_child() -> (String, String) {
    let said = Command::new("sh").args(["-c", "read self rest < /proc/self/stat; echo $$ $self"]).output();
    let said = String::from_utf8(said.expect("sh is installed").stdout).expect("numbers");
    let (own, according_to_proc) = said.trim().split_once(' ').expect("two numbers");
    (own.to_owned(), according_to_proc.to_owned())
}

#[isotest]
fn orphans_are_reaped_by_init() {
    let orphan = make_an_orphan();
    assert_eq!(field(orphan, "PPid:"), "1");
    end_orphan(orphan);
    eventually("init reaps", || !listed().contains(&orphan));
}

#[isotest(init = false)]
fn with_init_false_an_orphan_stays_a_zombie() {
    let orphan = make_an_orphan();
    end_orphan(orphan);
    eventually("it becomes a zombie", || field(orphan, "State:") == "Z (zombie)");
    assert_eq!(field(orphan, "PPid:"), "1");
}

/// A process that has lost its parent.
fn make_an_orphan() -> u32 {
    let said = Command::new("sh").args(["-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]).output();
    let said = String::from_utf8(said.expect("sh is installed").stdout).expect("a number");
    said.trim().parse().expect("a number")
}

fn end_orphan(orphan: u32) {
    kill(Pid::from_raw(orphan.cast_signed()), nix::sys::signal::Signal::SIGKILL).expect("it lives");
}

#[test]
fn abort_is_sigabrt() {
    inside("processes::aborts").start().fails("was killed by signal 6 (SIGABRT)");
}

#[test]
fn as_pid_1_abort_is_not_sigabrt() {
    inside("processes::aborts_as_pid_1").start().fails("was killed by signal 11 (SIGSEGV)");
}

#[test]
fn sigterm_kills() {
    inside("processes::terminates_itself").start().fails("was killed by signal 15 (SIGTERM)");
}

#[test]
fn as_pid_1_sigterm_is_ignored() {
    inside("processes::cannot_terminate_itself_as_pid_1").passes();
}

/// A line of `/proc/PID/status`.
fn field(process: u32, name: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("it exists");
    let found = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel tells this");
    found.trim().to_owned()
}

/// A child that ends when [`end`] closes its input.
fn waiting_child() -> Child {
    Command::new("cat").stdin(Stdio::piped()).spawn().expect("cat is installed")
}

fn end(child: &mut Child) {
    drop(child.stdin.take());
    child.wait().expect("it ends");
}

/// Nobody is told when somebody else's child changes, so this looks again and again.
fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} within ten seconds");
        std::thread::yield_now();
    }
}
