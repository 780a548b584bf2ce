//! What do hosts see?

use std::net::{TcpListener, ToSocketAddrs};

use isotest::isotest;
use isotest::lab::{Lab, Result};

#[isotest]
fn a_host_has_its_own_name_lo_files_and_interfaces() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let interfaces = |host: &isotest::lab::Host| {
        host.enter(|| {
            let names = std::fs::read_dir("/sys/class/net").expect("a /sys of its own").flatten();
            let mut names: Vec<_> = names.map(|entry| entry.file_name().into_string().expect("text")).collect();
            names.sort();
            names
        })
    };
    for host in [&alice, &bob] {
        let name = host.enter(|| std::fs::read_to_string("/proc/sys/kernel/hostname").expect("it can be read"));
        assert_eq!(name.trim(), host.name());
        host.enter(|| {
            TcpListener::bind("127.0.0.1:80").and_then(|own| std::net::TcpStream::connect(own.local_addr()?))
        })
        .expect("lo is up");
        assert_eq!(interfaces(host), ["eth0", "lo"]);
        let files =
            host.enter(|| ["/etc/hosts", "/etc/resolv.conf"].map(|path| std::fs::read_to_string(path).expect("text")));
        assert!(files[0].contains("10.128.0.2 bob\n") && files[1] == "nameserver 127.0.0.53\n", "{files:?}");
    }
    let own = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("it can be read");
    assert_eq!(own, "isotest\n", "the test's own has not changed");
    assert!(!std::fs::read_to_string("/etc/hosts").expect("text").contains("bob"), "nor have its files");
    Ok(())
}

#[isotest]
fn names_resolve_in_every_host() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    for host in [&alice, &bob] {
        let found =
            host.enter(|| ("bob", 80).to_socket_addrs().expect("it is known").map(|to| to.ip()).collect::<Vec<_>>());
        assert!(found.contains(&bob.address().into()) && found.contains(&bob.address_v6().into()), "{found:?}");
    }
    Ok(())
}

#[isotest]
fn programs_start_in_a_host_and_in_the_test_s_directory() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let told = bob.command("sh").args(["-c", "hostname; pwd; ls /sys/class/net; cat /etc/resolv.conf"]).output();
    let told = String::from_utf8(told.expect("sh starts").stdout).expect("text");
    let own = std::env::current_dir().expect("it is there");
    assert_eq!(told, format!("bob\n{}\nlo\nnameserver 127.0.0.53\n", own.display()));
    Ok(())
}

#[isotest]
fn programs_end_with_the_lab() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let mut sleeper = bob.command("sleep").arg("1000").spawn().expect("sleep starts");
    let mut other = std::process::Command::new("sleep").arg("1000").spawn().expect("sleep starts");
    drop(lab);
    let status = sleeper.wait().expect("it is our child");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    assert_eq!(other.try_wait().expect("it is our child"), None, "outside of the lab it runs on");
    other.kill().and_then(|()| other.wait()).expect("it is our child");
    Ok(())
}

#[isotest]
fn a_socket_stays_in_its_host_and_may_be_used_from_anywhere() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    let at_bob = bob.enter(|| std::net::UdpSocket::bind("0.0.0.0:53").expect("the port is free"));
    let at_alice = alice.enter(|| std::net::UdpSocket::bind("0.0.0.0:53").expect("the same port, elsewhere"));
    at_alice.send_to(b"from the test's own thread", "10.128.0.2:53").expect("the socket is alice's");
    let mut heard = [0; 64];
    let (length, from) = at_bob.recv_from(&mut heard).expect("a packet comes");
    assert_eq!((&heard[..length], from.ip().to_string().as_str()), (&b"from the test's own thread"[..], "10.128.0.1"));
    Ok(())
}

#[isotest]
fn a_thread_in_a_host_lives_on_and_can_be_joined() -> Result<()> {
    let lab = Lab::new()?;
    let bob = lab.host("bob")?;
    let (send, receive) = std::sync::mpsc::channel::<u32>();
    let thread = bob.spawn(move || receive.recv().expect("a number comes") + 1)?;
    send.send(41).expect("the thread waits");
    assert_eq!(thread.join(), 42);
    Ok(())
}

#[isotest]
#[should_panic(expected = "on host `bob`: the disk is full")]
fn a_panic_in_a_host_has_its_name() {
    let lab = Lab::new().expect("in a sandbox");
    lab.host("bob").expect("it is new").enter(|| panic!("the disk is {}", "full"));
}

#[isotest]
#[should_panic(expected = "on host `bob`: the disk is full")]
fn so_has_one_in_a_thread_of_a_host() {
    let lab = Lab::new().expect("in a sandbox");
    lab.host("bob").expect("it is new").spawn(|| panic!("the disk is full")).expect("a thread starts").join()
}
