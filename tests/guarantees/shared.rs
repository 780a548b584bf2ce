//! Each namespace can be the host's instead, and then only that one is.

use isotest::isotest;
use tempfile::TempDir;

use crate::inside::{Inside, inside, mark};
use crate::remains::{nothing_stays, processes_with};

/// A test of the fixture that shares what its name says, and knows the host's.
fn shares(what: &str) -> Inside {
    let namespace = |kind: &str| std::fs::read_link(format!("/proc/self/ns/{kind}")).expect("a link");
    let kinds = ["pid", "mnt", "net", "uts", "ipc"];
    let told = kinds.into_iter().fold(inside(&format!("shared::{what}")), |inside, kind| {
        inside.told(&kind.to_uppercase(), &namespace(kind).display().to_string())
    });
    told.told("HOSTNAME", std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name").trim())
}

#[test]
fn by_default_nothing_is_shared() {
    shares("nothing").passes();
}

#[test]
fn the_network_can_be_shared() {
    shares("the_network").passes();
}

#[test]
fn the_host_name_can_be_shared() {
    shares("the_host_name").passes();
}

#[test]
fn system_v_ipc_can_be_shared() {
    shares("ipc").passes();
}

#[test]
fn processes_can_be_shared() {
    shares("processes").passes();
}

#[test]
fn processes_and_mounts_can_be_shared() {
    let in_tmp = TempDir::new_in("/tmp").expect("a new directory");
    shares("processes_and_mounts").told("IN_TMP", &in_tmp.path().display().to_string()).passes();
}

#[test]
fn everything_can_be_shared() {
    shares("everything").passes();
}

#[test]
fn what_a_test_started_among_the_hosts_processes_is_killed() {
    let mark = mark();
    let mut running = shares("processes_and_leaves_a_daemon").told("MARK", &mark).start();
    running.meet(1);
    assert!(!processes_with(&mark).is_empty(), "while it runs, it is there");
    running.let_go(1);
    running.passes();
    nothing_stays(|| processes_with(&mark));
}

#[test]
fn so_it_is_when_the_test_takes_too_long() {
    let mark = mark();
    let mut running = shares("processes_and_takes_too_long").told("MARK", &mark).start();
    running.meet(1);
    running.let_go(1);
    running.fails("timed out");
    nothing_stays(|| processes_with(&mark));
}

#[isotest(pid = "host")]
fn with_the_hosts_processes_a_test_can_ask_for_pid_1() {
    assert_ne!(std::os::unix::process::parent_id(), 1, "its parent is an init of isotest's");
    assert_ne!(std::fs::read_to_string("/proc/1/comm").expect("PID 1 is there"), "isotest-init\n");
}
