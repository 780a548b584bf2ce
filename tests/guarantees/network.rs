//! The network: a test has lo and nothing else, and every port of it to itself.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::Command;
use std::time::Duration;

use isotest::isotest;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recv, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;
use nix::unistd::getuid;

use crate::inside::{Inside, inside, inside_at_once, mark};

/// The interfaces that /sys shows; /proc/net has to show the same.
fn interfaces() -> Vec<String> {
    let listed = std::fs::read_dir("/sys/class/net").expect("a directory").flatten();
    let mut names: Vec<_> = listed.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    // Where the host bonds interfaces, a control file stands among them.
    names.retain(|name| name != "bonding_masters");
    let table = std::fs::read_to_string("/proc/net/dev").expect("a table");
    assert_eq!(table.lines().count(), names.len() + 2, "two lines of head and one an interface: {table}");
    names
}

#[isotest]
fn lo_is_the_only_interface_and_it_is_up() {
    assert_eq!(interfaces(), ["lo"]);
    let flags = std::fs::read_to_string("/sys/class/net/lo/flags").expect("flags");
    assert_eq!(flags, "0x9\n", "IFF_UP and IFF_LOOPBACK");
}

#[isotest]
fn lo_carries_both_protocols() {
    for address in ["127.0.0.1:80", "[::1]:80"] {
        let listener = TcpListener::bind(address).expect("the port is free");
        TcpStream::connect(address).expect("somebody listens");
        listener.accept().expect("somebody has connected");
    }
}

#[isotest]
fn a_new_network_has_lo_down_and_carries_nothing() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a test may make namespaces of its own");
    let refused = TcpListener::bind("127.0.0.1:80").and_then(|_| TcpStream::connect("127.0.0.1:80"));
    assert_eq!(refused.map(drop).expect_err("lo is down").raw_os_error(), Some(Errno::ENETUNREACH as i32));
}

#[test]
fn many_tests_bind_the_same_port_at_once() {
    let mut running = inside_at_once("network::holds_the_port::").start();
    running.meet(8);
    running.let_go(8);
    running.passes();
}

#[test]
fn without_isolation_the_second_bind_fails() {
    let first = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let second = TcpListener::bind(first.local_addr().expect("it is bound"));
    assert_eq!(second.expect_err("the port is taken").kind(), ErrorKind::AddrInUse);
}

/// Whether a program without any privilege may listen there.
fn a_program_can_listen_on(address: &str) -> bool {
    let said = Command::new(env!("CARGO_BIN_EXE_listen")).arg(address).output().expect("the program starts");
    let refused = String::from_utf8(said.stderr).expect("text");
    assert!(said.status.success() || refused.contains("Permission denied"), "{refused}");
    said.status.success()
}

#[isotest]
fn an_ordinary_program_listens_on_port_80() {
    assert!(a_program_can_listen_on("127.0.0.1:80"));
}

#[isotest]
fn where_ports_are_reserved_only_root_listens_on_port_80() {
    std::fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024").expect("the network is the test's own");
    assert_eq!(a_program_can_listen_on("127.0.0.1:80"), getuid().is_root());
    assert!(a_program_can_listen_on("127.0.0.1:1024"));
}

/// Pings 127.0.0.1 without a raw socket, `icmp(7)`.
fn ping() -> nix::Result<()> {
    let socket = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, SockProtocol::Icmp)?;
    setsockopt(&socket, sockopt::ReceiveTimeout, &TimeVal::new(10, 0))?;
    let echo_request = [8_u8, 0, 0, 0, 0, 0, 0, 1];
    let number = std::os::fd::AsRawFd::as_raw_fd(&socket);
    sendto(number, &echo_request, &SockaddrIn::new(127, 0, 0, 1, 0), MsgFlags::empty())?;
    let mut answer = [0; 64];
    recv(number, &mut answer, MsgFlags::empty())?;
    assert_eq!(answer[0], 0, "an echo reply");
    Ok(())
}

#[isotest]
fn ping_needs_no_privilege() {
    assert_eq!(ping(), Ok(()));
}

#[isotest]
fn a_new_network_allows_nobody_to_ping() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a test may make namespaces of its own");
    assert_eq!(ping(), Err(Errno::EACCES));
}

#[test]
fn the_hosts_network_and_abstract_sockets_are_invisible() {
    let (inside, _listener) = with_a_socket_of_the_host("network::has_a_network_of_its_own");
    inside.passes();
}

#[test]
fn on_the_hosts_network_both_are_visible() {
    let (inside, _listener) = with_a_socket_of_the_host("network::shares_the_hosts_network");
    inside.passes();
}

fn with_a_socket_of_the_host(test: &str) -> (Inside, UnixListener) {
    let name = mark();
    let address = SocketAddr::from_abstract_name(&name).expect("a short name");
    let listener = UnixListener::bind_addr(&address).expect("the name is free");
    let network = std::fs::read_link("/proc/self/ns/net").expect("a link");
    (inside(test).told("SOCKET", &name).told("NETWORK", &network.display().to_string()), listener)
}

#[isotest]
fn connecting_out_fails_at_once() {
    assert_eq!(interfaces(), ["lo"], "otherwise what follows would leave the machine");
    // Addresses for documentation, which belong to nobody: RFC 5737 and RFC 3849.
    for address in ["192.0.2.1:80", "[2001:db8::1]:80"] {
        // Without a way out there is nothing to wait for; the time is there so that this ends if there is one.
        let refused = TcpStream::connect_timeout(&address.parse().expect("an address"), Duration::from_secs(10));
        assert_eq!(refused.map(drop).map_err(|error| error.raw_os_error()), Err(Some(Errno::ENETUNREACH as i32)));
    }
    let sender = UdpSocket::bind("0.0.0.0:0").expect("some port is free");
    let refused = sender.send_to(b"", "192.0.2.1:80").expect_err("there is no way out");
    assert_eq!(refused.raw_os_error(), Some(Errno::ENETUNREACH as i32));
}

#[isotest]
fn connecting_to_a_closed_port_is_refused_instead() {
    let refused = TcpStream::connect("127.0.0.1:80").expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}
