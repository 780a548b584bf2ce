//! Hosts that crash, and hosts that stand still.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::Result;

use crate::networks::shop;

#[isotest]
fn a_crash() -> Result<()> {
    let shop = shop()?;
    let (client, db) = (&shop.client, &shop.db);
    let _door = db.enter(|| TcpListener::bind("0.0.0.0:5432").expect("free"));
    let mut connection = client.enter(|| TcpStream::connect("db:5432").expect("it listens"));

    db.crash()?;
    connection.set_read_timeout(Some(Duration::from_millis(200))).expect("the time is not zero");
    connection.write_all(b"select 1").expect("the client knows nothing of it");
    let silence = connection.read(&mut [0]).expect_err("nobody answers");
    assert_eq!(silence.kind(), ErrorKind::WouldBlock);

    db.restart()?;
    let refused = client.enter(|| TcpStream::connect("db:5432")).expect_err("nobody listens yet");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    Ok(())
}
