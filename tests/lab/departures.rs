//! What of a lab remains in the test's own network when it is gone?

use std::fs;
use std::net::{TcpListener, TcpStream};

use isotest::isotest;
use isotest::lab::{Faults, Firewall, Lab, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::uplinks::tables;

/// All that a lab may change there.
fn state() -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).expect("it can be read");
    let columns = |path: &str, wanted: &[usize]| {
        let text = read(path);
        let lines = text.lines().map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            wanted.iter().filter_map(|at| fields.get(*at)).fold(String::new(), |all, field| format!("{all} {field}"))
        });
        let mut lines: Vec<_> = lines.collect();
        lines.sort();
        lines.join("\n")
    };
    vec![
        ("interfaces", columns("/proc/net/dev", &[0])),
        ("IPv4 routes", columns("/proc/net/route", &[0, 1, 2, 7])),
        ("IPv6 routes", columns("/proc/net/ipv6_route", &[0, 1, 4, 9])),
        ("IPv6 addresses", columns("/proc/net/if_inet6", &[0, 5])),
        ("IPv4 addresses", columns("/proc/net/fib_trie", &[0, 1])),
        ("hosts", read("/etc/hosts")),
        ("resolver", read("/etc/resolv.conf")),
        ("mounts", columns("/proc/self/mountinfo", &[3, 4])),
        ("tables of nftables", tables().to_string()),
        ("duplicate address detection", read("/proc/sys/net/ipv6/conf/default/accept_dad")),
    ]
}

#[isotest]
fn nothing_remains_of_it() -> Result<()> {
    let before = state();
    let lab = Lab::new()?;
    let (here, bob, gw) = (lab.here()?, lab.host("bob")?, lab.router("gw")?);
    let link = lab.link(&here, &gw)?;
    lab.link(&gw, &bob)?;
    lab.internet()?.serve("*", 80, |stream, _| drop(stream))?;
    here.firewall(&Firewall::new().drop_in().drop_out())?;
    lab.up()?;
    link.cut()?;
    lab.partition(&[&here], &[&bob])?;
    let (during, tables) = (state(), tables());
    assert!(tables >= 3, "names, a firewall, barriers at interfaces: {tables}");
    drop(lab);
    for ((what, before), ((_, during), (_, after))) in before.into_iter().zip(during.into_iter().zip(state())) {
        assert_eq!(before, after, "{what}");
        assert_ne!(before, during, "it would not have been noticed: {what}");
    }
    Ok(())
}

#[isotest]
fn a_firewall_at_the_test_s_own_network_goes_with_its_lab() -> Result<()> {
    let _door = TcpListener::bind("0.0.0.0:80").expect("every port is free and allowed");
    for closed in [true, false] {
        let lab = Lab::new()?;
        let (here, bob) = (lab.here()?, lab.host("bob")?);
        lab.link(&here, &bob)?;
        if closed {
            here.firewall(&Firewall::new().drop_in().reject())?;
        }
        let reached = bob.enter(|| TcpStream::connect((here.address(), 80)));
        assert_eq!(reached.is_err(), closed, "{reached:?}");
    }
    Ok(())
}

/// Whichever step fails for want of descriptors.
#[isotest]
fn nothing_remains_of_one_that_could_not_be_built() -> Result<()> {
    let before = state();
    let (usual, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("there is one");
    let built = |limit: u64| -> Result<()> {
        let lab = Lab::new()?;
        let web = lab.host("web")?;
        lab.link(&lab.here()?, &web)?.faults(Faults::new().loss(0.5))?;
        lab.internet()?.serve("api.example.com", 80, |_, _| {})?;
        setrlimit(Resource::RLIMIT_NOFILE, limit, most).expect("less is always allowed");
        let up = lab.up();
        setrlimit(Resource::RLIMIT_NOFILE, usual, most).expect("it was so before");
        up
    };
    let mut failed = 0;
    for limit in 3.. {
        let Err(error) = built(limit) else { break };
        failed += 1;
        assert_eq!(state(), before, "after {error}");
        if limit % 4 == 0 {
            built(usual)?;
        }
    }
    assert!(failed > 10, "{failed}");
    Ok(())
}
