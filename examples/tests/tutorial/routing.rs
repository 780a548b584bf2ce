//! From one cable to a routed network, in the order in which a tutorial on paper types `ip link add … type veth`, `ip link add … type bridge`
//! and `ip route add`: `veth(4)`, `bridge(8)`, `rtnetlink(7)`.
//!
//! On paper that takes root, two dozen commands, and clearing up by hand before the next try.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

/// Step 1. Two namespaces know nothing of one another.
#[isotest]
fn without_a_cable_there_is_no_way() -> Result<()> {
    let lab = Lab::new()?;
    let (red, _blue) = (lab.host("red")?, lab.host("blue")?);
    let error = red.enter(|| TcpStream::connect("10.128.0.2:80")).expect_err("nothing but lo is there");
    assert_eq!(error.kind(), ErrorKind::NetworkUnreachable);
    Ok(())
}

/// Step 2. A veth pair is a cable: one end in each, an address on either.
#[isotest]
fn a_veth_pair_connects_two() -> Result<()> {
    let lab = Lab::new()?;
    let (red, blue) = (lab.host("red")?, lab.host("blue")?);
    lab.link(&red, &blue)?;
    assert_eq!((red.address().to_string(), blue.address().to_string()), ("10.128.0.1".into(), "10.128.0.2".into()));
    assert!(asks(&red, &blue));
    Ok(())
}

/// Step 3. The parent's side: the other end stays in the network that the test itself is in.
#[isotest]
fn a_veth_pair_connects_the_test_itself() -> Result<()> {
    let lab = Lab::new()?;
    let (here, red) = (lab.here()?, lab.host("red")?);
    lab.link(&here, &red)?;
    let door = red.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free and allowed"));
    let reached = TcpStream::connect("red:80");
    assert!(reached.is_ok(), "red is a neighbour, and its name is known: {reached:?}");
    drop(door);
    Ok(())
}

/// Step 4. For a third, cables in pairs are too many: a bridge has a port for each.
#[isotest]
fn a_bridge_connects_any_number() -> Result<()> {
    let lab = Lab::new()?;
    let colours = [lab.host("red")?, lab.host("blue")?, lab.host("green")?];
    lab.switch("bridge")?.connect(&[&colours[0], &colours[1], &colours[2]])?;
    for from in &colours {
        assert!(colours.iter().filter(|to| to.name() != from.name()).all(|to| asks(from, to)), "{}", from.name());
    }
    Ok(())
}

/// Step 5. Two bridges are two networks, and a host with a port in both does not pass anything on.
#[isotest]
fn a_host_in_two_networks_is_no_router() -> Result<()> {
    let lab = Lab::new()?;
    let (red, middle, blue) = (lab.host("red")?, lab.host("middle")?, lab.host("blue")?);
    lab.switch("left")?.connect(&[&red, &middle])?;
    lab.switch("right")?.connect(&[&middle, &blue])?;
    assert!(asks(&red, &middle) && asks(&blue, &middle) && !asks(&red, &blue));
    Ok(())
}

/// Step 6. A router does (`ip_forward`), as soon as both sides have a route through it.
#[isotest]
fn a_router_leads_from_one_network_to_the_other() -> Result<()> {
    let lab = Lab::new()?;
    let (red, middle, blue) = (lab.host("red")?, lab.router("middle")?, lab.host("blue")?);
    lab.switch("left")?.connect(&[&red, &middle])?;
    lab.switch("right")?.connect(&[&middle, &blue])?;
    assert!(asks(&red, &blue) && asks(&blue, &red));
    Ok(())
}

/// Step 7. The routes by hand, as `ip route add default via …` gives them: one missing, and no answer comes back.
#[isotest]
fn both_ways_need_a_route() -> Result<()> {
    for back in [true, false] {
        let lab = Lab::new()?;
        let (red, middle, blue) = (lab.host("red")?, lab.router("middle")?, lab.host("blue")?);
        let left = lab.link(&red, &middle)?;
        let right = lab.link(&middle, &blue)?;
        for host in [&red, &blue] {
            host.without_routes()?;
        }
        red.route("default", left.address_of(&middle)?)?;
        if back {
            blue.route("default", right.address_of(&middle)?)?;
        }
        assert_eq!(asks(&red, &blue), back);
    }
    Ok(())
}

/// Whether `from` gets an answer from a server in `to`, at whichever of its addresses.
fn asks(from: &Host, to: &Host) -> bool {
    let door = to.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free and allowed"));
    std::thread::scope(|threads| {
        let addresses = to.addresses().into_iter().filter(IpAddr::is_ipv4);
        let ask_all = move || addresses.map(|address| ask((address, 80).into())).find(std::io::Result::is_ok);
        let asked = threads.spawn(|| from.enter(ask_all));
        door.set_nonblocking(true).expect("a listening socket");
        while !asked.is_finished() {
            if let Ok((mut client, _)) = door.accept() {
                client.write_all(b"yes").expect("the client waits");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        matches!(asked.join().expect("asking ends"), Some(Ok(answer)) if answer == "yes")
    })
}

fn ask(server: SocketAddr) -> std::io::Result<String> {
    let mut answer = String::new();
    TcpStream::connect_timeout(&server, Duration::from_secs(1))?.read_to_string(&mut answer)?;
    Ok(answer)
}
