//! A path on which large packets vanish without a word, as behind a tunnel whose ICMP somebody has filtered: connecting works, and then
//! the first large answer hangs.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Faults, Lab, Result};

#[isotest]
fn a_small_answer_comes_and_a_large_one_hangs() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    lab.link(&client, &web)?.faults_from(&web, Faults::new().mtu_black_hole(1280))?;

    let door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("free"));
    let mut connection = client.enter(|| TcpStream::connect(("web", 80)).expect("a handshake is small"));
    let (mut served, _) = door.accept().expect("the client has connected");
    connection.set_read_timeout(Some(Duration::from_millis(500))).expect("the time is not zero");

    served.write_all(b"small").expect("the client is there");
    connection.read_exact(&mut [0; 5]).expect("small packets pass");
    served.write_all(&[7; 4000]).expect("the socket takes it");
    connection.read_exact(&mut [0; 4000]).expect_err("large packets vanish, and nobody says so");
    Ok(())
}

/// The remedy: a server that keeps its segments small.
#[isotest]
fn with_small_segments_it_comes() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    lab.link(&client, &web)?.mtu(1280)?.faults_from(&web, Faults::new().mtu_black_hole(1280))?;

    let door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("free"));
    let mut connection = client.enter(|| TcpStream::connect(("web", 80)).expect("a handshake is small"));
    let (mut served, _) = door.accept().expect("the client has connected");
    served.write_all(&[7; 4000]).expect("the socket takes it");
    connection.read_exact(&mut [0; 4000]).expect("all of it passes");
    Ok(())
}
