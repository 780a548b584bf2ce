//! `#[tokio::test]`: the runtime is started in the sandbox.

use isotest::isotest;
use tokio::net::{TcpListener, TcpStream};

#[isotest]
#[tokio::test]
async fn the_runtime_has_a_network_of_its_own() -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:80").await?;
    let (client, server) = tokio::join!(TcpStream::connect("127.0.0.1:80"), listener.accept());
    assert_eq!(client?.local_addr()?, server?.1);
    Ok(())
}

#[isotest]
#[tokio::test]
#[should_panic(expected = "in a task")]
async fn a_panic_in_a_future_is_the_test_s() {
    tokio::task::yield_now().await;
    panic!("in a task");
}

#[tokio::test]
#[isotest]
async fn the_other_order_is_as_good() {
    assert_eq!(std::process::id(), 2);
}
