//! How do frames pass, and what does it take while none does?

use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, sendto, setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use super::bursts::send_until_there_is_a_ring;
use super::datagrams::Pair;
use crate::talk::connect;

#[isotest]
fn jumbo_packets_pass_whole() -> Result<()> {
    passes_whole(9000)
}

#[isotest]
fn the_largest_packets_pass_whole() -> Result<()> {
    passes_whole(65_535)
}

fn passes_whole(mtu: usize) -> Result<()> {
    let pair = Pair::new(1)?;
    pair.link.mtu(mtu as u32)?;
    let address = pair.bob.address();
    let door = pair.bob.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
    let sender = pair.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    let sent: Vec<u8> = (0..mtu - 28).map(|at| (at % 251) as u8).collect();
    sender.send_to(&sent, (address, 9)).expect("there is a route");
    let mut received = vec![0; mtu];
    let length = door.recv(&mut received).expect("it arrives");
    assert!(received[..length] == sent, "{length} of {} bytes", sent.len());
    assert_eq!(pair.link.fates()?.forth.packets, 1, "in one packet");
    Ok(())
}

/// A socket for frames of all kinds.
fn frames(host: &Host) -> OwnedFd {
    let opened = host.enter(|| {
        let kind = (SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll);
        socket(AddressFamily::Packet, kind.0, kind.1, kind.2).expect("a lab's hosts have raw sockets")
    });
    setsockopt(&opened, sockopt::ReceiveTimeout, &TimeVal::new(10, 0)).expect("it is a socket");
    opened
}

#[isotest]
fn vlan_tags_pass() -> Result<()> {
    tags_pass(&Pair::new(1)?);
    Ok(())
}

#[isotest]
fn vlan_tags_pass_where_many_packets_do() -> Result<()> {
    let pair = Pair::new(1)?;
    send_until_there_is_a_ring(&pair);
    tags_pass(&pair);
    Ok(())
}

fn tags_pass(pair: &Pair) {
    const MARK: &[u8] = b"in two networks at once";
    let (from, to) = (frames(&pair.alice), frames(&pair.bob));
    let (outer, inner) = ([0x88, 0xa8, 0, 7], [0x81, 0, 0, 9]);
    let frame = [&[0xff; 6], &[2, 0, 0, 0, 0, 1][..], &outer, &inner, &[0x88, 0xb5], MARK].concat();
    let interface = pair.alice.enter(|| {
        let mut all = getifaddrs().expect("there are some").filter(|one| one.interface_name == "eth0");
        all.find_map(|one| one.address?.as_link_addr().copied()).expect("it has a hardware address")
    });
    sendto(from.as_raw_fd(), &frame, &interface, MsgFlags::empty()).expect("the frame is well-formed");
    let mut buffer = [0; 2000];
    let received = loop {
        let length = recv(to.as_raw_fd(), &mut buffer, MsgFlags::empty()).expect("it arrives");
        if buffer[..length].ends_with(MARK) {
            break &buffer[..length];
        }
    };
    // The kernel takes the first tag off, whichever that is, and shows it beside.
    assert_eq!(received[12..16], inner);
}

/// How often the thread of the wires has gone to sleep; none where there is no such thread.
fn naps() -> Option<u64> {
    let mut threads = std::fs::read_dir("/proc/self/task").expect("this process has threads").flatten();
    threads.find_map(|thread| {
        let read = |what: &str| std::fs::read_to_string(thread.path().join(what)).ok();
        read("comm").filter(|name| name.trim() == "lab-wires")?;
        let status = read("status")?;
        status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")?.trim().parse().ok())
    })
}

#[isotest]
fn nobody_wakes_while_nothing_passes() -> Result<()> {
    let pair = Pair::new(1)?;
    assert_eq!(pair.send(10).len(), 10);
    let before = naps().expect("it is there");
    std::thread::sleep(Duration::from_millis(500));
    let naps = naps().expect("it is there") - before;
    assert!(naps < 50, "{naps} for what kernels send now and then");
    Ok(())
}

#[isotest]
fn what_carries_frames_ends_with_the_lab() -> Result<()> {
    let pair = Pair::new(1)?;
    pair.send(1);
    assert!(naps().is_some());
    drop(pair);
    let start = Instant::now();
    while naps().is_some() {
        assert!(start.elapsed() < Duration::from_secs(10), "it is still there");
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}

/// How many bytes TCP puts into a packet on a link with this MTU, Ethernet header included, when it has many to send: on average, as the
/// sending end counts.
fn bytes_in_a_packet(mtu: u32, wired: bool) -> Result<u64> {
    const BYTES: usize = 4 << 20;
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.mtu(mtu)?;
    if wired {
        link.wired()?;
    }
    let address = bob.address();
    let door = bob.enter(|| TcpListener::bind((address, 7)).expect("every port is free and allowed"));
    let reader = bob.spawn(move || {
        let (mut stream, _) = door.accept().expect("alice comes");
        std::io::copy(&mut stream, &mut std::io::sink()).expect("bytes")
    })?;
    let mut stream = alice.enter(|| connect((address, 7).into())).expect("bob listens");
    stream.write_all(&vec![1; BYTES]).expect("bob reads");
    drop(stream);
    assert_eq!(reader.join(), BYTES as u64);
    let sent = link.stats()?.forth.sent;
    Ok(sent.bytes / sent.packets)
}

#[isotest]
fn tcp_sends_packets_that_fit_the_link() -> Result<()> {
    for mtu in [1500, 1300] {
        let bytes = bytes_in_a_packet(mtu, true)?;
        assert!(bytes <= u64::from(mtu) + 14, "{bytes} bytes in a packet on a link of {mtu}");
    }
    Ok(())
}

#[isotest]
fn without_a_wire_the_kernel_hands_over_many_in_one() -> Result<()> {
    let bytes = bytes_in_a_packet(1500, false)?;
    assert!(bytes > 1514, "{bytes} bytes in a packet");
    Ok(())
}
