//! The network of a hotel: until one has logged in, every name and every address answers with the login page.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use isotest::isotest;
use isotest::lab::{Asked, Lab, Result};

#[isotest]
fn a_client_notices_that_it_has_to_log_in() -> Result<()> {
    let lab = Lab::new()?;
    let laptop = lab.host("laptop")?;
    let internet = lab.internet()?;
    let logged_in = Arc::new(AtomicBool::new(false));
    let door = Arc::clone(&logged_in);
    internet.serve("*", 80, move |stream: TcpStream, asked: Asked| {
        let answer = match asked.name.as_deref() {
            Some("login.hotel.example") => {
                door.store(true, Ordering::Relaxed);
                "200 OK\r\n"
            }
            _ if door.load(Ordering::Relaxed) => "204 No Content\r\n",
            _ => "302 Found\r\nLocation: http://login.hotel.example/\r\n",
        };
        respond(stream, answer);
    })?;

    laptop.enter(|| {
        assert_eq!(connectivity(), Connectivity::Portal("http://login.hotel.example/".to_owned()));
        get("login.hotel.example");
        assert_eq!(connectivity(), Connectivity::Free);
    });
    Ok(())
}

/// What the recipe is about: without the portal nothing is asked of anybody.
#[isotest]
fn without_a_portal_it_does_not() -> Result<()> {
    let lab = Lab::new()?;
    let laptop = lab.host("laptop")?;
    let answer = |stream: TcpStream, _: Asked| respond(stream, "204 No Content\r\n");
    lab.internet()?.serve("connectivity-check.example.com", 80, answer)?;
    laptop.enter(|| assert_eq!(connectivity(), Connectivity::Free));
    Ok(())
}

/// The client under test, as phones and browsers have it: a page that is known to be empty.
fn connectivity() -> Connectivity {
    let answer = get("connectivity-check.example.com");
    match answer.iter().find_map(|line| line.strip_prefix("Location: ")) {
        Some(portal) => Connectivity::Portal(portal.to_owned()),
        None if answer[0].contains("204") => Connectivity::Free,
        None => Connectivity::None,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Connectivity {
    None,
    Free,
    Portal(String),
}

/// The head of a page.
fn get(host: &str) -> Vec<String> {
    let mut connection = TcpStream::connect((host, 80)).expect("somebody answers for every name");
    write!(connection, "GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").expect("the other side reads");
    BufReader::new(connection).lines().map_while(std::io::Result::ok).collect()
}

fn respond(mut stream: TcpStream, status: &str) {
    let request = BufReader::new(stream.try_clone().expect("a descriptor is free")).lines();
    request.map_while(std::io::Result::ok).find(String::is_empty);
    write!(stream, "HTTP/1.1 {status}Content-Length: 0\r\nConnection: close\r\n\r\n").expect("the client reads");
}
