//! Where does code under test try to go?

use std::io::ErrorKind;
use std::net::{TcpStream, ToSocketAddrs};

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest(egress = "record")]
fn a_client_calls_home() {
    let refused = TcpStream::connect("203.0.113.7:443").expect_err("nothing leaves").kind();
    assert_eq!(refused, ErrorKind::NetworkUnreachable);
    ("telemetry.example.com", 443).to_socket_addrs().expect_err("nobody knows the name");
}

#[isotest(egress = ["203.0.113.0/24:443", "*.example.com"])]
fn a_client_calls_nobody_else() {
    TcpStream::connect("203.0.113.7:443").expect_err("nothing leaves");
    ("telemetry.example.com", 443).to_socket_addrs().expect_err("nobody knows the name");
}

#[isotest(egress = "record")]
fn a_host_calls_home() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    bob.enter(|| TcpStream::connect("203.0.113.7:443")).expect_err("nothing leaves");
    Ok(())
}
