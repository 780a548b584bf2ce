//! The code of docs/internet.md.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Asked, Internet, Lab, Result};

/// A program that is tested. It has its host written down in it, and no test was thought of.
fn motd() -> std::io::Result<String> {
    let mut text = String::new();
    TcpStream::connect("motd.example.com:17")?.read_to_string(&mut text)?;
    Ok(text)
}

#[isotest]
fn the_test_body_alone() -> Result<()> {
    let internet = Internet::new()?;
    internet.serve("motd.example.com", 17, |mut visitor, _| {
        visitor.write_all(b"be quick").expect("the visitor listens");
    })?;

    assert_eq!(motd().expect("somebody answers"), "be quick");
    Ok(())
}

#[isotest]
fn names_and_addresses() -> Result<()> {
    let lab = Lab::new()?;
    let client = lab.host("client")?;
    let internet = lab.internet()?;
    let tell = |mut visitor: TcpStream, asked: Asked| write!(visitor, "this is {asked}").expect("the visitor listens");
    internet.serve("93.184.216.34", 80, tell)?;
    internet.serve("*.example.com", 80, tell)?;
    internet.serve("*", 8080, tell)?;
    let hear = |host: &'static str| {
        client.enter(|| {
            let mut text = String::new();
            TcpStream::connect(host)?.read_to_string(&mut text).map(|_| text)
        })
    };
    assert_eq!(hear("93.184.216.34:80").expect("served"), "this is 93.184.216.34:80");
    assert_eq!(hear("cdn.example.com:80").expect("served"), "this is cdn.example.com:80");
    assert_eq!(hear("wherever.example.org:8080").expect("served"), "this is wherever.example.org:8080");
    assert_eq!(hear("192.0.2.7:8080").expect("served"), "this is 192.0.2.7:8080");

    let refused = hear("93.184.216.34:81").expect_err("nobody serves that port");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    hear("api.example.net:80").expect_err("nobody has that name");
    Ok(())
}

#[isotest]
fn a_moody_server() -> Result<()> {
    let internet = Internet::new()?;
    internet.serve("motd.example.com", 17, |visitor, _| drop(visitor))?;
    assert_eq!(motd().expect("it is closed in order"), "");

    internet.serve("motd.example.com", 17, |mut visitor, _| {
        visitor.write_all(b"better now").expect("the visitor listens");
    })?;
    assert_eq!(motd().expect("somebody answers"), "better now");
    Ok(())
}

#[isotest]
fn through_routers() -> Result<()> {
    let lab = Lab::new()?;
    let (client, home, provider) = (lab.host("client")?, lab.router("home")?, lab.router("provider")?);
    let internet = lab.internet()?;
    lab.link(&client, &home)?;
    let line = lab.link(&home, &provider)?;
    lab.link(&provider, &internet)?;
    home.masquerade(&line)?;

    internet.serve("whoami.example.com", 80, |mut visitor, asked| {
        write!(visitor, "{}", asked.from.ip()).expect("the visitor listens");
    })?;
    let mut seen = String::new();
    let mut connection = client.enter(|| TcpStream::connect("whoami.example.com:80")).expect("served");
    connection.read_to_string(&mut seen).expect("text");
    let seen = seen.parse().expect("an address");
    assert!(home.addresses().contains(&seen) && !client.addresses().contains(&seen));
    Ok(())
}

#[isotest]
fn encrypted() -> Result<()> {
    let internet = Internet::new()?;
    internet.serve_tls("api.example.com", 443, |stream, _| {
        let mut stream = BufReader::new(stream);
        let mut request = String::new();
        stream.read_line(&mut request).expect("a request");
        assert_eq!(request, "GET /v1/price HTTP/1.1\r\n");
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n42";
        stream.get_mut().write_all(answer).expect("the client listens");
    })?;
    let price =
        client().get("https://api.example.com/v1/price").call().and_then(|mut it| it.body_mut().read_to_string());
    assert_eq!(price.expect("the certificate is accepted"), "42");
    Ok(())
}

/// A client that trusts whom its machine trusts.
fn client() -> ureq::Agent {
    let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder().tls_config(tls).proxy(None).build().into()
}

#[isotest]
fn datagrams() -> Result<()> {
    let internet = Internet::new()?;
    internet.serve_udp("time.example.com", 123, |question, _| {
        (question == b"what time is it?").then(|| b"late".to_vec())
    })?;

    let socket = UdpSocket::bind("0.0.0.0:0").expect("there are free ports");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
    socket.connect("time.example.com:123").expect("the name is known");
    socket.send(b"what time is it?").expect("there is a way");
    let mut answer = [0; 16];
    let length = socket.recv(&mut answer).expect("an answer comes from where it was asked for");
    assert_eq!(&answer[..length], b"late");
    Ok(())
}
