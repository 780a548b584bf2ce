//! What crosses from one host to another beside packets: descriptors and Unix sockets, as `unix(7)` has them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest]
fn a_unix_socket_with_a_path_connects_hosts_that_no_packet_connects() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let listener = bob.enter(|| UnixListener::bind("/run/bob.socket").expect("the directory is the test's own"));
    let mut sent = alice.enter(|| UnixStream::connect("/run/bob.socket").expect("files are the same for all hosts"));
    sent.write_all(b"hello").expect("bob listens");
    drop(sent);
    let mut heard = String::new();
    listener.accept().and_then(|(mut stream, _)| stream.read_to_string(&mut heard)).expect("alice writes");
    assert_eq!(heard, "hello");
    std::fs::remove_file("/run/bob.socket").expect("it was made above");
    Ok(())
}

#[isotest]
fn an_abstract_one_belongs_to_its_host() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let name = SocketAddr::from_abstract_name(b"bob").expect("a short name");
    let _listener = bob.enter(|| UnixListener::bind_addr(&name).expect("the name is free"));
    bob.enter(|| UnixStream::connect_addr(&name)).expect("bob finds it");
    alice.enter(|| UnixStream::connect_addr(&name)).expect_err("alice does not");
    Ok(())
}

/// Bob's listening socket, handed to a program in alice, answers at bob's address.
#[isotest]
fn a_program_in_one_host_may_serve_at_another_s_address() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    lab.switch("lan")?.connect(&[&bob, &carol])?;
    let listener = bob.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let inherited = nix::unistd::dup(listener.as_fd()).expect("a descriptor is free"); // Without close-on-exec.
    let serve = format!("hostname; readlink /proc/self/fd/{}", inherited.as_raw_fd());
    let told = alice.command("sh").args(["-c", &serve]).output().expect("sh starts");
    let told = String::from_utf8(told.stdout).expect("text");
    assert!(told.starts_with("alice\nsocket:["), "{told}");
    let client = carol.enter(|| TcpStream::connect("bob:80").expect("bob's socket listens, wherever it is held"));
    drop((client, inherited));
    Ok(())
}
