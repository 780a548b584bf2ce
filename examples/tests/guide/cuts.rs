//! Links that are cut, and networks that fall apart.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Result};

use crate::networks::shop;

#[isotest]
fn a_connection_outlasts_a_cut() -> Result<()> {
    let shop = shop()?;
    let (client, web, outside) = (&shop.client, &shop.web, &shop.outside);
    let door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("free"));
    let mut sent = client.enter(|| TcpStream::connect("web:80").expect("web listens"));
    let (mut received, _) = door.accept().expect("the client has connected");

    outside.cut()?;
    sent.write_all(b"are you there?").expect("the kernel keeps it, and tries again and again");
    received.set_read_timeout(Some(Duration::from_millis(300))).expect("the time is not zero");
    let mut text = [0; 14];
    received.read_exact(&mut text).expect_err("nothing arrives");
    outside.restore()?;
    received.set_read_timeout(None).expect("a socket");
    received.read_exact(&mut text).expect("it arrives now");
    assert_eq!(&text, b"are you there?");
    Ok(())
}

#[isotest]
fn half_a_link() -> Result<()> {
    let shop = shop()?;
    let (client, web) = (&shop.client, &shop.web);
    let [here, there] = [client, web].map(|host| host.enter(|| UdpSocket::bind("0.0.0.0:9").expect("free")));
    let listen = |socket: &UdpSocket| {
        socket.set_read_timeout(Some(Duration::from_millis(300))).expect("the time is not zero");
        socket.recv(&mut [0; 9]).is_ok()
    };

    here.send_to(b"hello", (web.address(), 9)).expect("it leaves the socket");
    assert!(listen(&there));

    shop.outside.cut_from(client)?;
    here.send_to(b"forth", (web.address(), 9)).expect("it leaves the socket");
    there.send_to(b"back", (client.address(), 9)).expect("it leaves the socket");
    assert!(listen(&here) && !listen(&there));
    Ok(())
}

#[isotest]
fn a_partition() -> Result<()> {
    let shop = shop()?;
    let (lab, client, web, db) = (&shop.lab, &shop.client, &shop.web, &shop.db);
    let _doors = [web, db].map(|host| host.enter(|| TcpListener::bind("0.0.0.0:80").expect("free")));
    let reaches = |server: &Host| {
        let server = (server.address(), 80).into();
        client.enter(|| TcpStream::connect_timeout(&server, Duration::from_millis(500)).is_ok())
    };

    lab.partition(&[client], &[db])?;
    assert!(reaches(web) && !reaches(db));
    lab.heal()?;
    assert!(reaches(db));
    Ok(())
}
