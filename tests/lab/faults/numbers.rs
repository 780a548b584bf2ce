//! Do the numbers hold?

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Faults, GilbertElliott, Lab, Queue, Rate, Result};

use super::datagrams::{Pair, each_way_takes, is_likely};

#[isotest]
fn a_share_is_lost_and_counted() -> Result<()> {
    const SENT: u64 = 5000;
    let pair = Pair::with(7, Faults::new().loss(0.05))?;
    let arrived = pair.send(SENT);
    let lost = SENT - arrived.len() as u64;
    assert!(is_likely(lost, SENT, 0.05), "{lost} of {SENT}");
    let fates = pair.link.fates_from(&pair.alice)?;
    assert_eq!((fates.packets, fates.lost), (SENT, lost));
    let absent: Vec<u64> = (1..=SENT).filter(|number| arrived.binary_search(number).is_err()).collect();
    assert_eq!(fates.which_lost, absent);
    // What kernels say of themselves may find the other end down while the lab is being built, or be on its way just now.
    let missing = missing(&pair)?;
    assert!(missing.abs_diff(lost) < 20, "the counters of the interfaces say: {missing}");
    Ok(())
}

/// How many packets alice's end has sent and bob's end has not received.
fn missing(pair: &Pair) -> Result<u64> {
    let flow = pair.link.stats_from(&pair.alice)?;
    Ok(flow.sent.packets - flow.received.packets)
}

#[isotest]
fn bursts_have_the_length_asked_for() -> Result<()> {
    const SENT: u64 = 20_000;
    let pair = Pair::with(7, Faults::new().loss_bursts(GilbertElliott::bursts(0.05, 5.0)))?;
    pair.send(SENT);
    let lost = pair.link.fates_from(&pair.alice)?.which_lost;
    let bursts = 1 + lost.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    let mean = lost.len() as f64 / bursts as f64;
    // Of about 200 bursts whose lengths spread by nearly as much as their mean, five deviations are less than two packets.
    assert!((3.2..6.8).contains(&mean), "{mean} over {bursts} bursts");
    assert!((0.03..0.07).contains(&(lost.len() as f64 / SENT as f64)), "{} lost", lost.len());
    Ok(())
}

#[isotest]
fn exactly_the_packets_named_are_lost_counted_from_when_that_was_said() -> Result<()> {
    let pair = Pair::with(7, Faults::new().lose_nth([3, 7]).lose_nth([1]))?;
    assert_eq!(pair.send(10), [2, 4, 5, 6, 8, 9, 10]);
    pair.link.faults_from(&pair.alice, Faults::new().lose_nth([2]))?;
    assert_eq!(pair.send(4), [1, 3, 4]);
    Ok(())
}

#[isotest]
fn a_share_is_doubled() -> Result<()> {
    const SENT: u64 = 2000;
    let pair = Pair::with(7, Faults::new().duplicate(0.1))?;
    let arrived = pair.send(SENT);
    let doubled = arrived.windows(2).filter(|pair| pair[0] == pair[1]).count() as u64;
    assert!(is_likely(doubled, SENT, 0.1), "{doubled} of {SENT}");
    assert_eq!(arrived.len() as u64, SENT + doubled);
    Ok(())
}

#[isotest]
fn a_share_is_overtaken_by_as_many_as_asked_for() -> Result<()> {
    const SENT: u64 = 2000;
    let pair = Pair::with(7, Faults::new().reorder(0.02, 3))?;
    let arrived = pair.send(SENT);
    let place = |number: u64| arrived.iter().position(|other| *other == number).expect("nothing is lost") as u64;
    let late: Vec<u64> =
        (1..=SENT).map(|number| (place(number) + 1).saturating_sub(number)).filter(|late| *late > 0).collect();
    assert!(is_likely(late.len() as u64, SENT, 0.02), "{}", late.len());
    let by_three = late.iter().filter(|late| **late == 3).count();
    assert!(by_three * 2 > late.len(), "most have no neighbour that is late too: {late:?}");
    Ok(())
}

#[isotest]
fn a_held_packet_comes_although_nobody_overtakes_it() -> Result<()> {
    let pair = Pair::with(7, Faults::new().reorder(1.0, 3))?;
    let mut arrived = pair.send(5);
    arrived.sort_unstable();
    assert_eq!(arrived, [1, 2, 3, 4, 5]);
    Ok(())
}

