//! Names that a machine has one of: its own, and the keys of inter-process communication.

use std::net::{IpAddr, ToSocketAddrs};

use isotest::isotest;
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, mq_open, mq_unlink};
use nix::sys::stat::Mode;
use nix::unistd::{gethostname, sethostname};

use crate::inside::{inside, inside_at_once, mark};

fn hostname() -> String {
    gethostname().expect("a machine has a name").into_string().expect("text")
}

#[isotest]
fn the_machine_is_called_isotest() {
    assert_eq!(hostname(), "isotest");
}

#[isotest(hostname = "db-1")]
fn the_machine_is_called_as_asked() {
    assert_eq!(hostname(), "db-1");
}

/// What getaddrinfo(3) makes of a name.
fn resolved(name: &str) -> Vec<IpAddr> {
    let mut found: Vec<_> = (name, 7).to_socket_addrs().into_iter().flatten().map(|socket| socket.ip()).collect();
    found.sort();
    found
}

#[isotest(egress = "fail")]
fn a_machine_knows_itself_by_its_name() {
    assert_eq!(resolved("isotest").first(), Some(&IpAddr::from([127, 0, 0, 1])));
    let own = std::fs::read_to_string("/etc/hosts").expect("it can be read");
    assert!(own.ends_with("127.0.0.1 isotest\n::1 isotest\n"), "{own}");
}

#[isotest(hostname = "db-1", egress = "fail")]
fn a_machine_with_another_name_knows_itself_by_that() {
    assert_eq!(resolved("db-1").first(), Some(&IpAddr::from([127, 0, 0, 1])));
}

#[isotest(uts = "host")]
fn who_has_the_host_s_name_has_its_file_of_names() {
    let own = std::fs::read_to_string("/etc/hosts").expect("it can be read");
    assert!(!own.ends_with("::1 isotest\n"), "{own}");
}

#[isotest]
fn a_test_renames_its_machine() {
    sethostname("renamed").expect("the machine is the test's own");
    assert_eq!(hostname(), "renamed");
}

#[test]
fn the_host_keeps_its_name() {
    let (before, name) = (hostname(), mark());
    let mut running = inside("names::renames_its_machine").told("MARK", &name).start();
    running.meet(1);
    assert_eq!(hostname(), before);
    assert_ne!(hostname(), name);
    running.let_go(1);
    running.passes();
}

/// A key that nobody on the host uses.
fn free_key() -> i32 {
    let taken = |list: &str| std::fs::read_to_string(list).expect("a list");
    let taken = taken("/proc/sysvipc/shm") + &taken("/proc/sysvipc/msg");
    let own = std::process::id().cast_signed() << 8;
    (own..).find(|key| !taken.contains(&key.to_string())).expect("some key is free")
}

#[test]
fn system_v_ipc_is_separate() {
    let key = free_key().to_string();
    let mut running = inside_at_once("names::makes_").told("KEY", &key).start();
    running.meet(2);
    for list in ["/proc/sysvipc/shm", "/proc/sysvipc/msg"] {
        assert!(!std::fs::read_to_string(list).expect("a list").contains(&key), "{list} shows what is inside");
    }
    running.let_go(2);
    running.passes();
}

#[test]
fn without_isolation_a_system_v_key_is_taken_once() {
    let key = free_key().wrapping_add(1).to_string();
    inside("names::plain_cannot_make_the_same_system_v_ipc_twice").told("KEY", &key).passes();
}

/// Makes a POSIX message queue that must not exist yet, `mq_overview(7)`.
fn make_queue(name: &str) -> nix::Result<()> {
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDWR;
    let (messages, bytes) = (1, 64);
    mq_open(name, flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&MqAttr::new(0, messages, bytes, 0))).map(drop)
}

#[isotest]
fn one_test_makes_a_message_queue() {
    assert_eq!(make_queue("/of-one-test-only"), Ok(()));
}

#[isotest]
fn another_test_makes_the_same_message_queue() {
    assert_eq!(make_queue("/of-one-test-only"), Ok(()));
}

#[test]
fn without_isolation_the_same_message_queue_cannot_be_made_twice() {
    let name = format!("/{}", mark());
    assert_eq!(make_queue(&name), Ok(()));
    let second = make_queue(&name);
    mq_unlink(name.as_str()).expect("it was made");
    assert_eq!(second, Err(Errno::EEXIST));
}
