//! A switch, a router, the test's own end, and choices.

use std::net::{TcpListener, TcpStream};

use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result, Router};

/// What the later chapters begin with: a client, a gateway, and two servers behind it.
pub(crate) struct Shop {
    pub(crate) lab: Lab,
    pub(crate) client: Host,
    pub(crate) gw: Router,
    pub(crate) web: Host,
    pub(crate) db: Host,
    pub(crate) outside: Link,
    pub(crate) inside: Vec<Link>,
}

pub(crate) fn shop() -> Result<Shop> {
    let lab = Lab::new()?;
    let (client, gw) = (lab.host("client")?, lab.router("gw")?);
    let (web, db) = (lab.host("web")?, lab.host("db")?);
    let outside = lab.link(&client, &gw)?;
    let inside = lab.switch("lan")?.connect(&[&gw, &web, &db])?;
    Ok(Shop { lab, client, gw, web, db, outside, inside })
}

#[isotest]
fn a_switch_behind_a_router() -> Result<()> {
    let shop = shop()?;
    let (client, db) = (&shop.client, &shop.db);
    let _door = db.enter(|| TcpListener::bind("0.0.0.0:5432").expect("free"));
    client.enter(|| TcpStream::connect("db:5432")).expect("the gateway leads there");
    assert_eq!(db.address().to_string(), "10.1.0.3");
    Ok(())
}

#[isotest]
fn the_test_body_has_an_end_of_its_own() -> Result<()> {
    let lab = Lab::new()?;
    let (here, web) = (lab.here()?, lab.host("web")?);
    lab.link(&here, &web)?;
    let _door = web.enter(|| TcpListener::bind("0.0.0.0:80").expect("free"));
    TcpStream::connect("web:80").expect("no host was entered for this");
    Ok(())
}

#[isotest]
fn everything_may_be_chosen() -> Result<()> {
    let lab = Lab::new()?;
    let (client, gw, web) = (lab.host("client")?, lab.router("gw")?, lab.host("web")?);
    let uplink = lab.link(&client, &gw)?;
    uplink.network("203.0.113.0/24")?.address(&gw, "203.0.113.1")?.address(&client, "203.0.113.80")?;
    uplink.mtu(1400)?.mac(&client, "02:00:00:00:00:07")?.without_ipv6()?;
    lab.switch("lan")?.network("192.168.7.0/24")?.connect(&[&gw, &web])?;
    assert_eq!(client.address().to_string(), "203.0.113.80");
    assert_eq!(web.address().to_string(), "192.168.7.2");
    client.route("192.168.0.0/16", uplink.address_of(&gw)?)?;
    lab.up()
}
