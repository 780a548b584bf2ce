//! Routers that translate, and firewalls.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Firewall, Protocol, Result};

use crate::networks::shop;

#[isotest]
fn a_shop_behind_one_address() -> Result<()> {
    let shop = shop()?;
    let (client, gw, web, db) = (&shop.client, &shop.gw, &shop.web, &shop.db);
    gw.masquerade(&shop.outside)?.forward(80, web, 8080)?;

    let door = web.enter(|| TcpListener::bind("0.0.0.0:8080").expect("free"));
    client.enter(|| TcpStream::connect("gw:80")).expect("the gateway forwards it");
    assert_eq!(door.accept().expect("the client has come").1.ip(), client.address());

    let door = client.enter(|| TcpListener::bind((Ipv4Addr::UNSPECIFIED, 443)).expect("free"));
    db.enter(|| TcpStream::connect("client:443")).expect("inside leads outside");
    assert_eq!(door.accept().expect("the database has come").1.ip(), gw.address());

    client.enter(|| TcpStream::connect((db.address(), 5432))).expect_err("outside leads to nobody inside");
    Ok(())
}

#[isotest]
fn a_firewall() -> Result<()> {
    let shop = shop()?;
    let (client, web, db) = (&shop.client, &shop.web, &shop.db);
    let _door = db.enter(|| TcpListener::bind("0.0.0.0:5432").expect("free"));
    let reaches = |from: &isotest::lab::Host| {
        let database = (db.address(), 5432).into();
        from.enter(|| TcpStream::connect_timeout(&database, Duration::from_millis(500)).is_ok())
    };
    assert!(reaches(web) && reaches(client));

    shop.gw.firewall(&Firewall::new().drop_forward().allow_forward(Protocol::Tcp, 80))?;
    assert!(reaches(web) && !reaches(client));

    shop.gw.firewall(&Firewall::new())?;
    assert!(reaches(client));
    Ok(())
}
