//! An HTTP client that tries again, over a link that is cut while it asks, and restored.
//!
//! Today's alternatives: a mock of the network, which never fails as a network does (nobody answers, and nothing says so); or a proxy
//! between client and server, whose connections end where the real ones would hang.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use backon::{BlockingRetryable, ConstantBuilder};
use isotest::isotest;
use isotest::lab::{Host, Lab, Link, Result};
use tiny_http::{Response, Server};
use ureq::Agent;

fn shop() -> Result<(Lab, Host, Link)> {
    let lab = Lab::new()?;
    let (customer, shop) = (lab.host("customer")?, lab.host("shop")?);
    let link = lab.link(&customer, &shop)?;
    let server = shop.enter(|| Server::http("0.0.0.0:80").expect("every port is free and allowed"));
    std::thread::spawn(move || {
        for request in server.incoming_requests() {
            // Nobody to answer, where the link has been cut meanwhile.
            request.respond(Response::from_string("one bicycle")).ok();
        }
    });
    Ok((lab, customer, link))
}

/// Without a limit of time a client waits for as long as TCP does: a quarter of an hour.
fn client() -> Agent {
    Agent::new_with_config(Agent::config_builder().timeout_global(Some(Duration::from_millis(500))).build())
}

fn ask(client: &Agent) -> std::result::Result<String, ureq::Error> {
    client.get("http://shop/order").call()?.body_mut().read_to_string()
}

#[isotest(timeout = "60s")]
fn a_client_that_tries_again_gets_its_answer_when_the_link_is_restored() -> Result<()> {
    let (_lab, customer, link) = shop()?;
    assert_eq!(customer.enter(|| ask(&client())).expect("the shop is open"), "one bicycle");
    link.cut()?;
    let tries = AtomicU32::new(0);
    let order = || {
        // Whoever cuts the link mends it while the client is trying for the third time.
        if tries.fetch_add(1, Ordering::Relaxed) == 2 {
            link.restore().expect("the lab is up");
        }
        ask(&client())
    };
    let patience = ConstantBuilder::default().with_delay(Duration::from_millis(50)).with_max_times(10);
    let answer = customer.enter(|| order.retry(patience).call());
    assert_eq!(answer.expect("the link is whole again"), "one bicycle");
    assert!(tries.into_inner() >= 3, "the first two find nobody");
    Ok(())
}

#[isotest(timeout = "60s")]
fn a_client_that_does_not_gets_none() -> Result<()> {
    let (_lab, customer, link) = shop()?;
    link.cut()?;
    let error = customer.enter(|| ask(&client())).expect_err("nobody is there");
    assert!(matches!(error, ureq::Error::Timeout(_)), "silence, not a refusal: {error}");
    Ok(())
}
