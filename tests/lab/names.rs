//! Are the lab's names known to those who ask DNS themselves?

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

const RESOLVER: &str = "127.0.0.53:53";
const A: u16 = 1;
const PTR: u16 = 12;
const AAAA: u16 = 28;
const NO_SUCH_NAME: u8 = 3;

fn pair(lab: &Lab) -> Result<[Host; 2]> {
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    Ok([alice, bob])
}

/// A question as RFC 1035 has it.
fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut bytes = vec![7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend(label.bytes());
    }
    bytes.push(0);
    bytes.extend([kind, 1].into_iter().flat_map(u16::to_be_bytes));
    bytes
}

fn ask_by_udp(message: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a port is free");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets can");
    socket.connect(RESOLVER).and_then(|()| socket.send(message)).expect("somebody is there");
    let mut reply = vec![0; 4096];
    let length = socket.recv(&mut reply).expect("a reply comes");
    reply.truncate(length);
    reply
}

fn send_by_tcp(stream: &mut TcpStream, message: &[u8]) {
    let framed = [&(message.len() as u16).to_be_bytes()[..], message].concat();
    // Byte by byte, as the network may deliver it.
    framed.chunks(1).for_each(|byte| stream.write_all(byte).expect("the other end reads"));
}

fn receive_by_tcp(stream: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("a reply comes");
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).expect("all of it");
    reply
}

/// The code of a reply, and how many records answer.
fn outcome(reply: &[u8]) -> (u8, u16) {
    (reply[3] & 0xf, u16::from_be_bytes([reply[6], reply[7]]))
}

/// Hides /etc/hosts from the calling thread, so that the C library has to ask.
fn without_a_hosts_file() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("the sandbox allows it");
    let (from, flags) = (Some("/dev/null"), nix::mount::MsFlags::MS_BIND);
    nix::mount::mount(from, "/etc/hosts", None::<&str>, flags, None::<&str>).expect("it is a file");
}

fn addresses(name: &str) -> Vec<IpAddr> {
    let mut found: Vec<_> = (name, 80).to_socket_addrs().expect("it is known").map(|to| to.ip()).collect();
    found.sort();
    found.dedup();
    found
}

#[isotest]
fn a_host_that_is_linked_to_nobody_knows_its_own_name_and_no_other_does() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, _] = pair(&lab)?;
    let (lonely, here) = (lab.host("lonely")?, lab.here()?);
    let own = |name: &str| {
        let loopback = ["127.0.0.1", "::1"].map(|own| own.parse::<IpAddr>().expect("an address"));
        assert_eq!(addresses(name), loopback);
        without_a_hosts_file();
        assert_eq!(addresses(name), loopback, "by asking");
        assert_eq!(addresses("alice").len(), 2, "others are known to it");
    };
    lonely.enter(|| own("lonely"));
    here.enter(|| own("here"));
    alice.enter(|| {
        assert!(("lonely", 80).to_socket_addrs().is_err());
        without_a_hosts_file();
        assert!(("lonely", 80).to_socket_addrs().is_err());
    });
    Ok(())
}

#[isotest]
fn the_c_library_finds_names_by_asking() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    for name in ["bob", "BoB", "bob."] {
        let found = alice.enter(|| {
            without_a_hosts_file();
            addresses(name)
        });
        assert_eq!(found, [IpAddr::from(bob.address()), bob.address_v6().into()], "{name}");
    }
    let unknown = alice.enter(|| ("eve", 80).to_socket_addrs().map(|found| found.collect::<Vec<SocketAddr>>()));
    let error = unknown.expect_err("nobody has that name").to_string();
    assert!(error.contains("Name or service not known"), "a clear no rather than `try again`: {error}");
    Ok(())
}

