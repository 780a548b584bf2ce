//! What does a link do that is cut?

use std::io::Write;
use std::net::{TcpListener, TcpStream};

use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result};

use crate::talk::{connect, hears, is_deaf, is_silent, word};

fn pair(lab: &Lab) -> Result<(Host, Host, Link)> {
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    Ok((alice, bob, link))
}

/// The two ends of an open connection.
fn connected(from: &Host, to: &Host) -> (TcpStream, TcpStream) {
    let door = to.enter(|| TcpListener::bind("0.0.0.0:7").expect("the port is free"));
    let near = from.enter(|| connect((to.address(), 7).into())).expect("somebody listens");
    (near, door.accept().expect("it has come").0)
}

#[isotest]
fn an_open_connection_is_silent_while_its_link_is_cut_and_goes_on_afterwards() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    let (mut near, mut far) = connected(&alice, &bob);
    link.cut()?;
    near.write_all(b"forth").expect("it waits in the socket");
    far.write_all(b"back").expect("it waits in the socket");
    assert!(is_silent(&near) && is_silent(&far));
    link.restore()?;
    assert_eq!((word(&far), word(&near)), (*b"fort", *b"back"));
    Ok(())
}

#[isotest]
fn nothing_passes_a_cut_link_in_either_family_or_direction() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    let all = |seen: fn(&Host, &Host, std::net::IpAddr) -> bool| {
        let forth = bob.addresses().into_iter().all(|address| seen(&bob, &alice, address));
        forth && alice.addresses().into_iter().all(|address| seen(&alice, &bob, address))
    };
    assert!(all(hears));
    link.cut()?;
    assert!(all(is_deaf));
    link.restore()?;
    assert!(all(hears));
    Ok(())
}

#[isotest]
fn the_line_stays_up_while_it_is_cut() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    link.cut()?;
    for host in [&alice, &bob] {
        let carrier = host.enter(|| std::fs::read_to_string("/sys/class/net/eth0/carrier"));
        assert_eq!(carrier.expect("its own /sys"), "1\n");
    }
    Ok(())
}

#[isotest]
fn a_link_that_is_cut_while_it_is_drawn_is_built_so() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    link.cut()?;
    let carol = lab.host("carol")?;
    lab.link(&bob, &carol)?;
    assert!(is_deaf(&bob, &alice, link.address_of(&bob)?));
    assert!(hears(&carol, &bob, carol.address().into()));
    link.restore()?;
    assert!(hears(&bob, &alice, link.address_of(&bob)?));
    Ok(())
}

#[isotest]
fn cut_in_one_direction_it_carries_the_other() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    assert!(hears(&bob, &alice, bob.address().into()), "they know one another's hardware addresses now");
    link.cut_from(&bob)?;
    assert!(hears(&bob, &alice, bob.address().into()));
    assert!(is_deaf(&alice, &bob, alice.address().into()));
    link.restore()?;
    assert!(hears(&alice, &bob, alice.address().into()));
    Ok(())
}

#[isotest]
fn a_connection_becomes_half_open() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, link) = pair(&lab)?;
    let (mut near, far) = connected(&alice, &bob);
    link.cut_from(&bob)?;
    near.write_all(b"ping").expect("it is open");
    assert_eq!(word(&far), *b"ping", "this way is whole");
    drop(far);
    assert!(is_silent(&near), "that the other end has closed does not arrive");
    link.restore()?;
    near.set_read_timeout(None).expect("none is always possible");
    assert_eq!(near.peek(&mut [0]).expect("the last word is repeated"), 0);
    Ok(())
}

#[isotest]
fn at_a_switch_one_link_is_cut_and_the_others_are_not() -> Result<()> {
    let lab = Lab::new()?;
    let hosts = [lab.host("alice")?, lab.host("bob")?, lab.host("carol")?];
    let links = lab.switch("lan")?.connect(&[&hosts[0], &hosts[1], &hosts[2]])?;
    let [alice, bob, carol] = hosts;
    links[0].cut()?;
    assert!(is_deaf(&bob, &alice, bob.address().into()) && is_deaf(&alice, &carol, alice.address_v6().into()));
    assert!(hears(&bob, &carol, bob.address().into()));
    links[0].restore()?;
    assert!(hears(&bob, &alice, bob.address().into()), "they know one another's hardware addresses now");
    links[1].cut_from(&bob)?;
    assert!(hears(&bob, &alice, bob.address().into()));
    assert!(is_deaf(&alice, &bob, alice.address().into()));
    Ok(())
}

#[isotest]
fn the_test_body_s_own_link_can_be_cut() -> Result<()> {
    let lab = Lab::new()?;
    let (here, bob) = (lab.here()?, lab.host("bob")?);
    let link = lab.link(&here, &bob)?;
    let (mut near, far) = connected(&here, &bob);
    link.cut()?;
    near.write_all(b"ping").expect("it waits in the socket");
    assert!(is_silent(&far));
    link.restore()?;
    assert_eq!(word(&far), *b"ping");
    Ok(())
}
