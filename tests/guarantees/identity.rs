//! Who a test is: the caller, with the caller's rights over files and no more.

use std::fs::{File, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use isotest::isotest;
use nix::unistd::{getgid, getuid};

use crate::inside::{inside, mark};

/// The first line of an id map: the first id inside, the same person's id outside (`user_namespaces(7)`).
fn mapped(map: &str) -> (u32, u32) {
    let text = std::fs::read_to_string(map).expect("a map");
    let mut numbers = text.split_whitespace().map(|number| number.parse().expect("a number"));
    (numbers.next().expect("inside"), numbers.next().expect("outside"))
}

#[isotest]
fn the_caller_is_himself_inside() {
    for (own, map) in [(getuid().as_raw(), "/proc/self/uid_map"), (getgid().as_raw(), "/proc/self/gid_map")] {
        let (inside, outside) = mapped(map);
        assert_eq!((inside, outside), (own, own), "{map}");
    }
}

#[isotest(user = "root")]
fn with_user_root_the_caller_is_root_inside() {
    assert_eq!((getuid().as_raw(), getgid().as_raw()), (0, 0));
    assert_eq!(mapped("/proc/self/uid_map").0, 0);
}

#[test]
fn with_user_root_files_belong_to_the_caller_outside() {
    let mut running = inside("identity::makes_a_file_as_root").start();
    let file = running.meeting_place().join("made as root");
    running.meet(1);
    assert_eq!(std::fs::metadata(file).expect("it was made").uid(), getuid().as_raw());
    running.let_go(1);
    running.passes();
}

/// Whether one may read a file of one's own that nobody is allowed to read.
fn reads_a_forbidden_file() -> bool {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(mark_of_this_process());
    File::create_new(&path).expect("a new file");
    let read_with_mode = |mode| {
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).expect("one's own file");
        File::open(&path).map(drop)
    };
    read_with_mode(0o400).expect("an allowed file is read");
    let read = read_with_mode(0o000);
    std::fs::remove_file(&path).expect("one's own directory");
    assert!(read.as_ref().map_or_else(|error| error.kind() == ErrorKind::PermissionDenied, |()| true), "{read:?}");
    read.is_ok()
}

/// Process ids repeat in sandboxes; the PID namespaces, of which each has its own, don't.
fn mark_of_this_process() -> String {
    let namespace = std::fs::metadata("/proc/self/ns/pid").expect("a namespace").ino();
    format!("{}-{namespace}", mark())
}

#[isotest]
fn permission_bits_bind_a_test_as_they_bind_its_caller() {
    assert_eq!(reads_a_forbidden_file(), getuid().is_root());
}

#[test]
fn without_isolation_they_bind_the_same() {
    assert_eq!(reads_a_forbidden_file(), getuid().is_root());
}

#[isotest(user = "root")]
fn with_user_root_permission_bits_do_not_bind() {
    assert!(reads_a_forbidden_file());
}

#[isotest]
fn the_files_of_others_stay_theirs() {
    let shadow = File::open("/etc/shadow").map(drop);
    assert_eq!(shadow.is_ok(), getuid().is_root(), "{shadow:?}");
    let given_away = std::os::unix::fs::chown("/tmp", Some(65534), None);
    assert_eq!(given_away.is_ok(), getuid().is_root(), "{given_away:?}");
}

/// The effective capabilities of a process, from its `/proc/…/status`.
fn capabilities(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:")).expect("the kernel tells this");
    u64::from_str_radix(mask.trim(), 16).expect("a mask")
}

fn capabilities_of_a_program() -> u64 {
    let said = Command::new("cat").arg("/proc/self/status").output().expect("cat is installed");
    capabilities(&String::from_utf8(said.stdout).expect("text"))
}

/// CAP_NET_ADMIN of `capabilities(7)`.
const NET_ADMIN: u64 = 1 << 12;

#[isotest]
fn a_program_it_runs_has_no_capabilities_unless_the_caller_is_root() {
    assert_eq!(capabilities_of_a_program() & NET_ADMIN != 0, getuid().is_root());
    assert!(getuid().is_root() || capabilities_of_a_program() == 0);
}

#[isotest]
fn the_test_itself_may_change_its_own_network() {
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("a status");
    assert!(capabilities(&status) & NET_ADMIN != 0, "{status}");
}

#[isotest(user = "root")]
fn with_user_root_a_program_it_runs_has_capabilities() {
    assert!(capabilities_of_a_program() & NET_ADMIN != 0);
}
