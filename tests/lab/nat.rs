//! What do hosts on the two sides of a translating router see of one another?

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use expect_test::expect;
use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result, Router};

use crate::talk::{connect, converse, hears, is_deaf, is_silent, word};

/// A host inside, a router, a host outside.
struct Home {
    inside: Host,
    gateway: Router,
    outside: Host,
    line: Link,
}

fn home(lab: &Lab) -> Result<Home> {
    let (inside, gateway, outside) = (lab.host("inside")?, lab.router("gateway")?, lab.host("outside")?);
    lab.link(&inside, &gateway)?;
    let line = lab.link(&gateway, &outside)?;
    Ok(Home { inside, gateway, outside, line })
}

impl Home {
    /// The router's addresses outside, IPv4 and IPv6.
    fn front(&self) -> Vec<IpAddr> {
        self.gateway.addresses()[2..].to_vec()
    }
}

/// Whom a server sees that is connected to at this address.
fn seen_by(server: &Host, client: &Host, at: IpAddr) -> IpAddr {
    let door = server.enter(|| TcpListener::bind((at, 80)).expect("the address is the host's own"));
    let stream = client.enter(|| connect((at, 80).into())).expect("it is reached");
    let (_, from) = door.accept().expect("it has come");
    drop(stream);
    from.ip()
}

#[isotest]
fn outside_everybody_inside_has_the_router_s_address() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.masquerade(&home.line)?;
    for (address, front) in home.outside.addresses().into_iter().zip(home.front()) {
        assert_eq!(seen_by(&home.outside, &home.inside, address), front);
    }
    Ok(())
}

#[isotest]
fn without_translation_they_have_their_own() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    assert_eq!(
        seen_by(&home.outside, &home.inside, home.outside.address().into()),
        IpAddr::from(home.inside.address())
    );
    Ok(())
}

#[isotest]
fn from_outside_nobody_gets_in_not_even_by_a_route_of_their_own() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.masquerade(&home.line)?;
    for front in home.front() {
        home.outside.route(if front.is_ipv4() { "default" } else { "::/0" }, front)?;
    }
    for address in home.inside.addresses() {
        assert!(is_deaf(&home.inside, &home.outside, address));
        assert!(hears(&home.inside, &home.gateway, address), "from the router it is reached");
    }
    for address in home.outside.addresses() {
        assert!(converse(&home.inside, &home.outside, address), "from the inside out all is well");
    }
    Ok(())
}

#[isotest]
fn the_router_itself_is_closed_outside_and_open_inside() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.masquerade(&home.line)?;
    for front in home.front() {
        assert!(is_deaf(&home.gateway, &home.outside, front));
        assert!(hears(&home.gateway, &home.inside, front));
    }
    Ok(())
}

#[isotest]
fn a_port_that_a_router_forwards_to_itself_is_open_outside() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.masquerade(&home.line)?.forward(9, &home.gateway, 9)?.forward(90, &home.gateway, 7)?;
    assert!(home.front().into_iter().all(|front| hears(&home.gateway, &home.outside, front)));
    let door = home.gateway.enter(|| TcpListener::bind("0.0.0.0:7").expect("the port is free"));
    let front = home.line.address_of(&home.gateway)?;
    let _stream = home.outside.enter(|| connect((front, 90).into())).expect("by another number");
    assert_eq!(door.accept().expect("it has come").1.ip(), IpAddr::from(home.outside.address()));
    Ok(())
}

