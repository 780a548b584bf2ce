//! Who reaches whom while hosts are parted?

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::time::Duration;

use expect_test::expect;
use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

use crate::talk::{connect, converse, hears, is_deaf, is_silent, word};

/// Four neighbours.
fn neighbours(lab: &Lab) -> Result<[Host; 4]> {
    let hosts = [lab.host("alice")?, lab.host("bob")?, lab.host("carol")?, lab.host("dave")?];
    lab.switch("lan")?.connect(&[&hosts[0], &hosts[1], &hosts[2], &hosts[3]])?;
    Ok(hosts)
}

/// Nothing comes from one to the other or back, by either family.
fn are_parted(one: &Host, other: &Host) -> bool {
    let forth = one.addresses().into_iter().all(|address| is_deaf(one, other, address));
    forth && other.addresses().into_iter().all(|address| is_deaf(other, one, address))
}

fn are_together(one: &Host, other: &Host) -> bool {
    let forth = one.addresses().into_iter().all(|address| hears(one, other, address));
    forth && other.addresses().into_iter().all(|address| hears(other, one, address))
}

#[isotest]
fn neighbours_are_parted_and_brought_together() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob, carol, dave] = neighbours(&lab)?;
    lab.partition(&[&alice, &bob], &[&carol])?;
    assert!(are_parted(&alice, &carol) && are_parted(&bob, &carol));
    assert!(are_together(&alice, &bob), "they are in one group");
    assert!(are_together(&dave, &alice) && are_together(&dave, &carol), "dave is in none");
    lab.heal()?;
    assert!(are_together(&alice, &carol) && are_together(&bob, &carol));
    Ok(())
}

#[isotest]
fn not_even_a_broadcast_passes() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob, carol, _] = neighbours(&lab)?;
    lab.partition(&[&alice], &[&carol])?;
    let ears = [&bob, &carol].map(|host| host.enter(|| UdpSocket::bind("0.0.0.0:9").expect("the port is free")));
    let mouth = alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("there are free ports"));
    mouth.set_broadcast(true).expect("it is UDP");
    mouth.send_to(b"all", "10.1.255.255:9").expect("it needs no ARP");
    let heard = ears.map(|ear| {
        ear.set_read_timeout(Some(Duration::from_millis(500))).expect("it is not zero");
        ear.recv(&mut [0; 4]).is_ok()
    });
    assert_eq!(heard, [true, false]);
    Ok(())
}

#[isotest]
fn routers_between_lead_nowhere_and_connections_outlive_it() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?);
    let (west, east) = (lab.router("west")?, lab.router("east")?);
    lab.switch("office")?.connect(&[&alice, &bob, &west])?;
    lab.link(&west, &east)?;
    lab.link(&east, &carol)?;
    let door = carol.enter(|| TcpListener::bind("[::]:80").expect("the port is free"));
    let mut near = alice.enter(|| connect((carol.address(), 80).into())).expect("carol listens");
    let (far, _) = door.accept().expect("alice has come");
    lab.partition(&[&alice], &[&carol])?;
    near.write_all(b"ping").expect("it waits in the socket");
    assert!(is_silent(&far) && are_parted(&alice, &carol));
    assert!(are_together(&bob, &carol), "by the same routers");
    lab.heal()?;
    assert_eq!(word(&far), *b"ping");
    Ok(())
}

#[isotest]
fn partitions_add_up_and_one_may_be_there_from_the_beginning() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob, carol, dave] = neighbours(&lab)?;
    lab.partition(&[&alice], &[&bob])?;
    assert!(are_parted(&alice, &bob) && are_together(&alice, &carol));
    lab.partition(&[&alice, &dave], &[&carol])?;
    assert!(are_parted(&alice, &bob) && are_parted(&alice, &carol) && are_parted(&dave, &carol));
    assert!(are_together(&bob, &carol) && are_together(&alice, &dave) && are_together(&bob, &dave));
    lab.heal()?;
    assert!(are_together(&alice, &bob) && are_together(&alice, &carol));
    Ok(())
}

#[isotest]
fn a_router_in_a_group_takes_nothing_from_the_other() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    lab.link(&alice, &gw)?;
    lab.link(&gw, &bob)?;
    lab.partition(&[&alice], &[&gw])?;
    assert!(are_parted(&alice, &bob) && are_together(&gw, &bob));
    lab.heal()?;
    assert!(converse(&alice, &bob, bob.address().into()));
    Ok(())
}

#[isotest]
fn healing_leaves_cut_links_cut() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    lab.partition(&[&alice], &[&bob])?;
    link.cut()?;
    lab.heal()?;
    assert!(are_parted(&alice, &bob));
    lab.partition(&[&alice], &[&bob])?;
    link.restore()?;
    assert!(are_parted(&alice, &bob));
    lab.heal()?;
    assert!(are_together(&alice, &bob));
    Ok(())
}

#[isotest]
fn groups_are_checked() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let says = |result: Result<()>, expected: &expect_test::Expect| {
        expected.assert_eq(&result.expect_err("it is a mistake").to_string());
    };
    says(
        lab.partition(&[&alice, &bob], &[&alice]),
        &expect!["parting `alice`, `bob` from `alice`: `alice` is in both groups; name each host once"],
    );
    says(
        lab.partition(&[&alice], &[]),
        &expect!["parting `alice` from nobody: one group has no hosts; name at least one host on each side"],
    );
    let other = Lab::new()?;
    let stranger = other.host("stranger")?;
    says(
        lab.partition(&[&alice], &[&stranger]),
        &expect!["parting `alice` from `stranger`: `stranger` belongs to another lab; name hosts of this lab"],
    );
    drop(lab);
    Ok(())
}
