//! A client with a hard-coded `https` host, tested as it is: the host is answered by the test.
//!
//! Today's alternatives: a base address that only tests set, so that what is tested is not what runs; a mock of the client library, which
//! never meets a broken connection; or the real service, which never fails when a test wants it to.

use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use isotest::isotest;
use isotest::lab::{Asked, Internet, Result, TlsStream};

/// The program. Nothing in it knows of tests.
mod weather {
    use ureq::Agent;
    use ureq::tls::{RootCerts, TlsConfig};

    /// Tries three times, as one should.
    pub(crate) fn degrees(city: &str) -> Result<i32, String> {
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let client: Agent = Agent::config_builder().tls_config(tls).proxy(None).build().into();
        let once = || {
            let mut answer = client.get(format!("https://api.weather.example/v1/{city}")).call()?;
            answer.body_mut().read_to_string()
        };
        let answer = once().or_else(|_| once()).or_else(|_| once()).map_err(|error| error.to_string())?;
        answer.trim().parse().map_err(|_| format!("{answer:?} is no temperature"))
    }
}

/// Reads a request to its end; gives its path.
fn request(stream: TlsStream) -> (String, BufReader<TlsStream>) {
    let mut stream = BufReader::new(stream);
    let mut lines = String::new();
    while !lines.ends_with("\r\n\r\n") {
        stream.read_line(&mut lines).expect("the client asks");
    }
    (lines.split(' ').nth(1).unwrap_or_default().to_owned(), stream)
}

fn answer(stream: &mut BufReader<TlsStream>, status: &str, body: &str) {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.get_mut().write_all((head + body).as_bytes()).expect("the client listens");
}

fn serve(handler: impl Fn(TlsStream, Asked) + Send + Sync + 'static) -> Result<Internet> {
    let internet = Internet::new()?;
    internet.serve_tls("api.weather.example", 443, handler)?;
    Ok(internet)
}

#[isotest]
fn the_client_runs_unchanged() -> Result<()> {
    let _internet = serve(|stream, asked| {
        assert_eq!(asked.name.as_deref(), Some("api.weather.example"));
        let (path, mut stream) = request(stream);
        answer(&mut stream, "200 OK", if path == "/v1/lisbon" { "21" } else { "-3" });
    })?;
    assert_eq!(weather::degrees("lisbon"), Ok(21));
    assert_eq!(weather::degrees("oslo"), Ok(-3));
    Ok(())
}

#[isotest]
fn it_tries_again_when_the_service_has_a_bad_moment() -> Result<()> {
    let visits = AtomicU32::new(0);
    let _internet = serve(move |stream, _| {
        let (_, mut stream) = request(stream);
        match visits.fetch_add(1, Ordering::Relaxed) {
            0 => answer(&mut stream, "503 Service Unavailable", "busy"),
            1 => stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n2").expect("half of it"),
            _ => answer(&mut stream, "200 OK", "22"),
        }
    })?;
    assert_eq!(weather::degrees("lisbon"), Ok(22));
    Ok(())
}

#[isotest]
fn nonsense_is_told_as_such() -> Result<()> {
    let _internet = serve(|stream, _| answer(&mut request(stream).1, "200 OK", "warm"))?;
    assert_eq!(weather::degrees("lisbon"), Err("\"warm\" is no temperature".to_owned()));
    Ok(())
}

#[isotest]
fn without_an_internet_it_fails_at_once() {
    assert!(weather::degrees("lisbon").is_err());
}
