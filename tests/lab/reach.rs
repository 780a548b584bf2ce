//! Who reaches whom?

use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

use crate::talk::{connect, converse};

#[isotest]
fn a_link_carries_ipv4_and_ipv6() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    assert_eq!(alice.address().to_string(), "10.128.0.1");
    assert_eq!(bob.address_v6().to_string(), "fd00:0:1::2");
    for address in bob.addresses() {
        assert!(converse(&alice, &bob, address), "{address}");
    }
    Ok(())
}

#[isotest]
fn a_network_of_two_addresses_is_enough_for_a_link() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?.network("192.0.2.0/31")?.network("2001:db8::/127")?;
    assert_eq!((alice.address().to_string(), bob.address_v6().to_string()), ("192.0.2.0".into(), "2001:db8::1".into()));
    for address in bob.addresses() {
        assert!(converse(&alice, &bob, address), "{address}");
    }
    Ok(())
}

#[isotest]
fn groups_and_broadcasts_reach_the_neighbours_and_go_no_further() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    lab.switch("lan")?.connect(&[&alice, &bob])?;
    lab.link(&bob, &carol)?;
    const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
    let listens = |host: &isotest::lab::Host| {
        host.enter(|| {
            let socket = UdpSocket::bind("0.0.0.0:5353").expect("the port is free");
            socket.join_multicast_v4(&GROUP, &Ipv4Addr::UNSPECIFIED).expect("it has an interface for groups");
            socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
            socket
        })
    };
    let (at_bob, at_carol) = (listens(&bob), listens(&carol));
    let heard = |socket: &UdpSocket| {
        let mut word = [0; 16];
        socket.recv(&mut word).map(|length| String::from_utf8_lossy(&word[..length]).into_owned()).ok()
    };
    for (to, word) in [(GROUP, "to a group"), (Ipv4Addr::BROADCAST, "to everybody")] {
        let sent = alice.enter(|| {
            let socket = UdpSocket::bind("0.0.0.0:0")?;
            socket.set_broadcast(true)?;
            socket.send_to(word.as_bytes(), (to, 5353))
        });
        sent.expect("there is a way");
        assert_eq!(heard(&at_bob).as_deref(), Some(word));
        at_carol.set_nonblocking(true).expect("it is a socket");
        assert_eq!(heard(&at_carol), None);
    }
    let elsewhere = alice.enter(|| TcpStream::connect("203.0.113.7:7")).expect_err("a group is no way out");
    assert_eq!(elsewhere.kind(), std::io::ErrorKind::NetworkUnreachable);
    Ok(())
}

#[isotest]
fn hosts_that_are_not_connected_do_not_reach_one_another() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    lab.link(&alice, &bob)?;
    let nowhere = carol.enter(|| TcpStream::connect("10.128.0.1:7")).expect_err("there is no way");
    assert_eq!(nowhere.kind(), std::io::ErrorKind::NetworkUnreachable);
    let here = TcpStream::connect("10.128.0.1:7").expect_err("the test body is no host of the lab by itself");
    assert_eq!(here.kind(), std::io::ErrorKind::NetworkUnreachable);
    Ok(())
}

#[isotest]
fn all_at_a_switch_are_neighbours() -> Result<()> {
    let lab = Lab::new()?;
    let hosts = [lab.host("alice")?, lab.host("bob")?, lab.host("carol")?];
    lab.switch("lan")?.connect(&[&hosts[0], &hosts[1], &hosts[2]])?;
    for from in &hosts {
        for to in hosts.iter().filter(|to| to.name() != from.name()) {
            assert!(converse(from, to, to.address().into()) && converse(from, to, to.address_v6().into()));
        }
    }
    Ok(())
}

#[isotest]
fn routers_lead_from_any_host_to_any_other() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    let (west, east) = (lab.router("west")?, lab.router("east")?);
    lab.switch("office")?.connect(&[&alice, &bob, &west])?;
    lab.link(&west, &east)?;
    lab.link(&east, &carol)?;
    for (from, to) in [(&alice, &carol), (&carol, &bob), (&bob, &alice), (&*west, &carol), (&alice, &*east)] {
        for address in to.addresses() {
            assert!(converse(from, to, address), "{} to {} at {address}", from.name(), to.name());
        }
    }
    Ok(())
}

#[isotest]
fn a_host_does_not_forward() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, middle, bob) = (lab.host("alice")?, lab.host("middle")?, lab.host("bob")?);
    lab.link(&alice, &middle)?;
    lab.link(&middle, &bob)?;
    let error = alice.enter(|| connect((bob.address(), 7).into())).expect_err("nobody leads there");
    assert_eq!(error.kind(), std::io::ErrorKind::NetworkUnreachable);
    Ok(())
}

#[isotest]
fn without_routes_a_host_reaches_its_neighbours_only() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    let near = lab.link(&alice, &gw)?;
    lab.link(&gw, &bob)?;
    alice.without_routes()?;
    assert!(converse(&alice, &gw, near.address_of(&gw)?));
    assert!(alice.enter(|| connect((bob.address(), 7).into())).is_err());
    Ok(())
}

