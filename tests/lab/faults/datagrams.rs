//! Numbered datagrams over one link: which of them arrive, how often, in which order?

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::lab::{Fates, Faults, Host, Lab, Link, Result};

/// Two hosts and a link with a fixed seed, so that no test fails by chance.
pub(crate) struct Pair {
    /// It keeps the hosts alive.
    _lab: Lab,
    pub(crate) alice: Host,
    pub(crate) bob: Host,
    pub(crate) link: Link,
}

impl Pair {
    pub(crate) fn new(seed: u64) -> Result<Pair> {
        let lab = Lab::with_seed(seed)?;
        let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
        let link = lab.link(&alice, &bob)?;
        link.wired()?;
        Ok(Pair::of(lab, alice, bob, link))
    }

    pub(crate) fn of(lab: Lab, alice: Host, bob: Host, link: Link) -> Pair {
        Pair { _lab: lab, alice, bob, link }
    }

    /// With these faults from alice to bob.
    pub(crate) fn with(seed: u64, faults: Faults) -> Result<Pair> {
        let pair = Pair::new(seed)?;
        pair.link.faults_from(&pair.alice, faults)?;
        Ok(pair)
    }

    /// Sends datagrams with the numbers from 1 on from alice to bob; gives those that arrived, as they did.
    pub(crate) fn send(&self, count: u64) -> Vec<u64> {
        self.send_sized(count, 8)
    }

    /// As [`Pair::send`], each of this many bytes.
    pub(crate) fn send_sized(&self, count: u64, bytes: usize) -> Vec<u64> {
        /// Few enough that no socket on the way is ever full.
        const ON_THE_WAY: usize = 50;
        let address = self.bob.address();
        let door = self.bob.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
        door.set_read_timeout(Some(Duration::from_secs(2))).expect("it is not zero");
        let sender = self.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
        let mut arrived = Vec::new();
        let mut sent = vec![0; bytes];
        let before = self.fates();
        let expected = |fates: &Fates| {
            let delivered = |fates: &Fates| {
                let kept = fates.lost + fates.swallowed + fates.crowded_out + fates.corrupted;
                fates.packets + fates.duplicated - kept
            };
            (delivered(fates) - delivered(&before)) as usize
        };
        for number in 1..=count {
            sent[..8].copy_from_slice(&number.to_be_bytes());
            sender.send_to(&sent, (address, 9)).expect("there is a route");
            if number % ON_THE_WAY as u64 == 0 || number == count {
                let decided = std::iter::repeat_with(|| {
                    std::thread::yield_now();
                    self.fates()
                });
                let mut all_decided = decided.skip_while(|fates| fates.packets < before.packets + number);
                let expected = expected(&all_decided.next().expect("it has no end"));
                let may_wait = if number == count { 0 } else { ON_THE_WAY };
                while arrived.len() + may_wait < expected {
                    let Some(number) = next(&door) else { return arrived };
                    arrived.push(number);
                }
            }
        }
        // Nothing else comes.
        door.set_nonblocking(true).expect("it is a socket");
        arrived.extend(std::iter::from_fn(|| next(&door)));
        arrived
    }

    fn fates(&self) -> Fates {
        self.link.fates_from(&self.alice).expect("the link is wired")
    }
}

/// The number in the next datagram; none where it is not there in time.
fn next(door: &UdpSocket) -> Option<u64> {
    let mut buffer = [0; 2000];
    let length = door.recv(&mut buffer).ok()?;
    assert!(length >= 8, "a datagram with a number");
    Some(u64::from_be_bytes(buffer[..8].try_into().expect("eight bytes")))
}

/// Whether a number of events is within five standard deviations of what its probability makes expect.
pub(crate) fn is_likely(happened: u64, of: u64, probability: f64) -> bool {
    let (expected, deviation) = (of as f64 * probability, (of as f64 * probability * (1.0 - probability)).sqrt());
    (happened as f64 - expected).abs() <= 5.0 * deviation
}

/// Asks by a connected socket, and answers: each way takes this long at least.
pub(crate) fn each_way_takes(latency: Duration, sender: &UdpSocket, door: &UdpSocket) {
    let start = Instant::now();
    sender.send(b"ping").expect("there is a route");
    let (_, from) = door.recv_from(&mut [0; 9]).expect("it arrives");
    assert!(start.elapsed() >= latency);
    door.send_to(b"pong", from).expect("there is a route");
    sender.recv(&mut [0; 9]).expect("it arrives");
    assert!(start.elapsed() >= 2 * latency);
}
