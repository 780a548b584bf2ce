//! Message queues of its own, `ipc_namespaces(7)`, `mq_overview(7)`.
//!
//! Queues are named machine-wide and outlive their makers. Today that costs a random name in every test, and a sweep
//! after each crash for the queues that nobody unlinked, or the next run meets their old messages.

use isotest::isotest;
use nix::errno::Errno;
use nix::mqueue::{MQ_OFlag, MqAttr, MqdT, mq_open, mq_receive, mq_send};
use nix::sched::CloneFlags;
use nix::sys::stat::Mode;

use crate::entering::in_new;

#[isotest]
fn one_test_makes_a_queue_and_never_unlinks_it() {
    send_and_receive(b"coffee");
}

#[isotest]
fn another_makes_the_same_queue_at_the_same_time() {
    send_and_receive(b"tea");
}

#[isotest]
fn in_another_namespace_the_name_is_free() {
    let _here = make_queue().expect("the name is free");
    assert!(in_new(CloneFlags::CLONE_NEWIPC, || make_queue().is_ok()));
}

#[isotest]
fn in_the_same_namespace_it_is_taken() {
    let _here = make_queue().expect("the name is free");
    assert_eq!(make_queue().err(), Some(Errno::EEXIST));
}

/// The first message in the queue is the one that this test has sent.
fn send_and_receive(order: &[u8]) {
    let orders = make_queue().expect("the name is free");
    mq_send(&orders, order, 0).expect("there is room");
    let (mut received, mut priority) = ([0; LONGEST], 0);
    let length = mq_receive(&orders, &mut received, &mut priority).expect("there is a message");
    assert_eq!(&received[..length], order);
}

fn make_queue() -> nix::Result<MqdT> {
    let flags = MQ_OFlag::O_CREAT | MQ_OFlag::O_EXCL | MQ_OFlag::O_RDWR;
    let attributes = MqAttr::new(0, 1, LONGEST as _, 0);
    mq_open("/orders", flags, Mode::S_IRUSR | Mode::S_IWUSR, Some(&attributes))
}

/// The longest message, in bytes.
const LONGEST: usize = 16;
