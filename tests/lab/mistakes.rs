//! What is said of mistakes, and of machines that can't?

use expect_test::{Expect, expect};
use isotest::isotest;
use isotest::lab::{Faults, Lab, Rate, Result};

fn says<T: std::fmt::Debug>(result: Result<T>, expected: &Expect) {
    expected.assert_eq(&result.expect_err("it is a mistake").to_string());
}

#[test]
fn a_lab_outside_of_a_sandbox_says_where_to_put_the_attribute() {
    if std::process::id() == 2 {
        return; // Under `cargo isotest`, which puts this test, too, into one.
    }
    let expected = expect![
        "making a lab: this is not inside a sandbox, and would change the machine's own network; put `#[isotest]` on the test, or run it by `cargo isotest`"
    ];
    says(Lab::new(), &expected);
}

#[isotest(net = "host")]
fn a_lab_in_the_machine_s_own_network_is_refused() {
    let expected = expect![
        "making a lab: this test shares the machine's network; take `net = \"host\"` away from the test, or `isolation = false` and ISOTEST_UNAVAILABLE=run from its run"
    ];
    says(Lab::new(), &expected);
}

#[isotest]
fn names_are_checked() -> Result<()> {
    let lab = Lab::new()?;
    lab.host("alice")?;
    says(
        lab.host("alice"),
        &expect!["adding the host `alice`: the lab has one of this name; give each a name of its own"],
    );
    says(
        lab.switch("alice"),
        &expect!["adding the switch `alice`: the lab has one of this name; give each a name of its own"],
    );
    says(
        lab.router("Big Box"),
        &expect![
            "adding the router `Big Box`: this is no host name (RFC 1123); write 1 to 63 lower-case letters, digits and hyphens, a letter or digit first and last, such as `db-1`"
        ],
    );
    says(
        lab.host("localhost"),
        &expect!["adding the host `localhost`: every host is that to itself; give it a name of its own"],
    );
    says(
        lab.host("ip6-localhost"),
        &expect!["adding the host `ip6-localhost`: every host is that to itself; give it a name of its own"],
    );
    says(
        lab.host("1"),
        &expect![
            "adding the host `1`: programs take a number for an address (inet_aton(3)), and would not look the name up; put a letter before it, such as `h1`"
        ],
    );
    lab.router("0x7f").expect_err("that is 127, to inet_aton");
    lab.switch("1")?; // Nobody connects to a switch.
    Ok(())
}

#[isotest]
fn connections_are_checked() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    says(
        lab.link(&alice, &alice),
        &expect!["linking `alice` and `alice`: both ends are the same host; it reaches itself by 127.0.0.1"],
    );
    let stranger = Lab::new()?.host("stranger")?;
    says(
        lab.link(&alice, &stranger),
        &expect!["connecting `stranger`: it belongs to another lab; add it to the same lab as what it is connected to"],
    );
    let lan = lab.switch("lan")?;
    lan.connect(&[&alice])?;
    says(
        lan.connect(&[&bob, &alice]),
        &expect!["connecting `alice` to the switch `lan`: it is connected to it already; leave one of the two out"],
    );
    says(
        lab.link(&alice, &bob)?.address_of(&lab.host("carol")?),
        &expect![
            "looking for `carol` at the link made by linking `alice` and `bob`: it is not there; name one of the hosts that the link connects"
        ],
    );
    Ok(())
}

#[isotest]
fn addresses_are_checked() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    says(
        link.address(&alice, "10.9.0.1"),
        &expect![
            "choosing the address 10.9.0.1 for `alice`: it is outside of 10.128.0.0/24, the network of the link between `alice` and `bob`; choose an address in 10.128.0.0/24, or first another network for the link between `alice` and `bob`"
        ],
    );
    says(
        link.address(&alice, "ten"),
        &expect![
            "choosing the address ten for `alice`: it is no IP address; write one such as 10.1.0.5 or fd00:7::5, with its network's length where that differs: 10.1.0.5/16"
        ],
    );
    says(
        link.network("10.9.0.1/24"),
        &expect![
            "choosing the network 10.9.0.1/24 for the link between `alice` and `bob`: bits behind the network's are set; write 10.9.0.0/24"
        ],
    );
    says(
        link.network("127.0.0.0/8"),
        &expect![
            "choosing the network 127.0.0.0/8 for the link between `alice` and `bob`: each host has it on `lo`, so that packets to it would not leave the host; take a private network, such as 10.200.0.0/24 or fd00:7::/64"
        ],
    );
    for network in ["0.0.0.0/0", "224.0.0.0/8", "::/64", "ff02::/64", "fe80::/64"] {
        link.network(network).expect_err("no host can have such an address, or reach it");
    }
    for (address, cause) in [
        ("10.128.0.0", "it is the address of the network itself"),
        ("10.128.0.255", "it is for broadcasts in the network"),
        ("fd00:0:1::", "it means any router of the network (RFC 4291, section 2.6.1)"),
    ] {
        let refused = link.address(&alice, address).expect_err("it is nobody's").to_string();
        assert!(refused.contains(cause), "{refused}");
    }
    says(
        link.mtu(0),
        &expect!["choosing an MTU of 0 bytes for the link between `alice` and `bob`: it must be from 1280 to 65535"],
    );
    says(
        link.mtu(900),
        &expect![
            "choosing an MTU of 900 bytes for the link between `alice` and `bob`: it must be from 1280 to 65535; below 1280 there is no IPv6: leave that out first, by `without_ipv6`"
        ],
    );
    says(
        link.mac(&bob, "01:00:00:00:00:01"),
        &expect![[
            r#"choosing the hardware address 01:00:00:00:00:01 for `bob`: "01:00:00:00:00:01" is no hardware address of one interface: write six hexadecimal bytes, the first one even, such as 02:00:00:00:00:07"#
        ]],
    );
    link.address(&alice, "10.128.0.2")?;
    says(
        lab.up(),
        &expect![
            "giving `bob` the address 10.128.0.2: `alice` has it; choose another; automatic addresses are numbered in the order of attachment"
        ],
    );
    Ok(())
}

