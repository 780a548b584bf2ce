//! Does a client with a hard-coded host find what the test answers in its place?

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs, UdpSocket};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Asked, Internet, Lab, Result};

use crate::talk::connect;

/// A handler that tells whom it was taken for.
fn echo_asked(mut stream: TcpStream, asked: Asked) {
    write!(stream, "{asked}").expect("the client reads");
}

/// What a client hears from a host and port that are written down in it.
fn heard(host: &str) -> std::io::Result<String> {
    let mut text = String::new();
    TcpStream::connect(host)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Why it hears nothing.
fn refused(host: &str) -> ErrorKind {
    heard(host).expect_err("nobody is there").kind()
}

#[isotest]
fn a_name_and_an_address_are_answered_in_any_host() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.switch("lan")?.connect(&[&alice, &bob])?;
    let internet = lab.internet()?;
    internet.serve("api.example.com", 443, echo_asked)?;
    internet.serve("93.184.216.34", 80, echo_asked)?;
    internet.serve("2001:db8::7", 80, echo_asked)?;
    for host in [&alice, &bob] {
        host.enter(|| {
            assert_eq!(heard("api.example.com:443").expect("it is served"), "api.example.com:443");
            assert_eq!(heard("93.184.216.34:80").expect("it is served"), "93.184.216.34:80");
            assert_eq!(heard("[2001:db8::7]:80").expect("it is served"), "[2001:db8::7]:80");
        });
    }
    Ok(())
}

#[isotest]
fn what_nobody_serves_is_refused_at_once() -> Result<()> {
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    lab.internet()?.serve("api.example.com", 443, echo_asked)?;
    alice.enter(|| {
        assert_eq!(refused("api.example.com:80"), ErrorKind::ConnectionRefused, "another port");
        assert_eq!(refused("93.184.216.34:443"), ErrorKind::ConnectionRefused, "another address");
        let unknown = "www.example.com:443".to_socket_addrs().map(Vec::from_iter).expect_err("another name");
        assert!(unknown.to_string().contains("Name or service not known"), "{unknown}");
    });
    Ok(())
}

#[isotest]
fn the_test_body_alone_can_have_an_internet() -> Result<()> {
    assert!(heard("api.example.com:80").is_err(), "there is none yet");
    let internet = Internet::new()?;
    internet.serve("api.example.com", 80, echo_asked)?;
    assert_eq!(heard("api.example.com:80").expect("it is served"), "api.example.com:80");
    let from_afar = std::process::Command::new("getent").args(["ahostsv4", "api.example.com"]).output();
    let told = String::from_utf8(from_afar.expect("libc-bin").stdout).expect("text");
    assert!(told.starts_with("198.18.0.1 "), "programs that the body starts see it too: {told}");
    Ok(())
}

#[isotest]
fn the_nearest_answers_and_any_name_can_be_served() -> Result<()> {
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    let internet = lab.internet()?;
    let say =
        |word: &'static str| move |mut stream: TcpStream, _: Asked| stream.write_all(word.as_bytes()).expect("read");
    internet.serve("api.example.com", 80, say("itself"))?;
    internet.serve("*.example.com", 80, say("below"))?;
    internet.serve("*", 80, say("anybody"))?;
    alice.enter(|| {
        for (host, expected) in [
            ("api.example.com:80", "itself"),
            ("API.Example.com.:80", "itself"),
            ("www.example.com:80", "below"),
            ("a.b.example.com:80", "below"),
            ("example.com:80", "anybody"),
            ("192.0.2.1:80", "anybody"),
            ("[2001:db8::1]:80", "anybody"),
        ] {
            assert_eq!(heard(host).expect("somebody answers"), expected, "{host}");
        }
        assert_eq!(refused("api.example.com:81"), ErrorKind::ConnectionRefused);
    });
    Ok(())
}

#[isotest]
fn names_below_another_are_served_and_no_others() -> Result<()> {
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    lab.internet()?.serve("*.example.com", 80, echo_asked)?;
    alice.enter(|| {
        assert_eq!(heard("www.example.com:80").expect("it is served"), "www.example.com:80");
        assert_eq!(refused("192.0.2.1:80"), ErrorKind::ConnectionReset);
        assert!("example.com:80".to_socket_addrs().map(Vec::from_iter).is_err());
    });
    Ok(())
}

