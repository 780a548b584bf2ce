//! A pair whose two halves each think the other dead: does the fencing hold?

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::sleep;
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

#[isotest(timeout = "60s")]
fn a_quorum_keeps_the_smaller_half_from_leading() -> Result<()> {
    let lab = Lab::new()?;
    let (a, b, c) = (lab.host("a")?, lab.host("b")?, lab.host("c")?);
    lab.switch("lan")?.connect(&[&a, &b, &c])?;
    let seats = sit([&a, &b, &c], 2);
    until(&seats, [true, false, false]);

    lab.partition(&[&a], &[&b, &c])?;
    until(&seats, [false, true, false]);
    lab.heal()?;
    until(&seats, [true, false, false]);
    Ok(())
}

/// What the recipe finds: without a quorum there are two leaders as long as the split lasts.
#[isotest(timeout = "60s")]
fn without_one_there_are_two_leaders() -> Result<()> {
    let lab = Lab::new()?;
    let (a, b, c) = (lab.host("a")?, lab.host("b")?, lab.host("c")?);
    lab.switch("lan")?.connect(&[&a, &b, &c])?;
    let seats = sit([&a, &b, &c], 1);
    until(&seats, [true, false, false]);

    lab.partition(&[&a], &[&b, &c])?;
    until(&seats, [true, true, false]);
    Ok(())
}

/// Starts a member in each host. It leads if at least `quorum` members are alive, itself included, and it is the first of them; it
/// says all the time whether it does.
fn sit(hosts: [&Host; 3], quorum: usize) -> [Receiver<bool>; 3] {
    let members = hosts.map(|host| host.address());
    hosts.map(|host| {
        let (tell, leads) = channel();
        let own = host.address();
        host.spawn(move || member(own, members, quorum, &tell)).expect("a thread starts");
        leads
    })
}

fn member(own: Ipv4Addr, members: [Ipv4Addr; 3], quorum: usize, tell: &Sender<bool>) {
    let socket = UdpSocket::bind("0.0.0.0:700").expect("each host has this port to itself");
    socket.set_nonblocking(true).expect("a socket");
    let mut silences = members.map(|member| (member, 0));
    loop {
        for (other, silence) in silences.iter_mut().filter(|(member, _)| *member != own) {
            // A beat that does not arrive is what this is about.
            socket.send_to(b"alive", (*other, 700)).ok();
            *silence += 1;
        }
        sleep(Duration::from_millis(20));
        while let Ok((_, from)) = socket.recv_from(&mut [0; 5]) {
            for (_, silence) in silences.iter_mut().filter(|(member, _)| *member == from.ip()) {
                *silence = 0;
            }
        }
        let alive: Vec<_> = silences.iter().filter(|(_, silence)| *silence < 10).map(|(member, _)| *member).collect();
        if tell.send(alive.len() >= quorum && alive[0] == own).is_err() {
            return;
        }
    }
}

/// Waits until all say what is expected of them; the test's time limit ends it otherwise.
fn until(seats: &[Receiver<bool>; 3], expected: [bool; 3]) {
    while seats.each_ref().map(|seat| seat.try_iter().last()) != expected.map(Some) {
        sleep(Duration::from_millis(200));
    }
}