#[isotest]
fn each_kind_of_question_is_answered_by_udp_and_by_tcp() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, _bob] = pair(&lab)?;
    let cases = [
        (question("bob", A), (0, 1), &[10, 128, 0, 2][..]),
        (question("bob", AAAA), (0, 1), &[0xfd, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
        (question("2.0.128.10.in-addr.arpa", PTR), (0, 1), b"\x03bob\x00"),
        (question("bob", 16), (0, 0), b""),
        (question("eve", A), (NO_SUCH_NAME, 0), b""),
    ];
    alice.enter(|| {
        let mut stream = TcpStream::connect(RESOLVER).expect("somebody listens");
        for (message, expected, end) in &cases {
            let by_udp = ask_by_udp(message);
            send_by_tcp(&mut stream, message);
            let by_tcp = receive_by_tcp(&mut stream);
            assert_eq!(by_udp, by_tcp);
            assert_eq!(outcome(&by_udp), *expected, "{message:?}");
            assert!(by_udp.ends_with(end), "{by_udp:?}");
        }
    });
    Ok(())
}

#[isotest]
fn many_ask_at_once_and_nonsense_disturbs_nobody() -> Result<()> {
    let lab = Lab::new()?;
    let hosts = pair(&lab)?;
    let rounds = |host: &Host| {
        host.enter(|| {
            let mut idle = TcpStream::connect(RESOLVER).expect("somebody listens");
            idle.write_all(&[0, 200, 1, 2, 3]).expect("part of a message");
            for n in 0..200_u8 {
                let socket = UdpSocket::bind("0.0.0.0:0").expect("a port is free");
                let noise: Vec<u8> = (0..n).map(|byte| byte.wrapping_mul(n)).collect();
                socket.send_to(&noise, RESOLVER).expect("somebody is there");
                assert_eq!(outcome(&ask_by_udp(&question("bob", A))), (0, 1));
            }
        });
    };
    std::thread::scope(|scope| hosts.iter().for_each(|host| drop(scope.spawn(move || rounds(host)))));
    Ok(())
}

#[isotest]
fn a_host_can_have_a_name_server_of_its_own() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, bob] = pair(&lab)?;
    let udp = bob.enter(|| UdpSocket::bind("0.0.0.0:53").expect("the port is free"));
    let _tcp = bob.enter(|| TcpListener::bind("[::]:53").expect("the port is free"));
    let asked = alice.enter(|| UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"?", "10.128.0.2:53")));
    asked.expect("bob can be reached");
    udp.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets can");
    assert_eq!(udp.recv(&mut [0; 8]).expect("it is bob's own"), 1);
    assert_eq!(outcome(&bob.enter(|| ask_by_udp(&question("alice", A)))), (0, 1), "and names are known all the same");
    assert!(bob.listeners()?.iter().all(|listener| listener.address.port() == 53), "{:?}", bob.listeners()?);
    Ok(())
}

#[isotest]
fn the_test_body_itself_knows_the_names_if_it_is_a_host() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    lab.link(&lab.here()?, &bob)?;
    lab.up()?;
    assert_eq!(outcome(&ask_by_udp(&question("bob", A))), (0, 1));
    let found = std::thread::spawn(|| {
        without_a_hosts_file();
        addresses("bob")
    });
    assert_eq!(found.join().expect("it is known"), [IpAddr::from(bob.address()), bob.address_v6().into()]);
    Ok(())
}

#[isotest]
fn the_server_ends_with_the_lab() -> Result<()> {
    let lab = Lab::new()?;
    let [alice, _bob] = pair(&lab)?;
    let socket = alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("a port is free"));
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets can");
    socket.connect(RESOLVER).expect("it has a route");
    socket.send(&question("bob", A)).and_then(|_| socket.recv(&mut [0; 512])).expect("it answers");
    let threads = || std::fs::read_dir("/proc/self/task").expect("one's own").flatten();
    let serves = |thread: std::fs::DirEntry| {
        std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name == "lab-names\n")
    };
    assert!(threads().any(serves));
    drop(lab);
    assert!(!threads().any(serves));
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("sockets can");
    socket.send(&question("bob", A)).and_then(|_| socket.recv(&mut [0; 512])).expect_err("nobody is there");
    Ok(())
}

#[isotest]
fn daemons_of_the_machine_are_not_asked() -> Result<()> {
    let own = std::path::Path::new("/tmp/nsswitch.conf");
    std::fs::write(own, "passwd: files\nhosts: files resolve [!UNAVAIL=return] dns\n").expect("/tmp is private");
    let over = "/etc/nsswitch.conf";
    nix::mount::mount(Some(own), over, None::<&str>, nix::mount::MsFlags::MS_BIND, None::<&str>).expect("it is there");
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let seen = bob.enter(|| std::fs::read_to_string(over).expect("text"));
    assert_eq!(seen, "passwd: files\nhosts: files dns\n");
    Ok(())
}

#[isotest]
fn of_a_host_s_addresses_the_asker_s_neighbour_comes_first() -> Result<()> {
    let lab = Lab::new()?;
    let (left, middle, right) = (lab.host("left")?, lab.host("middle")?, lab.host("right")?);
    let gateway = lab.router("gateway")?;
    lab.link(&left, &middle)?;
    lab.link(&middle, &right)?;
    let inside = lab.host("inside")?;
    lab.link(&inside, &gateway)?;
    let door = lab.link(&gateway, &right)?;
    gateway.masquerade(&door)?;
    for (asker, name, first) in [
        (&left, "middle", "10.128.0.2"),
        (&right, "middle", "10.128.1.1"),
        (&inside, "gateway", "10.128.2.2"),
        (&right, "gateway", "10.128.3.1"),
    ] {
        let first: IpAddr = first.parse().expect("an address");
        let file = asker.enter(|| std::fs::read_to_string("/etc/hosts").expect("it can be read"));
        let named = file.lines().find_map(|line| line.strip_suffix(&format!(" {name}")));
        assert_eq!(named, Some(first.to_string().as_str()), "in the file of `{}`", asker.name());
        let question = question(name, A);
        let reply = asker.enter(|| ask_by_udp(&question));
        // Behind the question a record begins with its name, type, class, time to live and length: twelve bytes.
        let data = &reply[question.len() + 12..][..4];
        assert_eq!(IpAddr::from([data[0], data[1], data[2], data[3]]), first, "by DNS, from `{}`", asker.name());
    }
    Ok(())
}
