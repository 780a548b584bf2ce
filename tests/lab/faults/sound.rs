//! What passes through a wire on which nothing is wrong?

use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener};

use isotest::isotest;
use isotest::lab::{Faults, Lab, Result};

use super::datagrams::Pair;
use crate::talk::{connect, converse};

#[isotest]
fn all_datagrams_arrive_once_and_in_order() -> Result<()> {
    let pair = Pair::new(1)?;
    let expected: Vec<u64> = (1..=2000).collect();
    assert_eq!(pair.send(2000), expected);
    Ok(())
}

#[isotest]
fn tcp_carries_megabytes_unharmed() -> Result<()> {
    const BYTES: usize = 16 << 20;
    let pair = Pair::new(1)?;
    let address = pair.bob.address();
    let door = pair.bob.enter(|| TcpListener::bind((address, 7)).expect("every port is free and allowed"));
    let sender = pair.bob.spawn(move || {
        let (mut stream, _) = door.accept().expect("alice comes");
        let bytes: Vec<u8> = (0..BYTES).map(|at| (at % 251) as u8).collect();
        stream.write_all(&bytes).expect("alice reads");
    })?;
    let mut bytes = Vec::new();
    pair.alice.enter(|| connect((address, 7).into())).expect("bob listens").read_to_end(&mut bytes).expect("bytes");
    sender.join();
    assert_eq!(bytes.len(), BYTES);
    assert!(bytes.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8));
    Ok(())
}

#[isotest]
fn both_families_pass_also_at_switches_and_routers() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol, gateway) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?, lab.router("gw")?);
    let mut links = lab.switch("lan")?.connect(&[&alice, &carol, &gateway])?;
    links.push(lab.link(&gateway, &bob)?);
    // One at the switch has no wire: what comes from there was not cut into packets yet.
    for link in [&links[0], &links[2], &links[3]] {
        link.faults(Faults::new())?;
    }
    for (from, to) in [(&alice, &carol), (&carol, &alice), (&alice, &bob), (&bob, &carol)] {
        assert!(converse(from, to, IpAddr::V4(to.address())), "{} to {}", from.name(), to.name());
        assert!(converse(from, to, IpAddr::V6(to.address_v6())), "{} to {}", from.name(), to.name());
    }
    Ok(())
}