/// Asks at an address; gives who answers there, and what it says of who has asked.
fn asked(server: &UdpSocket, client: &Host, at: SocketAddr) -> SocketAddr {
    let mouth = client.enter(|| UdpSocket::bind(if at.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" }));
    let mouth = mouth.expect("there are free ports");
    for socket in [server, &mouth] {
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
    }
    mouth.send_to(b"who am I?", at).expect("there is a route");
    let (_, asker) = server.recv_from(&mut [0; 16]).expect("it is forwarded");
    server.send_to(b"that", asker).expect("there is a route");
    let (_, answerer) = mouth.recv_from(&mut [0; 16]).expect("the answer finds its way back");
    assert_eq!(answerer, at, "it comes from where was asked");
    asker
}

#[isotest]
fn a_forwarded_port_leads_to_its_host_by_tcp_and_udp() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.masquerade(&home.line)?.forward(80, &home.inside, 8080)?;
    let door = home.inside.enter(|| TcpListener::bind("[::]:8080").expect("the port is free"));
    let socket = home.inside.enter(|| UdpSocket::bind("[::]:8080").expect("the port is free"));
    for (front, own) in home.front().into_iter().zip(home.outside.addresses()) {
        let _stream = home.outside.enter(|| connect((front, 80).into())).expect("it is forwarded");
        assert_eq!(door.accept().expect("it has come").1.ip().to_canonical(), own, "the server sees who it is");
        assert_eq!(asked(&socket, &home.outside, (front, 80).into()).ip().to_canonical(), own);
        let refused =
            home.outside.enter(|| TcpStream::connect_timeout(&(front, 81).into(), Duration::from_millis(200)));
        assert_eq!(refused.expect_err("this one is not forwarded").kind(), std::io::ErrorKind::TimedOut);
    }
    Ok(())
}

#[isotest]
fn inside_too_a_forwarded_port_is_reached_at_the_router_s_address() -> Result<()> {
    let lab = Lab::new()?;
    let (server, client, outside) = (lab.host("server")?, lab.host("client")?, lab.host("outside")?);
    let gateway = lab.router("gateway")?;
    let back = lab.switch("lan")?.connect(&[&server, &client, &gateway])?.remove(2);
    let line = lab.link(&gateway, &outside)?;
    gateway.masquerade(&line)?.forward(80, &server, 80)?;
    let socket = server.enter(|| UdpSocket::bind("0.0.0.0:80").expect("the port is free"));
    let asker = asked(&socket, &client, (line.address_of(&gateway)?, 80).into());
    assert_eq!(asker.ip(), back.address_of(&gateway)?);
    Ok(())
}

/// Two hosts at one switch and one at another, all behind a router that forwards port 80 of its to the first.
fn hairpin(lab: &Lab) -> Result<([Host; 3], Vec<IpAddr>)> {
    let [server, near, far] = [lab.host("server")?, lab.host("near")?, lab.host("far")?];
    let (gateway, outside) = (lab.router("gateway")?, lab.host("outside")?);
    lab.switch("lan")?.connect(&[&server, &near, &gateway])?;
    lab.switch("dmz")?.connect(&[&far, &gateway])?;
    let line = lab.link(&gateway, &outside)?;
    gateway.masquerade(&line)?.forward(80, &server, 8080)?;
    Ok(([server, near, far], gateway.addresses()[4..].to_vec()))
}

#[isotest]
fn inside_it_is_reached_by_tcp_from_any_network_and_by_the_server_itself() -> Result<()> {
    let lab = Lab::new()?;
    let (hosts, front) = hairpin(&lab)?;
    let door = hosts[0].enter(|| TcpListener::bind("[::]:8080").expect("the port is free"));
    for at in front {
        for client in &hosts {
            let stream = client.enter(|| connect((at, 80).into()));
            let stream = stream.unwrap_or_else(|error| panic!("{} at {at}: {error}", client.name()));
            let (mut far_end, from) = door.accept().expect("it has come");
            let own = client.addresses().contains(&from.ip().to_canonical());
            assert_eq!(own, client.name() == "far", "only a neighbour is hidden by the router: {from}");
            far_end.write_all(b"heard").expect("it listens");
            assert_eq!(word(&stream), *b"hear");
        }
    }
    Ok(())
}

#[isotest]
fn who_is_parted_from_a_server_does_not_reach_it_at_the_router_s_address_either() -> Result<()> {
    let lab = Lab::new()?;
    let ([server, near, far], front) = hairpin(&lab)?;
    let door = server.enter(|| TcpListener::bind("[::]:8080").expect("the port is free"));
    let reaches = |client: &Host, at: IpAddr| {
        client.enter(|| TcpStream::connect_timeout(&(at, 80).into(), Duration::from_millis(300))).is_ok()
    };
    lab.partition(&[&near], &[&server])?;
    for at in &front {
        assert!(!reaches(&near, *at) && reaches(&far, *at), "{at}");
    }
    lab.heal()?;
    lab.partition(&[&far], &[&server])?;
    for at in &front {
        assert!(reaches(&near, *at) && !reaches(&far, *at), "{at}");
    }
    drop(door);
    Ok(())
}

#[isotest]
fn ports_are_forwarded_without_translation_too() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    home.gateway.forward(80, &home.inside, 8080)?;
    let socket = home.inside.enter(|| UdpSocket::bind("0.0.0.0:8080").expect("the port is free"));
    let asker = asked(&socket, &home.outside, (home.line.address_of(&home.gateway)?, 80).into());
    assert_eq!(asker.ip(), IpAddr::from(home.outside.address()));
    Ok(())
}

