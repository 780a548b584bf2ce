//! Links with faults.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Faults, GilbertElliott, Lab, Rate, Result};

#[isotest]
fn a_far_away_server() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    let link = lab.link(&client, &web)?;
    link.faults(Faults::new().latency(Duration::from_millis(20)))?;

    let [here, there] = [&client, &web].map(|host| host.enter(|| UdpSocket::bind("0.0.0.0:9").expect("free")));
    let start = Instant::now();
    here.send_to(b"ping", (web.address(), 9)).expect("it leaves the socket");
    let (_, from) = there.recv_from(&mut [0; 4]).expect("it arrives");
    there.send_to(b"pong", from).expect("it leaves the socket");
    here.recv(&mut [0; 4]).expect("it arrives");
    assert!(start.elapsed() >= Duration::from_millis(40));
    Ok(())
}

#[isotest]
fn much_at_once_and_each_way_by_itself() -> Result<()> {
    let lab = Lab::new()?;
    let (phone, web) = (lab.host("phone")?, lab.host("web")?);
    let radio = lab.link(&phone, &web)?;
    let ms = Duration::from_millis;
    let down = Faults::new().latency(ms(40)).jitter(ms(15)).rate(Rate::mbit(10.0));
    let up = Faults::new().rate(Rate::kbit(500.0)).loss_bursts(GilbertElliott::bursts(0.02, 4.0)).reorder(0.01, 3);
    radio.faults_from(&web, down)?.faults_from(&phone, up)?;
    lab.up()?;
    // In the tunnel.
    radio.faults(Faults::new().loss(1.0))?;
    Ok(())
}

#[isotest]
fn exactly_these_packets() -> Result<()> {
    let lab = Lab::new()?;
    let (client, web) = (lab.host("client")?, lab.host("web")?);
    lab.link(&client, &web)?.faults_from(&client, Faults::new().lose_nth([2, 3]))?;

    let ear = web.enter(|| UdpSocket::bind("0.0.0.0:9").expect("free"));
    let mouth = client.enter(|| UdpSocket::bind("0.0.0.0:0").expect("free"));
    for number in 1..=5 {
        mouth.send_to(&[number], (web.address(), 9)).expect("it leaves the socket");
    }
    let mut heard = [0; 3];
    for slot in &mut heard {
        ear.recv(std::slice::from_mut(slot)).expect("it arrives");
    }
    assert_eq!(heard, [1, 4, 5]);
    Ok(())
}

#[isotest]
fn the_same_seed_loses_the_same_packets() -> Result<()> {
    let lost = |seed| -> Result<Vec<u64>> {
        let lab = Lab::with_seed(seed)?;
        let (client, web) = (lab.host("client")?, lab.host("web")?);
        let link = lab.link(&client, &web)?;
        link.faults_from(&client, Faults::new().loss(0.05))?;

        let ear = web.enter(|| UdpSocket::bind("0.0.0.0:9").expect("free"));
        let mouth = client.enter(|| UdpSocket::bind("0.0.0.0:0").expect("free"));
        ear.set_nonblocking(true).expect("a socket");
        for _ in 0..500 {
            mouth.send_to(b"a packet", (web.address(), 9)).expect("it leaves the socket");
        }
        while link.fates_from(&client)?.packets < 500 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(link.fates_from(&client)?.which_lost)
    };
    assert_eq!(lost(7)?, lost(7)?);
    assert_ne!(lost(7)?, lost(8)?);
    Ok(())
}
