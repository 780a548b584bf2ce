//! What do others see of a host that crashes, and what is there after it has been restarted?

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Protocol, Result};

use crate::talk::{connect, converse, hears, is_deaf, is_silent};

fn pair(lab: &Lab) -> Result<(Host, Host, Link)> {
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    Ok((alice, bob, link))
}

/// The two ends of an open connection, and where it was accepted.
fn connected(from: &Host, to: &Host) -> (TcpStream, TcpStream, TcpListener) {
    let door = to.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let near = from.enter(|| connect((to.address(), 80).into())).expect("somebody listens");
    let (far, _) = door.accept().expect("it has come");
    (near, far, door)
}

/// How a connection ends whose other end knows nothing of it any more.
fn end(mut stream: &TcpStream) -> ErrorKind {
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
    stream.write_all(b"still there?").ok();
    stream.read(&mut [0]).expect_err("nobody has said anything").kind()
}

#[isotest]
fn peers_hear_nothing_and_after_the_restart_a_reset() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, _) = pair(&lab)?;
    let (near, mut far, _door) = connected(&alice, &bob);
    bob.crash()?;
    assert!(is_silent(&near));
    assert_eq!(far.write_all(b"I am dead").expect_err("so it is").kind(), ErrorKind::ConnectionAborted);
    bob.restart()?;
    assert!(is_silent(&near), "nobody has spoken to bob yet");
    assert_eq!(end(&near), ErrorKind::ConnectionReset);
    Ok(())
}

#[isotest]
fn nobody_listens_after_the_restart_and_the_port_is_free() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, _) = pair(&lab)?;
    let (_near, _far, _door) = connected(&alice, &bob);
    bob.crash()?;
    bob.restart()?;
    assert!(bob.listeners()?.is_empty() && bob.connections()?.is_empty());
    let refused = alice.enter(|| connect((bob.address(), 80).into())).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(bob.addresses().into_iter().all(|address| converse(&alice, &bob, address)), "by the same addresses");
    let (_near, _far, _door) = connected(&alice, &bob);
    Ok(())
}

#[isotest]
fn its_processes_are_killed_and_their_connections_say_no_farewell() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, _) = pair(&lab)?;
    let (near, far, door) = connected(&alice, &bob);
    let ear = bob.enter(|| UdpSocket::bind("0.0.0.0:53").expect("the port is free"));
    // A program that holds all there is, as a server would.
    let mut server = bob.command("sleep");
    server.arg("1000").stdin(OwnedFd::from(far)).stdout(OwnedFd::from(door)).stderr(OwnedFd::from(ear));
    let mut child = server.spawn().expect("coreutils");
    drop(server);
    bob.wait_until_listening(Protocol::Udp, 53, Duration::from_secs(1)).expect("the program holds the socket");
    bob.crash().expect("it is up");
    assert_eq!(child.wait().expect("it is ours").signal(), Some(9));
    bob.restart()?;
    assert!(is_silent(&near), "a killed process's kernel would have closed it");
    assert_eq!(end(&near), ErrorKind::ConnectionReset);
    assert!(bob.listeners()?.is_empty(), "the UDP socket ended with its process");
    Ok(())
}

#[isotest]
fn without_a_crash_a_killed_process_s_kernel_closes_its_connections() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, _) = pair(&lab)?;
    let (mut near, far, _door) = connected(&alice, &bob);
    let mut command = bob.command("sleep");
    let mut child = command.arg("1000").stdin(OwnedFd::from(far)).spawn().expect("coreutils");
    drop(command);
    child.kill().and_then(|()| child.wait()).expect("it is ours");
    assert_eq!(near.read(&mut [0]).expect("it is closed in order"), 0);
    Ok(())
}

#[isotest]
fn a_crashed_host_is_entered_by_nobody_until_it_is_restarted() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, _) = pair(&lab)?;
    bob.crash()?;
    bob.crash()?;
    expect_test::expect!["entering `bob`: it has crashed; bring it back by `restart` first"]
        .assert_eq(&bob.spawn(|| ()).expect_err("it has crashed").to_string());
    bob.restart()?;
    bob.restart()?;
    bob.spawn(|| ())?.join();
    let here = lab.here();
    expect_test::expect![
        "adding `here`: the lab is up already; add all hosts and links, and choose their addresses, before the first host is entered"
    ]
    .assert_eq(&here.expect_err("too late").to_string());
    drop(alice);
    Ok(())
}

#[isotest]
fn the_test_s_own_network_does_not_crash() -> Result<()> {
    let lab = Lab::new()?;
    let here = lab.here()?;
    expect_test::expect!["crashing `here`: the test itself runs there; crash a host of its own, by `lab.host`"]
        .assert_eq(&here.crash().expect_err("it would be the test's end").to_string());
    expect_test::expect!["freezing `here`: the test itself runs there; take a host of its own, by `lab.host`"]
        .assert_eq(&here.freeze().expect_err("nobody could thaw it").to_string());
    Ok(())
}

#[isotest]
fn through_a_crashed_router_nothing_goes_and_cut_links_stay_cut() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    let link = lab.link(&alice, &gw)?;
    lab.link(&gw, &bob)?;
    assert!(hears(&bob, &alice, bob.address().into()));
    gw.crash()?;
    assert!(is_deaf(&bob, &alice, bob.address().into()));
    link.cut()?;
    gw.restart()?;
    assert!(is_deaf(&bob, &alice, bob.address().into()));
    link.restore()?;
    assert!(hears(&bob, &alice, bob.address().into()));
    Ok(())
}

#[isotest]
fn a_restarted_router_has_forgotten_for_whom_its_ports_were() -> Result<()> {
    let lab = Lab::new()?;
    let (inside, gateway, outside) = (lab.host("inside")?, lab.router("gateway")?, lab.host("outside")?);
    lab.link(&inside, &gateway)?;
    let line = lab.link(&gateway, &outside)?;
    gateway.full_cone(&line)?;
    let [near, far] = [&inside, &outside].map(|host| {
        let socket = host.enter(|| UdpSocket::bind("0.0.0.0:4000").expect("the port is free"));
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("it is not zero");
        socket
    });
    let front = (line.address_of(&gateway)?, 4000);
    near.send_to(b"!", (outside.address(), 4000)).and_then(|_| far.recv(&mut [0])).expect("it goes out");
    far.send_to(b"!", front).and_then(|_| near.recv(&mut [0])).expect("it is remembered");
    gateway.crash()?;
    gateway.restart()?;
    far.send_to(b"!", front).and_then(|_| near.recv(&mut [0])).expect_err("it is forgotten");
    near.send_to(b"!", (outside.address(), 4000)).and_then(|_| far.recv(&mut [0])).expect("it goes out again");
    far.send_to(b"!", front).and_then(|_| near.recv(&mut [0])).expect("it is remembered again");
    Ok(())
}
