//! Two hosts and a link.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest]
fn a_client_and_a_server() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    lab.link(&client, &web)?;

    let door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free and allowed"));
    web.spawn(move || {
        let (mut visitor, _) = door.accept().expect("somebody comes");
        visitor.write_all(b"welcome").expect("the visitor listens");
    })?;

    let mut connection = client.enter(|| TcpStream::connect("web:80")).expect("web listens");
    let mut greeting = String::new();
    connection.read_to_string(&mut greeting).expect("text");
    assert_eq!(greeting, "welcome");
    Ok(())
}

#[isotest]
fn a_program_in_a_host() -> Result<()> {
    let lab = Lab::new()?;
    let web = lab.host("web")?;
    let said = web.command("hostname").output().expect("hostname(1) is there");
    assert_eq!(said.stdout, b"web\n");
    Ok(())
}

#[isotest]
fn sockets_of_two_hosts_in_one_thread() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    lab.link(&client, &web)?;
    let door = web.enter(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).expect("free"));
    let mut sent = client.enter(|| TcpStream::connect((web.address(), 80)).expect("web listens"));
    let (mut received, from) = door.accept().expect("the client has connected");
    assert_eq!(from.ip(), client.address());
    sent.write_all(b"ping").expect("web holds its end");
    let mut bytes = [0; 4];
    received.read_exact(&mut bytes).expect("the client has sent it");
    Ok(())
}
