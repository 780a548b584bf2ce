//! A view of the file system of its own, `mount_namespaces(7)`.
//!
//! What a container's init does before it starts its target is tested today by starting the container: with root or
//! with its daemon, and a mistake in the order of the mounts shows on the developer's own machine.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use isotest::isotest;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::CloneFlags;
use nix::unistd::{chdir, pivot_root};

use crate::entering::in_new;

#[isotest]
fn a_mount_is_seen_where_it_was_made_and_nowhere_else() {
    fs::create_dir("/tmp/disk").expect("/tmp is the test's own");
    assert!(in_new(CloneFlags::CLONE_NEWNS, || {
        lay_tmpfs_over("/tmp/disk");
        is_mounted("/tmp/disk")
    }));
    assert!(!is_mounted("/tmp/disk"));
}

#[isotest]
fn without_a_view_of_its_own_everybody_sees_it() {
    fs::create_dir("/tmp/disk").expect("/tmp is the test's own");
    std::thread::spawn(|| lay_tmpfs_over("/tmp/disk")).join().expect("the thread mounts");
    assert!(is_mounted("/tmp/disk"));
}

#[isotest]
fn a_target_sees_only_the_root_that_its_init_has_prepared() {
    let (prepared, seen) = in_new(CloneFlags::CLONE_NEWNS, || {
        let prepared = prepare_root("/tmp/root");
        enter_root("/tmp/root").expect("a test may change the root of its own sandbox");
        (prepared, what_a_program_sees())
    });
    assert_eq!(seen, prepared);
}

#[isotest]
fn without_that_it_sees_the_whole_machine() {
    let seen = what_a_program_sees();
    assert!(seen.iter().any(|name| name == "proc") && seen.iter().any(|name| name == "tmp"), "{seen:?}");
}

/// A root with nothing in it but one file and what programs need to run. Says what is there, in order.
fn prepare_root(root: &str) -> Vec<String> {
    fs::create_dir(root).expect("/tmp is the test's own");
    lay_tmpfs_over(root); // The new root must be a mount of its own, `pivot_root(2)`.
    fs::write(format!("{root}/greeting"), "hello").expect("the new root is empty");
    let mut names = vec!["greeting".to_owned()];
    for name in ["bin", "dev", "lib", "lib64", "nix", "usr"] {
        let (from, to) = (format!("/{name}"), format!("{root}/{name}"));
        match fs::read_link(&from) {
            Ok(elsewhere) => symlink(elsewhere, &to).expect("the new root has room"),
            Err(_) if !Path::new(&from).exists() => continue,
            Err(_) => {
                fs::create_dir(&to).expect("the new root has room");
                let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
                mount(Some(from.as_str()), to.as_str(), NONE, bind, NONE).expect("a directory can be shown twice");
            }
        }
        names.push(name.to_owned());
    }
    names.sort();
    names
}

/// Makes the old root vanish, in the order that `pivot_root(2)` gives under "pivot_root(".", ".")".
fn enter_root(root: &str) -> nix::Result<()> {
    chdir(root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}

fn what_a_program_sees() -> Vec<String> {
    let listed = Command::new("ls").arg("/").env("LC_ALL", "C").output().expect("ls runs");
    String::from_utf8_lossy(&listed.stdout).lines().map(str::to_owned).collect()
}

fn lay_tmpfs_over(directory: &str) {
    mount(Some("tmpfs"), directory, Some("tmpfs"), MsFlags::empty(), NONE)
        .expect("a test may mount in its own sandbox");
}

fn is_mounted(directory: &str) -> bool {
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").expect("/proc is there");
    mounts.lines().any(|line| line.split(' ').nth(4) == Some(directory))
}

const NONE: Option<&str> = None;