#[isotest]
fn networks_that_overlap_are_refused() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    lab.switch("lan")?.network("10.128.0.0/9")?;
    says(
        lab.up(),
        &expect![
            "giving switch `lan` the network 10.128.0.0/9: the link between `alice` and `bob` has 10.128.0.0/24, and an address would be in both; choose networks that do not overlap"
        ],
    );
    Ok(())
}

#[isotest]
fn routes_in_a_circle_are_refused() -> Result<()> {
    let lab = Lab::new()?;
    let (g1, g2, bob) = (lab.router("g1")?, lab.router("g2")?, lab.host("bob")?);
    let between = lab.link(&g1, &g2)?;
    lab.link(&g2, &bob)?;
    g1.route("192.0.2.0/24", between.address_of(&g2)?)?;
    g2.route("192.0.2.0/24", between.address_of(&g1)?)?;
    says(
        lab.up(),
        &expect![
            "routing 192.0.2.0/24: a packet to it would go in a circle: `g1` → `g2` → `g1`; take one of the routes between these back"
        ],
    );
    Ok(())
}

#[isotest]
fn a_route_through_nobody_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    let (g1, bob) = (lab.router("g1")?, lab.host("bob")?);
    lab.link(&g1, &bob)?;
    bob.route("default", "10.128.0.9".parse().expect("an address"))?;
    says(
        lab.up(),
        &expect![
            "routing 0.0.0.0/0 through 10.128.0.9 on `bob`: `bob` has no neighbour with that address; name the address of a router at one of its own links"
        ],
    );
    Ok(())
}

#[isotest]
fn what_comes_too_late_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    lab.up()?;
    says(
        lab.host("carol"),
        &expect![
            "adding the host `carol`: the lab is up already; add all hosts and links, and choose their addresses, before the first host is entered"
        ],
    );
    says(
        link.mtu(1400),
        &expect![
            "choosing an MTU of 1400 bytes for the link between `alice` and `bob`: the lab is up already; add all hosts and links, and choose their addresses, before the first host is entered"
        ],
    );
    drop(lab);
    says(
        alice.spawn(|| ()),
        &expect!["entering `alice`: the lab is gone; keep the `Lab` alive as long as its hosts are used"],
    );
    Ok(())
}

#[isotest]
fn what_is_attempted_in_a_lab_that_could_not_be_built_is_told_with_the_reason() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    link.address(&alice, "10.128.0.7")?.address(&bob, "10.128.0.7")?;
    let why = lab.up().expect_err("they have one address").to_string();
    let told = |attempt: &str| format!("{attempt}: the lab was not built, since this failed: {why}");
    let says = |error: Option<isotest::lab::Error>, attempt| {
        assert_eq!(error.map(|error| error.to_string()), Some(told(attempt)));
    };
    says(lab.up().err(), "building the lab");
    says(bob.spawn(|| ()).err(), "entering `bob`");
    says(link.stats().err(), "counting what went over a link");
    says(link.cut().err(), "cutting the link made by linking `alice` and `bob`");
    says(lab.host("carol").err(), "adding the host `carol`");
    says(alice.crash().err(), "crashing `alice`");
    Ok(())
}

#[isotest]
fn faults_are_checked() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    says(
        link.faults(Faults::new().loss(1.3)),
        &expect![
            "asking the link between `alice` and `bob` for a loss of 1.3: a probability is from 0.0 to 1.0; write 0.013 for 1.3 %"
        ],
    );
    let at_switch = lab.switch("lan")?.attach(&alice)?;
    says(
        at_switch.faults_to(&alice, Faults::new().rate(Rate::bits(0))),
        &expect![
            "asking the link between `alice` and the switch `lan` for a rate of 0 bits per second: a rate is at least one bit per second; write `loss(1.0)` to let nothing pass"
        ],
    );
    lab.up()?;
    says(
        link.faults(Faults::new().loss(0.5)),
        &expect![
            "changing the faults of the link between `alice` and `bob`: the lab is up, and this link was built without what carries packets over links with faults; ask for `link.wired()`, or for its first faults, before the first host is entered"
        ],
    );
    link.fates()?;
    Ok(())
}
