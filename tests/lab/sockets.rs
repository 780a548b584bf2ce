//! Which sockets does a host have, and how is one waited for that listens?

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Protocol, Result, State};

use crate::talk::connect;

fn pair(lab: &Lab) -> Result<[Host; 2]> {
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    Ok([alice, bob])
}

fn listen(host: &Host, address: impl Into<IpAddr>, port: u16) -> TcpListener {
    let address = address.into();
    host.enter(|| TcpListener::bind((address, port)).expect("every port is free and allowed"))
}

#[isotest]
fn a_program_is_waited_for_until_it_listens() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let mut program = bob.command(env!("CARGO_BIN_EXE_listen"));
    let server = std::thread::spawn(move || program.args(["0.0.0.0:80", "stay"]).status());
    bob.wait_listening(80)?;
    alice.enter(|| connect((bob.address(), 80).into())).expect("bob listens");
    assert!(server.join().expect("it only waits").expect("it is built").success());
    Ok(())
}

#[isotest]
fn waiting_connects_to_nobody() -> Result<()> {
    let lab = Lab::new()?;
    let [_, bob] = pair(&lab)?;
    let door = listen(&bob, Ipv4Addr::UNSPECIFIED, 80);
    bob.wait_listening(80)?;
    door.set_nonblocking(true).expect("sockets can be");
    let knocked = door.accept().expect_err("nobody has knocked");
    assert_eq!(knocked.kind(), std::io::ErrorKind::WouldBlock);
    Ok(())
}

#[isotest]
fn each_protocol_and_each_host_is_waited_for_by_itself() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let _socket = bob.enter(|| UdpSocket::bind("[::]:53").expect("every port is free and allowed"));
    let soon = Duration::from_millis(10);
    bob.wait_until_listening(Protocol::Udp, 53, soon)?;
    bob.wait_until_listening(Protocol::Tcp, 53, soon).expect_err("it is a UDP socket");
    alice.wait_until_listening(Protocol::Udp, 53, soon).expect_err("it is bob's");
    Ok(())
}

#[isotest]
fn who_waits_in_vain_is_told_what_there_is_instead() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let _door = listen(&bob, Ipv4Addr::LOCALHOST, 8080);
    let mut sleeps = bob.command("sleep").arg("1000").spawn().expect("coreutils");
    let soon = Duration::from_millis(10);
    let error = bob.wait_until_listening(Protocol::Tcp, 80, soon).expect_err("nobody listens").to_string();
    let expected = format!(
        "waiting until `bob` listens at tcp port 80: nobody did within 10ms; it listens at tcp 127.0.0.1:8080 instead; \
         what runs there is pid {} (sleep 1000); start the server there by `Host::spawn` or `Host::command`",
        sleeps.id()
    );
    assert_eq!(error, expected);
    let error = alice.wait_until_listening(Protocol::Tcp, 80, soon).expect_err("nobody listens").to_string();
    assert!(error.contains("it listens nowhere; nothing runs there"), "{error}");
    sleeps.kill().and_then(|()| sleeps.wait()).expect("it runs");
    Ok(())
}

#[isotest]
fn both_ends_of_a_connection_are_seen_where_they_are() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    for address in [IpAddr::from(bob.address()), bob.address_v6().into()] {
        let door = listen(&bob, address, 80);
        let mut client = alice.enter(|| connect((address, 80).into())).expect("bob listens");
        let (mut server, from) = door.accept().expect("alice has come");

        assert_eq!(
            bob.listeners()?.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [format!("tcp {}", SocketAddr::from((address, 80)))]
        );
        assert!(alice.listeners()?.is_empty());
        assert_eq!(ends(&alice)?, [(from, server.local_addr().expect("it is connected"), State::Established)]);
        assert_eq!(ends(&bob)?, [(server.local_addr().expect("it is connected"), from, State::Established)]);

        client.write_all(b"bye").and_then(|()| client.shutdown(std::net::Shutdown::Write)).expect("bob listens");
        server.read_to_end(&mut Vec::new()).expect("alice has closed her half");
        assert_eq!(ends(&bob)?[0].2, State::CloseWait);
        // Bob's kernel may take its time to acknowledge it.
        assert!(matches!(ends(&alice)?[0].2, State::FinWait1 | State::FinWait2));
        drop((server, client));
    }
    Ok(())
}

fn ends(host: &Host) -> Result<Vec<(SocketAddr, SocketAddr, State)>> {
    let open = host.connections()?.into_iter().filter(|connection| connection.state != State::TimeWait);
    Ok(open.map(|connection| (connection.local, connection.remote, connection.state)).collect())
}

#[isotest]
fn ipv4_through_an_ipv6_socket_is_seen_as_ipv4() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let door = listen(&bob, std::net::Ipv6Addr::UNSPECIFIED, 80);
    let _client: TcpStream = alice.enter(|| connect((bob.address(), 80).into())).expect("bob listens");
    let (_server, _) = door.accept().expect("alice has come");
    assert_eq!(ends(&bob)?[0].0, SocketAddr::from((bob.address(), 80)));
    Ok(())
}

#[isotest]
fn connected_udp_sockets_are_connections_and_others_are_not() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let socket = alice.enter(|| UdpSocket::bind("0.0.0.0:5000").expect("every port is free and allowed"));
    assert!(alice.connections()?.is_empty());
    socket.connect((bob.address(), 53)).expect("there is a route");
    let connections = alice.connections()?;
    assert_eq!((connections.len(), connections[0].protocol), (1, Protocol::Udp));
    assert_eq!(connections[0].remote, SocketAddr::from((bob.address(), 53)));
    assert!(alice.listeners()?.is_empty());
    Ok(())
}
