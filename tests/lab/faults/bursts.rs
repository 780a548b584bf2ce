//! What becomes of many packets, and of many at once?

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::Result;

use super::datagrams::Pair;

/// Whether the wires' engine has memory in common with the kernel, which it gets where many packets come.
fn has_a_ring() -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a process sees its own");
    maps.lines().any(|line| line.contains("socket:["))
}

/// Whether a thread of this name is there.
fn works(name: &str) -> bool {
    let threads = std::fs::read_dir("/proc/self/task").expect("this process has threads").flatten();
    threads.flat_map(|thread| std::fs::read_to_string(thread.path().join("comm"))).any(|comm| comm.trim() == name)
}

/// Sends until all goes through that memory, and sees that nothing is lost, doubled, or overtaken meanwhile.
pub(crate) fn send_until_there_is_a_ring(pair: &Pair) {
    let expected: Vec<u64> = (1..=1000).collect();
    let start = Instant::now();
    let mut is_there = false;
    while !is_there {
        assert!(start.elapsed() < Duration::from_secs(60), "no ring was made");
        // Who has made it has handed it over when he ends; the next packet is received with it in mind.
        is_there = has_a_ring() && !works("lab-ring");
        assert!(pair.send(1000) == expected);
    }
    assert!(pair.send(1000) == expected);
}

#[isotest]
fn many_packets_arrive_once_and_in_order_while_a_ring_takes_over() -> Result<()> {
    let pair = Pair::new(1)?;
    send_until_there_is_a_ring(&pair);
    assert_eq!(pair.link.fates()?.missed, 0);
    Ok(())
}

#[isotest]
fn few_packets_do_without_a_ring() -> Result<()> {
    let pair = Pair::new(1)?;
    pair.send(100);
    assert!(!has_a_ring());
    Ok(())
}

#[isotest]
fn a_burst_goes_over_a_sound_link_whole_however_late_its_thread_is() -> Result<()> {
    /// As many as the ring has room for.
    const BURST: u64 = 10_000;
    let pair = Pair::new(1)?;
    send_until_there_is_a_ring(&pair);
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    // No socket is there that could be full.
    sender.connect((pair.bob.address(), 10)).expect("there is a route");
    let before = (pair.link.fates()?.forth.packets, pair.link.stats()?.forth.received.packets);
    let mut sent = 0;
    while sent < BURST {
        // That nobody has the port is told now and then instead of sending.
        sent += u64::from(sender.send(&[1; 18]).is_ok());
    }
    let start = Instant::now();
    while pair.link.stats()?.forth.received.packets < before.1 + BURST {
        assert_eq!(pair.link.fates()?.missed, 0);
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", pair.link.stats()?.forth);
        std::thread::yield_now();
    }
    assert_eq!(pair.link.fates()?.forth.packets - before.0, BURST);
    Ok(())
}
