//! What do others see of a host that is frozen?

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use isotest::isotest;
use isotest::lab::{Lab, Result};

use crate::talk::{connect, is_silent, word};

#[isotest]
fn it_takes_connections_and_data_and_answers_nothing_until_it_thaws() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let door = bob.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let call = || alice.enter(|| connect((bob.address(), 80).into())).expect("bob listens");
    let mut near = call();
    let (far, _): (TcpStream, _) = door.accept().expect("alice has come");
    // A server that gives back what it gets.
    let mut echo = bob.command("cat");
    echo.stdin(far.try_clone().map(OwnedFd::from).expect("descriptors are left")).stdout(OwnedFd::from(far));
    let mut server = echo.spawn().expect("coreutils");
    drop(echo);
    near.write_all(b"ping").expect("it is open");
    assert_eq!(word(&near), *b"ping");

    bob.freeze().expect("it stops");
    near.write_all(b"pong").expect("bob's kernel takes it");
    assert!(is_silent(&near));
    drop(call());
    bob.thaw().expect("it goes on");
    assert_eq!(word(&near), *b"pong");
    drop(lab);
    server.wait().expect("it ended with the lab");
    Ok(())
}

#[isotest]
fn a_host_whose_servers_are_threads_of_the_test_is_not_called_frozen() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let idle = bob.freeze().expect_err("there is nothing to freeze").to_string();
    assert!(idle.starts_with("freezing `bob`: nothing runs there, and only programs can be stopped"), "{idle}");
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let (come, came) = std::sync::mpsc::channel();
    let server = bob.spawn(move || {
        come.send(()).expect("somebody waits");
        ended.recv().is_err()
    })?;
    came.recv().expect("it is there");
    let error = bob.freeze().expect_err("it would run on").to_string();
    // A thread that has entered it may not quite have ended.
    assert!(["the test's thread", "threads of the test"].iter().any(|threads| error.contains(threads)), "{error}");
    drop(end);
    assert!(server.join(), "it has run all the time");
    Ok(())
}

#[isotest]
fn a_frozen_host_does_not_outlive_its_lab() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let mut child = bob.command("sleep").arg("1000").spawn().expect("coreutils");
    bob.freeze().expect("it stops");
    drop(lab);
    assert!(!child.wait().expect("it is ours").success());
    Ok(())
}
