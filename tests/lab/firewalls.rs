//! What does a firewall let pass?

use std::io::{ErrorKind, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use expect_test::{Expect, expect};
use isotest::isotest;
use isotest::lab::{Firewall, Host, Lab, Protocol, Result, Router};

use crate::talk::{connect, converse, hears, is_deaf, is_silent, word};

/// Two hosts, with a router between.
fn row(lab: &Lab) -> Result<(Host, Router, Host)> {
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    lab.link(&alice, &gw)?;
    lab.link(&gw, &bob)?;
    Ok((alice, gw, bob))
}

/// How connecting fails, if it does.
fn failure(from: &Host, to: &Host, port: u16) -> Option<ErrorKind> {
    attempt(from, to, port, Duration::from_secs(10))
}

/// Whether nobody answers, for a while.
fn is_silent_at(from: &Host, to: &Host, port: u16) -> bool {
    attempt(from, to, port, Duration::from_millis(200)) == Some(ErrorKind::TimedOut)
}

fn attempt(from: &Host, to: &Host, port: u16, patience: Duration) -> Option<ErrorKind> {
    let door = to.enter(|| TcpListener::bind(("::", port)).expect("the port is free"));
    let failure = from.enter(|| TcpStream::connect_timeout(&(to.address(), port).into(), patience));
    drop(door);
    failure.err().map(|error| error.kind())
}

#[isotest]
fn only_allowed_ports_are_reached_and_the_others_are_silent() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    bob.firewall(&Firewall::new().drop_in().allow_in(Protocol::Tcp, 80).allow_in(Protocol::Udp, 9))?;
    assert_eq!(failure(&alice, &bob, 80), None);
    assert!(is_silent_at(&alice, &bob, 81));
    assert!(bob.addresses().into_iter().all(|address| hears(&bob, &alice, address)));
    bob.firewall(&Firewall::new().drop_in().allow_in(Protocol::Tcp, 9))?;
    assert!(bob.addresses().into_iter().all(|address| is_deaf(&bob, &alice, address)), "of UDP nothing is said");
    bob.firewall(&Firewall::new())?;
    assert_eq!(failure(&alice, &bob, 81), None);
    Ok(())
}

#[isotest]
fn answers_come_back_in() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    bob.firewall(&Firewall::new().drop_in())?;
    for address in alice.addresses() {
        assert!(converse(&bob, &alice, address));
    }
    let socket = |host: &Host| {
        let socket = host.enter(|| UdpSocket::bind("0.0.0.0:5000").expect("the port is free"));
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
        socket
    };
    let (asking, asked) = (socket(&bob), socket(&alice));
    asking.send_to(b"?", (alice.address(), 5000)).expect("there is a route");
    let (_, from) = asked.recv_from(&mut [0]).expect("it goes out");
    asked.send_to(b"!", from).expect("there is a route");
    asking.recv(&mut [0]).expect("it comes in");
    assert!(is_silent_at(&alice, &bob, 80));
    Ok(())
}

#[isotest]
fn what_is_rejected_is_refused_at_once() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    bob.firewall(&Firewall::new().drop_in().reject())?;
    assert_eq!(failure(&alice, &bob, 80), Some(ErrorKind::ConnectionRefused));
    let socket = alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("there are free ports"));
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
    socket.connect((bob.address(), 80)).and_then(|()| socket.send(b"?")).expect("there is a route");
    assert_eq!(socket.recv(&mut [0]).expect_err("ICMP says so").kind(), ErrorKind::ConnectionRefused);
    Ok(())
}

#[isotest]
fn one_port_may_be_blocked_and_the_others_be_open() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    bob.firewall(&Firewall::new().block_in(Protocol::Tcp, 80))?;
    assert!(is_silent_at(&alice, &bob, 80));
    assert_eq!(failure(&alice, &bob, 81), None);
    Ok(())
}

