//! What is there, and what goes on?

use std::net::{TcpListener, TcpStream};

use isotest::isotest;
use isotest::lab::Result;

use crate::networks::shop;

#[isotest]
fn a_lab_draws_itself() -> Result<()> {
    let shop = shop()?;
    let drawing = shop.lab.describe();
    assert!(drawing.contains("switch lan  10.1.0.0/16"), "{drawing}");
    assert!(shop.lab.graphviz().starts_with("graph"));
    Ok(())
}

#[isotest]
fn nobody_polls_by_connecting() -> Result<()> {
    let shop = shop()?;
    let (client, web, gw, outside) = (&shop.client, &shop.web, &shop.gw, &shop.outside);
    web.spawn(|| {
        let door = TcpListener::bind("0.0.0.0:80").expect("free");
        door.accept().map(drop)
    })?;
    web.wait_listening(80)?;
    let before = outside.stats_from(client)?.sent.packets;
    let _connection = client.enter(|| TcpStream::connect("web:80")).expect("web listens");
    assert!(outside.stats_from(client)?.sent.packets > before);
    assert!(shop.inside[0].stats_from(gw)?.sent.packets > 0);
    assert_eq!(client.connections()?.len(), 1);
    Ok(())
}