#[isotest]
fn two_homes_may_have_the_same_network_inside() -> Result<()> {
    let lab = Lab::new()?;
    let (street, server) = (lab.switch("street")?, lab.host("server")?);
    street.attach(&server)?;
    let mut homes = Vec::new();
    for number in [1, 2] {
        let (host, gateway) = (lab.host(&format!("host-{number}"))?, lab.router(&format!("gateway-{number}"))?);
        lab.link(&host, &gateway)?.network("192.168.1.0/24")?;
        gateway.masquerade(&street.attach(&gateway)?)?;
        homes.push((host, gateway));
    }
    let seen: Vec<_> = homes.iter().map(|(host, _)| seen_by(&server, host, server.address().into())).collect();
    assert_eq!(seen, ["10.1.0.2", "10.1.0.3"].map(|address| address.parse::<IpAddr>().expect("it is one")));
    assert_eq!(homes[0].0.address(), homes[1].0.address());
    Ok(())
}

/// Homes with the same network inside, each with a gateway and two hosts.
fn alike(lab: &Lab) -> Result<[(Router, [Host; 2]); 2]> {
    let street = lab.switch("street")?;
    let home = |number: u8| -> Result<(Router, [Host; 2])> {
        let gateway = lab.router(&format!("gateway-{number}"))?;
        let hosts = [lab.host(&format!("host-{number}"))?, lab.host(&format!("server-{number}"))?];
        let lan = lab.switch(&format!("lan-{number}"))?;
        lan.network("192.168.1.0/24")?.without_ipv6()?.connect(&[&gateway, &hosts[0], &hosts[1]])?;
        gateway.masquerade(&street.attach(&gateway)?)?;
        Ok((gateway, hosts))
    };
    Ok([home(1)?, home(2)?])
}

#[isotest]
fn a_gateway_is_known_by_no_address_that_the_asker_s_own_gateway_has() -> Result<()> {
    let lab = Lab::new()?;
    let [(_, [host, _]), (gateway, _)] = alike(&lab)?;
    let outside = gateway.addresses().into_iter().filter(|address| *address != IpAddr::from([192, 168, 1, 1]));
    let known = host.enter(|| ("gateway-2", 80).to_socket_addrs().expect("it is known"));
    assert_eq!(known.map(|known| known.ip()).collect::<BTreeSet<_>>(), outside.collect());
    Ok(())
}

#[isotest]
fn a_name_leads_to_a_neighbour_and_never_to_a_stranger_with_the_same_address() -> Result<()> {
    let lab = Lab::new()?;
    let [(_, [host, server]), (_, [other, _])] = alike(&lab)?;
    let own = IpAddr::from(server.address());
    let known = |viewer: &Host, name: &str| {
        let found = viewer.enter(|| (name, 80).to_socket_addrs().map(Vec::from_iter));
        found.map(|found| found.into_iter().map(|address| address.ip()).collect::<BTreeSet<_>>()).ok()
    };
    assert_eq!(known(&host, "server-1"), Some(BTreeSet::from([own])));
    assert_eq!(known(&host, "server-2"), None, "the address that it has leads to server-1 from here");
    assert_eq!(known(&other, "server-2"), Some(BTreeSet::from([own])));
    assert_eq!(known(&other, "server-1"), None);
    Ok(())
}