#[isotest]
fn a_route_of_ones_own_takes_the_other_way() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let (short, long, behind) = (lab.router("short")?, lab.router("long")?, lab.router("behind")?);
    lab.link(&alice, &short)?;
    let detour = lab.link(&alice, &long)?;
    let middle = lab.link(&long, &behind)?;
    let end = lab.link(&short, &bob)?;
    let last = lab.link(&behind, &bob)?;
    end.network("192.168.9.0/24")?;
    alice.route("192.168.9.0/24", detour.address_of(&long)?)?;
    long.route("192.168.9.0/24", middle.address_of(&behind)?)?;
    behind.route("192.168.9.0/24", last.address_of(&bob)?)?;
    assert!(converse(&alice, &bob, end.address_of(&bob)?));
    Ok(())
}

#[isotest]
fn the_test_body_s_own_network_can_be_linked() -> Result<()> {
    let lab = Lab::new()?;
    let (here, gw, bob) = (lab.here()?, lab.router("gw")?, lab.host("bob")?);
    lab.link(&here, &gw)?;
    lab.link(&gw, &bob)?;
    let listener = bob.enter(|| TcpListener::bind("0.0.0.0:80").expect("the port is free"));
    let stream = TcpStream::connect("bob:80").expect("by name, from the test itself");
    let (_, from) = listener.accept().expect("it has come");
    assert_eq!(from.ip(), IpAddr::from(here.address()));
    drop(stream);
    assert!(converse(&bob, &here, here.address_v6().into()));
    Ok(())
}

#[isotest]
fn networks_addresses_mac_and_mtu_are_as_chosen() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let lan = lab.switch("lan")?;
    lan.network("192.168.7.0/24")?.network("fd77::/64")?;
    let link = lan.attach(&alice)?;
    lan.attach(&bob)?;
    link.address(&alice, "192.168.7.77")?.mac(&alice, "02:00:00:00:aa:01")?.mtu(1400)?;
    assert_eq!(alice.addresses().iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.168.7.77", "fd77::1"]);
    assert_eq!(bob.address().to_string(), "192.168.7.2");
    assert!(converse(&bob, &alice, alice.address().into()));
    let read = |file: &str| alice.enter(|| std::fs::read_to_string(format!("/sys/class/net/eth0/{file}")));
    assert_eq!(read("address").expect("its own /sys"), "02:00:00:00:aa:01\n");
    assert_eq!(read("mtu").expect("its own /sys"), "1400\n");
    Ok(())
}

#[isotest]
fn a_hardware_address_that_is_asked_for_is_not_another_s() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    // What bob would have by itself, and what the next interface would.
    link.mac(&alice, "02:00:00:00:00:02")?;
    let carol = lab.host("carol")?;
    lab.link(&bob, &carol)?.mac(&bob, "02:00:00:00:00:04")?;
    let of = |host: &Host, interface: &str| {
        host.enter(|| std::fs::read_to_string(format!("/sys/class/net/{interface}/address"))).expect("its own /sys")
    };
    let all = [of(&alice, "eth0"), of(&bob, "eth0"), of(&bob, "eth1"), of(&carol, "eth0")];
    assert_eq!([&*all[0], &*all[2]], ["02:00:00:00:00:02\n", "02:00:00:00:00:04\n"]);
    assert_eq!(std::collections::BTreeSet::from(all).len(), 4);
    Ok(())
}

#[isotest]
fn ipv6_alone_and_ipv4_alone_are_possible() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?.without_ipv4()?;
    lab.link(&alice, &bob)?.without_ipv6()?;
    assert_eq!(alice.addresses().iter().map(ToString::to_string).collect::<Vec<_>>(), ["fd00:0:1::1", "10.128.1.1"]);
    assert!(bob.addresses().into_iter().all(|address| converse(&alice, &bob, address)));
    Ok(())
}

/// Not even an address of its own, by which the kernel would look for routers and tell of its groups.
#[isotest]
fn where_ipv6_is_left_out_an_interface_has_none() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| lab.host(name));
    let (alice, bob, carol) = (alice?, bob?, carol?);
    lab.link(&alice, &bob)?.without_ipv6()?;
    lab.link(&bob, &carol)?;
    let with_ipv6 = |host: &Host| {
        let all = host.enter(|| std::fs::read_to_string("/proc/thread-self/net/if_inet6")).expect("its own /proc");
        ["lo", "eth0", "eth1"].map(|name| all.lines().any(|line| line.ends_with(name)))
    };
    assert_eq!(with_ipv6(&alice), [true, false, false]);
    assert_eq!(with_ipv6(&bob), [true, false, true]);
    assert_eq!(with_ipv6(&carol), [true, true, false]);
    Ok(())
}

#[isotest]
fn two_labs_in_one_test_have_the_same_addresses_and_never_meet() -> Result<()> {
    let labs = [Lab::new()?, Lab::new()?];
    let pairs = labs.iter().map(|lab| {
        let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
        lab.link(&alice, &bob)?;
        Ok((alice, bob))
    });
    for (alice, bob) in pairs.collect::<Result<Vec<_>>>()? {
        assert!(converse(&alice, &bob, bob.address().into()));
    }
    Ok(())
}
