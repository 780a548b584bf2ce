//! What does the kernel's netem do to packets? Where the kernel has none, every test sees that exactly this is said.

use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use isotest::isotest;
use isotest::lab::{Engine, Faults, GilbertElliott, Host, Lab, Link, Queue, Rate, Result};

use super::datagrams::{each_way_takes, is_likely};

/// Two hosts, and a link whose faults the kernel carries out.
struct Pair {
    alice: Host,
    bob: Host,
    link: Link,
    lab: Lab,
}

impl Pair {
    /// With these faults from alice to bob; none where the kernel has no netem and says so.
    fn with(faults: Faults) -> Result<Option<Pair>> {
        let lab = Lab::new()?;
        lab.engine(Engine::Kernel)?;
        let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
        let link = lab.link(&alice, &bob)?;
        link.faults_from(&alice, faults)?;
        let pair = Pair { alice, bob, link, lab };
        if kernel_has_netem() {
            return pair.lab.up().map(|()| Some(pair));
        }
        match pair.lab.up() {
            // Its module lies where this test does not see it.
            Ok(()) => Ok(Some(pair)),
            Err(error) => {
                assert_eq!(error.to_string(), WITHOUT_NETEM);
                Ok(None)
            }
        }
    }

    fn doors(&self) -> (UdpSocket, UdpSocket) {
        let address = self.bob.address();
        let sender = self.alice.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
        sender.connect((address, 9)).expect("there is a route");
        let door = self.bob.enter(|| UdpSocket::bind((address, 9)).expect("every port is free and allowed"));
        (sender, door)
    }

    /// Sends datagrams with the numbers from 1 on from alice to bob; gives those that arrived, as they did. Nothing overtakes, so when
    /// a later one has come, all others have. At least one in a while has to.
    fn send(&self, count: u64) -> Vec<u64> {
        let (sender, door) = self.doors();
        door.set_read_timeout(Some(Duration::from_millis(1))).expect("it is not zero");
        let mut arrived = Vec::new();
        for number in 1_u64.. {
            sender.send(&number.to_be_bytes()).expect("there is a route");
            // No more than a socket has room for.
            if number % 50 == 0 || number > count {
                arrived.extend(std::iter::from_fn(|| number_in(&door)));
            }
            if arrived.last().is_some_and(|last| *last > count) {
                break;
            }
            assert!(number < count + 10_000, "nothing comes any more");
        }
        arrived.retain(|number| *number <= count);
        arrived
    }
}

const WITHOUT_NETEM: &str = "having the kernel carry out the faults of the link between `alice` and `bob`: this kernel has no sch_netem \
                             (ENOENT: No such file or directory); load the module (`modprobe sch_netem`), or leave the lab's faults to \
                             `Engine::Lab`";

/// Whether netem is loaded, built in, or among the modules that the kernel loads by itself.
fn kernel_has_netem() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    let modules = Path::new("/lib/modules").join(release.trim());
    let lists =
        ["modules.dep", "modules.builtin"].map(|list| std::fs::read_to_string(modules.join(list)).unwrap_or_default());
    Path::new("/sys/module/sch_netem").exists() || lists.iter().any(|list| list.contains("/sch_netem.ko"))
}

/// The number in the next datagram; none where it is not there in time.
fn number_in(door: &UdpSocket) -> Option<u64> {
    let mut buffer = [0; 8];
    door.recv(&mut buffer).ok()?;
    Some(u64::from_be_bytes(buffer))
}

/// From 1 on.
fn all(count: u64) -> Vec<u64> {
    (1..=count).collect()
}

#[isotest]
fn an_answer_takes_twice_the_latency_at_least() -> Result<()> {
    let latency = Duration::from_millis(40);
    let Some(pair) = Pair::with(Faults::new().latency(latency))? else { return Ok(()) };
    pair.link.faults_from(&pair.bob, Faults::new().latency(latency))?;
    let (sender, door) = pair.doors();
    each_way_takes(latency, &sender, &door);
    Ok(())
}

