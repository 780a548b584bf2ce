//! What becomes of the packets of many senders that send as fast as they can, all at once?

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result};

/// So many datagrams of so many bytes to an address, as fast as the kernel takes them.
#[derive(Clone, Copy)]
struct Flood {
    to: SocketAddr,
    count: u64,
    bytes: usize,
}

impl Flood {
    fn send(self) {
        let sender = UdpSocket::bind("0.0.0.0:0").expect("some port is free");
        let datagram = vec![1; self.bytes];
        for _ in 0..self.count {
            sender.send_to(&datagram, self.to).expect("there is a route");
        }
    }
}

/// A host with a socket that nobody reads, for more than it holds: who sends is told nothing of that.
fn sink(host: &Host) -> (UdpSocket, SocketAddr) {
    let socket = host.enter(|| UdpSocket::bind((host.address(), 9)).expect("every port is free and allowed"));
    (socket, (host.address(), 9).into())
}

/// How many packets the link has carried both ways, and how many found no room before it or behind it.
fn carried(link: &Link) -> Result<([u64; 2], u64)> {
    let (fates, stats) = (link.fates()?, link.stats()?);
    let dropped = [&stats.forth, &stats.back].map(|flow| flow.sent.dropped + flow.received.dropped);
    Ok(([fates.forth.packets, fates.back.packets], dropped.iter().sum()))
}

