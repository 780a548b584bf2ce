//! Who gets through which kinds of translating routers?

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result, Router};

type Kind = fn(&Router, &Link) -> Result<()>;

fn cone(router: &Router, link: &Link) -> Result<()> {
    router.masquerade(link).map(drop)
}

fn symmetric(router: &Router, link: &Link) -> Result<()> {
    router.symmetric(link).map(drop)
}

fn full_cone(router: &Router, link: &Link) -> Result<()> {
    router.full_cone(link).map(drop)
}

/// Two homes at one street, with a server there that tells everybody whom it sees.
struct Street {
    lab: Lab,
    server: Host,
    homes: [Host; 2],
}

fn street(kinds: [Kind; 2]) -> Result<Street> {
    let lab = Lab::new()?;
    let (street, server) = (lab.switch("street")?, lab.host("server")?);
    street.attach(&server)?;
    let mut homes = Vec::new();
    for (name, kind) in ["alice", "bob"].into_iter().zip(kinds) {
        let (host, gateway) = (lab.host(name)?, lab.router(&format!("{name}-s-router"))?);
        lab.link(&host, &gateway)?;
        kind(&gateway, &street.attach(&gateway)?)?;
        homes.push(host);
    }
    Ok(Street { lab, server, homes: homes.try_into().expect("they are two") })
}

fn socket(host: &Host, ipv6: bool) -> UdpSocket {
    let bound = host.enter(|| UdpSocket::bind(if ipv6 { "[::]:4000" } else { "0.0.0.0:4000" }));
    let socket = bound.expect("the port is free");
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("it is not zero");
    socket
}

impl Street {
    /// The address and port that the server sees of a socket.
    fn seen(&self, socket: &UdpSocket) -> SocketAddr {
        let ipv6 = socket.local_addr().expect("it is bound").is_ipv6();
        let ear = self::socket(&self.server, ipv6);
        ear.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
        let server = if ipv6 { self.server.address_v6().into() } else { self.server.address().into() };
        socket.send_to(b"who am I?", SocketAddr::new(server, 4000)).expect("there is a route");
        ear.recv_from(&mut [0; 16]).expect("it arrives").1
    }

    /// Whether the two get at one another, where both send to what the server has seen of the other.
    fn meets(&self, ipv6: bool) -> bool {
        let sockets = self.homes.each_ref().map(|home| socket(home, ipv6));
        let seen = sockets.each_ref().map(|socket| self.seen(socket));
        let mut heard = [false; 2];
        for _ in 0..5 {
            for (own, other) in [(0, 1), (1, 0)] {
                sockets[own].send_to(b"hello", seen[other]).expect("there is a route");
            }
            for (own, heard) in heard.iter_mut().enumerate() {
                *heard |= sockets[own].recv(&mut [0; 16]).is_ok();
            }
        }
        heard == [true, true]
    }

    /// Whether bob, whom alice has never called, gets at the port by which she has called the server.
    fn comes_unasked(&self) -> bool {
        let [alice, bob] = self.homes.each_ref().map(|home| socket(home, false));
        let seen = self.seen(&alice);
        (0..5).any(|_| {
            bob.send_to(b"hello", seen).expect("there is a route");
            alice.recv(&mut [0; 16]).is_ok()
        })
    }
}

#[isotest]
fn holes_are_punched_through_two_cones() -> Result<()> {
    let street = street([cone, cone])?;
    assert!(street.meets(false) && street.meets(true));
    Ok(())
}

#[isotest]
fn holes_are_not_punched_through_two_symmetric_routers() -> Result<()> {
    let street = street([symmetric, symmetric])?;
    assert!(!street.meets(false) && !street.meets(true));
    Ok(())
}

#[isotest]
fn a_port_of_a_cone_is_closed_to_those_who_were_not_called() -> Result<()> {
    assert!(!street([cone, cone])?.comes_unasked());
    Ok(())
}

#[isotest]
fn a_port_of_a_full_cone_is_open_to_all() -> Result<()> {
    let street = street([full_cone, cone])?;
    assert!(street.comes_unasked());
    Ok(())
}

#[isotest]
fn through_a_full_cone_even_a_symmetric_router_s_host_gets() -> Result<()> {
    let street = street([full_cone, symmetric])?;
    assert!(street.comes_unasked());
    Ok(())
}

#[isotest]
fn hosts_are_parted_through_two_translating_routers() -> Result<()> {
    let street = street([full_cone, full_cone])?;
    let [alice, bob] = &street.homes;
    assert!(street.meets(false));
    street.lab.partition(&[alice], &[bob])?;
    assert!(!street.meets(false) && !street.meets(true));
    street.lab.heal()?;
    assert!(street.meets(false) && street.meets(true));
    Ok(())
}