#[isotest]
fn jitter_goes_to_either_side_and_overtakes_nobody() -> Result<()> {
    let (latency, jitter) = (Duration::from_millis(60), Duration::from_millis(50));
    let Some(pair) = Pair::with(Faults::new().latency(latency).jitter(jitter))? else { return Ok(()) };
    let (sender, door) = pair.doors();
    let taken = || {
        let start = Instant::now();
        sender.send(&[0; 8]).expect("there is a route");
        number_in(&door).expect("it arrives");
        start.elapsed()
    };
    let all_taken: Vec<_> = (0..40).map(|_| taken()).collect();
    assert!(all_taken.iter().all(|taken| *taken >= latency - jitter));
    // Chance would have to say the same forty times.
    assert!(all_taken.iter().any(|taken| *taken < latency) && all_taken.iter().any(|taken| *taken > latency));
    drop(door);
    assert_eq!(pair.send(500), all(500));
    Ok(())
}

#[isotest]
fn a_share_is_lost() -> Result<()> {
    const SENT: u64 = 5000;
    let Some(pair) = Pair::with(Faults::new().loss(0.05))? else { return Ok(()) };
    let lost = SENT - pair.send(SENT).len() as u64;
    assert!(is_likely(lost, SENT, 0.05), "{lost} of {SENT}");
    Ok(())
}

#[isotest]
fn bursts_have_the_length_asked_for() -> Result<()> {
    const SENT: u64 = 20_000;
    let Some(pair) = Pair::with(Faults::new().loss_bursts(GilbertElliott::bursts(0.05, 5.0)))? else { return Ok(()) };
    let arrived = pair.send(SENT);
    let lost = SENT - arrived.len() as u64;
    let bursts = arrived.windows(2).filter(|pair| pair[1] > pair[0] + 1).count();
    let mean = lost as f64 / bursts as f64;
    // Of about 200 bursts whose lengths spread by nearly as much as their mean, five deviations are less than two packets.
    assert!((3.2..6.8).contains(&mean), "{mean} over {bursts} bursts");
    assert!((0.03..0.07).contains(&(lost as f64 / SENT as f64)), "{lost} lost");
    Ok(())
}

#[isotest]
fn each_state_of_a_link_loses_its_own_share() -> Result<()> {
    const SENT: u64 = 10_000;
    let model = GilbertElliott::new(0.5, 0.5).losing(0.1, 0.7);
    let Some(pair) = Pair::with(Faults::new().loss_bursts(model))? else { return Ok(()) };
    let lost = SENT - pair.send(SENT).len() as u64;
    assert!(is_likely(lost, SENT, 0.4), "{lost} of {SENT}");
    Ok(())
}

#[isotest]
fn a_share_is_doubled() -> Result<()> {
    const SENT: u64 = 2000;
    let Some(pair) = Pair::with(Faults::new().duplicate(0.1))? else { return Ok(()) };
    let mut arrived = pair.send(SENT);
    let doubled = arrived.len() as u64 - SENT;
    assert!(is_likely(doubled, SENT, 0.1), "{doubled} of {SENT}");
    arrived.dedup();
    assert_eq!(arrived, all(SENT));
    Ok(())
}

#[isotest]
fn damaged_datagrams_are_dropped() -> Result<()> {
    const SENT: u64 = 2000;
    const FRAME: f64 = 14.0 + 20.0 + 8.0 + 8.0;
    let Some(pair) = Pair::with(Faults::new().corrupt(0.2))? else { return Ok(()) };
    let dropped = SENT - pair.send(SENT).len() as u64;
    // Netem damages Ethernet headers too, and nobody minds the sender's address there.
    assert!(is_likely(dropped, SENT, 0.2 * (FRAME - 6.0) / FRAME), "{dropped} of {SENT}");
    Ok(())
}

