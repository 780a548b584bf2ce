//! Does the same seed do the same to the same packets?

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Faults, GilbertElliott, Result};

use super::datagrams::Pair;

fn bad() -> Faults {
    Faults::new().loss(0.1).loss_bursts(GilbertElliott::bursts(0.05, 4.0)).duplicate(0.05).reorder(0.05, 2)
}

#[isotest]
fn the_same_seed_loses_doubles_and_reorders_the_same_packets() -> Result<()> {
    let first = Pair::with(42, bad())?.send(1000);
    let second = Pair::with(42, bad())?.send(1000);
    assert_eq!(first, second);
    Ok(())
}

#[isotest]
fn another_seed_loses_others() -> Result<()> {
    let one = Pair::with(42, Faults::new().loss(0.1))?.send(1000);
    let other = Pair::with(43, Faults::new().loss(0.1))?.send(1000);
    assert_ne!(one, other);
    Ok(())
}

#[isotest]
fn what_is_lost_does_not_depend_on_the_other_faults() -> Result<()> {
    let alone = Pair::with(42, Faults::new().loss(0.1))?;
    let among_others = Pair::with(42, Faults::new().loss(0.1).duplicate(0.3).corrupt(0.1))?;
    alone.send(1000);
    among_others.send(1000);
    let lost = |pair: &Pair| pair.link.fates_from(&pair.alice).map(|fates| fates.which_lost);
    assert_eq!(lost(&alone)?, lost(&among_others)?);
    Ok(())
}

/// Which of alice's datagrams are lost if the link's faults change between some of them, without a pause.
fn lost_while_faults_change() -> Result<Vec<u64>> {
    let pair = Pair::new(42)?;
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0")).expect("some port is free");
    // No answer tells that nobody listens.
    let _door = pair.bob.enter(|| UdpSocket::bind("0.0.0.0:9")).expect("every port is free and allowed");
    for share in [0.3, 0.0, 0.2, 0.0] {
        pair.link.faults_from(&pair.alice, Faults::new().loss(share))?;
        for _ in 0..200 {
            sender.send_to(b"hello", (pair.bob.address(), 9)).expect("there is a route");
        }
    }
    pair.link.faults_from(&pair.alice, Faults::new())?;
    let fates = pair.link.fates_from(&pair.alice)?;
    assert_eq!(fates.packets, 800, "all have met their faults");
    Ok(fates.which_lost)
}

#[isotest]
fn what_was_sent_before_faults_change_meets_those_before() -> Result<()> {
    let first = lost_while_faults_change()?;
    assert!(first.iter().all(|number| (1..=200).contains(number) || (401..=600).contains(number)), "{first:?}");
    for _ in 0..5 {
        assert_eq!(lost_while_faults_change()?, first);
    }
    Ok(())
}

#[isotest]
fn what_is_on_its_way_stays_as_it_is_when_faults_change() -> Result<()> {
    const LATENCY: Duration = Duration::from_millis(50);
    let pair = Pair::new(42)?;
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0")).expect("some port is free");
    let door = pair.bob.enter(|| UdpSocket::bind("0.0.0.0:9")).expect("every port is free and allowed");
    for _ in 0..10 {
        pair.link.faults(Faults::new().latency(LATENCY))?;
        let begun = Instant::now();
        sender.send_to(b"hello", (pair.bob.address(), 9)).expect("there is a route");
        pair.link.faults(Faults::new())?;
        door.recv(&mut [0; 8]).expect("it comes");
        assert!(begun.elapsed() >= LATENCY);
    }
    Ok(())
}