/// Waits until so many packets more than before have come over the link from one of its ends.
fn wait_for(link: &Link, end: usize, packets: u64) -> Result<()> {
    let start = Instant::now();
    while carried(link)?.0[end] < packets {
        assert_eq!(link.fates()?.missed, 0);
        assert!(start.elapsed() < Duration::from_secs(60), "{packets} expected: {:?}", carried(link)?);
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// So many hosts at a switch that send to another one there, and have met it.
struct Star {
    _lab: Lab,
    _socket: UdpSocket,
    to: SocketAddr,
    to_receiver: Link,
    senders: Vec<(Host, Link)>,
}

impl Star {
    fn of(hosts: usize, mtu: u32) -> Result<Star> {
        let lab = Lab::with_seed(1)?;
        let lan = lab.switch("lan")?;
        let receiver = lab.host("receiver")?;
        let to_receiver = lan.attach(&receiver)?;
        let senders = (0..hosts).map(|number| lab.host(&format!("sender-{number}"))).collect::<Result<Vec<_>>>()?;
        let links = senders.iter().map(|host| lan.attach(host)).collect::<Result<Vec<_>>>()?;
        links.iter().chain([&to_receiver]).try_for_each(|link| link.wired()?.mtu(mtu).map(drop))?;
        let (socket, to) = sink(&receiver);
        let senders = senders.into_iter().zip(links).collect();
        let star = Star { _lab: lab, _socket: socket, to, to_receiver, senders };
        // Then the kernels know where that is, and keep nothing back until they do.
        star.flood(1, 1)?;
        wait_for(&star.to_receiver, 1, hosts as u64)?;
        Ok(star)
    }

    /// Has each send so many.
    fn flood(&self, count: u64, bytes: usize) -> Result<()> {
        let to = self.to;
        let running = self.senders.iter().map(|(host, _)| host.spawn(move || Flood { to, count, bytes }.send()));
        running.collect::<Result<Vec<_>>>()?.into_iter().for_each(|thread| thread.join());
        Ok(())
    }
}

fn over_a_switch(hosts: usize, count: u64, bytes: usize) -> Result<()> {
    let star = Star::of(hosts, 1500)?;
    let links: Vec<&Link> = star.senders.iter().map(|(_, link)| link).chain([&star.to_receiver]).collect();
    let before = links.iter().map(|link| carried(link)).collect::<Result<Vec<_>>>()?;
    star.flood(count, bytes)?;
    wait_for(&star.to_receiver, 1, before[hosts].0[1] + hosts as u64 * count)?;
    for (link, before) in links[..hosts].iter().zip(&before) {
        // What the switch sends them, not knowing yet where the receiver is, is more or less.
        let ([sent, _], dropped) = carried(link)?;
        assert_eq!((sent, dropped), (before.0[0] + count, before.1));
    }
    assert_eq!(carried(&star.to_receiver)?.1, before[hosts].1);
    assert_eq!(star.to_receiver.fates()?.missed, 0);
    Ok(())
}

#[isotest(timeout = "2min")]
fn three_hosts_flood_a_switch_and_nothing_is_missed() -> Result<()> {
    over_a_switch(3, 20_000, 100)
}

#[isotest(timeout = "2min")]
fn eight_hosts_flood_a_switch_and_nothing_is_missed() -> Result<()> {
    over_a_switch(8, 2_000, 1400)
}

#[isotest(timeout = "2min")]
fn forty_hosts_flood_a_switch_and_nothing_is_missed() -> Result<()> {
    over_a_switch(40, 500, 1)
}

/// What a switch can't get rid of waits in front of the link, where 4,095 packets have room with the largest MTU.
#[isotest(timeout = "2min")]
fn what_hosts_that_flood_a_switch_lose_there_is_told_as_dropped() -> Result<()> {
    const HOSTS: u64 = 8;
    const COUNT: u64 = 2_000;
    let star = Star::of(HOSTS as usize, 65_535)?;
    let (start, mut sent) = (Instant::now(), HOSTS);
    loop {
        star.flood(COUNT, 1400)?;
        sent += HOSTS * COUNT;
        let dropped = loop {
            let (fates, dropped) = (star.to_receiver.fates()?, star.to_receiver.stats()?.back.sent.dropped);
            // So long packets have little room in the ring as well.
            if fates.back.packets + dropped + fates.missed >= sent {
                break dropped;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "{sent} sent, {dropped} dropped: {fates:?}");
            std::thread::sleep(Duration::from_millis(1));
        };
        if dropped > 0 {
            return Ok(());
        }
        assert!(start.elapsed() < Duration::from_secs(60), "nothing is dropped of {sent}");
    }
}

#[isotest(timeout = "2min")]
fn sixty_sockets_flood_a_link_and_nothing_is_missed() -> Result<()> {
    const SOCKETS: u64 = 60;
    const COUNT: u64 = 500;
    let lab = Lab::with_seed(1)?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.wired()?;
    let (_socket, to) = sink(&bob);
    let before = carried(&link)?;
    let threads = (0..SOCKETS).map(|_| alice.spawn(move || Flood { to, count: COUNT, bytes: 1000 }.send()));
    threads.collect::<Result<Vec<_>>>()?.into_iter().for_each(|thread| thread.join());
    wait_for(&link, 0, before.0[0] + SOCKETS * COUNT)?;
    assert_eq!(carried(&link)?, ([before.0[0] + SOCKETS * COUNT, before.0[1]], before.1));
    assert_eq!(link.fates()?.missed, 0);
    Ok(())
}

/// TCP hands over more as one than the longest datagram has, and whatever was let in at the brake has to get through, however the flood
/// goes on and ends.
fn all_gets_through_after_a_flood(mtu: u32) -> Result<()> {
    let lab = Lab::with_seed(1)?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.wired()?;
    link.mtu(mtu)?;
    let (_socket, to) = sink(&bob);
    let listener = bob.enter(|| TcpListener::bind("0.0.0.0:80").expect("every port is free and allowed"));
    let reader = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody comes");
        std::io::copy(&mut stream, &mut std::io::sink()).expect("it ends well")
    });
    let writer = alice.spawn(|| {
        let mut stream = TcpStream::connect("bob:80").expect("it listens");
        (0..300).for_each(|_| stream.write_all(&[0; 64 << 10]).expect("it is read"));
    })?;
    let bytes = mtu as usize - 28;
    let floods =
        [(20_000, 18), (300, bytes)].map(|(count, bytes)| alice.spawn(move || Flood { to, count, bytes }.send()));
    floods.into_iter().collect::<Result<Vec<_>>>()?.into_iter().for_each(|thread| thread.join());
    writer.join();
    assert_eq!(reader.join().expect("it reads"), 300 * (64 << 10));
    let start = Instant::now();
    let socket = bob.enter(|| UdpSocket::bind("0.0.0.0:7").expect("every port is free and allowed"));
    socket.set_read_timeout(Some(Duration::from_millis(10))).expect("it is not zero");
    while socket.recv(&mut [0]).is_err() {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing gets through any more: {:?}", carried(&link)?);
        alice.enter(|| Flood { to: (bob.address(), 7).into(), count: 1, bytes: 1 }.send());
    }
    assert_eq!(link.fates()?.missed, 0);
    Ok(())
}

#[isotest(timeout = "2min")]
fn after_a_flood_of_long_packets_all_gets_through() -> Result<()> {
    all_gets_through_after_a_flood(32_000)
}

/// TCP hands over two of them as one, and a datagram is as long as one of them.
#[isotest(timeout = "2min")]
fn after_a_flood_of_the_longest_packets_all_gets_through() -> Result<()> {
    [48_000, 65_500, 65_535].into_iter().try_for_each(all_gets_through_after_a_flood)
}
