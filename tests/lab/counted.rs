//! What has gone over a link?

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Faults, Flow, Host, Lab, Link, Result, Traffic};

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

/// What its kernels say by themselves when it comes up is counted too.
#[isotest]
fn what_is_sent_over_a_link_with_faults_is_received_or_dropped_from_the_first_packet_on() -> Result<()> {
    (0..20).try_for_each(|_| all_is_received_or_dropped())
}

fn all_is_received_or_dropped() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.faults(Faults::new().loss(0.3))?;
    let _socket = bob.enter(|| UdpSocket::bind("0.0.0.0:9")).expect("every port is free and allowed");
    let sender = alice.enter(|| UdpSocket::bind("0.0.0.0:0")).expect("some port is free");
    for _ in 0..DATAGRAMS {
        sender.send_to(&[0; 1000], (bob.address(), 9)).expect("there is a route");
    }
    let adds_up = |flow: Flow| flow.sent.packets == flow.received.packets + flow.received.dropped;
    // Kernels still say something now and then.
    let all_arrived = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(1));
        link.stats().is_ok_and(|stats| adds_up(stats.forth) && adds_up(stats.back))
    });
    assert!(all_arrived, "{:?}", link.stats());
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

/// Sends them to somebody whom they need not reach.
fn send_blindly(from: &Host, to: &Host) {
    let sender = from.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    for _ in 0..DATAGRAMS {
        sender.send_to(&[0; 1000], (to.address(), 9)).expect("there is a route");
    }
}

/// Waits until so many are sent, which a link with faults may hold back for a moment, and what was sent is accounted for; beside it kernels may look for neighbours while the link isn't whole yet.
fn settled(link: &Link, from: &Host, sent: u64) -> Result<Flow> {
    let since = Instant::now();
    loop {
        let flow = link.stats_from(from)?;
        let has_gone = flow.sent.packets >= sent;
        if has_gone && flow.sent.packets.abs_diff(flow.received.packets + flow.received.dropped) < DATAGRAMS / 5 {
            return Ok(flow);
        }
        assert!(since.elapsed() < Duration::from_secs(20), "packets are neither received nor dropped: {flow:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[isotest]
fn what_a_cut_link_swallows_is_dropped_and_not_received() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.cut()?;
    for times in 1..3 {
        send_blindly(&alice, &bob);
        let Flow { sent, received, .. } = settled(&link, &alice, times * DATAGRAMS)?;
        assert!(received.dropped >= times * DATAGRAMS && sent.packets >= times * DATAGRAMS, "{received:?}");
        assert!(received.packets < DATAGRAMS && received.bytes < DATAGRAMS * 100, "{received:?}");
        // What is counted survives that the rules are made anew.
        link.restore()?;
        link.cut_from(&alice)?;
    }
    let dropped = settled(&link, &alice, 2 * DATAGRAMS)?.received.dropped;
    link.restore()?;
    send(&alice, &bob);
    let Flow { received, .. } = settled(&link, &alice, 3 * DATAGRAMS)?;
    assert_eq!(received.dropped, dropped, "what is whole drops nothing");
    assert!((DATAGRAMS..2 * DATAGRAMS).contains(&received.packets), "{received:?}");
    assert!(settled(&link, &bob, 0)?.received.dropped < DATAGRAMS / 5, "the other way only neighbours are looked for");
    Ok(())
}

#[isotest]
fn what_a_partition_keeps_back_is_dropped_where_it_arrives() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob])?;
    send(&alice, &bob);
    lab.partition(&[&alice], &[&bob])?;
    send_blindly(&alice, &bob);
    lab.heal()?;
    let Flow { received, .. } = links[1].stats()?.back;
    assert!(received.dropped >= DATAGRAMS && (DATAGRAMS..2 * DATAGRAMS).contains(&received.packets), "{received:?}");
    assert_eq!(settled(&links[0], &alice, 2 * DATAGRAMS)?.received.dropped, 0, "up to the switch all is well");
    Ok(())
}

#[isotest]
fn what_the_faults_of_a_link_lose_is_dropped() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.faults(Faults::new().lose_nth([1, 2, 3, 50]))?;
    send_blindly(&alice, &bob);
    assert_eq!(settled(&link, &alice, DATAGRAMS)?.received.dropped, 4);
    link.cut()?;
    send_blindly(&alice, &bob);
    let since = Instant::now();
    while link.stats_from(&alice)?.received.dropped < 4 + DATAGRAMS {
        assert!(since.elapsed() < Duration::from_secs(20), "{:?}", link.stats_from(&alice)?);
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
