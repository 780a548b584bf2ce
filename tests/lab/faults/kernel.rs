//! What if the kernel carries faults out?

use std::io::Write;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use expect_test::expect;
use isotest::isotest;
use isotest::lab::{Engine, Faults, Host, Lab, Link, Rate, Result};

fn pair() -> Result<(Lab, Host, Host, Link)> {
    let lab = Lab::new()?;
    lab.engine(Engine::Kernel)?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let link = lab.link(&alice, &bob)?;
    Ok((lab, alice, bob, link))
}

/// How long 30 datagrams of 1,000 bytes take.
fn time(from: &Host, to: &Host) -> Duration {
    let address = to.address();
    let door = to.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
    let sender = from.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
    let start = Instant::now();
    for _ in 0..30 {
        sender.send_to(&[0; 1000], (address, 9)).expect("there is a route");
    }
    for _ in 0..30 {
        door.recv(&mut [0; 1000]).expect("it arrives");
    }
    start.elapsed()
}

/// What the datagrams that don't pass in one burst take at least.
fn least(mbit: f64) -> Duration {
    const FRAME: f64 = 1000.0 + 8.0 + 20.0 + 14.0;
    let burst = 1514_f64.max(mbit * 1e6 / 8.0 / 250.0);
    Duration::from_secs_f64((30.0 * FRAME - burst - FRAME) * 8.0 / (mbit * 1e6))
}

#[isotest]
fn a_rate_is_not_exceeded_either_way_and_can_change_while_packets_are_on_their_way() -> Result<()> {
    let (_lab, alice, bob, link) = pair()?;
    link.faults_from(&alice, Faults::new().rate(Rate::mbit(0.25)))?;
    assert!(time(&alice, &bob) >= least(0.25));
    // Nearly a second, where it takes a millisecond by itself.
    assert!(time(&bob, &alice) < least(0.25), "the other way is free");
    link.faults_from(&alice, Faults::new().rate(Rate::mbit(1.0)))?
        .faults_from(&bob, Faults::new().rate(Rate::mbit(1.0)))?;
    assert!(time(&alice, &bob) >= least(1.0) && time(&bob, &alice) >= least(1.0));
    link.faults(Faults::new())?;
    assert!(time(&alice, &bob) < least(0.25), "as if nothing had been");
    Ok(())
}

#[isotest]
fn a_kernel_without_netem_says_which_module_it_lacks() -> Result<()> {
    let (lab, alice, bob, link) = pair()?;
    let delay = Duration::from_millis(30);
    link.faults_from(&alice, Faults::new().latency(delay))?;
    match lab.up() {
        Ok(()) => assert!(time(&alice, &bob) >= delay),
        Err(error) => expect![
            "having the kernel carry out the faults of the link between `alice` and `bob`: this kernel has no sch_netem (ENOENT: No such file or directory); load the module (`modprobe sch_netem`), or leave the lab's faults to `Engine::Lab`"
        ]
        .assert_eq(&error.to_string()),
    }
    Ok(())
}

#[isotest]
fn what_the_kernel_can_not_do_is_refused() -> Result<()> {
    let (_lab, _alice, _bob, link) = pair()?;
    let refused = link.faults(Faults::new().lose_nth([3])).expect_err("netem knows no numbers");
    expect![
        "asking the link between `alice` and `bob` for a loss by number: the kernel has no such fault; leave the lab's faults to `Engine::Lab`"
    ]
    .assert_eq(&refused.to_string());
    let refused = link.faults(Faults::new().latency(Duration::from_secs(9)).jitter(Duration::from_secs(3)));
    expect![
        "asking the link between `alice` and `bob` for a jitter of more than two seconds: the kernel has no such fault; leave the lab's faults to `Engine::Lab`"
    ]
    .assert_eq(&refused.expect_err("netem's numbers are too small").to_string());
    Ok(())
}

#[isotest]
fn the_engine_is_chosen_before_the_first_faults() -> Result<()> {
    let (lab, _alice, _bob, link) = pair()?;
    link.faults(Faults::new().rate(Rate::mbit(1.0)))?;
    let late = lab.engine(Engine::Lab).expect_err("a link is made for the other");
    expect!["choosing the engine of a lab: a link of it is made for faults already; choose it before the first faults"]
        .assert_eq(&late.to_string());
    Ok(())
}

#[isotest]
fn what_tcp_sends_is_packets_when_it_meets_faults() -> Result<()> {
    const BYTES: usize = 1 << 20;
    let (_lab, alice, bob, link) = pair()?;
    link.faults(Faults::new().rate(Rate::gbit(1.0)))?;
    let address = (bob.address(), 7);
    let door = bob.enter(|| TcpListener::bind(address).expect("every port is free and allowed"));
    let reader = bob.spawn(move || {
        let (mut stream, _) = door.accept().expect("alice comes");
        std::io::copy(&mut stream, &mut std::io::sink()).expect("alice writes")
    })?;
    let mut stream = alice.enter(|| TcpStream::connect(address).expect("bob listens"));
    stream.write_all(&vec![0; BYTES]).expect("bob reads");
    drop(stream);
    assert_eq!(reader.join(), BYTES as u64);
    let sent = link.stats_from(&alice)?.sent;
    assert!(sent.bytes / sent.packets <= 1514, "{sent:?}");
    Ok(())
}

#[isotest]
fn the_lab_leaves_to_the_kernel_what_is_made_for_faults_as_well() -> Result<()> {
    let (_lab, alice, bob, link) = pair()?;
    link.wired()?.faults(Faults::new().rate(Rate::mbit(9.0)))?;
    time(&alice, &bob);
    assert_eq!(link.fates()?.forth.packets, 0, "not carried by the lab too");
    Ok(())
}
