//! Does a lab that is up carry the very first packet, whoever sends it? The kernel finishes interfaces and addresses later, on a busy machine a
//! second later, and a lab has to wait for it.

use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest]
fn the_first_packet_of_a_lab_arrives() -> Result<()> {
    for _ in 0..20 {
        let lab = Lab::new()?;
        let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
        lab.switch("lan")?.connect(&[&alice, &gw])?;
        lab.link(&gw, &bob)?;
        lab.up()?;
        let addresses: [(&str, IpAddr); 2] = [("0.0.0.0:9", bob.address().into()), ("[::]:9", bob.address_v6().into())];
        for (any, address) in addresses {
            let [mouth, ear] =
                [&alice, &bob].map(|host| host.enter(|| UdpSocket::bind(any).expect("the port is free")));
            ear.set_read_timeout(Some(Duration::from_secs(20))).expect("it is not zero");
            mouth.send_to(b"hello", (address, 9)).expect("there is a route");
            assert_eq!(ear.recv(&mut [0; 9]).expect("nobody sends it a second time"), 5, "{address}");
        }
    }
    Ok(())
}