#[isotest]
fn a_rate_holds_beside_a_latency() -> Result<()> {
    const BITS: u64 = (8 + 8 + 20 + 14) * 8;
    let latency = Duration::from_millis(100);
    let slow = Faults::new().latency(latency).rate(Rate::kbit(100.0));
    let Some(pair) = Pair::with(slow.clone())? else { return Ok(()) };
    let (sender, door) = pair.doors();
    let start = Instant::now();
    for number in 1..=80_u64 {
        sender.send(&number.to_be_bytes()).expect("there is a route");
    }
    assert_eq!((1..=80).map(|_| number_in(&door).expect("it arrives")).collect::<Vec<_>>(), all(80));
    // What is not longer than the largest frame passes at once.
    let least = latency + Duration::from_secs_f64((80 * BITS - 1514 * 8) as f64 / 1e5);
    assert!(start.elapsed() >= least, "{:?} < {least:?}", start.elapsed());
    pair.link.faults_from(&pair.alice, slow.queue(Queue::Packets(1)))?;
    for number in 1..=200_u64 {
        sender.send(&number.to_be_bytes()).expect("there is a route");
    }
    door.set_read_timeout(Some(Duration::from_secs(1))).expect("it is not zero");
    let arrived: Vec<_> = std::iter::from_fn(|| number_in(&door)).collect();
    assert!(arrived[0] == 1 && arrived.len() < 200, "{} of 200 found room", arrived.len());
    Ok(())
}

#[isotest]
fn what_is_on_its_way_stays_as_it_is_when_faults_change() -> Result<()> {
    let long = Faults::new().latency(Duration::from_millis(300));
    let changes = [Faults::new(), Faults::new().loss(1.0), long.clone().rate(Rate::kbit(100.0))];
    for change in changes {
        let Some(pair) = Pair::with(long.clone())? else { return Ok(()) };
        let (sender, door) = pair.doors();
        let start = Instant::now();
        for number in 1..=10_u64 {
            sender.send(&number.to_be_bytes()).expect("there is a route");
        }
        pair.link.faults_from(&pair.alice, change.clone())?;
        door.set_read_timeout(Some(Duration::from_secs(10))).expect("it is not zero");
        let arrived: Vec<_> = (1..=10).map_while(|_| number_in(&door)).collect();
        assert_eq!(arrived, all(10), "{change}");
        assert!(start.elapsed() >= Duration::from_millis(300), "{change}");
    }
    Ok(())
}

#[isotest]
fn faults_come_and_go_each_way_by_itself() -> Result<()> {
    let Some(pair) = Pair::with(Faults::new().loss(1.0))? else { return Ok(()) };
    let back = || {
        let door = pair.alice.enter(|| UdpSocket::bind((pair.alice.address(), 9)).expect("the port is free"));
        let sender = pair.bob.enter(|| UdpSocket::bind("0.0.0.0:0").expect("some port is free"));
        door.set_read_timeout(Some(Duration::from_millis(200))).expect("it is not zero");
        sender.send_to(&[0; 8], (pair.alice.address(), 9)).expect("there is a route");
        number_in(&door).is_some()
    };
    let forth = || {
        let (sender, door) = pair.doors();
        door.set_read_timeout(Some(Duration::from_millis(200))).expect("it is not zero");
        sender.send(&[0; 8]).expect("there is a route");
        number_in(&door).is_some()
    };
    assert!(!forth() && back());
    pair.link.faults_to(&pair.alice, Faults::new().loss(1.0))?.faults_to(&pair.bob, Faults::new())?;
    assert!(forth() && !back());
    pair.link.faults(Faults::new())?;
    assert!(forth() && back());
    // From a rate alone to one among others, and back.
    for faults in [Faults::new().rate(Rate::mbit(1.0)), Faults::new().rate(Rate::mbit(1.0)).duplicate(1.0)] {
        pair.link.faults(faults.clone())?;
        assert!(forth() && back(), "{faults}");
        pair.link.faults(Faults::new().rate(Rate::mbit(9.0)))?;
        assert!(forth() && back(), "{faults}");
    }
    Ok(())
}

#[isotest]
fn a_link_at_a_switch_has_them_too() -> Result<()> {
    let Some(pair) = Pair::with(Faults::new().latency(Duration::from_millis(1)))? else { return Ok(()) };
    drop(pair);
    let lab = Lab::new()?;
    lab.engine(Engine::Kernel)?;
    let (alice, bob) = (lab.host("alice")?, lab.host("bob")?);
    let links = lab.switch("lan")?.connect(&[&alice, &bob])?;
    links[1].faults_to(&bob, Faults::new().duplicate(1.0))?;
    let pair = Pair { alice, bob, link: links[0].clone(), lab };
    assert_eq!(pair.send(5), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    pair.link.faults_from(&pair.alice, Faults::new().duplicate(1.0))?;
    assert_eq!(pair.send(2), [1, 1, 1, 1, 2, 2, 2, 2]);
    Ok(())
}
