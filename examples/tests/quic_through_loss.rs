//! A QUIC transfer through a link that loses one packet in twenty, twice with one seed: the same packets are lost.
//!
//! Today's alternatives: `tc netem` on a machine of one's own, as root, with other losses in each run; or a simulated network under
//! the QUIC library, which is not the network that its users have.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use isotest::isotest;
use isotest::lab::{Fates, Faults, Host, Lab, Result};
use quinn::rustls::RootCertStore;
use quinn::rustls::pki_types::PrivatePkcs8KeyDer;
use quinn::{ClientConfig, Endpoint, EndpointConfig, ServerConfig, TokioRuntime};

const BYTES: usize = 1 << 20;

/// What has befallen the server's packets while it sent all bytes to the client.
fn transfer(seed: u64) -> Result<Fates> {
    let lab = Lab::with_seed(seed)?;
    let (client, server) = (lab.host("client")?, lab.host("server")?);
    let link = lab.link(&client, &server)?;
    link.faults(Faults::new().latency(Duration::from_millis(2)).loss(0.05))?;

    // One runtime drives the sockets of both hosts.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("threads can be started");
    let received = runtime.block_on(async {
        let (certificate, client_config, server_config) = configurations();
        let sender = endpoint(&server, 443, Some(server_config));
        let mut receiver = endpoint(&client, 0, None);
        receiver.set_default_client_config(client_config);
        let serving = tokio::spawn(async move {
            let connection = sender.accept().await.expect("a client comes").await.expect("it completes the handshake");
            let mut stream = connection.open_uni().await.expect("the client lets a stream in");
            stream.write_all(&bytes()).await.expect("the client reads");
            stream.finish().expect("it was not finished before");
            connection.closed().await;
        });
        let address = SocketAddr::from((server.address(), 443));
        let connecting = receiver.connect(address, &certificate).expect("the address is right");
        let connection = connecting.await.expect("the server completes the handshake");
        let mut stream = connection.accept_uni().await.expect("the server opens one");
        let received = stream.read_to_end(BYTES).await.expect("as many as were sent");
        connection.close(0_u32.into(), b"thank you");
        serving.await.expect("the server serves");
        received
    });
    assert!(received == bytes(), "what was lost was sent again");
    link.fates_from(&server)
}

fn bytes() -> Vec<u8> {
    (0..BYTES).map(|at| (at % 251) as u8).collect()
}

fn endpoint(host: &Host, port: u16, config: Option<ServerConfig>) -> Endpoint {
    let socket = host.enter(|| UdpSocket::bind(("0.0.0.0", port)).expect("every port is free and allowed"));
    let endpoint = Endpoint::new(EndpointConfig::default(), config, socket, Arc::new(TokioRuntime));
    endpoint.expect("the runtime takes the socket")
}

/// The server's name, and what both sides need to trust in it.
fn configurations() -> (String, ClientConfig, ServerConfig) {
    let name = "server".to_owned();
    let certified = rcgen::generate_simple_self_signed(vec![name.clone()]).expect("it is a host name");
    let certificate = certified.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der());
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("it is a certificate");
    let server = ServerConfig::with_single_cert(vec![certificate], key.into()).expect("the key is the certificate's");
    let client = ClientConfig::with_root_certificates(Arc::new(roots)).expect("there is a verifier");
    (name, client, server)
}

#[isotest(timeout = "120s")]
fn the_same_seed_loses_the_same_packets_of_a_transfer() -> Result<()> {
    let (first, second) = (transfer(7)?, transfer(7)?);
    // How many packets it takes depends on how fast the machine is; what befalls each does not.
    let both = first.packets.min(second.packets);
    assert!(both as usize > BYTES / 1500);
    let lost = |fates: &Fates| fates.which_lost.iter().copied().filter(|number| *number <= both).collect::<Vec<_>>();
    assert_eq!(lost(&first), lost(&second));
    let share = lost(&first).len() as f64 / both as f64;
    assert!((0.03..0.07).contains(&share), "{share} of {both}");
    Ok(())
}

#[isotest(timeout = "120s")]
fn another_seed_loses_others() -> Result<()> {
    assert_ne!(transfer(7)?.which_lost[..10], transfer(8)?.which_lost[..10]);
    Ok(())
}
