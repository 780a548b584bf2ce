//! Two hosts, each behind a router that translates addresses: do they get at one another directly?

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

#[isotest]
fn two_who_call_at_the_same_time_meet() -> Result<()> {
    let lab = Lab::new()?;
    let (street, meeting_place) = (lab.switch("street")?, lab.host("meeting-place")?);
    street.attach(&meeting_place)?;
    let (alice, alices_router) = (lab.host("alice")?, lab.router("alices-router")?);
    lab.link(&alice, &alices_router)?;
    alices_router.masquerade(&street.attach(&alices_router)?)?;
    let (bob, bobs_router) = (lab.host("bob")?, lab.router("bobs-router")?);
    lab.link(&bob, &bobs_router)?;
    bobs_router.masquerade(&street.attach(&bobs_router)?)?;

    assert!(meet(&meeting_place, &alice, &bob));
    Ok(())
}

/// What the recipe finds: where a router takes another port for each destination, what the meeting place has seen is of no use.
#[isotest]
fn behind_symmetric_routers_they_do_not() -> Result<()> {
    let lab = Lab::new()?;
    let (street, meeting_place) = (lab.switch("street")?, lab.host("meeting-place")?);
    street.attach(&meeting_place)?;
    let (alice, alices_router) = (lab.host("alice")?, lab.router("alices-router")?);
    lab.link(&alice, &alices_router)?;
    alices_router.symmetric(&street.attach(&alices_router)?)?;
    let (bob, bobs_router) = (lab.host("bob")?, lab.router("bobs-router")?);
    lab.link(&bob, &bobs_router)?;
    bobs_router.symmetric(&street.attach(&bobs_router)?)?;

    assert!(!meet(&meeting_place, &alice, &bob));
    Ok(())
}

/// Both ask the meeting place how they look from outside, and then call what the other looks like.
fn meet(meeting_place: &Host, alice: &Host, bob: &Host) -> bool {
    let desk = meeting_place.enter(|| UdpSocket::bind("0.0.0.0:3478").expect("free"));
    let sockets = [alice, bob].map(|host| host.enter(|| UdpSocket::bind("0.0.0.0:4000").expect("free")));
    let seen: [SocketAddr; 2] = sockets.each_ref().map(|socket| {
        socket.send_to(b"how do I look?", (meeting_place.address(), 3478)).expect("there is a route");
        desk.recv_from(&mut [0; 16]).expect("it arrives").1
    });
    let mut heard = [false; 2];
    for _ in 0..5 {
        for (socket, other) in sockets.iter().zip([seen[1], seen[0]]) {
            socket.send_to(b"hello", other).expect("there is a route");
        }
        for (socket, heard) in sockets.iter().zip(&mut heard) {
            socket.set_read_timeout(Some(Duration::from_millis(100))).expect("the time is not zero");
            *heard |= socket.recv(&mut [0; 16]).is_ok();
        }
    }
    heard == [true, true]
}