#[isotest]
fn a_name_keeps_its_address_and_an_address_tells_its_name() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let internet = lab.internet()?;
    internet.serve("api.example.com", 80, echo_asked)?;
    internet.serve("api.example.com", 81, echo_asked)?;
    internet.serve("www.example.com", 80, echo_asked)?;
    let found = |host: &isotest::lab::Host, name: &str| {
        host.enter(|| (name, 80).to_socket_addrs().expect("it is served").map(|to| to.ip()).collect::<Vec<_>>())
    };
    let api = found(&alice, "api.example.com");
    assert_eq!(api, found(&bob, "api.example.com"));
    assert!(!found(&alice, "www.example.com").contains(&api[0]));
    for address in api {
        let at = SocketAddr::new(address, 81).to_string();
        assert_eq!(alice.enter(|| heard(&at)).expect("it is served"), "api.example.com:81");
    }
    Ok(())
}

#[isotest]
fn what_is_served_may_change_while_the_lab_is_up() -> Result<()> {
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    let internet = lab.internet()?;
    assert_eq!(alice.enter(|| refused("192.0.2.1:80")), ErrorKind::ConnectionRefused);
    internet.serve("192.0.2.1", 80, |mut stream, _| stream.write_all(b"one").expect("read"))?;
    assert_eq!(alice.enter(|| heard("192.0.2.1:80")).expect("now it is served"), "one");
    internet.serve("192.0.2.1", 80, |mut stream, _| stream.write_all(b"two").expect("read"))?;
    assert_eq!(alice.enter(|| heard("192.0.2.1:80")).expect("by the other"), "two");
    Ok(())
}

/// What comes back from a host and port to which this was said, from the address it was said to.
fn answered(host: &str, ipv4: bool, question: &[u8]) -> String {
    let to = host.to_socket_addrs().expect("it is served").find(|to| to.is_ipv4() == ipv4).expect("by both");
    let socket = UdpSocket::bind(if ipv4 { "0.0.0.0:0" } else { "[::]:0" }).expect("a port is free");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets can");
    let mut reply = [0; 64];
    socket.send_to(question, to).expect("there is a route");
    let (length, from) = socket.recv_from(&mut reply).expect("an answer comes");
    assert_eq!(from, to, "from where it was asked");
    String::from_utf8(reply[..length].to_vec()).expect("text")
}

#[isotest]
fn datagrams_to_any_name_and_address_are_answered_from_there() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let internet = lab.internet()?;
    let say = |word: &'static str| move |_: &[u8], asked: Asked| Some(format!("{word} {asked}").into_bytes());
    internet.serve_udp("*", 53, say("any"))?;
    internet.serve_udp("*.example.com", 53, say("below"))?;
    internet.serve_udp("ns.example.com", 53, say("itself"))?;
    alice.enter(|| {
        for (host, ipv4, expected) in [
            ("192.0.2.7:53", true, "any 192.0.2.7:53"),
            ("[2001:db8::7]:53", false, "any [2001:db8::7]:53"),
            ("example.org:53", true, "any example.org:53"),
            ("example.org:53", false, "any example.org:53"),
            ("www.example.com:53", true, "below www.example.com:53"),
            ("ns.example.com:53", false, "itself ns.example.com:53"),
        ] {
            assert_eq!(answered(host, ipv4, b"who?"), expected);
        }
        let silent = UdpSocket::bind("0.0.0.0:0").expect("a port is free");
        silent.set_read_timeout(Some(Duration::from_millis(100))).expect("it is not zero");
        silent.send_to(b"who?", (bob.address(), 53)).expect("there is a route");
        silent.recv(&mut [0]).expect_err("hosts of the lab are no part of it");
    });
    Ok(())
}

