//! When a test has ended, nothing of it is left.

use std::collections::BTreeSet;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::inside::{Running, inside};
use crate::remains::{every_process, nothing_stays};

/// The links that name a sandbox's own namespaces, as the test inside has written them down. Where root may not make
/// user namespaces, that one is everybody's.
fn namespaces(running: &Running) -> BTreeSet<PathBuf> {
    let written = std::fs::read_to_string(running.meeting_place().join("namespaces")).expect("the test writes first");
    let written: BTreeSet<PathBuf> = written.lines().map(PathBuf::from).collect();
    written.difference(&of_process(std::process::id())).cloned().collect()
}

fn of_process(id: u32) -> BTreeSet<PathBuf> {
    let links = std::fs::read_dir(format!("/proc/{id}/ns")).into_iter().flatten().flatten();
    links.filter_map(|link| std::fs::read_link(link.path()).ok()).collect()
}

/// Who is in one of these namespaces. The kernel frees a namespace, with all mounts, interfaces, sockets and queues
/// in it, when nobody is.
fn members(namespaces: &BTreeSet<PathBuf>) -> Vec<u32> {
    let is_member = |id: &u32| !of_process(*id).is_disjoint(namespaces);
    every_process().filter(is_member).collect()
}

#[test]
fn nobody_is_left_in_its_namespaces() {
    let mut running = inside("files::lives_in_namespaces").start();
    running.meet(1);
    let namespaces = namespaces(&running);
    assert!(namespaces.len() >= 5, "{namespaces:?}");
    assert!(!members(&namespaces).is_empty(), "while it runs, it is there");
    running.let_go(1);
    running.passes();
    nothing_stays(|| members(&namespaces));
}

#[test]
fn no_file_is_left_where_temporary_files_go() {
    let temporary = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a new directory");
    let mut running = inside("files::lives_in_namespaces").environment("TMPDIR", temporary.path()).start();
    running.meet(1);
    running.let_go(1);
    running.passes();
    assert_eq!(std::fs::read_dir(temporary.path()).expect("it is still there").count(), 0);
}

#[test]
fn no_control_group_is_made() {
    let mut running = inside("files::lives_in_namespaces").start();
    running.meet(1);
    let group = |id: u32| std::fs::read_to_string(format!("/proc/{id}/cgroup")).expect("a list");
    for member in members(&namespaces(&running)) {
        assert_eq!(group(member), group(std::process::id()));
    }
    running.let_go(1);
    running.passes();
}