#[isotest]
fn damaged_datagrams_are_dropped_by_their_checksums() -> Result<()> {
    const SENT: u64 = 2000;
    let pair = Pair::with(7, Faults::new().corrupt(0.1))?;
    let arrived = pair.send(SENT);
    let dropped = SENT - arrived.len() as u64;
    let corrupted = pair.link.fates_from(&pair.alice)?.corrupted;
    assert!(is_likely(corrupted, SENT, 0.1), "{corrupted} of {SENT}");
    // The checksums of IPv4's header and of UDP cover all that is behind the Ethernet header.
    // But a checksum of zero is none: once in a very long time a bit is turned that makes it so.
    assert!(corrupted - dropped <= 1, "{corrupted} damaged, {dropped} dropped");
    Ok(())
}

#[isotest]
fn an_answer_takes_twice_the_latency_at_least() -> Result<()> {
    let latency = Duration::from_millis(40);
    let pair = Pair::new(7)?;
    pair.link.faults(Faults::new().latency(latency))?;
    let address = pair.bob.address();
    let door = pair.bob.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    sender.connect((address, 9)).expect("there is a route");
    each_way_takes(latency, &sender, &door);
    Ok(())
}

#[isotest]
fn jitter_overtakes_nobody() -> Result<()> {
    let some = Duration::from_millis(3);
    let pair = Pair::with(7, Faults::new().latency(some).jitter(some))?;
    assert_eq!(pair.send(500), (1..=500).collect::<Vec<_>>());
    Ok(())
}

#[isotest]
fn a_rate_is_not_exceeded() -> Result<()> {
    const SENT: u64 = 50;
    const BITS: u64 = (1000 + 8 + 20 + 14) * 8;
    let pair = Pair::with(7, Faults::new().rate(Rate::mbit(2.0)))?;
    let start = Instant::now();
    assert_eq!(pair.send_sized(SENT, 1000).len() as u64, SENT);
    let least = Duration::from_secs_f64((SENT * BITS) as f64 / 2e6);
    assert!(start.elapsed() >= least, "{:?} < {least:?}", start.elapsed());
    Ok(())
}

#[isotest]
fn what_finds_the_queue_full_is_dropped() -> Result<()> {
    let slow = Faults::new().rate(Rate::kbit(100.0));
    let pair = Pair::with(7, slow.clone().queue(Queue::Packets(5)))?;
    let arrived = pair.send(40);
    let fates = pair.link.fates_from(&pair.alice)?;
    assert_eq!(arrived[..5], [1, 2, 3, 4, 5], "those that came first");
    assert_eq!(fates.crowded_out, 40 - arrived.len() as u64);
    assert!(fates.crowded_out > 0);
    let pair = Pair::with(7, slow.queue(Queue::Bytes(100)))?;
    assert_eq!(pair.send(40)[..2], [1, 2], "two of 50 bytes");
    assert!(pair.link.fates_from(&pair.alice)?.crowded_out > 0);
    Ok(())
}

#[isotest]
fn a_black_hole_swallows_what_is_large_and_tells_nobody() -> Result<()> {
    const HEADERS: usize = 20 + 8;
    let pair = Pair::with(7, Faults::new().mtu_black_hole(1000))?;
    assert_eq!(pair.send_sized(3, 1000 - HEADERS), [1, 2, 3]);
    assert_eq!(pair.send_sized(3, 1000 - HEADERS + 1), [] as [u64; 0]);
    assert_eq!(pair.link.fates_from(&pair.alice)?.swallowed, 3);
    // ICMP would be the first packet on the way back.
    assert_eq!(pair.link.fates_from(&pair.bob)?.packets, 0);
    Ok(())
}

#[isotest]
fn each_way_is_faulty_by_itself() -> Result<()> {
    let pair = Pair::new(7)?;
    pair.link.faults_to(&pair.alice, Faults::new().loss(1.0))?;
    assert_eq!(pair.send(20).len(), 20);
    pair.link.faults_from(&pair.bob, Faults::new())?.faults_from(&pair.alice, Faults::new().loss(1.0))?;
    assert_eq!(pair.send(20).len(), 0);
    pair.link.faults(Faults::new())?;
    assert_eq!(pair.send(20).len(), 20, "whole again");
    Ok(())
}

#[isotest]
fn a_link_at_a_switch_has_faults_too() -> Result<()> {
    let lab = Lab::with_seed(7)?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob])?;
    links[1].faults_to(&bob, Faults::new().lose_nth([2]))?;
    let link = links[0].clone();
    link.wired()?;
    let pair = Pair::of(lab, alice, bob, link);
    assert_eq!(pair.send(3), [1, 3]);
    assert_eq!(links[1].fates()?.back.which_lost, [2]);
    Ok(())
}

#[isotest]
fn a_host_that_crashed_is_reached_over_a_wire_again() -> Result<()> {
    let pair = Pair::new(7)?;
    assert_eq!(pair.send(3), [1, 2, 3]);
    pair.bob.crash()?;
    pair.bob.restart()?;
    assert_eq!(pair.send(3), [1, 2, 3]);
    Ok(())
}