#[isotest]
fn out_goes_only_what_is_allowed() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    alice.firewall(&Firewall::new().drop_out().allow_out(Protocol::Tcp, 80))?;
    assert_eq!(failure(&alice, &bob, 80), None);
    assert!(is_silent_at(&alice, &bob, 81));
    assert!(converse(&bob, &alice, alice.address().into()), "answers go out");
    let socket = alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("there are free ports"));
    let refused = socket.send_to(b"?", (bob.address(), 9)).expect_err("it is told to its face");
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    alice.firewall(&Firewall::new().block_out(Protocol::Tcp, 80).reject())?;
    assert_eq!((failure(&alice, &bob, 80), failure(&alice, &bob, 81)), (Some(ErrorKind::ConnectionRefused), None));
    Ok(())
}

#[isotest]
fn a_host_s_firewall_does_not_keep_it_from_itself_or_from_names() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    alice.firewall(&Firewall::new().drop_in().drop_out().allow_out(Protocol::Tcp, 7))?;
    assert!(converse(&alice, &alice, [127, 0, 0, 1].into()));
    let door = bob.enter(|| TcpListener::bind("0.0.0.0:7").expect("the port is free"));
    alice.enter(|| TcpStream::connect("bob:7")).expect("by name");
    drop(door);
    Ok(())
}

#[isotest]
fn a_router_lets_through_what_it_is_told_to() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = row(&lab)?;
    gw.firewall(&Firewall::new().drop_forward().allow_forward(Protocol::Tcp, 80))?;
    assert_eq!(failure(&alice, &bob, 80), None);
    assert!(is_silent_at(&alice, &bob, 81));
    assert!(is_deaf(&bob, &alice, bob.address().into()), "the sender hears nothing of it");
    assert!(hears(&gw, &alice, gw.address().into()), "to the router itself all is open");
    gw.firewall(&Firewall::new().block_forward(Protocol::Tcp, 80).reject())?;
    assert_eq!((failure(&alice, &bob, 80), failure(&alice, &bob, 81)), (Some(ErrorKind::ConnectionRefused), None));
    Ok(())
}

#[isotest]
fn a_router_may_let_begin_from_one_side_only() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    lab.link(&alice, &gw)?;
    let outside = lab.link(&gw, &bob)?;
    gw.firewall(&Firewall::new().drop_forward_from(&outside))?;
    for (inside, out) in alice.addresses().into_iter().zip(bob.addresses()) {
        assert!(converse(&alice, &bob, out));
        assert!(is_deaf(&alice, &bob, inside));
    }
    Ok(())
}

#[isotest]
fn open_connections_outlive_a_firewall() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _, bob) = row(&lab)?;
    let door = bob.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let mut near = alice.enter(|| connect((bob.address(), 80).into())).expect("it listens");
    let (mut far, _) = door.accept().expect("it has come");
    bob.firewall(&Firewall::new().drop_in())?;
    near.write_all(b"ping").expect("it is open");
    assert_eq!(word(&far), *b"ping");
    far.write_all(b"pong").expect("it is open");
    assert_eq!(word(&near), *b"pong");
    assert!(is_silent_at(&alice, &bob, 81), "new ones are not let in");
    assert!(is_silent(&near));
    Ok(())
}

#[isotest]
fn a_firewall_is_checked_against_its_host() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    let near = lab.link(&alice, &gw)?;
    lab.link(&gw, &bob)?;
    let says = |result: Result<()>, expected: &Expect| {
        expected.assert_eq(&result.expect_err("it is a mistake").to_string());
    };
    says(
        bob.firewall(&Firewall::new().drop_forward()),
        &expect![
            "putting up a firewall at `bob`: `bob` is no router, and forwards nothing; say what it lets in and out, or make it by `lab.router`"
        ],
    );
    says(
        bob.firewall(&Firewall::new().allow_in(Protocol::Udp, 0)),
        &expect!["putting up a firewall at `bob`: there is no port 0; name ports from 1 to 65535"],
    );
    says(
        bob.firewall(&Firewall::new().drop_forward_from(&near)),
        &expect![
            "looking for `bob` at the link made by linking `alice` and `gw`: it is not there; name one of the hosts that the link connects"
        ],
    );
    Ok(())
}