#[isotest]
fn datagrams_are_answered_too() -> Result<()> {
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    let internet = lab.internet()?;
    internet.serve_udp("time.example.com", 123, |question, asked| {
        (question == b"when?").then(|| format!("now, says {asked}").into_bytes())
    })?;
    internet.serve_udp("192.0.2.1", 123, |_, _| Some(b"at an address".to_vec()))?;
    let ask = |host: &str| {
        let socket = UdpSocket::bind("[::]:0").or_else(|_| UdpSocket::bind("0.0.0.0:0")).expect("a port is free");
        let to = host.to_socket_addrs().expect("it is served").find(SocketAddr::is_ipv4).expect("by IPv4");
        let socket = if to.is_ipv4() { UdpSocket::bind("0.0.0.0:0").expect("a port is free") } else { socket };
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("sockets can");
        socket.connect(to).expect("there is a route");
        let mut reply = [0; 64];
        socket.send(b"nonsense").and_then(|_| socket.send(b"when?")).expect("it is heard");
        let length = socket.recv(&mut reply).expect("an answer comes, from where it was asked");
        String::from_utf8(reply[..length].to_vec()).expect("text")
    };
    assert_eq!(alice.enter(|| ask("time.example.com:123")), "now, says time.example.com:123");
    assert_eq!(alice.enter(|| ask("192.0.2.1:123")), "at an address");
    Ok(())
}

/// A handler that tells the test who came.
fn tell(who: Sender<IpAddr>) -> impl Fn(TcpStream, Asked) + Send + Sync {
    move |stream, asked| {
        who.send(asked.from.ip()).expect("the test waits");
        drop(stream);
    }
}

#[isotest]
fn a_linked_internet_is_reached_through_the_routers_that_lead_there() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, gw, core) = (lab.host("alice")?, lab.router("gw")?, lab.router("core")?);
    let lonely = lab.host("lonely")?;
    lab.switch("lan")?.connect(&[&alice, &gw])?;
    let line = lab.link(&gw, &core)?;
    let internet = lab.internet()?;
    lab.link(&core, &internet)?;
    let (send, receive) = channel();
    internet.serve("api.example.com", 80, tell(send))?;
    let to = "api.example.com:80";
    alice.enter(|| heard(to)).expect("it is served");
    assert!(alice.addresses().contains(&receive.recv().expect("she came")), "under her own address");
    assert!(line.stats()?.forth.sent.packets > 0, "by this way");
    for router in [&gw, &core] {
        router.enter(|| heard(to)).expect("routers find it too");
    }
    assert!(lonely.enter(|| heard(to)).is_err(), "who is not connected does not");
    Ok(())
}

#[isotest]
fn hosts_of_the_lab_are_no_part_of_the_internet() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    lab.internet()?.serve("*", 80, echo_asked)?;
    let door = bob.enter(|| std::net::TcpListener::bind("0.0.0.0:80").expect("every port is free"));
    let visit = std::thread::spawn(move || door.accept().expect("alice comes").0.write_all(b"bob himself"));
    assert_eq!(alice.enter(|| heard("bob:80")).expect("bob listens"), "bob himself");
    visit.join().expect("no panic").expect("she listens");
    assert_eq!(
        alice.enter(|| connect((bob.address(), 81).into())).expect_err("nobody listens").kind(),
        ErrorKind::ConnectionRefused
    );
    Ok(())
}

#[isotest]
fn a_line_leads_to_the_internet_and_to_no_other_host() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.internet()?.serve("*", 80, echo_asked)?;
    let _door = bob.enter(|| std::net::TcpListener::bind("0.0.0.0:80").expect("every port is free"));
    assert_eq!(alice.enter(|| refused("bob:80")), ErrorKind::ConnectionReset);
    assert_eq!(alice.enter(|| refused("bob:81")), ErrorKind::ConnectionRefused);
    Ok(())
}

#[isotest]
fn at_a_switch_the_internet_is_a_neighbour_like_others() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, internet) = (lab.host("alice")?, lab.host("bob")?, lab.internet()?);
    lab.switch("wan")?.connect(&[&alice, &internet, &bob])?;
    internet.serve("*", 7, |stream, _| drop(stream))?;
    for address in bob.addresses() {
        assert!(crate::talk::converse(&alice, &bob, address), "{address}");
    }
    assert_eq!(alice.enter(|| heard("192.0.2.1:7")).expect("it is served"), "");
    Ok(())
}

