//! A server that takes its time to start: does the client wait for it, and does the test wait no longer than it must?

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

#[isotest(timeout = "60s")]
fn a_client_outlasts_a_slow_start() -> Result<()> {
    let lab = Lab::new()?;
    let (client, db) = (lab.host("client")?, lab.host("db")?);
    lab.link(&client, &db)?;

    let early = client.enter(|| TcpStream::connect("db:5432")).expect_err("db is up, but nobody listens yet");
    assert_eq!(early.kind(), ErrorKind::ConnectionRefused);
    start_slowly(&db)?;
    client.enter(|| patiently("db:5432"));
    Ok(())
}

#[isotest(timeout = "60s")]
fn a_test_waits_without_knocking() -> Result<()> {
    let lab = Lab::new()?;
    let (client, db) = (lab.host("client")?, lab.host("db")?);
    lab.link(&client, &db)?;

    start_slowly(&db)?;
    db.wait_listening(5432)?;
    client.enter(|| TcpStream::connect("db:5432")).expect("it listens");
    Ok(())
}

/// The server: it reads its journal first.
fn start_slowly(db: &Host) -> Result<()> {
    db.spawn(|| {
        sleep(Duration::from_millis(300));
        let door = TcpListener::bind("0.0.0.0:5432").expect("free");
        door.incoming().for_each(drop);
    })?;
    Ok(())
}

/// The client under test: it comes again until it is let in.
fn patiently(server: &str) -> TcpStream {
    loop {
        match TcpStream::connect(server) {
            Ok(stream) => return stream,
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => sleep(Duration::from_millis(20)),
            Err(error) => panic!("{error}"),
        }
    }
}
