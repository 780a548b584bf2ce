//! What went over the links, packet by packet?

use std::net::UdpSocket;

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest(pcap = "failed")]
fn alice_calls_bob() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;

    let capture = link.capture("/tmp/call.pcapng")?;
    let (from, to) = (alice.enter(|| UdpSocket::bind("0.0.0.0:9")), bob.enter(|| UdpSocket::bind("0.0.0.0:9")));
    from.expect("free").send_to(b"hello", (bob.address(), 9)).expect("there is a route");
    to.expect("free").recv(&mut [0; 5]).expect("it arrives");
    let captured = capture.stop();
    assert!(captured.packets >= 2 && captured.missed == 0, "hello, as it left and as it arrived: {captured:?}");
    std::fs::remove_file("/tmp/call.pcapng").expect("it was written");
    Ok(())
}
