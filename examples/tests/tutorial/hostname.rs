//! A name of its own, `uts_namespaces(7)`.
//!
//! Without it a test of code that renames the machine needs root and renames yours; what is usual instead, a trait
//! over `sethostname` and a fake behind it, costs an abstraction that only the test uses and tests none of the calls.

use std::process::Command;

use isotest::isotest;
use nix::sched::CloneFlags;
use nix::unistd::{gethostname, sethostname};

use crate::entering::in_new;

#[isotest(hostname = "db-1")]
fn a_test_is_named_as_it_asked() {
    assert_eq!(name(), "db-1");
}

#[isotest]
fn a_test_renames_its_machine() {
    rename("db-2");
    assert_eq!(name(), "db-2");
    let told = Command::new("cat").arg("/proc/sys/kernel/hostname").output().expect("cat runs");
    assert_eq!(told.stdout, b"db-2\n", "programs that it starts see the name too");
}

#[isotest]
fn while_others_rename_theirs_this_one_keeps_its_name() {
    assert_eq!(name(), "isotest");
}

#[isotest]
fn a_thread_with_a_name_of_its_own_renames_only_itself() {
    in_new(CloneFlags::CLONE_NEWUTS, || rename("db-3"));
    assert_eq!(name(), "isotest");
}

#[isotest]
fn without_a_name_of_its_own_it_renames_everybody() {
    std::thread::spawn(|| rename("db-3")).join().expect("the thread renames");
    assert_eq!(name(), "db-3");
}

fn name() -> String {
    gethostname().expect("a machine has a name").into_string().expect("names here are text")
}

fn rename(name: &str) {
    sethostname(name).expect("a test may rename its own machine");
}
