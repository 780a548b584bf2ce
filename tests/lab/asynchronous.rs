//! Futures in hosts.

use isotest::isotest;
use isotest::lab::{Lab, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn pair(lab: &Lab) -> Result<(isotest::lab::Host, isotest::lab::Host)> {
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    lab.link(&alice, &bob)?;
    Ok((alice, bob))
}

#[isotest]
#[tokio::test]
async fn one_test_drives_futures_of_two_hosts() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, bob) = pair(&lab)?;
    let (ready, listening) = tokio::sync::oneshot::channel();
    let server = bob.spawn_async(async {
        let listener = TcpListener::bind("0.0.0.0:80").await.expect("the port is free");
        ready.send(()).expect("the test waits");
        let (mut stream, from) = listener.accept().await.expect("alice comes");
        stream.write_all(b"hello").await.expect("she listens");
        from.ip()
    })?;
    listening.await.expect("bob listens");
    let heard = alice.spawn_async(async {
        let mut heard = String::new();
        let mut stream = TcpStream::connect("bob:80").await.expect("by name");
        stream.read_to_string(&mut heard).await.map(|_| heard)
    })?;
    assert_eq!(heard.await.expect("it does not panic").expect("text"), "hello");
    assert_eq!(server.await.expect("it does not panic"), alice.address());
    Ok(())
}

#[isotest]
fn a_future_can_be_waited_for_without_a_runtime() -> Result<()> {
    let lab = Lab::new()?;
    let (_, bob) = pair(&lab)?;
    let name = bob.block_on(async { std::fs::read_to_string("/proc/sys/kernel/hostname") });
    assert_eq!(name.expect("text"), "bob\n");
    Ok(())
}

#[isotest]
#[tokio::test]
async fn a_future_s_panic_has_the_host_s_name() -> Result<()> {
    let lab = Lab::new()?;
    let (_, bob) = pair(&lab)?;
    let ended = bob.spawn_async(async { panic!("the disk is full") as () })?.await;
    let payload: Box<dyn std::any::Any + Send> = ended.expect_err("it panics").into_panic();
    assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some("on host `bob`: the disk is full"));
    Ok(())
}
