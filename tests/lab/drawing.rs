//! What does a lab look like?

use std::time::Duration;

use expect_test::expect;
use isotest::isotest;
use isotest::lab::{Faults, Firewall, Lab, Rate, Result};

fn office() -> Result<Lab> {
    let lab = Lab::new()?;
    let (alice, printer, server) = (lab.host("alice")?, lab.host("printer")?, lab.host("server")?);
    let gateway = lab.router("gw")?;
    lab.host("spare")?;
    lab.switch("lan")?.connect(&[&alice, &printer, &gateway])?;
    let line = lab.link(&gateway, &server)?;
    line.address(&server, "10.128.0.80")?;
    lab.link(&lab.here()?, &server)?.without_ipv6()?;
    Ok(lab)
}

#[isotest]
fn a_drawing_shows_who_is_where_by_which_address() -> Result<()> {
    let lab = office()?;
    let expected = expect![[r#"
        switch lan  10.1.0.0/16  fd00:0:0:1::/64
        ├─ alice            eth0  10.1.0.1     fd00:0:0:1::1
        ├─ printer          eth0  10.1.0.2     fd00:0:0:1::2
        └─ gw (router)      eth0  10.1.0.3     fd00:0:0:1::3

        link  10.128.0.0/24  fd00:0:1::/64
        ├─ gw (router)      eth1  10.128.0.1   fd00:0:1::1
        └─ server           eth0  10.128.0.80  fd00:0:1::2

        link  10.128.1.0/24
        ├─ here (the test)  eth0  10.128.1.1
        └─ server           eth1  10.128.1.2

        not connected: spare
    "#]];
    expected.assert_eq(&lab.describe());
    let drawn = lab.describe();
    lab.up()?;
    assert_eq!(lab.describe(), drawn);
    Ok(())
}

#[isotest]
fn a_graph_shows_the_same() -> Result<()> {
    let expected = expect![[r#"
        graph lab {
            node [shape=box];
            "alice" [shape=box];
            "printer" [shape=box];
            "server" [shape=box];
            "gw" [shape=diamond];
            "spare" [shape=box];
            "here" [shape=house];
            "lan" [shape=ellipse, label="lan\n10.1.0.0/16\nfd00:0:0:1::/64"];
            "alice" -- "lan" [taillabel="eth0\n10.1.0.1\nfd00:0:0:1::1"];
            "printer" -- "lan" [taillabel="eth0\n10.1.0.2\nfd00:0:0:1::2"];
            "gw" -- "lan" [taillabel="eth0\n10.1.0.3\nfd00:0:0:1::3"];
            "gw" -- "server" [taillabel="eth1\n10.128.0.1\nfd00:0:1::1", headlabel="eth0\n10.128.0.80\nfd00:0:1::2"];
            "here" -- "server" [taillabel="eth0\n10.128.1.1", headlabel="eth1\n10.128.1.2"];
        }
    "#]];
    expected.assert_eq(&office()?.graphviz());
    Ok(())
}

#[isotest]
fn a_drawing_shows_what_is_cut_parted_translated_and_kept_out() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob, carol, server) = (lab.host("alice")?, lab.host("bob")?, lab.host("carol")?, lab.host("server")?);
    let gateway = lab.router("gw")?;
    let links = lab.switch("lan")?.connect(&[&alice, &bob, &carol, &gateway])?;
    let line = lab.link(&gateway, &server)?;
    gateway.masquerade(&line)?;
    server.firewall(&Firewall::new().drop_in())?;
    links[0].cut()?;
    lab.up()?;
    links[1].cut_from(&bob)?;
    line.cut_from(&gateway)?;
    lab.partition(&[&bob], &[&carol, &alice])?;
    carol.crash()?;
    let expected = expect![[r#"
        switch lan  10.1.0.0/16  fd00:0:0:1::/64
        ├─ alice        eth0  10.1.0.1    fd00:0:0:1::1  cut, parted from bob
        ├─ bob          eth0  10.1.0.2    fd00:0:0:1::2  is not heard, parted from alice and carol
        ├─ carol        eth0  10.1.0.3    fd00:0:0:1::3  crashed, parted from bob
        └─ gw (router)  eth0  10.1.0.4    fd00:0:0:1::4

        link  10.128.0.0/24  fd00:0:1::/64
        ├─ gw (router)  eth1  10.128.0.1  fd00:0:1::1    is not heard, masquerades
        └─ server       eth0  10.128.0.2  fd00:0:1::2    hears nothing, firewall
    "#]];
    expected.assert_eq(&lab.describe());
    let (graph, drawn) = (lab.graphviz(), lab.describe());
    assert!(graph.contains("crashed") && drawn.contains("crashed"));
    lab.heal()?;
    carol.restart()?;
    links[0].restore()?;
    links[1].restore()?;
    line.restore()?;
    server.firewall(&Firewall::new())?;
    let drawn = lab.describe();
    assert!(drawn.contains("masquerades") && !drawn.contains("cut") && !drawn.contains("parted"), "{drawn}");
    Ok(())
}

#[isotest]
fn a_drawing_shows_what_is_wrong_with_links_and_with_which_way() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob])?;
    let line = lab.link(&alice, &bob)?;
    links[0].faults(Faults::new().loss(0.05))?;
    links[1].faults_from(&bob, Faults::new().rate(Rate::kbit(500.0)))?.faults_to(&bob, Faults::new().lose_nth([7]))?;
    line.faults_from(&bob, Faults::new().loss(1.0))?;
    lab.up()?;
    line.faults_from(&bob, Faults::new().latency(Duration::from_millis(20)))?;
    let expected = expect![[r#"
        switch lan  10.1.0.0/16  fd00:0:0:1::/64
        ├─ alice  eth0  10.1.0.1    fd00:0:0:1::1  loss 5 %
        └─ bob    eth0  10.1.0.2    fd00:0:0:1::2  out: 500 kbit/s; in: loses 7

        link  10.128.0.0/24  fd00:0:1::/64
        ├─ alice  eth1  10.128.0.1  fd00:0:1::1
        └─ bob    eth1  10.128.0.2  fd00:0:1::2    latency 20ms
    "#]];
    expected.assert_eq(&lab.describe());
    assert!(lab.graphviz().contains("fd00:0:1::2\\nlatency 20ms"), "{}", lab.graphviz());
    Ok(())
}
