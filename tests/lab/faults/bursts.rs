//! What becomes of many packets, and of many at once?

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket};

use super::datagrams::Pair;

/// Whether the wires' engine has memory in common with the kernel, which it gets where many packets come.
fn has_a_ring() -> bool {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a process sees its own");
    maps.lines().any(|line| line.contains("socket:["))
}

/// Sends until all goes through that memory, and sees that nothing is lost, doubled, or overtaken meanwhile.
pub(crate) fn send_until_there_is_a_ring(pair: &Pair) {
    let expected: Vec<u64> = (1..=1000).collect();
    let start = Instant::now();
    let mut is_there = false;
    while !is_there {
        assert!(start.elapsed() < Duration::from_secs(60), "no ring was made");
        is_there = has_a_ring();
        // One that is there takes over with the next packets.
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

/// Datagrams from alice to a port of bob's that nobody has, so that no socket on the way could be full.
fn to_nobody(pair: &Pair) -> UdpSocket {
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    sender.connect((pair.bob.address(), 10)).expect("there is a route");
    sender
}

/// Sends so many at once, and sees that the link carries each of them.
fn goes_over_whole(pair: &Pair, burst: u64) -> Result<()> {
    let sender = to_nobody(pair);
    let before = (pair.link.fates()?.forth.packets, pair.link.stats()?.forth.received.packets);
    let mut sent = 0;
    while sent < burst {
        // That nobody has the port is told now and then instead of sending.
        sent += u64::from(sender.send(&[1; 18]).is_ok());
    }
    let start = Instant::now();
    // The kernel's own packets are received as well, and have no fates.
    while pair.link.stats()?.forth.received.packets < before.1 + burst
        || pair.link.fates()?.forth.packets < before.0 + burst
    {
        assert_eq!(pair.link.fates()?.missed, 0);
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", pair.link.stats()?.forth);
        std::thread::yield_now();
    }
    assert_eq!(pair.link.fates()?.forth.packets - before.0, burst);
    Ok(())
}

#[isotest]
fn a_burst_goes_over_a_sound_link_whole_however_late_its_thread_is() -> Result<()> {
    let pair = Pair::new(1)?;
    send_until_there_is_a_ring(&pair);
    // As many as the ring has room for.
    goes_over_whole(&pair, 10_000)
}

/// Several times as many as the socket has room for that takes them in until there is a ring.
#[isotest]
fn the_first_burst_goes_over_whole_as_well() -> Result<()> {
    goes_over_whole(&Pair::new(1)?, 2_000)
}

/// Whether a sender who does not wait is told to, before he has sent so many.
fn is_held_back(pair: &Pair, burst: usize) -> bool {
    let sender = to_nobody(pair);
    sender.set_nonblocking(true).expect("it is a socket");
    let mut full = (0..burst).filter_map(|_| sender.send(&[1; 18]).err());
    full.any(|error| error.kind() == ErrorKind::WouldBlock)
}

/// How many bytes the kernel lets a host send at once over its link, about, `tc-tbf(8)`.
fn may_send_at_once(host: &Host) -> u64 {
    // `struct nlmsghdr` and `struct tcmsg`, of which the rest is zero.
    let mut question = vec![];
    question.extend(36_u32.to_ne_bytes());
    question.extend(libc::RTM_GETQDISC.to_ne_bytes());
    question.extend(((libc::NLM_F_REQUEST | libc::NLM_F_DUMP) as u16).to_ne_bytes());
    question.resize(36, 0);
    let answer = host.enter(|| {
        let family = AddressFamily::Netlink;
        let socket = socket(family, SockType::Raw, SockFlag::empty(), SockProtocol::NetlinkRoute).expect("a socket");
        send(socket.as_raw_fd(), &question, MsgFlags::empty()).expect("the kernel listens");
        let mut answer = vec![0; 32 << 10];
        let length = recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty()).expect("it answers");
        answer.truncate(length);
        answer
    });
    // The kind, then the headers of the options and of their first: two rates of 12 bytes, of which the first has its number of bytes per
    // second last; then the limit, and how long the bucket would last at that rate, in units of 64 ns.
    let kind = answer.windows(4).position(|bytes| bytes == b"tbf\0").expect("there is one");
    let word = |at| {
        let at = kind + 4 + 4 + 4 + at;
        u64::from(u32::from_ne_bytes(answer[at..at + 4].try_into().expect("four")))
    };
    word(8) * word(28) * 64 / 1_000_000_000
}

#[isotest]
fn a_sender_is_held_back_and_may_send_more_at_once_while_it_sends_much() -> Result<()> {
    /// More than a usual socket holds of its own.
    const BURST: usize = 5_000;
    let start = Instant::now();
    let mut pair = Pair::new(1)?;
    let first = may_send_at_once(&pair.alice);
    assert!((10_000..60_000).contains(&first), "{first}");
    // Who gets no time to send is not held back.
    while !is_held_back(&pair, BURST) {
        assert!(start.elapsed() < Duration::from_secs(60), "nobody is held back");
        pair = Pair::new(1)?;
    }
    let sender = to_nobody(&pair);
    let more = 4 * first;
    while may_send_at_once(&pair.alice) < more {
        assert!(start.elapsed() < Duration::from_secs(60), "it is not granted more");
        // That nobody has the port is told now and then instead of sending.
        (0..BURST).for_each(|_| drop(sender.send(&[1; 18])));
    }
    assert!(has_a_ring());
    while may_send_at_once(&pair.alice) >= more {
        assert!(start.elapsed() < Duration::from_secs(60), "it keeps what it does not need");
        std::thread::sleep(Duration::from_millis(10));
    }
    // A ring has room for more than there was at first.
    assert!(may_send_at_once(&pair.alice) > first + first / 2);
    Ok(())
}

/// What a plain link brings goes on over one that has the lab's wires.
#[isotest]
fn a_burst_goes_through_a_router_whole() -> Result<()> {
    const BURST: u64 = 10_000;
    let lab = Lab::with_seed(1)?;
    let (alice, gw, bob) = (lab.host("alice")?, lab.router("gw")?, lab.host("bob")?);
    lab.link(&alice, &gw)?;
    let link = lab.link(&gw, &bob)?;
    link.wired()?;
    goes_over_whole(&Pair::of(lab, alice, bob, link), BURST)
}

/// Each reaches every host, and each host's link carries all of them.
#[isotest]
fn broadcasts_reach_all_hosts_at_a_switch() -> Result<()> {
    const BURST: u64 = 500;
    let lab = Lab::with_seed(1)?;
    let lan = lab.switch("lan")?;
    let hosts: Vec<_> = (1..=4).map(|number| lab.host(&format!("host-{number}"))).collect::<Result<_>>()?;
    let links: Vec<_> = hosts.iter().map(|host| lan.attach(host)).collect::<Result<_>>()?;
    links.iter().try_for_each(|link| link.wired().map(drop))?;
    let sender = hosts[0].enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    sender.set_broadcast(true).expect("it is a socket");
    let before = links[1].fates()?.back.packets;
    for _ in 0..BURST {
        sender.send_to(&[1; 18], ("255.255.255.255", 9)).expect("there is a route");
    }
    let start = Instant::now();
    for link in &links[1..] {
        while link.fates()?.back.packets < before + BURST {
            assert!(start.elapsed() < Duration::from_secs(30), "{:?}", link.fates()?);
            std::thread::yield_now();
        }
    }
    assert_eq!(links[0].fates()?.missed, 0);
    Ok(())
}

/// What makes the kernel let waiting packets go is sent to an address for experiments, and leaves no host.
#[isotest(timeout = "2min")]
fn nobody_sees_how_the_kernel_is_told_that_more_may_be_sent() -> Result<()> {
    let pair = Pair::new(1)?;
    let all = |host: &Host| {
        let flags = SockFlag::SOCK_NONBLOCK;
        host.enter(|| socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll).expect("it may"))
    };
    let watched = [all(&pair.alice), all(&pair.bob)];
    let sender = to_nobody(&pair);
    let before = may_send_at_once(&pair.alice);
    let (mut seen, mut frame) = (0, [0; 2048]);
    while may_send_at_once(&pair.alice) == before || seen < 10_000 {
        // That nobody has the port is told now and then instead of sending.
        (0..50).for_each(|_| drop(sender.send(&[1; 18])));
        for socket in &watched {
            while let Ok(length) = recv(socket.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                assert_ne!(frame[..length].get(30..34), Some(&[224, 0, 0, 254][..]));
                seen += 1;
            }
        }
    }
    let sent = pair.link.stats()?.forth.sent;
    assert_eq!(sent.dropped, 0, "{sent:?}");
    Ok(())
}
