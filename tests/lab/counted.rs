//! What has gone over a link?

use std::net::UdpSocket;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result, Traffic};

/// How many datagrams are sent, and of how many bytes with all headers.
const DATAGRAMS: u64 = 100;
const BYTES: u64 = 1000 + 8 + 20 + 14;

/// Sends them, and waits until they have arrived.
fn send(from: &Host, to: &Host) {
    let address = to.address();
    let socket = to.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
    let sender = from.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    for _ in 0..DATAGRAMS {
        sender.send_to(&[0; 1000], (address, 9)).expect("there is a route");
        socket.recv(&mut [0; 1000]).expect("it arrives");
    }
}

/// Whether they were among what was counted: neighbours that look for one another send some more.
fn is_about_them(counted: Traffic) -> bool {
    let sound = (counted.dropped, counted.errors) == (0, 0);
    sound
        && (DATAGRAMS..2 * DATAGRAMS).contains(&counted.packets)
        && (BYTES..2 * BYTES).contains(&(counted.bytes / DATAGRAMS))
}

#[isotest]
fn each_way_over_a_link_is_counted_by_itself() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    send(&alice, &bob);
    let stats = link.stats()?;
    assert!(is_about_them(stats.forth.sent) && is_about_them(stats.forth.received), "{stats:?}");
    assert!(stats.back.sent.packets < DATAGRAMS && stats.back.received.packets < DATAGRAMS, "{stats:?}");
    assert!(is_about_them(link.stats_from(&alice)?.sent) && !is_about_them(link.stats_from(&bob)?.sent));
    send(&bob, &alice);
    assert!(is_about_them(link.stats_from(&bob)?.received));
    Ok(())
}

#[isotest]
fn a_switch_counts_what_comes_from_each_and_goes_to_each() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob, &carol])?;
    let bobs = bob.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    bobs.send_to(b"so that the switch knows where bob is", (alice.address(), 9)).expect("there is a route");
    send(&alice, &bob);
    let [to_alice, to_bob, to_carol] = [0, 1, 2].map(|link| links[link].stats());
    assert!(is_about_them(to_alice?.forth.received));
    assert!(is_about_them(to_bob?.back.received));
    assert!(!is_about_them(to_carol?.back.received), "a switch knows who is where");
    links[0].stats_from(&bob).expect_err("bob is not at alice's link");
    Ok(())
}
