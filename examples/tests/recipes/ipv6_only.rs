//! A network without IPv4: does the program really speak IPv6?

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, ToSocketAddrs};

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest]
fn a_client_finds_its_server_without_ipv4() -> Result<()> {
    let lab = Lab::new()?;
    let (phone, web) = (lab.host("phone")?, lab.host("web")?);
    lab.switch("carrier")?.without_ipv4()?.connect(&[&phone, &web])?;

    let _door = web.enter(|| TcpListener::bind("[::]:80").expect("free"));
    phone.enter(|| TcpStream::connect("web:80")).expect("the name has an IPv6 address");
    let addresses = phone.enter(|| "web:80".to_socket_addrs()).expect("the name is known");
    assert!(addresses.into_iter().all(|address| address.is_ipv6()));
    Ok(())
}

/// What the recipe finds: a server that is bound to an IPv4 address is not there for such a client.
#[isotest]
fn a_server_that_listens_on_ipv4_only_is_found_out() -> Result<()> {
    let lab = Lab::new()?;
    let (phone, web) = (lab.host("phone")?, lab.host("web")?);
    lab.switch("carrier")?.without_ipv4()?.connect(&[&phone, &web])?;

    let _door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("free"));
    let refused = phone.enter(|| TcpStream::connect("web:80")).expect_err("nobody listens on IPv6");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    Ok(())
}
