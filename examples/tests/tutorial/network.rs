//! A network of its own, `network_namespaces(7)`.
//!
//! Today a test that needs a port asks the kernel for any free one and carries its number through every layer. That
//! costs a parameter in each of them, and leaves untested the port that is written in the configuration.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};

use isotest::isotest;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sched::CloneFlags;

use crate::entering::in_new;

#[isotest]
fn there_is_lo_and_it_is_up_and_there_is_nothing_else() {
    let names: BTreeSet<String> = interfaces().map(|interface| interface.interface_name).collect();
    assert_eq!(names, BTreeSet::from(["lo".to_owned()]));
    assert!(lo_is_up());
}

#[isotest]
fn in_a_second_network_lo_is_down_until_somebody_raises_it() {
    assert!(!in_new(CloneFlags::CLONE_NEWNET, lo_is_up));
}

#[isotest]
fn from_a_second_network_a_server_in_the_first_is_out_of_reach() {
    let server = TcpListener::bind("127.0.0.1:80").expect("the port is free and allowed");
    let refused = in_new(CloneFlags::CLONE_NEWNET, || ask(&server)).expect_err("the networks are two");
    assert_eq!(refused.kind(), ErrorKind::NetworkUnreachable);
}

#[isotest]
fn from_the_same_network_it_is_reached() {
    let server = TcpListener::bind("127.0.0.1:80").expect("the port is free and allowed");
    std::thread::scope(|threads| threads.spawn(|| ask(&server)).join().expect("the thread ends"))
        .expect("the network is one");
}

#[isotest]
fn nothing_leaves_the_machine() {
    // An address that is kept free for documentation, RFC 5737.
    let outside: SocketAddr = "192.0.2.1:80".parse().expect("an address");
    assert_eq!(TcpStream::connect(outside).expect_err("there is no way out").kind(), ErrorKind::NetworkUnreachable);
}

fn ask(server: &TcpListener) -> std::io::Result<TcpStream> {
    TcpStream::connect(server.local_addr()?)
}

fn lo_is_up() -> bool {
    interfaces().any(|lo| lo.interface_name == "lo" && lo.flags.contains(InterfaceFlags::IFF_UP))
}

fn interfaces() -> impl Iterator<Item = InterfaceAddress> {
    getifaddrs().expect("the kernel lists its interfaces")
}
