//! `#[rstest]`: every case has a sandbox of its own, and its fixtures are made there.

use std::net::TcpListener;

use isotest::isotest;
use rstest::{fixture, rstest};

#[fixture]
fn server() -> TcpListener {
    TcpListener::bind("127.0.0.1:80").expect("port 80 is free in a sandbox")
}

#[rstest]
#[case::one("127.0.0.1:80")]
#[case::another("127.0.0.1:80")]
#[isotest]
fn every_case_has_the_same_port(#[case] address: &str, server: TcpListener) {
    assert_eq!(std::process::id(), 2);
    assert_eq!(server.local_addr().expect("a bound socket has an address").to_string(), address);
}

#[rstest]
#[isotest::test(hostname = "matrix")]
fn every_combination_is_a_test(#[values(1, 2)] one: u8, #[values(3, 4)] other: u8) {
    assert_eq!(std::process::id(), 2);
    assert_eq!(nix::unistd::gethostname().expect("there is a host name"), "matrix");
    assert!(one < other);
}

#[rstest]
#[case(1)]
#[isotest]
#[tokio::test]
async fn a_case_may_be_a_future(#[case] _number: u8) {
    assert_eq!(std::process::id(), 2);
}
