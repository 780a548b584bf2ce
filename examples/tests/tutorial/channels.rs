//! Ways across: what was open before the namespaces were made, or is handed over afterwards, stays usable, `unix(7)`.
//!
//! A service manager hands listeners to services that have no network themselves. Trying that today takes a unit file,
//! root and a restart of the service; a test of it costs a machine that can be thrown away.

use std::io::{IoSlice, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

use isotest::isotest;
use nix::sched::CloneFlags;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::entering::in_new;

#[isotest(timeout = "60s")]
fn words_cross_into_another_network_and_back() {
    let (mut here, there) = UnixStream::pair().expect("a pair of sockets");
    let mut child = start_elsewhere(Command::new("sh").args(["-c", "read word; echo $$ heard $word >&0"]), there);
    here.write_all(b"ping\n").expect("the child reads");
    let mut answer = String::new();
    here.read_to_string(&mut answer).expect("the child answers");
    assert_eq!(answer, "1 heard ping\n");
    assert!(child.wait().expect("the child ends").success());
}

#[isotest(timeout = "60s")]
fn a_listener_is_served_by_a_child_that_has_no_network() {
    let listener = TcpListener::bind("127.0.0.1:80").expect("the port is free and allowed");
    let (here, there) = UnixStream::pair().expect("a pair of sockets");
    let mut child = start_elsewhere(&mut Command::new(env!("CARGO_BIN_EXE_handed_listener")), there);
    hand_over(listener, &here);
    // What the child answers is how its own attempt to reach this very port went.
    assert_eq!(ask().expect("the child listens here"), "NetworkUnreachable");
    assert!(child.wait().expect("the child ends").success());
}

#[isotest(timeout = "60s")]
fn a_listener_that_is_not_handed_over_is_served_by_nobody() {
    drop(TcpListener::bind("127.0.0.1:80").expect("the port is free and allowed"));
    assert_eq!(ask().expect_err("nobody listens").kind(), std::io::ErrorKind::ConnectionRefused);
}

/// Starts a program in namespaces of its own, with one end of a channel for its standard input.
fn start_elsewhere(program: &mut Command, channel: UnixStream) -> Child {
    program.stdin(OwnedFd::from(channel));
    in_new(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWPID, || program.spawn().expect("the program starts"))
}

/// Sends the listener itself, `SCM_RIGHTS` of `unix(7)`, and keeps none.
fn hand_over(listener: TcpListener, channel: &UnixStream) {
    let descriptors = [listener.as_fd()];
    let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    assert!(rights.push(SendAncillaryMessage::ScmRights(&descriptors)), "the space is for one descriptor");
    // A descriptor travels with at least one byte of data.
    sendmsg(channel, &[IoSlice::new(b"!")], &mut rights, SendFlags::empty()).expect("the child receives");
}

fn ask() -> std::io::Result<String> {
    let mut stream = TcpStream::connect("127.0.0.1:80")?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