#[isotest]
fn parting_homes_with_the_same_network_parts_nobody_within_a_home() -> Result<()> {
    let lab = Lab::new()?;
    let [(first, [host_1, server_1]), (second, [host_2, server_2])] = alike(&lab)?;
    lab.partition(&[&host_1], &[&server_2])?;
    for (host, server) in [(&host_1, &server_1), (&host_2, &server_2)] {
        assert!(converse(host, server, server.address().into()), "{host:?} and {server:?} are neighbours");
    }
    lab.partition(&[&first, &host_1, &server_1], &[&second, &host_2, &server_2])?;
    assert!(converse(&host_1, &server_1, server_1.address().into()), "they are on one side");
    assert!(converse(&server_2, &second, second.address().into()), "so are they");
    Ok(())
}

#[isotest]
fn hosts_are_parted_through_a_translating_router() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, outside) = (lab.host("alice")?, lab.host("bob")?, lab.host("outside")?);
    let gateway = lab.router("gateway")?;
    lab.switch("lan")?.connect(&[&alice, &bob, &gateway])?;
    gateway.masquerade(&lab.link(&gateway, &outside)?)?;
    let door = outside.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let mut near = alice.enter(|| connect((outside.address(), 80).into())).expect("it listens");
    let (mut far, _) = door.accept().expect("it has come");
    lab.partition(&[&alice], &[&outside])?;
    near.write_all(b"forth").and_then(|()| far.write_all(b"back")).expect("it waits in the sockets");
    assert!(is_silent(&near) && is_silent(&far));
    assert!(converse(&bob, &outside, outside.address().into()), "bob has the same address outside");
    lab.heal()?;
    assert_eq!((word(&far), word(&near)), (*b"fort", *b"back"));
    Ok(())
}

#[isotest]
fn contradictions_are_named() -> Result<()> {
    let lab = Lab::new()?;
    let home = home(&lab)?;
    let says = |result: Result<&Router>, expected: &expect_test::Expect| {
        expected.assert_eq(&result.expect_err("it is a mistake").to_string());
    };
    home.gateway.masquerade(&home.line)?.masquerade(&home.line)?.forward(80, &home.inside, 8080)?;
    says(
        home.gateway.symmetric(&home.line),
        &expect![
            "making `gateway` translate addresses at the link between `gateway` and `outside`: it does so already, in another way; choose one of `masquerade`, `symmetric` and `full_cone` for each link"
        ],
    );
    says(
        home.gateway.forward(80, &home.gateway, 80),
        &expect![
            "forwarding port 80 of `gateway` to port 80 of `gateway`: it goes to port 8080 of `inside`; forward each port once"
        ],
    );
    says(
        home.gateway.forward(0, &home.inside, 80),
        &expect![
            "forwarding port 0 of `gateway` to port 80 of `inside`: there is no port 0; name ports from 1 to 65535"
        ],
    );
    let stranger = Lab::new()?.host("stranger")?;
    says(
        home.gateway.forward(81, &stranger, 80),
        &expect![
            "forwarding port 81 of `gateway` to port 80 of `stranger`: `stranger` belongs to another lab; name a host of the router's lab"
        ],
    );
    let alone = lab.host("alone")?;
    home.gateway.forward(82, &alone, 80)?;
    expect!["forwarding port 82 of `gateway` to `alone`: `alone` has no address; connect it to a link or a switch"]
        .assert_eq(&lab.up().expect_err("it leads nowhere").to_string());
    Ok(())
}

#[isotest]
fn a_port_is_not_forwarded_to_where_the_router_has_no_way() -> Result<()> {
    let lab = Lab::new()?;
    let (gateway, alice) = (lab.router("gateway")?, lab.host("alice")?);
    let (bob, carol) = (lab.host("bob")?, lab.host("carol")?);
    lab.link(&gateway, &alice)?;
    lab.link(&bob, &carol)?;
    gateway.forward(80, &carol, 80)?;
    expect![
        "forwarding port 80 of `gateway` to `carol`: `gateway` has no way to `carol`; connect them, or give the router a route by `route`"
    ]
    .assert_eq(&lab.up().expect_err("it leads nowhere").to_string());
    Ok(())
}