#[isotest]
fn mistakes_are_told() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let internet = lab.internet()?;
    let mistake = |who: &str| internet.serve(who, 443, echo_asked).expect_err("it is a mistake").to_string();
    assert_eq!(
        mistake("https://example.com"),
        "serving `https://example.com` at port 443 in the internet: this is neither an address nor a name of letters, digits, \
         hyphens and dots; write `api.example.com`, `93.184.216.34`, `2001:db8::1`, `*.example.com` or `*`; the port stands by itself"
    );
    assert!(mistake("bob").contains("that is the host `bob` of the lab; listen there"));
    assert!(mistake("10.128.0.2").contains("that is the host `bob` of the lab"));
    assert!(mistake("127.0.0.1").contains("do not go out"));
    let nowhere = internet.serve("api.example.com", 0, echo_asked).expect_err("it is a mistake").to_string();
    assert!(nowhere.contains("there is no port 0; name a port from 1 to 65535"), "{nowhere}");
    lab.up()?;
    let other = Lab::new()?;
    other.host("internet")?;
    assert!(other.internet().expect_err("the name is taken").to_string().contains("the lab has one of this name"));
    Ok(())
}

#[isotest]
fn an_internet_too_late_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    lab.host("alice")?;
    lab.up()?;
    assert!(lab.internet().expect_err("it is up").to_string().contains("the lab is up already"));
    Ok(())
}

#[isotest]
fn it_ends_with_the_lab() -> Result<()> {
    let lab = Lab::new()?;
    lab.here()?;
    lab.internet()?.serve("192.0.2.1", 80, echo_asked)?;
    lab.up()?;
    heard("192.0.2.1:80").expect("it is served");
    drop(lab);
    assert!(heard("192.0.2.1:80").is_err());
    Ok(())
}

#[isotest]
fn any_address_answers_pings() -> Result<()> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
    let lab = Lab::new()?;
    let alice = lab.host("alice")?;
    lab.internet()?;
    alice.enter(|| {
        let made = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::empty(), SockProtocol::Icmp);
        let socket = UdpSocket::from(made.expect("every user of the host may"));
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
        // An echo request of RFC 792; the kernel fills in the sum and who asks.
        socket.send_to(&[8, 0, 0, 0, 0, 0, 0, 1, b'?'], "203.0.113.9:0").expect("there is a way");
        let mut reply = [0; 64];
        let (length, from) = socket.recv_from(&mut reply).expect("a reply comes");
        assert_eq!((reply[0], reply[length - 1], from.ip().to_string().as_str()), (0, b'?', "203.0.113.9"));
    });
    Ok(())
}

#[isotest]
fn the_test_body_can_have_one_after_the_other() -> Result<()> {
    let files = || ["/etc/hosts", "/etc/resolv.conf"].map(|path| std::fs::read_to_string(path).expect("text"));
    let interfaces = || std::fs::read_dir("/sys/class/net").expect("one's own").count();
    let before = (files(), interfaces());
    for name in ["one.example.com:80", "two.example.com:80"] {
        let internet = Internet::new()?;
        internet.serve(name.trim_end_matches(":80"), 80, echo_asked)?;
        assert_eq!(heard(name).expect("it is served"), name);
        assert_ne!((files(), interfaces()), before);
        drop(internet);
        assert_eq!((files(), interfaces()), before, "nothing is left of it");
    }
    assert!(heard("two.example.com:80").is_err());
    Ok(())
}

#[isotest]
fn two_at_once_in_the_test_body_are_refused() -> Result<()> {
    let _first = Internet::new()?;
    let refusal = Internet::new().expect_err("there is one").to_string();
    assert!(refusal.contains("only one at a time may have `lab.here()`"), "{refusal}");
    Ok(())
}

#[isotest]
#[should_panic(expected = "the server crashes")]
fn a_handler_that_panics_closes_its_connection_and_no_other() {
    let internet = Internet::new().expect("it can be built");
    internet.serve("api.example.com", 80, |_, _| panic!("the server crashes")).expect("it is well-formed");
    internet.serve("api.example.com", 81, echo_asked).expect("it is well-formed");
    for _ in 0..2 {
        assert_eq!(heard("api.example.com:80").expect("it is closed"), "");
        assert_eq!(heard("api.example.com:81").expect("it is served"), "api.example.com:81");
    }
}
